//! delete-orphan: who leaves a parent is deleted, unless another takes it in.

use orm_core::session::ObjectState;
use orm_core::{Error, Handle, Session};
use orm_tests::{Database, backend_tests};

use crate::models::*;

struct Blog {
    session: Session,
    ada: Handle<User>,
    bob: Handle<User>,
    post: Handle<Post>,
}

/// Ada has a committed post and Bob has none; their collections are loaded or not.
async fn blog(db: &Database, loaded: bool) -> orm_core::Result<Blog> {
    let mut session = db.session();
    let post = Post::draft().title("A").comments([Comment::draft().text("c")]);
    let ada = session.add(User::draft().name("Ada").posts([post]));
    let bob = session.add(User::draft().name("Bob"));
    session.commit().await?;
    let (ada, bob) = (session[ada].id(), session[bob].id());
    let mut session = db.session();
    let (ada, bob) = (session.require::<User>(ada).await?, session.require::<User>(bob).await?);
    let post = Post::select().order_by(Post::id.desc()).first(&mut session).await?;
    if loaded {
        ada.posts(&mut session).await?;
        bob.posts(&mut session).await?;
    }
    Ok(Blog { session, ada, bob, post: post.expect("it was committed") })
}

backend_tests! {
    /// SEMANTICS 7.4
    async fn rule_7_4_leaving_the_collection_deletes_recursively(db) {
        db.create(&blog_tables()).await?;
        for loaded in [false, true] {
            let Blog { mut session, ada, post, .. } = blog(&db, loaded).await?;
            let comment = post.comments(&mut session).await?[0];
            session.remove(ada, User::posts, post);
            assert_eq!(session.state(post), ObjectState::Persistent, "until the flush");
            let log = db.log();
            session.commit().await?;
            assert_eq!(log.emitted(), ["DELETE post_tags", "DELETE comments", "DELETE posts"]);
            assert_eq!(session.state(post), ObjectState::Detached);
            assert_eq!(session.state(comment), ObjectState::Detached);
        }
    }

    /// SEMANTICS 7.4
    async fn rule_7_4_clearing_from_the_other_side_deletes(db) {
        db.create(&blog_tables()).await?;
        let Blog { mut session, ada, post, .. } = blog(&db, false).await?;
        post.user(&mut session).clear();
        let log = db.log();
        session.commit().await?;
        assert_eq!(
            log.emitted(),
            ["SELECT comments", "DELETE post_tags", "DELETE comments", "DELETE posts"],
        );
        assert_eq!(ada.posts(&mut session).await?, []);
    }

    /// SEMANTICS 7.4
    async fn rule_7_4_a_pending_child_is_expunged_at_once(db) {
        db.create(&blog_tables()).await?;
        let Blog { mut session, ada, .. } = blog(&db, true).await?;
        let new = session.add(Post::draft().title("new").user(ada));
        ada.posts(&mut session).remove(new);
        assert_eq!(session.state(new), ObjectState::Detached);
        assert_eq!(session[ada].posts.loaded().map(<[_]>::len), Some(1));
        let log = db.log();
        session.commit().await?;
        assert!(log.emitted().is_empty());
    }

    /// SEMANTICS 7.4: an object that never had a parent is no orphan.
    async fn rule_7_4_never_having_had_a_parent_is_no_orphan(db) {
        db.create(&theatre_tables()).await?;
        let mut session = db.session();
        let ticket = session.add(Ticket::draft().seat("1"));
        session.commit().await?;
        ticket.show(&mut session).clear();
        session.commit().await?;
        assert_eq!(session.state(ticket), ObjectState::Persistent);
    }

    /// SEMANTICS 7.4: losing any one of several delete-orphan parents is enough.
    async fn rule_7_4_losing_one_of_several_parents_makes_an_orphan(db) {
        db.create(&theatre_tables()).await?;
        let mut session = db.session();
        let show = session.add(Show::draft().title("Show"));
        let guest = session.add(Guest::draft().name("Ada"));
        let ticket = session.add(Ticket::draft().seat("1").show(show).guest(guest));
        session.commit().await?;
        guest.tickets(&mut session).remove(ticket);
        session.commit().await?;
        assert_eq!(session.state(ticket), ObjectState::Detached);
        assert_eq!(session[show].tickets.loaded(), Some(&[][..]));
    }

    /// SEMANTICS 7.4: another parent through the same relationship keeps it.
    async fn rule_7_4_another_parent_of_the_same_relationship_keeps_it(db) {
        db.create(&theatre_tables()).await?;
        let mut session = db.session();
        let [one, two] = ["1", "2"].map(|title| session.add(Show::draft().title(title)));
        let guest = session.add(Guest::draft().name("Ada"));
        let ticket = session.add(Ticket::draft().seat("1").show(one).guest(guest));
        session.commit().await?;
        one.tickets(&mut session).remove(ticket);
        two.tickets(&mut session).push(ticket);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE tickets"]);
        assert_eq!(session[ticket].show_id, Some(session[two].id()));
        assert_eq!(session[ticket].guest_id, Some(session[guest].id()));
    }

    /// SEMANTICS 7.5: one UPDATE, loaded or not, in either order and from either side.
    async fn rule_7_5_moving_is_one_update(db) {
        db.create(&blog_tables()).await?;
        type Move = fn(&mut Session, Handle<User>, Handle<User>, Handle<Post>);
        let moves: [Move; 5] = [
            |session, _, bob, post| session.push(bob, User::posts, post),
            |session, ada, bob, post| {
                session.remove(ada, User::posts, post);
                session.push(bob, User::posts, post);
            },
            |session, ada, bob, post| {
                session.push(bob, User::posts, post);
                session.remove(ada, User::posts, post);
            },
            |session, _, bob, post| session.set_one(post, Post::user, bob),
            |session, _, bob, post| {
                session.set_one(post, Post::user, None);
                session.set_one(post, Post::user, bob);
            },
        ];
        for loaded in [false, true] {
            for (at, edit) in moves.iter().enumerate() {
                let Blog { mut session, ada, bob, post } = blog(&db, loaded).await?;
                edit(&mut session, ada, bob, post);
                let log = db.log();
                session.commit().await?;
                assert_eq!(log.emitted(), ["UPDATE posts"], "move {at}, loaded: {loaded}");
                assert_eq!(session[post].user_id, session[bob].id());
                assert_eq!(ada.posts(&mut session).await?, [], "move {at}, loaded: {loaded}");
                assert_eq!(bob.posts(&mut session).await?, [post]);
                assert_eq!(session[post].user.loaded(), Some(Some(bob)));
            }
        }
    }

    /// SEMANTICS 7.5: to a parent that is pending too.
    async fn rule_7_5_moving_to_a_pending_parent(db) {
        db.create(&blog_tables()).await?;
        let Blog { mut session, ada, post, .. } = blog(&db, true).await?;
        let eve = session.add(User::draft().name("Eve"));
        ada.posts(&mut session).remove(post);
        eve.posts(&mut session).push(post);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT users", "UPDATE posts"]);
        assert_eq!(session[post].user_id, session[eve].id());
    }

    /// SEMANTICS 7.5
    async fn rule_7_5_removing_and_putting_back_is_nothing(db) {
        db.create(&blog_tables()).await?;
        for loaded in [false, true] {
            let Blog { mut session, ada, post, .. } = blog(&db, loaded).await?;
            session.remove(ada, User::posts, post);
            session.push(ada, User::posts, post);
            session.set_one(post, Post::user, None);
            session.set_one(post, Post::user, ada);
            let log = db.log();
            session.commit().await?;
            assert!(log.emitted().is_empty());
            assert_eq!(ada.posts(&mut session).await?, [post]);
        }
    }

    /// SEMANTICS 7.5: a flush in between has deleted it.
    async fn rule_7_5_putting_back_after_a_flush_is_detached(db) {
        db.create(&blog_tables()).await?;
        let Blog { mut session, ada, post, .. } = blog(&db, true).await?;
        ada.posts(&mut session).remove(post);
        assert_eq!(Comment::select().count(&mut session).await?, 0, "it flushed first");
        assert!(matches!(session.try_get(post), Err(Error::Detached { .. })));
        let put_back = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            session.push(ada, User::posts, post);
        }));
        assert!(put_back.is_err());
        session.rollback().await?;
        assert_eq!(session[ada].posts.loaded(), Some(&[post][..]));
    }

    /// SEMANTICS 7.6
    async fn rule_7_6_a_reference_owns_its_single_parent_target(db) {
        db.create(&car_tables()).await?;
        let mut session = db.session();
        let car = session.add(Car::draft().plate("A").motor(Motor::draft().number("1")));
        session.commit().await?;
        let old = session[car].motor.loaded().flatten().expect("loaded");
        car.motor(&mut session).set(Motor::draft().number("2"));
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT motors", "UPDATE cars", "DELETE motors"]);
        assert_eq!(session.state(old), ObjectState::Detached);
        // Not loaded, the former one is read to be deleted.
        let mut session = db.session();
        let car = session.require::<Car>(1).await?;
        car.motor(&mut session).clear();
        session.commit().await?;
        assert_eq!(Motor::select().count(&mut session).await?, 0);
    }

    /// SEMANTICS 7.6
    async fn rule_7_6_a_second_parent_is_an_error(db) {
        db.create(&car_tables()).await?;
        let mut session = db.session();
        let one = session.add(Car::draft().plate("A").motor(Motor::draft().number("1")));
        let two = session.add(Car::draft().plate("B"));
        session.commit().await?;
        let motor = session[one].motor.loaded().flatten().expect("loaded");
        two.motor(&mut session).set(motor);
        let refused = session.flush().await;
        assert!(matches!(refused, Err(Error::Misuse(_))), "{refused:?}");
    }

    /// SEMANTICS 7.4, 7.6: a motor that moves to another car is kept.
    async fn rule_7_6_a_single_parent_target_can_move(db) {
        db.create(&car_tables()).await?;
        let mut session = db.session();
        let one = session.add(Car::draft().plate("A").motor(Motor::draft().number("1")));
        let two = session.add(Car::draft().plate("B"));
        session.commit().await?;
        let motor = session[one].motor.loaded().flatten().expect("loaded");
        one.motor(&mut session).clear();
        two.motor(&mut session).set(motor);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE cars"]);
        assert_eq!(session.state(motor), ObjectState::Persistent);
        assert_eq!(session[two].motor_id, Some(session[motor].id()));
    }

    /// SEMANTICS 7.7
    async fn rule_7_7_without_delete_orphan_the_key_becomes_null(db) {
        db.create(&book_tables()).await?;
        let mut session = db.session();
        let ada = session.add(Author::draft().name("Ada").books([Book::draft().title("A")]));
        session.commit().await?;
        let book = session[ada].books.loaded().expect("loaded")[0];
        ada.books(&mut session).remove(book);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE books"]);
        assert_eq!(session[book].author_id, None);
        // Of a pending one too: it stays in the session.
        let new = session.add(Book::draft().title("new").author(ada));
        ada.books(&mut session).remove(new);
        assert_eq!(session.state(new), ObjectState::Pending);
        session.commit().await?;
        assert_eq!(session[new].author_id, None);
    }
}
