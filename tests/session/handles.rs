//! Handles: whose they are, what they name, and what is said of those that name nothing.

use orm_core::session::ObjectState;
use orm_core::{Error, Handle, Session};
use orm_tests::backend_tests;

use super::models::*;

/// Every way of using a handle refuses it, for this reason.
#[track_caller]
fn refused(session: &mut Session, handle: Handle<User>, reason: &str) {
    assert_eq!(session.state(handle), ObjectState::Detached);
    for outcome in [
        session.try_get(handle).map(drop),
        session.try_get_mut(handle).map(drop),
        session.members(handle, User::posts).map(drop),
    ] {
        let error = outcome.expect_err("the handle names nothing here");
        assert!(matches!(error, Error::Detached { model: "User", .. }), "{error}");
        assert!(error.to_string().contains(reason), "{error}");
    }
    let messages = [
        panic_message(|| session[handle].visits),
        panic_message(|| session[handle].visits = 1),
        panic_message(|| session.key(handle)),
        panic_message(|| session.delete(handle)),
        panic_message(|| session.expunge(handle)),
        panic_message(|| session.expire(handle)),
        panic_message(|| session.set(handle, User::visits, 1)),
        panic_message(|| session.push(handle, User::posts, Post::draft().title("Notes"))),
    ];
    for message in messages {
        assert!(message.contains(reason), "{message}");
    }
}

backend_tests! {
    /// SEMANTICS 1.5: a handle of another session.
    async fn rule_1_5_a_handle_of_another_session_is_refused_everywhere(db) {
        committed(&db, &["ada"]).await?;
        let (mut ours, mut theirs) = (db.session(), db.session());
        let ada = ours.require::<User>(1).await?;
        let same_row = theirs.require::<User>(1).await?;
        assert_ne!(ada, same_row, "one row is one handle in one session only");
        refused(&mut theirs, ada, "another session");
        assert!(theirs.take(ada).is_err());
        assert!(matches!(theirs.refresh(ada).await, Err(Error::Detached { .. })));
        let message = panic_message(|| {
            theirs.add(Post::draft().title("Notes").user(ada));
        });
        assert!(message.contains("another session"), "{message}");
    }

    /// SEMANTICS 1.5
    async fn rule_1_5_a_handle_of_an_expunged_object_is_refused_everywhere(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        session.expunge(ada);
        refused(&mut session, ada, "left the session");
    }

    /// SEMANTICS 1.5
    async fn rule_1_5_a_handle_of_an_object_that_was_rolled_back_is_refused_everywhere(db) {
        db.create(&user_tables()).await?;
        let mut session = db.session();
        let ada = session.add(user("ada"));
        session.flush().await?;
        session.rollback().await?;
        refused(&mut session, ada, "rolled back");
        assert_eq!(session.take(ada)?.username, "ada");
    }

    /// SEMANTICS 1.5: what names an object is its slot and its generation.
    async fn rule_1_5_a_handle_never_names_the_next_object_in_its_slot(db) {
        committed(&db, &["ada", "bob"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        session.expunge(ada);
        let bob = session.require::<User>(2).await?;
        refused(&mut session, ada, "left the session");
        assert_eq!(session[bob].username, "bob");
        let again = session.require::<User>(1).await?;
        assert_ne!(again, ada, "the same row, met again, is another object");
    }

    /// A handle is a name: it can be compared, hashed, printed and sent, and keeps nothing alive.
    async fn handles_are_plain_names(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        let names = std::collections::HashSet::from([ada, ada]);
        assert_eq!(names.len(), 1);
        assert!(format!("{ada:?}").starts_with("User#"));
        let sent = std::thread::spawn(move || ada).join().expect("a handle is `Send`");
        assert_eq!(session[sent].username, "ada");
    }

    /// Two objects are edited at once; the same one twice is refused.
    async fn get_disjoint_mut_edits_two_objects(db) {
        committed(&db, &["ada", "bob"]).await?;
        let mut session = db.session();
        let (ada, bob) = (session.require(1).await?, session.require(2).await?);
        let [one, other] = session.get_disjoint_mut::<User>([ada, bob]);
        std::mem::swap(&mut one.nickname, &mut other.nickname);
        one.visits = 3;
        other.visits = 4;
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE users"]);
        assert_eq!((session[ada].visits, session[bob].visits), (3, 4));
        let message = panic_message(|| session.get_disjoint_mut([ada, ada]).len());
        assert!(message.contains("same object twice"), "{message}");
    }

    /// DESIGN 2, what lives where: a whole entity of another row is refused, not mixed up.
    async fn swapping_whole_entities_is_refused_by_the_flush(db) {
        committed(&db, &["ada", "bob"]).await?;
        let mut session = db.session();
        let (ada, bob) = (session.require(1).await?, session.require(2).await?);
        let [one, other] = session.get_disjoint_mut::<User>([ada, bob]);
        std::mem::swap(one, other);
        let log = db.log();
        let error = session.flush().await.unwrap_err();
        assert!(matches!(error, Error::Misuse(_)), "{error}");
        assert_eq!(log.emitted(), [""; 0]);
        session.rollback().await?;
        assert_eq!((session[ada].id(), session[ada].username.as_str()), (1, "ada"));
        assert_eq!((session[bob].id(), session[bob].username.as_str()), (2, "bob"));
    }
}
