//! Foreign keys that a bulk UPDATE assigns: references and collections follow, SEMANTICS 12.1, 8.7.

use orm_core::{Handle, Session};
use orm_tests::{Database, backend_tests};

use crate::models::*;

/// Two teams, the first with two members, in a session that has loaded it all.
async fn teams(
    db: &Database,
) -> orm_core::Result<(Session, [Handle<Team>; 2], [Handle<Member>; 2])> {
    create(db).await?;
    let mut session = db.session();
    let blue = session.add(
        Team::draft().name("blue").members(["ada", "bob"].map(|name| Member::draft().name(name))),
    );
    let red = session.add(Team::draft().name("red"));
    session.commit().await?;
    let [ada, bob] = blue.members(&mut session).await?[..] else { panic!() };
    assert_eq!(red.members(&mut session).await?, []);
    assert_eq!(ada.team(&mut session).await?, Some(blue));
    Ok((session, [blue, red], [ada, bob]))
}

backend_tests! {
    /// A key that is given: the reference and both collections are read anew.
    async fn rule_12_1_a_moved_object_is_read_where_it_is_now(db) {
        let (mut session, [blue, red], [ada, bob]) = teams(&db).await?;
        let red_id = session[red].id();
        let update = Member::update().set(Member::team_id, red_id);
        update.filter(Member::name.eq("ada")).execute(&mut session).await?;
        assert_eq!(session[ada].team_id, Some(red_id));
        assert_eq!(session[blue].members.loaded(), None);
        assert_eq!(session[red].members.loaded(), None);
        assert_eq!(blue.members(&mut session).await?, [bob]);
        assert_eq!(red.members(&mut session).await?, [ada]);
        assert_eq!(ada.team(&mut session).await?, Some(red));
        session.rollback().await?;
        assert_eq!(session[ada].team_id, Some(session[blue].id()));
        assert_eq!(session[blue].members.loaded(), Some(&[ada, bob][..]));
        assert_eq!(session[red].members.loaded(), Some(&[][..]));
        assert_eq!(session.follow(ada, Member::team)?.map(|team| team.name.as_str()), Some("blue"));
    }

    /// A key that is NULL.
    async fn rule_12_1_a_blanked_key_leads_nowhere(db) {
        let (mut session, [blue, red], [ada, _]) = teams(&db).await?;
        Member::update().set(Member::team_id, None).all_rows().execute(&mut session).await?;
        assert_eq!(ada.team(&mut session).await?, None);
        assert_eq!(blue.members(&mut session).await?, []);
        assert!(session[red].members.loaded().is_some(), "nobody has entered it");
    }

    /// Rows that the session doesn't know enter a collection that it does.
    async fn rule_12_1_strangers_enter_loaded_collections(db) {
        let (mut session, [_, red], [ada, bob]) = teams(&db).await?;
        let red_id = session[red].id();
        session.expunge(ada);
        session.expunge(bob);
        let update = Member::update().set(Member::team_id, red_id).all_rows();
        assert_eq!(update.execute(&mut session).await?, 2);
        assert_eq!(red.members(&mut session).await?.len(), 2);
    }

    /// A key that is computed may lead anywhere.
    async fn rule_12_1_computed_keys_may_lead_anywhere(db) {
        let (mut session, [blue, red], [ada, _]) = teams(&db).await?;
        session.expunge(ada);
        assert_eq!(blue.members(&mut session).await?.len(), 2);
        let update = Member::update().set(Member::team_id, Member::team_id + 1);
        update.filter(Member::name.eq("bob")).execute(&mut session).await?;
        assert_eq!(blue.members(&mut session).await?.len(), 1);
        assert_eq!(red.members(&mut session).await?.len(), 1);
    }
}
