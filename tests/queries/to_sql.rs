//! The SQL of a query without running it.

use orm_core::{Error, Result, View};
use orm_tests::{Database, backend_tests, plain};

use super::models::{Article, Person, newsroom};

#[derive(View)]
#[orm(of = Person)]
struct PersonOut {
    name: String,
    articles: Vec<ArticleOut>,
}

#[derive(View)]
#[orm(of = Article)]
struct ArticleOut {
    title: String,
}

/// What one verb runs first.
async fn first_run(db: &Database, verb: impl AsyncFnOnce() -> Result<()>) -> Result<String> {
    let log = db.log();
    verb().await?;
    let texts = log.texts().into_iter();
    let mut texts =
        texts.filter(|text| ["SELECT", "UPDATE", "DELETE"].iter().any(|it| text.starts_with(it)));
    Ok(texts.next().expect("a statement ran"))
}

backend_tests! {
    /// DESIGN 6: the SQL of a query can be looked at; it is what its verb runs.
    async fn it_is_what_the_verb_runs(db) {
        newsroom(&db).await?;
        let engine = &db.engine;

        let people = Person::select().filter(Person::age.gt(20)).order_by(Person::id.asc()).limit(2);
        let text = people.to_sql(engine)?;
        assert_eq!(text, first_run(&db, async || people.clone().on(engine).all().await.map(drop)).await?);
        assert_eq!(text, first_run(&db, async || people.all(&mut db.session()).await.map(drop)).await?);

        let joined = Person::select().with(Person::boss.joined()).filter(Person::name.eq("Bob"));
        let text = joined.to_sql(engine)?;
        assert!(plain(&text).contains(" LEFT JOIN people AS people_1 ON "), "{text}");
        assert_eq!(text, first_run(&db, async || joined.all(&mut db.session()).await.map(drop)).await?);

        let locking = Person::select().for_update();
        let text = locking.to_sql(engine)?;
        assert_eq!(text, first_run(&db, async || locking.all(&mut db.session()).await.map(drop)).await?);

        let rows = Person::select().group_by(Person::age).columns((Person::age, Person::id.count()));
        let text = rows.to_sql(engine)?;
        assert_eq!(text, first_run(&db, async || rows.on(engine).all().await.map(drop)).await?);

        let views = Person::select().filter(Person::active.eq(true)).view::<PersonOut>();
        let text = views.to_sql(engine)?;
        let shown = first_run(&db, async || {
            let people: Vec<PersonOut> = views.on(engine).all().await?;
            assert!(people.iter().all(|it| !it.name.is_empty() && it.articles.iter().all(|it| !it.title.is_empty())));
            Ok(())
        });
        assert_eq!(text, shown.await?);

        let update = Person::update().set(Person::visits, Person::visits + 1).filter(Person::age.is_null());
        let text = update.to_sql(engine)?;
        assert_eq!(text, first_run(&db, async || update.on(engine).execute().await.map(drop)).await?);

        let delete = Article::delete().filter(Article::words.lt(0));
        let text = delete.to_sql(engine)?;
        assert_eq!(plain(&text), "DELETE FROM articles WHERE articles.words < ?");
        assert_eq!(text, first_run(&db, async || delete.on(engine).execute().await.map(drop)).await?);
    }

    /// Looking runs nothing, shows no values and keeps to a factory's criteria.
    async fn looking_runs_nothing(db) {
        newsroom(&db).await?;
        let log = db.log();
        let people = Person::select().filter(Person::name.eq("a secret"));
        let every = people.to_sql(&db.engine)?;
        let sessions = db.sessions.clone().with_criteria::<Person>(Person::active.eq(true));
        let active = people.to_sql(&sessions)?;
        assert!(!every.contains("secret"));
        assert_eq!(plain(&active), format!("{} AND people.active = ?", plain(&every)));
        Person::delete().filter(Person::name.eq("Ada")).to_sql(&db.engine)?;
        assert_eq!(log.texts(), Vec::<String>::new());
    }

    /// What the verb would refuse before any SQL is refused.
    async fn mistakes_are_errors(db) {
        let twice = Person::select().join(Person::boss).to_sql(&db.engine);
        assert!(matches!(twice, Err(Error::Misuse(_))), "{twice:?}");
        let key = Person::update().set(Person::id, 1).all_rows().to_sql(&db.engine);
        assert!(matches!(key, Err(Error::Misuse(_))), "{key:?}");
    }
}
