//! Databases of the tests' own on the servers, made and dropped by connections of the harness.
//!
//! Their names are `orm_t_<process>_<start>_<number>`. The process holds a lock named after the
//! part before the number for as long as it lives: the first test of a later process drops what
//! belongs to a lock that is free, which a killed run has left behind.

use std::fmt;
use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sqlx::{AssertSqlSafe, Connection, Executor, MySqlConnection, PgConnection, Row};
use tokio::runtime::Runtime;
use tokio::sync::Mutex;

/// How long a server may take to answer before it counts as missing.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the names of all databases of the suite begin with.
const PREFIX: &str = "orm_t_";

/// A kind of server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// PostgreSQL, whose "databases" are schemas of one database.
    Postgres,
    /// MySQL or MariaDB.
    MySql,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::MySql => "MariaDB",
        }
    }

    /// The variable that says where the server is.
    fn variable(self) -> &'static str {
        match self {
            Self::Postgres => "ORM_TEST_POSTGRES_URL",
            Self::MySql => "ORM_TEST_MYSQL_URL",
        }
    }

    fn default_url(self) -> &'static str {
        match self {
            Self::Postgres => "postgres://postgres@127.0.0.1:5432/test",
            Self::MySql => "mysql://root@127.0.0.1:3306/test",
        }
    }

    fn url(self) -> String {
        std::env::var(self.variable()).unwrap_or_else(|_| self.default_url().to_owned())
    }

    /// The server, which this process looks for once; none if it isn't there.
    ///
    /// # Panics
    /// If it isn't there and `CI` is set, or if it refuses what the harness does.
    pub(crate) fn server(self) -> Option<&'static Server> {
        static POSTGRES: OnceLock<Option<Server>> = OnceLock::new();
        static MYSQL: OnceLock<Option<Server>> = OnceLock::new();
        let known = match self {
            Self::Postgres => &POSTGRES,
            Self::MySql => &MYSQL,
        };
        let found = known.get_or_init(|| match runtime().block_on(Server::find(self)) {
            Ok(server) => Some(server),
            Err(missing) => {
                let is_ci = std::env::var("CI").is_ok_and(|ci| ci == "true" || ci == "1");
                if !is_ci {
                    // Straight to standard error: libtest captures what `eprintln!` writes.
                    let _ = writeln!(std::io::stderr(), "\n{missing}: its tests are passed over");
                    return None;
                }
                panic!("{missing}");
            }
        });
        found.as_ref()
    }
}

/// Where the harness's own connections live: not in a test's runtime, which ends with the test.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(1).enable_all().build().expect("a runtime can be built")
    })
}

/// No server answers at a URL.
struct Missing {
    kind: Kind,
    reason: sqlx::Error,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, reason } = self;
        write!(
            f,
            "no {} at {} ({reason}); {} says where it is",
            kind.name(),
            without_password(&kind.url()),
            kind.variable(),
        )
    }
}

/// A server, with the connection that makes and drops databases on it.
pub(crate) struct Server {
    kind: Kind,
    url: String,
    /// What the names of this process's databases begin with.
    prefix: String,
    /// How many this process has made.
    count: AtomicU32,
    /// Holds the lock of this process, for ever.
    connection: Mutex<Admin>,
}

impl Server {
    async fn find(kind: Kind) -> Result<Self, Missing> {
        let url = kind.url();
        let mut connection = match tokio::time::timeout(PATIENCE, Admin::connect(kind, &url)).await
        {
            Ok(Ok(connection)) => connection,
            Ok(Err(reason @ sqlx::Error::Io(_))) => return Err(Missing { kind, reason }),
            Ok(Err(error)) => {
                panic!("{} at {}: {error}", kind.name(), without_password(&url));
            }
            Err(_) => {
                let reason = std::io::Error::from(std::io::ErrorKind::TimedOut).into();
                return Err(Missing { kind, reason });
            }
        };
        let started = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_millis());
        let prefix = format!("{PREFIX}{}_{started:x}_", std::process::id());
        assert!(connection.lock(&prefix).await, "the lock of a process is its own");
        connection.sweep(&prefix).await;
        Ok(Self { kind, url, prefix, count: AtomicU32::new(0), connection: Mutex::new(connection) })
    }

    /// Makes an empty database, for the caller to drop.
    pub(crate) async fn create(&'static self) -> String {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}{number}", self.prefix);
        let made = name.clone();
        // The connection belongs to another runtime than the caller.
        let creation = async move { self.connection.lock().await.create(&made).await };
        runtime().spawn(creation).await.expect("it doesn't panic").unwrap_or_else(|error| {
            panic!("{} makes no database of the test's own: {error}", self.kind.name())
        });
        name
    }

    /// Drops a database, with what may still be connected to it. Not to be called in a runtime.
    ///
    /// # Errors
    /// The server's.
    pub(crate) fn drop_blocking(&self, name: &str) -> Result<(), sqlx::Error> {
        runtime().block_on(async { self.connection.lock().await.remove(name).await })
    }

    /// Whether there is a database of this name. Not to be called in a runtime.
    #[cfg(test)]
    pub(crate) fn has(&self, name: &str) -> bool {
        runtime().block_on(async { self.connection.lock().await.has(name).await })
    }

    /// Where an engine finds a database.
    pub(crate) fn url_of(&self, name: &str) -> String {
        match self.kind {
            // The name of the application lets the harness find what is still connected.
            Kind::Postgres => {
                let separator = if self.url.contains('?') { '&' } else { '?' };
                format!(
                    "{}{separator}options[search_path]={name}&application_name={name}",
                    self.url
                )
            }
            Kind::MySql => with_path(&self.url, name),
        }
    }
}

