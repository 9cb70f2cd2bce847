//! What follows an object into the session, and out of the database.

use orm_core::session::ObjectState;
use orm_core::{Error, Handle, Session};
use orm_tests::{Database, backend_tests, summary};

use crate::models::*;

/// One committed user with two posts, the first of which has two comments.
async fn blog(db: &Database) -> orm_core::Result<()> {
    db.create(&blog_tables()).await?;
    let mut session = db.session();
    let comments = ["c", "d"].map(|text| Comment::draft().text(text));
    let posts = [Post::draft().title("A").comments(comments), Post::draft().title("B")];
    session.add(User::draft().name("Ada").posts(posts));
    session.commit().await
}

/// An author with two committed books, loaded or not.
async fn shelf(db: &Database, loaded: bool) -> orm_core::Result<(Session, Handle<Author>)> {
    db.create(&book_tables()).await?;
    let mut session = db.session();
    session.add(Author::draft().name("Ada").books(["A", "B"].map(|t| Book::draft().title(t))));
    session.commit().await?;
    let mut session = db.session();
    let ada = session.require::<Author>(1).await?;
    if loaded {
        ada.books(&mut session).await?;
    }
    Ok((session, ada))
}

backend_tests! {
    /// SEMANTICS 7.1
    async fn rule_7_1_adding_a_parent_brings_the_graph_in(db) {
        db.create(&blog_tables()).await?;
        let mut session = db.session();
        let tags = [Tag::draft().name("t")];
        let posts = [Post::draft().title("A").tags(tags).comments([Comment::draft().text("c")])];
        session.add(User::draft().name("Ada").posts(posts));
        let log = db.log();
        session.commit().await?;
        let mut emitted = log.emitted();
        emitted.sort_unstable();
        assert_eq!(
            emitted,
            ["INSERT comments", "INSERT post_tags", "INSERT posts", "INSERT tags", "INSERT users"],
        );
    }

    /// SEMANTICS 7.1
    async fn rule_7_1_a_child_in_a_persistent_parent_comes_in(db) {
        blog(&db).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        session.push(ada, User::posts, Post::draft().title("C"));
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT posts"]);
    }

    /// SEMANTICS 7.2, 4.8
    async fn rule_7_2_delete_loads_what_is_not_loaded_one_statement_a_level(db) {
        blog(&db).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        session.delete(ada);
        let log = db.log();
        session.commit().await?;
        assert_eq!(
            log.emitted(),
            [
                "SELECT posts", "SELECT comments", "DELETE post_tags", "DELETE comments",
                "DELETE posts", "DELETE users",
            ],
        );
        assert_eq!(session.state(ada), ObjectState::Detached);
        assert_eq!(Comment::select().count(&mut session).await?, 0);
    }

    /// SEMANTICS 7.2: loaded collections are not read again, and pending members leave.
    async fn rule_7_2_delete_follows_the_current_members(db) {
        blog(&db).await?;
        let mut session = db.session();
        let ada = User::select()
            .with(User::posts.with(Post::comments).with(Post::tags))
            .one(&mut session)
            .await?;
        let new = session.add(Post::draft().title("new").user(ada));
        session.delete(ada);
        let log = db.log();
        session.commit().await?;
        assert_eq!(
            log.emitted(),
            ["DELETE post_tags", "DELETE comments", "DELETE posts", "DELETE users"],
        );
        assert_eq!(session.state(new), ObjectState::Detached);
    }

    /// SEMANTICS 7.2: a member that moved away before is no member any more.
    async fn rule_7_2_a_member_that_moved_away_is_kept(db) {
        blog(&db).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        let post = session.require::<Post>(1).await?;
        let bob = session.add(User::draft().name("Bob"));
        session.push(bob, User::posts, post);
        session.delete(ada);
        session.commit().await?;
        assert_eq!(session.state(post), ObjectState::Persistent);
        assert_eq!(session[post].user_id, session[bob].id());
        assert_eq!(Post::select().count(&mut session).await?, 1);
    }

    /// SEMANTICS 7.3
    async fn rule_7_3_keys_of_loaded_children_become_null(db) {
        let (mut session, ada) = shelf(&db, true).await?;
        let books = session[ada].books.loaded().expect("loaded").to_vec();
        session.delete(ada);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE books", "DELETE authors"]);
        for book in books {
            assert_eq!(session[book].author_id, None);
            assert_eq!(session[book].author.loaded(), Some(None));
        }
    }

    /// SEMANTICS 7.3, 4.8
    async fn rule_7_3_keys_of_unloaded_children_become_null(db) {
        let (mut session, ada) = shelf(&db, false).await?;
        session.delete(ada);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["SELECT books", "UPDATE books", "DELETE authors"]);
        assert_eq!(Book::select().filter(Book::author_id.is_null()).count(&mut session).await?, 2);
    }

    /// SEMANTICS 7.3
    async fn rule_7_3_a_required_key_is_an_error_before_any_sql(db) {
        db.create(&club_tables()).await?;
        let mut session = db.session();
        let club = session.add(Club::draft().name("Chess").members([Member::draft().name("Ada")]));
        session.commit().await?;
        session.delete(club);
        let log = db.log();
        let refused = session.commit().await;
        let Err(Error::Misuse(message)) = &refused else { panic!("{refused:?}") };
        assert!(message.contains("members.club_id"), "{message}");
        assert!(log.emitted().is_empty());
        // The member can go along, or move.
        let member = session[club].members.loaded().expect("loaded")[0];
        session.delete(member);
        session.commit().await?;
        assert_eq!(Club::select().count(&mut session).await?, 0);
    }

    /// SEMANTICS 7.3: children may move to another parent while theirs is deleted.
    async fn rule_7_3_children_can_move_away_from_a_deleted_parent(db) {
        db.create(&club_tables()).await?;
        let mut session = db.session();
        let chess = session.add(Club::draft().name("Chess").members([Member::draft().name("Ada")]));
        let go = session.add(Club::draft().name("Go"));
        session.commit().await?;
        let ada = session[chess].members.loaded().expect("loaded")[0];
        session.delete(chess);
        ada.club(&mut session).set(go);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE members", "DELETE clubs"]);
        assert_eq!(session[go].members.loaded(), Some(&[ada][..]));
    }

    /// SEMANTICS 7.8
    async fn rule_7_8_passive_deletes_trusts_the_database(db) {
        db.create(&album_tables()).await?;
        let mut session = db.session();
        session.add(Album::draft().title("A").tracks(["1", "2"].map(|t| Track::draft().title(t))));
        session.add(Album::draft().title("B").tracks([Track::draft().title("3")]));
        session.commit().await?;

        let mut session = db.session();
        let album = session.require::<Album>(1).await?;
        let track = session.require::<Track>(1).await?;
        session.delete(album);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["DELETE albums"], "nothing is loaded");
        // The database deleted the track: its memory is not trusted any more.
        assert!(matches!(session.try_get(track), Err(Error::NotLoaded { .. })));
        assert_eq!(session.get::<Track>(1).await?, None);

        // Loaded members are deleted as ever.
        let album = session.require::<Album>(2).await?;
        album.tracks(&mut session).await?;
        session.delete(album);
        log.emitted();
        session.commit().await?;
        assert_eq!(log.emitted(), ["DELETE tracks", "DELETE albums"]);
        assert_eq!(Track::select().count(&mut session).await?, 0);
    }

    /// SEMANTICS 7.10
    async fn rule_7_10_a_deleted_object_leaves_collections_and_references(db) {
        let (mut session, ada) = shelf(&db, true).await?;
        let [a, b] = session[ada].books.loaded().expect("loaded")[..] else { panic!("two") };
        session.delete(a);
        assert_eq!(session[ada].books.loaded(), Some(&[a, b][..]), "until the flush");
        session.flush().await?;
        assert_eq!(session[ada].books.loaded(), Some(&[b][..]));
        session.delete(ada);
        session.flush().await?;
        assert_eq!(session[b].author.loaded(), Some(None));
        session.rollback().await?;
        assert_eq!(session[ada].books.loaded(), Some(&[a, b][..]));
        assert_eq!(b.author(&mut session).await?, Some(ada));
    }

    /// SEMANTICS 1.1, 7.10: a deleted pending parent leaves no child that leads to it.
    async fn rule_7_10_children_of_a_deleted_pending_parent_lead_nowhere(db) {
        let (mut session, ada) = shelf(&db, true).await?;
        let bob = session.add(Author::draft().name("Bob"));
        let book = session[ada].books.loaded().expect("loaded")[0];
        let new = session.add(Book::draft().title("new").author(bob));
        book.author(&mut session).set(bob);
        session.delete(bob);
        assert_eq!(session[book].author.loaded(), Some(None));
        assert_eq!(session[new].author.loaded(), Some(None));
        session.commit().await?;
        assert_eq!((session[book].author_id, session[new].author_id), (None, None));
    }

    /// SEMANTICS 1.1, 7.10: a pending child that is deleted leaves its parent at once.
    async fn rule_7_10_a_deleted_pending_child_leaves_at_once(db) {
        let (mut session, ada) = shelf(&db, true).await?;
        let new = session.add(Book::draft().title("new").author(ada));
        assert_eq!(session[ada].books.loaded().map(<[_]>::len), Some(3));
        session.delete(new);
        assert_eq!(session[ada].books.loaded().map(<[_]>::len), Some(2));
        let log = db.log();
        session.commit().await?;
        assert!(log.emitted().is_empty());
    }

    /// SEMANTICS 7.2: a reference with the delete cascade takes its target along.
    async fn rule_7_2_delete_follows_references(db) {
        db.create(&car_tables()).await?;
        let mut session = db.session();
        session.add(Car::draft().plate("A").motor(Motor::draft().number("1")));
        session.commit().await?;
        let mut session = db.session();
        let car = session.require::<Car>(1).await?;
        session.delete(car);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["SELECT motors", "DELETE cars", "DELETE motors"]);
    }

    /// SEMANTICS 4.8: what a flush loads is loaded without what its model would load along.
    async fn rule_4_8_a_flush_loads_no_more_than_it_needs(db) {
        db.create(&rack_tables()).await?;
        let mut session = db.session();
        session.add(Shop::draft().name("Corner").racks([1, 2].map(|at| Rack::draft().place(at))));
        session.commit().await?;
        let mut session = db.session();
        let shop = Shop::select().with(Shop::racks.lazy()).one(&mut session).await?;
        session.delete(shop);
        let log = db.log();
        session.commit().await?;
        let texts = log.texts();
        assert!(!texts[0].contains("JOIN"), "{}", texts[0]);
        let emitted: Vec<String> = texts.iter().map(|text| summary(text)).collect();
        assert_eq!(emitted, ["SELECT racks", "UPDATE racks", "DELETE shops"]);
    }
}
