//! `distinct_on`: the first row of each.

use orm_core::Error;
use orm_tests::backend_tests;

use super::models::{Article, Mood, Person, newsroom};

backend_tests! {
    /// Issue 5: the first row of each value, in the order of the query, which stays.
    async fn the_first_row_of_each(db) {
        let mut session = newsroom(&db).await?;
        let log = db.log();
        let longest = || Article::select().order_by(Article::words.desc()).distinct_on(Article::author_id);
        let found = longest().all(&mut session).await?;
        let titles: Vec<&str> = found.iter().map(|article| &*session[*article].title).collect();
        assert_eq!(titles, ["On Engines", "Engines again", "Silence"]);
        assert_eq!(log.emitted(), ["SELECT articles"]);
        let owned = longest().on(&db.engine).all().await?;
        assert!(owned.iter().map(|article| &*article.title).eq(titles));
        assert_eq!(longest().count(&mut session).await?, 3);
        assert!(longest().exists(&mut session).await?);
        let last: Vec<(i64, String)> = Article::select()
            .order_by(Article::id.desc())
            .distinct_on(Article::author_id)
            .columns((Article::author_id, Article::title))
            .on(&db.engine)
            .all()
            .await?;
        let text = str::to_owned;
        assert_eq!(last, [(3, text("Silence")), (2, text("Engines again")), (1, text("On Numbers"))]);
        // Without an order it is that of the keys.
        let first = Person::select().distinct_on(Person::mood).columns((Person::name, Person::mood));
        assert_eq!(
            first.on(&db.engine).all().await?,
            [(text("Ada"), Mood::VeryHappy), (text("Bob"), Mood::Calm)]
        );
    }

    /// Issue 5: what comes behind it is about the rows that are left.
    async fn what_comes_behind_is_about_what_is_left(db) {
        let mut session = newsroom(&db).await?;
        let longest = || {
            Article::select()
                .filter(Article::words.gt(0))
                .order_by(Article::words.desc())
                .distinct_on(Article::author_id)
        };
        let short = longest().filter(Article::words.lt(500));
        assert_eq!(short.clone().columns(Article::title).all(&mut session).await?, ["Engines again"]);
        assert_eq!(short.count(&mut session).await?, 1);
        assert_eq!(longest().limit(1).columns(Article::title).all(&mut session).await?, ["On Engines"]);
        assert_eq!(longest().offset(1).limit(5).columns(Article::title).all(&mut session).await?, ["Engines again"]);
        let loaded = longest().with(Article::comments.joined()).with(Article::author.selectin()).limit(1).all(&mut session).await?;
        assert_eq!(session[loaded[0]].comments.loaded().map(<[_]>::len), Some(2));
        let joined = longest().join(Article::author).columns((Person::name, Article::title));
        assert_eq!(joined.all(&mut session).await?[1].0, "Bob");
    }

    /// Issue 5: several columns and expressions, of joined models and in their order too.
    async fn distinct_by_joined_models(db) {
        let mut session = newsroom(&db).await?;
        let by_mood = Article::select()
            .join(Article::author)
            .order_by((Person::name.desc(), Article::title.asc()))
            .distinct_on(Person::mood)
            .columns(Article::title);
        assert_eq!(by_mood.all(&mut session).await?, ["Silence", "Engines again"]);
        let by_both = Article::select()
            .join(Article::author)
            .order_by(Article::id.asc())
            .distinct_on((Person::mood, Article::words / 2))
            .columns(Article::id);
        assert_eq!(by_both.all(&mut session).await?, [1, 2, 3, 4]);
        let once = Person::select().join(Person::articles).distinct_on(Person::id).columns(Person::name);
        assert_eq!(once.all(&mut session).await?, ["Ada", "Bob", "Cyd"]);
    }

    /// Issue 5: what can't be meant is an error in words, before any SQL.
    async fn it_comes_before_what_counts_rows(db) {
        let mut session = newsroom(&db).await?;
        let log = db.log();
        for query in [
            Person::select().limit(1).distinct_on(Person::mood),
            Person::select().offset(1).distinct_on(Person::mood),
            Person::select().distinct().distinct_on(Person::mood),
            Person::select().group_by(Person::mood).distinct_on(Person::mood),
            Person::select().distinct_on(Person::mood).for_update(),
        ] {
            let error = query.all(&mut session).await.unwrap_err();
            assert!(matches!(&error, Error::Misuse(_)), "{error}");
        }
        assert!(log.all().is_empty());
    }
}
