//! The statement log: what ran, for tests, for `echo` and for tracing.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Done;
use crate::error::Result;
use crate::sql::Statement;

/// The tracing target of statements.
const TARGET: &str = "orm::sql";

/// What a logged statement is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StatementKind {
    /// It begins a transaction.
    Begin,
    /// It commits one.
    Commit,
    /// It rolls one back.
    Rollback,
    /// It sets, releases or returns to a savepoint.
    Savepoint,
    /// It reads or writes rows, or changes the schema.
    Statement,
}

/// A statement that ran. Values are never part of it: they travel as binds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Logged {
    /// What it is for.
    pub kind: StatementKind,
    /// The text, with placeholders.
    pub sql: Arc<str>,
    /// The rows that it affected or returned; none if it failed.
    pub rows: u64,
    /// From sending it to having read its last row.
    pub elapsed: Duration,
}

/// Records the statements that an engine runs, from [`Engine::log`](crate::Engine::log) until it
/// is dropped.
///
/// Several may be open at once. While none is, the log costs one atomic load per statement.
#[derive(Debug)]
pub struct StatementLog {
    listener: Arc<Listener>,
    hub: Arc<LogHub>,
}

impl StatementLog {
    /// What ran since the log was opened or last taken, in the order of completion.
    pub fn take(&self) -> Vec<Logged> {
        std::mem::take(&mut *self.listener.lock())
    }

    /// The texts of the same, without BEGIN, COMMIT, ROLLBACK and savepoints. The log keeps them.
    pub fn statements(&self) -> Vec<Arc<str>> {
        let logged = self.listener.lock();
        let statements = logged.iter().filter(|logged| logged.kind == StatementKind::Statement);
        statements.map(|logged| Arc::clone(&logged.sql)).collect()
    }

    /// Lets so many more statements of the engine run, and makes the one behind them fail: another
    /// is sent in its place that asks for a table that isn't there, so that it is the database that
    /// refuses, with all that this means for its transaction. The log shows what was to be sent.
    ///
    /// For tests of what a failure leaves behind.
    #[doc(hidden)]
    pub fn fail_after(&self, statements: usize) {
        self.listener.failing.store(statements.saturating_add(1), Ordering::Release);
    }
}

impl Drop for StatementLog {
    fn drop(&mut self) {
        let mut listeners = self.hub.lock();
        listeners.retain(|listener| !Arc::ptr_eq(listener, &self.listener));
        self.hub.listening.store(listeners.len(), Ordering::Release);
    }
}

/// What one log has recorded, and what it is to do to the statements that it hears of.
#[derive(Debug, Default)]
struct Listener {
    logged: Mutex<Vec<Logged>>,
    /// How many statements it takes until one fails, that one included; 0 if none is to.
    failing: AtomicUsize,
}

impl Listener {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Logged>> {
        self.logged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a statement; says whether it is the one to fail.
    fn is_to_fail(&self) -> bool {
        let count = |left: usize| left.checked_sub(1);
        self.failing.fetch_update(Ordering::AcqRel, Ordering::Acquire, count) == Ok(1)
    }
}

/// Hands each statement to whoever listens.
#[derive(Debug, Default)]
pub(super) struct LogHub {
    echo: bool,
    listening: AtomicUsize,
    listeners: Mutex<Vec<Arc<Listener>>>,
}

impl LogHub {
    /// A hub; with `echo`, statements are printed too.
    pub(super) fn new(echo: bool) -> Self {
        Self { echo, ..Self::default() }
    }

    /// Opens a log.
    pub(super) fn open(self: &Arc<Self>) -> StatementLog {
        let listener = Arc::<Listener>::default();
        let mut listeners = self.lock();
        listeners.push(Arc::clone(&listener));
        self.listening.store(listeners.len(), Ordering::Release);
        drop(listeners);
        StatementLog { listener, hub: Arc::clone(self) }
    }

    /// Notes that a statement starts; `None` while nobody wants to know. If
    /// [a log says so](StatementLog::fail_after), it is replaced by one that fails.
    pub(super) fn start(&self, kind: StatementKind, statement: &mut Statement) -> Option<Started> {
        let has_listeners = self.listening.load(Ordering::Acquire) > 0;
        let is_heard =
            self.echo || has_listeners || tracing::enabled!(target: TARGET, tracing::Level::DEBUG);
        if !is_heard {
            return None;
        }
        let sql = Arc::clone(&statement.text);
        if self.echo {
            eprintln!("sql: {sql}");
        }
        // Each log counts, also behind one that says so.
        let failing = self.lock().iter().filter(|listener| listener.is_to_fail()).count();
        if failing > 0 {
            *statement = Statement::that_fails();
        }
        Some(Started { kind, sql, at: Instant::now() })
    }

    /// Notes how a statement ended.
    pub(super) fn finish(&self, started: Option<Started>, outcome: &Result<Done>) {
        let Some(Started { kind, sql, at }) = started else { return };
        let (rows, elapsed) = (outcome.as_ref().map_or(0, |done| done.rows), at.elapsed());
        tracing::debug!(target: TARGET, ?kind, rows, ?elapsed, failed = outcome.is_err(), "{sql}");
        for listener in self.lock().iter() {
            listener.lock().push(Logged { kind, sql: Arc::clone(&sql), rows, elapsed });
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Listener>>> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A statement under way.
pub(super) struct Started {
    kind: StatementKind,
    sql: Arc<str>,
    at: Instant,
}
