//! Futures that are dropped at every poll they have.
//!
//! Each test runs its scenario in databases of its own with one connection, dropping the future
//! after no poll, one, two and so on. The one connection tells whether it came back clean: a second
//! session reads and writes with it.

use std::cell::Cell;
use std::time::Duration;

use orm_core::session::ObjectState;
use orm_core::{Error, Handle, Result, Session};
use orm_tests::{Database, backend_tests};

use super::models::*;

/// How often to drop a future: after no poll, one, two and so on, until it is done by itself a few
/// times, and then from the start again. An answer that comes before it is asked for saves a poll,
/// so that a round may miss a place.
#[derive(Default)]
struct Attempts {
    round: Cell<usize>,
    polls: Cell<usize>,
    /// How often the future was done by itself in this round.
    done: Cell<usize>,
}

impl Attempts {
    /// After how many polls to drop the future this time.
    fn next(&self) -> Option<usize> {
        if self.done.get() == 3 {
            self.round.set(self.round.get() + 1);
            self.polls.set(0);
            self.done.set(0);
        }
        (self.round.get() < 3).then(|| self.polls.get())
    }

    /// Drops the future after so many polls; gives its output if it was ready by then.
    async fn dropped<F: Future>(&self, future: F) -> Option<F::Output> {
        let outcome = dropped_after(self.polls.replace(self.polls.get() + 1), future).await;
        if outcome.is_some() {
            self.done.set(self.done.get() + 1);
        }
        outcome
    }
}

/// A database with one connection, which it is no use to wait long for.
async fn fresh(db: &Database) -> Result<Database> {
    let db = db
        .with_engine(|engine| engine.max_connections(1).acquire_timeout(Duration::from_secs(20)))
        .await?;
    committed(&db, &["ada"]).await?;
    Ok(db)
}

/// A session that has an edited, a deleted and a new object.
struct Work {
    session: Session,
    ada: Handle<User>,
    post: Handle<Post>,
    bob: Handle<User>,
}

async fn work(db: &Database) -> Result<Work> {
    let mut session = db.session();
    let ada = session.require::<User>(1).await?;
    let posts = ada.posts(&mut session).await?;
    session[ada].visits = 5;
    session.delete(posts[0]);
    let bob = session.add(user("bob"));
    Ok(Work { session, ada, post: posts[0], bob })
}

impl Work {
    /// Memory is as it was before anything was flushed.
    #[track_caller]
    fn expect_unflushed(&self) {
        assert_eq!(self.session[self.ada].visits, 5);
        assert_eq!(self.session.state(self.post), ObjectState::Deleted);
        assert_eq!(self.session[self.post].title, "First of ada");
        assert_eq!(self.session.state(self.bob), ObjectState::Pending);
        assert_eq!(self.session.key(self.bob), None);
    }

    /// Memory and the database have the work.
    async fn expect_committed(self, db: &Database) -> Result<()> {
        assert_eq!(self.session[self.ada].visits, 5);
        assert_eq!(self.session.state(self.post), ObjectState::Detached);
        assert_eq!(self.session.state(self.bob), ObjectState::Persistent);
        assert_eq!(self.session[self.bob].id(), 2);
        drop(self);
        expect_free(db, &["ada", "bob"]).await
    }

    /// Memory is as it was at the start of the unit of work, and the database too.
    async fn expect_undone(mut self, db: &Database) -> Result<()> {
        assert_eq!(self.session[self.ada].visits, 0);
        assert_eq!(self.session.state(self.post), ObjectState::Persistent);
        assert_eq!(self.session.state(self.bob), ObjectState::Detached);
        expect_free(db, &["ada"]).await?;
        self.session[self.ada].visits = 6;
        self.session.commit().await?;
        expect_free(db, &["ada", "eve"]).await
    }
}

/// What is called after a commit that was dropped.
#[derive(Clone, Copy)]
enum Next {
    Flush,
    Commit,
    Rollback,
    Get,
}

impl Next {
    const ALL: [Self; 4] = [Self::Flush, Self::Commit, Self::Rollback, Self::Get];

    async fn run(self, session: &mut Session) -> Result<()> {
        match self {
            Self::Flush => session.flush().await,
            Self::Commit => session.commit().await,
            Self::Rollback => session.rollback().await,
            Self::Get => session.get::<User>(2).await.map(drop),
        }
    }
}

/// Drops a commit that has sent its COMMIT, and calls what comes next. Gives whether there was one
/// to drop.
async fn drop_a_sent_commit(db: &Database, next: Next) -> Result<bool> {
    committed(db, &["ada"]).await?;
    let mut work = work(db).await?;
    let log = db.log();
    // An UPDATE, a DELETE, an INSERT, and where it takes one more to learn the time of the update.
    let statements = if db.capabilities.returning_on_update { 3 } else { 4 };
    let mut run = 0;
    // On one thread the task that commits runs when this one has waited for it.
    let dropped = dropped_when(work.session.commit(), || {
        run += log.with_read_backs().len();
        run == statements
    });
    if dropped.await.is_some() {
        return Ok(false);
    }
    assert!(matches!(work.session.try_get(work.ada), Err(Error::CommitPending)));
    let message = panic_message(|| work.session[work.ada].visits);
    assert!(message.contains("COMMIT is still under way"), "{message}");
    assert!(matches!(work.session.plan(), Err(Error::CommitPending)));
    next.run(&mut work.session).await?;
    work.expect_committed(db).await?;
    Ok(true)
}

