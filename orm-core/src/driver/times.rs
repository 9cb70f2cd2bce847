//! Times as text of a fixed width, which sorts as the times do.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike, Utc};

use crate::value::ValueError;

/// `2024-02-29`, of a year that the dialect doesn't refuse.
pub(super) fn date_to_text(date: NaiveDate) -> String {
    format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
}

/// `23:59:59.999999`.
pub(super) fn time_to_text(time: NaiveTime) -> String {
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    format!("{hour:02}:{minute:02}:{second:02}.{:06}", time.nanosecond() / 1_000)
}

/// `2024-02-29 23:59:59.999999`.
pub(super) fn date_time_to_text(time: NaiveDateTime) -> String {
    let mut text = date_to_text(time.date());
    text.push(' ');
    text.push_str(&time_to_text(time.time()));
    text
}

/// Reads a date.
pub(super) fn date(text: &str) -> Result<NaiveDate, ValueError> {
    parse_date(text.as_bytes()).ok_or_else(|| unreadable("a date"))
}

/// Reads a time of day; the fraction may be missing.
pub(super) fn time(text: &str) -> Result<NaiveTime, ValueError> {
    parse_time(text.as_bytes()).ok_or_else(|| unreadable("a time of day"))
}

/// Reads a date and time.
pub(super) fn date_time(text: &str) -> Result<NaiveDateTime, ValueError> {
    parse_date_time(text.as_bytes()).ok_or_else(|| unreadable("a date and time"))
}

/// Reads an instant. Other programs may have written it with a zone.
pub(super) fn timestamp(text: &str) -> Result<DateTime<Utc>, ValueError> {
    let in_utc = parse_date_time(text.as_bytes()).map(|time| time.and_utc());
    in_utc
        .or_else(|| DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc()))
        .ok_or_else(|| unreadable("an instant"))
}

fn unreadable(what: &str) -> ValueError {
    ValueError::new(format!("the text is not {what}"))
}

fn parse_date_time(text: &[u8]) -> Option<NaiveDateTime> {
    let (date, rest) = text.split_at_checked(10)?;
    match rest.split_first() {
        Some((b' ' | b'T', time)) => Some(parse_date(date)?.and_time(parse_time(time)?)),
        Some(_) => None,
        // SQLite's date() gives no time.
        None => Some(parse_date(date)?.and_time(NaiveTime::MIN)),
    }
}

fn parse_date(text: &[u8]) -> Option<NaiveDate> {
    if text.len() != 10 || text[4] != b'-' || text[7] != b'-' {
        return None;
    }
    let year = i32::try_from(number(&text[..4])?).ok()?;
    NaiveDate::from_ymd_opt(year, number(&text[5..7])?, number(&text[8..])?)
}

fn parse_time(text: &[u8]) -> Option<NaiveTime> {
    let (whole, fraction) = match text.split_at_checked(8)? {
        (whole, []) => (whole, 0),
        (whole, [b'.', digits @ ..]) if (1..=9).contains(&digits.len()) => {
            let missing = 9 - u32::try_from(digits.len()).ok()?;
            (whole, number(digits)? * 10_u32.pow(missing))
        }
        _ => return None,
    };
    if whole[2] != b':' || whole[5] != b':' {
        return None;
    }
    let (hour, minute, second) =
        (number(&whole[..2])?, number(&whole[3..5])?, number(&whole[6..])?);
    NaiveTime::from_hms_nano_opt(hour, minute, second, fraction)
}

/// Up to nine decimal digits.
fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0_u32, |number, digit| {
        digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_as_wide_as_each_other_and_read_back() {
        let day = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap();
        for date_given in [day(0, 1, 1), day(1969, 12, 31), day(2024, 2, 29), day(9999, 12, 31)] {
            for micro in [0, 1, 999_999] {
                let given = date_given.and_hms_micro_opt(23, 59, 59, micro).unwrap();
                let text = date_time_to_text(given);
                assert_eq!(text.len(), 26);
                assert_eq!(date_time(&text).unwrap(), given);
                assert_eq!(timestamp(&text).unwrap(), given.and_utc());
            }
        }
    }

    #[test]
    fn other_spellings_are_read_and_nonsense_is_not() {
        let noon = NaiveDate::from_ymd_opt(2024, 1, 2).unwrap().and_hms_opt(12, 0, 0).unwrap();
        for text in ["2024-01-02 12:00:00", "2024-01-02T12:00:00.000", "2024-01-02T13:00:00+01:00"]
        {
            assert_eq!(timestamp(text).unwrap(), noon.and_utc(), "{text}");
        }
        for text in ["", "2024-01-02 ", "2024-13-02 12:00:00", "2024-01-02 1é:00:00", "noon"] {
            assert!(timestamp(text).is_err(), "{text}");
        }
    }
}
