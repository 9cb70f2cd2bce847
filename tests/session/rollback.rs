//! What a rollback gives back, and what it expires.

use orm_core::session::ObjectState;
use orm_core::{Error, Session};
use orm_tests::backend_tests;

use super::models::*;

#[track_caller]
fn is_expired(session: &Session, handle: orm_core::Handle<User>) -> bool {
    match session.try_get(handle) {
        Ok(_) => false,
        Err(Error::NotLoaded { field: "*", .. }) => true,
        Err(error) => panic!("{error}"),
    }
}

backend_tests! {
    /// SEMANTICS 1.3
    async fn rule_1_3_unflushed_edits_are_discarded_without_any_sql(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        let log = db.log();
        session[ada].username = "countess".into();
        session.set(ada, User::visits, User::visits + 1);
        session.rollback().await?;
        assert_eq!(session[ada].username, "ada");
        session.commit().await?;
        assert_eq!(log.all(), [""; 0]);
        assert_eq!(session[ada].visits, 0);
    }

    /// SEMANTICS 1.3: better than a reload.
    async fn rule_1_3_flushed_edits_give_way_to_the_values_before_without_a_reload(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        let before = session[ada].updated_at();
        let log = db.log();
        session[ada].username = "countess".into();
        session.flush().await?;
        session[ada].username = "lovelace".into();
        session.flush().await?;
        session[ada].username = "byron".into();
        session.rollback().await?;
        assert_eq!(log.all(), ["BEGIN", "UPDATE users", "UPDATE users", "ROLLBACK"]);
        assert_eq!(session[ada].username, "ada");
        assert_eq!(session[ada].updated_at(), before, "a generated value is undone too");
        session.commit().await?;
        assert_eq!(log.all(), [""; 0], "nothing is left to be written");
    }

    /// SEMANTICS 1.3: values as of the start of the unit of work, not of the session.
    async fn rule_1_3_a_rollback_goes_back_to_the_last_commit(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        session[ada].visits = 1;
        session.commit().await?;
        session[ada].visits = 2;
        session.flush().await?;
        session.rollback().await?;
        assert_eq!(session[ada].visits, 1);
    }

    /// SEMANTICS 1.3
    async fn rule_1_3_new_objects_leave_and_their_values_can_be_taken(db) {
        db.create(&user_tables()).await?;
        let mut session = db.session();
        let (ada, bob) = (session.add(user("ada")), session.add(user("bob")));
        session.delete(bob);
        session.flush().await?;
        let eve = session.add(user("eve"));
        session.rollback().await?;
        for handle in [ada, bob, eve] {
            assert_eq!(session.state(handle), ObjectState::Detached);
            assert!(matches!(session.try_get(handle), Err(Error::Detached { .. })));
        }
        let ada = session.take(ada)?.into_inner();
        let eve = session.take(eve)?.into_inner();
        assert_eq!((ada.username.as_str(), eve.username.as_str()), ("ada", "eve"));
        assert_eq!(usernames_in(&mut session).await?, [""; 0]);

        // What was taken can be added again.
        let again = session.add_all([ada, eve]);
        session.commit().await?;
        assert_eq!(session[again[0]].username, "ada");
        assert_eq!(usernames(&db).await?, ["ada", "eve"]);
    }

    /// SEMANTICS 1.3
    async fn rule_1_3_deleted_objects_return_under_the_same_handle(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        let posts = ada.posts(&mut session).await?;
        session[ada].visits = 5;
        session.delete(ada);
        session.flush().await?;
        assert_eq!(session.state(posts[0]), ObjectState::Deleted);
        session.rollback().await?;
        let log = db.log();
        assert_eq!(session.state(ada), ObjectState::Persistent);
        assert_eq!((session[ada].username.as_str(), session[ada].visits), ("ada", 0));
        assert_eq!(session[ada].posts.loaded(), Some(&posts[..]));
        assert_eq!(session[posts[1]].title, "Second of ada");
        assert_eq!(session.get::<User>(1).await?, Some(ada), "and in the identity map");
        assert_eq!(log.emitted(), [""; 0]);
    }

    /// SEMANTICS 1.3
    async fn rule_1_3_a_mark_that_no_flush_has_seen_is_taken_back(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        session.delete(ada);
        session.rollback().await?;
        assert_eq!(session.state(ada), ObjectState::Persistent);
        session.commit().await?;
        assert_eq!(usernames(&db).await?, ["ada"]);
    }

    /// SEMANTICS 1.3
    async fn rule_1_3_collection_edits_are_discarded_loaded_or_queued(db) {
        committed(&db, &["ada", "bob"]).await?;
        let mut session = db.session();
        let (ada, bob) = (session.require::<User>(1).await?, session.require::<User>(2).await?);
        let posts = ada.posts(&mut session).alone().await?;
        session.remove(ada, User::posts, posts[0]);
        session.push(ada, User::posts, Post::draft().title("Third"));
        // Bob's collection is not loaded: the edit waits.
        assert_eq!(session[bob].posts.loaded(), None);
        session.push(bob, User::posts, posts[1]);
        session.rollback().await?;
        assert_eq!(session[ada].posts.loaded(), Some(&posts[..]));
        assert_eq!(session[bob].posts.loaded(), None);
        let of_bob = bob.posts(&mut session).await?;
        assert_eq!(of_bob.len(), 2);
        assert!(!of_bob.contains(&posts[1]));
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), [""; 0]);
    }

    /// SEMANTICS 1.3: a changed key of the user's own goes back, in the identity map too.
    async fn rule_1_3_a_changed_primary_key_is_restored(db) {
        db.create(&country_tables()).await?;
        let mut session = db.session();
        let france = session.add(Country::draft().code("FX").name("France"));
        session.commit().await?;
        session[france].code = "FR".into();
        session.flush().await?;
        assert_eq!(session.get::<Country>("FR".into()).await?, Some(france));
        session.rollback().await?;
        assert_eq!(session.key(france).as_deref(), Some("FX"));
        assert_eq!(session.get::<Country>("FX".into()).await?, Some(france));
        assert_eq!(session.get::<Country>("FR".into()).await?, None);
    }

    /// SEMANTICS 1.3: a rollback without a transaction sends nothing.
    async fn rule_1_3_a_rollback_ends_the_unit_of_work_whether_or_not_begin_was_sent(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        let bob = session.add(user("bob"));
        let log = db.log();
        session.rollback().await?;
        assert_eq!(log.all(), [""; 0]);
        assert_eq!(session.state(bob), ObjectState::Detached);
        assert_eq!(session[ada].username, "ada");
        session.rollback().await?;
        assert!(matches!(session.take(bob), Err(Error::Detached { .. })), "until the next end");
    }

    /// SEMANTICS 1.4
    async fn rule_1_4_what_was_first_loaded_after_the_first_write_is_expired(db) {
        committed(&db, &["ada", "bob"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        session[ada].visits = 1;
        session.flush().await?;
        let bob = session.require::<User>(2).await?;
        session.rollback().await?;
        assert!(!is_expired(&session, ada), "its database values are known");
        assert!(is_expired(&session, bob));
        let log = db.log();
        assert_eq!(session.get::<User>(2).await?, Some(bob));
        assert_eq!(log.emitted(), ["SELECT users"]);
        assert_eq!(session[bob].username, "bob");
    }

    /// SEMANTICS 1.4
    async fn rule_1_4_what_was_refreshed_after_the_first_write_is_expired(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        session[ada].visits = 1;
        session.flush().await?;
        session.refresh(ada).await?;
        assert_eq!(session[ada].visits, 1);
        session.rollback().await?;
        assert!(is_expired(&session, ada));
        assert!(panic_message(|| session[ada].visits).contains("expired"));
        session.refresh(ada).await?;
        assert_eq!(session[ada].visits, 0);
    }

    /// SEMANTICS 1.4
    async fn rule_1_4_what_an_on_delete_action_touched_is_expired(db) {
        db.create(&country_tables()).await?;
        let mut session = db.session();
        let france = session.add(Country::draft().code("FR").name("France"));
        let paris = session.add(City::draft().name("Paris").country_code("FR"));
        session.commit().await?;
        session.delete(france);
        session.flush().await?;
        assert!(matches!(session.try_get(paris), Err(Error::NotLoaded { .. })), "at once");
        session.refresh(paris).await?;
        assert_eq!(session[paris].country_code, None);
        session.rollback().await?;
        assert!(matches!(session.try_get(paris), Err(Error::NotLoaded { .. })));
        session.refresh(paris).await?;
        assert_eq!(session[paris].country_code.as_deref(), Some("FR"));
    }

    /// SEMANTICS 1.4: `get` evicts where the row is gone.
    async fn rule_1_4_an_object_that_was_never_committed_is_evicted(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        session.add(user("bob"));
        session.flush().await?;
        // Out of the session's sight, and loaded again as a row that is not committed.
        session.expunge_all();
        let bob = session.require::<User>(2).await?;
        session.rollback().await?;
        assert!(is_expired(&session, bob));
        assert_eq!(session.get::<User>(2).await?, None);
        assert_eq!(session.state(bob), ObjectState::Detached);
    }

    /// SEMANTICS 1.4: a collection that was read after the first write may show what the rollback
    /// undoes, though its owner was loaded before.
    async fn rule_1_4_a_collection_that_was_loaded_after_the_first_write_is_unloaded(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        let third = session.add(Post::draft().title("Third").user_id(1));
        session.flush().await?;
        let posts = ada.posts(&mut session).await?;
        assert_eq!(posts.len(), 3);
        assert!(posts.contains(&third));
        session.rollback().await?;
        assert_eq!(session[ada].posts.loaded(), None);
        assert_eq!(ada.posts(&mut session).await?.len(), 2);
    }

    /// SEMANTICS 1.4, 2.1: an object whose row a rollback took away leaves as soon as another's row
    /// has its key.
    async fn rule_2_1_a_key_that_is_free_again_has_one_handle(db) {
        db.create(&country_tables()).await?;
        let mut session = db.session();
        let france = session.add(Country::draft().code("FR").name("France"));
        session.flush().await?;
        session.expunge(france);
        let met = session.require::<Country>("FR".to_owned()).await?;
        session.rollback().await?;
        assert!(matches!(session.try_get(met), Err(Error::NotLoaded { .. })));
        let gaul = session.add(Country::draft().code("FR").name("Gaul"));
        session.flush().await?;
        assert_eq!(session.state(met), ObjectState::Detached);
        assert_eq!(session.require::<Country>("FR".to_owned()).await?, gaul);
        let found = Country::select().populate_existing().all(&mut session).await?;
        assert_eq!((found, session[gaul].name.as_str()), (vec![gaul], "Gaul"));
        session.commit().await?;
    }

    /// SEMANTICS 1.3, 10.1: what was expired before the rollback stays so, views included.
    async fn rule_1_3_a_rollback_does_not_bring_back_what_was_expired(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        ada.posts(&mut session).await?;
        session.push(ada, User::posts, Post::draft().title("Third"));
        session.expire(ada);
        session.rollback().await?;
        assert!(is_expired(&session, ada));
        session.refresh(ada).await?;
        assert_eq!(session[ada].posts.loaded(), None);
    }
}
