//! What a test's transactions look like from outside, and SQL inside of them.

use std::time::Duration;

use orm_core::{Error, Result, Session};
use sqlx::{
    AssertSqlSafe, Connection, Executor, MySqlConnection, PgConnection, Row, SqliteConnection,
    query_scalar,
};

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
            panic!("{} connections stay inside a transaction", self.open_transactions().await);
        }
    }

    /// How many connections of this database are inside a transaction. Where there is no server
    /// that could tell, none: another writer is what notices.
    pub async fn open_transactions(&self) -> i64 {
        match self.backend {
            Backend::Sqlite | Backend::SqlxSqlite => 0,
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
                let mut connection = MySqlConnection::connect(self.url()).await.expect("a server");
                let others = others(&mut connection).await;
                // `information_schema.innodb_trx` shows a copy that is not renewed while it is
                // looked at again and again.
                let status = sqlx::raw_sql("SHOW ENGINE INNODB STATUS");
                let status = connection.fetch_one(status).await.expect("the status");
                let _ = connection.close().await;
                let active = in_transaction(status.get("Status"));
                others.iter().filter(|id| active.contains(id)).count() as i64
            }
        }
    }

    /// Has the server end every connection of this database, as an administrator does.
    pub async fn kill_connections(&self) {
        match self.backend {
            Backend::Sqlite | Backend::SqlxSqlite => {}
            Backend::Postgres => {
                let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                           WHERE application_name = current_setting('application_name') \
                           AND pid <> pg_backend_pid()";
                let mut connection = PgConnection::connect(self.url()).await.expect("a server");
                connection.execute(sql).await.expect("connections can be ended");
                let _ = connection.close().await;
            }
            Backend::MariaDb | Backend::MariaDbWithoutReturning => {
                let mut connection = MySqlConnection::connect(self.url()).await.expect("a server");
                for id in others(&mut connection).await {
                    // It may have ended meanwhile.
                    let kill = sqlx::raw_sql(AssertSqlSafe(format!("KILL {id}")));
                    let _ = connection.execute(kill).await;
                }
                let _ = connection.close().await;
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
                let connection = session.connection::<rusqlite::Connection>().await?;
                connection.execute_batch(sql).map_err(sqlx::Error::config)
            }
            Backend::SqlxSqlite => {
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
            Backend::Sqlite => session.connection::<rusqlite::Connection>().await.map(drop),
            Backend::SqlxSqlite => session.connection::<SqliteConnection>().await.map(drop),
            Backend::Postgres => session.connection::<PgConnection>().await.map(drop),
            Backend::MariaDb | Backend::MariaDbWithoutReturning => {
                session.connection::<MySqlConnection>().await.map(drop)
            }
        }
    }
}

/// The other connections of this one's database.
async fn others(connection: &mut MySqlConnection) -> Vec<i64> {
    let sql = "SELECT id FROM information_schema.processlist \
               WHERE db = database() AND id <> connection_id()";
    query_scalar(sql).fetch_all(connection).await.expect("the server knows them")
}

/// The connections that have a transaction, by what InnoDB says of itself.
fn in_transaction(status: &str) -> Vec<i64> {
    let (_, transactions) = status.split_once("LIST OF TRANSACTIONS").unwrap_or_default();
    let transactions = transactions.split("---TRANSACTION").skip(1);
    let active = transactions
        .filter(|one| one.lines().next().is_some_and(|line| !line.contains("not started")));
    let connection = active.filter_map(|one| one.split_once(" thread id ")?.1.split(',').next());
    connection.filter_map(|id| id.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::in_transaction;

    #[test]
    fn the_status_names_those_inside_a_transaction() {
        let status = "TRANSACTION 5, ACTIVE\nMariaDB thread id 1, OS thread handle 2\n\
            LIST OF TRANSACTIONS FOR EACH SESSION:\n\
            ---TRANSACTION 571899, ACTIVE 1 sec\n1 lock struct(s)\n\
            MariaDB thread id 44276, OS thread handle 131076296017600, query id 3 root\n\
            ---TRANSACTION (0x7f36a8a9e080), not started\n\
            ---TRANSACTION 42, ACTIVE (PREPARED) 0 sec\nMySQL thread id 7, OS\n";
        assert_eq!(in_transaction(status), [44276, 7]);
    }
}
