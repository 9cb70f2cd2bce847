//! `before_insert`, `before_update` and `before_delete` of models.

use orm_core::session::ObjectState;
use orm_core::{Error, Session, schema};
use orm_tests::backend_tests;
use tokio::task::spawn;

use super::models::*;

/// The application's own error in one of the library's.
#[track_caller]
fn forbidden(error: &Error) -> &Forbidden {
    let Error::Refused(refusal) = error else { panic!("{error:?}") };
    refusal.reason.downcast_ref().expect("the error of the hook itself")
}

backend_tests! {
    /// What a hook sets is part of the INSERT, also where the server would have filled it in.
    async fn before_insert_changes_what_is_inserted(db) {
        db.create(&accounts()).await?;
        let mut session = recorded(&db);
        let log = db.log();
        let golden = session.add(Account::draft().name("golden"));
        let plain = session.add(Account::draft().name("Plain"));
        session.commit().await?;
        assert_eq!(Calls::of(&mut session), ["insert golden", "insert Plain"]);
        // They have columns of their own: the server fills one in for the second alone.
        assert_eq!(log.emitted(), ["INSERT accounts", "INSERT accounts"]);
        assert_eq!((&*session[golden].slug, &*session[golden].plan), ("golden", "gold"));
        assert_eq!((&*session[plain].slug, &*session[plain].plan), ("plain", "basic"));
        assert_clean(&db, &mut session).await?;
        let stored = Account::select().order_by(Account::id.asc())
            .columns((Account::slug, Account::plan)).all(&mut db.session()).await?;
        assert_eq!(stored, [("golden".into(), "gold".into()), ("plain".into(), "basic".into())]);
    }

    /// Hooks cost no statements: many objects are one.
    async fn rule_5_1_objects_with_hooks_go_in_one_statement(db) {
        db.create(&accounts()).await?;
        let mut session = recorded(&db);
        let log = db.log();
        let new = (0..50).map(|at| Account::draft().name(format!("n{at}")));
        let accounts = session.add_all(new);
        session.commit().await?;
        assert_eq!(log.emitted(), db.per_statement("INSERT accounts", 50));
        assert_eq!(Calls::of(&mut session).len(), 50);
        assert_eq!(session[accounts[49]].slug, "n49");
    }

    /// SEMANTICS 6.1: no call without a real change, and one per flush.
    async fn rule_6_1_before_update_runs_for_real_changes_alone(db) {
        committed_account(&db, "ada").await?;
        let mut session = recorded(&db);
        session.info_mut().insert(CurrentUser(7));
        let ada = session.require::<Account>(1).await?;
        let updated_at = session[ada].updated_at();
        assert_eq!(Calls::of(&mut session), ["load ada"]);
        let log = db.log();
        session[ada].name = "Augusta".into();
        session[ada].name = "ada".into();
        session.flush().await?;
        assert_eq!((log.emitted(), Calls::of(&mut session)), (vec![], vec![]));

        session[ada].name = "Augusta".into();
        session.flush().await?;
        assert_eq!(Calls::of(&mut session), ["update Augusta: name"]);
        assert_eq!(log.emitted(), ["UPDATE accounts"]);
        let row = &session[ada];
        assert_eq!((&*row.name, &*row.slug, row.changed_by), ("Augusta", "augusta", Some(7)));
        assert!(row.updated_at() >= updated_at, "`on_update` columns come after the hook");
        assert_clean(&db, &mut session).await?;
        assert_eq!(Calls::of(&mut session), [""; 0]);

        session.set(ada, Account::plan, "gold");
        session.commit().await?;
        assert_eq!(Calls::of(&mut session), ["update Augusta: plan"]);
        let mut other = db.session();
        let row = other.require::<Account>(1).await?;
        assert_eq!((&*other[row].slug, &*other[row].plan), ("augusta", "gold"));
    }

    /// SEMANTICS 6.1: a hook may take every change back.
    async fn rule_6_1_a_change_that_the_hook_takes_back_is_none(db) {
        committed_account(&db, "ada").await?;
        let mut session = recorded(&db);
        let ada = session.require::<Account>(1).await?;
        let log = db.log();
        session[ada].name = "unwilling".into();
        session.commit().await?;
        assert_eq!(log.emitted(), [""; 0]);
        assert_eq!(session[ada].name, "ada");
    }

    /// SEMANTICS 6.5, 6.6: links and expressions are changes of the row.
    async fn before_update_sees_links_and_expressions(db) {
        committed_account(&db, "ada").await?;
        let mut session = recorded(&db);
        let bob = session.add(Account::draft().name("bob"));
        session.flush().await?;
        let note = session.require::<Note>(1).await?;
        Calls::of(&mut session);
        session.set_one(note, Note::account, bob);
        session.set(note, Note::text, Note::text);
        session.flush().await?;
        assert_eq!(Calls::of(&mut session), ["update first: text account_id"]);
        assert_eq!((session[note].revision, session[note].account_id), (2, session[bob].id()));
        assert_clean(&db, &mut session).await?;
    }

    /// SEMANTICS 7.2, 7.4: whoever is deleted is asked, loaded before or not.
    async fn rule_7_2_before_delete_runs_for_cascades_and_orphans(db) {
        committed_account(&db, "ada").await?;
        let mut session = recorded(&db);
        let ada = session.require::<Account>(1).await?;
        session.push(ada, Account::notes, Note::draft().text("pending"));
        Calls::of(&mut session);
        let log = db.log();
        session.delete(ada);
        session.flush().await?;
        assert_eq!(log.emitted(), ["SELECT notes", "SELECT guests", "DELETE notes", "DELETE accounts"]);
        assert_eq!(
            Calls::of(&mut session),
            ["delete ada", "delete first", "delete second"],
            "the pending one never was a row",
        );
        session.rollback().await?;

        let ada = session.require::<Account>(1).await?;
        let notes = ada.notes(&mut session).await?;
        Calls::of(&mut session);
        session.remove(ada, Account::notes, notes[1]);
        session.commit().await?;
        assert_eq!(Calls::of(&mut session), ["delete second"]);
        assert_eq!(session.state(notes[1]), ObjectState::Detached);
        assert_clean(&db, &mut session).await?;
    }

    /// SEMANTICS 7.3: a child that is let go is updated.
    async fn rule_7_3_before_update_runs_for_children_that_are_cut_off(db) {
        committed_account(&db, "ada").await?;
        let mut session = recorded(&db);
        let ada = session.require::<Account>(1).await?;
        let guest = session.add(Guest::draft().name("Grace").account(ada));
        session.commit().await?;
        Calls::of(&mut session);
        session.delete(ada);
        let log = db.log();
        session.flush().await?;
        let calls = Calls::of(&mut session);
        assert_eq!(calls[0], "update Grace: account_id");
        assert_eq!(log.emitted().iter().filter(|sql| *sql == "UPDATE guests").count(), 1);
        assert_eq!(session[guest].account_id, None);
        assert_clean(&db, &mut session).await?;
    }

    /// SEMANTICS 2.4: a child that the flush gives its parent's new key is updated.
    async fn rule_2_4_before_update_runs_for_children_that_follow_a_key(db) {
        if !db.capabilities.deferrable {
            return Ok(());
        }
        db.create(&schema![Shelf, Volume]).await?;
        let mut session = recorded(&db);
        let shelf = session.add(Shelf::draft().code("A"));
        let volume = session.add(Volume::draft().title("Notes").shelf(shelf));
        session.commit().await?;
        session[shelf].code = "B".into();
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE shelves", "UPDATE volumes"]);
        assert_eq!(Calls::of(&mut session), ["update Notes: shelf_code"]);
        assert_eq!(session[volume].shelf_code, "B");
        assert_clean(&db, &mut session).await?;
    }

    /// SEMANTICS 10.1: memory that is to be loaded again is, before a hook sees it.
    async fn rule_10_1_a_hook_never_sees_stale_memory(db) {
        committed_account(&db, "ada").await?;
        let mut session = recorded(&db);
        let ada = session.require::<Account>(1).await?;
        let mut other = db.session();
        let same = other.require::<Account>(1).await?;
        other[same].name = "kept".into();
        other.commit().await?;
        session.expire(ada);
        session.delete(ada);
        let error = session.flush().await.unwrap_err();
        assert_eq!(forbidden(&error), &Forbidden("deleting"));
        session.rollback().await?;
        assert_eq!(session.state(ada), ObjectState::Persistent);
    }

    /// An error stops the flush before any SQL, says the hook's words and leaves all to be mended.
    async fn a_refusal_emits_nothing_and_leaves_everything_editable(db) {
        committed_account(&db, "ada").await?;
        let mut session = recorded(&db);
        let ada = session.require::<Account>(1).await?;
        let log = db.log();
        let refused = session.add(Account::draft().name("refused"));
        session[ada].name = "Augusta".into();
        let error = session.commit().await.unwrap_err();
        assert_eq!(error.to_string(), "inserting is forbidden");
        assert_eq!(forbidden(&error), &Forbidden("inserting"));
        assert_eq!(log.all(), [""; 0]);
        assert_eq!(session.state(refused), ObjectState::Pending);

        session[refused].name = "welcome".into();
        session[ada].name = "refused".into();
        let error = session.flush().await.unwrap_err();
        assert_eq!(forbidden(&error), &Forbidden("updating"));
        assert_eq!(log.all(), [""; 0]);

        session[ada].name = "Augusta".into();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE accounts", "INSERT accounts"]);
        assert_eq!((&*session[ada].slug, &*session[refused].slug), ("augusta", "welcome"));
        assert_clean(&db, &mut session).await?;
    }

    /// A deletion that is refused is taken back by `undelete`.
    async fn a_refused_deletion_can_be_taken_back(db) {
        committed_account(&db, "kept").await?;
        let mut session = db.session();
        let kept = session.require::<Account>(1).await?;
        session.delete(kept);
        let error = session.commit().await.unwrap_err();
        assert_eq!(forbidden(&error), &Forbidden("deleting"));
        session.undelete(kept);
        assert_eq!(session.state(kept), ObjectState::Persistent);
        session.commit().await?;
        assert_eq!(Account::select().count(&mut db.session()).await?, 1);
        assert_eq!(Note::select().count(&mut db.session()).await?, 2, "nor its notes");
    }

    /// SEMANTICS 3.2
    async fn rule_3_2_a_refusal_in_an_autoflush_says_so(db) {
        committed_account(&db, "ada").await?;
        let mut session = db.session();
        session.add(Account::draft().name("refused"));
        let error = Account::select().count(&mut session).await.unwrap_err();
        assert_eq!(forbidden(&error), &Forbidden("inserting"));
        assert!(error.to_string().contains("autoflush"), "{error}");
    }

    /// SEMANTICS 8.7: a hook that sets a key is as good as a user; a relationship beats both.
    async fn rule_8_7_a_hook_may_set_a_foreign_key(db) {
        committed_account(&db, "ada").await?;
        let mut session = recorded(&db);
        let bob = session.add(Account::draft().name("bob"));
        session.flush().await?;
        let bob_id = session[bob].id();
        session.info_mut().insert(DefaultAccount(bob_id));
        let ada = session.require::<Account>(1).await?;
        let by_hook = session.add(Note::draft().text("by the hook"));
        let linked = session.add(Note::draft().text("linked").account(ada));
        session.flush().await?;
        assert_eq!(session[by_hook].account_id, session[bob].id());
        assert_eq!(session[linked].account_id, 1);
        let account = by_hook.account(&mut session).await?;
        assert_eq!(account, bob);
        assert_clean(&db, &mut session).await?;
    }

    /// SEMANTICS 1.3: what hooks changed is undone with the rest.
    async fn rule_1_3_a_rollback_undoes_what_hooks_changed(db) {
        committed_account(&db, "ada").await?;
        let mut session = recorded(&db);
        session.info_mut().insert(CurrentUser(7));
        let ada = session.require::<Account>(1).await?;
        session[ada].name = "Augusta".into();
        session.flush().await?;
        assert_eq!(session[ada].changed_by, Some(7));
        session.rollback().await?;
        let row = &session[ada];
        assert_eq!((&*row.name, &*row.slug, row.changed_by), ("ada", "ada", None));
        assert_eq!(session.info().get::<CurrentUser>().map(|user| user.0), Some(7));
    }

    /// `plan()` shows what is there: hooks don't run.
    async fn a_plan_runs_no_hooks(db) {
        committed_account(&db, "ada").await?;
        let mut session = recorded(&db);
        session.add(Account::draft().name("golden"));
        assert_eq!(session.plan()?.steps().len(), 1);
        assert_eq!(Calls::of(&mut session), [""; 0]);
    }

    /// A hook that panics leaves the session as it was.
    async fn a_panic_leaves_everything_editable(db) {
        committed_account(&db, "ada").await?;
        let mut session = recorded(&db);
        let pending = session.add(Account::draft().name("panicking"));
        let slot = std::sync::Arc::new(tokio::sync::Mutex::new(session));
        let lent = std::sync::Arc::clone(&slot);
        let panicked = spawn(async move { lent.lock().await.flush().await }).await;
        assert!(panicked.is_err_and(|error| error.is_panic()));
        let mut session: tokio::sync::MutexGuard<'_, Session> = slot.lock().await;
        assert_eq!(session.state(pending), ObjectState::Pending);
        session[pending].name = "calm".into();
        session.commit().await?;
        assert_eq!(session[pending].slug, "calm");
        assert_clean(&db, &mut session).await?;
    }
}