/// Runs the test in a runtime of one thread, where a task runs only while another waits.
fn on_one_thread<F: Future<Output = Result<()>>>(
    db: Database,
    test: impl FnOnce(Database) -> F + Send,
) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime can be built");
    std::thread::scope(|scope| {
        let thread = scope.spawn(move || runtime.block_on(test(db)));
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// The one connection is free, has no open transaction, and shows these users. Adds `eve`, if she
/// isn't there.
async fn expect_free(db: &Database, expected: &[&str]) -> Result<()> {
    let mut second = db.session();
    assert_eq!(usernames_in(&mut second).await?, expected);
    if !expected.contains(&"eve") {
        second.add(user("eve"));
    }
    second.commit().await
}

backend_tests! {
    /// SEMANTICS 9.4
    async fn rule_9_4_a_dropped_flush_leaves_memory_as_it_was(db) {
        let attempts = Attempts::default();
        while attempts.next().is_some() {
            let db = fresh(&db).await?;
            let mut work = work(&db).await?;
            if let Some(outcome) = attempts.dropped(work.session.flush()).await {
                outcome?;
                continue;
            }
            work.expect_unflushed();
            work.session.rollback().await?;
            work.expect_undone(&db).await?;
        }
    }

    /// SEMANTICS 9.4: without a rollback the flush is run again, or refused, but never half of it.
    async fn rule_9_4_after_a_dropped_flush_all_is_written_or_nothing(db) {
        let attempts = Attempts::default();
        while attempts.next().is_some() {
            let db = fresh(&db).await?;
            let mut work = work(&db).await?;
            if attempts.dropped(work.session.flush()).await.is_some() {
                continue;
            }
            match work.session.commit().await {
                Ok(()) => {
                    assert_eq!(work.session[work.bob].id(), 2);
                    expect_free(&db, &["ada", "bob"]).await?;
                }
                Err(Error::RollbackRequired { first }) => {
                    assert!(first.contains("interrupted"), "{first}");
                    work.expect_unflushed();
                    work.session.rollback().await?;
                    work.expect_undone(&db).await?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// SEMANTICS 9.4: what an earlier flush wrote is lost with the transaction, and not forgotten.
    async fn rule_9_4_a_dropped_flush_loses_the_flushes_before_it(db) {
        let attempts = Attempts::default();
        while let Some(polls) = attempts.next() {
            let db = fresh(&db).await?;
            let mut work = work(&db).await?;
            work.session.flush().await?;
            work.session[work.ada].visits = 7;
            let zoe = work.session.add(user("zoe"));
            if attempts.dropped(work.session.flush()).await.is_some() {
                continue;
            }
            assert_eq!(work.session[work.ada].visits, 7);
            assert_eq!(work.session.state(zoe), ObjectState::Pending);
            if polls > 0 {
                let refused = work.session.commit().await;
                assert!(matches!(refused, Err(Error::RollbackRequired { .. })), "{refused:?}");
            }
            work.session.rollback().await?;
            work.expect_undone(&db).await?;
        }
    }

    /// SEMANTICS 9.4, 9.2: also while it rolls back because of an error of its own.
    async fn rule_9_4_a_failing_flush_that_is_dropped_requires_a_rollback(db) {
        let attempts = Attempts::default();
        while let Some(polls) = attempts.next() {
            let db = fresh(&db).await?;
            let mut work = work(&db).await?;
            work.session.flush().await?;
            work.session.add(user("ada"));
            let outcome = attempts.dropped(work.session.flush()).await;
            let refused = work.session.commit().await;
            assert!(refused.is_err(), "after {polls} polls a part was committed");
            work.session.rollback().await?;
            work.expect_undone(&db).await?;
            if let Some(outcome) = outcome {
                assert!(matches!(outcome, Err(Error::UniqueViolation(_))), "{outcome:?}");
                assert!(matches!(refused, Err(Error::RollbackRequired { .. })), "{refused:?}");
            }
        }
    }

    /// SEMANTICS 9.4: before COMMIT is sent as a flush; after that a rollback can't take it back.
    async fn rule_9_4_a_dropped_commit_is_undone_or_was_sent(db) {
        let attempts = Attempts::default();
        while attempts.next().is_some() {
            let db = fresh(&db).await?;
            let mut work = work(&db).await?;
            if let Some(outcome) = attempts.dropped(work.session.commit()).await {
                outcome?;
                continue;
            }
            let was_sent = matches!(work.session.try_get(work.ada), Err(Error::CommitPending));
            work.session.rollback().await?;
            match was_sent {
                true => work.expect_committed(&db).await?,
                false => work.expect_undone(&db).await?,
            }
        }
    }

    /// SEMANTICS 9.4
    async fn rule_9_4_the_next_call_settles_a_commit_that_was_sent(db) {
        for next in Next::ALL {
            // The answer to a COMMIT may be there before it is asked for: then there is nothing to
            // drop.
            let mut is_settled = false;
            for _ in 0..100 {
                let db = db.with_engine(|engine| engine.max_connections(1)).await?;
                on_one_thread(db, async |db| {
                    is_settled = drop_a_sent_commit(&db, next).await?;
                    Ok(())
                })?;
                if is_settled {
                    break;
                }
            }
            assert!(is_settled, "every COMMIT was answered at once");
        }
    }

    /// SEMANTICS 9.4: the session is not left as if its work were still to be committed.
    async fn rule_9_4_a_dropped_rollback_requires_another(db) {
        let attempts = Attempts::default();
        while let Some(polls) = attempts.next() {
            let db = fresh(&db).await?;
            let mut work = work(&db).await?;
            work.session.flush().await?;
            if let Some(outcome) = attempts.dropped(work.session.rollback()).await {
                outcome?;
                work.expect_undone(&db).await?;
                continue;
            }
            if polls > 0 {
                let refused = work.session.commit().await;
                assert!(matches!(refused, Err(Error::RollbackRequired { .. })), "{refused:?}");
            }
            work.session.rollback().await?;
            work.expect_undone(&db).await?;
        }
    }

    /// SEMANTICS 9.4: a read outside a transaction loses nothing.
    async fn rule_9_4_a_dropped_get_loses_nothing(db) {
        let attempts = Attempts::default();
        while attempts.next().is_some() {
            let db = fresh(&db).await?;
            let mut session = db.session();
            session.autoflush(false);
            let post = session.require::<Post>(1).await?;
            session[post].rank = 3;
            if let Some(found) = attempts.dropped(session.get::<User>(1)).await {
                assert!(found?.is_some());
                continue;
            }
            assert_eq!(session[post].rank, 3);
            let ada = session.require::<User>(1).await?;
            assert_eq!(session[ada].username, "ada");
            session.commit().await?;
            assert_eq!(session[post].rank, 3);
            expect_free(&db, &["ada"]).await?;
        }
    }

    /// SEMANTICS 9.4: a read inside a transaction loses it.
    async fn rule_9_4_a_dropped_get_inside_a_transaction_requires_a_rollback(db) {
        let attempts = Attempts::default();
        while let Some(polls) = attempts.next() {
            let db = fresh(&db).await?;
            let mut work = work(&db).await?;
            work.session.flush().await?;
            if let Some(found) = attempts.dropped(work.session.get::<Post>(77)).await {
                assert_eq!(found?, None);
                continue;
            }
            if polls > 0 {
                let refused = work.session.commit().await;
                assert!(matches!(refused, Err(Error::RollbackRequired { .. })), "{refused:?}");
            }
            work.session.rollback().await?;
            work.expect_undone(&db).await?;
        }
    }

    /// SEMANTICS 9.4: the collection stays unloaded, and is loaded by the next who asks.
    async fn rule_9_4_a_dropped_lazy_load_leaves_the_collection_unloaded(db) {
        let attempts = Attempts::default();
        while attempts.next().is_some() {
            let db = fresh(&db).await?;
            let mut session = db.session();
            let ada = session.require::<User>(1).await?;
            let load = IntoFuture::into_future(ada.posts(&mut session));
            let loaded = attempts.dropped(load).await;
            if let Some(loaded) = loaded {
                assert_eq!(loaded?.len(), 2);
                continue;
            }
            assert_eq!(session[ada].posts.loaded(), None);
            assert_eq!(session[ada].username, "ada");
            assert_eq!(ada.posts(&mut session).await?.len(), 2);
            session.rollback().await?;
            expect_free(&db, &["ada"]).await?;
        }
    }

    /// SEMANTICS 9.4, 3.1: the autoflush of a query is dropped with it.
    async fn rule_9_4_a_dropped_query_that_flushed_first_is_undone(db) {
        let attempts = Attempts::default();
        while attempts.next().is_some() {
            let db = fresh(&db).await?;
            let mut work = work(&db).await?;
            if attempts.dropped(User::select().all(&mut work.session)).await.is_some() {
                continue;
            }
            assert_eq!(work.session[work.ada].visits, 5);
            work.session.rollback().await?;
            work.expect_undone(&db).await?;
        }
    }

    /// SEMANTICS 9.4, 9.8: a transaction is committed as a whole or not at all.
    async fn rule_9_4_a_dropped_transaction_is_committed_whole_or_not_at_all(db) {
        let attempts = Attempts::default();
        while attempts.next().is_some() {
            let db = fresh(&db).await?;
            let work = db.sessions.transaction(async |mut session| {
                session.add(user("bob"));
                session.flush().await?;
                session.add(user("zoe"));
                Ok(())
            });
            let done = attempts.dropped(work).await.is_some();
            let mut second = db.session();
            let names = usernames_in(&mut second).await?;
            assert!(names.len() == 3 || (names.len() == 1 && !done), "{names:?}");
            second.add(user("eve"));
            second.commit().await?;
        }
    }
}
