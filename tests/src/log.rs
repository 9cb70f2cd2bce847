//! The statement log, in a form that reads the same on every backend.

use std::sync::Mutex;

use orm_core::engine::{Logged, StatementKind, StatementLog};

use crate::read_backs::ReadBacks;
use crate::sql::summary;

/// The statements since the log was opened, or last asked.
///
/// Where the database has no RETURNING, a flush reads what the database filled in by one SELECT
/// per table. These read-backs are left out, so that expectations are the same everywhere;
/// [`with_read_backs`](Self::with_read_backs) shows them.
#[derive(Debug)]
pub struct Log {
    statements: StatementLog,
    /// Where there are any.
    read_backs: Option<Mutex<ReadBacks>>,
}

impl Log {
    pub(crate) fn new(statements: StatementLog, has_read_backs: bool) -> Self {
        let read_backs = has_read_backs.then(Mutex::default);
        Self { statements, read_backs }
    }

    /// What ran, as `INSERT users`, `SELECT posts`, without BEGIN, COMMIT and savepoints: what
    /// SEMANTICS.md counts as emitted.
    pub fn emitted(&self) -> Vec<String> {
        self.taken().iter().filter(is_emitted).map(|logged| summary(&logged.sql)).collect()
    }

    /// What ran, with BEGIN, COMMIT, ROLLBACK and SAVEPOINT.
    pub fn all(&self) -> Vec<String> {
        self.taken().iter().map(|logged| summary(&logged.sql)).collect()
    }

    /// The texts of what ran, without BEGIN and COMMIT.
    pub fn texts(&self) -> Vec<String> {
        self.taken().iter().filter(is_emitted).map(|logged| logged.sql.to_string()).collect()
    }

    /// How many rows each of the statements that ran returned or affected, without BEGIN and COMMIT.
    pub fn rows(&self) -> Vec<u64> {
        self.taken().iter().filter(is_emitted).map(|logged| logged.rows).collect()
    }

    /// What ran, as [`emitted`](Self::emitted) has it, and the read-backs too.
    pub fn with_read_backs(&self) -> Vec<String> {
        self.statements
            .take()
            .iter()
            .filter(is_emitted)
            .map(|logged| summary(&logged.sql))
            .collect()
    }

    fn taken(&self) -> Vec<Logged> {
        let mut taken = self.statements.take();
        if let Some(read_backs) = &self.read_backs {
            let mut read_backs = read_backs.lock().expect("nobody panics with the lock");
            taken.retain(|logged| !read_backs.is_one(&logged.sql));
        }
        taken
    }
}

fn is_emitted(logged: &&Logged) -> bool {
    logged.kind == StatementKind::Statement
}
