//! SQLite by hand, with rusqlite: prepared statements that are kept, lists of values, and a table
//! of given rows for updates.

use std::path::PathBuf;

use rusqlite::types::ToSql;
use rusqlite::{Connection, Row, params_from_iter};

use super::*;

pub(crate) struct Sqlite {
    connection: Connection,
    path: PathBuf,
}

fn plain_user(row: &Row<'_>) -> rusqlite::Result<PlainUser> {
    Ok(PlainUser {
        id: row.get(0)?,
        created_at: row.get(1)?,
        updated_at: row.get(2)?,
        name: row.get(3)?,
        email: row.get(4)?,
        age: row.get(5)?,
        score: row.get(6)?,
        active: row.get(7)?,
    })
}

fn plain_post(row: &Row<'_>) -> rusqlite::Result<PlainPost> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
}

fn plain_comment(row: &Row<'_>) -> rusqlite::Result<PlainComment> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
}

/// The key of a written row; the times that came with it are read, as a user would.
fn key(row: &Row<'_>) -> rusqlite::Result<i64> {
    let times: (DateTime<Utc>, DateTime<Utc>) = (row.get(1)?, row.get(2)?);
    std::hint::black_box(times);
    row.get(0)
}

impl Sqlite {
    fn rows<T>(
        &self,
        sql: &str,
        binds: impl rusqlite::Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Vec<T> {
        let mut statement = self.connection.prepare_cached(sql).expect("prepares");
        let rows = statement.query_map(binds, read).expect("runs");
        rows.collect::<rusqlite::Result<_>>().expect("reads")
    }

    /// The rows whose key is one of these.
    fn of<T>(
        &self,
        select: &str,
        keys: &[i64],
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Vec<T> {
        let mut rows = Vec::new();
        for keys in keys.chunks(CHUNK) {
            let list = vec!["?"; keys.len()].join(", ");
            let sql = format!("{select} IN ({list}) ORDER BY id");
            rows.extend(self.rows(&sql, params_from_iter(keys), &read));
        }
        rows
    }

    fn posts_of(&self, users: &[i64]) -> Vec<PlainPost> {
        const SQL: &str =
            "SELECT id, created_at, updated_at, title, views, user_id FROM posts WHERE user_id";
        self.of(SQL, users, plain_post)
    }

    fn users(&self) -> Vec<PlainUser> {
        self.rows(&format!("SELECT {USER} FROM users"), [], plain_user)
    }

    fn in_transaction<T>(&mut self, work: impl FnOnce(&Self) -> T) -> T {
        self.connection.execute_batch("BEGIN IMMEDIATE").expect("begins");
        let outcome = work(self);
        self.connection.execute_batch("COMMIT").expect("commits");
        outcome
    }

    /// Inserts rows by lists of values; gives their keys.
    fn insert<T>(
        &self,
        into: &str,
        columns: usize,
        rows: &[T],
        binds: impl Fn(usize, &T) -> Vec<Box<dyn ToSql>>,
    ) -> Vec<i64> {
        let mut keys = Vec::with_capacity(rows.len());
        for (chunk, rows) in rows.chunks(CHUNK).enumerate() {
            let sql = format!(
                "INSERT INTO {into} VALUES {} RETURNING id, created_at, updated_at",
                tuples(columns, rows.len()),
            );
            let binds =
                rows.iter().enumerate().flat_map(|(at, row)| binds(chunk * CHUNK + at, row));
            keys.extend(self.rows(&sql, params_from_iter(binds), key));
        }
        keys
    }

    fn add_users(&self, rows: usize) -> Vec<i64> {
        let rows: Vec<usize> = (0..rows).collect();
        self.insert("users (name, email, age, score, active)", 5, &rows, |at, _| {
            vec![
                Box::new(name(at)),
                Box::new(email(at)),
                Box::new(age(at)),
                Box::new(at as f64 / 3.0),
                Box::new(at.is_multiple_of(2)),
            ]
        })
    }

    fn add_posts(&self, users: &[i64]) -> Vec<i64> {
        self.insert("posts (title, views, user_id)", 3, users, |at, user| {
            vec![Box::new(format!("post {at}")), Box::new(at as i64), Box::new(*user)]
        })
    }
}

impl ByHand for Sqlite {
    const LIBRARY: &'static str = "rusqlite";

    async fn open() -> (Engine, Self) {
        let path = std::env::temp_dir().join(format!("{}.db", unique_name()));
        let engine = engine(&format!("sqlite://{}", path.display())).await;
        let connection = Connection::open(&path).expect("opens");
        connection.set_prepared_statement_cache_capacity(512);
        let settings = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; \
                        PRAGMA foreign_keys = ON";
        connection.execute_batch(settings).expect("sets up");
        (engine, Self { connection, path })
    }

    async fn load(&mut self, rows: i64) -> Vec<PlainUser> {
        self.rows(&format!("SELECT {USER} FROM users LIMIT {rows}"), [], plain_user)
    }

    async fn join(&mut self, rows: i64) -> Vec<(String, String)> {
        let sql = format!(
            "SELECT p.title, u.name FROM posts p JOIN users u ON u.id = p.user_id LIMIT {rows}"
        );
        self.rows(&sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    async fn get(&mut self, id: i64) -> PlainUser {
        const SQL: &str = "SELECT id, created_at, updated_at, name, email, age, score, active \
                           FROM users WHERE id = ?";
        let mut statement = self.connection.prepare_cached(SQL).expect("prepares");
        statement.query_row([id], plain_user).expect("is there")
    }

    async fn eager(&mut self) -> Eager {
        let users = self.users();
        let ids: Vec<i64> = users.iter().map(|user| user.id).collect();
        let mut posts: HashMap<i64, Vec<PlainPost>> = HashMap::new();
        let mut post_ids = Vec::new();
        for post in self.posts_of(&ids) {
            post_ids.push(post.0);
            posts.entry(post.5).or_default().push(post);
        }
        const SQL: &str =
            "SELECT id, created_at, updated_at, body, post_id FROM comments WHERE post_id";
        let mut comments: HashMap<i64, Vec<PlainComment>> = HashMap::new();
        for comment in self.of(SQL, &post_ids, plain_comment) {
            comments.entry(comment.4).or_default().push(comment);
        }
        (users, posts, comments)
    }

    async fn eager_joined(&mut self) -> Eager {
        let mut users: Vec<PlainUser> = Vec::new();
        let mut posts: HashMap<i64, Vec<PlainPost>> = HashMap::new();
        let mut comments: HashMap<i64, Vec<PlainComment>> = HashMap::new();
        let mut statement = self.connection.prepare_cached(JOINED).expect("prepares");
        let mut rows = statement.query([]).expect("runs");
        while let Some(row) = rows.next().expect("reads") {
            let get = || -> rusqlite::Result<()> {
                let user: i64 = row.get(0)?;
                if users.last().is_none_or(|last| last.id != user) {
                    users.push(plain_user(row)?);
                }
                let Some(post) = row.get::<_, Option<i64>>(8)? else { return Ok(()) };
                let of_user = posts.entry(user).or_default();
                if of_user.last().is_none_or(|last| last.0 != post) {
                    let views = row.get(12)?;
                    of_user.push((post, row.get(9)?, row.get(10)?, row.get(11)?, views, user));
                }
                let Some(comment) = row.get::<_, Option<i64>>(14)? else { return Ok(()) };
                let comment = (comment, row.get(15)?, row.get(16)?, row.get(17)?, post);
                comments.entry(post).or_default().push(comment);
                Ok(())
            };
            let mut get = get;
            get().expect("reads");
        }
        (users, posts, comments)
    }

    async fn page(&mut self) -> (Vec<PlainUser>, HashMap<i64, Vec<PlainPost>>) {
        let sql = format!("SELECT {USER} FROM users {PAGE}");
        let users = self.rows(&sql, [], plain_user);
        let ids: Vec<i64> = users.iter().map(|user| user.id).collect();
        let mut posts: HashMap<i64, Vec<PlainPost>> = HashMap::new();
        for post in self.posts_of(&ids) {
            posts.entry(post.5).or_default().push(post);
        }
        (users, posts)
    }

    async fn aggregate(&mut self) -> Vec<(i32, i64, f64, i64)> {
        self.rows(AGGREGATE, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
    }

    async fn insert_users(&mut self, rows: usize) -> Vec<i64> {
        self.in_transaction(|it| it.add_users(rows))
    }

    async fn insert_posts(&mut self, users: &[i64]) {
        self.in_transaction(|it| drop(it.add_posts(users)));
    }

    async fn insert_comments(&mut self, posts: &[i64]) {
        self.in_transaction(|it| {
            it.insert("comments (body, post_id)", 2, posts, |at, post| {
                vec![Box::new(format!("comment {at}")), Box::new(*post)]
            })
        });
    }

    async fn insert_graph(&mut self, users: usize, posts: usize) {
        self.in_transaction(|it| {
            let users = it.add_users(users);
            let parents: Vec<i64> =
                users.iter().flat_map(|id| std::iter::repeat_n(*id, posts)).collect();
            drop(it.add_posts(&parents));
        });
    }

    async fn update_ages(&mut self, users: &[PlainUser]) {
        self.in_transaction(|it| {
            for chunk in users.chunks(CHUNK) {
                let sql = format!(
                    "WITH v(id, age) AS (VALUES {}) UPDATE users SET age = v.age, updated_at = strftime('%Y-%m-%d %H:%M:%f000', 'now') FROM v WHERE users.id = v.id RETURNING id, updated_at",
                    tuples(2, chunk.len()),
                );
                let binds = chunk.iter().flat_map(|user| [user.id, i64::from(user.age) + 1]);
                let returned = it.rows(&sql, params_from_iter(binds), |row| {
                    Ok((row.get::<_, i64>(0)?, row.get::<_, DateTime<Utc>>(1)?))
                });
                std::hint::black_box(returned);
            }
        });
    }

    async fn delete_users(&mut self, users: &[i64]) {
        self.in_transaction(|it| {
            for sql in DELETES {
                for users in users.chunks(CHUNK) {
                    let sql = sql.replace("$", &vec!["?"; users.len()].join(", "));
                    let mut statement = it.connection.prepare_cached(&sql).expect("prepares");
                    statement.execute(params_from_iter(users)).expect("deletes");
                }
            }
        });
    }

    async fn clear(&mut self) {
        let words = "DELETE FROM comments; DELETE FROM posts; DELETE FROM users";
        self.connection.execute_batch(words).expect("deletes");
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", self.path.display()));
        }
    }
}
