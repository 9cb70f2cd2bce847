//! What a statement that takes long does to others on the same thread: nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::SOON;
use crate::driver::{Connection, EachRow, Engine, RowSink};
use crate::error::Result;
use crate::sql::Statement;
use crate::value::Cells;

/// Numbers that take long to count.
const NUMBERS: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400000)";

/// Runs a test on a runtime of one thread, as a task of a runtime whose only worker others need
/// too, and where tokio refuses to have a thread stood in for.
fn on_every_ground<F: Future<Output = ()> + Send + 'static>(test: impl Fn() -> F) {
    let mut one = tokio::runtime::Builder::new_current_thread();
    one.enable_all().build().unwrap().block_on(test());
    let mut several = tokio::runtime::Builder::new_multi_thread();
    let several = several.worker_threads(1).enable_all().build().unwrap();
    several.block_on(async { tokio::spawn(test()).await.unwrap() });
    let local = tokio::task::LocalSet::new();
    several.block_on(local.run_until(async { tokio::task::spawn_local(test()).await.unwrap() }));
}

/// A task that counts milliseconds, as well as it can, on the same threads.
struct Ticking(Arc<AtomicU32>, tokio::task::JoinHandle<()>);

impl Ticking {
    fn new() -> Self {
        let ticks = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&ticks);
        let task = tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_millis(1)).await;
                counted.fetch_add(1, Ordering::Relaxed);
            }
        });
        Self(ticks, task)
    }

    fn count(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    /// Expects that it could go on while this was awaited, which took long.
    async fn beside<T>(&self, what: &str, work: impl Future<Output = T>) -> T {
        let (ticks, started) = (self.count(), Instant::now());
        let outcome = work.await;
        let took = started.elapsed();
        let ticks = self.count() - ticks;
        assert!(took > Duration::from_millis(30), "{what} took only {took:?}: it proves nothing");
        // Were it held up, it would have ticked once. How often it could depends on the machine.
        assert!(ticks > 2, "{ticks} ticks while {what} took {took:?}");
        outcome
    }
}

impl Drop for Ticking {
    fn drop(&mut self) {
        self.1.abort();
    }
}

async fn run(connection: &mut Connection, sql: &str) -> u64 {
    let done = connection.run(Statement::plain(sql), &mut ()).await;
    done.unwrap_or_else(|error| panic!("{error} in {sql}")).rows
}

#[test]
fn whatever_takes_long_holds_up_nobody() {
    on_every_ground(|| async {
        let engine = Engine::connect("sqlite::memory:").await.unwrap();
        let mut connection = engine.connection().await.unwrap();
        let ticking = Ticking::new();
        run(&mut connection, "CREATE TABLE t (v INTEGER)").await;
        for time in ["first", "second"] {
            // One step of SQLite's.
            let count = format!("{NUMBERS} SELECT count(*) FROM n");
            ticking.beside(&format!("{time} count"), run(&mut connection, &count)).await;
            // Many rows, the first of which comes at once.
            let mut sum = 0;
            let mut sink = EachRow(|cells: &dyn Cells| {
                sum += cells.int(0).unwrap();
                Ok(())
            });
            let rows = Statement::plain(format!("{NUMBERS} SELECT i FROM n"));
            let read = connection.run(rows, &mut sink);
            let done = ticking.beside(&format!("{time} read"), read).await.unwrap();
            assert_eq!((done.rows, sum), (400_000, 80_000_200_000));
            // A write.
            connection.begin().await.unwrap();
            let insert = format!("INSERT INTO t {NUMBERS} SELECT i FROM n");
            ticking.beside(&format!("{time} insert"), run(&mut connection, &insert)).await;
            connection.commit().await.unwrap();
        }
    });
}

/// A read that is given up and begun again elsewhere loses nothing of its transaction.
#[test]
fn a_long_read_keeps_what_its_transaction_wrote() {
    on_every_ground(|| async {
        let engine = Engine::connect("sqlite::memory:").await.unwrap();
        let mut connection = engine.connection().await.unwrap();
        run(&mut connection, "CREATE TABLE t (v INTEGER)").await;
        connection.begin().await.unwrap();
        run(&mut connection, "INSERT INTO t VALUES (1)").await;
        let mut sink = EachRow(|cells: &dyn Cells| {
            assert_eq!(cells.int(0), Ok(400_001));
            Ok(())
        });
        let count = format!("{NUMBERS} SELECT count(*) + (SELECT count(*) FROM t) FROM n");
        assert_eq!(connection.run(Statement::plain(count), &mut sink).await.unwrap().rows, 1);
        connection.commit().await.unwrap();
        assert_eq!(run(&mut connection, "SELECT v FROM t").await, 1);
    });
}

/// Many statements, each of which is brief, let others run in between.
#[test]
fn many_brief_statements_hold_up_nobody() {
    on_every_ground(|| async {
        let engine = Engine::connect("sqlite::memory:").await.unwrap();
        let mut connection = engine.connection().await.unwrap();
        let ticking = Ticking::new();
        let started = Instant::now();
        while ticking.count() < 20 {
            run(&mut connection, "SELECT 1").await;
            assert!(started.elapsed() < SOON, "{} ticks", ticking.count());
        }
    });
}

/// A statement whose future is dropped is stopped, and its place is free again.
#[test]
fn a_dropped_statement_ends_and_gives_its_place_back() {
    on_every_ground(|| async {
        let engine = super::engine("sqlite::memory:", 1).await;
        let mut connection = engine.connection().await.unwrap();
        run(&mut connection, "CREATE TABLE t (v INTEGER)").await;
        connection.begin().await.unwrap();
        run(&mut connection, "INSERT INTO t VALUES (1)").await;
        let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) \
                       SELECT i FROM n";
        let mut count = 0;
        let mut sink = EachRow(|_: &dyn Cells| {
            count += 1;
            Ok(())
        });
        let mut pausing = Pausing(&mut sink);
        let reading = connection.run(Statement::plain(endless), &mut pausing);
        assert!(tokio::time::timeout(Duration::from_millis(50), reading).await.is_err());
        assert!(count > 0);
        drop(connection);
        let again = tokio::time::timeout(SOON, engine.connection()).await;
        let mut connection = again.expect("it ends").unwrap();
        let mut rows = 7;
        let mut sink = EachRow(|cells: &dyn Cells| {
            rows = cells.int(0).unwrap();
            Ok(())
        });
        connection.run(Statement::plain("SELECT count(*) FROM t"), &mut sink).await.unwrap();
        assert_eq!(rows, 0, "it was rolled back");
        connection.begin().await.unwrap();
    });
}

/// A sink that may pause, as that of a stream.
struct Pausing<'s>(&'s mut dyn RowSink);

impl RowSink for Pausing<'_> {
    fn row(&mut self, cells: &dyn Cells) -> Result<()> {
        self.0.row(cells)
    }
    fn pauses(&self) -> bool {
        true
    }
}
