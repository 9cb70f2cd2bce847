//! Slots are used again. Nothing that was known of the former object may reach the next.

use orm_core::session::ObjectState;
use orm_tests::backend_tests;

use super::models::*;

backend_tests! {
    /// SEMANTICS 1.5
    async fn rule_1_5_an_edit_leaves_with_its_expunged_object(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        session[ada].visits = 10;
        session.expunge(ada);
        let bob = session.add(user("bob"));
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT users"]);
        assert_eq!(session[bob].visits, 0);
        assert_eq!(usernames(&db).await?, ["ada", "bob"]);
    }

    /// SEMANTICS 1.5
    async fn rule_1_5_a_taken_pending_object_is_not_inserted_in_another_s_place(db) {
        db.create(&user_tables()).await?;
        let mut session = db.session();
        let ada = session.add(user("ada"));
        let taken = session.take(ada)?;
        assert_eq!(taken.username, "ada");
        let bob = session.add(user("bob"));
        session.commit().await?;
        assert_eq!(session[bob].id(), 1);
        assert_eq!(usernames(&db).await?, ["bob"]);
    }

    /// SEMANTICS 1.5, 1.3
    async fn rule_1_3_a_rollback_leaves_the_next_object_in_a_slot_alone(db) {
        committed(&db, &["ada", "bob"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        session[ada].nickname = Some("the countess".into());
        session.flush().await?;
        session.expunge(ada);
        let bob = session.require::<User>(2).await?;
        session.rollback().await?;
        session.refresh(bob).await?;
        assert_eq!((session[bob].id(), session[bob].username.as_str()), (2, "bob"));
        let again = session.require::<User>(1).await?;
        assert_eq!(session[again].nickname, None);
    }

    /// SEMANTICS 1.5, 1.3
    async fn rule_1_3_a_rollback_does_not_detach_the_next_object_in_the_slot_of_a_new_one(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let bob = session.add(user("bob"));
        session.flush().await?;
        session.expunge(bob);
        let ada = session.require::<User>(1).await?;
        session.rollback().await?;
        assert_eq!(session.state(ada), ObjectState::Persistent);
        session.refresh(ada).await?;
        assert_eq!(session[ada].username, "ada");
    }

    /// SEMANTICS 1.5, 1.3: a collection that a rollback gives back has no member that is gone.
    async fn rule_1_3_a_rollback_shows_no_expunged_member(db) {
        committed(&db, &["ada", "bob"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        let posts = ada.posts(&mut session).await?;
        session.push(ada, User::posts, Post::draft().title("Third"));
        session.expunge(posts[0]);
        let of_bob = session.require::<Post>(3).await?;
        session.rollback().await?;
        assert_eq!(session[ada].posts.loaded(), None, "one of its members is not known any more");
        let members = ada.posts(&mut session).await?;
        assert_eq!(members.len(), 2);
        assert!(!members.contains(&posts[0]) && !members.contains(&of_bob));
    }
}
