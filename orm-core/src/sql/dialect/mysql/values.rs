//! Which values can be stored, and as what they read back.

use chrono::{Datelike, NaiveDate, NaiveTime, Timelike};

#[cfg(feature = "decimal")]
use crate::model::ColumnDef;
use crate::value::Value;

/// From how many digits behind the point on the zeros at the end of a decimal are the column's,
/// not the value's.
#[cfg(feature = "decimal")]
pub(crate) const MOST_DIGITS_BEHIND_POINT: u32 = 28;

/// Why a value can't be stored, whichever server it is.
pub(crate) fn refusal(value: &Value) -> Option<&'static str> {
    const NOT_FINITE: &str = "MySQL and MariaDB have neither NaN nor infinity";
    match value {
        Value::Float(value) if !value.is_finite() => Some(NOT_FINITE),
        Value::Double(value) if !value.is_finite() => Some(NOT_FINITE),
        Value::Date(date) => refuse_date(*date),
        Value::Time(time) => refuse_time(*time),
        Value::DateTime(time) => refuse_date(time.date()).or(refuse_time(time.time())),
        Value::Timestamp(time) => {
            let time = time.naive_utc();
            refuse_date(time.date()).or(refuse_time(time.time()))
        }
        Value::Array(elements) => elements.iter().find_map(|element| match element {
            Value::Bytes(_) | Value::Json(_) | Value::Array(_) => {
                Some("an array stored as JSON can only hold scalars")
            }
            element => refusal(element),
        }),
        _ => None,
    }
}

fn refuse_date(date: NaiveDate) -> Option<&'static str> {
    (!(0..=9999).contains(&date.year()))
        .then_some("MySQL and MariaDB store dates of the years 0 to 9999")
}

/// chrono counts a leap second as a second of more than a billion nanoseconds.
fn refuse_time(time: NaiveTime) -> Option<&'static str> {
    (time.nanosecond() >= 1_000_000_000).then_some("a leap second can't be stored")
}

/// Whether arrays and objects nest deeper than that.
pub(super) fn is_deeper(document: &serde_json::Value, levels: usize) -> bool {
    let Some(below) = levels.checked_sub(1) else {
        return document.is_array() || document.is_object();
    };
    match document {
        serde_json::Value::Array(items) => items.iter().any(|item| is_deeper(item, below)),
        serde_json::Value::Object(fields) => fields.values().any(|field| is_deeper(field, below)),
        _ => false,
    }
}

/// What reads back from a column of decimals that a value was written to, where that is another.
#[cfg(feature = "decimal")]
pub(super) fn stored(column: &ColumnDef, value: &Value) -> Option<Value> {
    let Value::Decimal(decimal) = value else { return None };
    let stored = match decimal_scale(column) {
        Some(scale) if scale < MOST_DIGITS_BEHIND_POINT => {
            let mut stored = *decimal;
            stored.rescale(scale);
            stored
        }
        _ => decimal.normalize(),
    };
    (stored.serialize() != decimal.serialize()).then_some(Value::Decimal(stored))
}

/// How many digits behind the point a column of decimals keeps; none where it keeps all.
#[cfg(feature = "decimal")]
fn decimal_scale(column: &ColumnDef) -> Option<u32> {
    let Some(spelled) = column.sql_type else {
        return column.facts.scale.or(column.facts.precision.map(|_| 0));
    };
    // The author's own spelling: `NUMERIC(10, 2)`; without digits a DECIMAL has none.
    let digits = spelled.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
    let scale = digits.and_then(|(digits, _)| digits.split_once(','));
    Some(scale.and_then(|(_, scale)| scale.trim().parse().ok()).unwrap_or(0))
}
