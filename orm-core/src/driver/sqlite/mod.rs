//! SQLite over sqlx.

mod arguments;
mod cells;
mod errors;
mod memory;
#[cfg(test)]
mod tests;
mod times;
mod url;

use std::cmp::Ordering;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::TryStreamExt;
use futures_util::future::BoxFuture;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Either, Executor, Sqlite};

use self::cells::SqliteCells;
use self::errors::from_sqlx;
use self::memory::TemporaryDatabase;
use super::{Driver, DriverConnection, Options, RowSink};
use crate::error::{Error, Result};
use crate::sql::Statement;
use crate::sql::dialect::sqlite::DECIMAL_COLLATION;

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

/// A pool of connections to one SQLite database.
pub(super) struct SqliteDriver {
    pool: SqlitePool,
    shared: Arc<Shared>,
}

/// What the driver and its connections share.
struct Shared {
    parking: Mutex<Parking>,
    /// The files behind `sqlite::memory:`, kept until the last connection is gone.
    _files: Option<TemporaryDatabase>,
}

/// Connections that wait for their next use.
///
/// sqlx's pool takes a connection back in a task, after a ping, so that code which releases and
/// acquires in turn walks through all connections and their cold caches. Parked ones are still
/// lent out as the pool sees it, so that its limit holds; they are used last in, first out.
#[derive(Default)]
struct Parking {
    connections: Vec<PoolConnection<Sqlite>>,
    /// How many callers are waiting for the pool; while any is, connections go back to it.
    waiting: usize,
    closed: bool,
}

impl Shared {
    fn parking(&self) -> MutexGuard<'_, Parking> {
        self.parking.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let connections = std::mem::take(&mut self.parking().connections);
        connections.into_iter().for_each(close);
    }
}

/// Closes a connection. Outside a runtime, where the pool can't spawn a task for that, the
/// connection is taken out of the pool first.
fn close(mut connection: PoolConnection<Sqlite>) {
    if tokio::runtime::Handle::try_current().is_ok() {
        connection.close_on_drop();
    } else {
        drop(connection.detach());
    }
}

impl SqliteDriver {
    /// Opens the database and one connection to it, so that a wrong URL is an error here.
    pub(super) async fn open(url: &str, options: Options) -> Result<Self> {
        let target = url::parse(url)?;
        let mut connect = target
            .options
            .foreign_keys(true)
            .busy_timeout(options.busy_timeout)
            .statement_cache_capacity(STATEMENT_CACHE)
            .row_buffer_size(ROW_BUFFER)
            // LIKE goes by case, as on the other databases.
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
        let pool = SqlitePoolOptions::new()
            .max_connections(options.max_connections)
            .min_connections(0)
            .acquire_timeout(options.acquire_timeout)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_lazy_with(connect);
        let driver =
            Self { pool, shared: Arc::new(Shared { parking: Mutex::default(), _files: files }) };
        driver.acquire().await?.release();
        Ok(driver)
    }

    /// A parked connection, or else a place among those who wait for the pool.
    fn parked(&self) -> std::result::Result<PoolConnection<Sqlite>, Waiting<'_>> {
        let mut parking = self.shared.parking();
        parking.connections.pop().ok_or_else(|| {
            parking.waiting += 1;
            Waiting(&self.shared)
        })
    }
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

/// Counts a caller that waits for the pool, also if it gives up.
struct Waiting<'a>(&'a Shared);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.parking().waiting -= 1;
    }
}

impl Driver for SqliteDriver {
    fn acquire(&self) -> BoxFuture<'_, Result<Box<dyn DriverConnection>>> {
        Box::pin(async move {
            let connection = match self.parked() {
                Ok(parked) => parked,
                Err(waiting) => {
                    let acquired = self.pool.acquire().await;
                    drop(waiting);
                    acquired.map_err(from_sqlx)?
                }
            };
            let shared = Arc::clone(&self.shared);
            let connection: Box<dyn DriverConnection> =
                Box::new(SqliteConnection { connection: Some(connection), shared });
            Ok(connection)
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let parked = {
                let mut parking = self.shared.parking();
                parking.closed = true;
                std::mem::take(&mut parking.connections)
            };
            for connection in parked {
                // A connection that can't be closed in order is gone all the same.
                let _ = connection.close().await;
            }
            self.pool.close().await;
        })
    }
}

impl fmt::Debug for SqliteDriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteDriver").field("pool", &self.pool).finish_non_exhaustive()
    }
}

/// One connection, taken from the pool.
struct SqliteConnection {
    /// Always there, but while it is being dropped.
    connection: Option<PoolConnection<Sqlite>>,
    shared: Arc<Shared>,
}

impl DriverConnection for SqliteConnection {
    fn run<'a>(
        &'a mut self,
        statement: Statement,
        rows: &'a mut dyn RowSink,
    ) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async move {
            let Some(connection) = &mut self.connection else {
                return Err(Error::Connection("the connection is closed".to_owned()));
            };
            let Statement { text, binds, persistent, single_row } = statement;
            let writes = is_write(&text);
            let arguments = arguments::encode(binds)?;
            // The one place where runtime SQL reaches sqlx. Its text comes from `crate::sql`,
            // where identifiers are quoted and values are binds, or from a user's raw query.
            let query = sqlx::query_with(AssertSqlSafe(text), arguments).persistent(persistent);
            if single_row {
                // Not awaiting the end saves a change of threads.
                let row = Executor::fetch_optional(&mut **connection, query).await;
                return match row.map_err(from_sqlx)? {
                    Some(row) => read(&row, rows).map(|()| 1),
                    None => Ok(0),
                };
            }
            let mut steps = Executor::fetch_many(&mut **connection, query);
            let (mut returned, mut affected) = (0, 0);
            while let Some(step) = steps.try_next().await.map_err(from_sqlx)? {
                match step {
                    Either::Left(done) => {
                        // A text is one statement: its end needn't be awaited once more.
                        affected = done.rows_affected();
                        break;
                    }
                    Either::Right(row) => {
                        returned += 1;
                        read(&row, rows)?;
                    }
                }
            }
            // After anything but a write, SQLite repeats the count of the write before.
            Ok(if writes { affected } else { returned })
        })
    }

    fn release(mut self: Box<Self>) {
        let Some(connection) = self.connection.take() else { return };
        let mut parking = self.shared.parking();
        let in_runtime = tokio::runtime::Handle::try_current().is_ok();
        if parking.closed && !in_runtime {
            drop(parking);
            close(connection);
        } else if parking.closed || (parking.waiting > 0 && in_runtime) {
            drop(parking);
            drop(connection);
        } else if parking.waiting > 0 {
            // Only a task could hand it over: closing it lets the waiting one open another.
            drop(parking);
            close(connection);
        } else {
            parking.connections.push(connection);
        }
    }

    fn discard(mut self: Box<Self>) {
        self.connection.take().into_iter().for_each(close);
    }
}

impl Drop for SqliteConnection {
    fn drop(&mut self) {
        self.connection.take().into_iter().for_each(close);
    }
}

fn read(row: &SqliteRow, rows: &mut dyn RowSink) -> Result<()> {
    rows.row(&SqliteCells(row))
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
