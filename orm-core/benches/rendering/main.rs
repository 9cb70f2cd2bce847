//! What a query costs before the database sees it: building it, rendering its SQL, and taking the
//! text that was rendered before. Prints medians; asserts nothing.
//!
//! ```text
//! cargo bench -p orm-core --bench rendering                      # SQLite
//! cargo bench -p orm-core --features postgres,mysql --bench rendering
//! ```
//!
//! The servers are those of the tests: `ORM_TEST_POSTGRES_URL` and `ORM_TEST_MYSQL_URL`. They are
//! connected to and asked for nothing.

use std::hint::black_box;
use std::time::Instant;

use orm_core::{BelongsTo, Engine, HasMany, Model};

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
    #[orm(back_populates = comment)]
    votes: HasMany<Vote>,
}

#[derive(Model)]
struct Vote {
    stars: i32,
    #[orm(foreign_key = Comment, index)]
    comment_id: i64,
    #[orm(back_populates = votes)]
    comment: BelongsTo<Comment>,
}

/// Three joins and five conditions, as an expression: the type of a query is long.
macro_rules! query {
    () => {
        User::select()
            .join(User::posts)
            .join(Post::comments)
            .join(Comment::votes)
            .filter(User::active.eq(true))
            .filter(User::age.ge(18))
            .filter(Post::views.gt(100))
            .filter(Post::title.contains("engine"))
            .filter(Vote::stars.in_([4, 5]))
            .order_by(User::name.asc())
            .limit(20)
    };
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    run("SQLite", "sqlite::memory:".to_owned()).await;
    #[cfg(feature = "postgres")]
    run("PostgreSQL", url("ORM_TEST_POSTGRES_URL", "postgres://postgres@127.0.0.1:5432/postgres"))
        .await;
    #[cfg(feature = "mysql")]
    run("MariaDB", url("ORM_TEST_MYSQL_URL", "mysql://root@127.0.0.1:3306")).await;
}

#[cfg(any(feature = "postgres", feature = "mysql"))]
fn url(variable: &str, default: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| default.to_owned())
}

async fn run(name: &str, url: String) {
    let engine = Engine::builder(&url).connect().await.expect("the database is there");
    let anew = Engine::builder(&url).query_cache_size(0).connect().await.expect("it is there");
    println!("{name}: {}\n", query!().to_sql(&engine).expect("the query is right"));
    measure("build", || drop(black_box(query!())));
    measure("build and render", || {
        black_box(query!().on(&anew).__render().expect("renders"));
    });
    measure("build and take the text of the cache", || {
        black_box(query!().on(&engine).__render().expect("renders"));
    });
    println!();
}

/// Prints the median of many rounds.
fn measure(name: &str, mut work: impl FnMut()) {
    const ROUNDS: usize = 300;
    const TIMES: u32 = 200;
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let started = Instant::now();
            (0..TIMES).for_each(|_| work());
            started.elapsed().as_secs_f64() * 1e9 / f64::from(TIMES)
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    println!("{name:<44} {:>9.0}ns", rounds[ROUNDS / 2]);
}
