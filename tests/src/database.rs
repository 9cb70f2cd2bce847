//! A test's own database, and running a test in it.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use orm_core::engine::Engine;
use orm_core::{Result, Schema, Session, SessionFactory};
use sqlx::sqlite::{SqliteJournalMode, SqlitePool, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Connection, Executor, MySqlConnection, PgConnection};
use tempfile::TempDir;

use crate::backend::{Backend, Capabilities};
use crate::log::Log;
use crate::options::EngineOptions;
use crate::server::{Kind, Server};

/// How long what a test has spawned may take to end behind it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where the databases of one test are.
#[derive(Clone)]
enum Place {
    /// Each engine has a database in memory.
    Memory,
    /// Each engine has a pool of sqlx's, to a file in this folder.
    Folder(Arc<TempDir>),
    /// On a server, under these names.
    Server(&'static Server, Arc<Mutex<Vec<String>>>),
}

impl Place {
    /// None if there is no such server here.
    fn of(backend: Backend) -> Option<Self> {
        let kind = match backend {
            Backend::Sqlite => return Some(Self::Memory),
            Backend::SqlxSqlite => {
                let folder = tempfile::tempdir().expect("a folder can be made");
                return Some(Self::Folder(Arc::new(folder)));
            }
            Backend::Postgres => Kind::Postgres,
            Backend::MariaDb | Backend::MariaDbWithoutReturning => Kind::MySql,
        };
        Some(Self::Server(kind.server()?, Arc::default()))
    }

    /// The URL of an empty database.
    async fn new_database(&self) -> String {
        match self {
            Self::Memory => "sqlite::memory:".to_owned(),
            Self::Folder(folder) => {
                static COUNT: AtomicUsize = AtomicUsize::new(0);
                let count = COUNT.fetch_add(1, Ordering::Relaxed);
                format!("sqlite://{}/{count}.db", folder.path().display())
            }
            Self::Server(server, names) => {
                let name = server.create().await;
                let url = server.url_of(&name);
                names.lock().unwrap_or_else(PoisonError::into_inner).push(name);
                url
            }
        }
    }

    /// Drops all databases. The test is over.
    fn clean_up(self) -> std::result::Result<(), sqlx::Error> {
        let Self::Server(server, names) = self else { return Ok(()) };
        let names = std::mem::take(&mut *names.lock().unwrap_or_else(PoisonError::into_inner));
        names.iter().try_for_each(|name| server.drop_blocking(name))
    }
}

/// A test's own database.
pub struct Database {
    place: Place,
    pub(crate) backend: Backend,
    url: String,
    /// The pool that its engine was given.
    pool: Option<SqlitePool>,
    /// Its engine.
    pub engine: Engine,
    /// Sessions on it.
    pub sessions: SessionFactory,
    /// What it can do.
    pub capabilities: Capabilities,
}

impl Database {
    async fn open(
        place: Place,
        backend: Backend,
        options: impl FnOnce(EngineOptions) -> EngineOptions,
    ) -> Result<Self> {
        let url = place.new_database().await;
        Self::open_at(url, place, backend, options).await
    }

    async fn open_at(
        url: String,
        place: Place,
        backend: Backend,
        options: impl FnOnce(EngineOptions) -> EngineOptions,
    ) -> Result<Self> {
        let returning = backend != Backend::MariaDbWithoutReturning;
        let options = options(EngineOptions::default().returning(returning));
        let (engine, pool) = match backend {
            Backend::SqlxSqlite => {
                let path = url.trim_start_matches("sqlite://").split('?').next().unwrap_or("");
                let connections = options
                    .connections()
                    .filename(path)
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Off);
                let pool = options.pool().connect_lazy_with(connections);
                (options.apply(Engine::with_pool(pool.clone())), Some(pool))
            }
            _ => (options.apply(Engine::builder(&url)), None),
        };
        let engine = engine.connect().await?;
        let sessions = SessionFactory::new(engine.clone());
        let capabilities = backend.capabilities();
        Ok(Self { place, backend, url, pool, engine, sessions, capabilities })
    }

    /// A new session.
    pub fn session(&self) -> Session {
        self.sessions.session()
    }

    /// Another database of the test's own, empty, by an engine with these options.
    ///
    /// # Errors
    /// The database's.
    pub async fn with_engine(
        &self,
        options: impl FnOnce(EngineOptions) -> EngineOptions,
    ) -> Result<Self> {
        Self::open(self.place.clone(), self.backend, options).await
    }

    /// The same database, at a URL that leads to it by another way, by an engine with these
    /// options.
    ///
    /// # Errors
    /// The database's.
    pub async fn by_way_of(
        &self,
        url: &str,
        options: impl FnOnce(EngineOptions) -> EngineOptions,
    ) -> Result<Self> {
        Self::open_at(url.to_owned(), self.place.clone(), self.backend, options).await
    }

    /// Where it is. On a server, an engine on this URL uses the same database; `sqlite::memory:`
    /// is another one for each engine.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Creates the tables of a schema.
    ///
    /// # Errors
    /// The database's.
    pub async fn create(&self, schema: &Schema) -> Result<()> {
        self.engine.create_all(schema).await
    }

