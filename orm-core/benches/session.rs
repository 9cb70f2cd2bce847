//! The session beside hand-written sqlx: both sides interleaved in one process, on the same kind
//! of file with the same connection settings. Prints medians and the ratio of the medians; asserts
//! nothing.
//!
//! ```text
//! cargo bench -p orm-core --bench session            # everything
//! cargo bench -p orm-core --bench session -- insert  # what contains a word
//! ```

use std::future::Future;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use orm_core::{BelongsTo, Engine, HasMany, Model, SessionFactory, schema};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteRow, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row};

#[derive(Model)]
struct User {
    name: String,
    email: String,
    age: i32,
    score: f64,
    active: bool,
    #[orm(back_populates = user)]
    posts: HasMany<Post>,
}

#[derive(Model)]
struct Post {
    title: String,
    views: i64,
    #[orm(foreign_key = User, index)]
    user_id: i64,
    #[orm(back_populates = posts)]
    user: BelongsTo<User>,
    #[orm(back_populates = post)]
    comments: HasMany<Comment>,
}

#[derive(Model)]
struct Comment {
    body: String,
    #[orm(foreign_key = Post, index)]
    post_id: i64,
    #[orm(back_populates = comments)]
    post: BelongsTo<Post>,
}

/// What a careful sqlx user would write for the same row.
#[allow(dead_code)]
struct PlainUser {
    id: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    name: String,
    email: String,
    age: i32,
    score: f64,
    active: bool,
}

impl PlainUser {
    const COLUMNS: &str = "id, created_at, updated_at, name, email, age, score, active";

    fn decode(row: &SqliteRow) -> Self {
        Self {
            id: row.get(0),
            created_at: row.get(1),
            updated_at: row.get(2),
            name: row.get(3),
            email: row.get(4),
            age: row.get(5),
            score: row.get(6),
            active: row.get(7),
        }
    }
}

/// The draft of a user, as an expression: the type of a draft has no name.
macro_rules! draft {
    ($at:expr) => {{
        let at: usize = $at;
        User::draft()
            .name(format!("user {at}"))
            .email(format!("user{at}@example.org"))
            .age((at % 90) as i32)
            .score(at as f64 / 3.0)
            .active(at.is_multiple_of(2))
    }};
}
/// The most rows that either side puts into one statement.
const CHUNK: usize = 500;

fn main() {
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime can be built");
    runtime.block_on(async {
        let bench = Bench::new(wanted).await;
        bench.loads().await;
        bench.gets().await;
        bench.eager().await;
        bench.inserts().await;
        bench.graph().await;
        bench.updates().await;
        bench.idle_flush().await;
    });
}

/// Where both sides work: a database each, with the same rows.
struct Bench {
    wanted: Vec<String>,
    folder: Folder,
}

impl Bench {
    async fn new(wanted: Vec<String>) -> Self {
        println!("{:<44} {:>11} {:>11} {:>7}", "", "orm", "sqlx", "ratio");
        Self { wanted, folder: Folder::new() }
    }

    fn wants(&self, name: &str) -> bool {
        self.wanted.is_empty() || self.wanted.iter().any(|word| name.contains(word.as_str()))
    }

    /// A database with the schema: ours to make, theirs to use as it is.
    async fn database(&self, name: &str) -> (SessionFactory, SqliteConnection) {
        let path = self.folder.0.join(format!("{name}.db"));
        let engine = Engine::connect(format!("sqlite://{}", path.display())).await.expect("opens");
        engine.create_all(&schema![User, Post, Comment]).await.expect("tables are created");
        let theirs = plain_connection(&path).await;
        (SessionFactory::new(engine), theirs)
    }

    async fn loads(&self) {
        if !self.wants("load") {
            return;
        }
        let (sessions, mut plain) = self.database("loads").await;
        seed_users(&mut plain, 10_000).await;
        for (rows, rounds) in [(1_i64, 2_000), (100, 500), (10_000, 40)] {
            let sql = format!("SELECT {} FROM users LIMIT {rows}", PlainUser::COLUMNS);
            let query = || User::select().limit(rows as u64);
            let mut race = Race::new(&format!("load {rows}, untracked"), rounds);
            while race.goes_on() {
                race.ours(async {
                    let users = query().on(sessions.engine()).all().await.expect("loads");
                    assert_eq!(black_box(users).len(), rows as usize);
                })
                .await;
                race.theirs(plain_load(&mut plain, &sql, rows)).await;
            }
            race.report();
            let mut race = Race::new(&format!("load {rows}, tracked"), rounds);
            while race.goes_on() {
                let mut session = sessions.session();
                race.ours(async {
                    let users = query().all(&mut session).await.expect("loads");
                    assert_eq!(black_box(users).len(), rows as usize);
                })
                .await;
                race.theirs(plain_load(&mut plain, &sql, rows)).await;
            }
            race.report();
        }
    }

