//! What the suite's tests share: a database of their own on every backend, and the statement log
//! in a form that reads the same everywhere.
//!
//! A test is written once, inside [`backend_tests!`], and runs on every backend. Where backends
//! differ it asks a capability, never the backend's name.

use std::future::Future;

use orm_core::engine::{Engine, EngineBuilder, StatementKind, StatementLog};
use orm_core::{Result, Schema, Session, SessionFactory};

/// A database that a test can run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// SQLite, in a database of the test's own in memory.
    Sqlite,
}

/// What a backend can do, where they differ.
#[derive(Clone, Copy, Debug)]
pub struct Capabilities {
    /// `UPDATE … RETURNING`: computed columns come back with the statement.
    pub returning_on_update: bool,
    /// `DELETE … RETURNING`: missing rows can be told apart.
    pub returning_on_delete: bool,
    /// Constraints can be checked at COMMIT.
    pub deferrable: bool,
    /// One transaction writes at a time, whatever it writes: the others wait for their turn.
    pub single_writer: bool,
    /// A column of floats can hold NaN.
    pub nan: bool,
    /// The last year of a date.
    pub latest_year: i32,
}

impl Backend {
    /// What it can do.
    pub fn capabilities(self) -> Capabilities {
        match self {
            Backend::Sqlite => Capabilities {
                returning_on_update: true,
                returning_on_delete: true,
                deferrable: true,
                single_writer: true,
                nan: false,
                latest_year: 9999,
            },
        }
    }

    fn engine(self) -> EngineBuilder {
        match self {
            Backend::Sqlite => Engine::builder("sqlite::memory:"),
        }
    }

    async fn database(
        self,
        options: impl FnOnce(EngineBuilder) -> EngineBuilder,
    ) -> Result<Database> {
        let engine = options(self.engine()).connect().await?;
        Ok(Database {
            backend: self,
            sessions: SessionFactory::new(engine.clone()),
            engine,
            capabilities: self.capabilities(),
        })
    }
}

/// A test's own database.
#[derive(Debug)]
pub struct Database {
    backend: Backend,
    /// Its engine.
    pub engine: Engine,
    /// Sessions on it.
    pub sessions: SessionFactory,
    /// What it can do.
    pub capabilities: Capabilities,
}

impl Database {
    /// A new session.
    pub fn session(&self) -> Session {
        self.sessions.session()
    }

    /// Another database of the test's own, on an engine with these options.
    ///
    /// # Errors
    /// The database's.
    pub async fn with_engine(
        &self,
        options: impl FnOnce(EngineBuilder) -> EngineBuilder,
    ) -> Result<Database> {
        self.backend.database(options).await
    }

    /// Creates the tables of a schema.
    ///
    /// # Errors
    /// The database's.
    pub async fn create(&self, schema: &Schema) -> Result<()> {
        self.engine.create_all(schema).await
    }

    /// Records statements from now on.
    pub fn log(&self) -> Log {
        Log(self.engine.log())
    }
}

/// The statements since the log was opened, or last asked.
#[derive(Debug)]
pub struct Log(StatementLog);

impl Log {
    /// What ran, as `INSERT users`, `SELECT posts`, without BEGIN, COMMIT and savepoints: what
    /// SEMANTICS.md counts as emitted.
    pub fn emitted(&self) -> Vec<String> {
        let statements = self.0.take().into_iter();
        statements
            .filter(|logged| logged.kind == StatementKind::Statement)
            .map(|logged| summary(&logged.sql))
            .collect()
    }

    /// What ran, with BEGIN, COMMIT, ROLLBACK and SAVEPOINT.
    pub fn all(&self) -> Vec<String> {
        self.0.take().into_iter().map(|logged| summary(&logged.sql)).collect()
    }

    /// The texts of what ran, without BEGIN and COMMIT.
    pub fn texts(&self) -> Vec<String> {
        let statements = self.0.take().into_iter();
        statements
            .filter(|logged| logged.kind == StatementKind::Statement)
            .map(|logged| logged.sql.to_string())
            .collect()
    }
}

/// `INSERT INTO "users" …` as `INSERT users`, whatever the dialect.
pub fn summary(sql: &str) -> String {
    let clean: String =
        sql.chars().map(|c| if matches!(c, '"' | '`' | '(' | ')') { ' ' } else { c }).collect();
    let words: Vec<&str> = clean.split_whitespace().collect();
    let verb = words
        .iter()
        .find(|word| {
            ["INSERT", "UPDATE", "DELETE", "SELECT"].contains(word)
                || ["BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE"].contains(word)
        })
        .copied();
    // A multi-row UPDATE may begin with the rows it is given: its verb comes behind them.
    let verb = match verb {
        Some("SELECT") if words.first() == Some(&"WITH") => {
            words.iter().copied().find(|word| ["UPDATE", "DELETE"].contains(word)).or(verb)
        }
        verb => verb,
    };
    let behind = |keyword: &str| {
        // A table, not a query in brackets: of `FROM (SELECT … FROM users)` the inner one counts.
        let places = words.windows(2).filter(|pair| pair[0] == keyword);
        places.map(|pair| pair[1]).find(|table| *table != "SELECT")
    };
    let table = match verb {
        Some("INSERT") => behind("INTO"),
        Some("UPDATE") => behind("UPDATE"),
        Some("DELETE" | "SELECT") => behind("FROM"),
        _ => None,
    };
    match (verb, table) {
        (Some(verb), Some(table)) => format!("{verb} {table}"),
        (Some("SAVEPOINT" | "RELEASE" | "ROLLBACK"), None) => words.join(" "),
        (Some(verb), None) => verb.to_owned(),
        (None, _) => sql.to_owned(),
    }
}

/// Runs a test on a backend, in a database of its own.
///
/// # Panics
/// If the database can't be had, or the test fails.
pub fn run<F: Future<Output = Result<()>>>(backend: Backend, test: impl FnOnce(Database) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime can be built");
    let outcome = runtime.block_on(async { test(backend.database(|engine| engine).await?).await });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

/// Tests that run on every backend, each in a database of its own.
///
/// ```
/// orm_tests::backend_tests! {
///     /// SEMANTICS 9.2
///     async fn rule_9_2_a_commit_without_work_emits_nothing(db) {
///         let log = db.log();
///         db.session().commit().await?;
///         assert!(log.all().is_empty());
///     }
/// }
/// ```
#[macro_export]
macro_rules! backend_tests {
    ($($(#[$meta:meta])* async fn $name:ident($db:ident) $body:block)+) => {$(
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn body($db: $crate::Database) -> ::orm_core::Result<()> {
                $body
                #[allow(unreachable_code)]
                Ok(())
            }

            #[test]
            fn sqlite() {
                $crate::run($crate::Backend::Sqlite, body);
            }
        }
    )+};
}