    /// Creates the tables of a schema by SQL that is edited first, for what a model can't say in
    /// the same words on every database.
    ///
    /// # Errors
    /// The database's.
    pub async fn create_edited(
        &self,
        schema: &Schema,
        edit: impl Fn(&str) -> String,
    ) -> Result<()> {
        let log = self.log();
        self.create(schema).await?;
        let created: String = log.texts().iter().map(|sql| edit(sql) + ";\n").collect();
        self.engine.drop_all(schema).await?;
        self.run(&created).await.unwrap_or_else(|error| panic!("{error} in {created}"));
        Ok(())
    }

    /// Runs hand-written SQL, several statements if need be.
    ///
    /// # Errors
    /// The database's, as those of sqlx.
    pub async fn run(&self, sql: &str) -> Result<(), sqlx::Error> {
        let statements = sqlx::raw_sql(AssertSqlSafe(sql));
        match self.backend {
            Backend::Sqlite | Backend::SqlxSqlite => {
                let mut session = self.session();
                self.run_in(&mut session, sql).await.map_err(sqlx::Error::config)?;
                session.commit().await.map_err(sqlx::Error::config)
            }
            Backend::Postgres => {
                let mut connection = PgConnection::connect(&self.url).await?;
                connection.execute(statements).await?;
                connection.close().await
            }
            Backend::MariaDb | Backend::MariaDbWithoutReturning => {
                let mut connection = MySqlConnection::connect(&self.url).await?;
                connection.execute(statements).await?;
                connection.close().await
            }
        }
    }

    /// Closes the engine, and the pool that it was given.
    pub async fn close(&self) {
        self.engine.close().await;
        if let Some(pool) = &self.pool {
            pool.close().await;
        }
    }

    /// A statement as often as a flush needs it for so many rows of one shape.
    pub fn per_statement(&self, statement: &'static str, rows: usize) -> Vec<&'static str> {
        vec![statement; rows.div_ceil(self.capabilities.rows_per_statement)]
    }

    /// Records statements from now on.
    pub fn log(&self) -> Log {
        let has_read_backs =
            !self.capabilities.returning_on_insert || !self.capabilities.returning_on_update;
        Log::new(self.engine.log(), has_read_backs)
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Runs a test on a backend, in a database of its own, which is dropped however the test ends.
/// Where there is no server for it, does nothing.
///
/// # Panics
/// If the database can't be had, or the test fails.
pub fn run<F: Future<Output = Result<()>>>(backend: Backend, test: impl FnOnce(Database) -> F) {
    let Some(place) = Place::of(backend) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime can be built");
    let body = async { test(Database::open(place.clone(), backend, |engine| engine).await?).await };
    let outcome = catch_unwind(AssertUnwindSafe(|| runtime.block_on(body)));
    // With it go all connections of the test.
    runtime.shutdown_timeout(PATIENCE);
    let cleaned_up = place.clean_up();
    match outcome {
        Ok(Ok(())) => cleaned_up.expect("the test leaves nothing behind that is in use"),
        Ok(Err(error)) => panic!("{error}"),
        Err(panic) => resume_unwind(panic),
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Mutex;

    use orm_core::{Error, Model, Result, schema};

    use super::{Database, run};
    use crate::backend::Backend;
    use crate::server::Kind;

    #[derive(Model)]
    struct Thing {
        name: String,
    }

    /// Runs a test that fails, with a transaction open that nobody ends; gives the name of its
    /// database, if there is a server.
    fn fail(backend: Backend, fail: impl Fn() -> Result<()>) -> Option<String> {
        let url = Mutex::new(None);
        let test = async |db: Database| {
            *url.lock().unwrap() = Some(db.url().to_owned());
            db.create(&schema![Thing]).await?;
            let mut session = db.session();
            session.add(Thing::draft().name("a"));
            session.flush().await?;
            std::mem::forget(session);
            fail()
        };
        let outcome = catch_unwind(AssertUnwindSafe(|| run(backend, test)));
        let url = url.into_inner().unwrap()?;
        assert!(outcome.is_err(), "its failure is the test's");
        let name = url.split(['/', '=', '&', '?']).find(|part| part.starts_with("orm_t_"));
        Some(name.expect("a name").to_owned())
    }

    fn leaves_nothing(backend: Backend, kind: Kind) {
        for failure in [(|| panic!("as it should")) as fn() -> Result<()>, || {
            Err(Error::Misuse("as it should".to_owned()))
        }] {
            let Some(name) = fail(backend, failure) else { return };
            assert!(!kind.server().expect("it was there").has(&name));
        }
    }

    #[test]
    fn a_test_that_fails_leaves_nothing_on_postgres() {
        leaves_nothing(Backend::Postgres, Kind::Postgres);
    }

    #[test]
    fn a_test_that_fails_leaves_nothing_on_mariadb() {
        leaves_nothing(Backend::MariaDb, Kind::MySql);
    }
}
