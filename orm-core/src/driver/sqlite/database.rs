//! One open connection of rusqlite's: how it is set up, and how it runs a statement where the
//! caller is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::{CachedStatement, Connection, InterruptHandle, Row};

use super::errors::{from_rusqlite, is_busy, is_interrupted};
use super::pace::Paces;
use super::stored::stored;
use super::text::Verb;
use super::{SETTINGS, compare_decimals};
use crate::driver::Done;
use crate::error::Error;
use crate::sql::Statement;
use crate::sql::dialect::sqlite::DECIMAL_COLLATION;

/// How many prepared statements a connection keeps.
const STATEMENT_CACHE: usize = 512;

/// How many instructions of SQLite's machine lie between two looks at the clock.
const INSTRUCTIONS: i32 = 1_000;

/// An open connection, and what is known of its statements.
pub(super) struct Database {
    pub(super) connection: Connection,
    pub(super) paces: Paces,
    /// Stops a statement in time. A connection that was handed in has its owner's means instead.
    deadline: Option<Arc<Deadline>>,
}

/// Why a statement didn't end as it should.
pub(super) enum Failure {
    /// Found by SQLite.
    Sqlite(rusqlite::Error),
    /// Found by whoever made the statement, or reads its rows.
    Ours(Error),
}

impl Failure {
    /// Whether somebody else's lock stands in the way.
    pub(super) fn is_busy(&self) -> bool {
        matches!(self, Self::Sqlite(error) if is_busy(error))
    }

    /// Whether the statement was stopped.
    pub(super) fn is_interrupted(&self) -> bool {
        matches!(self, Self::Sqlite(error) if is_interrupted(error))
    }

    /// The error that users get.
    pub(super) fn into_error(self) -> Error {
        match self {
            Self::Sqlite(error) => from_rusqlite(error),
            Self::Ours(error) => error,
        }
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl Database {
    /// Sets up a connection of ours.
    pub(super) fn new(connection: Connection, synchronous: &str) -> rusqlite::Result<Self> {
        connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
        // Waiting is done where it holds up nobody.
        connection.busy_timeout(Duration::ZERO)?;
        let deadline = Arc::new(Deadline::default());
        let watched = Arc::clone(&deadline);
        connection.progress_handler(INSTRUCTIONS, Some(move || watched.is_over()))?;
        connection.execute_batch(&format!("PRAGMA synchronous = {synchronous}"))?;
        Ok(Self { deadline: Some(deadline), ..Self::handed_in(connection)? })
    }

    /// Sets up a connection that its owner gets back.
    pub(super) fn handed_in(connection: Connection) -> rusqlite::Result<Self> {
        connection.create_collation(DECIMAL_COLLATION, compare_decimals)?;
        connection.execute_batch(SETTINGS)?;
        Ok(Self { connection, paces: Paces::default(), deadline: None })
    }

    /// Whether statements that read can be stopped in time.
    pub(super) fn has_deadline(&self) -> bool {
        self.deadline.is_some()
    }

    /// Lets statements be stopped once this time has passed, until the guard is dropped.
    pub(super) fn until(&self, now: Instant, time: Duration) -> Limit<'_> {
        let limit = Limit(self.deadline.as_deref());
        if let Some(deadline) = limit.0 {
            deadline.set(now + time);
        }
        limit
    }

    /// What stops a statement from another thread.
    pub(super) fn interrupt(&self) -> InterruptHandle {
        self.connection.get_interrupt_handle()
    }

    /// Runs a statement, and hands its rows to `take` one by one.
    pub(super) fn run(
        &self,
        statement: &Statement,
        verb: Verb,
        mut take: impl FnMut(&Row<'_>) -> Result<(), Failure>,
    ) -> Result<Done, Failure> {
        self.run_by(statement, verb, |rows| {
            while rows.next(&mut take)? {}
            Ok(())
        })
    }

    /// Runs a statement whose rows `walk` walks through.
    pub(super) fn run_by(
        &self,
        statement: &Statement,
        verb: Verb,
        walk: impl FnOnce(&mut Rows<'_>) -> Result<(), Failure>,
    ) -> Result<Done, Failure> {
        let connection = &self.connection;
        if statement.words && statement.text.contains(';') {
            connection.execute_batch(&statement.text)?;
            return Ok(Done::default());
        }
        let mut prepared = self.prepare(statement)?;
        for (at, bind) in statement.binds.iter().enumerate() {
            prepared.raw_bind_parameter(at + 1, stored(at, bind)?)?;
        }
        let mut rows = Rows {
            rows: prepared.raw_query(),
            returned: 0,
            // What ends a write is what makes it complete.
            at_most_one: statement.single_row && verb == Verb::Read,
        };
        walk(&mut rows)?;
        let returned = rows.returned;
        // After anything but a write, SQLite repeats the count of the write before.
        let rows = if verb == Verb::Write { connection.changes() } else { returned };
        Ok(Done { rows, first_key: None })
    }

    fn prepare(&self, statement: &Statement) -> rusqlite::Result<Prepared<'_>> {
        if statement.persistent {
            self.connection.prepare_cached(&statement.text).map(Prepared::Kept)
        } else {
            self.connection.prepare(&statement.text).map(Prepared::Once)
        }
    }
}

/// A prepared statement, which goes back to where such are kept, or not.
enum Prepared<'c> {
    Kept(CachedStatement<'c>),
    Once(rusqlite::Statement<'c>),
}

impl<'c> std::ops::Deref for Prepared<'c> {
    type Target = rusqlite::Statement<'c>;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Kept(statement) => statement,
            Self::Once(statement) => statement,
        }
    }
}

impl std::ops::DerefMut for Prepared<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        match self {
            Self::Kept(statement) => statement,
            Self::Once(statement) => statement,
        }
    }
}

/// The rows of a statement that is running.
pub(super) struct Rows<'s> {
    rows: rusqlite::Rows<'s>,
    returned: u64,
    at_most_one: bool,
}

impl Rows<'_> {
    /// Takes the next row, if there is one.
    pub(super) fn next(
        &mut self,
        take: &mut impl FnMut(&Row<'_>) -> Result<(), Failure>,
    ) -> Result<bool, Failure> {
        let Some(row) = self.rows.next()? else { return Ok(false) };
        self.returned += 1;
        take(row)?;
        Ok(!self.at_most_one)
    }
}

/// When a statement is stopped, in nanoseconds since the connection was opened; 0 for never.
struct Deadline {
    opened: Instant,
    at: AtomicU64,
}

impl Default for Deadline {
    fn default() -> Self {
        Self { opened: Instant::now(), at: AtomicU64::new(0) }
    }
}

impl Deadline {
    fn set(&self, at: Instant) {
        let nanoseconds = at.saturating_duration_since(self.opened).as_nanos();
        self.at.store(u64::try_from(nanoseconds).unwrap_or(0), Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        let at = self.at.load(Ordering::Relaxed);
        at != 0 && self.opened.elapsed().as_nanos() > u128::from(at)
    }
}

/// Lifts the deadline when it is dropped.
pub(super) struct Limit<'d>(Option<&'d Deadline>);

impl Limit<'_> {
    /// Lifts the deadline.
    pub(super) fn lift(&self) {
        if let Some(deadline) = self.0 {
            deadline.at.store(0, Ordering::Relaxed);
        }
    }
}

impl Drop for Limit<'_> {
    fn drop(&mut self) {
        self.lift();
    }
}
