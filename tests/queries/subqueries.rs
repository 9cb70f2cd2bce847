//! Subqueries in conditions and expressions: `in_query`, `exists`, `scalar`; correlated ones.

use orm_core::query::{all_of, exists};
use orm_core::{Error, Row};
use orm_tests::backend_tests;

use super::models::{Article, Comment, Mood, Person, Tag, names, newsroom, titles};

/// A name of a further use of `Person`.
struct Peer;

#[derive(Row)]
struct Author {
    id: i64,
}

backend_tests! {
    /// DESIGN 6: values of a query stand in a condition; it is one statement.
    async fn values_of_a_query(db) {
        let _ = newsroom(&db).await?;
        let log = db.log();
        let authors = || Article::select().filter(Article::words.ge(250)).columns(Article::author_id);
        assert_eq!(names(&db, Person::id.in_query(authors())).await?, ["Ada", "Bob"]);
        assert!(log.emitted().iter().all(|statement| statement == "SELECT people"));
        let others = Person::id.not_in_query(authors()) & Person::active.eq(true);
        assert_eq!(names(&db, others).await?, ["Cyd"]);
        assert_eq!(names(&db, !Person::id.in_query(authors())).await?, ["Cyd", "Dee"]);
        let upper = Person::select().filter(Person::nick.is_not_null()).columns(Person::nick);
        assert_eq!(names(&db, Person::name.upper().in_query(upper)).await?, ["Ada"]);
        let moods = Person::select().filter(Person::name.eq("Cyd")).columns(Person::mood);
        assert_eq!(names(&db, Person::mood.in_query(moods)).await?, ["Ada", "Cyd"]);
    }

    /// DESIGN 6: NULLs among the values don't empty a `not_in_query`, grouped or not.
    async fn nulls_are_left_out_of_not_in(db) {
        let _ = newsroom(&db).await?;
        let editors = || Article::select().columns(Article::editor_id);
        assert_eq!(names(&db, Person::id.in_query(editors())).await?, ["Ada", "Bob"]);
        assert_eq!(names(&db, Person::id.not_in_query(editors())).await?, ["Cyd", "Dee"]);
        let latest = Article::select()
            .group_by(Article::author_id)
            .columns(Article::editor_id.max());
        assert_eq!(names(&db, Person::id.not_in_query(latest)).await?, ["Cyd", "Dee"]);
        let nobody = Article::select().filter(Article::id.lt(0)).columns(Article::editor_id.max());
        assert_eq!(names(&db, Person::id.not_in_query(nobody)).await?.len(), 4);
    }

    /// DESIGN 6: a limit of the subquery counts, on every database.
    async fn a_limited_query_of_values(db) {
        let _ = newsroom(&db).await?;
        let longest = Article::select().order_by(Article::words.desc()).limit(1);
        let its_author = longest.clone().columns(Article::author_id);
        assert_eq!(names(&db, Person::id.in_query(its_author)).await?, ["Ada"]);
        let oldest = Person::select().order_by(Person::joined.asc()).limit(1).columns(Person::mood);
        assert_eq!(names(&db, Person::mood.in_query(oldest)).await?, ["Ada", "Cyd"]);
    }

    /// DESIGN 6: a subquery may refer to the query around it, also through a join or an alias.
    async fn correlated_subqueries(db) {
        let mut session = newsroom(&db).await?;
        let wrote = || Article::select().correlate::<Person>().filter(Article::author_id.eq_column(Person::id));
        assert_eq!(names(&db, exists(wrote())).await?, ["Ada", "Bob", "Cyd"]);
        assert_eq!(names(&db, !exists(wrote()) | Person::age.lt(18)).await?, ["Cyd", "Dee"]);
        let twice = wrote().group_by(Article::author_id).having(Article::id.count().gt(1));
        assert_eq!(names(&db, exists(twice.columns(Article::author_id))).await?, ["Ada"]);

        let peers = Person::select()
            .correlate::<Person>()
            .count(&mut session)
            .await?;
        assert_eq!(peers, 4);
        let of_same_age = exists(
            Article::select()
                .join(Article::author.to::<Peer>())
                .correlate::<Person>()
                .filter(Person::age.of::<Peer>().eq_column(Person::age))
                .filter(Person::id.of::<Peer>().ne_column(Person::id)),
        );
        assert_eq!(names(&db, of_same_age).await?, ["Dee"]);
        let both = Comment::select()
            .correlate::<Article>()
            .correlate::<Person>()
            .filter(Comment::article_id.eq_column(Article::id))
            .filter(Comment::body.contains("nice"))
            .filter(Person::name.ne("Bob"));
        let joined = Article::select().join(Article::author).filter(exists(both));
        let found = joined.columns(Article::title).all(&mut session).await?;
        assert_eq!(found, ["On Engines"]);
    }

    /// DESIGN 6: a scalar subquery is an expression: shown, compared, ordered by.
    async fn scalar_subqueries(db) {
        let mut session = newsroom(&db).await?;
        let words = || {
            Article::select()
                .correlate::<Person>()
                .filter(Article::author_id.eq_column(Person::id))
                .columns(Article::words.sum())
                .scalar()
        };
        let rows: Vec<(String, Option<i64>)> = Person::select()
            .order_by((words().desc().nulls_last(), Person::id.asc()))
            .columns((Person::name, words()))
            .all(&mut session)
            .await?;
        let text = str::to_owned;
        assert_eq!(
            rows,
            [
                (text("Ada"), Some(1250)),
                (text("Bob"), Some(250)),
                (text("Cyd"), Some(0)),
                (text("Dee"), None),
            ]
        );
        assert_eq!(names(&db, words().coalesce(0).gt(0)).await?, ["Ada", "Bob"]);
        let average = Person::select().columns(Person::score.avg()).scalar();
        let above = Person::select().filter(Person::score.gt_column(average)).order_by(Person::id.asc());
        assert_eq!(above.columns(Person::name).on(&db.engine).all().await?, ["Ada", "Dee"]);
        let mood: Vec<Option<Mood>> = Tag::select()
            .limit(1)
            .columns(
                Person::select()
                    .order_by(Person::visits.desc())
                    .columns(Person::mood)
                    .scalar(),
            )
            .all(&mut session)
            .await?;
        assert_eq!(mood, [Some(Mood::VeryHappy)]);
        let missing = Person::select().filter(Person::id.lt(0)).columns(Person::visits).scalar();
        assert_eq!(Tag::select().limit(1).columns(missing).one(&mut session).await?, None);
    }

    /// DESIGN 6: subqueries stand inside subqueries, and in the conditions of relationships.
    async fn subqueries_nest(db) {
        let _ = newsroom(&db).await?;
        let rusty = || {
            Article::id.in_query(
                Comment::select()
                    .filter(Comment::body.eq("nice"))
                    .columns(Comment::article_id),
            )
        };
        let condition = Person::articles.any(rusty() & Article::editor.exists());
        assert_eq!(names(&db, condition).await?, ["Ada", "Bob"]);
        let nested = Person::id.in_query(
            Article::select().filter(rusty()).columns(Article::editor_id),
        );
        assert_eq!(names(&db, nested).await?, ["Ada", "Bob"]);
        let by_young = exists(
            Person::select()
                .correlate::<Article>()
                .filter(all_of((Person::id.eq_column(Article::author_id), Person::age.lt(18)))),
        );
        assert_eq!(titles(&db, by_young).await?, ["Silence"]);
    }

    /// DESIGN 6: bulk statements take subqueries, of the written table too.
    async fn bulk_statements_take_subqueries(db) {
        let mut session = newsroom(&db).await?;
        let elder = Person::select().order_by(Person::joined.asc()).limit(2).columns(Person::id);
        let updated = Person::update()
            .set(Person::visits, 100)
            .filter(Person::id.in_query(elder))
            .execute(&mut session)
            .await?;
        assert_eq!(updated, 2);
        let editors = Article::select()
            .filter(Article::editor_id.is_not_null())
            .columns(Article::id);
        let deleted = Comment::delete()
            .filter(Comment::article_id.in_query(editors))
            .execute(&mut session)
            .await?;
        assert_eq!(deleted, 3);
        session.commit().await?;
        assert_eq!(names(&db, Person::visits.eq(100)).await?, ["Ada", "Bob"]);
    }

    /// DESIGN 6: what is wrong in a subquery is said before any SQL.
    async fn mistakes_inside_are_said(db) {
        let mut session = newsroom(&db).await?;
        let log = db.log();
        let alone = Article::select()
            .correlate::<Person>()
            .filter(Article::author_id.eq_column(Person::id))
            .all(&mut session)
            .await;
        let Err(Error::Misuse(sentence)) = alone else { panic!("{alone:?}") };
        assert!(sentence.contains("`people`"), "{sentence}");
        let twice = Article::select().join(Article::author).join(Article::editor);
        let inside = Person::select().filter(exists(twice)).all(&mut session).await;
        let Err(Error::Misuse(sentence)) = inside else { panic!("{inside:?}") };
        assert!(sentence.contains("`Person` is in this query already"), "{sentence}");
        assert!(log.emitted().is_empty());
    }

    /// DESIGN 6: criteria reach subqueries, unions and common table expressions, which stay one.
    async fn criteria_reach_subqueries(db) {
        let _ = newsroom(&db).await?;
        let sessions = db.sessions.clone().with_criteria::<Article>(Article::words.ge(250));
        let mut session = sessions.session();
        let authors = || Article::select().columns(Article::author_id);
        let by_query = Person::select().filter(Person::id.in_query(authors()));
        assert_eq!(by_query.clone().count(&mut session).await?, 2);
        assert_eq!(by_query.without_criteria::<Article>().count(&mut session).await?, 3);
        let wrote = Article::select()
            .correlate::<Person>()
            .filter(Article::author_id.eq_column(Person::id));
        assert_eq!(Person::select().filter(exists(wrote)).count(&mut session).await?, 2);
        let both = authors().union(Article::select().columns(Article::author_id));
        assert_eq!(both.count(&mut session).await?, 2);
        let log = db.log();
        let written = Article::select().columns((Article::author_id,)).cte::<Author>();
        let twice = written
            .clone()
            .select()
            .join_on(written.of::<Peer>(), Author::id.eq_column(Author::id.of::<Peer>()));
        assert_eq!(twice.rows().distinct().all(&mut session).await?.len(), 2);
        let text = log.texts().concat();
        assert_eq!(text.matches("words").count(), 1, "{text}");
    }
}
