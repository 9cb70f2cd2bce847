//! sqlx's own connection, lent for hand-written statements.

use std::any::Any;

/// A connection type of sqlx that a session can lend: `sqlx::SqliteConnection`,
/// `sqlx::PgConnection`, `sqlx::MySqlConnection`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the connection of a database that this build supports",
    note = "use `orm_core::sqlx::SqliteConnection`, `PgConnection` or `MySqlConnection`, with the feature of that database enabled"
)]
pub trait LiveConnection: Any + Send {
    /// The database's name, for messages.
    #[doc(hidden)]
    const DATABASE: &'static str;
}

#[cfg(feature = "sqlite")]
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
