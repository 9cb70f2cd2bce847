//! `after_load` of models.

use orm_core::{Error, HookContext, Hooks, Model, Result, schema};
use orm_tests::backend_tests;

use super::models::*;

/// Renames an account behind the back of every session that runs hooks.
async fn rename(db: &orm_tests::Database, name: &str) -> Result<()> {
    let name = name.to_owned();
    db.run(&format!("UPDATE accounts SET name = '{name}'")).await.expect("it is renamed");
    Ok(())
}

backend_tests! {
    /// Fields that are no columns are filled in, which makes nothing dirty.
    async fn after_load_fills_skipped_fields_and_makes_nothing_dirty(db) {
        committed_account(&db, "ada").await?;
        let mut session = recorded(&db);
        let ada = session.require::<Account>(1).await?;
        assert_eq!(session[ada].shout, "ADA");
        assert!(!session.is_modified(ada) && session.dirty().is_empty());
        assert_clean(&db, &mut session).await?;
        assert_eq!(Calls::of(&mut session), ["load ada"]);

        session.get::<Account>(1).await?;
        Account::select().all(&mut session).await?;
        assert_eq!(Calls::of(&mut session), [""; 0], "it is known");
        session.refresh(ada).await?;
        assert_eq!(Calls::of(&mut session), ["load ada"]);
        session.expire(ada);
        Account::select().all(&mut session).await?;
        assert_eq!(Calls::of(&mut session), ["load ada"]);
        assert_eq!(session[ada].shout, "ADA");
        assert_clean(&db, &mut session).await?;
    }

    /// By whatever road an object comes in.
    async fn after_load_runs_for_related_objects_too(db) {
        committed_account(&db, "ada").await?;
        let mut session = recorded(&db);
        let note = session.require::<Note>(1).await?;
        let account = note.account(&mut session).await?;
        assert_eq!(session[account].shout, "ADA", "lazy");
        let mut session = db.session();
        let notes = Note::select().with(Note::account.joined()).all(&mut session).await?;
        assert_eq!(session.follow(notes[0], Note::account)?.shout, "ADA", "joined");
        let mut session = db.session();
        let notes = Note::select().with(Note::account.selectin()).all(&mut session).await?;
        assert_eq!(session.follow(notes[0], Note::account)?.shout, "ADA", "selectin");
    }

    /// Without a session as well.
    async fn after_load_runs_for_queries_on_an_engine(db) {
        committed_account(&db, "ada").await?;
        let owned = Account::select().on(&db.engine).one().await?;
        assert_eq!(owned.shout, "ADA");
        let graph = Note::select().with(Note::account).on(&db.engine).graph().await?;
        let first = graph.roots().next().expect("two notes");
        assert_eq!(graph.follow(first, Note::account)?.shout, "ADA");
    }

    /// A column that the hook changes is an edit: memory would differ from the row otherwise.
    async fn a_column_that_after_load_changes_is_an_edit(db) {
        committed_account(&db, "old").await?;
        let mut session = db.session();
        let log = db.log();
        let old = session.require::<Account>(1).await?;
        assert_eq!(session[old].plan, "upgraded");
        assert_eq!(session.history(old, Account::plan).old().map(String::as_str), Some("basic"));
        assert_eq!(log.emitted(), ["SELECT accounts"]);
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE accounts"]);
        assert_clean(&db, &mut session).await?;
        let plans = Account::select().columns(Account::plan).all(&mut db.session()).await?;
        assert_eq!(plans, ["upgraded"]);

        rename(&db, "new").await?;
        let mut session = db.session();
        let log = db.log();
        session.require::<Account>(1).await?;
        session.commit().await?;
        assert_eq!(log.emitted(), ["SELECT accounts"]);
    }

    /// SEMANTICS 1.3
    async fn rule_1_3_a_rollback_undoes_what_after_load_changed(db) {
        committed_account(&db, "old").await?;
        let mut session = db.session();
        let old = session.require::<Account>(1).await?;
        session.rollback().await?;
        assert_eq!(session[old].plan, "basic");
        assert_clean(&db, &mut session).await?;
    }

    /// An object that the hook refuses doesn't enter the session.
    async fn what_after_load_refuses_is_not_loaded(db) {
        committed_account(&db, "ada").await?;
        rename(&db, "unreadable").await?;
        let mut session = db.session();
        let error = session.get::<Account>(1).await.unwrap_err();
        assert!(matches!(&error, Error::Refused(_)), "{error}");
        assert_eq!(error.to_string(), "reading is forbidden");
        rename(&db, "ada").await?;
        let ada = session.require::<Account>(1).await?;
        assert_eq!(session[ada].shout, "ADA");

        rename(&db, "unreadable").await?;
        session.refresh(ada).await.unwrap_err();
        assert!(matches!(session.try_get(ada), Err(Error::NotLoaded { .. })));
        rename(&db, "ada").await?;
        session.refresh(ada).await?;
        assert_clean(&db, &mut session).await?;
    }

    /// A hook that panics leaves no half-loaded object.
    async fn a_panic_in_after_load_leaves_the_session_usable(db) {
        committed_account(&db, "ada").await?;
        rename(&db, "unbearable").await?;
        let session = std::sync::Arc::new(tokio::sync::Mutex::new(db.session()));
        let lent = std::sync::Arc::clone(&session);
        let panicked =
            tokio::spawn(async move { lent.lock().await.require::<Account>(1).await }).await;
        assert!(panicked.is_err_and(|error| error.is_panic()));
        rename(&db, "ada").await?;
        let mut session = session.lock().await;
        let ada = session.require::<Account>(1).await?;
        session.refresh(ada).await?;
        assert_eq!(session[ada].shout, "ADA");
        session[ada].name = "Augusta".into();
        session.commit().await?;
        assert_clean(&db, &mut session).await?;
    }

    /// A key of the user's own that the hook corrects is re-keyed by the flush.
    async fn after_load_may_change_a_key(db) {
        db.create(&schema![Code]).await?;
        let mut session = db.session();
        session.add(Code::draft().code("abc"));
        session.commit().await?;
        let mut session = db.session();
        let [code] = Code::select().all(&mut session).await?[..] else { panic!("one code") };
        assert_eq!(session[code].code, "ABC");
        assert_eq!(session.get::<Code>("abc".to_owned()).await?, Some(code), "until the flush");
        session.commit().await?;
        assert_eq!(session.get::<Code>("ABC".to_owned()).await?, Some(code));
        assert_clean(&db, &mut session).await?;
    }
}

/// Codes are capital letters by now.
#[derive(Debug, Model)]
#[orm(base = none, table = "codes", hooks)]
struct Code {
    #[orm(primary_key)]
    code: String,
}

impl Hooks for Code {
    fn after_load(&mut self, _: &HookContext<'_>) -> Result<()> {
        self.code = self.code.to_uppercase();
        Ok(())
    }
}
