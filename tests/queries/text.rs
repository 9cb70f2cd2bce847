//! Patterns and functions of text.

use orm_tests::backend_tests;

use super::models::{Person, names, newsroom};

backend_tests! {
    /// DESIGN 6: `like` takes the wildcards of SQL, goes by case, and escapes with `!`.
    async fn patterns_go_by_case(db) {
        newsroom(&db).await?;
        assert_eq!(names(&db, Person::name.like("_d_")).await?, ["Ada"]);
        assert_eq!(names(&db, Person::name.like("%d%")).await?, ["Ada", "Cyd"]);
        assert_eq!(names(&db, Person::name.like("ada")).await?, [""; 0]);
        assert_eq!(names(&db, Person::nick.like("%!%!!")).await?, ["Cyd"]);
        assert_eq!(names(&db, Person::nick.like("__!_%")).await?, ["Bob"]);
        assert_eq!(names(&db, !Person::nick.like("%A")).await?, ["Bob", "Cyd"]);
    }

    /// DESIGN 6: a text to look for is taken literally, wildcards and escapes included.
    async fn needles_are_literal(db) {
        newsroom(&db).await?;
        assert_eq!(names(&db, Person::nick.contains("%")).await?, ["Cyd"]);
        assert_eq!(names(&db, Person::nick.contains("_")).await?, ["Bob"]);
        assert_eq!(names(&db, Person::nick.contains("!")).await?, ["Cyd"]);
        assert_eq!(names(&db, Person::nick.contains("%!")).await?, ["Cyd"]);
        assert_eq!(names(&db, Person::nick.contains("")).await?, ["Bob", "Cyd", "Dee"]);
        assert_eq!(names(&db, Person::nick.starts_with("50%")).await?, ["Cyd"]);
        assert_eq!(names(&db, Person::nick.starts_with("b_")).await?, [""; 0]);
        assert_eq!(names(&db, Person::nick.ends_with("!")).await?, ["Cyd"]);
        assert_eq!(names(&db, Person::nick.ends_with("_b")).await?, ["Bob"]);
        assert_eq!(names(&db, Person::name.starts_with("a")).await?, [""; 0]);
        assert_eq!(names(&db, Person::name.ends_with("A")).await?, [""; 0]);
        assert_eq!(names(&db, Person::name.contains("D")).await?, ["Dee"]);
    }

    /// DESIGN 6: functions of text, NULL staying NULL.
    async fn functions_of_text(db) {
        let mut session = newsroom(&db).await?;
        assert_eq!(names(&db, Person::nick.lower().eq("ada")).await?, ["Dee"]);
        assert_eq!(names(&db, Person::name.upper().eq("ADA")).await?, ["Ada"]);
        assert_eq!(names(&db, Person::nick.length().gt(3)).await?, ["Bob", "Cyd"]);
        assert_eq!(names(&db, Person::name.eq(Person::nick.coalesce("Ada"))).await?, ["Ada"]);
        assert_eq!(names(&db, Person::nick.eq(Person::name.upper())).await?, [""; 0]);
        type Row = (String, Option<String>, Option<i64>, i64, String);
        let rows: Vec<Row> = Person::select()
            .order_by(Person::id.asc())
            .limit(2)
            .columns((
                Person::name.concat("@").concat(Person::name.lower()),
                Person::name.concat(" ").concat(Person::nick),
                Person::nick.length(),
                Person::name.length(),
                Person::nick.coalesce("-"),
            ))
            .all(&mut session)
            .await?;
        let text = str::to_owned;
        assert_eq!(
            rows,
            [
                (text("Ada@ada"), None, None, 3, text("-")),
                (text("Bob@bob"), Some(text("Bob bo_b")), Some(4), 3, text("bo_b")),
            ]
        );
    }
}
