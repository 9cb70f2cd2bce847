//! What transactions see of each other, and what they tell when they collide.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use orm_core::session::{Isolation, Retries};
use orm_core::{Error, Handle, Result, Session};
use orm_tests::{Database, backend_tests};
use tokio::sync::Barrier;

use super::models::*;

/// Two sessions, each of which has both users.
async fn two_sessions(db: &Database) -> Result<[(Session, [Handle<User>; 2]); 2]> {
    committed(db, &["ada", "bob"]).await?;
    Ok([with_both_users(db).await?, with_both_users(db).await?])
}

async fn with_both_users(db: &Database) -> Result<(Session, [Handle<User>; 2])> {
    let mut session = db.session();
    let users = User::select().order_by(User::id.asc()).all(&mut session).await?;
    Ok((session, [users[0], users[1]]))
}

backend_tests! {
    /// SEMANTICS 9.2: a real deadlock. The loser can be told from every other failure, and works
    /// again.
    async fn rule_9_2_a_deadlock_is_retryable(db) {
        if db.capabilities.single_writer {
            // Writers take turns: there is nothing to wait for in a circle.
            return Ok(());
        }
        let [(mut first, of_first), (mut second, of_second)] = two_sessions(&db).await?;
        first[of_first[0]].visits = 1;
        first.flush().await?;
        second[of_second[1]].visits = 2;
        second.flush().await?;
        first[of_first[1]].visits = 1;
        second[of_second[0]].visits = 2;
        let (one, other) = tokio::join!(first.flush(), second.flush());
        let (lost, mut loser, mut winner, users) = match (one, other) {
            (Ok(()), Err(lost)) => (lost, second, first, of_second),
            (Err(lost), Ok(())) => (lost, first, second, of_first),
            both => panic!("one of them loses: {both:?}"),
        };
        assert!(matches!(lost, Error::Serialization(_)) && lost.is_retryable(), "{lost}");
        assert!(matches!(loser.commit().await, Err(Error::RollbackRequired { .. })));
        winner.commit().await?;
        loser.rollback().await?;
        for (id, user) in (1..).zip(users) {
            // What it had read is not to be believed any more.
            assert!(matches!(loser.try_get(user), Err(Error::NotLoaded { .. })));
            assert_eq!(loser.require::<User>(id).await?, user);
            loser[user].visits += 10;
        }
        loser.commit().await?;
        let visits = User::select().columns(User::visits).all(&mut winner).await?;
        assert!(visits == [11, 11] || visits == [12, 12], "{visits:?}");
    }

    /// SEMANTICS 9.1: of two transactions that write what both have read one fails, and its memory
    /// is not believed afterwards (6.4).
    async fn rule_9_1_transactions_that_write_what_both_have_read_collide(db) {
        for isolation in [Isolation::Serializable, Isolation::RepeatableRead] {
            let db = db.with_engine(|engine| engine).await?;
            committed(&db, &["ada"]).await?;
            let sessions = db.sessions.clone().isolation(isolation);
            let (mut first, mut second) = (sessions.session(), sessions.session());
            let ours = first.require::<User>(1).await?;
            let theirs = second.require::<User>(1).await?;
            first[ours].visits += 1;
            second[theirs].visits += 1;
            let (one, other) = tokio::join!(first.commit(), second.commit());
            let (lost, mut loser, handle) = match (one, other) {
                (Ok(()), Err(lost)) => (lost, second, theirs),
                (Err(lost), Ok(())) => (lost, first, ours),
                both => panic!("one of them loses at {isolation:?}: {both:?}"),
            };
            assert!(matches!(lost, Error::Serialization(_)) && lost.is_retryable(), "{lost}");
            loser.rollback().await?;
            loser.require::<User>(1).await?;
            loser[handle].visits += 1;
            loser.commit().await?;
            assert_eq!(User::select().columns(User::visits).on(&db.engine).one().await?, 2);
        }
    }

    /// SEMANTICS 9.1: under repeatable read the first statement begins, and all see what was
    /// committed before it; at read committed each sees what was committed before itself.
    async fn rule_9_1_a_repeatable_read_begins_with_the_first_statement(db) {
        for (isolation, begins, seen) in [
            (Isolation::RepeatableRead, true, 0),
            (Isolation::Serializable, true, 0),
            (Isolation::ReadCommitted, false, 5),
        ] {
            let db = db.with_engine(|engine| engine).await?;
            committed(&db, &["ada"]).await?;
            let log = db.log();
            let mut reader = db.sessions.clone().isolation(isolation).session();
            let ada = reader.require::<User>(1).await?;
            assert_eq!(log.all().first().is_some_and(|first| first == "BEGIN"), begins);
            if isolation == Isolation::Serializable && !db.capabilities.snapshot_when_serializable {
                // Its reads lock what they see.
                continue;
            }
            let mut writer = db.session();
            let theirs = writer.require::<User>(1).await?;
            writer[theirs].visits = 5;
            writer.commit().await?;
            reader.refresh(ada).await?;
            assert_eq!(reader[ada].visits, seen, "{isolation:?}");
            reader.commit().await?;
            reader.refresh(ada).await?;
            assert_eq!(reader[ada].visits, 5);
        }
    }

    /// DESIGN 5: who loses a collision tries again, the commit included, until all have won.
    async fn retry_runs_the_losers_again(db) {
        const SESSIONS: i64 = 4;
        committed(&db, &["ada", "bob"]).await?;
        let retries = Retries::default().tries(50).limit(Duration::from_secs(60));
        let sessions = db.sessions.clone().isolation(Isolation::Serializable).retries(retries);
        let tries = Arc::new(AtomicI64::new(0));
        let all_have_read = Arc::new(Barrier::new(SESSIONS as usize));
        let mut tasks = Vec::new();
        for at in 0..SESSIONS {
            let (sessions, tries) = (sessions.clone(), Arc::clone(&tries));
            let all_have_read = Arc::clone(&all_have_read);
            tasks.push(tokio::spawn(async move {
                let is_first = AtomicBool::new(true);
                sessions
                    .retry(async |mut session| {
                        tries.fetch_add(1, Ordering::Relaxed);
                        if is_first.swap(false, Ordering::Relaxed) {
                            User::select().count(&mut session).await?;
                            all_have_read.wait().await;
                        }
                        // Half of them in the other order: a deadlock, where there are locks.
                        for id in if at % 2 == 0 { [1, 2] } else { [2, 1] } {
                            let user = session.require::<User>(id).await?;
                            session[user].visits += 1;
                            session.flush().await?;
                        }
                        Ok(())
                    })
                    .await
            }));
        }
        for task in tasks {
            task.await.expect("no task panics")?;
        }
        let visits = User::select().columns(User::visits).on(&db.engine).all().await?;
        assert_eq!(visits, [SESSIONS, SESSIONS], "no update is lost");
        assert!(tries.load(Ordering::Relaxed) > SESSIONS, "somebody lost");
    }

    /// DESIGN 5: only collisions are tried again, and not for ever.
    async fn retry_knows_when_to_stop(db) {
        committed(&db, &["ada"]).await?;
        let tries = AtomicI64::new(0);
        let outcome = db.sessions.retry(async |mut session| {
            tries.fetch_add(1, Ordering::Relaxed);
            session.add(user("ada"));
            Ok(())
        });
        assert!(matches!(outcome.await, Err(Error::UniqueViolation(_))));
        assert_eq!(tries.swap(0, Ordering::Relaxed), 1);

        let sessions = db.sessions.clone().retries(Retries::default().tries(3));
        let collision = || Error::Serialization("as if".to_owned());
        let outcome: Result<()> = sessions
            .retry(async |_| {
                tries.fetch_add(1, Ordering::Relaxed);
                Err(collision())
            })
            .await;
        assert!(matches!(outcome, Err(Error::Serialization(_))));
        assert_eq!(tries.swap(0, Ordering::Relaxed), 3);

        let sessions = db.sessions.clone().retries(Retries::default().limit(Duration::ZERO));
        let outcome: Result<()> = sessions
            .retry(async |_| {
                tries.fetch_add(1, Ordering::Relaxed);
                Err(collision())
            })
            .await;
        assert!(outcome.is_err());
        assert_eq!(tries.load(Ordering::Relaxed), 1);
    }
}
