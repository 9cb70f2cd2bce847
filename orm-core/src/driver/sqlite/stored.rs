//! Every value in the one form that SQLite stores it in, on its way to the database.

use rusqlite::types::{ToSqlOutput, Value as Owned, ValueRef};

use crate::driver::{arrays, times};
use crate::error::{Error, Result};
use crate::sql::dialect::sqlite::SQLITE;
use crate::sql::{Bind, Dialect};
use crate::value::{NOT_LOADED, Value, ValueError};

/// The value of a bind, at this position of the statement, as it is stored. Texts and bytes are
/// borrowed.
///
/// # Errors
/// [`Error::Type`] for a value that SQLite has no form for.
pub(super) fn stored(at: usize, bind: &Bind) -> Result<ToSqlOutput<'_>> {
    of_value(&bind.value)
        .map_err(|error| Error::Type { place: format!("bind {} of the statement", at + 1), error })
}

fn of_value(value: &Value) -> Result<ToSqlOutput<'_>, ValueError> {
    if let Some(reason) = SQLITE.refusal(value) {
        return Err(ValueError::new(reason));
    }
    let borrowed = match value {
        Value::Null => ValueRef::Null,
        Value::Bool(value) => ValueRef::Integer(i64::from(*value)),
        Value::Int(value) => ValueRef::Integer(*value),
        Value::Float(value) => ValueRef::Real(f64::from(*value)),
        Value::Double(value) => ValueRef::Real(*value),
        Value::Text(text) => ValueRef::Text(text.as_bytes()),
        Value::Label(label) => ValueRef::Text(label.as_bytes()),
        Value::Bytes(bytes) => ValueRef::Blob(bytes),
        #[cfg(feature = "uuid")]
        Value::Uuid(uuid) => ValueRef::Blob(uuid.as_bytes()),
        Value::Refused(reason) => return Err(ValueError::new(reason.clone())),
        Value::NotLoaded => return Err(ValueError::new(NOT_LOADED)),
        Value::Date(date) => return Ok(text(times::date_to_text(*date))),
        Value::Time(time) => return Ok(text(times::time_to_text(*time))),
        Value::DateTime(time) => return Ok(text(times::date_time_to_text(*time))),
        Value::Timestamp(time) => return Ok(text(times::date_time_to_text(time.naive_utc()))),
        Value::Json(document) => return Ok(text(document.to_string())),
        Value::Array(elements) => {
            return Ok(text(arrays::to_document(elements.clone())?.to_string()));
        }
        #[cfg(feature = "decimal")]
        Value::Decimal(decimal) => return Ok(text(decimal.to_string())),
    };
    Ok(ToSqlOutput::Borrowed(borrowed))
}

fn text(text: String) -> ToSqlOutput<'static> {
    ToSqlOutput::Owned(Owned::Text(text))
}
