//! The engine: a pool of connections to one database, and what belongs to it.

use std::any::TypeId;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::joined::{HandedIn, Joined, JoinedConnection};
use super::log::{LogHub, StatementLog};
#[cfg(any(feature = "sqlx-sqlite", feature = "postgres", feature = "mysql"))]
use super::target::SqlxPool;
use super::target::{Opened, Target, open};
use super::{Connection, Options, Schema};
use crate::error::{Error, Result};
use crate::model::Table;
use crate::sql::{Dialect, Naming, Renderer, Select, Statement, ddl};

/// A database: a pool of connections, its dialect and its statement log. Cheap to clone; clones
/// share the pool. What `Engine` is in SQLAlchemy.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    database: Opened,
    renderer: Arc<Renderer>,
    transaction_pooling: bool,
    /// How long to wait for a connection.
    acquire_timeout: Duration,
    log: Arc<LogHub>,
    /// The engine whose connection this one has, inside a transaction of somebody else's.
    outer: Option<Engine>,
}

impl Engine {
    /// Connects to the database that the URL names, with the defaults of [`EngineBuilder`].
    ///
    /// `sqlite::memory:` is a database of this engine's own, shared by all its sessions and gone
    /// with it; `sqlite://path/to/file.db` is a file, made if it is missing. The others are
    /// `postgres://user:password@host:port/database` and `mysql://…` (also for MariaDB), with the
    /// features of these names.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let engine = orm_core::Engine::connect("sqlite::memory:").await?;
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`Error::Connection`] if the database can't be reached, [`Error::Misuse`] if the URL
    /// names none that this build supports.
    pub async fn connect(url: impl AsRef<str>) -> Result<Self> {
        Self::builder(url).connect().await
    }

    /// Connects with options.
    pub fn builder(url: impl AsRef<str>) -> EngineBuilder {
        EngineBuilder::new(Target::Url(url.as_ref().to_owned()))
    }

    /// Uses a `PgPool`, a `MySqlPool` or, with the feature `sqlx-sqlite`, an `SqlitePool` that the
    /// application has already, and shares it with the application's own statements.
    ///
    /// Each connection is set up when the engine takes it (on SQLite foreign keys are enforced and
    /// `LIKE` goes by case, on MySQL and MariaDB the session's time zone, collation, isolation and
    /// SQL mode are set) and stays so. The pool's own options hold: how many connections, how long
    /// to wait. Closing the engine leaves the pool open.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # #[cfg(feature = "sqlx-sqlite")] {
    /// use orm_core::{Engine, sqlx};
    ///
    /// let pool = sqlx::SqlitePool::connect_lazy("sqlite::memory:").unwrap();
    /// let engine = Engine::with_pool(pool).connect().await?;
    /// # }
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    #[cfg(any(feature = "sqlx-sqlite", feature = "postgres", feature = "mysql"))]
    pub fn with_pool(pool: impl Into<SqlxPool>) -> EngineBuilder {
        EngineBuilder::new(Target::Pool(pool.into()))
    }

    /// Records the statements that this engine runs from now on, until the log is dropped.
    pub fn log(&self) -> StatementLog {
        self.0.log.open()
    }

    /// Creates the tables that don't exist, with their indexes and types, in one transaction where
    /// the database allows that. Existing tables stay as they are; an enum type of the database
    /// that lacks labels gets them.
    ///
    /// # Errors
    /// The database's.
    pub async fn create_all(&self, schema: &Schema) -> Result<()> {
        self.expect_not_joined()?;
        let tables = ddl::dependency_order(&schema.tables()?);
        if let Some(refusal) =
            tables.iter().find_map(|table| self.dialect().refuse_table(table, &tables))
        {
            return Err(Error::misuse(refusal));
        }
        let mut connection = self.connection().await?;
        prepare(&mut connection, self.dialect().before_create()).await?;
        for statement in self.dialect().create_types(&tables) {
            connection.run(Statement::words(statement), &mut ()).await?;
        }
        begin_locked(&mut connection).await?;
        for (at, table) in tables.iter().enumerate() {
            run_all(
                &mut connection,
                table,
                ddl::create_table(self.dialect(), table, later(&tables, at)),
            )
            .await?;
        }
        for (at, table) in tables.iter().enumerate() {
            let keys = ddl::add_foreign_keys(self.dialect(), table, later(&tables, at));
            run_all(&mut connection, table, keys).await?;
        }
        connection.commit().await
    }

    /// Drops the tables that exist, rows and all, and the types that were created for them. Rows
    /// of tables that are not in the schema stay as they are, even where they point to dropped
    /// ones.
    ///
    /// # Errors
    /// The database's.
    pub async fn drop_all(&self, schema: &Schema) -> Result<()> {
        self.expect_not_joined()?;
        let tables = ddl::dependency_order(&schema.tables()?);
        let mut connection = self.connection().await?;
        prepare(&mut connection, self.dialect().before_drop()).await?;
        begin_locked(&mut connection).await?;
        for table in tables.iter().rev() {
            run_all(&mut connection, table, vec![ddl::drop_table(self.dialect(), table)]).await?;
        }
        for statement in self.dialect().drop_types(&tables) {
            connection.run(Statement::words(statement), &mut ()).await?;
        }
        connection.commit().await
    }

    /// Closes every connection; those that sessions hold close as they come back. From then on
    /// the engine refuses to connect.
    pub async fn close(&self) {
        self.0.database.driver.close().await;
    }

    /// A connection, to be given back by dropping it.
    pub(crate) async fn connection(&self) -> Result<Connection> {
        let Opened { driver, of_transactions, .. } = &self.0.database;
        let inner = driver.acquire().await?;
        let (renderer, log) = (Arc::clone(&self.0.renderer), Arc::clone(&self.0.log));
        let connection = Connection::new(inner, renderer, of_transactions.clone(), log);
        Ok(connection.joined(self.is_joined()))
    }

    /// An engine of the one connection that was handed in, inside the transaction that is open on
    /// it.
    pub(crate) async fn join(&self, connection: HandedIn) -> Result<Self> {
        let connection = self.0.database.driver.join(connection).await?;
        Ok(self.inside(Joined::new(connection, self.0.acquire_timeout)))
    }

    /// An engine of one connection of the pool's, inside a transaction that is rolled back when
    /// nobody uses it any more.
    pub(crate) async fn rolled_back(&self) -> Result<Self> {
        if self.is_joined() {
            return Err(Error::misuse("the engine is inside a transaction itself"));
        }
        let mut connection = self.connection().await?;
        connection.begin().await?;
        Ok(self.inside(Joined::rolled_back(connection, self.0.acquire_timeout)))
    }

    fn inside(&self, driver: Joined) -> Self {
        Self(Arc::new(Inner {
            database: Opened::new(driver, self.dialect()),
            renderer: Arc::clone(&self.0.renderer),
            transaction_pooling: false,
            acquire_timeout: self.0.acquire_timeout,
            log: Arc::clone(&self.0.log),
            outer: Some(self.clone()),
        }))
    }

    /// Gives back the connection that was handed in, which is closed if its type is another.
    pub(crate) async fn give_back<C: JoinedConnection>(&self) -> Result<C> {
        let connection = self.0.database.driver.give_back(TypeId::of::<C>()).await?;
        connection.and_then(|it| it.downcast().ok()).map(|it| *it).ok_or_else(|| {
            Error::misuse(format!(
                "the session's connection was not handed in as a `{}`",
                std::any::type_name::<C>(),
            ))
        })
    }

    /// Whether there is one connection only, inside a transaction of somebody else's: who needs it
    /// no more gives it back at once.
    pub(crate) fn is_joined(&self) -> bool {
        self.0.outer.is_some()
    }

    /// Some databases commit when a table is created.
    fn expect_not_joined(&self) -> Result<()> {
        if self.is_joined() {
            return Err(Error::misuse(
                "tables are not created or dropped inside a transaction of somebody else's: do \
                 that before, on the engine itself",
            ));
        }
        Ok(())
    }

    /// A connection for reads without a session, which end with it.
    pub(crate) async fn reader(&self) -> Result<Connection> {
        let mut connection = self.connection().await?;
        if self.reads_in_transactions() {
            connection.begin().await?;
        }
        Ok(connection)
    }

    /// Whether reads need a transaction too, because a pooler in between may serve each statement
    /// outside of one by another connection.
    pub(crate) fn reads_in_transactions(&self) -> bool {
        self.0.transaction_pooling
    }

    /// The database's dialect.
    pub(crate) fn dialect(&self) -> &'static dyn Dialect {
        self.0.database.dialect
    }

    /// A SELECT in the words of the database.
    ///
    /// # Errors
    /// As [`Renderer::select`].
    pub(crate) fn render(&self, select: &Select) -> Result<Statement> {
        self.0.renderer.select(select)
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Opened { driver, dialect, .. } = &self.0.database;
        f.debug_struct("Engine").field("driver", driver).field("dialect", dialect).finish()
    }
}

