//! A program that tells what it does, with the SQL beside it.

use orm_core::Engine;
use orm_core::engine::StatementLog;

/// How wide the text may be.
const WIDTH: usize = 96;

/// Prints chapters, sentences, and the statements that an engine ran in between.
#[derive(Debug)]
pub struct Story {
    log: StatementLog,
    chapter: usize,
}

impl Story {
    /// Listens to the engine from now on.
    pub fn of(engine: &Engine) -> Self {
        Self { log: engine.log(), chapter: 0 }
    }

    /// Begins a chapter.
    pub fn chapter(&mut self, title: &str) {
        self.chapter += 1;
        let title = format!("{}. {title}", self.chapter);
        println!("\n\n{title}\n{}", "=".repeat(title.chars().count()));
    }

    /// Prints a paragraph.
    pub fn tell(&self, paragraph: impl AsRef<str>) {
        println!();
        for line in wrap(paragraph.as_ref(), WIDTH) {
            println!("{line}");
        }
    }

    /// Prints the statements that ran since this was last called.
    pub fn sql(&self) {
        let statements = self.log.take();
        if statements.is_empty() {
            println!("    | (no SQL)");
        }
        for statement in statements {
            for (at, line) in
                statement.sql.lines().flat_map(|line| wrap(line, WIDTH - 10)).enumerate()
            {
                let indent = if at == 0 { "" } else { "    " };
                println!("    | {indent}{line}");
            }
        }
    }
}

/// Breaks a text between words.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
