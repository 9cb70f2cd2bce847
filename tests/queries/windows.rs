//! Window functions, against what Rust makes of the same rows.

use orm_core::Error;
use orm_core::query::{all_rows, dense_rank, in_order, ntile, partition_by, rank, row_number};
use orm_tests::backend_tests;

use super::models::{Article, Mood, Person, newsroom};

fn text(text: &str) -> String {
    text.to_owned()
}

backend_tests! {
    /// Issue 5: rows are numbered and ranked within partitions, in an order.
    async fn rows_are_ranked(db) {
        newsroom(&db).await?;
        let by_words = || in_order(Article::words.desc());
        type Row = (String, i64, i64, i64, i64, i64);
        let rows: Vec<Row> = Article::select()
            .order_by(Article::id.asc())
            .columns((
                Article::title,
                row_number().over(in_order((Article::words.desc(), Article::id.asc()))),
                row_number().over(partition_by(Article::author_id).order_by(Article::id.desc())),
                rank().over(by_words()),
                dense_rank().over(by_words()),
                ntile(3).over(in_order(Article::id.asc())),
            ))
            .on(&db.engine)
            .all()
            .await?;
        assert_eq!(rows, [
            (text("On Engines"), 1, 2, 1, 1, 1),
            (text("On Numbers"), 2, 1, 2, 2, 1),
            (text("Engines again"), 3, 1, 2, 2, 2),
            (text("Silence"), 4, 1, 4, 3, 3),
        ]);
    }

    /// Issue 5: the values of other rows, `None` where there is none.
    async fn values_of_other_rows(db) {
        newsroom(&db).await?;
        let by_key = || in_order(Person::id.asc());
        type Row = (Option<String>, Option<i32>, Option<Mood>, Option<i64>, Option<i64>, Option<String>);
        let rows: Vec<Row> = Person::select()
            .order_by(Person::id.asc())
            .columns((
                Person::name.lag(1).over(by_key()),
                Person::age.lead(2).over(by_key()),
                Person::mood.first_value().over(partition_by(Person::active).order_by(Person::id.desc())),
                (Person::visits * 2).last_value().over(by_key().rows(..)),
                Person::visits.last_value().over(by_key()),
                Person::name.nth_value(1).over(by_key()),
            ))
            .on(&db.engine)
            .all()
            .await?;
        let happy = Some(Mood::VeryHappy);
        let calm = Some(Mood::Calm);
        assert_eq!(rows, [
            (None, Some(17), happy, Some(14), Some(10), None),
            (Some(text("Ada")), Some(36), calm, Some(14), Some(0), Some(text("Bob"))),
            (Some(text("Bob")), None, happy, Some(14), Some(3), Some(text("Bob"))),
            (Some(text("Cyd")), None, calm, Some(14), Some(7), Some(text("Bob"))),
        ]);
    }

    /// Issue 5: aggregates over windows keep the rows, and mix with their columns.
    async fn aggregates_over_windows(db) {
        newsroom(&db).await?;
        let moods = || partition_by(Person::mood);
        type Row = (Option<i64>, Option<f64>, i64, Option<i32>, i64, Option<i64>, Option<i64>);
        let rows: Vec<Row> = Person::select()
            .order_by(Person::id.asc())
            .columns((
                Person::visits.sum().over(all_rows()),
                Person::visits.avg().over(moods()),
                Person::age.count().over(moods()),
                Person::age.max().over(moods()),
                (Person::id.count() * 10).over(moods()),
                Person::visits - Person::visits.sum().over(moods()),
                Person::visits.sum().filter(Person::active.eq(true)).over(in_order(Person::id.asc())) + Person::visits,
            ))
            .on(&db.engine)
            .all()
            .await?;
        assert_eq!(rows, [
            (Some(20), Some(6.5), 2, Some(36), 20, Some(-3), Some(20)),
            (Some(20), Some(3.5), 1, Some(36), 20, Some(-7), Some(10)),
            (Some(20), Some(6.5), 2, Some(36), 20, Some(-10), Some(16)),
            (Some(20), Some(3.5), 1, Some(36), 20, Some(0), Some(20)),
        ]);
    }

    /// Issue 5: frames are ranges of rows around the current one.
    async fn frames_are_ranges_of_rows(db) {
        newsroom(&db).await?;
        let visits = [10, 0, 3, 7];
        let by_key = || in_order(Person::id.asc());
        let sum = |rows| Person::visits.sum().over(by_key().rows(rows));
        for (start, end) in [(-1, 1), (0, 0), (-2, 0), (1, 2), (-3, -1), (-100, 100)] {
            let found: Vec<Option<i64>> = Person::select()
                .order_by(Person::id.asc())
                .columns(sum(start..=end))
                .on(&db.engine)
                .all()
                .await?;
            let expected: Vec<Option<i64>> = (0..4_i64)
                .map(|at| {
                    let seen = (at + start).max(0)..=(at + end).min(3);
                    (!seen.is_empty()).then(|| seen.map(|row| visits[row as usize]).sum())
                })
                .collect();
            assert_eq!(found, expected, "{start}..={end}");
        }
        type Row = (Option<i64>, Option<i64>, Option<i64>);
        let rows: Vec<Row> = Person::select()
            .order_by(Person::id.asc())
            .columns((
                Person::visits.sum().over(by_key().rows(..0)),
                Person::visits.sum().over(by_key().rows(0..)),
                Person::visits.sum().over(by_key().rows(..)),
            ))
            .on(&db.engine)
            .all()
            .await?;
        assert_eq!(rows, [
            (None, Some(20), Some(20)),
            (Some(10), Some(10), Some(20)),
            (Some(10), Some(10), Some(20)),
            (Some(13), Some(7), Some(20)),
        ]);
    }

    /// Issue 5: windows over joined models, in orders, and over groups.
    async fn windows_across_models(db) {
        newsroom(&db).await?;
        let rank = rank().over(partition_by(Person::mood).order_by(Article::words.desc()));
        let rows: Vec<(String, String, i64, i64)> = Person::select()
            .join(Person::articles)
            .order_by((rank.clone().asc(), Article::id.asc()))
            .columns((Person::name, Article::title, rank, Article::words.count().over(partition_by(Person::id))))
            .on(&db.engine)
            .all()
            .await?;
        let rows: Vec<(&str, &str, i64, i64)> =
            rows.iter().map(|row| (&*row.0, &*row.1, row.2, row.3)).collect();
        assert_eq!(rows, [
            ("Ada", "On Engines", 1, 2),
            ("Bob", "Engines again", 1, 1),
            ("Ada", "On Numbers", 2, 2),
            ("Cyd", "Silence", 3, 1),
        ]);
        let groups: Vec<(Mood, i64)> = Person::select()
            .group_by(Person::mood)
            .order_by(Person::mood.asc())
            .columns((Person::mood, row_number().over(in_order(Person::visits.sum().desc()))))
            .on(&db.engine)
            .all()
            .await?;
        assert_eq!(groups, [(Mood::Calm, 2), (Mood::VeryHappy, 1)]);
        let lonely: Vec<(String, Option<String>)> = Person::select()
            .left_join(Person::articles)
            .filter(Person::name.eq("Dee"))
            .columns((Person::name, Article::title.first_value().over(all_rows())))
            .on(&db.engine)
            .all()
            .await?;
        assert_eq!(lonely, [(text("Dee"), None)]);
    }

    /// Issue 5: what no database can do over a window is an error in words, before any SQL.
    async fn some_aggregates_have_no_windows(db) {
        newsroom(&db).await?;
        let log = db.log();
        let distinct = Person::mood.count_distinct().over(all_rows());
        let joined = Person::name.string_agg(",").over(all_rows());
        for error in [
            Person::select().columns(distinct).on(&db.engine).all().await.unwrap_err(),
            Person::select().columns(joined).on(&db.engine).all().await.unwrap_err(),
        ] {
            assert!(matches!(&error, Error::Misuse(sentence) if sentence.contains("no window")), "{error}");
        }
        assert!(log.all().is_empty());
    }
}
