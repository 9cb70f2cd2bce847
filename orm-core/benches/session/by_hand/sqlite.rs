//! SQLite by hand: lists of values, and a table of given rows for updates.

use std::path::PathBuf;
use std::str::FromStr;

use sqlx::ConnectOptions;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteRow, SqliteSynchronous,
};

use super::*;

pub(crate) struct Sqlite {
    connection: SqliteConnection,
    path: PathBuf,
}

impl ByHand for Sqlite {
    async fn open() -> (Engine, Self) {
        let path = std::env::temp_dir().join(format!("{}.db", unique_name()));
        let url = format!("sqlite://{}", path.display());
        let engine = engine(&url).await;
        let options = SqliteConnectOptions::from_str(&url)
            .expect("a path is a URL")
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true)
            .statement_cache_capacity(512)
            .row_buffer_size(500);
        (engine, Self { connection: options.connect().await.expect("opens"), path })
    }

    by_hand!(Sqlite, get = "?");

    async fn update_ages(&mut self, users: &[PlainUser]) {
        let mut transaction = self.connection.begin().await.expect("begins");
        for chunk in users.chunks(CHUNK) {
            let sql = format!(
                "WITH v(id, age) AS (VALUES {}) UPDATE users SET age = v.age, updated_at = strftime('%Y-%m-%d %H:%M:%f000', 'now') FROM v WHERE users.id = v.id RETURNING id, updated_at",
                tuples(2, chunk.len()),
            );
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for user in chunk {
                query = query.bind(user.id).bind(user.age + 1);
            }
            let rows = query.fetch_all(&mut *transaction).await.expect("updates");
            let returned =
                rows.iter().map(|row| (row.get::<i64, _>(0), row.get::<DateTime<Utc>, _>(1)));
            std::hint::black_box(returned.collect::<Vec<_>>());
        }
        transaction.commit().await.expect("commits");
    }
}

by_values!(Sqlite, SqliteConnection, SqliteRow);

impl Drop for Sqlite {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", self.path.display()));
        }
    }
}
