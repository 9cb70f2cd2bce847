//! Binding values: every value in the one form that SQLite stores it in.

use sqlx::Arguments;
use sqlx::sqlite::SqliteArguments;

use crate::driver::{arrays, times};
use crate::error::{Error, Result};
use crate::sql::dialect::sqlite::SQLITE;
use crate::sql::{Bind, Dialect};
use crate::value::{Value, ValueError};

/// The binds of a statement; texts and bytes move into them.
pub(super) fn encode(binds: Vec<Bind>) -> Result<SqliteArguments> {
    let mut arguments = SqliteArguments::default();
    arguments.reserve(binds.len(), 0);
    for (at, bind) in binds.into_iter().enumerate() {
        let added = add(&mut arguments, bind.value);
        added.map_err(|error| Error::Type {
            place: format!("bind {} of the statement", at + 1),
            error,
        })?;
    }
    Ok(arguments)
}

fn add(arguments: &mut SqliteArguments, value: Value) -> Result<(), ValueError> {
    if let Some(reason) = SQLITE.refusal(&value) {
        return Err(ValueError::new(reason));
    }
    let added = match value {
        Value::Null => arguments.add(None::<i64>),
        Value::Bool(value) => arguments.add(i64::from(value)),
        Value::Int(value) => arguments.add(value),
        Value::Float(value) => arguments.add(f64::from(value)),
        Value::Double(value) => arguments.add(value),
        Value::Text(text) => arguments.add(text),
        Value::Label(label) => arguments.add(label),
        Value::Bytes(bytes) => arguments.add(bytes),
        Value::Date(date) => arguments.add(times::date_to_text(date)),
        Value::Time(time) => arguments.add(times::time_to_text(time)),
        Value::DateTime(time) => arguments.add(times::date_time_to_text(time)),
        Value::Timestamp(time) => arguments.add(times::date_time_to_text(time.naive_utc())),
        Value::Json(document) => arguments.add(document.to_string()),
        Value::Array(elements) => arguments.add(arrays::to_document(elements)?.to_string()),
        #[cfg(feature = "uuid")]
        Value::Uuid(uuid) => arguments.add(uuid.into_bytes().to_vec()),
        #[cfg(feature = "decimal")]
        Value::Decimal(decimal) => arguments.add(decimal.to_string()),
        Value::Refused(reason) => return Err(ValueError::new(reason)),
    };
    // None of these can fail; sqlx's message is left out, which could quote the value.
    added.map_err(|_| ValueError::new("the value can't be bound"))
}
