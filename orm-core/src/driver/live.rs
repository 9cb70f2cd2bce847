//! The drivers' own connections: lent for hand-written statements, or handed in with a transaction.

use std::any::Any;

#[cfg(any(feature = "sqlx-sqlite", feature = "postgres", feature = "mysql"))]
use super::handed_in::{Holder, hand_in};
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
use super::joined::{HandedIn, JoinedConnection};

/// A connection type that a session can lend: `rusqlite::Connection` on SQLite,
/// `sqlx::PgConnection`, `sqlx::MySqlConnection`, and `sqlx::SqliteConnection` where the engine was
/// given a pool of sqlx's.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the connection of a database that this build supports",
    note = "use `orm_core::rusqlite::Connection`, `orm_core::sqlx::PgConnection` or `MySqlConnection`, with the feature of that database enabled"
)]
pub trait LiveConnection: Any + Send {
    /// The database's name, for messages.
    #[doc(hidden)]
    const DATABASE: &'static str;
}

#[cfg(feature = "sqlx-sqlite")]
impl LiveConnection for sqlx::SqliteConnection {
    const DATABASE: &'static str = "SQLite";
}

#[cfg(feature = "postgres")]
impl LiveConnection for sqlx::PgConnection {
    const DATABASE: &'static str = "PostgreSQL";
}

#[cfg(feature = "mysql")]
impl LiveConnection for sqlx::MySqlConnection {
    const DATABASE: &'static str = "MySQL or MariaDB";
}

#[cfg(feature = "sqlx-sqlite")]
impl JoinedConnection for sqlx::SqliteConnection {
    fn __hand_in(self) -> HandedIn {
        hand_in::<sqlx::Sqlite>(self)
    }
}

#[cfg(feature = "sqlx-sqlite")]
impl Holder<sqlx::Sqlite> for sqlx::SqliteConnection {
    fn connection(&mut self) -> &mut Self {
        self
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
    fn close(self: Box<Self>) {}
}

#[cfg(feature = "postgres")]
impl JoinedConnection for sqlx::PgConnection {
    fn __hand_in(self) -> HandedIn {
        hand_in::<sqlx::Postgres>(self)
    }
}

#[cfg(feature = "postgres")]
impl Holder<sqlx::Postgres> for sqlx::PgConnection {
    fn connection(&mut self) -> &mut Self {
        self
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
    fn close(self: Box<Self>) {}
}

#[cfg(feature = "mysql")]
impl JoinedConnection for sqlx::MySqlConnection {
    fn __hand_in(self) -> HandedIn {
        hand_in::<sqlx::MySql>(self)
    }
}

#[cfg(feature = "mysql")]
impl Holder<sqlx::MySql> for sqlx::MySqlConnection {
    fn connection(&mut self) -> &mut Self {
        self
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
    fn close(self: Box<Self>) {}
}

#[cfg(feature = "sqlite")]
impl LiveConnection for rusqlite::Connection {
    const DATABASE: &'static str = "SQLite";
}

#[cfg(feature = "sqlite")]
impl JoinedConnection for rusqlite::Connection {
    fn __hand_in(self) -> HandedIn {
        HandedIn(Box::new(self))
    }
}
