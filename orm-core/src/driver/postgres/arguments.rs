//! Binding values, in PostgreSQL's binary form and with the types that the statement's casts say.

use std::fmt::{self, Write as _};
use std::io;

use chrono::{Datelike, NaiveDate, NaiveTime, Timelike};
use serde::Serialize;
use serde_json::Value as Document;
use serde_json::ser::Formatter;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgArguments, PgTypeInfo};
use sqlx::{Arguments, Encode, Postgres, Type};

#[cfg(feature = "decimal")]
use super::numeric;
use super::{oid, times};
use crate::error::{Error, Result};
use crate::sql::dialect::postgres::POSTGRES;
use crate::sql::{Bind, Dialect};
use crate::value::{NOT_LOADED, SqlType, Value, ValueError};

/// The first byte of a JSONB value: the version of its form.
const JSONB_VERSION: u8 = 1;

/// What stands in place of a length where there is no value.
const NULL_LENGTH: i32 = -1;

/// The binds of a statement.
pub(super) fn encode(binds: Vec<Bind>) -> Result<PgArguments> {
    let mut arguments = PgArguments::default();
    arguments.reserve(binds.len(), binds.len() * 16);
    for (at, bind) in binds.iter().enumerate() {
        arguments.add(Argument(bind)).map_err(|error| {
            // Every error of ours is a `ValueError`; sqlx adds one for a value of gigabytes.
            let error = error.downcast::<ValueError>().map_or_else(|_| too_large(), |error| *error);
            Error::Type { place: format!("bind {} of the statement", at + 1), error }
        })?;
    }
    Ok(arguments)
}

/// One bind, as sqlx takes it.
struct Argument<'b>(&'b Bind);

impl Type<Postgres> for Argument<'_> {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(oid::UNKNOWN))
    }
}

impl Encode<'_, Postgres> for Argument<'_> {
    fn encode_by_ref(
        &self,
        buffer: &mut PgArgumentBuffer,
    ) -> std::result::Result<IsNull, BoxDynError> {
        let Bind { value, sql_type, per_row, .. } = self.0;
        let is_null = match value {
            Value::Array(rows) if *per_row => write_rows(rows, *sql_type, buffer)?,
            value => write(value, *sql_type, buffer)?,
        };
        Ok(is_null)
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        let sql_type = self.0.sql_type;
        let number = if self.0.per_row {
            oid::array_of(oid::element_of(sql_type))
        } else {
            oid::of(sql_type)
        };
        Some(PgTypeInfo::with_oid(Oid(number)))
    }

    fn size_hint(&self) -> usize {
        0
    }
}

fn too_large() -> ValueError {
    ValueError::new("the value is too large")
}

/// An integer as a narrower one, if it fits.
fn narrow<T: TryFrom<i64>>(value: i64) -> std::result::Result<T, ValueError> {
    T::try_from(value).map_err(|_| ValueError::new("the integer doesn't fit its column"))
}

