//! Binding values: every value with the type that it has on the server.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use sqlx::Arguments;
use sqlx::error::BoxDynError;
use sqlx::mysql::MySqlArguments;

use crate::driver::arrays;
use crate::error::{Error, Result};
use crate::sql::Bind;
use crate::sql::dialect::mysql::refusal;
use crate::value::{NOT_LOADED, SqlType, Value, ValueError};

/// The binds of a statement.
pub(super) fn encode(binds: Vec<Bind>) -> Result<MySqlArguments> {
    let mut arguments = MySqlArguments::default();
    // A few bytes more than the value itself say how long it is.
    let bytes = binds.iter().map(|bind| bind.value.size() + 9).sum();
    arguments.reserve(binds.len(), bytes);
    for (at, bind) in binds.into_iter().enumerate() {
        let added = add(&mut arguments, bind.value, bind.sql_type);
        added.map_err(|error| Error::Type {
            place: format!("bind {} of the statement", at + 1),
            error,
        })?;
    }
    Ok(arguments)
}

fn add(arguments: &mut MySqlArguments, value: Value, sql_type: SqlType) -> Result<(), ValueError> {
    if let Some(reason) = refusal(&value) {
        return Err(ValueError::new(reason));
    }
    let added = match value {
        Value::Null => add_null(arguments, sql_type),
        Value::Bool(value) => arguments.add(i8::from(value)),
        Value::Int(value) => arguments.add(value),
        Value::Float(value) => arguments.add(value),
        Value::Double(value) => arguments.add(value),
        Value::Text(text) => arguments.add(text.as_str()),
        Value::Label(label) => arguments.add(label),
        Value::Bytes(bytes) => arguments.add(bytes.as_slice()),
        Value::Date(date) => arguments.add(date),
        Value::Time(time) => arguments.add(time),
        Value::DateTime(time) => arguments.add(time),
        // As a DATETIME: a TIMESTAMP ends in 2038, and the server would move it by the zone.
        Value::Timestamp(time) => arguments.add(time.naive_utc()),
        Value::Json(document) => arguments.add(document.to_string()),
        Value::Array(elements) => arguments.add(arrays::to_document(elements)?.to_string()),
        #[cfg(feature = "uuid")]
        Value::Uuid(uuid) => arguments.add(uuid),
        #[cfg(feature = "decimal")]
        Value::Decimal(decimal) => arguments.add(decimal),
        Value::Refused(reason) => return Err(ValueError::new(reason)),
        Value::NotLoaded => return Err(ValueError::new(NOT_LOADED)),
    };
    // None of these can fail; sqlx's message is left out, which could quote the value.
    added.map_err(|_| ValueError::new("the value can't be bound"))
}

/// A NULL has a type too, to which the server adjusts those of other rows.
fn add_null(arguments: &mut MySqlArguments, sql_type: SqlType) -> Result<(), BoxDynError> {
    match sql_type {
        SqlType::Bool => arguments.add(None::<i8>),
        SqlType::I16 | SqlType::I32 | SqlType::I64 | SqlType::U8 | SqlType::U16 | SqlType::U32 => {
            arguments.add(None::<i64>)
        }
        SqlType::F32 => arguments.add(None::<f32>),
        SqlType::F64 => arguments.add(None::<f64>),
        SqlType::Text | SqlType::Enum(_) | SqlType::Json | SqlType::Array(_) => {
            arguments.add(None::<&str>)
        }
        SqlType::Bytes => arguments.add(None::<&[u8]>),
        SqlType::Date => arguments.add(None::<NaiveDate>),
        SqlType::Time => arguments.add(None::<NaiveTime>),
        SqlType::DateTime | SqlType::Timestamp => arguments.add(None::<NaiveDateTime>),
        #[cfg(feature = "uuid")]
        SqlType::Uuid => arguments.add(None::<uuid::Uuid>),
        #[cfg(feature = "decimal")]
        SqlType::Decimal => arguments.add(None::<rust_decimal::Decimal>),
    }
}
