//! What of sqlx hand-written statements beside the library's own start from: [`query()`] and [`raw_sql`],
//! and the connections, transactions and pools of the databases that this build supports.
//!
//! For rows by name and all the rest, depend on sqlx itself, of the version that this library is
//! built on: 0.9. (It isn't re-exported as a whole: the compiler would have to tell its `Column`,
//! `Row` and `Error` from ours in every message.)

pub use sqlx::pool::PoolConnection;
pub use sqlx::{Transaction, query, raw_sql};

#[cfg(feature = "mysql")]
pub use sqlx::{MySql, MySqlConnection, MySqlPool};
#[cfg(feature = "postgres")]
pub use sqlx::{PgConnection, PgPool, Postgres};
#[cfg(feature = "sqlite")]
pub use sqlx::{Sqlite, SqliteConnection, SqlitePool};
