//! Values that a column can't hold: refused before any SQL, by an error that names the column
//! and not the value.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use orm_core::{Error, Json, Model, Result, Session, schema};
use orm_tests::{Database, backend_tests};
use rust_decimal::Decimal;
use serde_json::{Value, json};

#[derive(Model)]
#[orm(table = "readings")]
struct Reading {
    #[orm(default = 0.0)]
    exact: f64,
    #[orm(default = 0.0, column = "coarse_value")]
    coarse: f32,
    series: Option<Vec<f64>>,
    measured: Option<Json<Vec<f64>>>,
    document: Option<Value>,
    taken: Option<NaiveDate>,
    seen: Option<DateTime<Utc>>,
    clock: Option<NaiveTime>,
    note: Option<String>,
    #[orm(precision = 6, scale = 2)]
    price: Option<Decimal>,
    #[orm(precision = 3)]
    whole: Option<Decimal>,
    free: Option<Decimal>,
}

async fn readings(db: &Database) -> Result<Session> {
    db.create(&schema![Reading]).await?;
    Ok(db.session())
}

/// Nothing was sent, the error names the column, and the session goes on.
#[track_caller]
fn refused<T: std::fmt::Debug>(outcome: Result<T>, column: &str, reason: &str) {
    let error = outcome.expect_err("a refusal");
    assert!(matches!(&error, Error::Type { .. }), "{error}");
    assert!(error.to_string().starts_with(&format!("`readings.{column}`: ")), "{error}");
    assert!(error.to_string().contains(reason), "{error}");
}

