//! Deferred columns that are loaded on demand.

use orm_tests::backend_tests;

use super::*;

backend_tests! {
    /// SEMANTICS 11.7: a column that isn't asked for is in no SELECT, and reads as not loaded.
    async fn rule_11_7_a_deferred_column_is_left_out(db) {
        committed(&db).await?;
        let mut session = db.session();
        let log = db.log();
        let ada = session.require::<Author>(1).await?;
        let all = Author::select().order_by(Author::id.asc()).all(&mut session).await?;
        assert_eq!(all[0], ada);
        for text in log.texts() {
            assert!(text.contains("visits") && !text.contains("biography"), "{text}");
        }
        let author = &session[ada];
        assert!(!author.biography.is_loaded() && author.biography.is_unloaded());
        assert_eq!((author.biography.loaded(), author.portrait.loaded()), (None, None));
        assert_eq!((&*author.name, author.visits), ("ada", 0));
        assert_eq!(format!("{:?}", author.biography), "not loaded");
        assert_eq!(unloaded(session.value(ada, Author::biography)), "biography");
        assert_eq!(session.value(ada, Author::name)?, "ada");
        assert_eq!(*session.value(ada, Author::id)?, 1);
        let error = session.value(ada, Author::biography).unwrap_err().to_string();
        assert_eq!(
            error,
            "`Author.biography` is not loaded: await `session.load(handle, column)`, or load it with \
             the query by `.undefer(…)`",
        );
    }

    /// SEMANTICS 11.1, 11.7: one statement for the object and its peers.
    async fn rule_11_7_peers_are_loaded_along(db) {
        committed(&db).await?;
        let mut session = db.session();
        let authors = Author::select().order_by(Author::id.asc()).all(&mut session).await?;
        let log = db.log();
        assert_eq!(session.load(authors[0], Author::biography).await?, "ada was born");
        assert_eq!(session.load(authors[1], Author::biography).await?, "bob was born");
        assert_eq!(session[authors[1]].biography.get(), "bob was born");
        assert_eq!(log.emitted(), ["SELECT authors"]);
        assert!(!session[authors[0]].portrait.is_loaded(), "a column at a time");
        // What is loaded, or was never deferred, emits nothing.
        assert_eq!(session.load(authors[0], Author::name).await?, "ada");
        assert_eq!(log.emitted(), [""; 0]);
        assert!(!session.is_modified(authors[0]));
    }

    /// SEMANTICS 11.1: `.alone()` limits it to the object.
    async fn rule_11_1_alone(db) {
        committed(&db).await?;
        let mut session = db.session();
        let authors = Author::select().order_by(Author::id.asc()).all(&mut session).await?;
        let portrait = session.load(authors[1], Author::portrait).alone().await?;
        assert_eq!(portrait, &Some(vec![1, 2]));
        assert!(session[authors[1]].portrait.is_loaded() && !session[authors[0]].portrait.is_loaded());
        let log = db.log();
        session.load(authors[0], Author::portrait).await?;
        assert_eq!((log.rows(), session[authors[0]].portrait.is_loaded()), (vec![1], true));
    }

    /// SEMANTICS 11.1: a hundred objects at most.
    async fn rule_11_1_a_hundred_peers(db) {
        db.create(&tables()).await?;
        let mut session = db.session();
        session.add_all((0..150).map(|n| Page::draft().text(format!("page {n}")).rank(n)));
        session.commit().await?;
        let mut session = db.session();
        let pages = Page::select().order_by(Page::rank.asc()).all(&mut session).await?;
        let log = db.log();
        assert_eq!(session.load(pages[100], Page::text).await?, "page 100");
        assert_eq!(log.rows(), [100]);
        let loaded = |session: &orm_core::Session| {
            pages.iter().filter(|page| session[**page].text.is_loaded()).count()
        };
        assert_eq!(loaded(&session), 100);
        // Those behind it come first, then those just before.
        assert!(session[pages[149]].text.is_loaded() && session[pages[50]].text.is_loaded());
        assert!(!session[pages[49]].text.is_loaded());
        assert_eq!(session.load(pages[0], Page::text).await?, "page 0");
        assert_eq!((log.rows(), loaded(&session)), (vec![50], 150));
    }

    /// SEMANTICS 3.1: a load that emits flushes first; a hit doesn't.
    async fn rule_3_1_a_load_flushes(db) {
        committed(&db).await?;
        let mut session = db.session();
        let ada = session.require::<Author>(1).await?;
        let log = db.log();
        session[ada].visits = 5;
        session.load(ada, Author::biography).await?;
        assert_eq!(log.emitted(), ["UPDATE authors", "SELECT authors"]);
        session[ada].visits = 6;
        session.load(ada, Author::biography).await?;
        assert_eq!(log.emitted(), [""; 0]);
    }

    /// What only the server can tell is not loaded until the flush has told it, which a load runs.
    async fn a_pending_object_has_what_it_was_given(db) {
        db.create(&tables()).await?;
        let mut session = db.session();
        let ada = session.add(Author::draft().name("ada").biography("born"));
        assert_eq!(session.value(ada, Author::biography)?, "born");
        assert_eq!(session.value(ada, Author::portrait)?, &None);
        assert_eq!(unloaded(session.value(ada, Author::motto)), "motto");
        assert_eq!(unloaded(session.value(ada, Author::id)), "id");
        session.autoflush(false);
        let refusal = session.load(ada, Author::motto).await.unwrap_err().to_string();
        assert_eq!(
            refusal,
            "`Author.motto` is not loaded: only the database can tell its value: flush first",
        );
        session.autoflush(true);
        let log = db.log();
        assert_eq!(session.load(ada, Author::motto).await?, "none");
        assert_eq!(log.emitted(), ["INSERT authors"]);
        assert_eq!(session.value(ada, Author::biography)?, "born");
        session.commit().await?;
        assert_eq!(log.emitted(), [""; 0]);
    }

    /// SEMANTICS 11.4: `strict_loading` forbids it, as it does for relationships.
    async fn rule_11_4_strict_sessions_load_no_column(db) {
        committed(&db).await?;
        let mut session = db.sessions.clone().strict_loading(true).session();
        let ada = session.require::<Author>(1).await?;
        let log = db.log();
        assert_eq!(unloaded(session.load(ada, Author::biography).await), "biography");
        assert_eq!(log.emitted(), [""; 0]);
        let ada = Author::select().undefer(Author::biography).first(&mut session).await?.unwrap();
        assert_eq!(session.load(ada, Author::biography).await?, "ada was born");
    }

    /// A row that somebody else has deleted is an error, and leaves the field as it was.
    async fn a_row_that_is_gone_is_not_found(db) {
        committed(&db).await?;
        let mut session = db.session();
        let authors = Author::select().order_by(Author::id.asc()).all(&mut session).await?;
        Book::delete().filter(Book::author_id.eq(1)).on(&db.engine).execute().await?;
        Author::delete().filter(Author::id.eq(1)).on(&db.engine).execute().await?;
        let error = session.load(authors[0], Author::biography).await.unwrap_err();
        assert!(matches!(error, Error::NotFound { .. }), "{error}");
        assert!(!session[authors[0]].biography.is_loaded());
        assert!(session[authors[1]].biography.is_loaded(), "its peer is there");
    }

    /// SEMANTICS 10.1: an expired object is to be loaded first, and lacks the column then.
    async fn rule_10_1_expired_and_refreshed_objects_lack_it(db) {
        committed(&db).await?;
        let mut session = db.session();
        let ada = session.require::<Author>(1).await?;
        session.load(ada, Author::biography).await?;
        Author::update()
            .set(Author::biography, "changed")
            .filter(Author::id.eq(1))
            .on(&db.engine)
            .execute()
            .await?;
        let log = db.log();
        session.expire(ada);
        assert_eq!(unloaded(session.load(ada, Author::biography).await), "*");
        session.refresh(ada).await?;
        assert_eq!(log.emitted(), ["SELECT authors"]);
        assert_eq!(unloaded(session.value(ada, Author::biography)), "biography");
        assert_eq!(session.load(ada, Author::biography).await?, "changed");
        // An object that is read anew never shows what was loaded before.
        session.refresh(ada).await?;
        assert!(!session[ada].biography.is_loaded());
        session.load(ada, Author::biography).await?;
        Author::select().for_update().filter(Author::id.eq(1)).one(&mut session).await?;
        assert!(!session[ada].biography.is_loaded());
        session.load(ada, Author::biography).await?;
        Author::select().populate_existing().all(&mut session).await?;
        assert!(!session[ada].biography.is_loaded());
    }

    /// Reading what isn't there says how to get it.
    async fn get_panics_with_words(db) {
        committed(&db).await?;
        let row = Author::select().on(&db.engine).first().await?.unwrap();
        let panic = std::panic::catch_unwind(|| row.biography.get().len()).unwrap_err();
        let message = panic.downcast_ref::<String>().map(String::as_str);
        assert_eq!(
            message,
            Some(
                "this `Deferred<alloc::string::String>` is not loaded: await \
                 `session.load(handle, column)`, or `undefer(column)` it in the query"
            ),
        );
    }
}
