//! MySQL and MariaDB over sqlx.

mod arguments;
mod cells;
mod errors;
#[cfg(test)]
mod tests;

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::mysql::{
    MySqlArguments, MySqlConnectOptions, MySqlPool, MySqlQueryResult, MySqlRow, MySqlSslMode,
};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, MySql, MySqlConnection, Row};

use self::cells::MySqlCells;
use self::errors::{from_sqlx, is_of_the_url, number};
use super::pooled::{Backend, Pooled, pool_options, run_settings};
use super::target::Opened;
use super::{Done, Options, RowSink};
use crate::error::{Error, Result};
use crate::sql::Bind;
use crate::sql::dialect::mysql::{MARIADB, MYSQL, Server, configured};

/// How many prepared statements a connection keeps.
const STATEMENT_CACHE: usize = 512;

/// Opens the database and one connection to it, so that a wrong URL is an error here.
pub(super) async fn open(url: &str, options: &Options) -> Result<Opened> {
    let connect = connect_options(url)?;
    let first = async {
        let mut connection = connect.connect().await.map_err(from_url)?;
        let facts = Facts::ask(&mut connection).await;
        // A connection that can't be closed in order is gone all the same.
        let _ = connection.close().await;
        facts
    };
    let facts = tokio::time::timeout(options.acquire_timeout, first)
        .await
        .map_err(|_| Error::Timeout("the server didn't answer".to_owned()))??;
    let settings = facts.settings(options.statement_timeout);
    let of_new: Arc<str> = format!("{}{settings}", MySql::BEFORE_SETTINGS).into();
    let dialect = facts.dialect(options);
    let capabilities = dialect.capabilities();
    let counts_keys = capabilities.ordered_keys && !capabilities.returning_on_insert;
    let pool = pool_options::<MySql>(options)
        .after_connect(move |connection, _| {
            let settings = sqlx::raw_sql(AssertSqlSafe(Arc::clone(&of_new)));
            Box::pin(async move {
                connection.execute(settings).await?;
                if counts_keys { expect_keys_by_one(connection).await } else { Ok(()) }
            })
        })
        .connect_lazy_with(connect);
    let driver = Pooled::open(pool, options, &settings, None).await?;
    Ok(Opened::new(driver, dialect))
}

/// Keys are counted on from the first of an INSERT: a session in which they would go in steps,
/// because the server was changed since the engine asked it, must not be used.
async fn expect_keys_by_one(
    connection: &mut MySqlConnection,
) -> std::result::Result<(), sqlx::Error> {
    let row = connection.fetch_one("SELECT @@auto_increment_increment").await?;
    let increment: i64 = row.try_get_unchecked(0)?;
    if increment == 1 {
        return Ok(());
    }
    Err(sqlx::Error::Configuration(
        "`auto_increment_increment` of the server is no longer 1: connect the engine anew".into(),
    ))
}

/// Uses a pool that somebody else made.
pub(super) async fn adopt(pool: MySqlPool, options: &Options) -> Result<Opened> {
    let mut connection = pool.acquire().await.map_err(from_sqlx)?;
    let facts = Facts::ask(&mut connection).await?;
    drop(connection);
    let settings = facts.settings(options.statement_timeout);
    let driver = Pooled::adopt(pool, options, &settings).await?;
    Ok(Opened::new(driver, facts.dialect(options)))
}

/// The options of a connection; what sqlx would set is set by [`Facts::settings`] instead.
fn connect_options(url: &str) -> Result<MySqlConnectOptions> {
    let connect = MySqlConnectOptions::from_str(url)
        .map_err(|error| Error::misuse(format!("the URL of the database is no good: {error}")))?
        .charset("utf8mb4")
        .statement_cache_capacity(STATEMENT_CACHE)
        .pipes_as_concat(false)
        .no_engine_substitution(false)
        .timezone(None)
        .set_names(false)
        .disable_statement_logging();
    match connect.get_ssl_mode() {
        MySqlSslMode::Disabled | MySqlSslMode::Preferred => Ok(connect),
        _ if cfg!(feature = "tls") => Ok(connect),
        _ => Err(Error::misuse(
            "the URL asks for an encrypted connection, which this build can't make: enable the \
             feature `tls` of `orm-core`",
        )),
    }
}

