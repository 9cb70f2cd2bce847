//! `after_commit` and `after_rollback` of a factory's sessions.

use std::sync::{Arc, Mutex};

use orm_core::{Error, Session, SessionFactory};
use orm_tests::{Database, backend_tests, dropped_when};

use super::models::*;

/// How units of work ended.
#[derive(Clone, Default)]
struct Ends(Arc<Mutex<Vec<String>>>);

impl Ends {
    fn note(&self, end: &str) {
        self.0.lock().expect("nobody panics with the lock").push(end.to_owned());
    }

    fn taken(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("nobody panics with the lock"))
    }
}

/// Sessions that note how they end.
fn noting(db: &Database) -> (SessionFactory, Ends) {
    let ends = Ends::default();
    let (committed, rolled_back) = (ends.clone(), ends.clone());
    let sessions = db
        .sessions
        .clone()
        .after_commit(move |_| committed.note("committed"))
        .after_rollback(move |_| rolled_back.note("rolled back"));
    (sessions, ends)
}

backend_tests! {
    /// Once per unit of work, whatever it was.
    async fn hooks_run_once_per_end(db) {
        committed(&db).await?;
        let (sessions, ends) = noting(&db);
        let mut session = sessions.session();
        session.add(Tag::draft().name("prose"));
        session.flush().await?;
        assert_eq!(ends.taken(), [""; 0]);
        session.commit().await?;
        assert_eq!(ends.taken(), ["committed"]);
        session.commit().await?;
        assert_eq!(ends.taken(), ["committed"], "also of a commit without work");
        session.add(Tag::draft().name("prose"));
        session.flush().await?;
        session.rollback().await?;
        assert_eq!(ends.taken(), ["rolled back"]);
        session.close().await?;
        assert_eq!(ends.taken(), ["rolled back"]);

        sessions.transaction(async |mut session| {
            session.add(Tag::draft().name("prose"));
            Ok(())
        }).await?;
        assert_eq!(ends.taken(), ["committed"]);
        let refused = sessions.transaction(async |_| Err::<(), _>(Error::refused("no"))).await;
        assert_eq!(refused.unwrap_err().to_string(), "no");
        assert_eq!(ends.taken(), ["rolled back"]);
        // The closure is content, but its commit fails.
        let taken = sessions.transaction(async |mut session| {
            session.add(Author::draft().name("ada"));
            Ok(())
        });
        assert!(matches!(taken.await, Err(Error::UniqueViolation(_))));
        assert_eq!(ends.taken(), ["rolled back"]);
        drop(sessions.session());
        assert_eq!(ends.taken(), [""; 0]);
    }

    /// SEMANTICS 9.2: a flush that fails ends nothing; the rollback that must follow does.
    async fn rule_9_2_a_failed_flush_ends_with_its_rollback(db) {
        committed(&db).await?;
        let (sessions, ends) = noting(&db);
        let mut session = sessions.session();
        session.add(Author::draft().name("ada"));
        assert!(matches!(session.commit().await, Err(Error::UniqueViolation(_))));
        assert_eq!(ends.taken(), [""; 0]);
        session.rollback().await?;
        assert_eq!(ends.taken(), ["rolled back"]);
    }

    /// Memory has settled, and what a hook edits belongs to the next unit of work.
    async fn hooks_see_settled_memory_and_may_edit_it(db) {
        committed(&db).await?;
        let sessions = db.sessions.clone()
            .after_commit(|session| {
                if let Some(ada) = session.info_mut().remove::<orm_core::Handle<Author>>() {
                    session[ada].visits += 1;
                }
            })
            .after_rollback(|session| {
                assert!(session.dirty().is_empty() && session.pending().is_empty());
                session.add(Tag::draft().name("rolled back"));
            });
        let mut session = sessions.session();
        let ada = session.require::<Author>(1).await?;
        session.info_mut().insert(ada);
        session[ada].visits = 5;
        session.commit().await?;
        assert_eq!(session[ada].visits, 6);
        assert!(session.is_modified(ada));
        session.commit().await?;
        let visits = Author::select().columns(Author::visits).one(&mut db.session()).await?;
        assert_eq!(visits, 6);

        session[ada].visits = 9;
        session.rollback().await?;
        assert_eq!(session[ada].visits, 6);
        assert_eq!(session.pending().of::<Tag>().len(), 1);
        session.commit().await?;
        assert_eq!(Tag::select().count(&mut db.session()).await?, 2);
    }

    /// SEMANTICS 9.4: a COMMIT that nobody awaited runs its hooks once it is settled.
    async fn rule_9_4_after_commit_runs_when_the_next_call_settles_it(db) {
        committed(&db).await?;
        let (sessions, ends) = noting(&db);
        // A COMMIT may be answered before it is asked for again: then there is nothing to drop.
        for _ in 0..50 {
            let mut session = sessions.session();
            session.add(Tag::draft().name("prose"));
            session.flush().await?;
            let log = db.log();
            let commit = dropped_when(session.commit(), || log.all().contains(&"COMMIT".to_owned()));
            if commit.await.is_some() {
                assert_eq!(ends.taken(), ["committed"]);
                continue;
            }
            assert_eq!(ends.taken(), [""; 0]);
            session.flush().await?;
            assert_eq!(ends.taken(), ["committed"]);
            session.rollback().await?;
            assert_eq!(ends.taken(), ["rolled back"]);
        }
    }

    /// SEMANTICS 9.3: a savepoint is no end of the unit of work.
    async fn rule_9_3_savepoints_run_no_hooks_of_ends(db) {
        committed(&db).await?;
        let (sessions, ends) = noting(&db);
        let mut session = sessions.session();
        let mut savepoint = session.savepoint().await?;
        savepoint.add(Tag::draft().name("prose"));
        savepoint.commit().await?;
        let savepoint = session.savepoint().await?;
        savepoint.rollback().await?;
        drop(session.savepoint().await?);
        assert_eq!(ends.taken(), [""; 0]);
        session.commit().await?;
        assert_eq!(ends.taken(), ["committed"]);
    }

    /// A panic passes through when all is settled.
    async fn a_panic_in_after_commit_finds_the_commit_done(db) {
        committed(&db).await?;
        let sessions = db.sessions.clone().after_commit(|session| {
            assert!(session.info_mut().remove::<CurrentUser>().is_none(), "it panics once");
        });
        let mut session: Session = sessions.session();
        session.info_mut().insert(CurrentUser(7));
        session.add(Tag::draft().name("prose"));
        let session = Arc::new(tokio::sync::Mutex::new(session));
        let lent = Arc::clone(&session);
        let panicked = tokio::spawn(async move { lent.lock().await.commit().await }).await;
        assert!(panicked.is_err_and(|error| error.is_panic()));
        assert_eq!(Tag::select().count(&mut db.session()).await?, 2);
        let mut session = session.lock().await;
        assert_clean(&db, &mut session).await?;
        session.commit().await?;
    }
}
