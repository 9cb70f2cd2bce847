//! PostgreSQL by hand: columns as arrays, one statement for any number of rows.

use sqlx::postgres::{PgConnection, PgRow};

use super::*;

pub(crate) struct Postgres {
    connection: PgConnection,
    schema: String,
}

impl Postgres {
    /// The rows whose key is one of these.
    async fn of(&mut self, select: &str, keys: &[i64]) -> Vec<PgRow> {
        let sql = format!("{select} = ANY($1) ORDER BY id");
        let query = sqlx::query(AssertSqlSafe(sql)).bind(keys);
        query.fetch_all(&mut self.connection).await.expect("loads")
    }
}

impl ByHand for Postgres {
    async fn open() -> (Engine, Self) {
        let url = std::env::var("ORM_TEST_POSTGRES_URL")
            .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/test".to_owned());
        let mut connection = PgConnection::connect(&url).await.expect("connects");
        let schema = unique_name();
        for sql in [format!("CREATE SCHEMA {schema}"), format!("SET search_path = {schema}")] {
            connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.expect("a schema is made");
        }
        let engine = engine(&format!("{url}?options[search_path]={schema}")).await;
        (engine, Self { connection, schema })
    }

    by_hand!(Postgres, get = "$1");

    async fn update_ages(&mut self, users: &[PlainUser]) {
        let mut transaction = self.connection.begin().await.expect("begins");
        let ids: Vec<i64> = users.iter().map(|user| user.id).collect();
        let ages: Vec<i32> = users.iter().map(|user| user.age + 1).collect();
        let sql = "UPDATE users SET age = v.age, updated_at = statement_timestamp() FROM unnest($1::int8[], $2::int4[]) AS v(id, age) WHERE users.id = v.id RETURNING users.id, users.updated_at";
        let rows = sqlx::query(sql).bind(ids).bind(ages).fetch_all(&mut *transaction).await;
        let rows = rows.expect("updates");
        let returned =
            rows.iter().map(|row| (row.get::<i64, _>(0), row.get::<DateTime<Utc>, _>(1)));
        std::hint::black_box(returned.collect::<Vec<_>>());
        transaction.commit().await.expect("commits");
    }
}

async fn insert_users(connection: &mut PgConnection, rows: usize) -> Vec<i64> {
    let sql = "INSERT INTO users (name, email, age, score, active) SELECT name, email, age, score, active FROM unnest($1::text[], $2::text[], $3::int4[], $4::float8[], $5::bool[]) WITH ORDINALITY AS v(name, email, age, score, active, n) ORDER BY n RETURNING id, created_at, updated_at";
    let query = sqlx::query(sql)
        .bind((0..rows).map(name).collect::<Vec<_>>())
        .bind((0..rows).map(email).collect::<Vec<_>>())
        .bind((0..rows).map(age).collect::<Vec<_>>())
        .bind((0..rows).map(|at| at as f64 / 3.0).collect::<Vec<_>>())
        .bind((0..rows).map(|at| at.is_multiple_of(2)).collect::<Vec<_>>());
    keys_of!(query.fetch_all(connection).await)
}

async fn insert_posts(connection: &mut PgConnection, users: &[i64]) {
    let sql = "INSERT INTO posts (title, views, user_id) SELECT title, views, user_id FROM unnest($1::text[], $2::int8[], $3::int8[]) WITH ORDINALITY AS v(title, views, user_id, n) ORDER BY n RETURNING id, created_at, updated_at";
    let query = sqlx::query(sql)
        .bind((0..users.len()).map(|at| format!("post {at}")).collect::<Vec<_>>())
        .bind((0..users.len() as i64).collect::<Vec<_>>())
        .bind(users);
    std::hint::black_box(keys_of!(query.fetch_all(connection).await));
}

async fn insert_comments(connection: &mut PgConnection, posts: &[i64]) {
    let sql = "INSERT INTO comments (body, post_id) SELECT body, post_id FROM unnest($1::text[], $2::int8[]) WITH ORDINALITY AS v(body, post_id, n) ORDER BY n RETURNING id, created_at, updated_at";
    let query = sqlx::query(sql)
        .bind((0..posts.len()).map(|at| format!("comment {at}")).collect::<Vec<_>>())
        .bind(posts);
    std::hint::black_box(keys_of!(query.fetch_all(connection).await));
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let drop = format!("DROP SCHEMA {} CASCADE", self.schema);
        let dropped = tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current()
                .block_on(self.connection.execute(sqlx::raw_sql(AssertSqlSafe(drop))))
        });
        dropped.expect("the schema is dropped");
    }
}
