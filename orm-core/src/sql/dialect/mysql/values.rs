//! Which values can be stored, and as what they read back.

use chrono::{Datelike, NaiveDate};

#[cfg(feature = "decimal")]
use crate::model::ColumnDef;
use crate::sql::dialect::refuse_times;
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
        Value::Array(elements) => elements.iter().find_map(|element| match element {
            Value::Bytes(_) | Value::Json(_) | Value::Array(_) => {
                Some("an array stored as JSON can only hold scalars")
            }
            element => refusal(element),
        }),
        value => refuse_times(value, refuse_date),
    }
}

fn refuse_date(date: NaiveDate) -> Option<&'static str> {
    (!(0..=9999).contains(&date.year()))
        .then_some("MySQL and MariaDB store dates of the years 0 to 9999")
}

/// What reads back from a column of decimals that a value was written to, where that is another.
#[cfg(feature = "decimal")]
pub(super) fn stored(column: &ColumnDef, value: &Value) -> Option<Value> {
    let Value::Decimal(decimal) = value else { return None };
    // A spelled DECIMAL without digits has none behind the point.
    let scale = match column.decimal_digits() {
        (None, None) if column.sql_type.is_some() => Some(0),
        (_, scale) => scale,
    };
    let stored = match scale {
        Some(scale) if scale < MOST_DIGITS_BEHIND_POINT => {
            let mut stored = *decimal;
            stored.rescale(scale);
            stored
        }
        _ => decimal.normalize(),
    };
    (stored.serialize() != decimal.serialize()).then_some(Value::Decimal(stored))
}
