//! The drivers: connections, transactions and statements on a real database.
//!
//! Layer 3, and the only place that names sqlx and rusqlite. A [`Driver`] opens connections, a
//! [`DriverConnection`] runs one statement at a time and feeds its rows to a [`RowSink`] while
//! they are where the database put them. Everything that databases have in common stands above
//! these traits, once: [`Connection`] is the transaction state machine and the guard against
//! dropped futures, [`Job`] finishes what must not be left half-way, [`Engine`] is what users
//! hold, [`StatementLog`] listens. `pooled` is the driver over sqlx's pools, `sqlite` that of SQLite in
//! place, `joined` one of a single connection inside a transaction of somebody else's; `sqlite`,
//! `postgres` and `mysql` say how each database's values, rows and errors read. Nothing here
//! writes SQL, except the words of transactions and of a connection's settings.

#[cfg(any(feature = "sqlite", feature = "mysql"))]
mod arrays;
pub(crate) mod by_hand;
mod connection;
mod engine;
#[cfg(any(feature = "sqlx-sqlite", feature = "postgres", feature = "mysql"))]
mod handed_in;
mod job;
mod joined;
mod live;
mod log;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(any(feature = "sqlx-sqlite", feature = "postgres", feature = "mysql"))]
mod pooled;
#[cfg(feature = "postgres")]
mod postgres;
mod resolve;
mod schema;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(any(feature = "sqlx-sqlite", feature = "postgres", feature = "mysql"))]
mod statements;
mod target;
#[cfg(all(test, feature = "sqlite"))]
mod tests;
#[cfg(any(feature = "sqlite", feature = "mysql"))]
mod times;

pub(crate) use connection::Connection;
pub use engine::{Engine, EngineBuilder};
pub(crate) use job::{Job, StopFlag};
pub use joined::JoinedConnection;
pub use live::LiveConnection;
pub use log::{Logged, StatementKind, StatementLog};
pub(crate) use resolve::resolve;
pub use schema::Schema;
#[cfg(any(feature = "sqlx-sqlite", feature = "postgres", feature = "mysql"))]
pub use target::SqlxPool;

use std::any::{Any, TypeId};
use std::fmt::Debug;
use std::time::Duration;

use futures_util::future::BoxFuture;

use self::joined::HandedIn;
use crate::error::{Error, Result};
use crate::sql::{Naming, Statement};
use crate::value::Cells;

/// Opens connections to one database.
pub(crate) trait Driver: Debug + Send + Sync {
    /// Takes a connection from the pool, or opens one.
    fn acquire(&self) -> BoxFuture<'_, Result<Box<dyn DriverConnection>>>;
    /// Closes every connection; those in use close as they come back.
    fn close(&self) -> BoxFuture<'_, ()>;
    /// Takes over a connection that was handed in with an open transaction. One that can't be
    /// used is closed.
    fn join(&self, _connection: HandedIn) -> BoxFuture<'_, Result<Box<dyn DriverConnection>>> {
        Box::pin(async { Err(Error::misuse("the engine is inside a transaction itself")) })
    }
    /// Gives a connection back that was handed in as this type. One of another type is closed.
    fn give_back(&self, _handed_in: TypeId) -> BoxFuture<'_, Result<Option<Box<dyn Any + Send>>>> {
        Box::pin(async { Err(Error::misuse("the session has joined no transaction")) })
    }
}

/// One connection of a pool. Dropping it closes it.
pub(crate) trait DriverConnection: Send {
    /// Runs a statement, moving its values into binds of the driver's, and feeds each row to the
    /// sink.
    ///
    /// A statement that failed before it did anything, for a reason that is gone by then, is run
    /// once more if `may_repeat` says that no transaction has been lost by it.
    fn run<'a>(
        &'a mut self,
        statement: Statement,
        may_repeat: bool,
        rows: &'a mut dyn RowSink,
    ) -> BoxFuture<'a, Result<Done>>;
    /// The driver's own connection, for hand-written statements.
    fn live(&mut self) -> Option<&mut dyn Any>;
    /// Gives the connection back to the pool. Works outside a runtime too.
    fn release(self: Box<Self>);
    /// Closes the connection, whatever it is doing. Works outside a runtime too.
    fn discard(self: Box<Self>);
    /// What was handed in, if it was, as this type. Anything else is closed.
    fn into_handed_in(self: Box<Self>, _handed_in: TypeId) -> Option<Box<dyn Any + Send>> {
        None
    }
}

/// What a statement did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Done {
    /// The rows that a write matched or a query returned.
    pub(crate) rows: u64,
    /// The first key that the server generated, where it tells.
    pub(crate) first_key: Option<i64>,
}

/// Takes the rows of a result one by one.
pub(crate) trait RowSink: Send {
    /// Decodes one row.
    fn row(&mut self, cells: &dyn Cells) -> Result<()>;
    /// Whether it may be [full](Self::is_full) before the end.
    #[cfg_attr(not(feature = "sqlite"), expect(dead_code, reason = "the others can always pause"))]
    fn pauses(&self) -> bool {
        false
    }
    /// Whether the rows so far are to be dealt with before the next is read: the statement pauses,
    /// and goes on when it is polled again.
    fn is_full(&self) -> bool {
        false
    }
}

/// A sink for statements that give no rows, or whose rows don't matter.
impl RowSink for () {
    fn row(&mut self, _cells: &dyn Cells) -> Result<()> {
        Ok(())
    }
}

/// A sink made of a closure.
pub(crate) struct EachRow<F>(pub(crate) F);

impl<F: FnMut(&dyn Cells) -> Result<()> + Send> RowSink for EachRow<F> {
    fn row(&mut self, cells: &dyn Cells) -> Result<()> {
        (self.0)(cells)
    }
}

/// What an engine was asked for, the same on every database.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// The most connections at a time.
    pub(crate) max_connections: u32,
    /// How long to wait for one of them.
    pub(crate) acquire_timeout: Duration,
    /// How long a statement waits for a lock, where the database leaves that to the client.
    pub(crate) busy_timeout: Duration,
    /// How long the server lets a statement run.
    pub(crate) statement_timeout: Option<Duration>,
    /// Whether a pooler between the client and the server lends server connections out one
    /// transaction at a time.
    pub(crate) transaction_pooling: bool,
    /// Whether writes may ask for rows by RETURNING, where the server has it.
    pub(crate) returning: bool,
    /// Whether keys may be counted on from the first of an INSERT, where there is no RETURNING.
    pub(crate) counted_keys: bool,
    /// How the names of tables and columns are spelled in the database.
    pub(crate) naming: Naming,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_connections: 10,
            acquire_timeout: Duration::from_secs(30),
            busy_timeout: Duration::from_secs(5),
            statement_timeout: None,
            transaction_pooling: false,
            returning: true,
            counted_keys: true,
            naming: Naming::AsDeclared,
        }
    }
}
