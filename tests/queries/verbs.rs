//! The verbs of queries of objects: what they give, what they refuse, what they emit.

use orm_core::Error;
use orm_tests::backend_tests;

use super::models::{Article, Person, newsroom};

backend_tests! {
    /// DESIGN 6: one statement each, and the errors of `one` and `one_or_none`.
    async fn verbs_on_a_session(db) {
        let mut session = newsroom(&db).await?;
        let log = db.log();
        let named = |name: &'static str| Person::select().filter(Person::name.eq(name));
        let ada = named("Ada").one(&mut session).await?;
        assert_eq!(named("Ada").one_or_none(&mut session).await?, Some(ada));
        assert_eq!(named("Ada").first(&mut session).await?, Some(ada));
        assert_eq!(named("Ada").all(&mut session).await?, [ada]);
        assert_eq!(named("Ada").count(&mut session).await?, 1);
        assert!(named("Ada").exists(&mut session).await?);
        assert_eq!(log.emitted(), ["SELECT people"; 6]);

        assert_eq!(named("Eve").one_or_none(&mut session).await?, None);
        assert_eq!(named("Eve").first(&mut session).await?, None);
        assert_eq!(named("Eve").all(&mut session).await?, []);
        assert_eq!(named("Eve").count(&mut session).await?, 0);
        assert!(!named("Eve").exists(&mut session).await?);
        let error = named("Eve").one(&mut session).await.unwrap_err();
        assert!(matches!(&error, Error::NotFound { table, .. } if table == "people"), "{error}");
        assert!(!error.to_string().contains("Eve"), "{error}");

        for error in [
            Person::select().one(&mut session).await.unwrap_err(),
            Person::select().one_or_none(&mut session).await.unwrap_err(),
        ] {
            assert!(matches!(&error, Error::MultipleFound { table } if table == "people"), "{error}");
        }
        // Such errors are answers: the session goes on.
        assert_eq!(Person::select().count(&mut session).await?, 4);
    }

    /// DESIGN 6: the same verbs on an engine give owned entities.
    async fn verbs_on_an_engine(db) {
        newsroom(&db).await?;
        let named = |name: &'static str| Person::select().filter(Person::name.eq(name)).on(&db.engine);
        let ada = named("Ada").one().await?;
        assert_eq!((ada.id(), &*ada.name, ada.age), (1, "Ada", Some(36)));
        assert!(ada.created_at() <= ada.updated_at());
        assert!(ada.articles.loaded().is_none());
        assert_eq!(named("Ada").one_or_none().await?.map(|person| person.id()), Some(1));
        assert_eq!(named("Ada").first().await?.map(|person| person.id()), Some(1));
        assert_eq!(named("Ada").all().await?.len(), 1);
        assert_eq!(named("Ada").count().await?, 1);
        assert!(named("Ada").exists().await?);
        assert!(named("Eve").one_or_none().await?.is_none());
        assert!(!named("Eve").exists().await?);
        assert!(matches!(named("Eve").one().await, Err(Error::NotFound { .. })));
        let all = || Person::select().on(&db.engine);
        assert!(matches!(all().one().await, Err(Error::MultipleFound { .. })));
        assert!(matches!(all().one_or_none().await, Err(Error::MultipleFound { .. })));
    }

    /// DESIGN 6: a query is a value: it is cloned, refined, and run where it is wanted.
    async fn queries_are_values(db) {
        let mut session = newsroom(&db).await?;
        let query = Person::select().filter(Person::active.eq(true));
        let refined = query.clone().filter(Person::age.lt(18));
        assert_eq!(query.clone().count(&mut session).await?, 2);
        assert_eq!(refined.clone().count(&mut session).await?, 1);
        assert_eq!(refined.on(&db.engine).one().await?.name, "Cyd");
        let rows = query.columns(Person::name);
        assert_eq!(rows.clone().all(&mut session).await?.len(), rows.all(&mut session).await?.len());
    }

    /// SEMANTICS 3.1: every verb of a session flushes first, one on an engine sees what is
    /// committed.
    async fn rule_3_1_verbs_flush_first(db) {
        let mut session = newsroom(&db).await?;
        let ada = session.require::<Person>(1).await?;
        let log = db.log();
        session[ada].visits = 11;
        assert_eq!(Person::select().filter(Person::visits.eq(11)).count(&mut session).await?, 1);
        assert_eq!(log.emitted(), ["UPDATE people", "SELECT people"]);
        session[ada].visits = 12;
        assert!(Person::select().filter(Person::visits.eq(12)).exists(&mut session).await?);
        assert_eq!(log.emitted(), ["UPDATE people", "SELECT people"]);
        session[ada].visits = 13;
        let visits: Vec<i64> =
            Person::select().filter(Person::id.eq(1)).columns(Person::visits).all(&mut session).await?;
        assert_eq!(visits, [13]);
        assert_eq!(log.emitted(), ["UPDATE people", "SELECT people"]);
        assert_eq!(Person::select().filter(Person::visits.eq(13)).on(&db.engine).count().await?, 0);
        session.rollback().await?;
        assert_eq!(session[ada].visits, 10);
    }

    /// DESIGN 6: pages count everything, are in a total order, and end.
    async fn pages(db) {
        newsroom(&db).await?;
        let log = db.log();
        let by_age = || Person::select().order_by(Person::age.desc().nulls_last());
        let page = by_age().on(&db.engine).page(1, 3).await?.map(|person| person.name.clone());
        assert_eq!((page.total, page.pages), (4, 2));
        // Ada and Dee are as old as each other: the key decides.
        assert_eq!(page.items, ["Ada", "Dee", "Cyd"]);
        assert_eq!(log.emitted(), ["SELECT people"; 2]);
        let page = by_age().on(&db.engine).page(2, 3).await?.map(|person| person.name.clone());
        assert_eq!((page.total, page.pages, page.items), (4, 2, vec!["Bob".to_owned()]));
        let page = by_age().on(&db.engine).page(3, 3).await?;
        assert_eq!((page.total, page.pages, page.items.len()), (4, 2, 0));
        let page = by_age().on(&db.engine).page(u64::MAX, u64::MAX).await?;
        assert_eq!((page.total, page.pages, page.items.len()), (4, 1, 0));
        let nobody = by_age().filter(Person::name.eq("Eve")).on(&db.engine).page(1, 3).await?;
        assert_eq!((nobody.total, nobody.pages, nobody.items.len()), (0, 0, 0));
        for (number, size) in [(0, 3), (1, 0)] {
            let error = by_age().on(&db.engine).page(number, size).await.err().expect("an error");
            assert!(matches!(&error, Error::Misuse(_)), "{error}");
        }
    }

    /// DESIGN 6: a graph holds what the query loads, and says what it doesn't.
    async fn graphs(db) {
        newsroom(&db).await?;
        let log = db.log();
        let graph = Person::select()
            .filter(Person::articles.exists())
            .order_by(Person::id.asc())
            .with(Person::articles.order_by(Article::title.asc()).with(Article::comments))
            .on(&db.engine)
            .graph()
            .await?;
        assert_eq!(log.emitted(), ["SELECT people", "SELECT articles", "SELECT comments"]);
        assert_eq!(graph.len(), 3);
        let mut titles = Vec::new();
        for person in graph.roots() {
            for (article, entity) in graph.members(person, Person::articles)? {
                let comments = graph.members(article, Article::comments)?.len();
                titles.push(format!("{}: {} {comments}", graph[person].name, entity.title));
            }
        }
        assert_eq!(
            titles,
            ["Ada: On Engines 2", "Ada: On Numbers 0", "Bob: Engines again 1", "Cyd: Silence 0"]
        );
        let ada = graph.roots().next().expect("a root");
        assert!(matches!(graph.members(ada, Person::edited), Err(Error::NotLoaded { .. })));
    }
}
