//! Days and microseconds, counted from the first moment of the year 2000.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

use crate::value::ValueError;

/// Where PostgreSQL's clock starts.
const EPOCH: NaiveDateTime = match NaiveDate::from_ymd_opt(2000, 1, 1) {
    Some(day) => day.and_time(NaiveTime::MIN),
    None => NaiveDateTime::MIN,
};

const MICROSECONDS_OF_A_DAY: i64 = 86_400_000_000;

fn infinite() -> ValueError {
    ValueError::new("infinity is no date")
}

fn too_far() -> ValueError {
    ValueError::new("the date is outside of what chrono holds")
}

pub(super) fn date_to_days(date: NaiveDate) -> Result<i32, ValueError> {
    i32::try_from((date - EPOCH.date()).num_days()).map_err(|_| too_far())
}

pub(super) fn date(days: i32) -> Result<NaiveDate, ValueError> {
    if days == i32::MAX || days == i32::MIN {
        return Err(infinite());
    }
    let since = TimeDelta::try_days(days.into()).ok_or_else(too_far)?;
    EPOCH.date().checked_add_signed(since).ok_or_else(too_far)
}

pub(super) fn time_to_microseconds(time: NaiveTime) -> Result<i64, ValueError> {
    let since = (time - NaiveTime::MIN).num_microseconds();
    since.ok_or_else(|| ValueError::new("the time of day is too long"))
}

pub(super) fn time(microseconds: i64) -> Result<NaiveTime, ValueError> {
    if microseconds == MICROSECONDS_OF_A_DAY {
        return Err(ValueError::new("the time of day is 24:00, which chrono doesn't have"));
    }
    let (time, days) = NaiveTime::MIN.overflowing_add_signed(TimeDelta::microseconds(microseconds));
    if days == 0 { Ok(time) } else { Err(ValueError::new("the value is not a time of day")) }
}

pub(super) fn date_time_to_microseconds(time: NaiveDateTime) -> Result<i64, ValueError> {
    (time - EPOCH).num_microseconds().ok_or_else(too_far)
}

pub(super) fn date_time(microseconds: i64) -> Result<NaiveDateTime, ValueError> {
    if microseconds == i64::MAX || microseconds == i64::MIN {
        return Err(infinite());
    }
    EPOCH.checked_add_signed(TimeDelta::microseconds(microseconds)).ok_or_else(too_far)
}
