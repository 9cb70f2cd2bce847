//! Sessions that end: by a closure, or by being dropped.

use std::sync::{Arc, Mutex};

use orm_core::{Error, Result};
use orm_tests::backend_tests;
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber, span};

use super::models::*;

/// The messages of our warnings.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>);

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "orm::session" && *metadata.level() == tracing::Level::WARN
    }
    fn event(&self, event: &Event<'_>) {
        let mut message = Message::default();
        event.record(&mut message);
        self.0.lock().expect("no test panics here").push(message.0);
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[derive(Default)]
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

/// What is warned of while this is dropped.
fn warnings_of_dropping<T>(value: T) -> Vec<String> {
    let warnings = Warnings::default();
    tracing::subscriber::with_default(warnings.clone(), || drop(value));
    std::mem::take(&mut *warnings.0.lock().expect("no test panics here"))
}

backend_tests! {
    /// SEMANTICS 9.8
    async fn rule_9_8_dropping_a_session_with_unsaved_changes_rolls_back_and_says_so(db) {
        let db = db.with_engine(|engine| engine.max_connections(1)).await?;
        committed(&db, &["ada"]).await?;

        let mut added = db.session();
        added.add(user("bob"));
        let mut edited = db.session();
        let ada = edited.require::<User>(1).await?;
        edited[ada].visits = 1;
        for session in [added, edited] {
            let warnings = warnings_of_dropping(session);
            assert_eq!(warnings.len(), 1, "{warnings:?}");
            assert!(warnings[0].contains("unsaved changes"), "{warnings:?}");
        }

        let mut linked = db.session();
        let ada = linked.require::<User>(1).await?;
        let posts = ada.posts(&mut linked).await?;
        linked[ada].posts = [posts[0]].into();
        assert_eq!(warnings_of_dropping(linked).len(), 1, "an assigned collection is a change");

        let mut flushed = db.session();
        flushed.add(user("eve"));
        flushed.flush().await?;
        assert_eq!(warnings_of_dropping(flushed).len(), 1);
        // The one connection comes back without a transaction.
        assert_eq!(usernames(&db).await?, ["ada"]);
        let mut session = db.session();
        session.add(user("zoe"));
        session.commit().await?;
        assert_eq!(usernames(&db).await?, ["ada", "zoe"]);
    }

    /// SEMANTICS 9.8: who saved everything is left in peace.
    async fn rule_9_8_dropping_a_session_without_unsaved_changes_says_nothing(db) {
        committed(&db, &["ada"]).await?;
        let untouched = db.session();
        let mut read = db.session();
        read.require::<User>(1).await?;
        let mut saved = db.session();
        saved.add(user("bob"));
        saved.commit().await?;
        let mut undone = db.session();
        undone.add(user("eve"));
        undone.rollback().await?;
        let mut unchanged = db.session();
        let ada = unchanged.require::<User>(1).await?;
        unchanged[ada].visits += 1;
        unchanged[ada].visits -= 1;
        for session in [untouched, read, saved, undone, unchanged] {
            assert_eq!(warnings_of_dropping(session), [""; 0]);
        }
    }

    /// SEMANTICS 9.8
    async fn rule_9_8_a_closure_that_gives_ok_is_committed(db) {
        db.create(&user_tables()).await?;
        let log = db.log();
        let name = db
            .sessions
            .transaction(async |mut session| {
                let ada = session.add(user("ada"));
                Ok(session[ada].username.clone())
            })
            .await?;
        assert_eq!(name, "ada");
        assert_eq!(log.all(), ["BEGIN", "INSERT users", "COMMIT"]);
        assert_eq!(usernames(&db).await?, ["ada"]);
    }

    /// SEMANTICS 9.8
    async fn rule_9_8_a_closure_that_gives_err_is_rolled_back(db) {
        db.create(&user_tables()).await?;
        let log = db.log();
        let outcome: Result<()> = db
            .sessions
            .transaction(async |mut session| {
                session.add(user("ada"));
                session.flush().await?;
                session.require::<User>(77).await?;
                Ok(())
            })
            .await;
        assert!(matches!(outcome, Err(Error::NotFound { .. })), "{outcome:?}");
        assert_eq!(log.all(), ["BEGIN", "INSERT users", "SELECT users", "ROLLBACK"]);
        assert_eq!(usernames(&db).await?, [""; 0]);
    }

    /// SEMANTICS 9.8: the commit's error is the transaction's.
    async fn rule_9_8_a_commit_that_fails_is_the_outcome(db) {
        committed(&db, &["ada"]).await?;
        let outcome = db
            .sessions
            .transaction(async |mut session| {
                session.add(user("bob"));
                session.flush().await?;
                session.add(user("ada"));
                Ok(())
            })
            .await;
        assert!(matches!(outcome, Err(Error::UniqueViolation(_))), "{outcome:?}");
        assert_eq!(usernames(&db).await?, ["ada"]);
    }

    /// SEMANTICS 9.8: a failure that the closure swallowed is not committed over.
    async fn rule_9_8_a_failure_inside_can_not_be_committed(db) {
        committed(&db, &["ada"]).await?;
        let outcome = db
            .sessions
            .transaction(async |mut session| {
                session.add(user("ada"));
                assert!(session.flush().await.is_err());
                Ok(())
            })
            .await;
        assert!(matches!(outcome, Err(Error::RollbackRequired { .. })), "{outcome:?}");
    }

    /// SEMANTICS 9.8: nobody commits a session that is out of reach.
    async fn rule_9_8_a_closure_that_keeps_its_session_is_refused(db) {
        let db = db.with_engine(|engine| engine.max_connections(1)).await?;
        db.create(&user_tables()).await?;
        let mut kept = None;
        let outcome = db
            .sessions
            .transaction(async |mut session| {
                session.add(user("ada"));
                session.flush().await?;
                kept = Some(session);
                Ok(())
            })
            .await;
        assert!(matches!(outcome, Err(Error::Misuse(_))), "{outcome:?}");
        drop(kept);
        assert_eq!(usernames(&db).await?, [""; 0]);
    }

    /// SEMANTICS 9.8: a panic rolls back like an error.
    async fn rule_9_8_a_closure_that_panics_is_rolled_back(db) {
        let db = db.with_engine(|engine| engine.max_connections(1)).await?;
        db.create(&user_tables()).await?;
        let sessions = db.sessions.clone();
        let task = tokio::spawn(async move {
            sessions
                .transaction(async |mut session| {
                    session.add(user("ada"));
                    session.flush().await?;
                    assert_eq!(1 + 1, 3, "the closure's mistake");
                    Ok(())
                })
                .await
        });
        assert!(task.await.expect_err("it panicked").is_panic());
        assert_eq!(usernames(&db).await?, [""; 0]);
    }

    /// SEMANTICS 9.8: outside of a runtime there is no task that could roll back.
    async fn rule_9_8_a_session_that_is_dropped_outside_a_runtime_is_rolled_back(db) {
        let db = db.with_engine(|engine| engine.max_connections(1)).await?;
        db.create(&user_tables()).await?;
        let mut session = db.session();
        session.add(user("ada"));
        session.flush().await?;
        std::thread::spawn(move || drop(session)).join().expect("it doesn't panic");
        assert_eq!(usernames(&db).await?, [""; 0]);
        let mut session = db.session();
        session.add(user("bob"));
        session.commit().await?;
        assert_eq!(usernames(&db).await?, ["bob"]);
    }
}
