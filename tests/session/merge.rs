//! `merge`: the state of an object from elsewhere, copied onto the session's own.

use orm_core::session::ObjectState;
use orm_core::{Error, Result};
use orm_tests::{Database, backend_tests};

use super::models::*;

async fn country(db: &Database, code: &str, name: &str) -> Result<()> {
    db.create(&country_tables()).await?;
    let mut session = db.session();
    session.add(Country::draft().code(code).name(name));
    session.commit().await
}

backend_tests! {
    /// SEMANTICS 10.3: an entity that was read without a session, onto a row that isn't loaded.
    async fn rule_10_3_an_entity_is_copied_onto_its_row(db) {
        committed(&db, &["ada", "bob"]).await?;
        let mut ada = User::select().filter(User::id.eq(1)).on(&db.engine).one().await?;
        ada.visits = 5;
        let mut session = db.session();
        let log = db.log();
        let merged = session.merge(ada).await?;
        assert_eq!(log.emitted(), ["SELECT users"]);
        assert_eq!((session[merged].visits, session.state(merged)), (5, ObjectState::Persistent));
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE users"]);
        session.commit().await?;
        assert_eq!(log.emitted(), [""; 0]);
        let stored = User::select().order_by(User::id.asc()).columns(User::visits);
        assert_eq!(stored.all(&mut db.session()).await?, [5, 0]);
    }

    /// SEMANTICS 10.3: a known object is met in the identity map, and unchanged columns write nothing.
    async fn rule_10_3_a_known_object_needs_no_select(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        let detached = User::select().on(&db.engine).one().await?;
        let log = db.log();
        assert_eq!(session.merge(detached).await?, ada);
        session.commit().await?;
        assert_eq!(log.emitted(), [""; 0]);
        assert_eq!(session.merge(ada).await?, ada, "an object of the session is itself");
        session.expire(ada);
        session.merge((1, User::draft().visits(2))).await?;
        assert_eq!(log.emitted(), ["SELECT users"]);
        assert_eq!((session[ada].visits, session[ada].username.as_str()), (2, "ada"));
    }

    /// SEMANTICS 10.3, 3.1: it flushes first, so that it meets what was added.
    async fn rule_10_3_merge_flushes_first(db) {
        db.create(&country_tables()).await?;
        let mut session = db.session();
        let france = session.add(Country::draft().code("FR").name("France"));
        let log = db.log();
        assert_eq!(session.merge(Country::draft().code("FR").name("République")).await?, france);
        assert_eq!(log.emitted(), ["INSERT countries"]);
        session.autoflush(false);
        let spain = session.add(Country::draft().code("ES").name("Spain"));
        assert_eq!(session.merge(Country::draft().code("ES").name("España")).await?, spain);
        assert_eq!(log.emitted(), [""; 0], "not even looked for");
        session.commit().await?;
        let names = Country::select().order_by(Country::code.asc()).columns(Country::name);
        assert_eq!(names.all(&mut session).await?, ["España", "République"]);
    }

    /// SEMANTICS 10.3: of a draft, what is set is copied, and required columns may be missing.
    async fn rule_10_3_a_draft_copies_what_is_set(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let draft = User::draft().visits(9).nickname(None).level(Level::Gold);
        let ada = session.merge((1, draft)).await?;
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE users"]);
        let ada = &session[ada];
        assert_eq!((ada.username.as_str(), ada.visits, ada.level), ("ada", 9, Level::Gold));
    }

    /// SEMANTICS 10.3: no such row and all that is required: it is added, with that key.
    async fn rule_10_3_what_is_no_row_is_added_with_its_key(db) {
        db.create(&user_tables()).await?;
        db.create(&country_tables()).await?;
        let mut session = db.session();
        let draft = User::draft().username("ada").email("ada@example.org");
        let ada = session.merge((77, draft)).await?;
        assert_eq!((session.state(ada), session.key(ada)), (ObjectState::Pending, Some(77)));
        let france = session.merge(Country::draft().code("FR").name("France")).await?;
        session.commit().await?;
        assert_eq!((session[ada].id(), session[france].code.as_str()), (77, "FR"));
        assert_eq!(session[ada].level, Level::Bronze, "the server's default");
        let next = session.add(user("bob"));
        session.commit().await?;
        assert!(session[next].id() > 77, "generated keys go on behind it");
    }

    /// SEMANTICS 10.3: no such row and a required column missing: an error, and nothing is edited.
    async fn rule_10_3_what_is_no_row_must_be_complete(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let error = session.merge((77, User::draft().username("ada"))).await.unwrap_err();
        assert!(matches!(&error, Error::NotFound { table, .. } if table == "users"), "{error}");
        assert!(error.to_string().contains("`email` is not set"), "{error}");
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), [""; 0]);
        db.create(&country_tables()).await?;
        let error = session.merge(Country::draft().name("Nowhere")).await.unwrap_err();
        assert!(error.to_string().contains("`code` is not set"), "{error}");
    }

    /// SEMANTICS 10.3: a generated key that is zero, or not there, means a new object.
    async fn rule_10_3_without_a_key_it_is_new(db) {
        db.create(&ticket_tables()).await?;
        db.create(&user_tables()).await?;
        let mut session = db.session();
        let log = db.log();
        let ticket = session.merge(Ticket::draft().holder("ada")).await?;
        let zero = session.merge(Ticket::draft().number(0).holder("bob")).await?;
        let ada = session.merge(User::draft().username("ada").email("a@b")).await?;
        assert_eq!(log.emitted(), ["INSERT tickets", "INSERT tickets"], "nothing is looked for");
        session.commit().await?;
        assert_ne!(session[ticket].number, session[zero].number);
        assert!(session[ticket].number > 0 && session[ada].id() > 0);
    }

    /// SEMANTICS 10.3: an entity whose row is gone is a row again, under the same key.
    async fn rule_10_3_an_entity_whose_row_is_gone_is_added(db) {
        committed(&db, &["ada"]).await?;
        let ada = User::select().on(&db.engine).one().await?;
        let since = ada.created_at();
        let mut session = db.session();
        let row = session.require::<User>(1).await?;
        session.delete(row);
        session.commit().await?;
        let merged = session.merge(ada).await?;
        assert_eq!((session.state(merged), session.key(merged)), (ObjectState::Pending, Some(1)));
        session.commit().await?;
        assert_eq!((session[merged].id(), session[merged].created_at()), (1, since));
        assert_eq!(usernames(&db).await?, ["ada"]);
    }

    /// SEMANTICS 10.3: what an object that was expired maps is not there any more.
    async fn rule_10_3_an_expired_object_without_a_row_is_replaced(db) {
        country(&db, "FR", "France").await?;
        let (mut session, mut other) = (db.session(), db.session());
        let france = session.require::<Country>("FR".to_owned()).await?;
        session.expire(france);
        let theirs = other.require::<Country>("FR".to_owned()).await?;
        other.delete(theirs);
        other.commit().await?;
        let merged = session.merge(Country::draft().code("FR").name("Gaul")).await?;
        assert_eq!(session.state(france), ObjectState::Detached);
        session.commit().await?;
        assert_eq!(session[merged].name, "Gaul");
    }

    /// SEMANTICS 10.3, 6.5: another version is stale data, and the session can go on.
    async fn rule_10_3_another_version_is_stale(db) {
        db.create(&profile_tables()).await?;
        let mut session = db.session();
        let handle = session.add(Profile::draft().nick("ada"));
        session.commit().await?;
        let (mut old, mut older) = (
            Profile::select().on(&db.engine).one().await?,
            Profile::select().on(&db.engine).one().await?,
        );
        old.age = Some(1);
        older.age = Some(2);
        assert_eq!(session.merge(old).await?, handle);
        session.commit().await?;
        assert_eq!((session[handle].age, session[handle].revision), (Some(1), 2));
        let error = session.merge(older).await.unwrap_err();
        let Error::StaleData(stale) = &error else { panic!("{error}") };
        assert_eq!((stale.table.as_str(), stale.operation), ("profiles", "merge"));
        assert_eq!(session[handle].age, Some(1), "nothing was copied");
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), [""; 0]);
    }

    /// SEMANTICS 10.3, 7.4: members merge along; the collection becomes what was given.
    async fn rule_10_3_members_follow_and_orphans_go(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let kept = session.require::<Post>(1).await?;
        let log = db.log();
        let draft = User::draft().visits(1).posts([Post::draft().title("Third")]);
        let ada = session.merge((1, draft)).await?;
        assert_eq!(log.emitted(), ["SELECT users"]);
        session.push(ada, User::posts, kept);
        session.commit().await?;
        assert_eq!(log.emitted(), ["SELECT posts", "UPDATE users", "INSERT posts", "DELETE posts"]);
        let titles = Post::select().order_by(Post::id.asc()).columns(Post::title);
        assert_eq!(titles.all(&mut session).await?, ["First of ada", "Third"]);
        assert_eq!(session[ada].posts.loaded().map(<[_]>::len), Some(2));
    }

    /// SEMANTICS 10.3, 10.1: expired objects that enter or leave are loaded before anything is edited.
    async fn rule_10_3_expired_members_are_loaded_first(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        let posts = ada.posts(&mut session).await?;
        posts.iter().for_each(|post| session.expire(*post));
        let log = db.log();
        session.merge((1, User::draft().visits(3).posts([posts[1]]))).await?;
        assert_eq!(log.emitted(), ["SELECT posts"]);
        assert_eq!((session[ada].visits, session[ada].posts.loaded()), (3, Some(&posts[1..])));
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE users", "DELETE posts"]);
    }

    /// SEMANTICS 10.3: drafts with keys inside a draft meet their rows, by one SELECT per table.
    async fn rule_10_3_drafts_inside_meet_their_rows(db) {
        db.create(&shelf_tables()).await?;
        let mut session = db.session();
        let book = |isbn: i64, title: &str| Book::draft().isbn(isbn).title(title);
        session.add(Shelf::draft().code("A").books([book(1, "One"), book(2, "Two"), book(3, "Three")]));
        session.add(Shelf::draft().code("B"));
        session.commit().await?;
        let mut session = db.session();
        let log = db.log();
        let shelf = session
            .merge(Shelf::draft().code("A").books([book(2, "Zwei"), book(3, "Three"), book(4, "Four")]))
            .await?;
        assert_eq!(log.emitted(), ["SELECT shelves", "SELECT books"]);
        session.commit().await?;
        assert_eq!(log.emitted(), ["SELECT books", "UPDATE books", "INSERT books", "DELETE books"]);
        let stored = Book::select().order_by(Book::isbn.asc()).columns((Book::isbn, Book::title));
        let stored = stored.all(&mut session).await?;
        let stored: Vec<_> = stored.iter().map(|(isbn, title)| (*isbn, title.as_str())).collect();
        assert_eq!(stored, [(2, "Zwei"), (3, "Three"), (4, "Four")]);
        // From the other side, and twice the same object: one row, which has moved.
        let two = session.merge(book(2, "Two").shelf(Shelf::draft().code("B"))).await?;
        log.emitted();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE books"]);
        let moved = two.shelf(&mut session).await?;
        assert_eq!(session[moved].code, "B");
        assert!(!session[shelf].books.loaded().expect("known").contains(&two));
    }

    /// SEMANTICS 7.9, 10.3: a relationship that doesn't cascade `merge` is left alone, unless the
    /// object is new.
    async fn rule_7_9_merge_follows_its_own_cascade_only(db) {
        db.create(&album_tables()).await?;
        let mut session = db.session();
        let draft = || {
            Album::draft()
                .title("Album")
                .tracks([Track::draft().title("Track")])
                .reviews([Review::draft().title("Review")])
        };
        let album = session.merge((1, draft())).await?;
        session.commit().await?;
        assert_eq!(album.tracks(&mut session).await?.len(), 1);
        let log = db.log();
        session.merge((1, draft())).await?;
        session.commit().await?;
        let emitted = log.emitted();
        assert!(emitted.iter().all(|statement| statement.contains("reviews")), "{emitted:?}");
        assert_eq!(Track::select().count(&mut session).await?, 1);
        assert_eq!(Review::select().count(&mut session).await?, 2, "the first one is no orphan");
        assert_eq!(album.reviews(&mut session).await?.len(), 1);
    }

    /// SEMANTICS 10.3: what was taken out of a session comes back, with the members that stayed.
    async fn rule_10_3_what_was_taken_out_comes_back(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        let posts = ada.posts(&mut session).await?;
        let mut taken = session.take(ada)?;
        taken.visits = 3;
        let again = session.merge(taken).await?;
        assert_ne!(again, ada, "the old handle stays detached");
        assert_eq!(session[again].posts.loaded(), Some(&posts[..]));
        session.commit().await?;
        assert_eq!(session[again].visits, 3);
        assert_eq!(Post::select().count(&mut session).await?, 2, "nobody is an orphan");
        // In another session those handles lead nowhere: the relationship is as if not loaded.
        let taken = session.take(again)?;
        let mut other = db.session();
        let merged = other.merge(taken).await?;
        assert_eq!(other[merged].posts.loaded(), None);
        other.commit().await?;
        assert_eq!(merged.posts(&mut other).await?.len(), 2);
    }

    /// SEMANTICS 10.3, 1.3: a value that a rollback took out is merged as new.
    async fn rule_10_3_what_was_rolled_back_is_merged_again(db) {
        db.create(&user_tables()).await?;
        let mut session = db.session();
        let ada = session.add(user("ada"));
        session.rollback().await?;
        let taken = session.take(ada)?;
        let ada = session.merge(taken).await?;
        session.commit().await?;
        assert_eq!(usernames(&db).await?, ["ada"]);
        session.merge((session[ada].id(), User::draft().visits(4))).await?;
        session.rollback().await?;
        assert_eq!(session[ada].visits, 0, "an edit as any other");
    }

    /// SEMANTICS 10.3: handles that are not of this session are found before anything is edited.
    async fn rule_10_3_members_of_another_session_are_refused(db) {
        committed(&db, &["ada"]).await?;
        let (mut session, mut other) = (db.session(), db.session());
        let foreign = other.require::<Post>(1).await?;
        let draft = User::draft().visits(5).posts([foreign]);
        let error = session.merge((1, draft)).await.unwrap_err();
        assert!(matches!(error, Error::Detached { .. }), "{error}");
        let ada = session.require::<User>(1).await?;
        assert_eq!(session[ada].visits, 0);
    }

    /// SEMANTICS 10.3: a value that a column can't hold is found before anything is edited.
    async fn rule_10_3_values_that_do_not_fit_are_refused(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let draft = User::draft().visits(5).username("x".repeat(65));
        let error = session.merge((1, draft)).await.unwrap_err();
        assert!(error.violates(User::username), "{error}");
        let ada = session.require::<User>(1).await?;
        assert_eq!(session[ada].visits, 0);
    }
}
