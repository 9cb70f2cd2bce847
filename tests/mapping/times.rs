//! Dates and times, in microseconds.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use orm_core::{Model, schema};
use orm_tests::backend_tests;

use super::round_trip::round_trips;

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).expect("a day of the calendar")
}

fn at(date: NaiveDate, micro: u32) -> NaiveDateTime {
    date.and_hms_micro_opt(23, 59, 59, micro).expect("a time of day")
}

fn days() -> Vec<NaiveDate> {
    vec![
        day(0, 1, 1),
        day(1, 1, 1),
        day(999, 12, 31),
        day(1582, 10, 10),
        day(1969, 12, 31),
        day(1970, 1, 1),
        day(2024, 2, 29),
        day(9999, 12, 31),
    ]
}

fn moments() -> Vec<NaiveDateTime> {
    let days = days();
    let mut moments: Vec<_> = days.iter().map(|day| day.and_time(NaiveTime::MIN)).collect();
    moments.extend(days.iter().flat_map(|day| [at(*day, 0), at(*day, 1), at(*day, 999_999)]));
    moments
}

round_trips! {
    /// DESIGN 4: the years 0 to 9999.
    dates: NaiveDate = days();
    /// DESIGN 4
    times_of_day: NaiveTime = vec![
        NaiveTime::MIN,
        NaiveTime::from_hms_micro_opt(0, 0, 0, 1).expect("a time"),
        NaiveTime::from_hms_opt(12, 30, 0).expect("a time"),
        NaiveTime::from_hms_micro_opt(23, 59, 59, 999_999).expect("a time"),
    ];
    /// DESIGN 4
    dates_and_times: NaiveDateTime = moments();
    /// DESIGN 4
    instants: DateTime<Utc> = moments().into_iter().map(|moment| moment.and_utc()).collect();
}

#[derive(Model)]
struct Event {
    happened: DateTime<Utc>,
    local: NaiveDateTime,
    clock: NaiveTime,
    all: Option<Vec<DateTime<Utc>>>,
}

backend_tests! {
    /// SEMANTICS 5.4: times are cut to microseconds as they enter, so that memory equals the row.
    async fn rule_5_4_times_are_cut_as_they_enter(db) {
        db.create(&schema![Event]).await?;
        let fine = day(2024, 2, 29).and_hms_nano_opt(1, 2, 3, 123_456_789).expect("a moment");
        let cut = day(2024, 2, 29).and_hms_micro_opt(1, 2, 3, 123_456).expect("a moment");
        let mut session = db.session();
        let event = session.add(
            Event::draft()
                .happened(fine.and_utc())
                .local(fine)
                .clock(fine.time())
                .all(vec![fine.and_utc()]),
        );
        session.commit().await?;
        assert_eq!(session[event].happened, cut.and_utc());
        assert_eq!((session[event].local, session[event].clock), (cut, cut.time()));
        assert_eq!(session[event].all, Some(vec![cut.and_utc()]));
        let row = Event::select().on(&db.engine).one().await?;
        assert_eq!((row.happened, row.local, row.clock), (cut.and_utc(), cut, cut.time()));
        assert_eq!(row.all, Some(vec![cut.and_utc()]));

        // What differs below a microsecond doesn't differ.
        let log = db.log();
        session[event].happened = fine.and_utc();
        session[event].clock = fine.time();
        session.commit().await?;
        assert_eq!(log.emitted(), [""; 0]);
    }

    /// DESIGN 4: times sort as times, before and behind the epoch.
    async fn times_sort(db) {
        db.create(&schema![Event]).await?;
        let mut session = db.session();
        let mut moments = moments();
        for moment in &moments {
            let (local, clock) = (*moment, moment.time());
            session.add(Event::draft().happened(moment.and_utc()).local(local).clock(clock));
        }
        session.commit().await?;
        moments.sort();
        let sorted: Vec<NaiveDateTime> =
            Event::select().order_by(Event::local.asc()).columns(Event::local).all(&mut session).await?;
        assert_eq!(sorted, moments);
        let sorted: Vec<DateTime<Utc>> = Event::select()
            .order_by(Event::happened.asc())
            .columns(Event::happened)
            .all(&mut session)
            .await?;
        assert!(sorted.iter().map(DateTime::naive_utc).eq(moments.iter().copied()));
        let epoch = DateTime::UNIX_EPOCH;
        let before = moments.iter().filter(|moment| moment.and_utc() < epoch).count();
        let query = Event::select().filter(Event::happened.lt(epoch));
        assert_eq!(query.count(&mut session).await?, before as u64);
    }

    /// SEMANTICS 5.4: the server's times are read back, and are now.
    async fn rule_5_4_the_servers_times_are_read_back(db) {
        db.create(&schema![Event]).await?;
        let mut session = db.session();
        // Some servers have clocks of milliseconds.
        let before = Utc::now() - chrono::TimeDelta::milliseconds(2);
        let moment = day(2024, 1, 1).and_time(NaiveTime::MIN);
        let event = session.add(
            Event::draft().happened(moment.and_utc()).local(moment).clock(NaiveTime::MIN),
        );
        session.commit().await?;
        let created = session[event].created_at();
        assert!(before <= created && created <= Utc::now() + chrono::TimeDelta::milliseconds(2));
        assert_eq!(created, session[event].updated_at());
        let row = Event::select().on(&db.engine).one().await?;
        assert_eq!(row.created_at(), created);
    }
}
