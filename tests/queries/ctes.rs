//! Queries to read from: subqueries in FROM, common table expressions, recursive ones.

use orm_core::query::{Subquery, entity};
use orm_core::{Error, Row};
use orm_tests::backend_tests;

use super::models::{Article, Mood, Person, newsroom};

#[derive(Row, Debug, PartialEq)]
struct Written {
    author_id: i64,
    #[orm(column = "n")]
    articles: i64,
    longest: Option<i32>,
}

#[derive(Row, Debug, PartialEq)]
struct Led {
    id: i64,
    path: String,
    depth: i64,
}

#[derive(Row)]
struct Reached {
    id: i64,
}

#[derive(Row)]
struct Feeling {
    name: String,
    mood: Mood,
}

/// A name of a further use of such rows.
struct More;

fn written() -> orm_core::query::Rows<(i64, i64, Option<i32>), (Article, ())> {
    Article::select().group_by(Article::author_id).columns((
        Article::author_id,
        Article::id.count(),
        Article::words.max(),
    ))
}

backend_tests! {
    /// DESIGN 6: a subquery is joined, its columns are used everywhere; it is one statement.
    async fn a_subquery_is_joined(db) {
        let mut session = newsroom(&db).await?;
        let log = db.log();
        let rows: Vec<(String, i64, Option<i32>)> = Person::select()
            .join_on(written().subquery::<Written>(), Person::id.eq_column(Written::author_id))
            .filter(Written::articles.lt(3) & Written::longest.ge(250))
            .order_by(Written::longest.desc())
            .columns((Person::name, Written::articles + 1, Written::longest))
            .all(&mut session)
            .await?;
        let text = str::to_owned;
        assert_eq!(rows, [(text("Ada"), 3, Some(1000)), (text("Bob"), 2, Some(250))]);
        assert_eq!(log.emitted(), ["SELECT people"]);
        let people = Person::select()
            .left_join_on(written().subquery::<Written>(), Person::id.eq_column(Written::author_id))
            .filter(Written::articles.is_null())
            .all(&mut session)
            .await?;
        assert_eq!(people.len(), 1);
        assert_eq!(session[people[0]].name, "Dee");
        let missing: Vec<Option<i64>> = Person::select()
            .left_join_on(written().subquery::<Written>(), Person::id.eq_column(Written::author_id))
            .order_by(Person::id.asc())
            .columns(Written::articles)
            .on(&db.engine)
            .all()
            .await?;
        assert_eq!(missing, [Some(2), Some(1), Some(1), None]);
    }

    /// DESIGN 6: a subquery is read first, and its rows are grouped, counted, joined again.
    async fn a_subquery_is_read_first(db) {
        let mut session = newsroom(&db).await?;
        let many = written().subquery::<Written>().select().filter(Written::articles.gt(1));
        assert_eq!(many.clone().rows().count(&mut session).await?, 1);
        let rows: Vec<Written> = many.clone().rows().all(&mut session).await?;
        assert_eq!(rows, [Written { author_id: 1, articles: 2, longest: Some(1000) }]);
        let names: Vec<String> = many
            .join_on(entity::<Person>(), Person::id.eq_column(Written::author_id))
            .columns(Person::name)
            .on(&db.engine)
            .all()
            .await?;
        assert_eq!(names, ["Ada"]);
        let by_count: Vec<(i64, i64)> = written()
            .subquery::<Written>()
            .select()
            .group_by(Written::articles)
            .order_by(Written::articles.asc())
            .columns((Written::articles, Written::author_id.count()))
            .all(&mut session)
            .await?;
        assert_eq!(by_count, [(1, 2), (2, 1)]);
        let (_, all) = (1, written().order_by(Article::author_id.desc()).limit(2));
        let limited: Vec<i64> = all
            .subquery::<Written>()
            .select()
            .order_by(Written::author_id.asc())
            .columns(Written::author_id)
            .all(&mut session)
            .await?;
        assert_eq!(limited, [2, 3]);
    }

    /// DESIGN 6: columns of types that databases treat in their own ways pass through a subquery.
    async fn types_pass_through(db) {
        let mut session = newsroom(&db).await?;
        let feelings = Person::select()
            .columns((Person::name, Person::mood))
            .cte::<Feeling>();
        let happy: Vec<(String, Mood)> = feelings
            .select()
            .filter(Feeling::mood.eq(Mood::VeryHappy))
            .order_by(Feeling::name.asc())
            .columns((Feeling::name, Feeling::mood))
            .all(&mut session)
            .await?;
        let text = str::to_owned;
        assert_eq!(happy, [(text("Ada"), Mood::VeryHappy), (text("Cyd"), Mood::VeryHappy)]);
    }

    /// DESIGN 6: a common table expression is written once, however often it is used.
    async fn a_cte_is_written_once(db) {
        let mut session = newsroom(&db).await?;
        let log = db.log();
        let counts = written().cte::<Written>();
        let most = counts.clone().select().columns(Written::articles.max()).scalar();
        let rows: Vec<(String, i64, i64)> = Person::select()
            .join_on(counts.clone(), Person::id.eq_column(Written::author_id))
            .join_on(
                counts.of::<More>(),
                Written::articles.gt_column(Written::articles.of::<More>()),
            )
            .filter(Written::articles.eq_column(most))
            .order_by(Written::author_id.of::<More>().asc())
            .columns((Person::name, Written::articles, Written::author_id.of::<More>()))
            .all(&mut session)
            .await?;
        let text = str::to_owned;
        assert_eq!(rows, [(text("Ada"), 2, 2), (text("Ada"), 2, 3)]);
        let statement = log.texts().pop().expect("a statement");
        assert_eq!(statement.matches("GROUP BY").count(), 1, "{statement}");
        assert!(statement.starts_with("WITH "), "{statement}");
    }

    /// DESIGN 6: entities, counts and further statements of a query with a CTE.
    async fn objects_of_a_query_with_a_cte(db) {
        let mut session = newsroom(&db).await?;
        let busy = Person::select()
            .join_on(written().cte::<Written>(), Person::id.eq_column(Written::author_id))
            .filter(Written::articles.gt(1))
            .with(Person::articles);
        assert_eq!(busy.clone().count(&mut session).await?, 1);
        assert!(busy.clone().exists(&mut session).await?);
        let ada = busy.clone().one(&mut session).await?;
        assert_eq!(session.members(ada, Person::articles)?.count(), 2);
        let graph = busy.on(&db.engine).graph().await?;
        assert_eq!(graph.roots().count(), 1);
    }

    /// DESIGN 6, SEMANTICS 11.6: a tree is followed to any depth, with a path and a depth.
    async fn a_tree_is_followed(db) {
        let mut session = newsroom(&db).await?;
        let log = db.log();
        let led = Person::select()
            .filter(Person::boss_id.is_null())
            .columns((Person::id, Person::name, Person::id * 0))
            .recursive_all(|led: Subquery<Led>| {
                Person::select().join_on(led, Person::boss_id.eq_column(Led::id)).columns((
                    Person::id,
                    Led::path.concat("/").concat(Led::path),
                    Led::depth + 1,
                ))
            });
        let rows: Vec<Led> =
            led.select().filter(Led::depth.le(5)).order_by(Led::id.asc()).rows().all(&mut session).await?;
        let row = |id, path: &str, depth| Led { id, path: path.into(), depth };
        assert_eq!(
            rows,
            [
                row(1, "Ada", 0),
                row(2, "Ada/Ada", 1),
                row(3, "Ada/Ada", 1),
                row(4, "Ada/Ada/Ada/Ada", 2),
            ]
        );
        assert_eq!(log.emitted().len(), 1);
    }

    /// DESIGN 6: a circle ends, since known rows are not followed again; binds keep their order.
    async fn a_circle_ends(db) {
        let mut session = newsroom(&db).await?;
        let ada = session.require::<Person>(1).await?;
        let dee = session.require::<Person>(4).await?;
        session[ada].boss_id = Some(session[dee].id());
        session.commit().await?;
        let reached = Person::select()
            .filter(Person::name.eq("Dee"))
            .columns((Person::id,))
            .recursive(|reached: Subquery<Reached>| {
                Person::select()
                    .join_on(reached, Person::boss_id.eq_column(Reached::id))
                    .filter(Person::name.ne("Cyd"))
                    .columns((Person::id,))
            });
        let people = Person::select()
            .join_on(reached, Person::id.eq_column(Reached::id))
            .filter(Person::name.ne("Nobody"))
            .order_by(Person::id.asc())
            .columns(Person::name)
            .all(&mut session)
            .await?;
        assert_eq!(people, ["Ada", "Bob", "Dee"]);
    }

    /// DESIGN 6: what a recursive step can't do, and a name that is taken, is said before any SQL.
    async fn mistakes_are_said(db) {
        #[derive(Row)]
        struct People {
            id: i64,
        }
        let mut session = newsroom(&db).await?;
        let log = db.log();
        let endless = Person::select().columns((Person::id,)).recursive(
            |reached: Subquery<Reached>| {
                Person::select()
                    .join_on(reached, Person::boss_id.eq_column(Reached::id))
                    .limit(1)
                    .columns((Person::id,))
            },
        );
        let refused = endless.select().rows().all(&mut session).await.map(|_| ());
        let Err(Error::Misuse(sentence)) = refused else { panic!("{refused:?}") };
        assert!(sentence.contains("step of a recursive query"), "{sentence}");
        let hiding = Person::select().columns((Person::id,)).cte::<People>();
        let refused = hiding.select().rows().all(&mut session).await.map(|_| ());
        let Err(Error::Misuse(sentence)) = refused else { panic!("{refused:?}") };
        assert!(sentence.contains("named `people`"), "{sentence}");
        assert!(log.emitted().is_empty());
    }
}
