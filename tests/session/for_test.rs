//! `SessionFactory::for_test`: transactions that nobody else sees and that leave nothing behind.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use orm_core::session::ObjectState;
use orm_core::{Error, Result, SessionFactory};
use orm_tests::{Database, backend_tests};

use super::models::*;

/// A database with a user, in which waiting ends soon.
async fn seeded(db: &Database) -> Result<Database> {
    let db = db.with_engine(|engine| engine.acquire_timeout(Duration::from_millis(300))).await?;
    committed(&db, &["ada"]).await?;
    Ok(db)
}

/// What another connection sees.
async fn seen(db: &Database) -> Result<Vec<String>> {
    usernames(db).await
}

/// Adds a user in a session of its own.
async fn sign_up(sessions: &SessionFactory, name: &'static str) -> Result<()> {
    sessions
        .transaction(async |mut session| {
            session.add(user(name));
            session.flush().await
        })
        .await
}

backend_tests! {
    /// SEMANTICS 9.5
    async fn rule_9_5_what_a_test_commits_is_gone_behind_it(db) {
        let db = seeded(&db).await?;
        let log = db.log();
        let sessions = SessionFactory::for_test(&db.engine).await?;
        assert_eq!(log.all(), ["BEGIN"]);
        sign_up(&sessions, "bob").await?;
        assert_eq!(
            log.all(),
            ["SAVEPOINT orm_0", "INSERT users", "RELEASE SAVEPOINT orm_0"],
            "a commit is a savepoint",
        );
        let mut session = sessions.session();
        assert_eq!(usernames_in(&mut session).await?, ["ada", "bob"]);
        let ada = session.require::<User>(1).await?;
        session[ada].visits = 5;
        session.commit().await?;
        let mut another = sessions.session();
        let again = another.require::<User>(1).await?;
        assert_eq!(another[again].visits, 5);
        assert_eq!(User::select().on(sessions.engine()).count().await?, 2);
        assert_eq!(seen(&db).await?, ["ada"], "no other connection sees it");

        drop((session, another, sessions));
        db.expect_no_transaction().await;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        assert_eq!(session[ada].visits, 0);
        assert_eq!(seen(&db).await?, ["ada"]);
        session[ada].visits = 1;
        session.commit().await?;
    }

    /// SEMANTICS 9.5: sessions take turns statement by statement outside of transactions.
    async fn rule_9_5_sessions_of_a_test_live_side_by_side(db) {
        let db = seeded(&db).await?;
        let sessions = SessionFactory::for_test(&db.engine).await?;
        let (mut one, mut two) = (sessions.session(), sessions.session());
        let ada = one.require::<User>(1).await?;
        let same = two.require::<User>(1).await?;
        let posts = ada.posts(&mut one).await?;
        assert_eq!(same.posts(&mut two).await?.len(), posts.len());
        one[ada].visits = 1;
        one.commit().await?;
        two.refresh(same).await?;
        assert_eq!(two[same].visits, 1);

        // A transaction has the connection until its end.
        one[ada].visits = 2;
        one.flush().await?;
        let started = Instant::now();
        let outcome = two.refresh(same).await;
        let Err(Error::Timeout(message)) = outcome else { panic!("{outcome:?}") };
        assert!(message.contains("commits, rolls back or is dropped"), "{message}");
        assert!(started.elapsed() < Duration::from_secs(20));
        let outcome = User::select().on(sessions.engine()).count().await;
        assert!(matches!(outcome, Err(Error::Timeout(_))), "{outcome:?}");

        // Whoever waits gets it then.
        let patient = tokio::spawn(async move {
            two.refresh(same).await?;
            Ok::<_, Error>(two[same].visits)
        });
        tokio::task::yield_now().await;
        one.rollback().await?;
        assert_eq!(patient.await.expect("it doesn't panic")?, 1);
        assert_eq!(one[ada].visits, 1);

        // A session that is dropped inside its transaction leaves it to others.
        one[ada].visits = 3;
        one.flush().await?;
        drop(one);
        let mut three = sessions.session();
        let ada = three.require::<User>(1).await?;
        assert_eq!(three[ada].visits, 1);
    }

    /// SEMANTICS 9.5: failures stay where they are.
    async fn rule_9_5_a_failure_loses_no_more_than_its_own_transaction(db) {
        let db = seeded(&db).await?;
        let sessions = SessionFactory::for_test(&db.engine).await?;
        sign_up(&sessions, "bob").await?;
        let outcome = sign_up(&sessions, "ada").await;
        assert!(matches!(outcome, Err(Error::UniqueViolation(_))), "{outcome:?}");
        // A read that fails outside of a transaction.
        let mut session = sessions.session();
        let missing = Country::select().count(&mut session).await;
        assert!(matches!(missing, Err(Error::Database { .. })), "{missing:?}");
        let missing = Country::select().on(sessions.engine()).count().await;
        assert!(matches!(missing, Err(Error::Database { .. })), "{missing:?}");
        assert_eq!(usernames_in(&mut session).await?, ["ada", "bob"]);

        // Inside savepoints of the application's own, too.
        let mut savepoint = session.savepoint().await?;
        savepoint.add(user("bob"));
        assert!(savepoint.flush().await.is_err());
        savepoint.rollback().await?;
        let eve = session.add(user("eve"));
        let mut savepoint = session.savepoint().await?;
        savepoint[eve].visits = 1;
        savepoint.commit().await?;
        session.commit().await?;
        assert_eq!(session.state(eve), ObjectState::Persistent);
        assert_eq!(usernames_in(&mut sessions.session()).await?, ["ada", "bob", "eve"]);
        drop((session, sessions));
        assert_eq!(seen(&db).await?, ["ada"]);
    }

    /// SEMANTICS 9.5
    async fn rule_9_5_closures_that_are_tried_again(db) {
        let db = seeded(&db).await?;
        let sessions = SessionFactory::for_test(&db.engine).await?;
        let tries = AtomicUsize::new(0);
        let outcome = sessions
            .retry(async |mut session| {
                session.add(user("bob"));
                session.flush().await?;
                match tries.fetch_add(1, Ordering::Relaxed) {
                    0 | 1 => Err(Error::Serialization("made up".into())),
                    _ => Ok(()),
                }
            })
            .await;
        outcome?;
        assert_eq!(usernames_in(&mut sessions.session()).await?, ["ada", "bob"]);
    }

    /// SEMANTICS 9.5, 9.4: a COMMIT that nobody awaits any more is finished here, too.
    async fn rule_9_5_futures_that_are_dropped(db) {
        let db = seeded(&db).await?;
        let sessions = SessionFactory::for_test(&db.engine).await?;
        for polls in 0..12 {
            let mut session = sessions.session();
            let ada = session.require::<User>(1).await?;
            session[ada].visits = polls;
            let finished = dropped_after(polls as usize, session.commit()).await;
            finished.transpose()?;
            // It waits for what goes on.
            drop(session);
            let mut session = sessions.session();
            session.require::<User>(1).await?;
        }
        assert_eq!(usernames_in(&mut sessions.session()).await?, ["ada"]);
    }

    /// SEMANTICS 9.5, 9.4: a flush that nobody awaits leaves the connection to others, also while its
    /// session is still there.
    async fn rule_9_5_a_dropped_flush_keeps_nobody_waiting(db) {
        let db = seeded(&db).await?;
        let sessions = SessionFactory::for_test(&db.engine).await?;
        let mut others = sessions.session();
        for polls in 1.. {
            let mut session = sessions.session();
            let ada = session.require::<User>(1).await?;
            session[ada].visits = 1;
            session.add(user("bob"));
            let is_finished = dropped_after(polls, session.flush()).await.transpose()?.is_some();
            if !is_finished {
                assert_eq!(usernames_in(&mut others).await?, ["ada"], "after {polls} polls");
            }
            session.rollback().await?;
            assert_eq!(session[ada].visits, 0);
            if is_finished {
                break;
            }
        }
        assert_eq!(usernames_in(&mut others).await?, ["ada"]);
    }

    /// SEMANTICS 9.5: hand-written statements are part of it.
    async fn rule_9_5_hand_written_statements(db) {
        let db = seeded(&db).await?;
        let sessions = SessionFactory::for_test(&db.engine).await?;
        let mut session = sessions.session();
        db.run_in(&mut session, "UPDATE users SET visits = 9").await?;
        session.commit().await?;
        let mut another = sessions.session();
        let ada = another.require::<User>(1).await?;
        assert_eq!(another[ada].visits, 9);
        drop((session, another, sessions));
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        assert_eq!(session[ada].visits, 0);
    }

    /// SEMANTICS 9.5
    async fn rule_9_5_what_a_test_can_not_do_is_told(db) {
        let db = seeded(&db).await?;
        let sessions = SessionFactory::for_test(&db.engine).await?;
        let refused = [
            sessions.engine().create_all(&country_tables()).await,
            sessions.engine().drop_all(&country_tables()).await,
            SessionFactory::for_test(sessions.engine()).await.map(drop),
        ];
        for outcome in refused {
            assert!(matches!(outcome, Err(Error::Misuse(_))), "{outcome:?}");
        }
        assert_eq!(usernames_in(&mut sessions.session()).await?, ["ada"]);
        // The factory may go before its sessions.
        let mut session = sessions.session();
        drop(sessions);
        session.add(user("bob"));
        session.commit().await?;
        assert_eq!(usernames_in(&mut session).await?, ["ada", "bob"]);
        drop(session);
        assert_eq!(seen(&db).await?, ["ada"]);
    }
}
