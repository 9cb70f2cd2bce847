//! `#[derive(Row)]`: structs in place of tuples.

use orm_core::query::raw;
use orm_core::{Error, Row};
use orm_tests::backend_tests;

use super::models::{Article, Mood, Person, newsroom};

#[derive(Row, Debug, Clone, PartialEq)]
struct Summary {
    name: String,
    #[orm(column = "feeling")]
    mood: Mood,
    title: Option<String>,
    r#type: Option<i32>,
}

backend_tests! {
    /// DESIGN 6: a query's rows are structs, whatever their fields are called.
    async fn rows_are_structs(db) {
        let mut session = newsroom(&db).await?;
        let query = Person::select()
            .left_join(Person::articles)
            .filter(Person::id.gt(2))
            .order_by((Person::id.asc(), Article::id.asc()))
            .columns((Person::name, Person::mood, Article::title, Article::words))
            .row::<Summary>();
        let expected = [
            Summary {
                name: "Cyd".into(),
                mood: Mood::VeryHappy,
                title: Some("Silence".into()),
                r#type: Some(0),
            },
            Summary { name: "Dee".into(), mood: Mood::Calm, title: None, r#type: None },
        ];
        assert_eq!(query.clone().all(&mut session).await?, expected);
        assert_eq!(query.clone().on(&db.engine).all().await?, expected);
        assert_eq!(query.clone().first(&mut session).await?, Some(expected[0].clone()));
        assert_eq!(query.count(&mut session).await?, 2);
    }

    /// DESIGN 6: SQL of one's own fills the same structs, by the names of its columns.
    async fn rows_of_raw_sql_are_structs(db) {
        let mut session = newsroom(&db).await?;
        let query = || {
            raw("SELECT words AS type, p.mood AS feeling, title, p.name AS name FROM articles \
                 JOIN people p ON p.id = author_id WHERE words > {}")
            .bind(500)
            .rows::<Summary>()
        };
        let expected = [Summary {
            name: "Ada".into(),
            mood: Mood::VeryHappy,
            title: Some("On Engines".into()),
            r#type: Some(1000),
        }];
        assert_eq!(query().all(&mut session).await?, expected);
        assert_eq!(query().on(&db.engine).all().await?, expected);
        let misnamed = raw("SELECT 1 AS kind, name, mood AS feeling, nick AS title FROM people");
        let refused = misnamed.rows::<Summary>().all(&mut session).await;
        let Err(error @ Error::Type { .. }) = refused else { panic!("{refused:?}") };
        assert!(error.to_string().contains("no column `type`"), "{error}");
    }
}
