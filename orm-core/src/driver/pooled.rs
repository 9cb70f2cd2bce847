//! The one driver over sqlx's pools: how connections wait, are tested, are lent and run
//! statements. What differs between databases is a [`Backend`].

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use sqlx::database::HasStatementCache;
use sqlx::pool::{PoolConnection, PoolOptions};
use sqlx::{AssertSqlSafe, Connection, Database, Executor, IntoArguments, Pool};

use super::joined::HandedIn;
use super::statements::Statements;
use super::{Done, Driver, DriverConnection, Job, Options, RowSink, handed_in};
use crate::error::{Error, Result};
use crate::sql::{Bind, Statement};

/// How long a connection may have waited and still be taken for alive.
const FRESH: Duration = Duration::from_secs(1);

/// How long a waiting connection has to answer before it is taken for dead.
const PING_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a connection to a server may wait for its next use before it is closed.
const IDLE_TIMEOUT: Duration = Duration::from_mins(10);

/// What a database's values, rows and errors look like to sqlx.
pub(super) trait Backend: Database + HasStatementCache {
    /// Whether there is a server, whose connections may die while they wait.
    const HAS_SERVER: bool;
    /// Whether leaving a result behind unread costs nothing, so that a statement ends with its
    /// first answer.
    const ENDS_EARLY: bool;
    /// How many binds, in all, the statements have that a connection may keep prepared although
    /// they won't come again. None where closing such a statement at once costs nothing.
    const KEPT_BINDS: usize = 0;
    /// Settings that come first, but not inside of a transaction.
    const BEFORE_SETTINGS: &str = "";

    /// The binds of a statement.
    fn encode(binds: Vec<Bind>) -> Result<Self::Arguments>;
    /// Feeds one row to the sink.
    fn read(row: &Self::Row, rows: &mut dyn RowSink) -> Result<()>;
    /// What a statement did, given how many rows it returned.
    fn done(text: &str, returned: u64, result: &Self::QueryResult) -> Done;
    /// Translates an error.
    fn error(error: sqlx::Error) -> Error;
    /// Whether the error says that the statement was prepared for a schema that has changed since.
    fn is_outdated(_error: &sqlx::Error) -> bool {
        false
    }
    /// Makes a connection that others may have used fit for this library.
    fn set_up<'c>(
        connection: &'c mut Self::Connection,
        settings: &'c str,
    ) -> BoxFuture<'c, Result<()>>;
}

/// Runs the settings of a connection.
pub(super) async fn run_settings<C>(connection: &mut C, settings: &str) -> Result<()>
where
    C: Connection,
    C::Database: Backend,
    for<'c> &'c mut C: Executor<'c, Database = C::Database>,
{
    let settings = sqlx::raw_sql(AssertSqlSafe(settings));
    Executor::execute(connection, settings).await.map(drop).map_err(C::Database::error)
}

/// A pool of connections to one database.
pub(super) struct Pooled<B: Backend> {
    pool: Pool<B>,
    shared: Arc<Shared<B>>,
}

/// What the driver and its connections share.
struct Shared<B: Backend> {
    parking: Mutex<Parking<B>>,
    /// Whether connections may wait outside of the pool: not outside of one that is used by
    /// others too.
    parks: bool,
    /// The settings of each connection that is taken, where others use the pool too.
    set_up: Option<Arc<str>>,
    /// The settings of a connection inside a transaction of somebody else's.
    settings: Arc<str>,
    /// Whether texts are prepared once and kept.
    keeps_statements: bool,
    /// Something to keep until the last connection is gone.
    _guard: Option<Box<dyn Any + Send + Sync>>,
}

/// Connections that wait for their next use.
///
/// sqlx's pool takes a connection back in a task, after a ping, so that code which releases and
/// acquires in turn walks through all connections and their cold caches. Parked ones are still
/// lent out as the pool sees it, so that its limit holds; they are used last in, first out.
struct Parking<B: Backend> {
    connections: Vec<Parked<B>>,
    /// How many callers are waiting for the pool; while any is, connections go back to it.
    waiting: usize,
    /// When a connection was last found to be lost. What took it may have taken those that were
    /// waiting then.
    lost: Option<Instant>,
    closed: bool,
}

/// A connection that waits for its next use.
struct Parked<B: Backend> {
    connection: PoolConnection<B>,
    since: Instant,
    statements: Statements,
}

impl<B: Backend> Shared<B> {
    fn parking(&self) -> MutexGuard<'_, Parking<B>> {
        self.parking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes out the connections that have waited for longer than that.
    fn idle_for(&self, longest: Duration) -> Vec<PoolConnection<B>> {
        let mut parking = self.parking();
        // The longest waiting ones are first.
        let idle = parking.connections.iter().take_while(|parked| parked.since.elapsed() > longest);
        let idle = idle.count();
        parking.connections.drain(..idle).map(|parked| parked.connection).collect()
    }
}

impl<B: Backend> Drop for Shared<B> {
    fn drop(&mut self) {
        let connections = std::mem::take(&mut self.parking().connections);
        connections.into_iter().for_each(|parked| close(parked.connection));
    }
}

