//! Reading SQLite's rows.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use serde_json::Value as Document;
use sqlx::sqlite::{SqliteRow, SqliteValueRef};
use sqlx::{Decode, Row, Sqlite, TypeInfo, ValueRef};

use super::times;
use crate::value::{Cells, SqlType, Value, ValueError};

/// One row, read where SQLite put it.
///
/// SQLite converts silently whatever it is asked for, text to the number zero and `NULL` to an
/// empty text. Reading therefore looks at what is stored first.
pub(super) struct SqliteCells<'r>(pub(super) &'r SqliteRow);

impl<'r> SqliteCells<'r> {
    /// The cell, which must not be `NULL`.
    fn cell(&self, at: usize) -> Result<SqliteValueRef<'r>, ValueError> {
        let cell = self.0.try_get_raw(at).map_err(|_| {
            ValueError::new(format!("the row has only {} columns", self.0.columns().len()))
        })?;
        if cell.is_null() { Err(ValueError::new("the value is NULL")) } else { Ok(cell) }
    }

    /// The cell, if it is stored as one of these.
    fn stored_as(&self, at: usize, classes: &[&str]) -> Result<SqliteValueRef<'r>, ValueError> {
        let cell = self.cell(at)?;
        if classes.contains(&cell.type_info().name()) {
            return Ok(cell);
        }
        Err(ValueError::new(format!(
            "expected {}, the database gave {}",
            classes.join(" or "),
            cell.type_info().name(),
        )))
    }

    fn number(&self, at: usize) -> Result<f64, ValueError> {
        decode(self.stored_as(at, &["REAL", "INTEGER"])?)
    }

    fn document(&self, at: usize) -> Result<Document, ValueError> {
        // serde's message can quote the document.
        serde_json::from_str(self.text(at)?)
            .map_err(|_| ValueError::new("the text is not a JSON document"))
    }
}

/// Reads a cell without a further check of its type.
fn decode<'r, T: Decode<'r, Sqlite>>(cell: SqliteValueRef<'r>) -> Result<T, ValueError> {
    T::decode(cell).map_err(|_| ValueError::new("the value is not of the expected type"))
}

impl Cells for SqliteCells<'_> {
    fn is_null(&self, at: usize) -> bool {
        self.0.try_get_raw(at).is_ok_and(|cell| cell.is_null())
    }

    fn bool(&self, at: usize) -> Result<bool, ValueError> {
        match self.int(at)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(ValueError::new("the integer is neither 0 nor 1")),
        }
    }

    fn int(&self, at: usize) -> Result<i64, ValueError> {
        decode(self.stored_as(at, &["INTEGER"])?)
    }

    #[expect(clippy::cast_possible_truncation, reason = "written from an f32, it fits exactly")]
    fn float(&self, at: usize) -> Result<f32, ValueError> {
        self.number(at).map(|value| value as f32)
    }

    fn double(&self, at: usize) -> Result<f64, ValueError> {
        self.number(at)
    }

    fn text(&self, at: usize) -> Result<&str, ValueError> {
        decode(self.cell(at)?)
    }

    fn bytes(&self, at: usize) -> Result<&[u8], ValueError> {
        decode(self.cell(at)?)
    }

    fn date(&self, at: usize) -> Result<NaiveDate, ValueError> {
        times::date(self.text(at)?)
    }

    fn time(&self, at: usize) -> Result<NaiveTime, ValueError> {
        times::time(self.text(at)?)
    }

    fn date_time(&self, at: usize) -> Result<NaiveDateTime, ValueError> {
        times::date_time(self.text(at)?)
    }

    fn timestamp(&self, at: usize) -> Result<DateTime<Utc>, ValueError> {
        times::timestamp(self.text(at)?)
    }

    fn json(&self, at: usize) -> Result<Document, ValueError> {
        self.document(at)
    }

    fn array(&self, at: usize, element: &SqlType) -> Result<Vec<Value>, ValueError> {
        match self.document(at)? {
            Document::Array(elements) => {
                elements.into_iter().map(|document| read_element(document, element)).collect()
            }
            _ => Err(ValueError::new("the JSON document is not an array")),
        }
    }

    #[cfg(feature = "uuid")]
    fn uuid(&self, at: usize) -> Result<uuid::Uuid, ValueError> {
        let bytes = decode(self.stored_as(at, &["BLOB"])?)?;
        uuid::Uuid::from_slice(bytes).map_err(|_| ValueError::new("a UUID has 16 bytes"))
    }

    #[cfg(feature = "decimal")]
    fn decimal(&self, at: usize) -> Result<rust_decimal::Decimal, ValueError> {
        // Decimals are written as text. Other programs write numbers: the shortest text that
        // stands for a float is the decimal that it was made of, up to 15 digits.
        let cell = self.cell(at)?;
        match cell.type_info().name() {
            "INTEGER" => decode::<i64>(cell).map(rust_decimal::Decimal::from),
            "REAL" => parse_decimal(&decode::<f64>(cell)?.to_string()),
            _ => parse_decimal(decode(cell)?),
        }
    }
}

/// One element of an array, from the form that `arguments` gave it.
fn read_element(document: Document, sql_type: &SqlType) -> Result<Value, ValueError> {
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
        (SqlType::Decimal, Document::String(text)) => Some(Value::Decimal(parse_decimal(&text)?)),
        _ => None,
    };
    value.ok_or_else(|| ValueError::new("an element of the array is not of the expected type"))
}

#[cfg(feature = "decimal")]
fn parse_decimal(text: &str) -> Result<rust_decimal::Decimal, ValueError> {
    rust_decimal::Decimal::from_str_exact(text)
        .map_err(|_| ValueError::new("the text is not a decimal that fits"))
}
