//! Functions of dates and times, against what chrono makes of the same.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Utc};
use orm_core::query::{Expression, Rows, Unit, now};
use orm_core::value::ColumnType;
use orm_core::{Model, Result, schema};
use orm_tests::{Database, backend_tests};

#[derive(Model)]
struct Moment {
    instant: DateTime<Utc>,
    local: Option<NaiveDateTime>,
    date: NaiveDate,
    time: NaiveTime,
}

const TIMES: [&str; 10] = [
    "2024-02-29 23:59:59.999999",
    "2024-01-01 00:00:00.000000",
    "1969-12-31 23:59:59.000001",
    "1970-01-01 00:00:00.000000",
    "2000-03-26 01:30:00.5",
    "2023-12-31 12:34:56.789012",
    "1583-01-01 00:00:00.000000",
    "9998-12-30 06:07:08.090807",
    "2024-07-07 00:00:00.000001",
    "2024-07-08 13:00:00.100000",
];

fn time(at: usize) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(TIMES[at], "%Y-%m-%d %H:%M:%S%.f").expect("a time")
}

async fn moments(db: &Database) -> Result<()> {
    db.create(&schema![Moment]).await?;
    let mut session = db.session();
    for at in 0..TIMES.len() {
        let time = time(at);
        let moment = session
            .add(Moment::draft().instant(time.and_utc()).date(time.date()).time(time.time()));
        session[moment].local = (at % 2 == 0).then_some(time);
    }
    session.commit().await
}

fn by_key<T: ColumnType>(expression: Expression<Moment, T>) -> Rows<T, (Moment, ())> {
    Moment::select().order_by(Moment::id.asc()).columns(expression)
}

async fn check<T: ColumnType + PartialEq + std::fmt::Debug>(
    db: &Database,
    expression: Expression<Moment, T>,
    expected: impl Fn(NaiveDateTime) -> T,
) -> Result<()> {
    let found = by_key(expression).on(&db.engine).all().await?;
    for (at, found) in found.into_iter().enumerate() {
        assert_eq!(found, expected(time(at)), "{}", TIMES[at]);
    }
    Ok(())
}

/// The same of a nullable column: `expected` where it is not NULL.
async fn check_nullable<T: ColumnType<Present = T> + PartialEq + std::fmt::Debug>(
    db: &Database,
    expression: Expression<Moment, Option<T>>,
    expected: impl Fn(NaiveDateTime) -> T,
) -> Result<()> {
    let found = by_key(expression).on(&db.engine).all().await?;
    for (at, found) in found.into_iter().enumerate() {
        assert_eq!(found, (at % 2 == 0).then(|| expected(time(at))), "{}", TIMES[at]);
    }
    Ok(())
}

fn cut(time: NaiveDateTime, unit: Unit) -> NaiveDateTime {
    let date = time.date();
    let midnight = |date: NaiveDate| date.and_time(NaiveTime::MIN);
    match unit {
        Unit::Year => midnight(date.with_ordinal(1).expect("a day")),
        Unit::Month => midnight(date.with_day(1).expect("a day")),
        Unit::Week => {
            midnight(date - TimeDelta::days(date.weekday().num_days_from_monday().into()))
        }
        Unit::Day => midnight(date),
        Unit::Hour => date.and_hms_opt(time.hour(), 0, 0).expect("a time"),
        Unit::Minute => date.and_hms_opt(time.hour(), time.minute(), 0).expect("a time"),
        _ => date.and_hms_opt(time.hour(), time.minute(), time.second()).expect("a time"),
    }
}