backend_tests! {
    /// DESIGN 4: JSON has no NaN and no infinity, and they don't become null.
    async fn json_has_no_nan(db) {
        let mut session = readings(&db).await?;
        let log = db.log();
        for float in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let reading = session.add(Reading::draft().measured(Json(vec![1.0, float])));
            refused(session.commit().await, "measured", "JSON has neither NaN nor infinity");
            session.expunge(reading);
        }
        assert_eq!(log.all(), [""; 0]);
        session.add(Reading::draft().measured(Json(vec![1.0])));
        session.commit().await?;
    }

    /// DESIGN 4: NaN outside of JSON, where the database has none.
    async fn nan_is_refused_or_kept(db) {
        let mut session = readings(&db).await?;
        let exact = session.add(Reading::draft().exact(f64::NAN));
        if db.capabilities.nan {
            session.commit().await?;
            assert!(Reading::select().on(&db.engine).one().await?.exact.is_nan());
            return Ok(());
        }
        refused(session.commit().await, "exact", "NaN");
        session.expunge(exact);
        let coarse = session.add(Reading::draft().coarse(f32::NAN));
        refused(session.commit().await, "coarse_value", "NaN");
        session.expunge(coarse);
        session.add(Reading::draft().series(vec![f64::NAN]));
        refused(session.commit().await, "series", "NaN");
    }

    /// DESIGN 4: infinity outside of JSON, where the database has none.
    async fn infinity_is_refused_or_kept(db) {
        let mut session = readings(&db).await?;
        for infinity in [f64::INFINITY, f64::NEG_INFINITY] {
            let exact = session.add(Reading::draft().exact(infinity));
            if db.capabilities.infinity {
                session.commit().await?;
                assert_eq!(Reading::select().on(&db.engine).one().await?.exact, infinity);
                session.delete(exact);
                session.commit().await?;
            } else {
                refused(session.commit().await, "exact", "infinity");
                session.expunge(exact);
            }
        }
    }

    /// DESIGN 4: NUL in texts, where the database has none.
    async fn nul_is_refused_or_kept(db) {
        let mut session = readings(&db).await?;
        let note = session.add(Reading::draft().note("a\0b"));
        if db.capabilities.nul_in_text {
            session.commit().await?;
            assert_eq!(Reading::select().on(&db.engine).one().await?.note.as_deref(), Some("a\0b"));
        } else {
            refused(session.commit().await, "note", "NUL");
        }
        session[note].note = None;
        session[note].document = Some(json!({"a": ["\0"]}));
        if db.capabilities.nul_in_text {
            session.commit().await?;
            let read = Reading::select().on(&db.engine).one().await?;
            assert_eq!(read.document, Some(json!({"a": ["\0"]})));
        } else {
            refused(session.commit().await, "document", "NUL");
        }
    }

    /// DESIGN 4: the days that a database can't hold, and the first and the last that it can.
    async fn days_out_of_range(db) {
        let mut session = readings(&db).await?;
        let reading = session.add(Reading::draft());
        session.commit().await?;
        let log = db.log();
        let (first, last) = (db.capabilities.first_day, db.capabilities.last_day);
        for day in [first.pred_opt(), last.succ_opt()].into_iter().flatten() {
            session[reading].taken = Some(day);
            refused(session.flush().await, "taken", "");
            session[reading].taken = None;
            session[reading].seen = Some(day.and_time(NaiveTime::MIN).and_utc());
            refused(session.flush().await, "seen", "");
            // The plan finds it too.
            assert!(matches!(session.plan(), Err(Error::Type { .. })));
            session[reading].seen = None;
        }
        assert_eq!(log.all(), [""; 0]);
        for day in [first, last] {
            session[reading].taken = Some(day);
            session[reading].seen = Some(day.and_time(NaiveTime::MIN).and_utc());
            session.commit().await?;
            assert_eq!(log.emitted(), ["UPDATE readings"]);
            let read = Reading::select().on(&db.engine).one().await?;
            assert_eq!((read.taken, read.seen), (session[reading].taken, session[reading].seen));
            log.emitted();
        }
    }

    /// DESIGN 4: a time of day has no leap second; a moment's becomes the second after it.
    async fn leap_seconds(db) {
        let mut session = readings(&db).await?;
        let leap = NaiveTime::from_hms_micro_opt(23, 59, 59, 1_000_000).expect("a leap second");
        let moment = NaiveDate::from_ymd_opt(2016, 12, 31).expect("a date").and_time(leap).and_utc();
        let reading = session.add(Reading::draft().seen(moment));
        session.commit().await?;
        let new_year = NaiveDate::from_ymd_opt(2017, 1, 1).expect("a date").and_time(NaiveTime::MIN);
        assert_eq!(session[reading].seen, Some(new_year.and_utc()));
        assert_eq!(Reading::select().on(&db.engine).one().await?.seen, Some(new_year.and_utc()));
        session[reading].clock = Some(leap);
        refused(session.flush().await, "clock", "leap second");
    }

    /// SEMANTICS 5.4: a decimal with more digits than its column keeps is refused, never rounded.
    async fn rule_5_4_decimals_are_not_rounded(db) {
        let mut session = readings(&db).await?;
        let log = db.log();
        let price = session.add(Reading::draft().price(Decimal::new(12_345, 3)));
        let error = session.commit().await.expect_err("a refusal");
        assert!(!error.to_string().contains("12.345"), "{error}");
        refused(Err::<(), _>(error), "price", "3 digits behind the point, and the column keeps 2");
        session[price].price = Some(Decimal::new(100_000, 1));
        refused(session.commit().await, "price", "5 digits before the point, and the column keeps 4");
        session[price].price = None;
        session[price].whole = Some(Decimal::new(15, 1));
        refused(session.commit().await, "whole", "the column keeps 0");
        session[price].whole = Some(Decimal::new(1_000, 0));
        refused(session.commit().await, "whole", "4 digits before the point");
        assert_eq!(log.all(), [""; 0]);
        session[price].whole = Some(Decimal::new(-999, 0));
        session[price].price = Some(Decimal::new(-999_999, 2));
        session[price].free = Some(Decimal::new(1, 28));
        session.commit().await?;
        let row = Reading::select().on(&db.engine).one().await?;
        assert_eq!(row.price, Some(Decimal::new(-999_999, 2)));
        assert_eq!((row.whole, row.free), (Some(Decimal::new(-999, 0)), Some(Decimal::new(1, 28))));
    }

    /// DESIGN 4: a document that could be written and not read is refused.
    async fn documents_that_are_too_deep(db) {
        let mut session = readings(&db).await?;
        let deep = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!([inner]));
        let most = db.capabilities.json_depth;
        let reading = session.add(Reading::draft().document(deep(most + 1)));
        refused(session.commit().await, "document", "nested");
        session[reading].document = Some(deep(most));
        session.commit().await?;
        assert_eq!(Reading::select().on(&db.engine).one().await?.document, Some(deep(most)));
    }

    /// DESIGN 4: `set` refuses at the next flush. A value that no field can be made of was not
    /// assigned, so only a rollback goes on from there; any other can still be mended.
    async fn set_refuses_too(db) {
        let mut session = readings(&db).await?;
        let reading = session.add(Reading::draft());
        session.commit().await?;
        session.set(reading, Reading::measured, Json(vec![f64::NAN]));
        refused(session.flush().await, "measured", "JSON has neither NaN nor infinity");
        session.rollback().await?;
        session.set(reading, Reading::price, Decimal::new(1, 3));
        refused(session.flush().await, "price", "digits behind the point");
        session[reading].price = None;
        session.commit().await?;
    }

    /// DESIGN 7: a value in a query is refused as well, by an error without the value.
    async fn queries_refuse_too(db) {
        let mut session = readings(&db).await?;
        if !db.capabilities.nan {
            let error = Reading::select().filter(Reading::exact.eq(f64::NAN)).count(&mut session).await;
            assert!(matches!(error, Err(Error::Type { .. })), "{error:?}");
        }
        let (first, last) = (db.capabilities.first_day, db.capabilities.last_day);
        for day in [first.pred_opt(), last.succ_opt()].into_iter().flatten() {
            let error = Reading::select().filter(Reading::taken.lt(day)).on(&db.engine).all().await;
            assert!(matches!(error, Err(Error::Type { .. })));
        }
        assert_eq!(Reading::select().count(&mut session).await?, 0);
    }
}
