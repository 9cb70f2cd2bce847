//! What is in arrays, which are native on PostgreSQL and JSON elsewhere.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use orm_core::query::Condition;
use orm_core::{Model, Result, schema};
use orm_tests::{Database, backend_tests};
use rust_decimal::Decimal;
use uuid::Uuid;

#[derive(Model)]
struct Bag {
    numbers: Vec<i64>,
    words: Option<Vec<String>>,
    flags: Vec<bool>,
    floats: Vec<f64>,
    days: Vec<NaiveDate>,
    #[orm(default)]
    times: Vec<NaiveTime>,
    #[orm(default)]
    locals: Vec<NaiveDateTime>,
    #[orm(default)]
    instants: Vec<DateTime<Utc>>,
    #[orm(default)]
    ids: Vec<Uuid>,
    #[orm(default)]
    prices: Vec<Decimal>,
    #[orm(default)]
    holes: Vec<Option<i32>>,
}

const WORDS: [&str; 6] = ["a", "A", "é😀", "\"quoted\\\"", "", "null"];

fn day(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2024, 2, day).expect("a day")
}

fn moment() -> NaiveDateTime {
    day(29).and_hms_micro_opt(23, 59, 59, 123_456).expect("a time")
}

async fn bags(db: &Database) -> Result<()> {
    db.create(&schema![Bag]).await?;
    let mut session = db.session();
    let bag = || Bag::draft().flags(vec![]).floats(vec![]).days(vec![]);
    session.add(
        bag()
            .numbers(vec![1, 2, 2, -3])
            .words(WORDS.map(str::to_owned).to_vec())
            .flags(vec![true, false])
            .floats(vec![1.0, -2.5])
            .days(vec![day(1), day(29)])
            .times(vec![moment().time()])
            .locals(vec![moment()])
            .instants(vec![moment().and_utc()])
            .ids(vec![Uuid::from_u128(7), Uuid::max()])
            .prices(vec![Decimal::new(125, 2)])
            .holes(vec![Some(1), None]),
    );
    session.add(bag().numbers(vec![]).words(Vec::new()).flags(vec![false]));
    session.add(bag().numbers(vec![2, i64::MAX]).floats(vec![0.5]));
    session.commit().await
}

async fn found(db: &Database, condition: Condition<Bag>) -> Result<Vec<i64>> {
    let query = Bag::select().filter(condition).order_by(Bag::id.asc()).columns(Bag::id);
    query.on(&db.engine).all().await
}

backend_tests! {
    /// Issue 5: an array contains a value, all of several, or one of several.
    async fn arrays_contain_values(db) {
        bags(&db).await?;
        assert_eq!(found(&db, Bag::numbers.contains_value(2)).await?, [1, 3]);
        assert_eq!(found(&db, Bag::numbers.contains_value(i64::MAX)).await?, [3]);
        assert_eq!(found(&db, Bag::numbers.contains_all([2, -3])).await?, [1]);
        assert_eq!(found(&db, Bag::numbers.contains_all([0_i64; 0])).await?, [1, 2, 3]);
        assert_eq!(found(&db, !Bag::numbers.contains_all([2])).await?, [2]);
        assert_eq!(found(&db, Bag::numbers.overlaps([-3, i64::MAX, 99])).await?, [1, 3]);
        assert_eq!(found(&db, Bag::numbers.overlaps([0_i64; 0])).await?, [0; 0]);
        for word in WORDS {
            assert_eq!(found(&db, Bag::words.contains_value(word)).await?, [1], "{word:?}");
            assert_eq!(found(&db, Bag::words.overlaps([word, "none"])).await?, [1], "{word:?}");
        }
        assert_eq!(found(&db, Bag::words.contains_all(WORDS)).await?, [1]);
        // As in SQL, nothing is known of what is NULL.
        assert_eq!(found(&db, !Bag::words.contains_value("none")).await?, [1, 2]);
        assert_eq!(found(&db, !Bag::words.overlaps(["none"])).await?, [1, 2]);
        assert_eq!(found(&db, Bag::flags.contains_value(true)).await?, [1]);
        assert_eq!(found(&db, Bag::flags.contains_value(false)).await?, [1, 2]);
        assert_eq!(found(&db, Bag::floats.contains_all([-2.5, 1.0])).await?, [1]);
        assert_eq!(found(&db, Bag::days.contains_value(day(29))).await?, [1]);
        assert_eq!(found(&db, Bag::instants.overlaps([moment().and_utc()])).await?, [1]);
        assert_eq!(found(&db, Bag::ids.contains_value(Uuid::max())).await?, [1]);
        assert_eq!(found(&db, Bag::prices.contains_value(Decimal::new(125, 2))).await?, [1]);
        assert_eq!(found(&db, Bag::holes.contains_value(1)).await?, [1]);
        assert_eq!(found(&db, Bag::holes.contains_value(2)).await?, [0; 0]);
        assert_eq!(found(&db, !Bag::holes.contains_value(2)).await?, [1, 2, 3]);
    }

    /// Issue 5: how many elements there are, and which; NULL where there is none.
    async fn elements_of_arrays(db) {
        bags(&db).await?;
        let lengths = Bag::select()
            .order_by(Bag::id.asc())
            .columns((Bag::numbers.array_length(), Bag::words.array_length()));
        assert_eq!(lengths.on(&db.engine).all().await?, [(4, Some(6)), (0, Some(0)), (2, None)]);
        assert_eq!(found(&db, Bag::numbers.array_length().gt(1)).await?, [1, 3]);
        assert_eq!(found(&db, Bag::numbers.at(1).eq(2)).await?, [1]);
        let query = || Bag::select().order_by(Bag::id.asc());
        let numbers = query().columns((Bag::numbers.at(0), Bag::numbers.at(1), Bag::numbers.at(u32::MAX / 2)));
        assert_eq!(
            numbers.on(&db.engine).all().await?,
            [(Some(1), Some(2), None), (None, None, None), (Some(2), Some(i64::MAX), None)]
        );
        for (at, word) in WORDS.into_iter().enumerate() {
            let words = query().columns(Bag::words.at(at as u32)).on(&db.engine).all().await?;
            assert_eq!(words, [Some(word.to_owned()), None, None]);
        }
        let first = query().limit(1);
        let others = first.clone().columns((
            Bag::flags.at(0),
            Bag::flags.at(1),
            Bag::floats.at(1),
            Bag::days.at(1),
            Bag::times.at(0),
            Bag::locals.at(0),
            Bag::instants.at(0),
        ));
        assert_eq!(
            others.on(&db.engine).one().await?,
            (
                Some(true),
                Some(false),
                Some(-2.5),
                Some(day(29)),
                Some(moment().time()),
                Some(moment()),
                Some(moment().and_utc()),
            )
        );
        let others = first.columns((Bag::ids.at(1), Bag::prices.at(0), Bag::holes.at(0), Bag::holes.at(1)));
        assert_eq!(
            others.on(&db.engine).one().await?,
            (Some(Uuid::max()), Some(Decimal::new(125, 2)), Some(1), None)
        );
    }
}