/// The tables that come behind the one at this position.
fn later<'t>(tables: &'t [&'static Table], at: usize) -> &'t [&'static Table] {
    &tables[at + 1..]
}

/// Prepares a connection for changes of the schema. It is another one from here on, and closed
/// afterwards.
async fn prepare(connection: &mut Connection, preparation: Option<&'static str>) -> Result<()> {
    let Some(preparation) = preparation else { return Ok(()) };
    connection.spoil();
    connection.run(Statement::words(preparation), &mut ()).await.map(drop)
}

/// Begins a transaction that changes the schema, behind others that do.
async fn begin_locked(connection: &mut Connection) -> Result<()> {
    connection.begin().await?;
    let Some(lock) = connection.dialect().lock_schema() else { return Ok(()) };
    connection.run(Statement::words(lock), &mut ()).await.map(drop)
}

/// Runs statements about a table.
async fn run_all(
    connection: &mut Connection,
    table: &'static Table,
    statements: Vec<Statement>,
) -> Result<()> {
    for statement in statements {
        connection.run_on(table, statement, &mut ()).await?;
    }
    Ok(())
}

/// How many queries' texts are kept unless said otherwise.
const QUERIES_KEPT: usize = 1_000;

/// Longer waits are cut to this, for ever in practice: drivers count milliseconds in 32 bits.
const LONGEST_WAIT: Duration = Duration::from_hours(24);

/// The options of an [`Engine`], made by [`Engine::builder`].
#[derive(Clone, Debug)]
#[must_use = "nothing happens until `connect().await`"]
pub struct EngineBuilder {
    target: Target,
    echo: bool,
    query_cache_size: usize,
    options: Options,
}

impl EngineBuilder {
    fn new(target: Target) -> Self {
        Self { target, echo: false, query_cache_size: QUERIES_KEPT, options: Options::default() }
    }

    /// The most connections at a time, from 1 to 65,535; 10 unless said otherwise.
    pub fn max_connections(mut self, connections: u32) -> Self {
        self.options.max_connections = connections.clamp(1, u16::MAX.into());
        self
    }

    /// Whether statements are printed to standard error as they run, without their values.
    pub fn echo(mut self, echo: bool) -> Self {
        self.echo = echo;
        self
    }

    /// How many queries' SQL is kept, so that one that comes again with other values isn't written
    /// anew; 1,000 unless said otherwise, 0 for none. Those that were used longest ago make room, and
    /// each takes a few KiB at most, usually one. SQLAlchemy's `query_cache_size`.
    pub fn query_cache_size(mut self, queries: usize) -> Self {
        self.query_cache_size = queries;
        self
    }

    /// How long to wait for a free connection; 30 seconds unless said otherwise.
    pub fn acquire_timeout(mut self, timeout: Duration) -> Self {
        self.options.acquire_timeout = timeout.min(LONGEST_WAIT);
        self
    }

    /// How long a statement waits for a lock that another connection holds, where the database
    /// leaves that to the client (SQLite); 5 seconds unless said otherwise.
    pub fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.options.busy_timeout = timeout.min(LONGEST_WAIT);
        self
    }

    /// How long the server lets one statement run before it stops it with
    /// [`Error::Timeout`](crate::Error::Timeout); for ever unless said otherwise. On PostgreSQL
    /// and MariaDB; MySQL stops reads only, SQLite has no server that could.
    pub fn statement_timeout(mut self, timeout: Duration) -> Self {
        self.options.statement_timeout = Some(timeout.min(LONGEST_WAIT));
        self
    }

    /// Whether a pooler such as PgBouncer stands in between and lends server connections out for
    /// one transaction at a time. Reads then run inside transactions too, and no statement is
    /// prepared beyond its use.
    pub fn transaction_pooling(mut self, on: bool) -> Self {
        self.options.transaction_pooling = on;
        self
    }

    /// Whether writes on MariaDB may use RETURNING; they do unless this turns it off. MySQL has
    /// none: with it off, MariaDB is spoken to as MySQL is.
    pub fn returning(mut self, on: bool) -> Self {
        self.options.returning = on;
        self
    }

    /// Whether the keys that MySQL generates for the rows of one INSERT may be counted on from the
    /// first; they are unless this turns it off, where the server guarantees that they follow each
    /// other (`innodb_autoinc_lock_mode` 0 or 1 and `auto_increment_increment` 1, as the engine
    /// finds them when it connects). Otherwise rows that need generated keys go one by one.
    pub fn counted_keys(mut self, on: bool) -> Self {
        self.options.counted_keys = on;
        self
    }

    /// How the names of tables and columns are spelled in the database; as the models declare
    /// them unless said otherwise.
    pub fn naming(mut self, naming: Naming) -> Self {
        self.options.naming = naming;
        self
    }

    /// Connects.
    ///
    /// # Errors
    /// As [`Engine::connect`].
    pub async fn connect(self) -> Result<Engine> {
        let database = open(self.target, &self.options).await?;
        let Options { transaction_pooling, acquire_timeout, .. } = self.options;
        Ok(Engine(Arc::new(Inner {
            renderer: Arc::new(Renderer::new(database.dialect, self.query_cache_size)),
            database,
            transaction_pooling,
            acquire_timeout,
            log: Arc::new(LogHub::new(self.echo)),
            outer: None,
        })))
    }
}
