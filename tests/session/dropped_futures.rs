//! Futures that are dropped at every poll they have.
//!
//! Each test runs its scenario in a database of its own with one connection, once for every number
//! of polls after which the future is dropped, until one number is enough for it to end. The one
//! connection tells whether it came back clean: a second session reads and writes with it.

use std::time::Duration;

use orm_core::session::ObjectState;
use orm_core::{Error, Handle, Result, Session};
use orm_tests::{Database, backend_tests};

use super::models::*;

/// More polls than any of these futures has.
const ENOUGH: usize = 500;

/// A database with one connection, which it is no use to wait long for.
async fn fresh(db: &Database) -> Result<Database> {
    let db = db
        .with_engine(|engine| {
            engine.max_connections(1).acquire_timeout(Duration::from_secs(20))
        })
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
        for polls in 0..ENOUGH {
            let db = fresh(&db).await?;
            let mut work = work(&db).await?;
            if let Some(outcome) = dropped_after(polls, work.session.flush()).await {
                assert!(polls > 1, "a flush of several statements waits for them");
                return outcome;
            }
            work.expect_unflushed();
            work.session.rollback().await?;
            work.expect_undone(&db).await?;
        }
        panic!("the flush never ended");
    }

    /// SEMANTICS 9.4: without a rollback the flush is run again, or refused, but never half of it.
    async fn rule_9_4_after_a_dropped_flush_all_is_written_or_nothing(db) {
        for polls in 0..ENOUGH {
            let db = fresh(&db).await?;
            let mut work = work(&db).await?;
            if dropped_after(polls, work.session.flush()).await.is_some() {
                return Ok(());
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
        panic!("the flush never ended");
    }

    /// SEMANTICS 9.4: what an earlier flush wrote is lost with the transaction, and not forgotten.
    async fn rule_9_4_a_dropped_flush_loses_the_flushes_before_it(db) {
        for polls in 0..ENOUGH {
            let db = fresh(&db).await?;
            let mut work = work(&db).await?;
            work.session.flush().await?;
            work.session[work.ada].visits = 7;
            let zoe = work.session.add(user("zoe"));
            if dropped_after(polls, work.session.flush()).await.is_some() {
                return Ok(());
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
        panic!("the flush never ended");
    }

    /// SEMANTICS 9.4, 9.2: also while it rolls back because of an error of its own.
    async fn rule_9_4_a_failing_flush_that_is_dropped_requires_a_rollback(db) {
        for polls in 0..ENOUGH {
            let db = fresh(&db).await?;
            let mut work = work(&db).await?;
            work.session.flush().await?;
            work.session.add(user("ada"));
            let outcome = dropped_after(polls, work.session.flush()).await;
            let refused = work.session.commit().await;
            assert!(refused.is_err(), "after {polls} polls a part was committed");
            work.session.rollback().await?;
            work.expect_undone(&db).await?;
            if let Some(outcome) = outcome {
                assert!(matches!(outcome, Err(Error::UniqueViolation(_))), "{outcome:?}");
                assert!(matches!(refused, Err(Error::RollbackRequired { .. })), "{refused:?}");
                return Ok(());
            }
        }
        panic!("the flush never ended");
    }

    /// SEMANTICS 9.4: before COMMIT is sent as a flush; after that the next call settles it.
    async fn rule_9_4_a_dropped_commit_is_undone_or_settled_by_the_next_call(db) {
        let (mut undone, mut settled) = (0, 0);
        for polls in 0..ENOUGH {
            let db = fresh(&db).await?;
            let mut work = work(&db).await?;
            if dropped_after(polls, work.session.commit()).await.is_some() {
                assert!(undone > 0 && settled > 0, "{undone} undone, {settled} settled");
                return Ok(());
            }
            if matches!(work.session.try_get(work.ada), Err(Error::CommitPending)) {
                settled += 1;
                let message = panic_message(|| work.session[work.ada].visits);
                assert!(message.contains("COMMIT is still under way"), "{message}");
                assert!(matches!(work.session.plan(), Err(Error::CommitPending)));
                work.session.flush().await?;
                assert_eq!(work.session[work.bob].id(), 2);
                assert_eq!(work.session[work.ada].visits, 5);
                assert_eq!(work.session.state(work.post), ObjectState::Detached);
                expect_free(&db, &["ada", "bob"]).await?;
            } else {
                undone += 1;
                work.session.rollback().await?;
                work.expect_undone(&db).await?;
            }
        }
        panic!("the commit never ended");
    }

    /// SEMANTICS 9.4: a rollback can't take back a COMMIT that was sent; it settles it.
    async fn rule_9_4_a_rollback_after_a_dropped_commit_settles_it(db) {
        for polls in 0..ENOUGH {
            let db = fresh(&db).await?;
            let mut work = work(&db).await?;
            if dropped_after(polls, work.session.commit()).await.is_some() {
                return Ok(());
            }
            let was_sent = matches!(work.session.try_get(work.ada), Err(Error::CommitPending));
            work.session.rollback().await?;
            if was_sent {
                assert_eq!(work.session.state(work.bob), ObjectState::Persistent);
                assert_eq!(work.session[work.ada].visits, 5);
                expect_free(&db, &["ada", "bob"]).await?;
            } else {
                work.expect_undone(&db).await?;
            }
        }
        panic!("the commit never ended");
    }

    /// SEMANTICS 9.4: the session is not left as if its work were still to be committed.
    async fn rule_9_4_a_dropped_rollback_requires_another(db) {
        for polls in 0..ENOUGH {
            let db = fresh(&db).await?;
            let mut work = work(&db).await?;
            work.session.flush().await?;
            if let Some(outcome) = dropped_after(polls, work.session.rollback()).await {
                outcome?;
                return work.expect_undone(&db).await;
            }
            if polls > 0 {
                let refused = work.session.commit().await;
                assert!(matches!(refused, Err(Error::RollbackRequired { .. })), "{refused:?}");
            }
            work.session.rollback().await?;
            work.expect_undone(&db).await?;
        }
        panic!("the rollback never ended");
    }

    /// SEMANTICS 9.4: a read outside a transaction loses nothing.
    async fn rule_9_4_a_dropped_get_loses_nothing(db) {
        for polls in 0..ENOUGH {
            let db = fresh(&db).await?;
            let mut session = db.session();
            session.autoflush(false);
            let post = session.require::<Post>(1).await?;
            session[post].rank = 3;
            if let Some(found) = dropped_after(polls, session.get::<User>(1)).await {
                assert!(found?.is_some());
                return Ok(());
            }
            assert_eq!(session[post].rank, 3);
            let ada = session.require::<User>(1).await?;
            assert_eq!(session[ada].username, "ada");
            session.commit().await?;
            assert_eq!(session[post].rank, 3);
            expect_free(&db, &["ada"]).await?;
        }
        panic!("the query never ended");
    }

    /// SEMANTICS 9.4: a read inside a transaction loses it.
    async fn rule_9_4_a_dropped_get_inside_a_transaction_requires_a_rollback(db) {
        for polls in 0..ENOUGH {
            let db = fresh(&db).await?;
            let mut work = work(&db).await?;
            work.session.flush().await?;
            if let Some(found) = dropped_after(polls, work.session.get::<Post>(77)).await {
                assert_eq!(found?, None);
                return Ok(());
            }
            if polls > 0 {
                let refused = work.session.commit().await;
                assert!(matches!(refused, Err(Error::RollbackRequired { .. })), "{refused:?}");
            }
            work.session.rollback().await?;
            work.expect_undone(&db).await?;
        }
        panic!("the query never ended");
    }

    /// SEMANTICS 9.4: the collection stays unloaded, and is loaded by the next who asks.
    async fn rule_9_4_a_dropped_lazy_load_leaves_the_collection_unloaded(db) {
        for polls in 0..ENOUGH {
            let db = fresh(&db).await?;
            let mut session = db.session();
            let ada = session.require::<User>(1).await?;
            let load = IntoFuture::into_future(ada.posts(&mut session));
            let loaded = dropped_after(polls, load).await;
            if let Some(loaded) = loaded {
                assert_eq!(loaded?.len(), 2);
                return Ok(());
            }
            assert_eq!(session[ada].posts.loaded(), None);
            assert_eq!(session[ada].username, "ada");
            assert_eq!(ada.posts(&mut session).await?.len(), 2);
            session.rollback().await?;
            expect_free(&db, &["ada"]).await?;
        }
        panic!("the load never ended");
    }

    /// SEMANTICS 9.4, 3.1: the autoflush of a query is dropped with it.
    async fn rule_9_4_a_dropped_query_that_flushed_first_is_undone(db) {
        for polls in 0..ENOUGH {
            let db = fresh(&db).await?;
            let mut work = work(&db).await?;
            if dropped_after(polls, User::select().all(&mut work.session)).await.is_some() {
                return Ok(());
            }
            assert_eq!(work.session[work.ada].visits, 5);
            work.session.rollback().await?;
            work.expect_undone(&db).await?;
        }
        panic!("the query never ended");
    }

    /// SEMANTICS 9.4, 9.8: a transaction is committed as a whole or not at all.
    async fn rule_9_4_a_dropped_transaction_is_committed_whole_or_not_at_all(db) {
        for polls in 0..ENOUGH {
            let db = fresh(&db).await?;
            let work = db.sessions.transaction(async |mut session| {
                session.add(user("bob"));
                session.flush().await?;
                session.add(user("zoe"));
                Ok(())
            });
            let done = dropped_after(polls, work).await.is_some();
            let mut second = db.session();
            let names = usernames_in(&mut second).await?;
            assert!(names.len() == 3 || (names.len() == 1 && !done), "{names:?}");
            second.add(user("eve"));
            second.commit().await?;
            if done {
                return Ok(());
            }
        }
        panic!("the transaction never ended");
    }
}
