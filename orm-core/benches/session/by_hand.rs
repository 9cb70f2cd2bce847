//! What a careful user of rusqlite or sqlx would write: the other side of every race.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, Utc};
use orm_core::engine::Engine;
use orm_core::schema;
#[cfg(any(feature = "postgres", feature = "mysql"))]
use sqlx::{AssertSqlSafe, Connection, Executor, Row};

use super::{Comment, Post, User};

/// One database by hand. Every write is a transaction of its own.
pub(crate) trait ByHand: Sized {
    /// What it is written with.
    const LIBRARY: &'static str;
    /// A new database with the schema, an engine on it and a connection by hand.
    fn open() -> impl Future<Output = (Engine, Self)>;
    /// The first so many users.
    fn load(&mut self, rows: i64) -> impl Future<Output = Vec<PlainUser>>;
    /// So many posts: their titles and the names of their users, by a join.
    fn join(&mut self, rows: i64) -> impl Future<Output = Vec<(String, String)>>;
    /// One user.
    fn get(&mut self, id: i64) -> impl Future<Output = PlainUser>;
    /// Every user, their posts and the comments of these, in three statements.
    fn eager(&mut self) -> impl Future<Output = Eager>;
    /// The same by one statement of two joins, whose rows repeat what is to the left.
    fn eager_joined(&mut self) -> impl Future<Output = Eager>;
    /// Active users under forty by name, the second twenty of them, and their posts.
    fn page(&mut self) -> impl Future<Output = (Vec<PlainUser>, HashMap<i64, Vec<PlainPost>>)>;
    /// How many active users there are of each age, their average score and their greatest key.
    fn aggregate(&mut self) -> impl Future<Output = Vec<(i32, i64, f64, i64)>>;
    /// Inserts users; gives their keys.
    fn insert_users(&mut self, rows: usize) -> impl Future<Output = Vec<i64>>;
    /// Inserts a post of each of these users.
    fn insert_posts(&mut self, users: &[i64]) -> impl Future<Output = ()>;
    /// Inserts a comment on each of these posts.
    fn insert_comments(&mut self, posts: &[i64]) -> impl Future<Output = ()>;
    /// Inserts users with so many posts each, in one transaction.
    fn insert_graph(&mut self, users: usize, posts: usize) -> impl Future<Output = ()>;
    /// Makes each user a year older; reads what the database computed back.
    fn update_ages(&mut self, users: &[PlainUser]) -> impl Future<Output = ()>;
    /// Deletes users with their posts and the comments of these.
    fn delete_users(&mut self, users: &[i64]) -> impl Future<Output = ()>;
    /// Deletes every row.
    fn clear(&mut self) -> impl Future<Output = ()>;
}

/// A row of `users`.
#[allow(dead_code)]
pub(crate) struct PlainUser {
    pub(crate) id: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    name: String,
    email: String,
    age: i32,
    score: f64,
    active: bool,
}

type PlainPost = (i64, DateTime<Utc>, DateTime<Utc>, String, i64, i64);
type PlainComment = (i64, DateTime<Utc>, DateTime<Utc>, String, i64);

/// Users, posts by user and comments by post.
pub(crate) type Eager =
    (Vec<PlainUser>, HashMap<i64, Vec<PlainPost>>, HashMap<i64, Vec<PlainComment>>);

const USER: &str = "id, created_at, updated_at, name, email, age, score, active";

/// Users, their posts and the comments of these, by one statement.
const JOINED: &str = "SELECT u.id, u.created_at, u.updated_at, u.name, u.email, u.age, u.score, \
    u.active, p.id, p.created_at, p.updated_at, p.title, p.views, p.user_id, c.id, c.created_at, \
    c.updated_at, c.body, c.post_id FROM users u LEFT JOIN posts p ON p.user_id = u.id \
    LEFT JOIN comments c ON c.post_id = p.id ORDER BY u.id, p.id, c.id";

/// Which users are on the page.
const PAGE: &str = "WHERE active AND age < 40 ORDER BY name, id LIMIT 20 OFFSET 20";

