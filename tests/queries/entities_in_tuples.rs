//! Whole entities among the columns of a query: tracked in a session, owned without one.

use orm_core::query::{Page, Slice, entity, exists, in_order, partition_by, row_number};
use orm_core::{Entity, Error, Handle, Row, Session};
use orm_tests::backend_tests;

use super::models::{Article, Comment, Person, newsroom};

/// Names of further uses of a model.
struct Boss;
struct Editor;

/// How many articles somebody has written.
#[derive(Row)]
struct Total {
    author_id: i64,
    articles: i64,
}

fn text(text: &str) -> String {
    text.to_owned()
}

backend_tests! {
    /// DESIGN 6, SEMANTICS 2.1: an entity beside a column is the object itself, the same in each
    /// of its rows, by one statement.
    async fn entities_are_objects_of_the_session(db) {
        let mut session = newsroom(&db).await?;
        let log = db.log();
        let rows: Vec<(Handle<Person>, String)> = Person::select()
            .join(Person::articles)
            .order_by(Article::id.asc())
            .columns((entity::<Person>(), Article::title))
            .all(&mut session)
            .await?;
        assert_eq!(log.emitted(), ["SELECT people"]);
        let read: Vec<(&str, &str)> =
            rows.iter().map(|(person, title)| (&*session[*person].name, &**title)).collect();
        assert_eq!(read, [
            ("Ada", "On Engines"), ("Ada", "On Numbers"), ("Bob", "Engines again"), ("Cyd", "Silence"),
        ]);
        assert_eq!(rows[0].0, rows[1].0);
        let ada = session.require::<Person>(session[rows[0].0].id()).await?;
        assert_eq!(ada, rows[0].0);
        session[ada].nick = Some(text("countess"));
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE people"]);
    }

    /// DESIGN 6: without a session the same rows have owned entities.
    async fn entities_are_owned_without_a_session(db) {
        newsroom(&db).await?;
        let log = db.log();
        let rows: Vec<(Entity<Person>, String)> = Person::select()
            .join(Person::articles)
            .order_by(Article::id.asc())
            .columns((entity::<Person>(), Article::title))
            .on(&db.engine)
            .all()
            .await?;
        assert_eq!(log.emitted(), ["SELECT people"]);
        assert_eq!((rows[1].0.name.as_str(), rows[1].1.as_str()), ("Ada", "On Numbers"));
        assert_eq!(rows[1].0.id(), rows[0].0.id());
        assert!(rows[1].0.articles.loaded().is_none());
    }

    /// DESIGN 6: several entities, aliases and nested tuples, in any order; one alone.
    async fn several_entities_in_a_row(db) {
        let mut session = newsroom(&db).await?;
        let query = Article::select()
            .join(Article::author)
            .join(Article::editor.to::<Editor>())
            .order_by(Article::id.asc());
        let log = db.log();
        type Tracked = (Handle<Person>, (Handle<Article>, i32), Handle<Person>);
        let columns = (
            entity::<Person>().of::<Editor>(),
            (entity::<Article>(), Article::words),
            entity::<Person>(),
        );
        let rows: Vec<Tracked> = query.clone().columns(columns).all(&mut session).await?;
        assert_eq!(log.emitted(), ["SELECT articles"]);
        let read: Vec<_> = rows
            .iter()
            .map(|(editor, (article, words), author)| {
                assert_eq!(session[*article].words, *words);
                (&*session[*article].title, &*session[*author].name, &*session[*editor].name)
            })
            .collect();
        assert_eq!(read, [("On Engines", "Ada", "Bob"), ("Engines again", "Bob", "Ada")]);
        // Author here, editor there: one object.
        assert_eq!((rows[0].0, rows[0].2), (rows[1].2, rows[1].0));

        type Owned = (Entity<Person>, (Entity<Article>, i32), Entity<Person>);
        let owned: Vec<Owned> = query.clone().columns(columns).on(&db.engine).all().await?;
        assert_eq!((&*owned[1].0.name, &*owned[1].1.0.title), ("Ada", "Engines again"));

        let alone: Vec<Handle<Person>> =
            query.columns(entity::<Person>()).all(&mut session).await?;
        assert_eq!(alone, [rows[0].2, rows[1].2]);
    }

    /// DESIGN 6: an entity that a left join may not find is an `Option`.
    async fn left_joined_entities_are_options(db) {
        let mut session = newsroom(&db).await?;
        let query = Person::select()
            .left_join(Person::boss.to::<Boss>())
            .left_join(Person::edited)
            .order_by((Person::id.asc(), Article::id.asc()))
            .columns((Person::name, entity::<Person>().of::<Boss>(), entity::<Article>()));
        let rows: Vec<(String, Option<Handle<Person>>, Option<Handle<Article>>)> =
            query.clone().all(&mut session).await?;
        let read: Vec<_> = rows
            .iter()
            .map(|(name, boss, article)| {
                let boss = boss.map(|boss| &*session[boss].name);
                (&**name, boss, article.map(|article| &*session[article].title))
            })
            .collect();
        assert_eq!(read, [
            ("Ada", None, Some("Engines again")),
            ("Bob", Some("Ada"), Some("On Engines")),
            ("Cyd", Some("Ada"), None),
            ("Dee", Some("Bob"), None),
        ]);
        let owned: Vec<(String, Option<Entity<Person>>, Option<Entity<Article>>)> =
            query.on(&db.engine).all().await?;
        let bosses: Vec<_> =
            owned.iter().map(|(_, boss, _)| boss.as_ref().map(|boss| &*boss.name)).collect();
        assert_eq!(bosses, [None, Some("Ada"), Some("Ada"), Some("Bob")]);
        assert_eq!(owned[0].2.as_ref().map(|article| article.words), Some(250));
    }

    /// DESIGN 6: beside aggregates of a group, expressions and window functions.
    async fn beside_aggregates_and_expressions(db) {
        let mut session = newsroom(&db).await?;
        let per_author: Vec<(Handle<Person>, i64, Option<i64>)> = Person::select()
            .join(Person::articles)
            .group_by(Person::id)
            .having(Article::id.count().gt(1))
            .columns((entity::<Person>(), Article::id.count(), Article::words.sum()))
            .all(&mut session)
            .await?;
        assert_eq!(per_author.len(), 1);
        assert_eq!(session[per_author[0].0].name, "Ada");
        assert_eq!((per_author[0].1, per_author[0].2), (2, Some(1250)));

        let per_boss: Vec<(Option<Handle<Person>>, i64)> = Person::select()
            .left_join(Person::boss.to::<Boss>())
            .group_by(Person::id.of::<Boss>())
            .order_by((Person::id.count().asc(), Person::id.of::<Boss>().asc().nulls_first()))
            .columns((entity::<Person>().of::<Boss>(), Person::id.count()))
            .all(&mut session)
            .await?;
        let read: Vec<_> = per_boss
            .iter()
            .map(|(boss, led)| (boss.map(|boss| &*session[boss].name), *led))
            .collect();
        assert_eq!(read, [(None, 1), (Some("Bob"), 1), (Some("Ada"), 2)]);

        let of_author = partition_by(Article::author_id).order_by(Article::id.desc());
        let rows: Vec<(i64, Entity<Article>, i32, i64)> = Article::select()
            .order_by(Article::id.asc())
            .columns((
                row_number().over(of_author),
                entity::<Article>(),
                Article::words + 1,
                row_number().over(in_order(Article::id.asc())),
            ))
            .on(&db.engine)
            .all()
            .await?;
        let read: Vec<_> = rows.iter().map(|row| (row.0, &*row.1.title, row.2, row.3)).collect();
        assert_eq!(read, [
            (2, "On Engines", 1001, 1),
            (1, "On Numbers", 251, 2),
            (1, "Engines again", 251, 3),
            (1, "Silence", 1, 4),
        ]);
        let mixed = Person::select().columns((entity::<Person>(), Person::id.count()));
        let error = mixed.all(&mut session).await.unwrap_err();
        assert!(matches!(&error, Error::Misuse(says) if says.contains("group_by")), "{error}");
    }

    /// SEMANTICS 2.2, 3.1: what is edited stays and is flushed first; `populate_existing` reads it
    /// anew, discards it, and doesn't flush.
    async fn known_objects_stay_as_they_are(db) {
        let mut session = newsroom(&db).await?;
        let ada = session.require::<Person>(1).await?;
        Person::update()
            .set(Person::nick, "by another")
            .filter(Person::id.eq(1))
            .on(&db.engine)
            .execute()
            .await?;
        let query = Person::select()
            .filter(Person::id.eq(1))
            .columns((entity::<Person>(), Person::nick, Person::visits));
        let (met, nick, _) = query.clone().one(&mut session).await?;
        assert_eq!((met, nick.as_deref()), (ada, Some("by another")));
        assert_eq!(session[ada].nick, None, "what is loaded is not overwritten");

        session[ada].visits = 11;
        let log = db.log();
        assert_eq!(query.clone().one(&mut session).await?.2, 11);
        assert_eq!(log.emitted(), ["UPDATE people", "SELECT people"]);
        session.commit().await?;

        session[ada].visits = 12;
        log.emitted();
        let anew = Person::select()
            .filter(Person::id.eq(1))
            .populate_existing()
            .columns((entity::<Person>(), Person::visits));
        assert_eq!(anew.one(&mut session).await?, (ada, 11));
        assert_eq!(log.emitted(), ["SELECT people"]);
        assert_eq!((session[ada].visits, session[ada].nick.as_deref()), (11, Some("by another")));
        assert!(!session.is_modified(ada));
    }

    /// SEMANTICS 10.1, 1.4: an expired object is filled again; one that was met after a write
    /// expires with the rollback.
    async fn expired_objects_are_filled(db) {
        let mut session = newsroom(&db).await?;
        let ada = session.require::<Person>(1).await?;
        session.expire(ada);
        let all = Person::select().order_by(Person::id.asc()).columns((entity::<Person>(), Person::id));
        let rows = all.clone().all(&mut session).await?;
        assert_eq!((rows[0], &*session[ada].name), ((ada, 1), "Ada"));

        session.expunge_all();
        session.add(Comment::draft().body("new").article_id(1));
        session.flush().await?;
        let rows = all.all(&mut session).await?;
        session.rollback().await?;
        assert!(matches!(session.try_get(rows[0].0), Err(Error::NotLoaded { .. })));
        assert_eq!(session.get::<Person>(1).await?, Some(rows[0].0));
    }

    /// DESIGN 6: the verbs of queries, with pages and slices, in a session.
    async fn verbs_in_a_session(db) {
        let mut session = newsroom(&db).await?;
        let query = Person::select()
            .join(Person::articles)
            .order_by(Person::name.asc())
            .columns((entity::<Person>(), Article::title));
        let name = |session: &Session, row: &(Handle<Person>, String)| session[row.0].name.clone();
        let first = query.clone().first(&mut session).await?.expect("rows");
        assert_eq!(name(&session, &first), "Ada");
        let cyd = query.clone().filter(Article::title.eq("Silence"));
        let cyd = cyd.one(&mut session).await?;
        assert_eq!(name(&session, &cyd), "Cyd");
        let several = query.clone().one_or_none(&mut session).await.unwrap_err();
        assert!(matches!(several, Error::MultipleFound { .. }), "{several}");
        assert_eq!(query.clone().count(&mut session).await?, 4);
        assert!(query.clone().exists(&mut session).await?);

        let page: Page<(Handle<Person>, String)> = query.clone().page(&mut session, 2, 3).await?;
        assert_eq!((page.total, page.items.as_slice()), (4, std::slice::from_ref(&cyd)));

        let mut walked = Vec::new();
        let mut slice: Slice<(Handle<Person>, String)> = query.clone().slice(&mut session, 2).await?;
        loop {
            walked.extend(slice.items);
            let Some(next) = slice.next else { break };
            slice = query.clone().after(&mut session, &next, 2).await?;
        }
        assert_eq!(walked, query.clone().all(&mut session).await?);
        let last = query.clone().before(&mut session, None, 1).await?;
        assert_eq!(last.items, [cyd]);
        // Distinct rows that have an entity are told apart by its key.
        let distinct = Person::select()
            .join(Person::articles)
            .distinct()
            .columns((entity::<Person>(), Person::name));
        assert_eq!(distinct.clone().count(&mut session).await?, 3);
        let pages = distinct.clone().page(&mut session, 1, 2).await?;
        assert_eq!((pages.items.len(), pages.total), (2, 3));
        let log = db.log();
        distinct.slice(&mut session, 2).await?;
        let sql = log.texts().pop().expect("a statement");
        let order = sql.split("ORDER BY").last().expect("an order");
        assert!(!order.contains(','), "{sql}");
    }

    /// DESIGN 6: the same verbs without a session, and streams.
    async fn verbs_without_a_session(db) {
        newsroom(&db).await?;
        let query = Person::select()
            .join(Person::articles)
            .order_by(Article::id.asc())
            .columns((Article::title, entity::<Person>()));
        let on = || query.clone().on(&db.engine);
        let (_, ada) = on().first().await?.expect("rows");
        assert_eq!(ada.name, "Ada");
        assert_eq!((on().count().await?, on().exists().await?), (4, true));
        assert!(on().one_or_none().await.is_err());
        let page: Page<(String, Entity<Person>)> = on().page(2, 2).await?;
        assert_eq!(page.items[0].1.name, "Bob");
        let slice = on().slice(3).await?;
        let rest: Slice<(String, Entity<Person>)> = on().after(slice.next.as_ref(), 3).await?;
        assert_eq!(rest.items[0].1.name, "Cyd");
        let mut names = Vec::new();
        let mut rows = on().stream();
        while let Some(row) = rows.next().await {
            names.push(row?.1.name.clone());
        }
        assert_eq!(names, ["Ada", "Ada", "Bob", "Cyd"]);
    }

    /// Entities of rows that are told apart first, of a set, or read beside a subquery, are entities
    /// all the same; a query of entities can be asked whether it has rows; locks are refused.
    async fn entities_of_other_queries(db) {
        let mut session = newsroom(&db).await?;
        let latest: Vec<(Handle<Article>, i32)> = Article::select()
            .order_by(Article::id.desc())
            .distinct_on(Article::author_id)
            .columns((entity::<Article>(), Article::words))
            .all(&mut session)
            .await?;
        let titles: Vec<&str> = latest.iter().map(|(article, _)| &*session[*article].title).collect();
        assert_eq!(titles, ["Silence", "Engines again", "On Numbers"]);

        let few = Article::select().filter(Article::words.lt(10));
        let many = Article::select().filter(Article::words.gt(900));
        let united = few.union(many).order_by(Article::id.asc()).columns((entity::<Article>(), Article::id));
        let united: Vec<Entity<Article>> =
            united.on(&db.engine).all().await?.into_iter().map(|row| row.0).collect();
        assert_eq!(united.iter().map(|article| article.words).collect::<Vec<_>>(), [1000, 0]);

        let totals = Article::select()
            .group_by(Article::author_id)
            .columns((Article::author_id, Article::id.count()))
            .subquery::<Total>();
        let totals: Vec<(i64, Handle<Person>)> = totals
            .select()
            .join_on(entity::<Person>(), Person::id.eq_column(Total::author_id))
            .order_by((Total::articles.desc(), Person::id.asc()))
            .columns((Total::articles, entity::<Person>()))
            .all(&mut session)
            .await?;
        let read: Vec<_> = totals.iter().map(|(count, person)| (*count, &*session[*person].name)).collect();
        assert_eq!(read, [(2, "Ada"), (1, "Bob"), (1, "Cyd")]);

        let has_articles = exists(
            Article::select()
                .correlate::<Person>()
                .filter(Article::author_id.eq_column(Person::id))
                .columns(entity::<Article>()),
        );
        assert_eq!(Person::select().filter(has_articles).count(&mut session).await?, 3);

        let locked = Person::select().for_update().columns(entity::<Person>());
        let error = locked.all(&mut session).await.unwrap_err();
        assert!(matches!(&error, Error::Misuse(says) if says.contains("for_update")), "{error}");
    }
}
