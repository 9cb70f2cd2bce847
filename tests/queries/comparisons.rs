//! Comparisons, lists, ranges and arithmetic.

use chrono::{DateTime, NaiveDate, Utc};
use orm_tests::backend_tests;

use super::models::{Article, Mood, Person, day, names, newsroom};

backend_tests! {
    /// DESIGN 6: every comparison, with values, columns and expressions.
    async fn columns_compare_with_values_and_columns(db) {
        newsroom(&db).await?;
        assert_eq!(names(&db, Person::visits.eq(7)).await?, ["Dee"]);
        assert_eq!(names(&db, Person::visits.ne(7)).await?, ["Ada", "Bob", "Cyd"]);
        assert_eq!(names(&db, Person::visits.lt(3)).await?, ["Bob"]);
        assert_eq!(names(&db, Person::visits.le(3)).await?, ["Bob", "Cyd"]);
        assert_eq!(names(&db, Person::visits.gt(7)).await?, ["Ada"]);
        assert_eq!(names(&db, Person::visits.ge(7)).await?, ["Ada", "Dee"]);
        assert_eq!(names(&db, Person::name.eq("Bob")).await?, ["Bob"]);
        let bob = String::from("Bob");
        assert_eq!(names(&db, Person::name.eq(&bob)).await?, [&*bob]);
        assert_eq!(names(&db, Person::score.lt(0.0)).await?, ["Bob"]);
        assert_eq!(names(&db, Person::active.eq(true)).await?, ["Ada", "Cyd"]);
        assert_eq!(names(&db, Person::mood.eq(Mood::Calm)).await?, ["Bob", "Dee"]);
        assert_eq!(names(&db, Person::joined.ge(day(2003, 3, 3))).await?, ["Cyd", "Dee"]);
        assert_eq!(names(&db, Person::visits.lt(Person::id)).await?, ["Bob"]);
        assert_eq!(names(&db, Person::boss_id.eq(Person::id - 2)).await?, ["Cyd", "Dee"]);
        let last = Person::created_at.gt(DateTime::<Utc>::MAX_UTC);
        match db.capabilities.last_day == NaiveDate::MAX {
            true => assert_eq!(names(&db, last).await?, [""; 0]),
            false => assert!(names(&db, last).await.is_err()),
        }
        assert_eq!(names(&db, Person::created_at.gt(DateTime::<Utc>::UNIX_EPOCH)).await?.len(), 4);
    }

    /// DESIGN 6: `None` is understood where it is given; a NULL in a row is neither true nor
    /// false, and its negation is neither.
    async fn nulls_are_neither_equal_nor_unequal(db) {
        newsroom(&db).await?;
        assert_eq!(names(&db, Person::age.eq(None)).await?, ["Bob"]);
        assert_eq!(names(&db, Person::age.ne(None)).await?, ["Ada", "Cyd", "Dee"]);
        assert_eq!(names(&db, Person::age.is_null()).await?, ["Bob"]);
        assert_eq!(names(&db, Person::age.is_not_null()).await?, ["Ada", "Cyd", "Dee"]);
        assert_eq!(names(&db, Person::age.eq(36)).await?, ["Ada", "Dee"]);
        assert_eq!(names(&db, Person::age.eq(Some(36))).await?, ["Ada", "Dee"]);
        assert_eq!(names(&db, Person::age.ne(36)).await?, ["Cyd"]);
        assert_eq!(names(&db, !Person::age.eq(36)).await?, ["Cyd"]);
        assert_eq!(names(&db, !Person::age.lt(18)).await?, ["Ada", "Dee"]);
        assert_eq!(names(&db, !Person::age.eq(None)).await?, ["Ada", "Cyd", "Dee"]);
        assert_eq!(names(&db, Person::age.lt(None::<i32>)).await?, [""; 0]);
        assert_eq!(names(&db, Person::age.coalesce(0).lt(18)).await?, ["Bob", "Cyd"]);
        assert_eq!(names(&db, Person::boss_id.gt(Person::id)).await?, [""; 0]);
    }

    /// DESIGN 6: lists, of none too, and with a `None` among them.
    async fn lists_may_be_empty_and_hold_none(db) {
        newsroom(&db).await?;
        assert_eq!(names(&db, Person::name.in_(["Bob", "Dee", "Eve"])).await?, ["Bob", "Dee"]);
        assert_eq!(names(&db, Person::name.not_in(["Bob", "Dee"])).await?, ["Ada", "Cyd"]);
        assert_eq!(names(&db, Person::id.in_(Vec::<i64>::new())).await?, [""; 0]);
        assert_eq!(names(&db, Person::id.not_in(Vec::<i64>::new())).await?.len(), 4);
        // SQL's own NOT IN () holds for NULL too; an empty list excludes nothing.
        assert_eq!(names(&db, Person::age.not_in(Vec::<i32>::new())).await?.len(), 4);
        assert_eq!(names(&db, Person::age.in_([36])).await?, ["Ada", "Dee"]);
        assert_eq!(names(&db, Person::age.in_([Some(17), None])).await?, ["Bob", "Cyd"]);
        assert_eq!(names(&db, Person::age.in_([None::<i32>])).await?, ["Bob"]);
        assert_eq!(names(&db, Person::age.not_in([36])).await?, ["Cyd"]);
        assert_eq!(names(&db, Person::age.not_in([Some(36), None])).await?, ["Cyd"]);
        assert_eq!(names(&db, Person::age.not_in([None::<i32>])).await?, ["Ada", "Cyd", "Dee"]);
        assert_eq!(names(&db, !Person::name.in_(["Ada"])).await?, ["Bob", "Cyd", "Dee"]);
        assert_eq!(names(&db, Person::mood.in_([Mood::VeryHappy])).await?, ["Ada", "Cyd"]);
        let many: Vec<i64> = (2..=2000).collect();
        assert_eq!(names(&db, Person::id.in_(&many)).await?, ["Bob", "Cyd", "Dee"]);
    }

    /// DESIGN 6: ranges include both bounds, which may be columns.
    async fn ranges_include_their_bounds(db) {
        newsroom(&db).await?;
        assert_eq!(names(&db, Person::visits.between(3, 7)).await?, ["Cyd", "Dee"]);
        assert_eq!(names(&db, Person::visits.between(7, 3)).await?, [""; 0]);
        assert_eq!(names(&db, !Person::visits.between(3, 7)).await?, ["Ada", "Bob"]);
        assert_eq!(names(&db, Person::age.between(17, 36)).await?, ["Ada", "Cyd", "Dee"]);
        let years = Person::joined.between(day(2001, 12, 31), day(2003, 3, 3));
        assert_eq!(names(&db, years).await?, ["Bob", "Cyd"]);
        let around = Person::visits.between(Person::id, Person::id + 3);
        assert_eq!(names(&db, around).await?, ["Cyd", "Dee"]);
        assert_eq!(names(&db, Person::name.between("B", "Cz")).await?, ["Bob", "Cyd"]);
    }

    /// DESIGN 6: arithmetic as Rust reads it, NULL with anything being NULL.
    async fn arithmetic_reads_as_in_rust(db) {
        newsroom(&db).await?;
        assert_eq!(names(&db, (Person::visits + 1).gt(10)).await?, ["Ada"]);
        assert_eq!(names(&db, (Person::visits + Person::id * 2).eq(15)).await?, ["Dee"]);
        assert_eq!(names(&db, ((Person::visits + Person::id) * 2).eq(22)).await?, ["Ada", "Dee"]);
        assert_eq!(names(&db, (Person::visits - (Person::id - 1)).eq(1)).await?, ["Cyd"]);
        assert_eq!(names(&db, (Person::visits - Person::id - 1).eq(8)).await?, ["Ada"]);
        assert_eq!(names(&db, (Person::visits / 3).eq(2)).await?, ["Dee"]);
        assert_eq!(names(&db, (Person::visits / (Person::id / 2 + 1)).eq(10)).await?, ["Ada"]);
        assert_eq!(names(&db, (Person::visits % 5).eq(2)).await?, ["Dee"]);
        assert_eq!(names(&db, (-Person::score).gt(0.0)).await?, ["Bob"]);
        assert_eq!(names(&db, (-(-Person::score)).gt(3.0)).await?, ["Dee"]);
        assert_eq!(names(&db, Person::score.abs().gt(2.0)).await?, ["Bob", "Dee"]);
        assert_eq!(names(&db, (Person::age * 2).eq(34)).await?, ["Cyd"]);
        assert_eq!(names(&db, (Person::age * 2).is_null()).await?, ["Bob"]);
        assert_eq!(names(&db, (Person::visits + -1).lt(0)).await?, ["Bob"]);
        let rows: Vec<(i64, Option<i32>, f64)> = Person::select()
            .filter(Person::name.eq("Cyd"))
            .columns((Person::visits * Person::id, Person::age - 1, Person::score + 0.25))
            .on(&db.engine)
            .all()
            .await?;
        assert_eq!(rows, [(9, Some(16), 0.25)]);
    }

    /// DESIGN 6: columns of two models compare where both are in the query.
    async fn columns_of_two_models_compare(db) {
        let mut session = newsroom(&db).await?;
        let found: Vec<(String, String)> = Person::select()
            .join(Person::articles)
            .filter(Article::editor_id.gt_column(Person::id))
            .columns((Person::name, Article::title))
            .all(&mut session)
            .await?;
        assert_eq!(found, [("Ada".to_owned(), "On Engines".to_owned())]);
        for (condition, expected) in [
            (Person::id.eq_column(Article::author_id), 4),
            (Person::id.ne_column(Article::author_id), 0),
            (Person::id.lt_column(Article::editor_id), 1),
            (Person::id.le_column(Article::author_id), 4),
            (Person::id.ge_column(Article::editor_id + 1), 1),
        ] {
            let query = Person::select().join(Person::articles).filter(condition);
            assert_eq!(query.count(&mut session).await?, expected);
        }
    }
}
