//! The engine: a pool of connections to one database, and what belongs to it.

use std::sync::Arc;
use std::time::Duration;

use super::log::{LogHub, StatementLog};
use super::{Connection, Driver, Options, Schema};
use crate::error::{Error, Result};
use crate::sql::{Dialect, Statement, ddl};

/// A database: a pool of connections, its dialect and its statement log. Cheap to clone; clones
/// share the pool. What `Engine` is in SQLAlchemy.
#[derive(Clone, Debug)]
pub struct Engine(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    driver: Box<dyn Driver>,
    dialect: &'static dyn Dialect,
    log: Arc<LogHub>,
}

impl Engine {
    /// Connects to the database that the URL names, with the defaults of [`EngineBuilder`].
    ///
    /// `sqlite::memory:` is a database of this engine's own, shared by all its sessions and gone
    /// with it; `sqlite://path/to/file.db` is a file, made if it is missing.
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
        EngineBuilder { url: url.as_ref().to_owned(), echo: false, options: Options::default() }
    }

    /// Records the statements that this engine runs from now on, until the log is dropped.
    pub fn log(&self) -> StatementLog {
        self.0.log.open()
    }

    /// Creates the tables that don't exist, with their indexes, in one transaction where the
    /// database allows that. Existing tables stay as they are.
    ///
    /// # Errors
    /// The database's.
    pub async fn create_all(&self, schema: &Schema) -> Result<()> {
        let tables = ddl::dependency_order(&schema.tables()?);
        let mut connection = self.connection().await?;
        connection.begin().await?;
        for table in tables {
            for statement in ddl::create_table(self.dialect(), table, true) {
                connection.run_on(table, statement, &mut ()).await?;
            }
        }
        connection.commit().await
    }

    /// Drops the tables that exist, rows and all. Rows of tables that are not in the schema stay
    /// as they are, even where they point to dropped ones.
    ///
    /// # Errors
    /// The database's.
    pub async fn drop_all(&self, schema: &Schema) -> Result<()> {
        let tables = ddl::dependency_order(&schema.tables()?);
        let mut connection = self.connection().await?;
        if let Some(preparation) = self.dialect().before_drop() {
            // The connection is another one from here on: it is closed afterwards.
            connection.spoil();
            connection.run(Statement::plain(preparation), &mut ()).await?;
        }
        connection.begin().await?;
        for table in tables.into_iter().rev() {
            connection.run_on(table, ddl::drop_table(self.dialect(), table), &mut ()).await?;
        }
        connection.commit().await
    }

    /// Closes every connection; those that sessions hold close as they come back. From then on
    /// the engine refuses to connect.
    pub async fn close(&self) {
        self.0.driver.close().await;
    }

    /// A connection, to be given back by dropping it.
    pub(crate) async fn connection(&self) -> Result<Connection> {
        let inner = self.0.driver.acquire().await?;
        Ok(Connection::new(inner, self.0.dialect, Arc::clone(&self.0.log)))
    }

    /// The database's dialect.
    pub(crate) fn dialect(&self) -> &'static dyn Dialect {
        self.0.dialect
    }
}

/// Longer waits are cut to this, for ever in practice: drivers count milliseconds in 32 bits.
const LONGEST_WAIT: Duration = Duration::from_hours(24);

/// The options of an [`Engine`], made by [`Engine::builder`].
#[derive(Clone, Debug)]
#[must_use = "nothing happens until `connect().await`"]
pub struct EngineBuilder {
    url: String,
    echo: bool,
    options: Options,
}

impl EngineBuilder {
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

    /// Connects.
    ///
    /// # Errors
    /// As [`Engine::connect`].
    pub async fn connect(self) -> Result<Engine> {
        let (driver, dialect) = open(&self.url, self.options).await?;
        let log = Arc::new(LogHub::new(self.echo));
        Ok(Engine(Arc::new(Inner { driver, dialect, log })))
    }
}

/// Picks the driver by the URL's scheme.
#[cfg_attr(not(feature = "sqlite"), expect(unused_variables, reason = "there is no driver"))]
async fn open(url: &str, options: Options) -> Result<(Box<dyn Driver>, &'static dyn Dialect)> {
    let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
    match scheme {
        #[cfg(feature = "sqlite")]
        "sqlite" => {
            let driver = super::sqlite::SqliteDriver::open(url, options).await?;
            Ok((Box::new(driver), &crate::sql::dialect::sqlite::SQLITE))
        }
        _ => Err(Error::misuse(format!(
            "no driver of this build takes the scheme `{scheme}` of the URL: the schemes are {}",
            SCHEMES.join(", "),
        ))),
    }
}

/// The schemes and the features of `orm-core` that bring their drivers.
const SCHEMES: [&str; 1] = [if cfg!(feature = "sqlite") {
    "`sqlite:`"
} else {
    "`sqlite:` (not in this build: enable the feature `sqlite`)"
}];