/// A connection of the harness.
enum Admin {
    Postgres(PgConnection),
    MySql(MySqlConnection),
}

impl Admin {
    async fn connect(kind: Kind, url: &str) -> Result<Self, sqlx::Error> {
        let mut admin = match kind {
            Kind::Postgres => Self::Postgres(PgConnection::connect(url).await?),
            Kind::MySql => Self::MySql(MySqlConnection::connect(url).await?),
        };
        // What a test has left locked must not stop all the others.
        let impatience = match kind {
            Kind::Postgres => "SET lock_timeout = '10s'",
            Kind::MySql => "SET lock_wait_timeout = 10",
        };
        admin.run(impatience).await?;
        Ok(admin)
    }

    async fn run(&mut self, sql: &str) -> Result<(), sqlx::Error> {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql));
        match self {
            Self::Postgres(connection) => connection.execute(sql).await.map(drop),
            Self::MySql(connection) => connection.execute(sql).await.map(drop),
        }
    }

    /// The first column of the rows of a query that has one parameter.
    async fn texts(&mut self, sql: &str, parameter: &str) -> Result<Vec<String>, sqlx::Error> {
        let sql = AssertSqlSafe(sql);
        match self {
            Self::Postgres(connection) => {
                let rows = sqlx::query(sql).bind(parameter).fetch_all(connection).await?;
                rows.iter().map(|row| row.try_get(0)).collect()
            }
            Self::MySql(connection) => {
                let rows = sqlx::query(sql).bind(parameter).fetch_all(connection).await?;
                rows.iter().map(|row| row.try_get(0)).collect()
            }
        }
    }

    /// Takes the lock of a process, if it is free; it ends with the connection.
    async fn lock(&mut self, prefix: &str) -> bool {
        let sql = match self {
            Self::Postgres(_) => {
                "SELECT CASE WHEN pg_try_advisory_lock(hashtextextended($1, 0)) THEN 'taken' ELSE '' END"
            }
            Self::MySql(_) => "SELECT CASE WHEN get_lock(?, 0) = 1 THEN 'taken' ELSE '' END",
        };
        self.texts(sql, prefix).await.expect("locks can be asked for") == ["taken"]
    }

    async fn unlock(&mut self, prefix: &str) {
        let sql = match self {
            Self::Postgres(_) => "SELECT pg_advisory_unlock(hashtextextended($1, 0))::text",
            Self::MySql(_) => "SELECT CAST(release_lock(?) AS CHAR)",
        };
        self.texts(sql, prefix).await.expect("a lock can be released");
    }

    /// Drops what belongs to processes that are gone. Others may do the same at the same time.
    async fn sweep(&mut self, own_prefix: &str) {
        let sql = match self {
            Self::Postgres(_) => {
                "SELECT nspname::text FROM pg_namespace WHERE starts_with(nspname, $1)"
            }
            Self::MySql(_) => {
                "SELECT CAST(schema_name AS CHAR) FROM information_schema.schemata \
                 WHERE schema_name LIKE concat(?, '%')"
            }
        };
        let mut names = self.texts(sql, PREFIX).await.expect("names can be asked for");
        names.sort();
        let prefix_of = |name: &str| name.rfind('_').map(|end| name[..=end].to_owned());
        for name in names {
            let Some(prefix) = prefix_of(&name).filter(|prefix| prefix != own_prefix) else {
                continue;
            };
            if self.lock(&prefix).await {
                // Somebody else may have been faster.
                let _ = self.remove(&name).await;
                self.unlock(&prefix).await;
            }
        }
    }

    async fn create(&mut self, name: &str) -> Result<(), sqlx::Error> {
        let sql = match self {
            Self::Postgres(_) => format!("CREATE SCHEMA {name}"),
            Self::MySql(_) => format!("CREATE DATABASE {name}"),
        };
        self.run(&sql).await
    }

    async fn remove(&mut self, name: &str) -> Result<(), sqlx::Error> {
        self.disconnect(name).await?;
        match self {
            Self::Postgres(_) => self.run(&format!("DROP SCHEMA IF EXISTS {name} CASCADE")).await,
            Self::MySql(_) => self.run(&format!("DROP DATABASE IF EXISTS {name}")).await,
        }
    }

    #[cfg(test)]
    async fn has(&mut self, name: &str) -> bool {
        let sql = match self {
            Self::Postgres(_) => "SELECT nspname::text FROM pg_namespace WHERE nspname = $1",
            Self::MySql(_) => {
                "SELECT CAST(schema_name AS CHAR) FROM information_schema.schemata \
                 WHERE schema_name = ?"
            }
        };
        !self.texts(sql, name).await.expect("an answer").is_empty()
    }

    /// Ends the connections that are still open to a database: those of a test that failed.
    async fn disconnect(&mut self, name: &str) -> Result<(), sqlx::Error> {
        match self {
            Self::Postgres(_) => {
                let sql = "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity \
                           WHERE application_name = $1";
                self.texts(sql, name).await.map(drop)
            }
            Self::MySql(_) => {
                let sql =
                    "SELECT CAST(id AS CHAR) FROM information_schema.processlist WHERE db = ?";
                for id in self.texts(sql, name).await? {
                    // It may have ended meanwhile.
                    let _ = self.run(&format!("KILL {id}")).await;
                }
                Ok(())
            }
        }
    }
}