/// Closes a connection. Outside a runtime, where the pool can't spawn a task for that, the
/// connection is taken out of the pool first.
pub(super) fn close<B: Backend>(mut connection: PoolConnection<B>) {
    if tokio::runtime::Handle::try_current().is_ok() {
        connection.close_on_drop();
    } else {
        drop(connection.detach());
    }
}

/// The options of a pool of ours; connections are opened as they are needed.
#[cfg_attr(
    not(any(feature = "postgres", feature = "mysql")),
    expect(dead_code, reason = "SQLite has sqlx's pools only as they are given")
)]
pub(super) fn pool_options<B: Backend>(options: &Options) -> PoolOptions<B> {
    let pool = PoolOptions::new()
        .max_connections(options.max_connections)
        .min_connections(0)
        .acquire_timeout(options.acquire_timeout)
        .test_before_acquire(false);
    if !B::HAS_SERVER {
        return pool.idle_timeout(None).max_lifetime(None);
    }
    // sqlx pings what comes back without a time limit: a peer that is gone without a word would
    // keep its place in the pool for ever.
    pool.idle_timeout(IDLE_TIMEOUT)
        .after_release(|connection, _| Box::pin(async { Ok(is_alive(connection).await) }))
        .before_acquire(|connection, waited| {
            Box::pin(async move { Ok(waited.idle_for < FRESH || is_alive(connection).await) })
        })
}

/// Whether a connection answers.
async fn is_alive(connection: &mut impl Connection) -> bool {
    matches!(tokio::time::timeout(PING_TIMEOUT, connection.ping()).await, Ok(Ok(())))
}

impl<B: Backend> Pooled<B>
where
    for<'c> &'c mut B::Connection: Executor<'c, Database = B>,
    B::Arguments: IntoArguments<B> + Clone,
{
    /// A driver over a pool of ours, once a connection has been opened, so that a wrong URL is an
    /// error here. Its connections are set up as they are opened; the settings are for others that
    /// are handed in. The guard is kept until the last connection is gone.
    #[cfg_attr(
        not(any(feature = "postgres", feature = "mysql")),
        expect(dead_code, reason = "SQLite has sqlx's pools only as they are given")
    )]
    pub(super) async fn open(
        pool: Pool<B>,
        options: &Options,
        settings: &str,
        guard: Option<Box<dyn Any + Send + Sync>>,
    ) -> Result<Self> {
        Self::new(pool, options, true, settings, guard).await
    }

    /// A driver over a pool that others use too: its connections go back at once, and are set up
    /// each time.
    pub(super) async fn adopt(pool: Pool<B>, options: &Options, settings: &str) -> Result<Self> {
        Self::new(pool, options, false, settings, None).await
    }

    async fn new(
        pool: Pool<B>,
        options: &Options,
        parks: bool,
        settings: &str,
        guard: Option<Box<dyn Any + Send + Sync>>,
    ) -> Result<Self> {
        let parking = Parking { connections: Vec::new(), waiting: 0, lost: None, closed: false };
        let shared = Arc::new(Shared {
            parking: Mutex::new(parking),
            parks,
            set_up: (!parks).then(|| format!("{}{settings}", B::BEFORE_SETTINGS).into()),
            settings: settings.into(),
            keeps_statements: !options.transaction_pooling,
            _guard: guard,
        });
        let driver = Self { pool, shared };
        driver.acquire().await?.release();
        if B::HAS_SERVER && parks {
            driver.close_idle();
        }
        Ok(driver)
    }

    /// Closes parked connections that nobody has needed for long, as the pool does with its own.
    fn close_idle(&self) {
        let shared = Arc::downgrade(&self.shared);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(IDLE_TIMEOUT / 10).await;
                let Some(shared) = shared.upgrade() else { return };
                shared.idle_for(IDLE_TIMEOUT).into_iter().for_each(close);
            }
        });
    }

    /// A parked connection and whether it may be taken for alive, or else a place among those who
    /// wait for the pool.
    fn parked(&self) -> std::result::Result<(Parked<B>, bool), Waiting<'_, B>> {
        let mut parking = self.shared.parking();
        let Some(parked) = parking.connections.pop() else {
            parking.waiting += 1;
            return Err(Waiting(&self.shared));
        };
        let since = parked.since;
        let is_fresh = since.elapsed() < FRESH && parking.lost.is_none_or(|lost| since > lost);
        Ok((parked, is_fresh))
    }

    /// A new connection, most likely. It is opened to the end even if this future is dropped, and
    /// waits for the next use then: a connection takes longer to open than some callers have, and
    /// opening would begin anew for each of them.
    async fn open_one(&self) -> std::result::Result<PoolConnection<B>, sqlx::Error> {
        let pool = self.pool.clone();
        let shared = Arc::clone(&self.shared);
        let mut opening = Job::new(move |stop| async move {
            let connection = pool.acquire().await?;
            if stop.is_set() {
                let statements = Statements::new(shared.keeps_statements);
                let connection = Some(connection);
                Box::new(PooledConnection { connection, shared, statements }).release();
                return Err(sqlx::Error::PoolTimedOut);
            }
            Ok(connection)
        });
        opening.finish().await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }

    async fn take(&self) -> Result<PooledConnection<B>> {
        loop {
            let (parked, is_fresh) = match self.parked() {
                Ok(parked) => parked,
                Err(waiting) => {
                    let acquired = if self.pool.size() < self.pool.options().get_max_connections() {
                        self.open_one().await
                    } else {
                        self.pool.acquire().await
                    };
                    drop(waiting);
                    let connection = acquired.map_err(B::error)?;
                    let statements = Statements::new(self.shared.keeps_statements);
                    (Parked { connection, since: Instant::now(), statements }, true)
                }
            };
            // From here on a dropped future closes it.
            let shared = Arc::clone(&self.shared);
            let Parked { connection, since, statements } = parked;
            let connection = Some(connection);
            let mut connection = PooledConnection { connection, shared, statements };
            if B::HAS_SERVER && !is_fresh {
                let alive = match &mut connection.connection {
                    Some(live) => is_alive(&mut **live).await,
                    None => false,
                };
                if !alive {
                    // Those that have waited for longer are hardly better, and to ask a silent
                    // one takes its time.
                    self.shared.idle_for(since.elapsed()).into_iter().for_each(close);
                    continue;
                }
            }
            return Ok(connection);
        }
    }
}