backend_tests! {
    /// Issue 5: the parts of instants, times without a zone, dates and times of day.
    async fn parts_of_times(db) {
        moments(&db).await?;
        check(&db, Moment::instant.year(), |time| time.year().into()).await?;
        check(&db, Moment::date.year(), |time| time.year().into()).await?;
        check(&db, Moment::instant.month(), |time| time.month().into()).await?;
        check(&db, Moment::date.month(), |time| time.month().into()).await?;
        check(&db, Moment::instant.day(), |time| time.day().into()).await?;
        check(&db, Moment::date.day(), |time| time.day().into()).await?;
        check(&db, Moment::instant.weekday(), |time| time.weekday().number_from_monday().into()).await?;
        check(&db, Moment::date.weekday(), |time| time.weekday().number_from_monday().into()).await?;
        check(&db, Moment::instant.hour(), |time| time.hour().into()).await?;
        check(&db, Moment::time.hour(), |time| time.hour().into()).await?;
        check(&db, Moment::instant.minute(), |time| time.minute().into()).await?;
        check(&db, Moment::time.minute(), |time| time.minute().into()).await?;
        check(&db, Moment::instant.second(), |time| time.second().into()).await?;
        check(&db, Moment::time.second(), |time| time.second().into()).await?;
        check_nullable(&db, Moment::local.year(), |time| time.year().into()).await?;
        check_nullable(&db, Moment::local.weekday(), |time| time.weekday().number_from_monday().into()).await?;
        check_nullable(&db, Moment::local.second(), |time| time.second().into()).await?;
        let years: Vec<(i64, i64)> = Moment::select()
            .group_by(Moment::instant.year())
            .having(Moment::id.count().gt(1))
            .columns((Moment::instant.year(), Moment::id.count()))
            .on(&db.engine)
            .all()
            .await?;
        assert_eq!(years, [(2024, 4)]);
    }

    /// Issue 5: the date and the time of day of an instant.
    async fn dates_and_times_of_instants(db) {
        moments(&db).await?;
        check(&db, Moment::instant.date(), |time| time.date()).await?;
        check(&db, Moment::instant.time(), |time| time.time()).await?;
        check_nullable(&db, Moment::local.date(), |time| time.date()).await?;
        check_nullable(&db, Moment::local.time(), |time| time.time()).await?;
        let same = Moment::select().filter(Moment::instant.date().eq(Moment::date) & Moment::instant.time().eq(Moment::time));
        assert_eq!(same.on(&db.engine).count().await?, TIMES.len() as u64);
    }

    /// Issue 5: times are cut to units, weeks to Mondays.
    async fn times_are_cut_to_units(db) {
        moments(&db).await?;
        for unit in [Unit::Year, Unit::Month, Unit::Week, Unit::Day, Unit::Hour, Unit::Minute, Unit::Second] {
            check(&db, Moment::instant.truncate_to(unit), |time| cut(time, unit).and_utc()).await?;
            check_nullable(&db, Moment::local.truncate_to(unit), |time| cut(time, unit)).await?;
            check(&db, Moment::date.truncate_to(unit), |time| match unit {
                Unit::Year | Unit::Month | Unit::Week => cut(time, unit).date(),
                _ => time.date(),
            })
            .await?;
        }
        let first = Moment::instant.truncate_to(Unit::Year).eq(time(1).and_utc());
        assert_eq!(Moment::select().filter(first).on(&db.engine).count().await?, 4);
    }

    /// Issue 5: times are shifted to the microsecond, over days, months and centuries.
    async fn times_are_shifted(db) {
        moments(&db).await?;
        for delta in [
            TimeDelta::zero(),
            TimeDelta::microseconds(1),
            TimeDelta::microseconds(-1),
            TimeDelta::nanoseconds(1_999),
            TimeDelta::milliseconds(-1_500),
            TimeDelta::seconds(86_399),
            TimeDelta::days(1) + TimeDelta::microseconds(999_999),
            TimeDelta::days(-366),
            TimeDelta::days(150 * 365) + TimeDelta::microseconds(123_456),
            TimeDelta::days(-400 * 366) - TimeDelta::microseconds(7),
        ] {
            let fits = |time: NaiveDateTime| {
                let shifted = time.checked_add_signed(delta).filter(|time| (1000..9999).contains(&time.year()));
                shifted.is_some()
            };
            let cut = TimeDelta::seconds(delta.num_seconds()) + TimeDelta::microseconds((delta.subsec_nanos() / 1000).into());
            let rows = Moment::select()
                .filter(Moment::id.in_((0..TIMES.len()).filter(|at| fits(time(*at))).map(|at| at as i64 + 1)))
                .order_by(Moment::id.asc())
                .columns((
                    Moment::instant,
                    Moment::instant.shifted_by(delta),
                    Moment::date,
                    Moment::date.shifted_by(delta),
                    Moment::local,
                    Moment::local.shifted_by(delta),
                ));
            for (instant, shifted, date, later, local, local_shifted) in rows.on(&db.engine).all().await? {
                assert_eq!(shifted, instant + cut, "{instant} {delta}");
                assert_eq!(later, date + TimeDelta::days(delta.num_days()), "{date} {delta}");
                assert_eq!(local_shifted, local.map(|local| local + cut));
            }
        }
    }

    /// Issue 5: differences of times, to the microsecond, and of dates.
    async fn differences_of_times(db) {
        moments(&db).await?;
        let start = time(2);
        let since = |time: NaiveDateTime| (time - start).num_microseconds().expect("it fits");
        check(&db, Moment::instant.microseconds_since(start.and_utc()), since).await?;
        check(&db, Moment::instant.seconds_since(start.and_utc()), |time| since(time) as f64 / 1e6).await?;
        check_nullable(&db, Moment::local.microseconds_since(start), since).await?;
        check(&db, Moment::instant.microseconds_since(Moment::instant.shifted_by(TimeDelta::microseconds(5))), |_| -5).await?;
        let days = |time: NaiveDateTime| (time.date() - start.date()).num_days();
        check(&db, Moment::date.days_since(start.date()), days).await?;
        check(&db, Moment::instant.days_since(start.and_utc()), days).await?;
        check_nullable(&db, Moment::local.days_since(start), days).await?;
    }

    /// Issue 5: `now` is the server's time, in UTC.
    async fn now_is_the_time_of_the_server(db) {
        moments(&db).await?;
        let read = Moment::select().limit(1).columns((now::<Moment>(), Moment::created_at));
        let (time, created) = read.on(&db.engine).one().await?;
        assert!((Utc::now() - time).abs() < TimeDelta::minutes(1), "{time}");
        assert!(time >= created, "{time} {created}");
        let fresh = Moment::created_at.gt(now().shifted_by(TimeDelta::minutes(-5)));
        assert_eq!(Moment::select().filter(fresh).on(&db.engine).count().await?, TIMES.len() as u64);
        let past = Moment::instant.lt(now()) & now().year().ge(2024);
        assert_eq!(Moment::select().filter(past).on(&db.engine).count().await?, 9);
    }
}
