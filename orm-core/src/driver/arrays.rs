//! Arrays on databases that have none: JSON documents. What JSON has no form for stands there as
//! text.

use serde_json::Value as Document;

use super::times;
use crate::value::{NOT_LOADED, SqlType, Value, ValueError};

/// An array, which the dialect let pass, as a document.
pub(super) fn to_document(elements: Vec<Value>) -> Result<Document, ValueError> {
    elements.into_iter().map(to_element).collect::<Result<_, _>>().map(Document::Array)
}

/// An array from the document that [`to_document`] made of it.
pub(super) fn from_document(
    document: Document,
    element: &SqlType,
) -> Result<Vec<Value>, ValueError> {
    match document {
        Document::Array(elements) => {
            elements.into_iter().map(|document| from_element(document, element)).collect()
        }
        _ => Err(ValueError::new("the JSON document is not an array")),
    }
}

fn to_element(value: Value) -> Result<Document, ValueError> {
    Ok(match value {
        Value::Null => Document::Null,
        Value::Bool(value) => Document::Bool(value),
        Value::Int(value) => Document::from(value),
        Value::Float(value) => Document::from(f64::from(value)),
        Value::Double(value) => Document::from(value),
        Value::Text(text) => Document::String(text),
        Value::Label(label) => Document::from(label),
        Value::Date(date) => Document::String(times::date_to_text(date)),
        Value::Time(time) => Document::String(times::time_to_text(time)),
        Value::DateTime(time) => Document::String(times::date_time_to_text(time)),
        Value::Timestamp(time) => Document::String(times::date_time_to_text(time.naive_utc())),
        #[cfg(feature = "uuid")]
        Value::Uuid(uuid) => Document::String(uuid.to_string()),
        #[cfg(feature = "decimal")]
        Value::Decimal(decimal) => Document::String(decimal.to_string()),
        Value::Bytes(_) | Value::Json(_) | Value::Array(_) => {
            return Err(ValueError::new("the array holds more than scalars"));
        }
        Value::Refused(reason) => return Err(ValueError::new(reason)),
        Value::NotLoaded => return Err(ValueError::new(NOT_LOADED)),
    })
}

fn from_element(document: Document, sql_type: &SqlType) -> Result<Value, ValueError> {
    let value = match (sql_type, document) {
        (_, Document::Null) => Some(Value::Null),
        (SqlType::Bool, Document::Bool(value)) => Some(Value::Bool(value)),
        #[expect(clippy::cast_possible_truncation, reason = "written from an f32, it fits exactly")]
        (SqlType::F32, Document::Number(number)) => {
            number.as_f64().map(|value| Value::Float(value as f32))
        }
        (SqlType::F64, Document::Number(number)) => number.as_f64().map(Value::Double),
        (_, Document::Number(number)) => number.as_i64().map(Value::Int),
        (SqlType::Text | SqlType::Enum(_), Document::String(text)) => Some(Value::Text(text)),
        (SqlType::Date, Document::String(text)) => Some(Value::Date(times::date(&text)?)),
        (SqlType::Time, Document::String(text)) => Some(Value::Time(times::time(&text)?)),
        (SqlType::DateTime, Document::String(text)) => {
            Some(Value::DateTime(times::date_time(&text)?))
        }
        (SqlType::Timestamp, Document::String(text)) => {
            Some(Value::Timestamp(times::timestamp(&text)?))
        }
        #[cfg(feature = "uuid")]
        (SqlType::Uuid, Document::String(text)) => {
            uuid::Uuid::try_parse(&text).ok().map(Value::Uuid)
        }
        #[cfg(feature = "decimal")]
        (SqlType::Decimal, Document::String(text)) => Some(Value::Decimal(decimal(&text)?)),
        _ => None,
    };
    value.ok_or_else(|| ValueError::new("an element of the array is not of the expected type"))
}

/// Reads a decimal that fits exactly.
#[cfg(feature = "decimal")]
pub(super) fn decimal(text: &str) -> Result<rust_decimal::Decimal, ValueError> {
    rust_decimal::Decimal::from_str_exact(text)
        .map_err(|_| ValueError::new("the text is not a decimal that fits"))
}
