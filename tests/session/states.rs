//! The states that an object goes through, and what goes with it.

use orm_core::Error;
use orm_core::session::ObjectState;
use orm_tests::backend_tests;

use super::models::*;

backend_tests! {
    /// SEMANTICS 1.1
    async fn rule_1_1_an_object_is_pending_then_persistent_then_deleted_then_detached(db) {
        db.create(&user_tables()).await?;
        let mut session = db.session();
        let ada = session.add(user("ada"));
        assert_eq!(session.state(ada), ObjectState::Pending);
        session.flush().await?;
        assert_eq!(session.state(ada), ObjectState::Persistent);
        session.delete(ada);
        assert_eq!(session.state(ada), ObjectState::Deleted);
        assert_eq!(session[ada].username, "ada", "marked, and still there");
        session.flush().await?;
        assert_eq!(session.state(ada), ObjectState::Deleted);
        session.commit().await?;
        assert_eq!(session.state(ada), ObjectState::Detached);
        assert_eq!(usernames(&db).await?, [""; 0]);
    }

    /// SEMANTICS 1.1
    async fn rule_1_1_deleting_a_pending_object_expunges_it_and_writes_nothing(db) {
        db.create(&user_tables()).await?;
        let mut session = db.session();
        let log = db.log();
        let ada = session.add(user("ada"));
        session.delete(ada);
        assert_eq!(session.state(ada), ObjectState::Detached);
        session.commit().await?;
        assert_eq!(log.all(), [""; 0]);
    }

    /// SEMANTICS 1.1
    async fn rule_1_1_deleting_a_pending_parent_takes_its_pending_children_along(db) {
        db.create(&user_tables()).await?;
        let mut session = db.session();
        let ada = session.add(user("ada"));
        session.push(ada, User::posts, Post::draft().title("Notes"));
        let post = session[ada].posts.loaded().expect("a new collection is known")[0];
        session.delete(ada);
        assert_eq!(session.state(post), ObjectState::Detached);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), [""; 0]);
    }

    /// SEMANTICS 1.1: a marked object can be told from one that a flush deleted.
    async fn rule_1_1_deleting_twice_deletes_once(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        let log = db.log();
        session.delete(ada);
        session.delete(ada);
        session.commit().await?;
        assert_eq!(log.emitted(), ["SELECT posts", "DELETE posts", "DELETE users"]);
    }

    /// SEMANTICS 1.1
    async fn rule_1_1_expunge_detaches_and_leaves_the_row(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        session[ada].username = "countess".into();
        session.expunge(ada);
        assert_eq!(session.state(ada), ObjectState::Detached);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), [""; 0]);
        assert_eq!(usernames(&db).await?, ["ada"]);
    }

    /// SEMANTICS 1.1
    async fn rule_1_1_expunging_a_pending_object_is_never_written(db) {
        db.create(&user_tables()).await?;
        let mut session = db.session();
        let (ada, bob) = (session.add(user("ada")), session.add(user("bob")));
        session.expunge(ada);
        session.commit().await?;
        assert_eq!(session.state(ada), ObjectState::Detached);
        assert_eq!(session[bob].username, "bob");
        assert_eq!(usernames(&db).await?, ["bob"]);
    }

    /// SEMANTICS 1.1, 7.9: "all" has expunge in it.
    async fn rule_1_1_expunge_cascades_to_loaded_members(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        let posts = ada.posts(&mut session).await?;
        session.expunge(ada);
        for post in posts {
            assert_eq!(session.state(post), ObjectState::Detached);
        }
    }

    /// SEMANTICS 1.1
    async fn rule_1_1_expunging_a_parent_leaves_its_key_in_a_child_that_was_given_to_it(db) {
        committed(&db, &["ada", "bob"]).await?;
        let mut session = db.session();
        let bob = session.require::<User>(2).await?;
        let post = session.require::<Post>(1).await?;
        post.user(&mut session).set(bob);
        session.flush().await?;
        session.expunge(bob);
        assert_eq!(session[post].user_id, 2);
        let user = post.user(&mut session).await?;
        assert_eq!(session[user].username, "bob", "the row is still there to be loaded");
    }

    /// SEMANTICS 1.1
    async fn rule_1_1_an_unflushed_link_to_an_expunged_object_is_forgotten(db) {
        committed(&db, &["ada", "bob"]).await?;
        let mut session = db.session();
        let bob = session.require::<User>(2).await?;
        let post = session.require::<Post>(1).await?;
        post.user(&mut session).set(bob);
        session.expunge(bob);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), [""; 0]);
        let user = post.user(&mut session).await?;
        assert_eq!(session[user].username, "ada");
    }

    /// SEMANTICS 1.1, 7.4
    async fn rule_1_1_a_pending_orphan_is_expunged_at_once(db) {
        db.create(&user_tables()).await?;
        let mut session = db.session();
        let ada = session.add(user("ada"));
        let post = session.add(Post::draft().title("Notes").user(ada));
        session.remove(ada, User::posts, post);
        assert_eq!(session.state(post), ObjectState::Detached);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT users"]);
    }

    /// SEMANTICS 1.1: what led to the object leads nowhere, and nothing is written of it.
    async fn rule_1_1_a_pending_parent_that_leaves_is_forgotten_by_its_children(db) {
        db.create(&team_tables()).await?;
        let mut session = db.session();
        let (red, blue) = (
            session.add(Team::draft().name("Red").players([Player::draft().name("Ann")])),
            session.add(Team::draft().name("Blue").players([Player::draft().name("Bea")])),
        );
        let ann = session[red].players.loaded().expect("new")[0];
        let bea = session[blue].players.loaded().expect("new")[0];
        session.expunge(red);
        session.delete(blue);
        for player in [ann, bea] {
            assert_eq!(session.state(player), ObjectState::Pending);
            assert_eq!(session[player].team.loaded(), Some(None));
        }
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT players"]);
        assert_eq!((session[ann].team_id, session[bea].team_id), (None, None));
    }

    /// SEMANTICS 1.1: as `expunge`, for an object whose value is wanted.
    async fn rule_1_1_what_was_linked_to_a_taken_object_is_forgotten(db) {
        db.create(&team_tables()).await?;
        let mut session = db.session();
        let red = session.add(Team::draft().name("Red"));
        let ann = session.add(Player::draft().name("Ann"));
        session.commit().await?;
        session.push(red, Team::players, ann);
        session.push(red, Team::players, Player::draft().name("Bea"));
        let bea = session[red].players.loaded().expect("known since it was new")[1];
        let taken = session.take(red)?;
        assert_eq!(taken.name, "Red");
        session.add(Team::draft().name("Blue"));
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT teams", "INSERT players"]);
        assert_eq!((session[ann].team_id, session[bea].team_id), (None, None));
    }

    /// SEMANTICS 1.1
    async fn rule_1_1_close_detaches_and_rolls_back(db) {
        db.create(&user_tables()).await?;
        let mut session = db.session();
        session.add(user("ada"));
        session.flush().await?;
        session.close().await?;
        assert_eq!(usernames(&db).await?, [""; 0]);
    }

    /// SEMANTICS 1.1
    async fn rule_1_1_expunge_all_detaches_everything_and_the_session_goes_on(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        session[ada].username = "countess".into();
        let bob = session.add(user("bob"));
        session.expunge_all();
        assert_eq!(session.state(ada), ObjectState::Detached);
        assert_eq!(session.state(bob), ObjectState::Detached);
        let reason = session.try_get(ada).unwrap_err().to_string();
        assert!(reason.contains("expunge_all"), "{reason}");
        let again = session.require::<User>(1).await?;
        assert_ne!(again, ada);
        assert_eq!(session[again].username, "ada");
        session.commit().await?;
        assert_eq!(usernames(&db).await?, ["ada"]);
    }

    /// SEMANTICS 1.2
    async fn rule_1_2_add_brings_in_every_draft_and_links_every_handle(db) {
        db.create(&user_tables()).await?;
        let mut session = db.session();
        let log = db.log();
        let post = session.add(Post::draft().title("Notes").user(
            User::draft().username("ada").email("ada@example.org").posts([
                Post::draft().title("Sketches"),
            ]),
        ));
        let ada = session[post].user.loaded().flatten().expect("linked at once");
        let titles: Vec<&str> = session
            .members(ada, User::posts)?
            .map(|(_, post)| post.title.as_str())
            .collect();
        assert_eq!(titles, ["Sketches", "Notes"]);
        assert_eq!(session.state(ada), ObjectState::Pending);
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT users", "INSERT posts"]);
        assert_eq!(session[post].user_id, session[ada].id());
    }

    /// SEMANTICS 1.2: a handle of the session is linked, not added again.
    async fn rule_1_2_a_draft_takes_handles_of_the_session(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        let log = db.log();
        let posts = session.add_all(["Third", "Fourth"].map(|title| {
            Post::draft().title(title).user(ada)
        }));
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT posts"]);
        assert_eq!(session[posts[0]].user_id, 1);
        assert_eq!(session[posts[1]].user_id, 1);
    }

    /// SEMANTICS 1.5
    async fn rule_1_5_after_the_flush_that_deletes_only_take_works_until_the_commit(db) {
        db.create(&user_tables()).await?;
        let mut session = db.session();
        let ada = session.add(user("ada"));
        session.commit().await?;
        session.delete(ada);
        session.flush().await?;
        let error = session.try_get(ada).unwrap_err();
        assert!(matches!(error, Error::Detached { model: "User", .. }), "{error}");
        assert!(panic_message(|| session[ada].visits).contains("deleted by a flush"));
        let taken = session.take(ada)?;
        assert_eq!((taken.id(), taken.username.as_str()), (1, "ada"));
        assert!(session.take(ada).is_err(), "there is one value to be taken");
        session.commit().await?;
        assert_eq!(usernames(&db).await?, [""; 0]);
    }

    /// SEMANTICS 1.5
    async fn rule_1_5_the_commit_frees_the_value_of_a_deleted_object(db) {
        db.create(&user_tables()).await?;
        let mut session = db.session();
        let ada = session.add(user("ada"));
        session.commit().await?;
        session.delete(ada);
        session.commit().await?;
        assert!(matches!(session.take(ada), Err(Error::Detached { .. })));
        let bob = session.add(user("bob"));
        assert_ne!(ada, bob, "another generation, if not another slot");
        assert_eq!(session.state(ada), ObjectState::Detached);
        assert_eq!(session.state(bob), ObjectState::Pending);
    }

    /// SEMANTICS 1.5
    async fn rule_1_5_take_gives_the_value_of_an_object_and_leaves_its_row(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        session[ada].nickname = Some("the countess".into());
        let taken = session.take(ada)?.into_inner();
        assert_eq!(taken.nickname.as_deref(), Some("the countess"));
        assert_eq!(session.state(ada), ObjectState::Detached);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), [""; 0], "its edit left with it");
        let again = session.require::<User>(1).await?;
        assert_eq!(session[again].nickname, None);
    }
}