/// The URL with another path.
fn with_path(url: &str, path: &str) -> String {
    let (place, query) =
        url.split_once('?').map_or((url, None), |(place, query)| (place, Some(query)));
    let authority = place.find("://").map_or(0, |at| at + "://".len());
    let end = place[authority..].find('/').map_or(place.len(), |slash| authority + slash);
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{}/{path}{query}", &place[..end])
}

/// The URL without what is nobody's business.
fn without_password(url: &str) -> String {
    let Some((user, at)) = url.split_once("://").and_then(|(_, rest)| rest.split_once('@')) else {
        return url.to_owned();
    };
    match user.split_once(':') {
        Some((name, password)) => {
            url.replacen(&format!("{name}:{password}@{at}"), &format!("{name}:…@{at}"), 1)
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Admin, Kind, runtime, with_path, without_password};

    /// What a killed process has left goes, what belongs to a living one stays.
    fn sweeps(kind: Kind) {
        let Some(server) = kind.server() else { return };
        runtime().block_on(async {
            let mine = server.create().await;
            let mut admin = Admin::connect(kind, &server.url).await.expect("a connection");
            let dead = format!("orm_t_{}_dead_1", std::process::id());
            let _ = admin.create(&dead).await;
            admin.sweep("orm_t_nobody_").await;
            assert!(!admin.has(&dead).await);
            assert!(admin.has(&mine).await);
            admin.remove(&mine).await.expect("it can be dropped");
            assert!(!admin.has(&mine).await);
        });
    }

    #[test]
    fn postgres_is_swept() {
        sweeps(Kind::Postgres);
    }

    #[test]
    fn mariadb_is_swept() {
        sweeps(Kind::MySql);
    }

    #[test]
    fn paths_are_replaced() {
        for (url, expected) in [
            ("mysql://root@127.0.0.1:3306/test", "mysql://root@127.0.0.1:3306/mine"),
            ("mysql://root@127.0.0.1", "mysql://root@127.0.0.1/mine"),
            ("mysql://h/test?ssl-mode=disabled", "mysql://h/mine?ssl-mode=disabled"),
        ] {
            assert_eq!(with_path(url, "mine"), expected);
        }
    }

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(without_password("mysql://a:b@c/d"), "mysql://a:…@c/d");
        assert_eq!(without_password("mysql://a@c/d"), "mysql://a@c/d");
        assert_eq!(without_password("mysql://c/d"), "mysql://c/d");
    }
}
