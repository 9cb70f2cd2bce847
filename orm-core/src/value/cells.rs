//! Reading one row of a result by index, whatever driver produced it.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};

use super::{SqlType, Value, ValueError};

/// One row of a result, read by position. A driver implements this over its own rows, so that a
/// field is decoded where the row is, without a copy in between.
///
/// Every method but [`is_null`](Cells::is_null) may assume that the cell is not `NULL`.
pub trait Cells {
    /// The cell of the column of this name, in a row that knows names; the first of several.
    fn position(&self, _name: &str) -> Option<usize> {
        None
    }
    /// How many cells there are, in a row that knows.
    fn width(&self) -> Option<usize> {
        None
    }
    /// Whether there is no such cell, since the statement left the column out: of a
    /// [`Deferred`](crate::Deferred) one.
    fn is_left_out(&self, _at: usize) -> bool {
        false
    }
    /// Whether the cell is `NULL`.
    fn is_null(&self, at: usize) -> bool;
    /// A boolean.
    fn bool(&self, at: usize) -> Result<bool, ValueError>;
    /// Any integer; the caller checks the range.
    fn int(&self, at: usize) -> Result<i64, ValueError>;
    /// A 32-bit float.
    fn float(&self, at: usize) -> Result<f32, ValueError>;
    /// A 64-bit float.
    fn double(&self, at: usize) -> Result<f64, ValueError>;
    /// Text, or the label of an enum.
    fn text(&self, at: usize) -> Result<&str, ValueError>;
    /// Raw bytes.
    fn bytes(&self, at: usize) -> Result<&[u8], ValueError>;
    /// A calendar date.
    fn date(&self, at: usize) -> Result<NaiveDate, ValueError>;
    /// A time of day.
    fn time(&self, at: usize) -> Result<NaiveTime, ValueError>;
    /// A date and time without a zone.
    fn date_time(&self, at: usize) -> Result<NaiveDateTime, ValueError>;
    /// An instant.
    fn timestamp(&self, at: usize) -> Result<DateTime<Utc>, ValueError>;
    /// A JSON document.
    fn json(&self, at: usize) -> Result<serde_json::Value, ValueError>;
    /// An array whose elements have the given type.
    fn array(&self, at: usize, element: &SqlType) -> Result<Vec<Value>, ValueError>;
    /// A UUID.
    #[cfg(feature = "uuid")]
    fn uuid(&self, at: usize) -> Result<uuid::Uuid, ValueError>;
    /// An exact decimal.
    #[cfg(feature = "decimal")]
    fn decimal(&self, at: usize) -> Result<rust_decimal::Decimal, ValueError>;
}

/// A row made of values in memory: returned values that wait to be settled, a key, a snapshot.
#[derive(Debug)]
pub struct ValueCells<'a>(pub &'a [Value]);

impl ValueCells<'_> {
    fn mismatch(&self, at: usize, wanted: &str) -> ValueError {
        ValueError::new(match self.0.get(at) {
            Some(_) => format!("expected {wanted}"),
            None => format!("expected {wanted}, but the row has only {} cells", self.0.len()),
        })
    }
}

macro_rules! read {
    ($self:ident, $at:ident, $wanted:literal, $($pattern:pat => $value:expr),+ $(,)?) => {
        match $self.0.get($at) {
            $(Some($pattern) => Ok($value),)+
            _ => Err($self.mismatch($at, $wanted)),
        }
    };
}

impl Cells for ValueCells<'_> {
    fn is_left_out(&self, at: usize) -> bool {
        matches!(self.0.get(at), Some(Value::NotLoaded))
    }
    fn is_null(&self, at: usize) -> bool {
        matches!(self.0.get(at), Some(Value::Null))
    }
    fn bool(&self, at: usize) -> Result<bool, ValueError> {
        read!(self, at, "a boolean", Value::Bool(v) => *v)
    }
    fn int(&self, at: usize) -> Result<i64, ValueError> {
        read!(self, at, "an integer", Value::Int(v) => *v)
    }
    fn float(&self, at: usize) -> Result<f32, ValueError> {
        read!(self, at, "a float", Value::Float(v) => *v)
    }
    fn double(&self, at: usize) -> Result<f64, ValueError> {
        read!(self, at, "a float", Value::Double(v) => *v)
    }
    fn text(&self, at: usize) -> Result<&str, ValueError> {
        read!(self, at, "text", Value::Text(v) => v.as_str(), Value::Label(v) => *v)
    }
    fn bytes(&self, at: usize) -> Result<&[u8], ValueError> {
        read!(self, at, "bytes", Value::Bytes(v) => v.as_slice())
    }
    fn date(&self, at: usize) -> Result<NaiveDate, ValueError> {
        read!(self, at, "a date", Value::Date(v) => *v)
    }
    fn time(&self, at: usize) -> Result<NaiveTime, ValueError> {
        read!(self, at, "a time of day", Value::Time(v) => *v)
    }
    fn date_time(&self, at: usize) -> Result<NaiveDateTime, ValueError> {
        read!(self, at, "a date and time", Value::DateTime(v) => *v)
    }
    fn timestamp(&self, at: usize) -> Result<DateTime<Utc>, ValueError> {
        read!(self, at, "an instant", Value::Timestamp(v) => *v)
    }
    fn json(&self, at: usize) -> Result<serde_json::Value, ValueError> {
        read!(self, at, "a JSON document", Value::Json(v) => (**v).clone())
    }
    fn array(&self, at: usize, _element: &SqlType) -> Result<Vec<Value>, ValueError> {
        read!(self, at, "an array", Value::Array(v) => v.clone())
    }
    #[cfg(feature = "uuid")]
    fn uuid(&self, at: usize) -> Result<uuid::Uuid, ValueError> {
        read!(self, at, "a UUID", Value::Uuid(v) => *v)
    }
    #[cfg(feature = "decimal")]
    fn decimal(&self, at: usize) -> Result<rust_decimal::Decimal, ValueError> {
        read!(self, at, "a decimal", Value::Decimal(v) => *v)
    }
}
