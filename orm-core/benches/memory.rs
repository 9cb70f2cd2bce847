//! How much memory a tracked object takes beyond the struct itself.
//!
//! ```text
//! cargo bench -p orm-core --bench memory
//! ```

use std::mem::size_of;

use orm_core::{Engine, Entity, Model, SessionFactory, schema};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// A row without heap memory of its own, so that what is counted is the session's.
#[derive(Model)]
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
        let engine = Engine::connect("sqlite::memory:").await.expect("opens");
        engine.create_all(&schema![Point]).await.expect("tables are created");
        let sessions = SessionFactory::new(engine);
        let mut session = sessions.session();
        for at in 0..100_000 {
            session.add(Point::draft().x(at).y(-at).weight(0.5));
        }
        session.commit().await.expect("commits");
        drop(session);

        println!("{:>10} {:>14} {:>14}", "objects", "struct", "beyond it");
        for objects in [1_000_usize, 10_000, 100_000] {
            let mut session = sessions.session();
            let before = ALLOCATOR.current_usage();
            let handles = Point::select().limit(objects as u64).all(&mut session).await;
            let count = handles.expect("loads").len();
            assert_eq!(count, objects);
            let used = ALLOCATOR.current_usage() - before;
            let own = size_of::<Entity<Point>>();
            println!(
                "{objects:>10} {own:>12} B {:>12.1} B",
                used as f64 / objects as f64 - own as f64
            );
        }
    });
}