/// The ages of active users.
const AGGREGATE: &str = "SELECT age, count(*), avg(score), max(id) FROM users WHERE active \
    GROUP BY age ORDER BY age";

/// What deletes users, whose keys stand for `$`, with their posts and the comments of these.
const DELETES: [&str; 3] = [
    "DELETE FROM comments WHERE post_id IN (SELECT id FROM posts WHERE user_id IN ($))",
    "DELETE FROM posts WHERE user_id IN ($)",
    "DELETE FROM users WHERE id IN ($)",
];

/// The most rows in one statement, and the most keys in one list.
const CHUNK: usize = 500;

/// A name that no other database of this run has.
fn unique_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("orm_bench_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// `(?, ?), (?, ?)`.
fn tuples(columns: usize, rows: usize) -> String {
    let row = format!("({})", vec!["?"; columns].join(", "));
    vec![row; rows].join(", ")
}

fn name(at: usize) -> String {
    format!("user {at}")
}

fn email(at: usize) -> String {
    format!("user{at}@example.org")
}

fn age(at: usize) -> i32 {
    (at % 90) as i32
}

/// What the databases have in common, once their statements are told apart: a macro, since sqlx's
/// rows and executors have no common trait that would carry the types of all columns.
#[cfg(any(feature = "postgres", feature = "mysql"))]
macro_rules! by_hand {
    ($side:ty, get = $get:literal) => {
        const LIBRARY: &'static str = "sqlx";

        async fn join(&mut self, rows: i64) -> Vec<(String, String)> {
            let sql = format!(
                "SELECT p.title, u.name FROM posts p JOIN users u ON u.id = p.user_id LIMIT {rows}"
            );
            let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut self.connection).await;
            rows.expect("loads").iter().map(|row| (row.get(0), row.get(1))).collect()
        }

        async fn load(&mut self, rows: i64) -> Vec<PlainUser> {
            use futures_util::TryStreamExt;
            let sql = format!("SELECT {USER} FROM users LIMIT {rows}");
            let mut rows = sqlx::query(AssertSqlSafe(sql)).fetch(&mut self.connection);
            let mut users = Vec::new();
            while let Some(row) = rows.try_next().await.expect("loads") {
                users.push(user!(row));
            }
            users
        }

        async fn get(&mut self, id: i64) -> PlainUser {
            const SQL: &str = concat!(
                "SELECT id, created_at, updated_at, name, email, age, score, active FROM users WHERE id = ",
                $get
            );
            let row = sqlx::query(SQL).bind(id).fetch_one(&mut self.connection).await;
            let row = row.expect("is there");
            user!(row)
        }

        async fn eager(&mut self) -> Eager {
            let sql = format!("SELECT {USER} FROM users");
            let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut self.connection).await;
            let users: Vec<PlainUser> = rows.expect("loads").iter().map(|row| user!(row)).collect();
            let ids: Vec<i64> = users.iter().map(|user| user.id).collect();
            let mut posts: HashMap<i64, Vec<PlainPost>> = HashMap::new();
            let mut post_ids = Vec::new();
            for row in self.of("SELECT id, created_at, updated_at, title, views, user_id FROM posts WHERE user_id", &ids).await {
                let post: PlainPost =
                    (row.get(0), row.get(1), row.get(2), row.get(3), row.get(4), row.get(5));
                post_ids.push(post.0);
                posts.entry(post.5).or_default().push(post);
            }
            let mut comments: HashMap<i64, Vec<PlainComment>> = HashMap::new();
            for row in self.of("SELECT id, created_at, updated_at, body, post_id FROM comments WHERE post_id", &post_ids).await {
                let comment: PlainComment =
                    (row.get(0), row.get(1), row.get(2), row.get(3), row.get(4));
                comments.entry(comment.4).or_default().push(comment);
            }
            (users, posts, comments)
        }

        async fn eager_joined(&mut self) -> Eager {
            let mut users: Vec<PlainUser> = Vec::new();
            let mut posts: HashMap<i64, Vec<PlainPost>> = HashMap::new();
            let mut comments: HashMap<i64, Vec<PlainComment>> = HashMap::new();
            for row in sqlx::query(JOINED).fetch_all(&mut self.connection).await.expect("loads") {
                let user: i64 = row.get(0);
                if users.last().is_none_or(|last| last.id != user) {
                    users.push(user!(row));
                }
                let Some(post) = row.get::<Option<i64>, _>(8) else { continue };
                let of_user = posts.entry(user).or_default();
                if of_user.last().is_none_or(|last| last.0 != post) {
                    of_user.push((post, row.get(9), row.get(10), row.get(11), row.get(12), user));
                }
                let Some(comment) = row.get::<Option<i64>, _>(14) else { continue };
                let comment = (comment, row.get(15), row.get(16), row.get(17), post);
                comments.entry(post).or_default().push(comment);
            }
            (users, posts, comments)
        }

        async fn page(&mut self) -> (Vec<PlainUser>, HashMap<i64, Vec<PlainPost>>) {
            let sql = format!("SELECT {USER} FROM users {PAGE}");
            let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut self.connection).await;
            let users: Vec<PlainUser> = rows.expect("loads").iter().map(|row| user!(row)).collect();
            let ids: Vec<i64> = users.iter().map(|user| user.id).collect();
            let mut posts: HashMap<i64, Vec<PlainPost>> = HashMap::new();
            for row in self.of("SELECT id, created_at, updated_at, title, views, user_id FROM posts WHERE user_id", &ids).await {
                let post: PlainPost =
                    (row.get(0), row.get(1), row.get(2), row.get(3), row.get(4), row.get(5));
                posts.entry(post.5).or_default().push(post);
            }
            (users, posts)
        }

        async fn aggregate(&mut self) -> Vec<(i32, i64, f64, i64)> {
            let rows = sqlx::query(AGGREGATE).fetch_all(&mut self.connection).await.expect("loads");
            rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3))).collect()
        }

        async fn insert_users(&mut self, rows: usize) -> Vec<i64> {
            let mut transaction = self.connection.begin().await.expect("begins");
            let ids = insert_users(&mut transaction, rows).await;
            transaction.commit().await.expect("commits");
            ids
        }

        async fn insert_posts(&mut self, users: &[i64]) {
            let mut transaction = self.connection.begin().await.expect("begins");
            insert_posts(&mut transaction, users).await;
            transaction.commit().await.expect("commits");
        }

        async fn insert_comments(&mut self, posts: &[i64]) {
            let mut transaction = self.connection.begin().await.expect("begins");
            insert_comments(&mut transaction, posts).await;
            transaction.commit().await.expect("commits");
        }

        async fn insert_graph(&mut self, users: usize, posts: usize) {
            let mut transaction = self.connection.begin().await.expect("begins");
            let ids = insert_users(&mut transaction, users).await;
            let parents: Vec<i64> =
                ids.iter().flat_map(|id| std::iter::repeat_n(*id, posts)).collect();
            insert_posts(&mut transaction, &parents).await;
            transaction.commit().await.expect("commits");
        }

        async fn delete_users(&mut self, users: &[i64]) {
            let users = users.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
            let mut transaction = self.connection.begin().await.expect("begins");
            for sql in DELETES {
                let sql = sql.replace('$', &users);
                transaction.execute(AssertSqlSafe(sql)).await.expect("deletes");
            }
            transaction.commit().await.expect("commits");
        }

        async fn clear(&mut self) {
            for table in ["comments", "posts", "users"] {
                let sql = format!("DELETE FROM {table}");
                self.connection.execute(AssertSqlSafe(sql)).await.expect("deletes");
            }
        }
    };
}

