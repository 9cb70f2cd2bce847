//! How much memory a tracked object takes beyond the struct itself, and the peak of going through a
//! million rows by streams and by batches.
//!
//! ```text
//! cargo bench -p orm-core --bench memory                         # SQLite in memory
//! cargo bench -p orm-core --features postgres --bench memory     # and PostgreSQL
//! ```
//!
//! The server is that of the tests: `ORM_TEST_POSTGRES_URL`. What is counted is what Rust allocates:
//! SQLite's own cache, which is bounded too, is not.

use std::mem::size_of;
use std::time::Instant;

use orm_core::{Engine, Entity, Model, Session, SessionFactory, schema};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// A row without heap memory of its own, so that what is counted is the session's.
#[derive(Model)]
#[orm(table = "memory_points")]
struct Point {
    x: i64,
    y: i64,
    weight: f64,
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be built");
    runtime.block_on(async {
        let sqlite = Engine::connect("sqlite::memory:").await.expect("opens");
        fill(&sqlite, 100_000).await;
        tracked_objects(&sqlite).await;
        fill(&sqlite, ROWS).await;
        go_through("SQLite", &sqlite).await;
        #[cfg(feature = "postgres")]
        {
            let url = std::env::var("ORM_TEST_POSTGRES_URL")
                .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/test".to_owned());
            let postgres = Engine::connect(url).await.expect("connects");
            fill(&postgres, ROWS).await;
            go_through("PostgreSQL", &postgres).await;
            postgres.drop_all(&schema![Point]).await.expect("tables are dropped");
        }
    });
}

/// How many rows are gone through.
const ROWS: i64 = 1_000_000;

/// Makes the table anew, with so many rows.
async fn fill(engine: &Engine, rows: i64) {
    engine.drop_all(&schema![Point]).await.expect("tables are dropped");
    engine.create_all(&schema![Point]).await.expect("tables are created");
    let mut session = SessionFactory::new(engine.clone()).session();
    for from in (0..rows).step_by(50_000) {
        let to = rows.min(from + 50_000);
        session.add_all((from..to).map(|at| Point::draft().x(at).y(-at).weight(0.5)));
        session.flush().await.expect("flushes");
        session.expunge_all();
    }
    session.commit().await.expect("commits");
}

/// What a tracked object takes.
async fn tracked_objects(engine: &Engine) {
    println!("{:>10} {:>14} {:>14}", "objects", "struct", "beyond it");
    for objects in [1_000_usize, 10_000, 100_000] {
        let mut session = SessionFactory::new(engine.clone()).session();
        let before = ALLOCATOR.current_usage();
        let handles = Point::select().limit(objects as u64).all(&mut session).await;
        let count = handles.expect("loads").len();
        assert_eq!(count, objects);
        let used = ALLOCATOR.current_usage() - before;
        let own = size_of::<Entity<Point>>();
        println!("{objects:>10} {own:>12} B {:>12.1} B", used as f64 / objects as f64 - own as f64);
    }
}

/// The peak of going through all rows, each way.
async fn go_through(database: &str, engine: &Engine) {
    println!("{:>10} {ROWS} rows {:>18} {:>10}", database, "peak", "seconds");
    let all = || Point::select().order_by(Point::x.asc());

    let measured = Measured::start();
    let mut stream = all().on(engine).stream();
    let mut sum = 0;
    while let Some(point) = stream.next().await {
        sum += point.expect("reads").x;
    }
    measured.print("stream of entities", sum);

    let measured = Measured::start();
    let mut stream = all().columns((Point::x, Point::weight)).on(engine).stream();
    let mut sum = 0;
    while let Some(row) = stream.next().await {
        sum += row.expect("reads").0;
    }
    measured.print("stream of rows", sum);

    let measured = Measured::start();
    let mut session = SessionFactory::new(engine.clone()).session();
    let sum = by_batches(&mut session).await;
    measured.print("batches of 1000", sum);
}

async fn by_batches(session: &mut Session) -> i64 {
    let mut batches = Point::select().batches(1_000);
    let mut sum = 0;
    while let Some(points) = batches.next(session).await.expect("reads") {
        sum += points.iter().map(|point| session[*point].x).sum::<i64>();
        session.expunge_all();
    }
    sum
}

/// The memory and the time of one way through the rows.
struct Measured {
    usage: usize,
    at: Instant,
}

impl Measured {
    fn start() -> Self {
        ALLOCATOR.reset_peak_usage();
        Self { usage: ALLOCATOR.current_usage(), at: Instant::now() }
    }

    fn print(self, what: &str, sum: i64) {
        assert_eq!(sum, ROWS * (ROWS - 1) / 2, "every row once");
        let peak = ALLOCATOR.peak_usage() - self.usage;
        let seconds = self.at.elapsed().as_secs_f64();
        println!("{what:>20} {:>21.1} KiB {seconds:>10.2}", peak as f64 / 1024.0);
    }
}
