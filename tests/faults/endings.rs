//! Sessions and runtimes that end while something is under way.

use std::future::Future;
use std::pin::Pin;
use std::thread;

use orm_core::{Error, Result};
use orm_tests::EngineOptions;
use orm_tests::{Database, backend_tests, dropped_after};
use tokio::runtime::{Builder, Runtime};

use super::polls::rounds;
use super::work::{
    Call, Order, Start, Work, add_order, create, shown, with_one_connection, within,
};

/// What is called when everything ends.
const ENDS: [(Start, Call); 4] = [
    (Start::Edited, Call::Flush),
    (Start::Edited, Call::Commit),
    (Start::Flushed, Call::Query),
    (Start::Flushed, Call::Rollback),
];

/// Runs something in a thread that is in no runtime, and waits for it.
fn outside<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let joined = scope.spawn(run).join();
        joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// The session is gone. The database has all of its work, if it may have committed, or nothing,
/// and its connection is free.
async fn expect_gone(db: &Database, work: Ended, may_be_committed: bool) -> Result<()> {
    let mut second = db.session();
    add_order(&mut second, work.number + 8, &["by another session"]);
    within("another session", second.commit()).await?;
    db.expect_no_transaction().await;
    let mut rows = shown(&db.engine, work.number).await?;
    assert_eq!(rows.pop(), Some((work.number + 8, 0, 1)));
    assert!(rows == work.before || (may_be_committed && rows == work.after), "{rows:?}");
    Ok(())
}

/// What is known of a unit of work whose session is gone.
struct Ended {
    number: i64,
    before: Vec<(i64, i64, i64)>,
    after: Vec<(i64, i64, i64)>,
}

impl Ended {
    fn of(work: &Work, start: Start) -> Self {
        let (before, after) = (work.rows_before(), work.rows_after(start));
        Self { number: work.number, before, after }
    }
}

fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime can be built")
}

fn several_threads() -> Runtime {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
    runtime.expect("a runtime can be built")
}

/// A call in a runtime that ends after so many polls of it. The session lives on in another.
async fn with_its_runtime(
    db: &Database,
    runtime: fn() -> Runtime,
    (start, call): (Start, Call),
) -> Result<()> {
    let db = &with_one_connection(db).await?;
    rounds(1, async |polls, number| {
        let mut work = Work::start(db, db, number, start).await?;
        let outcome = outside(|| {
            let runtime = runtime();
            let outcome = runtime.block_on(dropped_after(polls, work.call(call, db)));
            runtime.shutdown_background();
            outcome
        });
        let is_finished = outcome.transpose()?.is_some();
        let is_committing = work.is_committing();
        let rolled_back = within("the rollback", work.session.rollback()).await;
        // The server may be about to commit what nobody waits for.
        db.expect_no_transaction().await;
        let rows = shown(&db.engine, number).await?;
        match rolled_back {
            Ok(()) => {
                let is_committed = (is_finished && call == Call::Commit) || is_committing;
                let expected =
                    if is_committed { work.rows_after(start) } else { work.rows_before() };
                assert_eq!(rows, expected, "after {polls} polls");
                work.expect_settled(is_committed, start, false);
            }
            Err(Error::CommitOutcomeUnknown(_)) if is_committing => {
                assert!(rows == work.rows_before() || rows == work.rows_after(start), "{rows:?}");
                work.expect_expired();
            }
            Err(error) => return Err(error),
        }
        work.expect_working(&rows, db).await?;
        Ok(is_finished)
    })
    .await
    .map(drop)
}

backend_tests! {
    /// SEMANTICS 9.4, 9.8
    async fn rule_9_8_a_session_is_dropped_with_its_call(db) {
        let db = &with_one_connection(&db).await?;
        for (start, call) in ENDS {
            rounds(1, async |polls, number| {
                let number = number + call as i64 * 100_000;
                let mut work = Work::start(db, db, number, start).await?;
                let outcome = dropped_after(polls, work.call(call, db)).await;
                let ended = Ended::of(&work, start);
                drop(work);
                expect_gone(db, ended, call == Call::Commit).await?;
                Ok(outcome.transpose()?.is_some())
            })
            .await?;
        }
    }

    /// SEMANTICS 9.8: where nothing can be awaited, the connection is closed.
    async fn rule_9_8_a_session_is_dropped_outside_a_runtime(db) {
        let db = &with_one_connection(&db).await?;
        let starts = [Start::Released, Start::Clean, Start::Edited, Start::Flushed];
        for (number, start) in (0..).step_by(10).zip(starts) {
            let work = Work::start(db, db, number, start).await?;
            let ended = Ended::of(&work, start);
            outside(move || drop(work));
            expect_gone(db, ended, false).await?;
        }
    }

    /// SEMANTICS 9.4, 9.8
    async fn rule_9_8_a_session_is_dropped_with_its_call_outside_a_runtime(db) {
        let db = &with_one_connection(&db).await?;
        for (start, call) in ENDS {
            rounds(1, async |polls, number| {
                let number = number + call as i64 * 100_000;
                let mut work = Work::start(db, db, number, start).await?;
                let ended = Ended::of(&work, start);
                let future = async move { work.call(call, db).await };
                let mut future: Pin<Box<dyn Future<Output = Result<()>> + Send>> = Box::pin(future);
                let outcome = dropped_after(polls, future.as_mut()).await;
                outside(move || drop(future));
                expect_gone(db, ended, call == Call::Commit).await?;
                Ok(outcome.transpose()?.is_some())
            })
            .await?;
        }
    }

    /// SEMANTICS 9.4: tasks of a runtime that ends are dropped wherever they are.
    async fn rule_9_4_a_runtime_of_one_thread_ends_with_a_flush(db) {
        with_its_runtime(&db, one_thread, (Start::Edited, Call::Flush)).await?;
    }

    /// SEMANTICS 9.4
    async fn rule_9_4_a_runtime_of_one_thread_ends_with_a_commit(db) {
        with_its_runtime(&db, one_thread, (Start::Flushed, Call::Commit)).await?;
    }

    /// SEMANTICS 9.4
    async fn rule_9_4_a_runtime_of_several_threads_ends_with_a_flush(db) {
        with_its_runtime(&db, several_threads, (Start::EditedAgain, Call::Flush)).await?;
    }

    /// SEMANTICS 9.4
    async fn rule_9_4_a_runtime_of_several_threads_ends_with_a_commit(db) {
        with_its_runtime(&db, several_threads, (Start::Edited, Call::Commit)).await?;
    }

    /// A connection can't outlive the runtime that opened it: using it is an error, as if it were
    /// lost, but where the server is so fast that its answer needn't be waited for. No slot is
    /// lost.
    async fn connections_of_a_runtime_that_has_ended_are_replaced(db) {
        const CONNECTIONS: usize = 3;
        const MOST_ERRORS: usize = 20;
        let options = |engine: EngineOptions| engine.max_connections(CONNECTIONS as u32);
        let db = &db.with_engine(options).await?;
        create(db).await?;
        let hold = async || {
            let mut sessions: Vec<_> = (0..CONNECTIONS).map(|_| db.session()).collect();
            for session in &mut sessions {
                within("a free slot", Order::select().count(session)).await?;
            }
            Ok(())
        };
        outside(|| one_thread().block_on(hold()))?;
        for _ in 0..MOST_ERRORS {
            match hold().await {
                Ok(()) => return Ok(()),
                Err(Error::Connection(_)) => {}
                Err(error) => return Err(error),
            }
        }
        panic!("a slot is lost");
    }
}
