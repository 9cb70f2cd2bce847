//! The session beside hand-written rusqlite (SQLite) or sqlx: both sides interleaved in one process, on the same
//! database with the same connection settings. Prints medians and the ratio of the medians;
//! asserts nothing.
//!
//! ```text
//! cargo bench -p orm-core --bench session                        # SQLite
//! cargo bench -p orm-core --features postgres,mysql --bench session
//! cargo bench -p orm-core … --bench session -- postgres insert   # one database, and what contains a word
//! ```
//!
//! The servers are those of the tests: `ORM_TEST_POSTGRES_URL` and `ORM_TEST_MYSQL_URL`.

mod by_hand;

use std::future::Future;
use std::hint::black_box;
use std::marker::PhantomData;
use std::time::{Duration, Instant};

use by_hand::ByHand;
use orm_core::{BelongsTo, HasMany, Model, SessionFactory};

#[derive(Model)]
struct User {
    name: String,
    email: String,
    age: i32,
    score: f64,
    active: bool,
    #[orm(back_populates = user, cascade = "all")]
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
    #[orm(back_populates = post, cascade = "all")]
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

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let (databases, wanted): (Vec<String>, Vec<String>) =
        words.into_iter().partition(|word| ["sqlite", "postgres", "mariadb"].contains(&&**word));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime can be built");
    runtime.block_on(async {
        let runs = |name: &str| databases.is_empty() || databases.iter().any(|word| word == name);
        if runs("sqlite") {
            run::<by_hand::Sqlite>("SQLite", &wanted).await;
        }
        #[cfg(feature = "postgres")]
        if runs("postgres") {
            run::<by_hand::Postgres>("PostgreSQL", &wanted).await;
        }
        #[cfg(feature = "mysql")]
        if runs("mariadb") {
            run::<by_hand::MariaDb>("MariaDB", &wanted).await;
        }
    });
}

async fn run<H: ByHand>(name: &str, wanted: &[String]) {
    println!("{name:<44} {:>11} {:>11} {:>7}", "orm", H::LIBRARY, "ratio");
    let bench = Bench::<H> { wanted: wanted.to_vec(), by_hand: PhantomData };
    bench.loads().await;
    bench.joins().await;
    bench.gets().await;
    bench.eager().await;
    bench.pages().await;
    bench.aggregates().await;
    bench.inserts().await;
    bench.graph().await;
    bench.updates().await;
    bench.deletes().await;
    bench.idle_flush().await;
}

/// The races on one database, against the hand-written side `H`.
struct Bench<H> {
    wanted: Vec<String>,
    by_hand: PhantomData<H>,
}

impl<H: ByHand> Bench<H> {
    fn wants(&self, name: &str) -> bool {
        self.wanted.is_empty() || self.wanted.iter().any(|word| name.contains(word.as_str()))
    }

    /// An empty database with the schema, dropped with the hand-written side.
    async fn database(&self) -> (SessionFactory, H) {
        let (engine, plain) = H::open().await;
        (SessionFactory::new(engine), plain)
    }

    async fn loads(&self) {
        if !self.wants("load") {
            return;
        }
        let (sessions, mut plain) = self.database().await;
        plain.insert_users(10_000).await;
        for (rows, rounds) in [(1_i64, 2_000), (100, 500), (10_000, 40)] {
            let query = || User::select().limit(rows as u64);
            let mut race = Race::new(&format!("load {rows}, untracked"), rounds);
            while race.goes_on() {
                race.ours(async {
                    let users = query().on(sessions.engine()).all().await.expect("loads");
                    assert_eq!(black_box(users).len(), rows as usize);
                })
                .await;
                race.theirs(async {
                    assert_eq!(black_box(plain.load(rows).await).len(), rows as usize);
                })
                .await;
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
                race.theirs(async {
                    assert_eq!(black_box(plain.load(rows).await).len(), rows as usize);
                })
                .await;
            }
            race.report();
        }
    }

    async fn gets(&self) {
        if !self.wants("get") {
            return;
        }
        let (sessions, mut plain) = self.database().await;
        plain.insert_users(1_000).await;
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
                    black_box(plain.get(id).await);
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
        let (sessions, mut plain) = self.database().await;
        plain.insert_users(100).await;
        plain.insert_posts(&(0..1_000).map(|at| at / 10 + 1).collect::<Vec<_>>()).await;
        plain.insert_comments(&(0..10_000).map(|at| at / 10 + 1).collect::<Vec<_>>()).await;
        let mut race = Race::new("eager load 100 x 10 x 10, tracked", 30);
        while race.goes_on() {
            let mut session = sessions.session();
            race.ours(async {
                let users = User::select().with(User::posts.with(Post::comments));
                black_box(users.all(&mut session).await.expect("loads"));
            })
            .await;
            race.theirs(async {
                black_box(plain.eager().await);
            })
            .await;
        }
        race.report();
        let mut race = Race::new("eager load 100 x 10 x 10, joined, tracked", 30);
        while race.goes_on() {
            let mut session = sessions.session();
            race.ours(async {
                let posts = User::posts.joined().with(Post::comments.joined());
                let users = User::select().order_by(User::id.asc()).with(posts);
                black_box(users.all(&mut session).await.expect("loads"));
            })
            .await;
            race.theirs(async {
                black_box(plain.eager_joined().await);
            })
            .await;
        }
        race.report();
    }

