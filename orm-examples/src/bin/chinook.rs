//! Loads the Chinook data into a database, and reports on one.
//!
//! ```text
//! cargo run --release -p orm-examples --bin chinook -- load ChinookData.json chinook.db
//! cargo run --release -p orm-examples --bin chinook -- report chinook.db
//! ```
//!
//! The database is an SQLite file, or the URL of one on a server: `postgres://…`, `mysql://…`.
//! Where its names are in snake_case, as in the ready-made PostgreSQL form, say so:
//!
//! ```text
//! cargo run --release -p orm-examples --bin chinook -- \
//!     --naming snake_case report postgres://postgres@localhost/chinook
//! ```

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use orm_core::engine::Naming;
use orm_examples::chinook::{self, Error, Phase, Progress, Report, Target};

const USAGE: &str = "\
usage: chinook [--naming snake_case] load <data.json> <database>
       chinook [--naming snake_case] report <database>
a database is the path of an SQLite file, or a URL: postgres://…, mysql://…, sqlite:…";

/// What the program is asked to do.
#[derive(Debug, PartialEq, Eq)]
enum Command {
    Load { source: PathBuf, target: OsString, naming: Naming },
    Report { target: OsString, naming: Naming },
}

impl Command {
    fn parse(arguments: impl IntoIterator<Item = OsString>) -> Option<Self> {
        let mut naming = Naming::AsDeclared;
        let mut words = Vec::new();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            if argument != "--naming" {
                words.push(argument);
                continue;
            }
            naming = match arguments.next()?.to_str()? {
                "snake_case" => Naming::SnakeCase,
                "as_declared" => Naming::AsDeclared,
                _ => return None,
            };
        }
        match words.as_slice() {
            [verb, source, target] if verb == "load" => {
                Some(Self::Load { source: source.into(), target: target.clone(), naming })
            }
            [verb, target] if verb == "report" => {
                Some(Self::Report { target: target.clone(), naming })
            }
            _ => None,
        }
    }

    async fn run(self) -> Result<(), Error> {
        match self {
            Self::Load { source, target, naming } => {
                load(&source, &Target::parse(&target)?.naming(naming)).await
            }
            Self::Report { target, naming } => {
                report(&Target::parse(&target)?.naming(naming)).await
            }
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let Some(command) = Command::parse(std::env::args_os().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    // Ctrl-C drops the work, and with it what is unfinished.
    let outcome = tokio::select! {
        outcome = command.run() => outcome,
        _ = tokio::signal::ctrl_c() => {
            eprintln!("chinook: interrupted");
            return ExitCode::FAILURE;
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chinook: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn load(source: &Path, target: &Target) -> Result<(), Error> {
    let started = Instant::now();
    let bar = ProgressBar::no_length().with_style(style());
    let outcome = chinook::load(source, target, |progress| show(&bar, progress)).await;
    bar.finish_and_clear();
    let totals = outcome?;
    let (rows, seconds) = (totals.all_rows(), started.elapsed().as_secs_f64());
    print(format_args!("{totals}\n{rows} rows in one commit, {seconds:.2} s\n"));
    Ok(())
}

async fn report(target: &Target) -> Result<(), Error> {
    let engine = target.open().await?;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Option<Command> {
        Command::parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn commands_are_understood() {
        let load = |naming| {
            Some(Command::Load { source: "data.json".into(), target: "a.db".into(), naming })
        };
        let report = |naming| Some(Command::Report { target: "mysql://h/d".into(), naming });
        for (line, expected) in [
            ("load data.json a.db", load(Naming::AsDeclared)),
            ("--naming snake_case load data.json a.db", load(Naming::SnakeCase)),
            ("load data.json a.db --naming snake_case", load(Naming::SnakeCase)),
            ("report mysql://h/d", report(Naming::AsDeclared)),
            ("report --naming as_declared mysql://h/d", report(Naming::AsDeclared)),
        ] {
            assert_eq!(parse(line), expected, "{line}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for line in [
            "",
            "load",
            "load data.json",
            "load data.json a.db b.db",
            "report",
            "report a.db b.db",
            "drop a.db",
            "--naming",
            "--naming camelCase report a.db",
            "report a.db --naming",
        ] {
            assert_eq!(parse(line), None, "{line}");
        }
    }
}
