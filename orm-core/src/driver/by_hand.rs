//! What hand-written statements beside the library's own start from.

#[cfg(any(feature = "sqlx-sqlite", feature = "postgres", feature = "mysql"))]
pub mod sqlx {
    //! What of sqlx hand-written statements start from: [`query()`] and [`raw_sql`], and the
    //! connections, transactions and pools of the databases that this build supports by it.
    //!
    //! For rows by name and all the rest, depend on sqlx itself, of the version that this library is
    //! built on: 0.9. (It isn't re-exported as a whole: the compiler would have to tell its `Column`,
    //! `Row` and `Error` from ours in every message.)

    pub use ::sqlx::pool::PoolConnection;
    pub use ::sqlx::{Transaction, query, raw_sql};

    #[cfg(feature = "mysql")]
    pub use ::sqlx::{MySql, MySqlConnection, MySqlPool};
    #[cfg(feature = "postgres")]
    pub use ::sqlx::{PgConnection, PgPool, Postgres};
    #[cfg(feature = "sqlx-sqlite")]
    pub use ::sqlx::{Sqlite, SqliteConnection, SqlitePool};
}

/// What of rusqlite hand-written statements on SQLite start from. For the rest, depend on rusqlite
/// itself, of the version that this library is built on: 0.39.
#[cfg(feature = "sqlite")]
pub mod rusqlite {
    pub use ::rusqlite::{Connection, OptionalExtension, params};
}
