//! One connection inside a transaction that somebody else began: who joins it works in savepoints.
//!
//! [`Joined`] is a driver of that one connection. Whoever acquires it has it alone until it is
//! released, and the others wait for their turn. That transactions are savepoints here is
//! [`Connection`](super::Connection)'s business.

use std::any::{Any, TypeId};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::log::LogHub;
use super::{Connection, Done, Driver, DriverConnection, RowSink};
use crate::error::{Error, Result};
use crate::sql::{Renderer, Statement};

/// A connection that a session can take over with its open transaction:
/// `sqlx::Transaction<'static, Postgres>`, `sqlx::pool::PoolConnection<Postgres>` or
/// `sqlx::PgConnection`, the same of MySQL, and `rusqlite::Connection`; with the feature
/// `sqlx-sqlite` also those of `sqlx::Sqlite`.
#[diagnostic::on_unimplemented(
    message = "a session can't join a transaction on `{Self}`",
    note = "hand in sqlx's `Transaction<'static, _>`, `PoolConnection<_>` or a connection itself, or rusqlite's `Connection`, of a database whose feature of orm-core is enabled"
)]
pub trait JoinedConnection: Any + Send + Sized {
    /// The connection as a driver can take it.
    #[doc(hidden)]
    fn __hand_in(self) -> HandedIn;
}

/// A connection that was handed in. Only the driver of its database can tell what it is.
#[doc(hidden)]
pub struct HandedIn(pub(super) Box<dyn Any + Send>);

/// The refusal of a connection of another database.
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub(super) fn of_another_database() -> Error {
    Error::misuse("the connection is not one of the engine's database: a session can't join")
}

/// The refusal of a connection without an open transaction, or with one that has failed.
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub(super) fn without_transaction() -> Error {
    Error::misuse("the connection has no transaction open that can go on: begin one, then join it")
}

/// A driver of one connection.
pub(super) struct Joined {
    place: Arc<Mutex<Place>>,
    /// How long to wait for one's turn.
    patience: Duration,
}

/// Where the connection is. Who uses it holds the lock.
struct Place {
    connection: Option<Box<dyn DriverConnection>>,
    /// Why it is missing.
    missing: &'static str,
    /// What rolls the transaction back in the end, if that is ours to do.
    rolls_back: Option<(Arc<Renderer>, Arc<LogHub>)>,
}

/// Why there is no connection.
const LOST: &str = "the one connection of this transaction was lost, or closed because a \
                    statement on it was interrupted";
const GIVEN_BACK: &str = "the one connection of this transaction was given back";

impl Joined {
    /// A driver of a connection whose transaction others end.
    pub(super) fn new(connection: Box<dyn DriverConnection>, patience: Duration) -> Self {
        let connection = Some(connection);
        let place = Place { connection, missing: LOST, rolls_back: None };
        Self { place: Arc::new(Mutex::new(place)), patience }
    }

    /// A driver of a connection whose transaction is rolled back when nobody uses it any more.
    pub(super) fn rolled_back(connection: Connection, patience: Duration) -> Self {
        let renderer = Arc::clone(connection.renderer());
        let (connection, log) = connection.into_parts();
        let place = Place { connection, missing: LOST, rolls_back: Some((renderer, log)) };
        Self { place: Arc::new(Mutex::new(place)), patience }
    }

    /// The place, once nobody uses it.
    async fn turn(&self) -> Result<OwnedMutexGuard<Place>> {
        let turn = tokio::time::timeout(self.patience, Arc::clone(&self.place).lock_owned()).await;
        turn.map_err(|_| {
            Error::Timeout(
                "the one connection of this transaction stayed in use: a session holds it from \
                 its first write until it commits, rolls back or is dropped"
                    .to_owned(),
            )
        })
    }
}

impl Driver for Joined {
    fn acquire(&self) -> BoxFuture<'_, Result<Box<dyn DriverConnection>>> {
        Box::pin(async move {
            let place = self.turn().await?;
            if place.connection.is_none() {
                return Err(Error::Connection(place.missing.to_owned()));
            }
            let turn: Box<dyn DriverConnection> = Box::new(Turn(Some(place)));
            Ok(turn)
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if let Ok(mut place) = self.turn().await {
                place.end();
            }
        })
    }

    fn give_back(&self, handed_in: TypeId) -> BoxFuture<'_, Result<Option<Box<dyn Any + Send>>>> {
        Box::pin(async move {
            let mut place = self.turn().await?;
            if place.rolls_back.is_some() {
                return Err(Error::misuse(
                    "the connection belongs to the engine that the test is for: no session can \
                     give it back",
                ));
            }
            let missing = std::mem::replace(&mut place.missing, GIVEN_BACK);
            match place.connection.take() {
                Some(connection) => Ok(connection.into_handed_in(handed_in)),
                None => Err(Error::Connection(missing.to_owned())),
            }
        })
    }
}

impl fmt::Debug for Joined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Joined").field("patience", &self.patience).finish_non_exhaustive()
    }
}

impl Place {
    /// Ends the transaction, if that is ours to do, and lets the connection go.
    fn end(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        match self.rolls_back.take() {
            Some((renderer, log)) => drop(Connection::begun(connection, renderer, log)),
            None => drop(connection),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.end();
    }
}

/// The connection while it is somebody's turn. Released when it is given back, closed when it is
/// dropped without.
struct Turn(Option<OwnedMutexGuard<Place>>);

impl DriverConnection for Turn {
    fn run<'a>(
        &'a mut self,
        statement: Statement,
        may_repeat: bool,
        rows: &'a mut dyn RowSink,
    ) -> BoxFuture<'a, Result<Done>> {
        let connection = self.0.as_mut().and_then(|place| place.connection.as_mut());
        match connection {
            Some(connection) => connection.run(statement, may_repeat, rows),
            None => Box::pin(async { Err(Error::Connection(LOST.to_owned())) }),
        }
    }

    fn live(&mut self) -> Option<&mut dyn Any> {
        self.0.as_mut()?.connection.as_mut()?.live()
    }

    fn release(mut self: Box<Self>) {
        self.0 = None;
    }

    fn discard(self: Box<Self>) {}
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(connection) = self.0.as_mut().and_then(|place| place.connection.take()) {
            connection.discard();
        }
    }
}
