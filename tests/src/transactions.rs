//! What a test's transactions look like from outside, and SQL inside of them.

use std::time::Duration;

use orm_core::sqlx::{
    self, AssertSqlSafe, Connection, Executor, MySqlConnection, PgConnection, SqliteConnection,
    query_scalar,
};
use orm_core::{Error, Result, Session};

use crate::backend::Backend;
use crate::database::Database;

/// How long a server may take to notice that a client is gone, or a task to roll back.
const PATIENCE: Duration = Duration::from_secs(10);

impl Database {
    /// Waits until no connection of this database is inside a transaction: what a test leaves
    /// behind may be rolled back behind its back.
    ///
    /// # Panics
    /// If one stays.
    pub async fn expect_no_transaction(&self) {
        let waiting = async {
            while self.open_transactions().await > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, waiting).await.is_err() {
            let mut connection = MySqlConnection::connect(self.url()).await.expect("a server");
            let rows: Vec<(String,)> = sqlx::query_as("SELECT concat_ws('|', id, host, command, time, state, info, trx_state, trx_started, now(), trx_query, trx_rows_modified, trx_operation_state, trx_tables_in_use, trx_tables_locked) FROM information_schema.innodb_trx JOIN information_schema.processlist ON id = trx_mysql_thread_id WHERE db = database() AND id <> connection_id()").fetch_all(&mut connection).await.expect("x");
            let port = rows[0].0.split('|').nth(1).unwrap().split(':').nth(1).unwrap().to_owned();
            let ss = std::process::Command::new("ss").args(["-tnp"]).output().map(|o| String::from_utf8_lossy(&o.stdout).lines().filter(|l| l.contains(&port)).collect::<Vec<_>>().join("\n"));
            let mine: Vec<(String,)> = sqlx::query_as("SELECT concat_ws('|', id, host, command, time, state, info) FROM information_schema.processlist WHERE db = database()").fetch_all(&mut connection).await.expect("x");
            eprintln!("{ss:?} {mine:?} {:?} port {port} {:x}", self.engine, port.parse::<u16>().unwrap());
            eprintln!("{}", std::fs::read_to_string("/proc/net/tcp").unwrap().lines().filter(|l| l.contains(&format!(":{:04X}", port.parse::<u16>().unwrap()))).collect::<Vec<_>>().join("\n"));
            panic!("{} connections stay inside a transaction {rows:?}", self.open_transactions().await);
        }
    }

    /// How many connections of this database are inside a transaction. Where there is no server
    /// that could tell, none: another writer is what notices.
    pub async fn open_transactions(&self) -> i64 {
        match self.backend {
            Backend::Sqlite => 0,
            Backend::Postgres => {
                let sql = "SELECT count(*) FROM pg_stat_activity WHERE xact_start IS NOT NULL \
                           AND application_name = current_setting('application_name') \
                           AND pid <> pg_backend_pid()";
                let mut connection = PgConnection::connect(self.url()).await.expect("a server");
                let count = query_scalar(sql).fetch_one(&mut connection).await;
                // One that can't be closed in order is gone all the same.
                let _ = connection.close().await;
                count.expect("the server counts")
            }
            Backend::MariaDb | Backend::MariaDbWithoutReturning => {
                let sql = "SELECT count(*) FROM information_schema.innodb_trx \
                           JOIN information_schema.processlist ON id = trx_mysql_thread_id \
                           WHERE db = database() AND id <> connection_id()";
                let mut connection = MySqlConnection::connect(self.url()).await.expect("a server");
                let count = query_scalar(sql).fetch_one(&mut connection).await;
                let _ = connection.close().await;
                count.expect("the server counts")
            }
        }
    }

    /// Runs hand-written SQL on the connection that the session lends, inside its transaction.
    ///
    /// # Errors
    /// The session's, and the database's as [`Error::Database`].
    pub async fn run_in(&self, session: &mut Session, sql: &str) -> Result<()> {
        let statements = sqlx::raw_sql(AssertSqlSafe(sql));
        let outcome = match self.backend {
            Backend::Sqlite => {
                let connection = session.connection::<SqliteConnection>().await?;
                connection.execute(statements).await.map(drop)
            }
            Backend::Postgres => {
                let connection = session.connection::<PgConnection>().await?;
                connection.execute(statements).await.map(drop)
            }
            Backend::MariaDb | Backend::MariaDbWithoutReturning => {
                let connection = session.connection::<MySqlConnection>().await?;
                connection.execute(statements).await.map(drop)
            }
        };
        outcome.map_err(|error| Error::Database { code: None, message: error.to_string() })
    }

    /// Borrows the connection of the session, which begins its transaction, and gives it back.
    ///
    /// # Errors
    /// The session's.
    pub async fn borrow_from(&self, session: &mut Session) -> Result<()> {
        match self.backend {
            Backend::Sqlite => session.connection::<SqliteConnection>().await.map(drop),
            Backend::Postgres => session.connection::<PgConnection>().await.map(drop),
            Backend::MariaDb | Backend::MariaDbWithoutReturning => {
                session.connection::<MySqlConnection>().await.map(drop)
            }
        }
    }
}
