//! SQLite over sqlx.

mod arguments;
mod cells;
mod errors;
mod memory;
#[cfg(test)]
mod tests;
mod url;

use std::any::Any;
use std::cmp::Ordering;

use futures_util::future::BoxFuture;
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqlitePool, SqliteQueryResult, SqliteRow,
};
use sqlx::{ConnectOptions, Executor, Sqlite, SqliteConnection};

use self::cells::SqliteCells;
use self::errors::from_sqlx;
use self::memory::TemporaryDatabase;
use super::pooled::{Backend, Pooled, pool_options, run_settings};
use super::target::Opened;
use super::{Done, Options, RowSink};
use crate::error::{Error, Result};
use crate::sql::Bind;
use crate::sql::dialect::sqlite::{DECIMAL_COLLATION, named};

/// How many prepared statements a connection keeps.
const STATEMENT_CACHE: usize = 512;

/// How many rows the connection's thread may be ahead of its reader.
const ROW_BUFFER: usize = 500;

/// Compares two texts as the decimals that they are, and else as texts. The text of a float, which
/// SQLite calculates decimals with, is one too.
#[cfg(feature = "decimal")]
fn compare_decimals(left: &str, right: &str) -> Ordering {
    use rust_decimal::Decimal;
    let decimal = |text: &str| text.parse().or_else(|_| Decimal::from_scientific(text));
    match (decimal(left), decimal(right)) {
        (Ok(left), Ok(right)) => left.cmp(&right),
        _ => left.cmp(right),
    }
}

/// Without decimals nothing is compared by this collation.
#[cfg(not(feature = "decimal"))]
fn compare_decimals(left: &str, right: &str) -> Ordering {
    left.cmp(right)
}

/// What every connection needs: foreign keys are enforced, and LIKE goes by case, as on the other
/// databases.
const SETTINGS: &str = "PRAGMA foreign_keys = ON; PRAGMA case_sensitive_like = ON";

/// Opens the database and one connection to it, so that a wrong URL is an error here.
pub(super) async fn open(url: &str, options: &Options) -> Result<Opened> {
    let target = url::parse(url)?;
    let mut connect = target
        .options
        .foreign_keys(true)
        .busy_timeout(options.busy_timeout)
        .statement_cache_capacity(STATEMENT_CACHE)
        .row_buffer_size(ROW_BUFFER)
        .pragma("case_sensitive_like", "ON")
        .collation(DECIMAL_COLLATION, compare_decimals)
        .disable_statement_logging();
    let files = if target.in_memory { Some(TemporaryDatabase::new()?) } else { None };
    if let Some(files) = &files {
        // Nothing of it survives the process: there is no crash to be safe from.
        connect =
            connect.filename(files.path()).create_if_missing(true).pragma("synchronous", "OFF");
    } else {
        connect = connect.pragma("synchronous", "NORMAL");
    }
    if !target.read_only {
        switch_to_wal(&connect).await?;
    }
    let pool = pool_options(options).connect_lazy_with(connect);
    let files = files.map(|files| Box::new(files) as Box<dyn Any + Send + Sync>);
    let driver = Pooled::<Sqlite>::open(pool, options, SETTINGS, files).await?;
    Ok(Opened::new(driver, named(options.naming)))
}

/// Uses a pool that somebody else made.
pub(super) async fn adopt(pool: SqlitePool, options: &Options) -> Result<Opened> {
    let driver = Pooled::<Sqlite>::adopt(pool, options, SETTINGS).await?;
    Ok(Opened::new(driver, named(options.naming)))
}

/// Write-ahead logging lets readers go on while others write. It is a lasting property of the
/// file, and the switch can't wait for its lock: it is made once, on a connection of its own.
async fn switch_to_wal(connect: &SqliteConnectOptions) -> Result<()> {
    let mut connection = connect.connect().await.map_err(from_sqlx)?;
    let switched = connection.execute("PRAGMA journal_mode = WAL").await;
    let closed = sqlx::Connection::close(connection).await;
    match switched.map_err(from_sqlx) {
        // Somebody else uses the database: they have made the switch, or will be asked again.
        Ok(_) | Err(Error::Serialization(_)) => closed.map_err(from_sqlx),
        Err(error) => Err(error),
    }
}

impl Backend for Sqlite {
    const HAS_SERVER: bool = false;
    const ENDS_EARLY: bool = true;

    fn encode(binds: Vec<Bind>) -> Result<SqliteArguments> {
        arguments::encode(binds)
    }

    fn read(row: &SqliteRow, rows: &mut dyn RowSink) -> Result<()> {
        rows.row(&SqliteCells(row))
    }

    fn done(text: &str, returned: u64, result: &SqliteQueryResult) -> Done {
        // After anything but a write, SQLite repeats the count of the write before.
        let rows = if is_write(text) { result.rows_affected() } else { returned };
        Done { rows, first_key: None }
    }

    fn error(error: sqlx::Error) -> Error {
        from_sqlx(error)
    }

    fn set_up<'c>(
        connection: &'c mut SqliteConnection,
        settings: &'c str,
    ) -> BoxFuture<'c, Result<()>> {
        Box::pin(async move {
            let mut handle = connection.lock_handle().await.map_err(from_sqlx)?;
            handle.create_collation(DECIMAL_COLLATION, compare_decimals).map_err(from_sqlx)?;
            drop(handle);
            run_settings(connection, settings).await
        })
    }
}

/// Whether a text writes rows, by its verb; behind a WITH the verb may come late.
fn is_write(sql: &str) -> bool {
    const VERBS: [&str; 4] = ["INSERT", "UPDATE", "DELETE", "REPLACE"];
    let mut words = sql.split_ascii_whitespace();
    let is_verb = |word: &str| VERBS.iter().any(|verb| verb.eq_ignore_ascii_case(word));
    match words.next() {
        Some(first) if first.eq_ignore_ascii_case("WITH") => words.any(is_verb),
        first => first.is_some_and(is_verb),
    }
}
