//! Joins: rows that multiply, rows that stay without a match.

use orm_core::Error;
use orm_tests::backend_tests;

use super::models::{Article, Comment, Person, Tag, newsroom};

backend_tests! {
    /// DESIGN 6: an inner join leaves rows without a match out and repeats those with several.
    async fn an_inner_join_multiplies(db) {
        let mut session = newsroom(&db).await?;
        let log = db.log();
        let joined = Person::select().join(Person::articles).order_by(Article::id.asc());
        let people = joined.clone().all(&mut session).await?;
        let names: Vec<&str> = people.iter().map(|person| &*session[*person].name).collect();
        assert_eq!(names, ["Ada", "Ada", "Bob", "Cyd"]);
        assert_eq!(people[0], people[1]);
        assert_eq!(log.emitted(), ["SELECT people"]);
        assert_eq!(joined.clone().count(&mut session).await?, 4);
        let distinct = Person::select().join(Person::articles).distinct();
        assert_eq!(distinct.clone().count(&mut session).await?, 3);
        assert_eq!(distinct.all(&mut session).await?.len(), 3);
        assert_eq!(joined.on(&db.engine).all().await?.len(), 4);
    }

    /// DESIGN 6: a left join keeps rows without a match; there its columns are `None`.
    async fn a_left_join_keeps_rows(db) {
        let mut session = newsroom(&db).await?;
        type Row = (String, Option<String>, Option<i32>, Option<i64>);
        let rows: Vec<Row> = Person::select()
            .left_join(Person::articles)
            .order_by((Person::id.asc(), Article::id.asc()))
            .columns((Person::name, Article::title, Article::words + 1, Article::editor_id))
            .all(&mut session)
            .await?;
        let text = str::to_owned;
        assert_eq!(
            rows,
            [
                (text("Ada"), Some(text("On Engines")), Some(1001), Some(2)),
                (text("Ada"), Some(text("On Numbers")), Some(251), None),
                (text("Bob"), Some(text("Engines again")), Some(251), Some(1)),
                (text("Cyd"), Some(text("Silence")), Some(1), None),
                (text("Dee"), None, None, None),
            ]
        );
        let without = Person::select().left_join(Person::articles).filter(Article::id.is_null());
        let dee = without.one(&mut session).await?;
        assert_eq!(session[dee].name, "Dee");
    }

    /// DESIGN 6: joins follow each other, through association tables too.
    async fn joins_follow_each_other(db) {
        let mut session = newsroom(&db).await?;
        let rows: Vec<(String, String, Option<String>)> = Person::select()
            .join(Person::articles)
            .join(Article::tags)
            .left_join(Article::comments)
            .filter(Tag::name.eq("rust"))
            .order_by((Article::id.asc(), Comment::id.asc()))
            .columns((Person::name, Tag::name, Comment::body))
            .all(&mut session)
            .await?;
        let text = str::to_owned;
        assert_eq!(
            rows,
            [
                (text("Ada"), text("rust"), Some(text("nice"))),
                (text("Ada"), text("rust"), Some(text("wrong"))),
                (text("Bob"), text("rust"), Some(text("nice"))),
            ]
        );
        let authors: Vec<(String, String)> = Comment::select()
            .join(Comment::article)
            .join(Article::author)
            .order_by(Comment::id.asc())
            .columns((Comment::body, Person::name))
            .on(&db.engine)
            .all()
            .await?;
        assert_eq!(authors[2], (text("nice"), text("Bob")));
    }

    /// DESIGN 6: a model enters a query once; the second time is an error of the verb, before SQL.
    async fn a_model_enters_once(db) {
        let mut session = newsroom(&db).await?;
        let log = db.log();
        let twice = Article::select().join(Article::author).join(Article::editor);
        let errors = [
            twice.clone().all(&mut session).await.err(),
            twice.clone().count(&mut session).await.err(),
            twice.clone().exists(&mut session).await.err(),
            twice.clone().on(&db.engine).all().await.err(),
            twice.clone().columns(Article::id).first(&mut session).await.err(),
            twice.on(&db.engine).page(1, 10).await.err(),
            Person::select().join(Person::boss).all(&mut session).await.err(),
        ];
        for error in errors {
            let error = error.expect("an error");
            assert!(matches!(error, Error::Misuse(_)), "{error}");
            assert!(error.to_string().contains("`Person` is in this query already"), "{error}");
        }
        assert_eq!(log.emitted(), [""; 0]);
        // A mistake in a query is not a failure of the session.
        assert_eq!(Person::select().count(&mut session).await?, 4);
    }

    /// DESIGN 6: an expression may span models that are joined; where one of them may be missing,
    /// so may its value.
    async fn expressions_span_models(db) {
        let mut session = newsroom(&db).await?;
        let both = || (Person::visits + 1).times(Article::id);
        let rows: Vec<(String, i64)> = Person::select()
            .join(Person::articles)
            .filter(both().gt(0) & both().lt(23))
            .order_by((both().desc(), Article::id.asc()))
            .columns((Article::title, both()))
            .all(&mut session)
            .await?;
        let text = str::to_owned;
        assert_eq!(
            rows,
            [
                (text("On Numbers"), 22),
                (text("Silence"), 16),
                (text("On Engines"), 11),
                (text("Engines again"), 3),
            ]
        );
        let rows: Vec<Option<i64>> = Person::select()
            .left_join(Person::articles)
            .order_by((Person::id.asc(), Article::id.asc()))
            .columns(Article::id.minus(Person::id))
            .on(&db.engine)
            .all()
            .await?;
        assert_eq!(rows, [Some(0), Some(1), Some(1), Some(1), None]);
        let total: Option<i64> = Person::select()
            .join(Person::articles)
            .columns(Person::id.plus(Article::id).sum())
            .one(&mut session)
            .await?;
        assert_eq!(total, Some(17));
    }
}