/// Appends a value in its binary form, or nothing if it is `NULL`.
fn write(
    value: &Value,
    sql_type: SqlType,
    into: &mut Vec<u8>,
) -> std::result::Result<IsNull, ValueError> {
    if let Some(reason) = POSTGRES.refusal(value) {
        return Err(ValueError::new(reason));
    }
    match (sql_type, value) {
        (_, Value::Null) => return Ok(IsNull::Yes),
        (_, Value::Refused(reason)) => return Err(ValueError::new(reason.clone())),
        (_, Value::NotLoaded) => return Err(ValueError::new(NOT_LOADED)),
        (SqlType::Bool, Value::Bool(value)) => into.push(u8::from(*value)),
        (SqlType::I16, Value::Int(value)) => into.extend(narrow::<i16>(*value)?.to_be_bytes()),
        (SqlType::I32, Value::Int(value)) => into.extend(narrow::<i32>(*value)?.to_be_bytes()),
        (SqlType::I64, Value::Int(value)) => into.extend(value.to_be_bytes()),
        (SqlType::U8, Value::Int(value)) => {
            into.extend(i16::from(narrow::<u8>(*value)?).to_be_bytes());
        }
        (SqlType::U16, Value::Int(value)) => {
            into.extend(i32::from(narrow::<u16>(*value)?).to_be_bytes());
        }
        (SqlType::U32, Value::Int(value)) => {
            into.extend(i64::from(narrow::<u32>(*value)?).to_be_bytes());
        }
        (SqlType::F32, Value::Float(value)) => into.extend(value.to_be_bytes()),
        (SqlType::F64, Value::Double(value)) => into.extend(value.to_be_bytes()),
        (SqlType::Text | SqlType::Enum(_), Value::Text(text)) => into.extend(text.as_bytes()),
        (SqlType::Text | SqlType::Enum(_), Value::Label(label)) => into.extend(label.as_bytes()),
        (SqlType::Bytes, Value::Bytes(bytes)) => into.extend(bytes),
        (SqlType::Date, Value::Date(date)) => {
            into.extend(times::date_to_days(*date)?.to_be_bytes());
        }
        (SqlType::Time, Value::Time(time)) => {
            into.extend(times::time_to_microseconds(*time)?.to_be_bytes());
        }
        (SqlType::DateTime, Value::DateTime(time)) => {
            into.extend(times::date_time_to_microseconds(*time)?.to_be_bytes());
        }
        (SqlType::Timestamp, Value::Timestamp(time)) => {
            into.extend(times::date_time_to_microseconds(time.naive_utc())?.to_be_bytes());
        }
        (SqlType::Json, Value::Json(document)) => {
            into.push(JSONB_VERSION);
            write_document(document, into)?;
        }
        (SqlType::Array(element), Value::Array(elements)) => {
            return write_array(elements, oid::element_of(*element), into, |value, into| {
                write(value, *element, into)
            });
        }
        #[cfg(feature = "uuid")]
        (SqlType::Uuid, Value::Uuid(uuid)) => into.extend(uuid.as_bytes()),
        #[cfg(feature = "decimal")]
        (SqlType::Decimal, Value::Decimal(decimal)) => numeric::write(*decimal, into)?,
        _ => return Err(ValueError::new("the value is not of the type that it is bound as")),
    }
    Ok(IsNull::No)
}

/// Appends the values of one column of many rows.
fn write_rows(
    rows: &[Value],
    sql_type: SqlType,
    into: &mut Vec<u8>,
) -> std::result::Result<IsNull, ValueError> {
    let element = oid::element_of(sql_type);
    match sql_type {
        // An array of arrays would be one array of two dimensions.
        SqlType::Array(of) => write_array(rows, element, into, |value, into| match value {
            Value::Null => Ok(IsNull::Yes),
            Value::Array(elements) => {
                if let Some(reason) = POSTGRES.refusal(value) {
                    return Err(ValueError::new(reason));
                }
                into.extend(array_literal(elements, *of)?.as_bytes());
                Ok(IsNull::No)
            }
            Value::Refused(reason) => Err(ValueError::new(reason.clone())),
            Value::NotLoaded => Err(ValueError::new(NOT_LOADED)),
            _ => Err(ValueError::new("the value is not an array")),
        }),
        _ => write_array(rows, element, into, |value, into| write(value, sql_type, into)),
    }
}

/// Appends an array of one dimension.
fn write_array(
    elements: &[Value],
    element_type: u32,
    into: &mut Vec<u8>,
    mut write: impl FnMut(&Value, &mut Vec<u8>) -> std::result::Result<IsNull, ValueError>,
) -> std::result::Result<IsNull, ValueError> {
    let dimensions = i32::from(!elements.is_empty());
    let has_null = i32::from(elements.iter().any(Value::is_null));
    into.extend(dimensions.to_be_bytes());
    into.extend(has_null.to_be_bytes());
    into.extend(element_type.to_be_bytes());
    if elements.is_empty() {
        return Ok(IsNull::No);
    }
    into.extend(i32::try_from(elements.len()).map_err(|_| too_large())?.to_be_bytes());
    // The number of the first element.
    into.extend(1_i32.to_be_bytes());
    for element in elements {
        let length_at = into.len();
        into.extend(NULL_LENGTH.to_be_bytes());
        let start = into.len();
        if let IsNull::No = write(element, into)? {
            let length = i32::try_from(into.len() - start).map_err(|_| too_large())?;
            into[length_at..start].copy_from_slice(&length.to_be_bytes());
        }
    }
    Ok(IsNull::No)
}