    async fn gets(&self) {
        if !self.wants("get") {
            return;
        }
        let (sessions, mut plain) = self.database("gets").await;
        seed_users(&mut plain, 1_000).await;
        let sql = format!("SELECT {} FROM users WHERE id = ?", PlainUser::COLUMNS);
        let mut race = Race::new("get x 1,000, missing the identity map", 15);
        while race.goes_on() {
            let mut session = sessions.session();
            race.ours(async {
                for id in 1..=1_000 {
                    black_box(session.get::<User>(id).await.expect("loads").expect("is there"));
                }
            })
            .await;
            race.theirs(async {
                for id in 1..=1_000_i64 {
                    let row = sqlx::query(AssertSqlSafe(sql.as_str())).bind(id);
                    let row = row.fetch_one(&mut plain).await.expect("is there");
                    black_box(PlainUser::decode(&row));
                }
            })
            .await;
        }
        race.report();
        let mut session = sessions.session();
        User::select().all(&mut session).await.expect("loads");
        let started = Instant::now();
        for _ in 0..100 {
            for id in 1..=1_000 {
                black_box(session.get::<User>(id).await.expect("is known"));
            }
        }
        println!(
            "{:<44} {:>9.0}ns",
            "get, hitting the identity map",
            nanoseconds(started, 100_000)
        );
        let handles = User::select().all(&mut session).await.expect("loads");
        let started = Instant::now();
        for _ in 0..100 {
            for handle in &handles {
                black_box(session[*handle].age);
            }
        }
        println!("{:<44} {:>9.0}ns", "session[handle]", nanoseconds(started, 100_000));
    }

    async fn eager(&self) {
        if !self.wants("eager") {
            return;
        }
        let (sessions, mut plain) = self.database("eager").await;
        seed_users(&mut plain, 100).await;
        let posts: Vec<i64> = (0..1_000).map(|at| at / 10 + 1).collect();
        insert_posts(&mut plain, &posts).await;
        for chunk in (0..10_000_i64).collect::<Vec<_>>().chunks(CHUNK) {
            let sql = values("INSERT INTO comments (body, post_id) VALUES ", 2, chunk.len(), "");
            let mut query = sqlx::query(AssertSqlSafe(sql.as_str()));
            for at in chunk {
                query = query.bind(format!("comment {at}")).bind(at / 10 + 1);
            }
            query.execute(&mut plain).await.expect("inserts");
        }
        let mut race = Race::new("eager load 100 x 10 x 10, tracked", 30);
        while race.goes_on() {
            let mut session = sessions.session();
            race.ours(async {
                let users = User::select().with(User::posts.with(Post::comments));
                black_box(users.all(&mut session).await.expect("loads"));
            })
            .await;
            race.theirs(plain_eager(&mut plain)).await;
        }
        race.report();
    }

    async fn inserts(&self) {
        for (rows, rounds) in [(1_000, 40), (10_000, 12)] {
            let name = format!("insert {rows}, keys read back");
            if !self.wants(&name) {
                continue;
            }
            let (sessions, mut plain) = self.database(&format!("insert{rows}")).await;
            let mut race = Race::new(&name, rounds);
            while race.goes_on() {
                clear(&mut plain).await;
                let mut session = sessions.session();
                race.ours(async {
                    for at in 0..rows {
                        session.add(draft!(at));
                    }
                    session.commit().await.expect("commits");
                })
                .await;
                clear(&mut plain).await;
                race.theirs(async {
                    let mut transaction = plain.begin().await.expect("begins");
                    let ids = insert_users(&mut transaction, rows).await;
                    transaction.commit().await.expect("commits");
                    assert_eq!(black_box(ids).len(), rows);
                })
                .await;
            }
            race.report();
        }
    }

    async fn graph(&self) {
        if !self.wants("graph") {
            return;
        }
        let (sessions, mut plain) = self.database("graph").await;
        let mut race = Race::new("graph of 1,000 users x 5 posts", 20);
        while race.goes_on() {
            clear(&mut plain).await;
            let mut session = sessions.session();
            race.ours(async {
                for at in 0..1_000 {
                    let posts = (0..5).map(|n| Post::draft().title(format!("post {n}")).views(n));
                    session.add(draft!(at).posts(posts));
                }
                session.commit().await.expect("commits");
            })
            .await;
            clear(&mut plain).await;
            race.theirs(async {
                let mut transaction = plain.begin().await.expect("begins");
                let ids = insert_users(&mut transaction, 1_000).await;
                let parents: Vec<i64> = ids.iter().flat_map(|id| [*id; 5]).collect();
                insert_posts(&mut transaction, &parents).await;
                transaction.commit().await.expect("commits");
            })
            .await;
        }
        race.report();
    }