    async fn pages(&self) {
        if !self.wants("page") {
            return;
        }
        let (sessions, mut plain) = self.database().await;
        plain.insert_users(1_000).await;
        plain.insert_posts(&(0..10_000).map(|at| at / 10 + 1).collect::<Vec<_>>()).await;
        let query = || {
            User::select()
                .filter(User::active.eq(true) & User::age.lt(40))
                .order_by((User::name.asc(), User::id.asc()))
                .limit(20)
                .offset(20)
                .with(User::posts)
        };
        let mut race = Race::new("filtered page of 20 with posts, tracked", 300);
        while race.goes_on() {
            let mut session = sessions.session();
            race.ours(async {
                assert_eq!(query().all(&mut session).await.expect("loads").len(), 20);
            })
            .await;
            race.theirs(async {
                assert_eq!(plain.page().await.0.len(), 20);
            })
            .await;
        }
        race.report();
    }

    async fn aggregates(&self) {
        if !self.wants("aggregate") {
            return;
        }
        let (sessions, mut plain) = self.database().await;
        plain.insert_users(100_000).await;
        let mut race = Race::new("aggregate over 100,000 rows", 20);
        while race.goes_on() {
            let mut session = sessions.session();
            race.ours(async {
                let ages = User::select()
                    .filter(User::active.eq(true))
                    .group_by(User::age)
                    .order_by(User::age.asc())
                    .columns((User::age, User::id.count(), User::score.avg(), User::id.max()));
                assert_eq!(black_box(ages.all(&mut session).await.expect("loads")).len(), 45);
            })
            .await;
            race.theirs(async {
                assert_eq!(black_box(plain.aggregate().await).len(), 45);
            })
            .await;
        }
        race.report();
    }

    async fn inserts(&self) {
        for (rows, rounds) in [(1, 500), (100, 200), (1_000, 40), (10_000, 12)] {
            let name = format!("insert {rows}, keys read back");
            if !self.wants(&name) {
                continue;
            }
            let (sessions, mut plain) = self.database().await;
            let mut race = Race::new(&name, rounds);
            while race.goes_on() {
                plain.clear().await;
                let mut session = sessions.session();
                race.ours(async {
                    for at in 0..rows {
                        session.add(draft!(at));
                    }
                    session.commit().await.expect("commits");
                })
                .await;
                plain.clear().await;
                race.theirs(async {
                    assert_eq!(black_box(plain.insert_users(rows).await).len(), rows);
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
        let (sessions, mut plain) = self.database().await;
        let mut race = Race::new("graph of 1,000 users x 5 posts", 20);
        while race.goes_on() {
            plain.clear().await;
            let mut session = sessions.session();
            race.ours(async {
                for at in 0..1_000 {
                    let posts = (0..5).map(|n| Post::draft().title(format!("post {n}")).views(n));
                    session.add(draft!(at).posts(posts));
                }
                session.commit().await.expect("commits");
            })
            .await;
            plain.clear().await;
            race.theirs(async {
                plain.insert_graph(1_000, 5).await;
            })
            .await;
        }
        race.report();
    }

    async fn updates(&self) {
        if !self.wants("update") {
            return;
        }
        let (sessions, mut plain) = self.database().await;
        plain.insert_users(1_000).await;
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
                let users = plain.load(1_000).await;
                plain.update_ages(&users).await;
            })
            .await;
        }
        race.report();
    }

    async fn joins(&self) {
        if !self.wants("join 1,000") {
            return;
        }
        let (sessions, mut plain) = self.database().await;
        plain.insert_users(1_000).await;
        plain.insert_posts(&(1..=1_000).collect::<Vec<_>>()).await;
        let mut race = Race::new("join 1,000, two columns", 200);
        while race.goes_on() {
            let mut session = sessions.session();
            race.ours(async {
                let rows = Post::select().join(Post::user).limit(1_000);
                let rows = rows.columns((Post::title, User::name)).all(&mut session).await;
                assert_eq!(black_box(rows.expect("loads")).len(), 1_000);
            })
            .await;
            race.theirs(async {
                assert_eq!(black_box(plain.join(1_000).await).len(), 1_000);
            })
            .await;
        }
        race.report();
    }

    async fn deletes(&self) {
        if !self.wants("delete") {
            return;
        }
        let (sessions, mut plain) = self.database().await;
        let mut race = Race::new("delete 200 users, 5 posts each, 2 comments on each", 20);
        while race.goes_on() {
            for is_ours in [true, false] {
                plain.clear().await;
                let mut session = sessions.session();
                let mut users = Vec::new();
                for at in 0..200 {
                    let comments = || (0..2).map(|n| Comment::draft().body(format!("{n}")));
                    let posts =
                        (0..5).map(|n| Post::draft().title("x").views(n).comments(comments()));
                    users.push(session.add(draft!(at).posts(posts)));
                }
                session.commit().await.expect("commits");
                let keys: Vec<i64> = users.iter().map(|user| session[*user].id()).collect();
                if !is_ours {
                    race.theirs(plain.delete_users(&keys)).await;
                    continue;
                }
                let mut session = sessions.session();
                let loaded = User::select().all(&mut session).await.expect("loads");
                race.ours(async {
                    for user in loaded {
                        session.delete(user);
                    }
                    session.commit().await.expect("commits");
                })
                .await;
            }
        }
        race.report();
    }

    async fn idle_flush(&self) {
        if !self.wants("flush") {
            return;
        }
        let (sessions, mut plain) = self.database().await;
        plain.insert_users(100_000).await;
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