/// What is refused while the first connection is made is the URL's mistake, not a statement's.
fn from_url(error: sqlx::Error) -> Error {
    let of_the_url = number(&error).is_some_and(is_of_the_url);
    match from_sqlx(error) {
        Error::Database { message, .. } if of_the_url => Error::Connection(message),
        error => error,
    }
}

/// What is asked of a server once.
struct Facts {
    server: &'static Server,
    /// Whether the keys of one INSERT are guaranteed to count on from the first by one.
    consecutive_keys: bool,
    /// Whether a transaction at repeatable read can be told that another has changed what it
    /// writes. MySQL has no such thing.
    detects_conflicts: bool,
}

impl Facts {
    async fn ask(connection: &mut MySqlConnection) -> Result<Self> {
        const QUESTION: &str =
            "SELECT version(), @@innodb_autoinc_lock_mode, @@auto_increment_increment";
        let row = connection.fetch_one(QUESTION).await.map_err(from_sqlx)?;
        let version: &str = row.try_get_unchecked(0).map_err(from_sqlx)?;
        let lock_mode: i64 = row.try_get_unchecked(1).map_err(from_sqlx)?;
        let increment: i64 = row.try_get_unchecked(2).map_err(from_sqlx)?;
        // In mode 2 the keys of concurrent statements may mix.
        let consecutive_keys = matches!(lock_mode, 0 | 1) && increment == 1;
        let server = server_of(version)?;
        let snapshots = "SHOW VARIABLES LIKE 'innodb_snapshot_isolation'";
        let detects_conflicts =
            connection.fetch_optional(snapshots).await.map_err(from_sqlx)?.is_some();
        Ok(Self { server, consecutive_keys, detects_conflicts })
    }

    fn dialect(&self, options: &Options) -> &'static dyn crate::sql::Dialect {
        let consecutive_keys = self.consecutive_keys && options.counted_keys;
        configured(self.server, options.returning, consecutive_keys, options.naming)
    }

    /// What every session needs to be, as one text: strict, in UTC, at read committed, with texts
    /// that are equal only if they are the same.
    fn settings(&self, statement_timeout: Option<Duration>) -> String {
        let mut modes = String::from(
            "STRICT_TRANS_TABLES,STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION,\
             NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,PIPES_AS_CONCAT,\
             NO_UNSIGNED_SUBTRACTION",
        );
        if self.server.assigns_at_once {
            modes.push_str(",SIMULTANEOUS_ASSIGNMENT");
        }
        let timeout = statement_timeout.map_or_else(String::new, |timeout| {
            let milliseconds = timeout.as_millis().max(1);
            if self.server.limits_statements {
                let (seconds, rest) = (milliseconds / 1_000, milliseconds % 1_000);
                format!(", max_statement_time = {seconds}.{rest:03}")
            } else {
                format!(", max_execution_time = {milliseconds}")
            }
        });
        let conflicts = if self.detects_conflicts { ", innodb_snapshot_isolation = 1" } else { "" };
        format!(
            "SET NAMES utf8mb4 COLLATE {}, sql_mode = '{modes}', time_zone = '+00:00', \
             foreign_key_checks = 1, div_precision_increment = 16{conflicts}{timeout}; \
             SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
            self.server.collation,
        )
    }
}

