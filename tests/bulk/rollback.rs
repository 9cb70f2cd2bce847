//! What a rollback gives back of what a bulk statement changed: SEMANTICS 1.3, 1.4.

use orm_core::session::ObjectState;
use orm_tests::backend_tests;

use crate::models::*;

backend_tests! {
    /// SEMANTICS 1.3, 1.4: values are known, so that they come back without a reload.
    async fn rule_1_3_updated_objects_get_their_values_back(db) {
        members(&db, &["ada", "bob"]).await?;
        let mut session = db.session();
        let ada = session.require::<Member>(1).await?;
        let before = session[ada].updated_at();
        let update = Member::update().set(Member::score, Member::score + 5).set(Member::bonus, 3);
        update.clone().all_rows().execute(&mut session).await?;
        update.all_rows().execute(&mut session).await?;
        assert_eq!((session[ada].score, session[ada].bonus), (11, 3));
        let log = db.log();
        session.rollback().await?;
        assert_eq!((session[ada].score, session[ada].bonus), (1, 0));
        assert_eq!(session[ada].updated_at(), before);
        session.commit().await?;
        assert_eq!(log.emitted(), [""; 0], "nothing is loaded again, nothing is left to be written");
        session.refresh(ada).await?;
        assert_eq!((session[ada].score, session[ada].updated_at()), (1, before));
    }

    /// SEMANTICS 1.4: what is loaded after a bulk statement may show what was never committed.
    async fn rule_1_4_objects_first_loaded_after_it_are_expired(db) {
        members(&db, &["ada", "bob"]).await?;
        let mut session = db.session();
        Member::update().set(Member::score, 50).all_rows().execute(&mut session).await?;
        let bob = session.require::<Member>(2).await?;
        assert_eq!(session[bob].score, 50);
        session.rollback().await?;
        assert!(session.try_get(bob).is_err());
        session.refresh(bob).await?;
        assert_eq!(session[bob].score, 2);
    }

    /// SEMANTICS 1.3: deleted objects return under the same handle, into the same collections.
    async fn rule_1_3_deleted_objects_return(db) {
        create(&db).await?;
        let mut session = db.session();
        let team = session.add(
            Team::draft().name("blue").members(["ada", "bob"].map(|name| Member::draft().name(name))),
        );
        session.commit().await?;
        let [ada, bob] = team.members(&mut session).await?[..] else { panic!() };
        let log = db.log();
        Member::delete().filter(Member::name.eq("ada")).execute(&mut session).await?;
        log.emitted();
        session.rollback().await?;
        assert_eq!(session.state(ada), ObjectState::Persistent);
        assert_eq!(session[ada].name, "ada");
        assert_eq!(session[team].members.loaded(), Some(&[ada, bob][..]));
        assert_eq!(session.get::<Member>(session[ada].id()).await?, Some(ada));
        assert_eq!(log.emitted(), [""; 0]);
    }

    /// SEMANTICS 9.3: a savepoint gives back what was changed inside it, and nothing else.
    async fn rule_9_3_a_savepoint_undoes_its_bulk_statements(db) {
        create(&db).await?;
        let mut session = db.session();
        let club = session.add(Club::draft().name("chess"));
        let [ada, bob] = ["ada", "bob"].map(|name| session.add(Member::draft().name(name)));
        session.link(club, Club::members, ada);
        session.link(club, Club::members, bob);
        session.commit().await?;
        let add = Member::update().set(Member::score, Member::score + 1).all_rows();
        add.clone().execute(&mut session).await?;
        let mut savepoint = session.savepoint().await?;
        add.clone().execute(&mut savepoint).await?;
        Membership::delete().all_rows().execute(&mut savepoint).await?;
        Member::delete().filter(Member::name.eq("bob")).execute(&mut savepoint).await?;
        assert_eq!(savepoint[ada].score, 2);
        savepoint.rollback().await?;
        assert_eq!((session[ada].score, session[bob].score), (1, 1));
        assert_eq!(session[club].members.loaded(), Some(&[ada, bob][..]));
        let mut savepoint = session.savepoint().await?;
        add.execute(&mut savepoint).await?;
        Member::delete().filter(Member::name.eq("ada")).execute(&mut savepoint).await?;
        savepoint.commit().await?;
        assert_eq!(session.state(ada), ObjectState::Deleted);
        session.rollback().await?;
        assert_eq!((session[ada].score, session[bob].score), (0, 0));
        assert_eq!(session[club].members.loaded(), Some(&[ada, bob][..]));
        session.refresh(bob).await?;
        assert_eq!(session[bob].score, 0);
    }

    /// SEMANTICS 9.2: one that fails inside a savepoint loses the savepoint only.
    async fn rule_9_2_a_failure_inside_a_savepoint_loses_that(db) {
        members(&db, &["ada", "bob"]).await?;
        let mut session = db.session();
        let ada = session.require::<Member>(1).await?;
        Member::update().set(Member::score, 7).all_rows().execute(&mut session).await?;
        let mut savepoint = session.savepoint().await?;
        let update = Member::update().set(Member::name, "eve").all_rows();
        update.execute(&mut savepoint).await.unwrap_err();
        savepoint.rollback().await?;
        assert_eq!((session[ada].score, session[ada].name.as_str()), (7, "ada"));
        session.commit().await?;
        assert_eq!(scores(&db).await?, [("ada".into(), 7), ("bob".into(), 7)]);
    }

    /// SEMANTICS 1.3: an edit that a flush wrote before the bulk statement is undone with it.
    async fn rule_1_3_flushed_edits_and_bulk_statements_are_undone_together(db) {
        members(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<Member>(1).await?;
        session[ada].score = 20;
        Member::update().set(Member::score, Member::score + 1).all_rows().execute(&mut session).await?;
        assert_eq!(session[ada].score, 21, "3.1: flushed first");
        session[ada].score = 30;
        session.rollback().await?;
        assert_eq!(session[ada].score, 1);
    }

    /// SEMANTICS 1.4: what an action of the database has touched is expired by a rollback.
    async fn rule_1_4_objects_that_an_action_touched_are_expired(db) {
        create(&db).await?;
        let mut session = db.session();
        let ada = session.add(Member::draft().name("ada").tasks([Task::draft().title("write")]));
        session.commit().await?;
        let task = ada.tasks(&mut session).await?[0];
        Member::delete().all_rows().execute(&mut session).await?;
        session.rollback().await?;
        assert_eq!(session[ada].name, "ada");
        assert!(session.try_get(task).is_err());
        session.refresh(task).await?;
        assert_eq!(session[task].title, "write");
        assert_eq!(ada.tasks(&mut session).await?, [task]);
    }

    /// SEMANTICS 1.3: objects that were new in the unit of work leave, whatever was done to them.
    async fn rule_1_3_new_objects_leave(db) {
        members(&db, &[]).await?;
        let mut session = db.session();
        let ada = session.add(Member::draft().name("ada"));
        let bob = session.add(Member::draft().name("bob"));
        Member::update().set(Member::score, 5).all_rows().execute(&mut session).await?;
        assert_eq!(session[ada].score, 5, "3.1: flushed first");
        Member::delete().filter(Member::name.eq("bob")).execute(&mut session).await?;
        session.rollback().await?;
        assert_eq!([session.state(ada), session.state(bob)], [ObjectState::Detached; 2]);
        assert_eq!(scores(&db).await?, []);
    }
}