    async fn updates(&self) {
        if !self.wants("update") {
            return;
        }
        let (sessions, mut plain) = self.database("updates").await;
        seed_users(&mut plain, 1_000).await;
        let select = format!("SELECT {} FROM users", PlainUser::COLUMNS);
        let mut race = Race::new("load 1,000, change one column each, commit (update)", 30);
        while race.goes_on() {
            let mut session = sessions.session();
            race.ours(async {
                let users = User::select().all(&mut session).await.expect("loads");
                for user in users {
                    session[user].age += 1;
                }
                session.commit().await.expect("commits");
            })
            .await;
            race.theirs(async {
                let rows = sqlx::query(AssertSqlSafe(select.as_str()));
                let rows = rows.fetch_all(&mut plain).await.expect("loads");
                let users: Vec<PlainUser> = rows.iter().map(PlainUser::decode).collect();
                let mut transaction = plain.begin().await.expect("begins");
                for chunk in users.chunks(CHUNK) {
                    let sql = values("WITH v(id, age) AS (VALUES ", 2, chunk.len(), ") UPDATE users SET age = v.age, updated_at = strftime('%Y-%m-%d %H:%M:%f000', 'now') FROM v WHERE users.id = v.id RETURNING id, updated_at");
                    let mut query = sqlx::query(AssertSqlSafe(sql.as_str()));
                    for user in chunk {
                        query = query.bind(user.id).bind(user.age + 1);
                    }
                    let rows = query.fetch_all(&mut *transaction).await.expect("updates");
                    let returned = rows.iter().map(|row| (row.get::<i64, _>(0), row.get::<DateTime<Utc>, _>(1)));
                    black_box(returned.collect::<Vec<_>>());
                }
                transaction.commit().await.expect("commits");
            })
            .await;
        }
        race.report();
    }

    async fn idle_flush(&self) {
        if !self.wants("flush") {
            return;
        }
        let (sessions, mut plain) = self.database("flush").await;
        seed_users(&mut plain, 100_000).await;
        for loaded in [100_u64, 100_000] {
            let mut session = sessions.session();
            let users = User::select().limit(loaded).all(&mut session).await.expect("loads");
            assert_eq!(users.len() as u64, loaded);
            let started = Instant::now();
            for _ in 0..1_000 {
                session.flush().await.expect("flushes");
            }
            let name = format!("flush with {loaded} clean objects loaded");
            println!("{name:<44} {:>9.0}ns", nanoseconds(started, 1_000));
        }
    }
}

// ---------------------------------------------------------------- the other side

async fn plain_connection(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::from_str(&format!("sqlite://{}", path.display()))
        .expect("a path is a URL")
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .foreign_keys(true)
        .statement_cache_capacity(512)
        .row_buffer_size(500)
        .connect()
        .await
        .expect("opens")
}

async fn plain_load(connection: &mut SqliteConnection, sql: &str, expected: i64) {
    use futures_util::TryStreamExt;
    let mut rows = sqlx::query(AssertSqlSafe(sql)).fetch(connection);
    let mut users = Vec::new();
    while let Some(row) = rows.try_next().await.expect("loads") {
        users.push(PlainUser::decode(&row));
    }
    assert_eq!(black_box(users).len() as i64, expected);
}