/// Counts a caller that waits for the pool, also if it gives up.
struct Waiting<'a, B: Backend>(&'a Shared<B>);

impl<B: Backend> Drop for Waiting<'_, B> {
    fn drop(&mut self) {
        self.0.parking().waiting -= 1;
    }
}

impl<B: Backend> Driver for Pooled<B>
where
    for<'c> &'c mut B::Connection: Executor<'c, Database = B>,
    B::Arguments: IntoArguments<B> + Clone,
{
    fn acquire(&self) -> BoxFuture<'_, Result<Box<dyn DriverConnection>>> {
        Box::pin(async move {
            let mut connection = self.take().await?;
            if let (Some(settings), Some(live)) = (&self.shared.set_up, &mut connection.connection)
            {
                B::set_up(live, settings).await?;
            }
            let connection: Box<dyn DriverConnection> = Box::new(connection);
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
            for parked in parked {
                // A connection that can't be closed in order is gone all the same.
                let _ = parked.connection.close().await;
            }
            if self.shared.parks {
                self.pool.close().await;
            }
        })
    }

    fn join(&self, connection: HandedIn) -> BoxFuture<'_, Result<Box<dyn DriverConnection>>> {
        Box::pin(async move {
            let statements = Statements::new(self.shared.keeps_statements);
            let connection = handed_in::join::<B>(connection, statements, &self.shared.settings);
            connection.await
        })
    }
}

impl<B: Backend> fmt::Debug for Pooled<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pooled").field("pool", &self.pool).finish_non_exhaustive()
    }
}

/// One connection, taken from the pool.
struct PooledConnection<B: Backend> {
    /// Always there, but while it is being dropped.
    connection: Option<PoolConnection<B>>,
    shared: Arc<Shared<B>>,
    statements: Statements,
}

impl<B: Backend> DriverConnection for PooledConnection<B>
where
    for<'c> &'c mut B::Connection: Executor<'c, Database = B>,
    B::Arguments: IntoArguments<B> + Clone,
{
    fn run<'a>(
        &'a mut self,
        statement: Statement,
        may_repeat: bool,
        rows: &'a mut dyn RowSink,
    ) -> BoxFuture<'a, Result<Done>> {
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            let Some(connection) = &mut self.connection else {
                return Err(Error::Connection("the connection is closed".to_owned()));
            };
            let outcome = self.statements.run::<B>(connection, statement, may_repeat, rows).await;
            if matches!(outcome, Err(Error::Connection(_))) {
                shared.parking().lost = Some(Instant::now());
            }
            outcome
        })
    }

    fn live(&mut self) -> Option<&mut dyn Any> {
        self.connection.as_mut().map(|connection| &mut **connection as &mut dyn Any)
    }

    fn release(mut self: Box<Self>) {
        let Some(connection) = self.connection.take() else { return };
        let mut parking = self.shared.parking();
        let in_runtime = tokio::runtime::Handle::try_current().is_ok();
        let goes_back = parking.closed || !self.shared.parks || parking.waiting > 0;
        if !goes_back {
            let statements = std::mem::replace(&mut self.statements, Statements::new(false));
            parking.connections.push(Parked { connection, since: Instant::now(), statements });
            return;
        }
        drop(parking);
        if in_runtime {
            drop(connection);
        } else {
            // Only a task could hand it over: closing it lets the waiting one open another.
            close(connection);
        }
    }

    fn discard(mut self: Box<Self>) {
        self.connection.take().into_iter().for_each(close);
    }
}

impl<B: Backend> Drop for PooledConnection<B> {
    fn drop(&mut self) {
        self.connection.take().into_iter().for_each(close);
    }
}
