//! Queries that leave deferred columns out, ask for them, or use them in conditions.

use orm_core::Handle;
use orm_tests::backend_tests;

use super::*;

backend_tests! {
    /// SEMANTICS 11.7: `undefer` puts a column into the query.
    async fn rule_11_7_undefer_selects_it(db) {
        committed(&db).await?;
        let mut session = db.session();
        let log = db.log();
        let query = Author::select().undefer(Author::portrait).undefer(Author::biography);
        let authors = query.order_by(Author::id.asc()).all(&mut session).await?;
        assert_eq!(session[authors[1]].biography.get(), "bob was born");
        assert_eq!(session[authors[1]].portrait.get(), &Some(vec![1, 2]));
        assert!(!session[authors[1]].motto.is_loaded());
        session.load(authors[0], Author::biography).await?;
        assert_eq!(log.emitted(), ["SELECT authors"]);
    }

    /// SEMANTICS 2.2: a query that meets a known object fills what is not loaded, and nothing else.
    async fn rule_2_2_known_objects_are_filled(db) {
        committed(&db).await?;
        let mut session = db.session();
        session.autoflush(false);
        let authors = Author::select().order_by(Author::id.asc()).all(&mut session).await?;
        let [ada, bob] = authors[..] else { panic!("two authors") };
        session[ada].biography = "edited".into();
        session[ada].visits = 3;
        session[bob].visits = 4;
        Author::update().set(Author::visits, 9).filter(Author::id.gt(0)).on(&db.engine).execute().await?;
        Author::select().undefer(Author::biography).all(&mut session).await?;
        assert_eq!((&**session[ada].biography.get(), session[ada].visits), ("edited", 3));
        assert_eq!((&**session[bob].biography.get(), session[bob].visits), ("bob was born", 4));
        assert!(!session.history(bob, Author::biography).is_changed(), "what is read is no edit");
        assert_eq!(session.history(bob, Author::biography).old().unwrap(), "bob was born");
        // Expired ones are read anew.
        session.expire(bob);
        Author::select().undefer(Author::motto).all(&mut session).await?;
        assert_eq!((session[bob].visits, &**session[bob].motto.get()), (9, "write"));
        assert!(!session[bob].biography.is_loaded());
    }

    /// The column is one of `T` for conditions, orders, projections and groups.
    async fn conditions_orders_and_projections_know_it(db) {
        committed(&db).await?;
        let mut session = db.session();
        let found = Author::select()
            .filter(Author::biography.like("bob%") & Author::portrait.is_not_null())
            .order_by(Author::biography.desc())
            .one(&mut session)
            .await?;
        assert_eq!(session[found].name, "bob");
        assert!(!session[found].biography.is_loaded());
        let rows: Vec<(String, Option<Vec<u8>>)> = Author::select()
            .order_by(Author::biography.desc())
            .columns((Author::biography, Author::portrait))
            .all(&mut session)
            .await?;
        assert_eq!(rows[0], ("bob was born".to_owned(), Some(vec![1, 2])));
        let names: Vec<String> = Book::select()
            .join(Book::author)
            .filter(Author::biography.eq("ada was born"))
            .columns(Author::name)
            .all(&mut session)
            .await?;
        assert_eq!(names, ["ada"]);
        assert_eq!(Author::select().filter(Author::motto.eq("write")).count(&mut session).await?, 2);
    }

    /// What distinct rows are ordered by has to be selected.
    async fn distinct_rows_may_be_ordered_by_it(db) {
        committed(&db).await?;
        let mut session = db.session();
        let authors = Author::select()
            .join(Author::books)
            .distinct()
            .order_by(Author::biography.desc())
            .all(&mut session)
            .await?;
        assert_eq!(session[authors[0]].name, "bob");
        let latest = Author::select()
            .distinct()
            .order_by(Author::biography.desc())
            .on(&db.engine)
            .first()
            .await?;
        assert_eq!(latest.unwrap().name, "bob");
    }

    /// SEMANTICS 11.2, 11.5: every way of loading a relationship leaves it out, and takes `undefer`.
    async fn rule_11_5_related_objects_lack_it_too(db) {
        committed(&db).await?;
        let joined = || Author::books.joined();
        let loads = [
            joined(),
            Author::books.selectin(),
            Author::books.subquery(),
            Author::books.limit(1),
            joined().order_by(Book::blurb.desc()),
            Author::books.limit(1).order_by(Book::blurb.desc()),
        ];
        let title = |graph: &orm_core::Graph<Author>, author: Handle<Author>| {
            let books = graph[author].books.loaded().or(graph[author].books.narrowed());
            let book = books.unwrap()[0];
            (graph[book].title.clone(), graph[book].blurb.loaded().cloned(), graph[author].visits)
        };
        for load in loads {
            for is_limited in [false, true] {
                let query = Author::select().order_by(Author::biography.asc());
                let query = if is_limited { query.limit(1) } else { query };
                let graph = query.clone().with(load.clone()).on(&db.engine).graph().await?;
                let ada = graph.roots().next().unwrap();
                assert_eq!(title(&graph, ada), ("ada's".into(), None, 0), "{load:?}");
                assert_eq!(unloaded(graph.value(ada, Author::biography)), "biography");
                let undeferred = load.clone().undefer(Book::blurb);
                let query = query.undefer(Author::biography).with(undeferred);
                let graph = query.on(&db.engine).graph().await?;
                let ada = graph.roots().next().unwrap();
                assert_eq!(graph.value(ada, Author::biography)?, "ada was born");
                let expected = ("ada's".into(), Some("ada wrote it".into()), 0);
                assert_eq!(title(&graph, ada), expected, "{load:?}");
            }
        }
    }

    /// A joined reference comes behind columns that are left out, and has some itself.
    async fn joined_references_are_read_from_the_right_cells(db) {
        committed(&db).await?;
        let mut session = db.session();
        let books = Book::select()
            .with(Book::author.joined().undefer(Author::motto))
            .order_by(Book::id.asc())
            .all(&mut session)
            .await?;
        let author = session.follow(books[1], Book::author)?;
        assert_eq!((&*author.name, author.visits, &**author.motto.get()), ("bob", 0, "write"));
        assert!(!author.biography.is_loaded() && !author.portrait.is_loaded());
        assert_eq!(session[books[1]].title, "bob's");
        // A lazy load leaves it out, too, and its objects are peers.
        let mut session = db.session();
        let authors = Author::select().order_by(Author::id.asc()).all(&mut session).await?;
        let mine = authors[0].books(&mut session).await?;
        let log = db.log();
        assert_eq!(session.load(mine[0], Book::blurb).await?, "ada wrote it");
        let query = authors[1].books(&mut session).query().undefer(Book::blurb);
        let found = query.first().await?.unwrap();
        assert_eq!(session[found].blurb.get(), "bob wrote it", "a query fills in what is missing");
        assert_eq!(log.emitted().pop().as_deref(), Some("SELECT books"));
        let theirs = authors[1].books(&mut session).await?;
        assert_eq!(session.load(theirs[0], Book::blurb).await?, "bob wrote it");
        assert_eq!(log.emitted(), [""; 0]);
    }

    /// Sets, and the first rows of groups, are queries of objects like any others.
    async fn sets_and_distinct_on(db) {
        committed(&db).await?;
        let mut session = db.session();
        let named = |name: &'static str| Author::select().filter(Author::name.eq(name));
        let both = named("ada").union(named("bob").undefer(Author::motto));
        let both = both.filter(Author::biography.like("%born")).order_by(Author::biography.desc());
        let both = both.all(&mut session).await?;
        assert_eq!((both.len(), &*session[both[0]].name), (2, "bob"));
        assert!(session[both[0]].motto.is_loaded() && !session[both[0]].biography.is_loaded());
        let first = Author::select()
            .order_by(Author::biography.desc())
            .distinct_on(Author::visits)
            .on(&db.engine)
            .one()
            .await?;
        assert_eq!((&*first.name, first.biography.is_loaded()), ("bob", false));
    }

    /// Whole entities among columns lack it, and the column can be named beside them.
    async fn tuples_of_entities_leave_it_out(db) {
        use orm_core::query::entity;
        committed(&db).await?;
        let mut session = db.session();
        let query = || Book::select().join(Book::author).order_by(Book::id.asc());
        let rows: Vec<(Handle<Author>, String, Handle<Book>, i64)> = query()
            .columns((entity::<Author>(), Author::biography, entity::<Book>(), Book::author_id))
            .all(&mut session)
            .await?;
        let (author, biography, book, key) = &rows[1];
        assert_eq!((&*session[*author].name, biography.as_str(), *key), ("bob", "bob was born", 2));
        assert_eq!(session[*book].title, "bob's");
        assert!(!session[*author].biography.is_loaded() && !session[*book].blurb.is_loaded());
        assert_eq!(session.load(*book, Book::blurb).await?, "bob wrote it");
        let owned = query().columns((entity::<Author>(), entity::<Book>())).on(&db.engine).all().await?;
        assert_eq!((&*owned[0].0.name, &*owned[0].1.title), ("ada", "ada's"));
        assert!(owned[0].0.motto.is_unloaded() && owned[0].1.blurb.is_unloaded());
        let outer: Vec<(String, Option<Handle<Book>>)> = Author::select()
            .left_join(Author::books)
            .filter(Author::name.eq("ada"))
            .columns((Author::name, entity::<Book>()))
            .all(&mut session)
            .await?;
        assert_eq!(session[outer[0].1.unwrap()].title, "ada's");
        let mistaken = Author::select().undefer(Author::motto).columns((entity::<Author>(), Author::id));
        let error = mistaken.all(&mut session).await.unwrap_err();
        assert!(error.to_string().contains("name the deferred column itself"), "{error}");
    }

    /// Without a session: entities, streams, slices and pages; batches in one.
    async fn reads_without_a_session_leave_it_out(db) {
        committed(&db).await?;
        let rows = Author::select().order_by(Author::id.asc()).on(&db.engine).all().await?;
        assert_eq!((&*rows[1].name, rows[1].visits, rows[1].biography.loaded()), ("bob", 0, None));
        let query = Author::select().undefer(Author::portrait).order_by(Author::biography.desc());
        let slice = query.clone().on(&db.engine).after(None, 1).await?;
        assert_eq!((&*slice.items[0].name, slice.items[0].portrait.is_loaded()), ("bob", true));
        let slice = query.clone().on(&db.engine).after(slice.next.as_ref(), 1).await?;
        assert_eq!((&*slice.items[0].name, slice.items[0].biography.is_loaded()), ("ada", false));
        let page = query.clone().on(&db.engine).page(2, 1).await?;
        assert_eq!((&*page.items[0].name, page.total), ("ada", 2));
        let mut stream = query.clone().on(&db.engine).stream();
        let mut names = Vec::new();
        while let Some(author) = stream.next().await {
            let author = author?;
            assert!(author.portrait.is_loaded() && author.motto.is_unloaded());
            names.push(author.name.clone());
        }
        assert_eq!(names, ["bob", "ada"]);
        let mut session = db.session();
        let mut batches = query.batches(1);
        while let Some(authors) = batches.next(&mut session).await? {
            assert!(session[authors[0]].portrait.is_loaded());
            assert!(!session[authors[0]].biography.is_loaded());
        }
    }

    /// A statement of the user's own may have the column or not.
    async fn raw_statements_may_have_it(db) {
        committed(&db).await?;
        let mut session = db.session();
        let plain = orm_core::query::raw(
            "SELECT id, created_at, updated_at, name, visits FROM authors ORDER BY id",
        );
        let authors = plain.entities::<Author>().all(&mut session).await?;
        assert_eq!(&*session[authors[1]].name, "bob");
        assert!(!session[authors[1]].biography.is_loaded());
        let whole = orm_core::query::raw(
            "SELECT biography, id, created_at, updated_at, name, visits FROM authors ORDER BY id",
        );
        whole.entities::<Author>().all(&mut session).await?;
        assert_eq!(session[authors[1]].biography.get(), "bob was born");
    }
}
