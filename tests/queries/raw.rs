//! Hand-written SQL: values as binds, names from models, rows, objects and counts out of it.

use orm_core::query::raw;
use orm_core::{Error, Model, Row, schema};
use orm_tests::backend_tests;

use super::models::{Article, Mood, Person, day, newsroom};

#[derive(Model)]
#[orm(table = "odd \"names\"` '{}'")]
struct Odd {
    #[orm(column = "order")]
    position: i64,
    #[orm(column = "it's {} ?", length = 40)]
    text: Option<String>,
}

#[derive(Row)]
struct Called {
    called: String,
    age: Option<i32>,
}

backend_tests! {
    /// DESIGN 6: rows by position, values as binds on every database.
    async fn rows_of_a_hand_written_statement(db) {
        let mut session = newsroom(&db).await?;
        let log = db.log();
        let text = "SELECT name, age, '{} ? $1 :a', visits FROM people WHERE age > {} AND name <> {} \
                    -- {} is nothing here\n ORDER BY name /* nor {} here */";
        let query = || raw(text).bind(18).bind("Dee").rows::<(String, Option<i32>, String, i64)>();
        let expected = [("Ada".to_owned(), Some(36), "{} ? $1 :a".to_owned(), 10)];
        assert_eq!(query().all(&mut session).await?, expected);
        assert_eq!(query().on(&db.engine).all().await?, expected);
        assert_eq!(query().one(&mut session).await?, expected[0]);
        assert_eq!(log.all(), ["SELECT people"; 3], "reading needs no transaction");

        let mood = raw("SELECT name FROM people WHERE mood = {} AND joined > {} AND nick = {}")
            .bind(Mood::VeryHappy)
            .bind(day(2002, 1, 1))
            .bind(Some("50%!".to_owned()))
            .rows::<String>();
        assert_eq!(mood.one(&mut session).await?, "Cyd");
        let nested = raw("SELECT 1, 'a', 2").rows::<(i64, (String, i64))>();
        assert_eq!(nested.one(&mut session).await?, (1, ("a".to_owned(), 2)));
        let none = raw("SELECT name FROM people WHERE age = {}").bind(None::<i32>).rows::<String>();
        assert!(none.clone().all(&mut session).await?.is_empty());
        assert!(matches!(none.one(&mut session).await, Err(Error::NotFound { .. })));
        let all = raw("SELECT name FROM people").rows::<String>();
        assert!(matches!(all.one(&mut session).await, Err(Error::MultipleFound { .. })));
    }

    /// DESIGN 6: structs by the names of columns.
    async fn structs_of_a_hand_written_statement(db) {
        let mut session = newsroom(&db).await?;
        let query = || raw("SELECT 1 AS extra, age, name AS called FROM people WHERE age = {} ORDER BY id");
        let found: Vec<Called> = query().bind(36).row().all(&mut session).await?;
        let found: Vec<(&str, Option<i32>)> = found.iter().map(|it| (&*it.called, it.age)).collect();
        assert_eq!(found, [("Ada", Some(36)), ("Dee", Some(36))]);
        let missing = raw("SELECT age FROM people").row::<Called>().on(&db.engine).all().await.err();
        assert!(matches!(missing, Some(Error::Type { .. })), "{missing:?}");
    }

    /// DESIGN 6: what is pending is flushed before, and seen.
    async fn a_hand_written_statement_flushes_first(db) {
        let mut session = newsroom(&db).await?;
        session.add(Person::draft().name("Eve").joined(day(2005, 5, 5)));
        let count = raw("SELECT count(*) FROM people").rows::<i64>();
        assert_eq!(count.clone().one(&mut session).await?, 5);
        assert_eq!(count.clone().on(&db.engine).one().await?, 4);
        session.rollback().await?;
        assert_eq!(count.one(&mut session).await?, 4);
    }

    /// DESIGN 6: objects by the names of columns, in any order, of the session's identity.
    async fn objects_of_a_hand_written_statement(db) {
        let mut session = newsroom(&db).await?;
        let ada = session.require::<Person>(1).await?;
        session[ada].name = "Countess".into();
        let people = raw("SELECT 7 AS extra, p.* FROM {} p WHERE p.{} > {} ORDER BY p.{} DESC")
            .table::<Person>()
            .column(Person::visits)
            .bind(5)
            .column(Person::visits)
            .entities::<Person>();
        let found = people.clone().all(&mut session).await?;
        assert_eq!(found.len(), 2);
        assert_eq!((found[0], &*session[found[0]].name), (ada, "Countess"));
        assert_eq!((&*session[found[1]].name, session[found[1]].mood), ("Dee", Mood::Calm));
        session[found[1]].visits += 1;
        session.commit().await?;
        let owned = people.on(&db.engine).all().await?;
        assert_eq!((&*owned[0].name, owned[1].visits), ("Countess", 8));
        // They are peers: their relationship is loaded by one statement.
        let log = db.log();
        for person in found {
            person.articles(&mut session).await?;
        }
        assert_eq!(log.emitted(), ["SELECT articles"]);

        let partial = raw("SELECT id, name FROM people").entities::<Person>();
        let error = partial.all(&mut session).await.unwrap_err();
        assert!(matches!(&error, Error::Type { place, .. } if place == "`people.created_at`"), "{error}");
        session.rollback().await?;
        let one = raw("SELECT * FROM people WHERE id = {}").bind(3).entities::<Person>();
        assert_eq!(one.on(&db.engine).one().await?.name, "Cyd");
    }

    /// DESIGN 6: a write is part of the transaction; objects follow when they are expired.
    async fn a_hand_written_write_is_part_of_the_transaction(db) {
        let mut session = newsroom(&db).await?;
        let ada = session.require::<Person>(1).await?;
        let write = || raw("UPDATE people SET visits = visits + {} WHERE age = {}").bind(5).bind(36);
        assert_eq!(write().execute(&mut session).await?, 2);
        assert_eq!(session[ada].visits, 10);
        session.expire_all();
        session.refresh(ada).await?;
        assert_eq!(session[ada].visits, 15);
        session.rollback().await?;
        session.refresh(ada).await?;
        assert_eq!(session[ada].visits, 10);
        assert_eq!(write().on(&db.engine).execute().await?, 2);
        session.refresh(ada).await?;
        assert_eq!(session[ada].visits, 15);
        let error = raw("INSERT INTO people (name) VALUES ({})").bind("x").execute(&mut session).await;
        assert!(error.is_err());
        session.rollback().await?;
    }

    /// DESIGN 6: names come from models, quoted as the database does.
    async fn names_of_models_are_quoted(db) {
        db.create(&schema![Odd]).await?;
        let mut session = db.session();
        let insert = raw("INSERT INTO {} ({}, {}) VALUES ({}, {})")
            .table::<Odd>()
            .column(Odd::position)
            .column(Odd::text)
            .bind(1_i64)
            .bind("'; DROP TABLE people; --");
        assert_eq!(insert.execute(&mut session).await?, 1);
        let odd = Odd::select().one(&mut session).await?;
        assert_eq!(session[odd].text.as_deref(), Some("'; DROP TABLE people; --"));
        let rows = raw("SELECT o.{} FROM {} o").column(Odd::text).table::<Odd>().rows::<Option<String>>();
        assert_eq!(rows.one(&mut session).await?, session[odd].text);
    }

    /// DESIGN 6: a wrong number of values, and placeholders of another form, are told before any SQL;
    /// rows of another shape behind it.
    async fn mistakes_of_hand_written_statements(db) {
        let mut session = newsroom(&db).await?;
        let log = db.log();
        for wrong in [
            raw("SELECT {}"),
            raw("SELECT 1").bind(1),
            raw("SELECT {}, {}").bind(1),
            raw("SELECT '{}'").bind(1),
        ] {
            let error = wrong.rows::<i64>().all(&mut session).await.unwrap_err();
            assert!(matches!(&error, Error::Misuse(_)), "{error}");
        }
        let foreign = ["SELECT ?", "SELECT $1"].map(|text| raw(text).rows::<i64>());
        let mut refused = 0;
        for statement in foreign {
            refused += usize::from(matches!(statement.all(&mut session).await, Err(Error::Misuse(_))));
            session.rollback().await?;
        }
        assert!(refused >= 1);
        assert!(log.emitted().len() < 2);
        for width in [
            raw("SELECT 1").rows::<(i64, i64)>().all(&mut session).await.err(),
            raw("SELECT 1, 2, 3").rows::<(i64, i64)>().all(&mut session).await.err(),
            raw("SELECT 'x', 2").rows::<(i64, i64)>().all(&mut session).await.err(),
        ] {
            assert!(matches!(width, Some(Error::Type { .. })), "{width:?}");
            session.rollback().await?;
        }
        assert_eq!(Article::select().count(&mut session).await?, 4);
    }
}
