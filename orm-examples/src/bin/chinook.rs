//! Loads the Chinook data into a database, and reports on one.
//!
//! ```text
//! cargo run --release -p orm-examples --bin chinook -- load ChinookData.json chinook.db
//! cargo run --release -p orm-examples --bin chinook -- report chinook.db
//! ```

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use orm_examples::chinook::{self, Error, Phase, Progress, Report};

const USAGE: &str = "usage: chinook load <data.json> <new.db> | chinook report <existing.db>";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let work = async {
        match arguments.as_slice() {
            [verb, source, target] if verb == "load" => {
                Some(load(source.as_ref(), target.as_ref()).await)
            }
            [verb, database] if verb == "report" => Some(report(database.as_ref()).await),
            _ => None,
        }
    };
    // Ctrl-C drops the work, and with it what is unfinished.
    let outcome = tokio::select! {
        outcome = work => outcome,
        _ = tokio::signal::ctrl_c() => {
            eprintln!("chinook: interrupted");
            return ExitCode::FAILURE;
        }
    };
    match outcome {
        Some(Ok(())) => ExitCode::SUCCESS,
        Some(Err(error)) => {
            eprintln!("chinook: {error}");
            ExitCode::FAILURE
        }
        None => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

async fn load(source: &Path, target: &Path) -> Result<(), Error> {
    let started = Instant::now();
    let bar = ProgressBar::no_length().with_style(style());
    let outcome = chinook::load(source, target, |progress| show(&bar, progress)).await;
    bar.finish_and_clear();
    let totals = outcome?;
    let (rows, seconds) = (totals.all_rows(), started.elapsed().as_secs_f64());
    print(format_args!("{totals}\n{rows} rows in one commit, {seconds:.2} s\n"));
    Ok(())
}

async fn report(database: &Path) -> Result<(), Error> {
    let engine = chinook::open(database).await?;
    let report = Report::read(&engine).await;
    engine.close().await;
    print(format_args!("{}", report?));
    Ok(())
}

fn show(bar: &ProgressBar, Progress { phase, done, total }: Progress) {
    bar.set_message(match phase {
        Phase::Reading => "reading (bytes)",
        Phase::Adding => "adding (objects)",
        Phase::Writing => "writing (rows)",
    });
    bar.set_length(total);
    bar.set_position(done);
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{msg:17} {wide_bar} {human_pos}/{human_len}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// Prints to standard output. A reader that has seen enough, such as `head`, is no failure.
fn print(text: std::fmt::Arguments<'_>) {
    let _ = io::stdout().write_fmt(text);
}
