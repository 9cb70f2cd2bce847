//! Bulk statements and edits that are not flushed yet: SEMANTICS 3.1, 3.2, and what holds with
//! autoflush off.

use orm_core::Error;
use orm_core::session::ObjectState;
use orm_tests::backend_tests;

use crate::models::*;

backend_tests! {
    /// SEMANTICS 3.1
    async fn rule_3_1_a_bulk_statement_flushes_first(db) {
        members(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<Member>(1).await?;
        session[ada].name = "countess".into();
        session.add(Member::draft().name("bob"));
        let log = db.log();
        let update = Member::update().set(Member::score, 9);
        let updated = update.filter(Member::name.in_(["countess", "bob"])).execute(&mut session);
        assert_eq!(updated.await?, 2);
        assert_eq!(log.emitted()[..2], ["UPDATE members", "INSERT members"]);
        assert_eq!(session[ada].score, 9);
    }

    /// SEMANTICS 3.2
    async fn rule_3_2_an_error_of_the_flush_says_so(db) {
        members(&db, &["ada"]).await?;
        let mut session = db.session();
        session.add(Member::draft().name("ada"));
        let error = Member::delete().all_rows().execute(&mut session).await.unwrap_err();
        assert!(matches!(error, Error::UniqueViolation(_)));
        assert!(error.to_string().contains("autoflush"), "{error}");
        session.rollback().await?;
        assert_eq!(scores(&db).await?, [("ada".into(), 1)]);
    }

    /// With autoflush off an edit stays an edit, over the new value of the database: no write is
    /// lost, which is better than SQLAlchemy.
    async fn edits_stay_edits_over_the_new_value(db) {
        members(&db, &["ada", "bob"]).await?;
        let mut session = db.session();
        let ada = session.require::<Member>(1).await?;
        let bob = session.require::<Member>(2).await?;
        session.autoflush(false);
        session[ada].score = 100;
        session[bob].bonus = 4;
        let log = db.log();
        let update = Member::update().set(Member::score, Member::score + 50).all_rows();
        update.execute(&mut session).await?;
        assert_eq!(log.emitted().last().unwrap(), "UPDATE members");
        assert_eq!(session[ada].score, 100);
        assert_eq!((session[bob].score, session[bob].bonus), (52, 4));
        session.commit().await?;
        assert_eq!(scores(&db).await?, [("ada".into(), 100), ("bob".into(), 52)]);
        session.refresh(bob).await?;
        assert_eq!(session[bob].bonus, 4);
    }

    /// An edit to just the value that the statement assigned is none any more.
    async fn edits_to_the_new_value_are_none(db) {
        members(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<Member>(1).await?;
        session.autoflush(false);
        session[ada].score = 7;
        Member::update().set(Member::score, 7).all_rows().execute(&mut session).await?;
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), [""; 0]);
    }

    /// SEMANTICS 6.5: the version that an unflushed edit will match is the new one.
    async fn edits_of_versioned_rows_still_match(db) {
        members(&db, &["ada"]).await?;
        let mut session = db.session();
        let task = session.add(Task::draft().title("write").member_id(1));
        session.commit().await?;
        session.autoflush(false);
        session[task].title = "rewrite".into();
        Task::update().set(Task::done, true).all_rows().execute(&mut session).await?;
        session.commit().await?;
        session.refresh(task).await?;
        assert_eq!((session[task].title.as_str(), session[task].done), ("rewrite", true));
        assert_eq!(session[task].revision, 3);
    }

    /// SEMANTICS 1.3: the edit goes with a rollback, and so does what the statement assigned.
    async fn rule_1_3_a_rollback_undoes_both(db) {
        members(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<Member>(1).await?;
        session.autoflush(false);
        session[ada].score = 100;
        let update = Member::update().set(Member::score, 7).set(Member::bonus, 8);
        update.all_rows().execute(&mut session).await?;
        session.rollback().await?;
        assert_eq!((session[ada].score, session[ada].bonus), (1, 0));
        session.commit().await?;
        assert_eq!(scores(&db).await?, [("ada".into(), 1)]);
    }

    /// A row that is gone takes its edits along, and its place in unflushed links: a new child of
    /// it has no parent.
    async fn edits_of_deleted_rows_go_with_them(db) {
        members(&db, &["ada", "bob"]).await?;
        let mut session = db.session();
        let ada = session.require::<Member>(1).await?;
        session.autoflush(false);
        session[ada].score = 100;
        let locker = session.add(Locker::draft().number(7).member(ada));
        let task = session.add(Task::draft().title("write").member(ada));
        Member::delete().filter(Member::name.eq("ada")).execute(&mut session).await?;
        assert_eq!(session.state(ada), ObjectState::Deleted);
        assert_eq!(session.state(locker), ObjectState::Pending);
        let error = session.flush().await.unwrap_err();
        assert!(matches!(error, Error::MissingForeignKey { .. }), "{error}");
        session.delete(task);
        session.commit().await?;
        assert_eq!(session[locker].member_id, None);
        assert_eq!(scores(&db).await?, [("bob".into(), 2)]);
    }

    /// An unflushed link stays, over the key that the statement assigned.
    async fn links_stay_edits(db) {
        members(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<Member>(1).await?;
        let [blue, red] = ["blue", "red"].map(|name| session.add(Team::draft().name(name)));
        session.commit().await?;
        session.autoflush(false);
        let blue_id = session[blue].id();
        ada.team(&mut session).set(red);
        Member::update().set(Member::team_id, blue_id).all_rows().execute(&mut session).await?;
        assert_eq!(ada.team(&mut session).await?, Some(red));
        session.commit().await?;
        session.refresh(ada).await?;
        assert_eq!(session[ada].team_id, Some(session[red].id()));
    }

    /// A child that ON DELETE may have hit keeps its edits; if it is gone, its flush says so.
    async fn edits_of_children_are_not_lost_without_a_word(db) {
        create(&db).await?;
        let mut session = db.session();
        let ada = session.add(Member::draft().name("ada").tasks([Task::draft().title("write")]));
        session.commit().await?;
        let task = ada.tasks(&mut session).await?[0];
        session.autoflush(false);
        session[task].title = "rewrite".into();
        Member::delete().all_rows().execute(&mut session).await?;
        let error = session.flush().await.unwrap_err();
        assert!(matches!(error, Error::StaleData(_)), "{error}");
        session.rollback().await?;
        assert_eq!(session[ada].name, "ada");
    }
}
