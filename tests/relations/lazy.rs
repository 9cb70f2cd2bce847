//! Lazy loading: one statement for an object and its peers.

use orm_core::error::Result;
use orm_core::{Error, Handle, Session};
use orm_tests::{Database, backend_tests};

use crate::models::*;

/// Authors with two books each.
async fn library(db: &Database, authors: usize) -> Result<()> {
    db.create(&book_tables()).await?;
    let mut session = db.session();
    session.add_all((0..authors).map(|at| {
        let books = ["b", "a"].map(|title| Book::draft().title(format!("{at}{title}")));
        Author::draft().name(format!("author {at}")).books(books)
    }));
    session.commit().await
}

fn titles(session: &Session, books: &[Handle<Book>]) -> Vec<String> {
    books.iter().map(|book| session[*book].title.clone()).collect()
}

backend_tests! {
    /// SEMANTICS 11.1
    async fn rule_11_1_a_collection_loads_for_all_peers(db) {
        library(&db, 3).await?;
        let mut session = db.session();
        let authors = Author::select().order_by(Author::id.asc()).all(&mut session).await?;
        let log = db.log();
        for author in &authors {
            assert_eq!(author.books(&mut session).await?.len(), 2);
        }
        assert_eq!(log.emitted(), ["SELECT books"]);
        let books = session[authors[1]].books.loaded().expect("loaded").to_vec();
        assert_eq!(titles(&session, &books), ["1b", "1a"], "ordered by key");
    }

    /// SEMANTICS 11.1: NULL keys and known objects need no SQL, the rest one statement.
    async fn rule_11_1_a_reference_looks_in_the_identity_map_first(db) {
        library(&db, 3).await?;
        let mut session = db.session();
        session.add(Book::draft().title("by nobody"));
        session.commit().await?;
        let mut session = db.session();
        let first = session.require::<Author>(1).await?;
        let books = Book::select().order_by(Book::id.asc()).all(&mut session).await?;
        let log = db.log();
        assert_eq!(books[0].author(&mut session).await?, Some(first));
        assert_eq!(books[6].author(&mut session).await?, None);
        assert!(log.emitted().is_empty());
        let second = books[2].author(&mut session).await?;
        assert_eq!(books[3].author(&mut session).await?, second);
        assert!(books[5].author(&mut session).await?.is_some());
        assert_eq!(log.texts().len(), 1, "the two that are missing, in one statement");
    }

    /// SEMANTICS 11.1: a statement asks for distinct keys, and only for unknown ones.
    async fn rule_11_1_a_reference_asks_for_distinct_unknown_keys(db) {
        library(&db, 3).await?;
        let mut session = db.session();
        session.require::<Author>(2).await?;
        let books = Book::select().order_by(Book::id.asc()).all(&mut session).await?;
        let mut fresh = db.session();
        let all = Book::select().order_by(Book::id.asc()).all(&mut fresh).await?;
        let log = db.log();
        books[0].author(&mut session).await?;
        all[0].author(&mut fresh).await?;
        assert_eq!(log.rows(), [2, 3], "one of the three was known");
    }

    /// SEMANTICS 11.1
    async fn rule_11_1_alone_loads_for_this_object_only(db) {
        library(&db, 2).await?;
        let mut session = db.session();
        let authors = Author::select().order_by(Author::id.asc()).all(&mut session).await?;
        let log = db.log();
        assert_eq!(authors[0].books(&mut session).alone().await?.len(), 2);
        assert_eq!(session[authors[1]].books.loaded(), None);
        let books = Book::select().order_by(Book::id.desc()).all(&mut session).await?;
        session.expunge(authors[1]);
        log.emitted();
        assert!(books[0].author(&mut session).alone().await?.is_some());
        assert_eq!(log.emitted(), ["SELECT authors"]);
    }

    /// SEMANTICS 11.1: at most 1,000 at once, the next ones in the order of the result.
    async fn rule_11_1_a_thousand_peers_at_most(db) {
        db.create(&book_tables()).await?;
        let mut session = db.session();
        session.add_all((0..1_200).map(|at| Author::draft().name(format!("{at}"))));
        session.commit().await?;
        let mut session = db.session();
        let authors = Author::select().order_by(Author::id.asc()).all(&mut session).await?;
        let log = db.log();
        authors[100].books(&mut session).await?;
        assert_eq!(log.emitted(), ["SELECT books"], "one statement for all of them");
        let loaded = |at: usize| session[authors[at]].books.loaded().is_some();
        assert!(loaded(100) && loaded(1_099));
        assert!(!loaded(99) && !loaded(1_100));
        authors[1_150].books(&mut session).await?;
        authors[1_199].books(&mut session).await?;
        authors[0].books(&mut session).await?;
        assert_eq!(log.emitted(), ["SELECT books"], "the rest before and behind, at once");
    }

    /// SEMANTICS 11.1: peers are those of the latest query that met the object.
    async fn rule_11_1_the_latest_query_makes_the_peers(db) {
        library(&db, 4).await?;
        let mut session = db.session();
        Author::select().all(&mut session).await?;
        let later = Author::select().filter(Author::id.le(2)).all(&mut session).await?;
        later[0].books(&mut session).await?;
        let third = session.require::<Author>(3).await?;
        assert_eq!(session[third].books.loaded(), None);
        assert!(session[later[1]].books.loaded().is_some());
    }

    /// SEMANTICS 11.1: what a flush inserts together is loaded together.
    async fn rule_11_1_a_flush_makes_peers_too(db) {
        library(&db, 1).await?;
        let mut session = db.session();
        let books = session.add_all(["x", "y"].map(|t| Book::draft().title(t).author_id(1)));
        session.commit().await?;
        let log = db.log();
        let author = books[0].author(&mut session).await?;
        assert_eq!(books[1].author(&mut session).await?, author);
        assert_eq!(log.emitted(), ["SELECT authors"]);
    }

    /// SEMANTICS 11.1: what is loaded, or edited, is left as it is when peers load.
    async fn rule_11_1_peers_keep_their_edits(db) {
        library(&db, 2).await?;
        let mut session = db.session();
        session.autoflush(false);
        let authors = Author::select().order_by(Author::id.asc()).all(&mut session).await?;
        let stray = session.require::<Book>(1).await?;
        session[stray].title = "edited".into();
        session.push(authors[1], Author::books, stray);
        let first = authors[0].books(&mut session).await?;
        assert_eq!(first.len(), 1, "one of the two has moved");
        let second = session[authors[1]].books.loaded().expect("a peer").to_vec();
        assert_eq!(titles(&session, &second), ["1b", "1a", "edited"]);
    }

    /// SEMANTICS 11.1: the reference of a pending object leads to a known one without SQL.
    async fn rule_11_1_pending_objects_emit_nothing(db) {
        library(&db, 1).await?;
        let mut session = db.session();
        session.autoflush(false);
        let author = session.require::<Author>(1).await?;
        let book = session.add(Book::draft().title("new").author_id(1));
        let new = session.add(Author::draft().name("new"));
        let log = db.log();
        assert_eq!(book.author(&mut session).await?, Some(author));
        assert_eq!(new.books(&mut session).await?, []);
        assert!(log.emitted().is_empty());
    }

    /// SEMANTICS 11.1: a required reference gives a handle, an optional one an `Option`.
    async fn rule_11_1_references_say_whether_they_may_lead_nowhere(db) {
        db.create(&blog_tables()).await?;
        db.create(&book_tables()).await?;
        let mut session = db.session();
        session.add(User::draft().name("Ada").posts([Post::draft().title("A")]));
        session.add(Book::draft().title("B"));
        session.commit().await?;
        let mut session = db.session();
        let post = session.require::<Post>(1).await?;
        let book = session.require::<Book>(1).await?;
        let user: Handle<User> = post.user(&mut session).await?;
        assert_eq!(session[user].name, "Ada");
        assert_eq!(session.follow(post, Post::user)?.name, "Ada");
        let author: Option<Handle<Author>> = book.author(&mut session).await?;
        assert_eq!(author, None);
        assert!(session.follow(book, Book::author)?.is_none());
    }

    /// SEMANTICS 11.3: a unique column, a composite key, and a to-one from the other side.
    async fn rule_11_1_all_kinds_of_keys_load_lazily(db) {
        db.create(&country_tables()).await?;
        db.create(&invoice_tables()).await?;
        let mut session = db.session();
        for number in ["1", "2"] {
            let items = ["x", "y"].map(|what| Item::draft().what(what));
            session.add(Invoice::draft().year(2024).number(number).items(items));
        }
        session.add(Country::draft().name("France").capital(Capital::draft().name("Paris")));
        session.add(Country::draft().name("Nowhere"));
        session.commit().await?;
        let mut session = db.session();
        let invoices = Invoice::select().all(&mut session).await?;
        let log = db.log();
        for invoice in &invoices {
            assert_eq!(invoice.items(&mut session).await?.len(), 2);
        }
        assert_eq!(log.emitted(), ["SELECT items"]);
        let items = Item::select().all(&mut session).await?;
        log.emitted();
        assert!(items[3].invoice(&mut session).await?.is_some());
        assert!(log.emitted().is_empty());
        let countries = Country::select().order_by(Country::id.asc()).all(&mut session).await?;
        log.emitted();
        assert!(countries[0].capital(&mut session).await?.is_some());
        assert_eq!(countries[1].capital(&mut session).await?, None);
        assert_eq!(log.emitted(), ["SELECT capitals"]);
    }

    /// SEMANTICS 11.4
    async fn rule_11_4_raise_is_an_error_at_the_accessor(db) {
        db.create(&rack_tables()).await?;
        let mut session = db.session();
        session.add(Shop::draft().name("Corner").racks([Rack::draft().place(1)]));
        session.commit().await?;
        let mut session = db.session();
        let shop = session.require::<Shop>(1).await?;
        let log = db.log();
        let Err(Error::NotLoaded { model, field, .. }) = shop.guarded(&mut session).await else {
            panic!("`raise` never loads")
        };
        assert_eq!((model, field), ("Shop", "guarded"));
        assert!(session.members(shop, Shop::guarded).is_err());
        assert!(log.emitted().is_empty());
        // A query that says so loads it.
        Shop::select().with(Shop::guarded).one(&mut session).await?;
        assert_eq!(shop.guarded(&mut session).await?.len(), 1);
    }

    /// SEMANTICS 11.4
    async fn rule_11_4_write_only_edits_and_queries(db) {
        db.create(&rack_tables()).await?;
        let mut session = db.session();
        session.add(Rack::draft().place(1));
        session.commit().await?;
        let mut session = db.session();
        let rack = session.require::<Rack>(1).await?;
        rack.wares(&mut session).push(Ware::draft().name("tea"));
        assert!(matches!(rack.wares(&mut session).await, Err(Error::NotLoaded { .. })));
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT wares"]);
        let tea = rack.wares(&mut session).query().filter(Ware::name.eq("tea")).all().await?;
        assert_eq!(tea.len(), 1);
        assert_eq!(session[rack].wares.loaded(), None);
        rack.wares(&mut session).remove(tea[0]);
        session.commit().await?;
        assert_eq!(rack.wares(&mut session).query().count().await?, 0);
    }

    /// SEMANTICS 8.2: a new object's collection that an expired member left shows the others.
    async fn rule_8_2_a_pending_collection_keeps_its_other_members(db) {
        db.create(&book_tables()).await?;
        let mut session = db.session();
        session.autoflush(false);
        let [kept, expired] = ["a", "b"].map(|title| session.add(Book::draft().title(title)));
        session.commit().await?;
        let author = session.add(Author::draft().name("Ada").books([kept, expired]));
        session.expire(expired);
        assert_eq!(session[author].books.loaded(), None);
        let log = db.log();
        assert_eq!(author.books(&mut session).await?, [kept]);
        assert!(log.emitted().is_empty());
    }
}
