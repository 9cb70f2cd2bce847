//! `case()` and conditions as values.

use orm_core::query::{Condition, case};
use orm_tests::backend_tests;

use super::models::{Article, Mood, Person, newsroom};

backend_tests! {
    /// Issue 5: the first branch whose condition holds gives the value.
    async fn the_first_branch_counts(db) {
        newsroom(&db).await?;
        let group = case()
            .when(Person::age.is_null(), "unknown")
            .when(Person::age.lt(18), "minor")
            .when(Person::age.lt(100), "adult".to_owned())
            .otherwise("old");
        let groups: Vec<(String, String)> = Person::select()
            .order_by((group.clone().asc(), Person::id.asc()))
            .columns((Person::name, group.clone()))
            .on(&db.engine)
            .all()
            .await?;
        let names: Vec<(&str, &str)> = groups.iter().map(|(name, group)| (&**name, &**group)).collect();
        assert_eq!(names, [("Ada", "adult"), ("Dee", "adult"), ("Cyd", "minor"), ("Bob", "unknown")]);
        let adults = Person::select().filter(group.clone().eq("adult"));
        assert_eq!(adults.on(&db.engine).count().await?, 2);
        let counts: Vec<(String, i64)> = Person::select()
            .group_by(group.clone())
            .order_by(group.clone().asc())
            .columns((group, Person::id.count()))
            .on(&db.engine)
            .all()
            .await?;
        assert_eq!(counts.iter().map(|(_, count)| *count).collect::<Vec<_>>(), [2, 1, 1]);
    }

    /// Issue 5: without `otherwise` there may be none; columns and enums are values too.
    async fn branches_give_columns_and_enums(db) {
        newsroom(&db).await?;
        type Row = (Option<i64>, Option<i32>, Mood, Mood, Option<Mood>);
        let rows: Vec<Row> = Person::select()
            .order_by(Person::id.asc())
            .columns((
                case().when(Person::active.eq(true), Person::visits * 2).or_null(),
                case().when(Person::name.eq("Bob"), Person::age).otherwise(1),
                case().when(Person::name.eq("Bob"), Mood::VeryHappy).otherwise(Mood::Calm),
                case().when(Person::name.eq("Bob"), Mood::Calm).otherwise(Person::mood),
                Person::mood.nullif(Mood::Calm),
            ))
            .on(&db.engine)
            .all()
            .await?;
        assert_eq!(rows, [
            (Some(20), Some(1), Mood::Calm, Mood::VeryHappy, Some(Mood::VeryHappy)),
            (None, None, Mood::VeryHappy, Mood::Calm, None),
            (Some(6), Some(1), Mood::Calm, Mood::VeryHappy, Some(Mood::VeryHappy)),
            (None, Some(1), Mood::Calm, Mood::Calm, None),
        ]);
        let happy = case().when(Person::active.eq(true), Mood::VeryHappy).otherwise(Person::mood);
        let found = Person::select().filter(happy.eq(Mood::VeryHappy)).on(&db.engine).count().await?;
        assert_eq!(found, 2);
    }

    /// Issue 5: a choice inside of an aggregate, and of aggregates.
    async fn choices_and_aggregates(db) {
        newsroom(&db).await?;
        let long = case().when(Article::words.gt(500), 1_i64).otherwise(0);
        assert_eq!(Article::select().columns(long.sum()).on(&db.engine).one().await?, Some(1));
        let many = case().when(Article::id.count().gt(1), "many").otherwise("one");
        let rows: Vec<(i64, String)> = Article::select()
            .group_by(Article::author_id)
            .order_by(Article::author_id.asc())
            .columns((Article::author_id, many))
            .on(&db.engine)
            .all()
            .await?;
        let labels: Vec<&str> = rows.iter().map(|(_, label)| &**label).collect();
        assert_eq!(labels, ["many", "one", "one"]);
    }

    /// Issue 5: aggregates of some rows only.
    async fn aggregates_are_filtered(db) {
        newsroom(&db).await?;
        let active = || Person::active.eq(true);
        type Row = (i64, i64, i64, Option<i64>, Option<f64>, Option<String>, Option<i64>, i64);
        let row: Row = Person::select()
            .columns((
                Person::id.count().filter(active()),
                Person::age.count().filter(!active()),
                Person::mood.count_distinct().filter(active()),
                Person::visits.sum().filter(active()),
                Person::visits.avg().filter(active()),
                Person::name.max().filter(active()),
                Person::visits.sum().filter(Condition::none()),
                (Person::visits.sum().coalesce(0) + Person::id.count()).filter(active()).filter(Person::name.eq("Ada")),
            ))
            .on(&db.engine)
            .one()
            .await?;
        assert_eq!(row, (2, 1, 1, Some(13), Some(6.5), Some("Cyd".to_owned()), None, 11));
        let groups: Vec<(Mood, i64)> = Person::select()
            .group_by(Person::mood)
            .order_by(Person::mood.asc())
            .having(Person::id.count().filter(Person::visits.gt(0)).ge(1))
            .columns((Person::mood, Person::id.count().filter(Person::visits.gt(5))))
            .on(&db.engine)
            .all()
            .await?;
        assert_eq!(groups, [(Mood::Calm, 1), (Mood::VeryHappy, 1)]);
    }

    /// Issue 5: whether a condition holds is a value, NULL where that is open.
    async fn conditions_are_values(db) {
        newsroom(&db).await?;
        let adult = || Person::age.ge(18).as_expression();
        let rows: Vec<(Option<bool>, Option<bool>)> = Person::select()
            .order_by(Person::id.asc())
            .columns((adult(), (Person::active.eq(true) | Person::articles.any(Article::words.gt(100))).as_expression()))
            .on(&db.engine)
            .all()
            .await?;
        assert_eq!(rows.iter().map(|row| row.0).collect::<Vec<_>>(), [Some(true), None, Some(false), Some(true)]);
        assert_eq!(rows.iter().map(|row| row.1).collect::<Vec<_>>(), [Some(true), Some(true), Some(true), Some(false)]);
        let counts: Vec<(Option<bool>, i64)> = Person::select()
            .group_by(adult())
            .order_by(adult().asc().nulls_first())
            .columns((adult(), Person::id.count()))
            .on(&db.engine)
            .all()
            .await?;
        assert_eq!(counts, [(None, 1), (Some(false), 1), (Some(true), 2)]);
        let unknown = Person::select().filter(adult().is_null()).on(&db.engine).count().await?;
        assert_eq!(unknown, 1);
    }
}