/// A row of `users` as a struct.
#[cfg(any(feature = "postgres", feature = "mysql"))]
macro_rules! user {
    ($row:expr) => {{
        let row = &$row;
        PlainUser {
            id: row.get(0),
            created_at: row.get(1),
            updated_at: row.get(2),
            name: row.get(3),
            email: row.get(4),
            age: row.get(5),
            score: row.get(6),
            active: row.get(7),
        }
    }};
}

/// Keys and times that came back, read as a user would.
#[cfg(any(feature = "postgres", feature = "mysql"))]
macro_rules! keys_of {
    ($rows:expr) => {{
        let rows = $rows.expect("inserts");
        let returned = rows.iter().map(|row| {
            let times: (DateTime<Utc>, DateTime<Utc>) = (row.get(1), row.get(2));
            std::hint::black_box(times);
            row.get::<i64, _>(0)
        });
        returned.collect::<Vec<i64>>()
    }};
}

/// Inserts by lists of values, for the databases that take `?`.
#[cfg(feature = "mysql")]
macro_rules! by_values {
    ($side:ty, $connection:ty, $row:ty) => {
        impl $side {
            /// The rows whose key is one of these.
            async fn of(&mut self, select: &str, keys: &[i64]) -> Vec<$row> {
                let mut rows = Vec::new();
                for keys in keys.chunks(CHUNK) {
                    let list = vec!["?"; keys.len()].join(", ");
                    let sql = format!("{select} IN ({list}) ORDER BY id");
                    let mut query = sqlx::query(AssertSqlSafe(sql));
                    for key in keys {
                        query = query.bind(*key);
                    }
                    rows.extend(query.fetch_all(&mut self.connection).await.expect("loads"));
                }
                rows
            }
        }

        async fn insert_users(connection: &mut $connection, rows: usize) -> Vec<i64> {
            let mut ids = Vec::with_capacity(rows);
            for chunk in (0..rows).collect::<Vec<_>>().chunks(CHUNK) {
                let sql = format!(
                    "INSERT INTO users (name, email, age, score, active) VALUES {} RETURNING id, created_at, updated_at",
                    tuples(5, chunk.len()),
                );
                let mut query = sqlx::query(AssertSqlSafe(sql));
                for &at in chunk {
                    query = query.bind(name(at)).bind(email(at)).bind(age(at));
                    query = query.bind(at as f64 / 3.0).bind(at.is_multiple_of(2));
                }
                ids.extend(keys_of!(query.fetch_all(&mut *connection).await));
            }
            ids
        }

        async fn insert_posts(connection: &mut $connection, users: &[i64]) {
            for chunk in users.chunks(CHUNK) {
                let sql = format!(
                    "INSERT INTO posts (title, views, user_id) VALUES {} RETURNING id, created_at, updated_at",
                    tuples(3, chunk.len()),
                );
                let mut query = sqlx::query(AssertSqlSafe(sql));
                for (at, user) in chunk.iter().enumerate() {
                    query = query.bind(format!("post {at}")).bind(at as i64).bind(*user);
                }
                std::hint::black_box(keys_of!(query.fetch_all(&mut *connection).await));
            }
        }

        async fn insert_comments(connection: &mut $connection, posts: &[i64]) {
            for chunk in posts.chunks(CHUNK) {
                let sql = format!(
                    "INSERT INTO comments (body, post_id) VALUES {} RETURNING id, created_at, updated_at",
                    tuples(2, chunk.len()),
                );
                let mut query = sqlx::query(AssertSqlSafe(sql));
                for (at, post) in chunk.iter().enumerate() {
                    query = query.bind(format!("comment {at}")).bind(*post);
                }
                std::hint::black_box(keys_of!(query.fetch_all(&mut *connection).await));
            }
        }
    };
}

mod sqlite;
pub(crate) use sqlite::Sqlite;

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "postgres")]
pub(crate) use postgres::Postgres;

#[cfg(feature = "mysql")]
mod mariadb;
#[cfg(feature = "mysql")]
pub(crate) use mariadb::MariaDb;

/// The engine of a new database, with its tables.
async fn engine(url: &str) -> Engine {
    let engine = Engine::connect(url).await.expect("connects");
    engine.create_all(&schema![User, Post, Comment]).await.expect("tables are created");
    engine
}
