//! MariaDB by hand: lists of values with RETURNING, and a joined table of given rows for updates.

use sqlx::mysql::{MySqlConnection, MySqlRow};

use super::*;

pub(crate) struct MariaDb {
    connection: MySqlConnection,
}

impl ByHand for MariaDb {
    async fn open() -> (Engine, Self) {
        let url = std::env::var("ORM_TEST_MYSQL_URL")
            .unwrap_or_else(|_| "mysql://root@127.0.0.1:3306/test".to_owned());
        let mut connection = MySqlConnection::connect(&url).await.expect("connects");
        let database = unique_name();
        for sql in [format!("CREATE DATABASE {database}"), format!("USE {database}")] {
            connection
                .execute(sqlx::raw_sql(AssertSqlSafe(sql)))
                .await
                .expect("a database is made");
        }
        let (server, _) = url.rsplit_once('/').expect("the URL names a database");
        (engine(&format!("{server}/{database}")).await, Self { connection })
    }

    by_hand!(MariaDb, get = "?");

    async fn update_ages(&mut self, users: &[PlainUser]) {
        let mut transaction = self.connection.begin().await.expect("begins");
        for chunk in users.chunks(CHUNK) {
            let rows = vec!["UNION ALL SELECT ?, ?"; chunk.len() - 1].join(" ");
            let sql = format!(
                "UPDATE users JOIN (SELECT ? AS id, ? AS age {rows}) AS v ON users.id = v.id SET users.age = v.age, users.updated_at = now(6)"
            );
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for user in chunk {
                query = query.bind(user.id).bind(user.age + 1);
            }
            let done = query.execute(&mut *transaction).await.expect("updates");
            assert_eq!(done.rows_affected(), chunk.len() as u64);
        }
        let list = vec!["?"; users.len()].join(", ");
        let sql = format!("SELECT id, updated_at FROM users WHERE id IN ({list})");
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for user in users {
            query = query.bind(user.id);
        }
        let rows = query.fetch_all(&mut *transaction).await.expect("loads");
        let read = rows.iter().map(|row| (row.get::<i64, _>(0), row.get::<DateTime<Utc>, _>(1)));
        std::hint::black_box(read.collect::<Vec<_>>());
        transaction.commit().await.expect("commits");
    }
}

by_values!(MariaDb, MySqlConnection, MySqlRow);

impl Drop for MariaDb {
    fn drop(&mut self) {
        let drop = "SET @sql = concat('DROP DATABASE ', database()); EXECUTE IMMEDIATE @sql";
        let dropped = tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(self.connection.execute(sqlx::raw_sql(drop)))
        });
        dropped.expect("the database is dropped");
    }
}