/// Which server says that it is of this version.
fn server_of(version: &str) -> Result<&'static Server> {
    let mut numbers = version.split(|character: char| !character.is_ascii_digit());
    let mut number = || numbers.next().and_then(|digits| digits.parse::<u32>().ok()).unwrap_or(0);
    let numbers = (number(), number(), number());
    let (server, oldest) =
        if version.contains("MariaDB") { (&MARIADB, (10, 5, 0)) } else { (&MYSQL, (8, 0, 19)) };
    if numbers < oldest {
        let (major, minor, patch) = oldest;
        return Err(Error::misuse(format!(
            "the server is {} {}.{}.{}, and the oldest one that works is {major}.{minor}.{patch}",
            server.name, numbers.0, numbers.1, numbers.2,
        )));
    }
    Ok(server)
}

impl Backend for MySql {
    const HAS_SERVER: bool = true;
    const ENDS_EARLY: bool = false;
    /// The server doesn't answer when a statement is closed, and sqlx sets no TCP_NODELAY: the next
    /// packet waits for the acknowledgement of that one, 40 milliseconds. A bind takes some 500
    /// bytes of the server's memory.
    const KEPT_BINDS: usize = 32_768;
    /// Inside a transaction that was begun by turning this off, it would commit.
    const BEFORE_SETTINGS: &str = "SET autocommit = 1; ";

    fn encode(binds: Vec<Bind>) -> Result<MySqlArguments> {
        arguments::encode(binds)
    }

    fn read(row: &MySqlRow, rows: &mut dyn RowSink) -> Result<()> {
        rows.row(&MySqlCells(row))
    }

    fn done(_text: &str, returned: u64, result: &MySqlQueryResult) -> Done {
        // A statement that gives rows doesn't count those that it wrote.
        let rows = if returned > 0 { returned } else { result.rows_affected() };
        let first_key = i64::try_from(result.last_insert_id()).ok().filter(|key| *key != 0);
        Done { rows, first_key }
    }

    fn error(error: sqlx::Error) -> Error {
        from_sqlx(error)
    }

    /// The server prepares a statement anew when the schema has changed; what it forgot, or can't
    /// bring itself to prepare once more, is prepared again here.
    fn is_outdated(error: &sqlx::Error) -> bool {
        number(error).is_some_and(errors::is_of_preparation)
    }

    fn set_up<'c>(
        connection: &'c mut MySqlConnection,
        settings: &'c str,
    ) -> BoxFuture<'c, Result<()>> {
        Box::pin(run_settings(connection, settings))
    }
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn versions_tell_the_server() {
        for (version, name) in [
            ("10.11.19-MariaDB-0+deb12u1", "MariaDB"),
            ("11.4.2-MariaDB-log", "MariaDB"),
            ("8.0.36-0ubuntu0.22.04.1", "MySQL"),
            ("8.4.0", "MySQL"),
            ("9.0.1-commercial", "MySQL"),
        ] {
            assert_eq!(server_of(version).unwrap().name, name);
        }
        for version in ["5.7.44", "8.0.18", "10.4.30-MariaDB", ""] {
            let error = server_of(version).expect_err("too old").to_string();
            assert!(error.contains("oldest"), "{error}");
        }
    }

    #[test]
    fn settings_are_the_servers_own() {
        let facts = |server| Facts { server, consecutive_keys: true, detects_conflicts: false };
        let timeout = Some(Duration::from_millis(1_500));
        let mariadb = facts(&MARIADB).settings(timeout);
        assert!(mariadb.contains("SIMULTANEOUS_ASSIGNMENT") && mariadb.contains("nopad_bin"));
        assert!(mariadb.contains(", max_statement_time = 1.500;"), "{mariadb}");
        let mysql = facts(&MYSQL).settings(timeout);
        assert!(!mysql.contains("SIMULTANEOUS_ASSIGNMENT") && mysql.contains("utf8mb4_0900_bin"));
        assert!(mysql.contains(", max_execution_time = 1500;"), "{mysql}");
        assert!(!facts(&MYSQL).settings(None).contains("max_execution_time"));
        let least = facts(&MARIADB).settings(Some(Duration::ZERO));
        assert!(least.contains("max_statement_time = 0.001;"), "{least}");
    }
}
