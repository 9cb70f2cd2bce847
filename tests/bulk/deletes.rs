//! `Member::delete()`: SEMANTICS 12.1, 7.10, 1.5.

use orm_core::Error;
use orm_core::session::ObjectState;
use orm_tests::backend_tests;

use crate::models::*;

/// What a bulk DELETE emits where the session holds objects of the table.
fn delete_of_held(db: &orm_tests::Database, table: &str) -> Vec<String> {
    let mut emitted = vec![format!("DELETE {table}")];
    if !db.capabilities.returning_on_delete {
        emitted.insert(0, format!("SELECT {table}"));
    }
    emitted
}

backend_tests! {
    /// SEMANTICS 12.1, 1.5: one statement; matching objects are deleted, and gone after the commit.
    async fn rule_12_1_a_delete_is_one_statement_and_objects_leave(db) {
        members(&db, &["ada", "bob", "eve"]).await?;
        let mut session = db.session();
        let ada = session.require::<Member>(1).await?;
        let eve = session.require::<Member>(3).await?;
        let log = db.log();
        let deleted = Member::delete().filter(Member::score.lt(3)).execute(&mut session).await?;
        assert_eq!(deleted, 2);
        assert_eq!(log.emitted(), delete_of_held(&db, "members"));
        assert_eq!(session.state(ada), ObjectState::Deleted);
        assert!(matches!(session.try_get(ada), Err(Error::Detached { .. })));
        assert_eq!(session[eve].name, "eve");
        assert_eq!(session.get::<Member>(1).await?, None);
        log.emitted();
        session.commit().await?;
        assert_eq!(log.emitted(), [""; 0]);
        assert_eq!(session.state(ada), ObjectState::Detached);
        assert_eq!(scores(&db).await?, [("eve".into(), 3)]);
    }

    /// SEMANTICS 12.1: nothing in memory, nothing asked for.
    async fn rule_12_1_a_delete_of_strangers_is_one_statement_everywhere(db) {
        members(&db, &["ada", "bob"]).await?;
        let mut session = db.session();
        let log = db.log();
        assert_eq!(Member::delete().all_rows().execute(&mut session).await?, 2);
        assert_eq!(log.emitted(), ["DELETE members"]);
        session.commit().await?;
        assert_eq!(scores(&db).await?, []);
    }

    /// SEMANTICS 7.10: deleted objects leave the collections and references that they were in.
    async fn rule_7_10_deleted_objects_leave_what_they_were_in(db) {
        create(&db).await?;
        let mut session = db.session();
        let team = session.add(Team::draft().name("blue").members([
            Member::draft().name("ada").locker(Locker::draft().number(7)),
            Member::draft().name("bob"),
        ]));
        let club = session.add(Club::draft().name("chess"));
        session.flush().await?;
        let [ada, bob] = team.members(&mut session).await?[..] else { panic!() };
        session.link(club, Club::members, ada);
        session.link(club, Club::members, bob);
        session.commit().await?;
        assert_eq!(session[club].members.loaded().map(<[_]>::len), Some(2));
        let locker = ada.locker(&mut session).await?.unwrap();
        Member::delete().filter(Member::name.eq("ada")).execute(&mut session).await?;
        assert_eq!(session[team].members.loaded(), Some(&[bob][..]));
        assert_eq!(session[club].members.loaded(), Some(&[bob][..]));
        // ON DELETE SET NULL has changed its row.
        assert!(matches!(session.try_get(locker), Err(Error::NotLoaded { .. })));
        session.refresh(locker).await?;
        assert_eq!(session[locker].member_id, None);
        session.commit().await?;
        assert_eq!(Membership::select().count(&mut session).await?, 1);
    }

    /// SEMANTICS 12.1: no cascade in memory: what the database doesn't do isn't done.
    async fn rule_12_1_cascades_of_relationships_are_left_to_the_database(db) {
        create(&db).await?;
        let mut session = db.session();
        let ada = session.add(Member::draft().name("ada").tasks([Task::draft().title("write")]));
        session.commit().await?;
        let task = ada.tasks(&mut session).await?[0];
        let log = db.log();
        Member::delete().all_rows().execute(&mut session).await?;
        assert_eq!(log.emitted(), delete_of_held(&db, "members"));
        assert_eq!(session.state(task), ObjectState::Persistent, "read it to know better");
        assert_eq!(session.get::<Task>(1).await?, None, "the database has deleted it");
        assert_eq!(session.state(task), ObjectState::Detached);
    }

    /// SEMANTICS 2.1: a new object with a deleted key is another.
    async fn rule_12_1_keys_are_free_again(db) {
        db.create(&orm_core::schema![Seat, Ticket]).await?;
        let mut session = db.session();
        let seat = session.add(Seat::draft().row(1).number("a").code("x"));
        session.flush().await?;
        Seat::delete().all_rows().execute(&mut session).await?;
        let again = session.add(Seat::draft().row(1).number("a").code("y"));
        session.flush().await?;
        assert_ne!(seat, again);
        assert_eq!(session.get::<Seat>((1, "a".to_owned())).await?, Some(again));
        session.commit().await?;
        assert_eq!(session[again].code, "y");
    }

    /// SEMANTICS 12.1: an association's rows: the collections that go through it are read anew.
    async fn rule_12_1_association_rows(db) {
        create(&db).await?;
        let mut session = db.session();
        let club = session.add(Club::draft().name("chess"));
        let ada = session.add(Member::draft().name("ada"));
        let bob = session.add(Member::draft().name("bob"));
        session.link(club, Club::members, ada);
        session.link(club, Club::members, bob);
        session.commit().await?;
        let key = session[ada].id();
        let delete = Membership::delete().filter(Membership::member_id.eq(key));
        assert_eq!(delete.execute(&mut session).await?, 1);
        assert_eq!(session[club].members.loaded(), None);
        assert_eq!(club.members(&mut session).await?, [bob]);
        // The pair is no row any more, which the session must not believe it is.
        session.link(club, Club::members, ada);
        session.commit().await?;
        assert_eq!(Membership::select().count(&mut session).await?, 2);
    }
}
