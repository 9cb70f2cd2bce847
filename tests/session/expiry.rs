//! Expiring and refreshing objects.

use orm_core::Error;
use orm_core::session::ObjectState;
use orm_tests::backend_tests;

use super::models::*;

backend_tests! {
    /// SEMANTICS 10.1
    async fn rule_10_1_an_expired_object_never_reads_as_a_stale_value(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        session.expire(ada);
        assert_eq!(session.state(ada), ObjectState::Persistent);
        assert_eq!(session.key(ada), Some(1));
        for outcome in [
            session.try_get(ada).map(drop),
            session.try_get_mut(ada).map(drop),
            session.members(ada, User::posts).map(drop),
        ] {
            assert!(matches!(outcome, Err(Error::NotLoaded { model: "User", field: "*", .. })));
        }
        for message in [
            panic_message(|| session[ada].visits),
            panic_message(|| session[ada].visits = 1),
            panic_message(|| session.set(ada, User::visits, 1)),
        ] {
            assert!(message.contains("expired") && message.contains("refresh"), "{message}");
        }
    }

    /// SEMANTICS 10.1: where a foreign key leads is an object's own memory, whichever side is edited.
    async fn rule_10_1_links_of_an_expired_object_are_not_edited(db) {
        committed(&db, &["ada", "bob"]).await?;
        let mut session = db.session();
        let (ada, bob) = (session.require::<User>(1).await?, session.require::<User>(2).await?);
        let of_bob = session.require::<Post>(3).await?;
        bob.posts(&mut session).await?;
        session.expire(of_bob);
        for message in [
            panic_message(|| session.push(ada, User::posts, of_bob)),
            panic_message(|| session.remove(bob, User::posts, of_bob)),
            panic_message(|| session.set_one(of_bob, Post::user, ada)),
            panic_message(|| session.replace(ada, User::posts, [of_bob])),
        ] {
            assert!(message.contains("`Post.*`") && message.contains("expired"), "{message}");
        }
        let log = db.log();
        session.flush().await?;
        assert_eq!(log.emitted(), [""; 0]);
        session.refresh(of_bob).await?;
        session.push(ada, User::posts, of_bob);
        session.commit().await?;
        let mut fresh = db.session();
        let of_bob = fresh.require::<Post>(3).await?;
        assert_eq!(fresh[of_bob].user_id, 1);
    }

    /// SEMANTICS 10.1
    async fn rule_10_1_expire_discards_edits_marks_and_queued_members(db) {
        committed(&db, &["ada", "bob"]).await?;
        let mut session = db.session();
        let (ada, bob) = (session.require::<User>(1).await?, session.require::<User>(2).await?);
        let of_bob = session.require::<Post>(3).await?;
        session[ada].visits = 1;
        session.push(ada, User::posts, of_bob);
        session.expire(ada);
        session.delete(bob);
        session.expire(bob);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), [""; 0]);
        session.refresh(bob).await?;
        session.refresh(ada).await?;
        assert_eq!(session[ada].visits, 0);
        assert_eq!(of_bob.user(&mut session).await?, bob);
    }

    /// SEMANTICS 10.1, 8.2: the queue of an object that was expired already is discarded too.
    async fn rule_10_1_expiring_again_discards_what_was_queued_since(db) {
        committed(&db, &["ada", "bob"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        let of_bob = session.require::<Post>(3).await?;
        session.expire(ada);
        session.push(ada, User::posts, of_bob);
        session.expire(ada);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), [""; 0]);
    }

    /// SEMANTICS 10.1
    async fn rule_10_1_an_expired_object_is_loaded_by_the_query_that_meets_it(db) {
        committed(&db, &["ada", "bob"]).await?;
        let mut session = db.session();
        let (ada, bob) = (session.require::<User>(1).await?, session.require::<User>(2).await?);
        session.expire_all();
        let log = db.log();
        User::select().filter(User::id.eq(1)).one(&mut session).await?;
        assert_eq!(session[ada].username, "ada");
        assert!(session.try_get(bob).is_err(), "no query has met it yet");
        session.get::<User>(2).await?;
        assert_eq!(session[bob].username, "bob");
        assert_eq!(log.emitted(), ["SELECT users", "SELECT users"]);
    }

    /// SEMANTICS 10.1: a reference to an expired object loads it.
    async fn rule_10_1_an_expired_object_is_loaded_by_a_reference_to_it(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        let post = session.require::<Post>(1).await?;
        session.expire(ada);
        let log = db.log();
        assert_eq!(post.user(&mut session).await?, ada);
        assert_eq!(log.emitted(), ["SELECT users"]);
        assert_eq!(session[ada].username, "ada");
    }

    /// SEMANTICS 10.1, 7.9: "all" has refresh-expire in it.
    async fn rule_10_1_expire_cascades_to_loaded_members(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        let posts = ada.posts(&mut session).await?;
        session.expire(ada);
        assert!(matches!(session.try_get(posts[0]), Err(Error::NotLoaded { .. })));
    }

    /// SEMANTICS 10.1: an object without a row can't be loaded again, and stays.
    async fn rule_10_1_pending_objects_do_not_expire(db) {
        db.create(&user_tables()).await?;
        let mut session = db.session();
        let ada = session.add(user("ada"));
        session.expire(ada);
        session.expire_all();
        assert_eq!(session[ada].username, "ada");
        session.commit().await?;
        assert_eq!(usernames(&db).await?, ["ada"]);
    }

    /// SEMANTICS 10.1: an expired object can be deleted by its key.
    async fn rule_10_1_an_expired_object_can_be_deleted(db) {
        db.create(&country_tables()).await?;
        let mut session = db.session();
        let france = session.add(Country::draft().code("FR").name("France"));
        session.commit().await?;
        session.expire(france);
        session.delete(france);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["DELETE countries"]);
    }

    /// SEMANTICS 10.2
    async fn rule_10_2_refresh_emits_one_and_shows_what_others_committed(db) {
        committed(&db, &["ada"]).await?;
        let (mut session, mut other) = (db.session(), db.session());
        let ada = session.require::<User>(1).await?;
        ada.posts(&mut session).await?;
        let theirs = other.require::<User>(1).await?;
        other[theirs].visits = 9;
        other.push(theirs, User::posts, Post::draft().title("Third"));
        other.commit().await?;
        session[ada].username = "countess".into();
        let log = db.log();
        session.refresh(ada).await?;
        assert_eq!(log.emitted(), ["SELECT users"]);
        assert_eq!((session[ada].username.as_str(), session[ada].visits), ("ada", 9));
        assert_eq!(session[ada].posts.loaded(), None, "relationships are unloaded");
        assert_eq!(ada.posts(&mut session).await?.len(), 3);
    }

    /// SEMANTICS 10.2
    async fn rule_10_2_refreshing_a_row_that_is_gone_is_not_found(db) {
        db.create(&user_tables()).await?;
        let (mut session, mut other) = (db.session(), db.session());
        let ada = session.add(user("ada"));
        session.commit().await?;
        let theirs = other.require::<User>(1).await?;
        other.delete(theirs);
        other.commit().await?;
        let error = session.refresh(ada).await.unwrap_err();
        assert!(matches!(&error, Error::NotFound { table, .. } if table == "users"), "{error}");
        assert!(matches!(session.try_get(ada), Err(Error::NotLoaded { .. })), "never stale");
    }

    /// SEMANTICS 10.2
    async fn rule_10_2_a_pending_object_can_not_be_refreshed(db) {
        db.create(&user_tables()).await?;
        let mut session = db.session();
        let ada = session.add(user("ada"));
        let error = session.refresh(ada).await.unwrap_err();
        assert!(error.to_string().contains("flush first"), "{error}");
        session.commit().await?;
        assert_eq!(session[ada].username, "ada");
    }

    /// SEMANTICS 10.2: an object that was marked is unmarked, as of any other change.
    async fn rule_10_2_refresh_takes_back_a_mark(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        session.delete(ada);
        session.refresh(ada).await?;
        assert_eq!(session.state(ada), ObjectState::Persistent);
        session.commit().await?;
        assert_eq!(usernames(&db).await?, ["ada"]);
    }

    /// SEMANTICS 10.1, 4.8: its collections are read again for the cascade.
    async fn rule_10_1_deleting_an_expired_parent_deletes_its_members(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        let posts = ada.posts(&mut session).await?;
        session.expire(ada);
        session.delete(ada);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["SELECT posts", "DELETE posts", "DELETE users"]);
        assert_eq!(session.state(posts[0]), ObjectState::Detached);
    }
}