async fn plain_eager(connection: &mut SqliteConnection) {
    use std::collections::HashMap;
    let list = |ids: &[i64]| vec!["?"; ids.len()].join(", ");
    let sql = format!("SELECT {} FROM users", PlainUser::COLUMNS);
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut *connection).await.expect("loads");
    let users: Vec<PlainUser> = rows.iter().map(PlainUser::decode).collect();
    let ids: Vec<i64> = users.iter().map(|user| user.id).collect();
    let sql = format!(
        "SELECT id, created_at, updated_at, title, views, user_id FROM posts WHERE user_id IN ({}) ORDER BY id",
        list(&ids)
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for id in &ids {
        query = query.bind(id);
    }
    type Post = (i64, DateTime<Utc>, DateTime<Utc>, String, i64, i64);
    let mut posts: HashMap<i64, Vec<Post>> = HashMap::new();
    let mut post_ids = Vec::new();
    for row in query.fetch_all(&mut *connection).await.expect("loads") {
        let post: Post = (row.get(0), row.get(1), row.get(2), row.get(3), row.get(4), row.get(5));
        post_ids.push(post.0);
        posts.entry(post.5).or_default().push(post);
    }
    type Comment = (i64, DateTime<Utc>, DateTime<Utc>, String, i64);
    let mut comments: HashMap<i64, Vec<Comment>> = HashMap::new();
    for chunk in post_ids.chunks(CHUNK) {
        let sql = format!(
            "SELECT id, created_at, updated_at, body, post_id FROM comments WHERE post_id IN ({}) ORDER BY id",
            list(chunk)
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for id in chunk {
            query = query.bind(id);
        }
        for row in query.fetch_all(&mut *connection).await.expect("loads") {
            let comment: Comment = (row.get(0), row.get(1), row.get(2), row.get(3), row.get(4));
            comments.entry(comment.4).or_default().push(comment);
        }
    }
    black_box((users, posts, comments));
}

async fn insert_users(connection: &mut SqliteConnection, rows: usize) -> Vec<i64> {
    let mut ids = Vec::with_capacity(rows);
    for chunk in (0..rows).collect::<Vec<_>>().chunks(CHUNK) {
        let sql = values(
            "INSERT INTO users (name, email, age, score, active) VALUES ",
            5,
            chunk.len(),
            " RETURNING id, created_at, updated_at",
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for at in chunk {
            query = query
                .bind(format!("user {at}"))
                .bind(format!("user{at}@example.org"))
                .bind((at % 90) as i32)
                .bind(*at as f64 / 3.0)
                .bind(at.is_multiple_of(2));
        }
        for row in query.fetch_all(&mut *connection).await.expect("inserts") {
            black_box((row.get::<DateTime<Utc>, _>(1), row.get::<DateTime<Utc>, _>(2)));
            ids.push(row.get(0));
        }
    }
    ids
}

async fn insert_posts(connection: &mut SqliteConnection, parents: &[i64]) {
    for chunk in parents.chunks(CHUNK) {
        let sql = values(
            "INSERT INTO posts (title, views, user_id) VALUES ",
            3,
            chunk.len(),
            " RETURNING id, created_at, updated_at",
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for (at, parent) in chunk.iter().enumerate() {
            query = query.bind(format!("post {at}")).bind(at as i64).bind(parent);
        }
        let rows = query.fetch_all(&mut *connection).await.expect("inserts");
        let returned = rows.iter().map(|row| {
            (row.get::<i64, _>(0), row.get::<DateTime<Utc>, _>(1), row.get::<DateTime<Utc>, _>(2))
        });
        black_box(returned.collect::<Vec<_>>());
    }
}

async fn seed_users(connection: &mut SqliteConnection, rows: usize) {
    let mut transaction = connection.begin().await.expect("begins");
    insert_users(&mut transaction, rows).await;
    transaction.commit().await.expect("commits");
}

async fn clear(connection: &mut SqliteConnection) {
    for table in ["comments", "posts", "users"] {
        let sql = format!("DELETE FROM {table}");
        sqlx::query(AssertSqlSafe(sql)).execute(&mut *connection).await.expect("deletes");
    }
}

/// `head (?, ?), (?, ?) tail`.
fn values(head: &str, columns: usize, rows: usize, tail: &str) -> String {
    let row = format!("({})", vec!["?"; columns].join(", "));
    format!("{head}{}{tail}", vec![row; rows].join(", "))
}

// ---------------------------------------------------------------- measuring

/// Two sides of one measurement, run in turn.
struct Race {
    name: String,
    rounds: usize,
    ours: Vec<Duration>,
    theirs: Vec<Duration>,
}

impl Race {
    fn new(name: &str, rounds: usize) -> Self {
        Self { name: name.to_owned(), rounds, ours: Vec::new(), theirs: Vec::new() }
    }

    /// Whether another round is to be run; the first one warms up and isn't counted.
    fn goes_on(&self) -> bool {
        self.theirs.len() <= self.rounds
    }

    async fn ours(&mut self, work: impl Future<Output = ()>) {
        let started = Instant::now();
        work.await;
        self.ours.push(started.elapsed());
    }

    async fn theirs(&mut self, work: impl Future<Output = ()>) {
        let started = Instant::now();
        work.await;
        self.theirs.push(started.elapsed());
    }

    fn report(self) {
        let (ours, theirs) = (median(&self.ours[1..]), median(&self.theirs[1..]));
        println!(
            "{:<44} {:>9.3}ms {:>9.3}ms {:>7.2}",
            self.name,
            ours.as_secs_f64() * 1e3,
            theirs.as_secs_f64() * 1e3,
            ours.as_secs_f64() / theirs.as_secs_f64(),
        );
    }
}

fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    times[times.len() / 2]
}

fn nanoseconds(started: Instant, times: u32) -> f64 {
    started.elapsed().as_secs_f64() * 1e9 / f64::from(times)
}

/// A folder of the run's own, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("orm-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder for temporary files");
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