/// Appends a document so that the server, which keeps numbers as decimals, gives back the same
/// kind of number: a float always has a point, and no exponent.
fn write_document(document: &Document, into: &mut Vec<u8>) -> std::result::Result<(), ValueError> {
    let mut serializer = serde_json::Serializer::with_formatter(into, PlainFloats);
    document
        .serialize(&mut serializer)
        .map_err(|_| ValueError::new("the document can't be written as JSON"))
}

/// Writes floats with a point and without an exponent.
struct PlainFloats;

impl Formatter for PlainFloats {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        // An integral float is written without a point by Rust too.
        let point = if value.fract() == 0.0 { ".0" } else { "" };
        write!(writer, "{value}{point}")
    }
}

/// An array as PostgreSQL reads it from a text.
fn array_literal(elements: &[Value], of: SqlType) -> std::result::Result<String, ValueError> {
    let mut text = String::with_capacity(2 + elements.len() * 8);
    text.push('{');
    for (at, element) in elements.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        push_element(element, of, &mut text)?;
    }
    text.push('}');
    Ok(text)
}

fn push_element(
    value: &Value,
    of: SqlType,
    text: &mut String,
) -> std::result::Result<(), ValueError> {
    let pushed = match value {
        Value::Null => write!(text, "NULL"),
        Value::Bool(value) => write!(text, "{value}"),
        Value::Int(value) => {
            check_width(*value, of)?;
            write!(text, "{value}")
        }
        Value::Float(value) => write!(text, "{value}"),
        Value::Double(value) => write!(text, "{value}"),
        Value::Text(value) => push_quoted(value, text),
        Value::Label(value) => push_quoted(value, text),
        Value::Date(date) => push_date(*date, None, text),
        Value::Time(time) => write!(text, "{time}"),
        Value::DateTime(time) => push_date(time.date(), Some(time.time()), text),
        Value::Timestamp(time) => {
            let time = time.naive_utc();
            push_date(time.date(), Some(time.time()), text)
        }
        #[cfg(feature = "uuid")]
        Value::Uuid(uuid) => write!(text, "{uuid}"),
        #[cfg(feature = "decimal")]
        Value::Decimal(decimal) => write!(text, "{decimal}"),
        Value::Refused(reason) => return Err(ValueError::new(reason.clone())),
        Value::NotLoaded => return Err(ValueError::new(NOT_LOADED)),
        Value::Bytes(_) | Value::Json(_) | Value::Array(_) => {
            return Err(ValueError::new("the array holds more than scalars"));
        }
    };
    pushed.map_err(|_| too_large())
}

/// Whether an integer fits its type; the server would say so too, with the value.
fn check_width(value: i64, of: SqlType) -> std::result::Result<(), ValueError> {
    match of {
        SqlType::I16 => narrow::<i16>(value).map(drop),
        SqlType::I32 => narrow::<i32>(value).map(drop),
        SqlType::U8 => narrow::<u8>(value).map(drop),
        SqlType::U16 => narrow::<u16>(value).map(drop),
        SqlType::U32 => narrow::<u32>(value).map(drop),
        _ => Ok(()),
    }
}

/// A text inside an array.
fn push_quoted(value: &str, text: &mut String) -> fmt::Result {
    text.push('"');
    for character in value.chars() {
        if matches!(character, '"' | '\\') {
            text.push('\\');
        }
        text.push(character);
    }
    text.push('"');
    Ok(())
}

/// A date, and a time of that day, inside an array. There is no year zero: the one before the
/// first is the first one BC.
fn push_date(date: NaiveDate, time: Option<NaiveTime>, text: &mut String) -> fmt::Result {
    let (year, era) = if date.year() > 0 { (date.year(), "") } else { (1 - date.year(), " BC") };
    write!(text, "\"{year:04}-{:02}-{:02}", date.month(), date.day())?;
    if let Some(time) = time {
        let microseconds = time.nanosecond() / 1_000;
        write!(text, " {}.{microseconds:06}+00", time.format("%H:%M:%S"))?;
    }
    write!(text, "{era}\"")
}
