//! Reading SQLite's rows.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use serde_json::Value as Document;
use sqlx::sqlite::{SqliteRow, SqliteValueRef};
use sqlx::{Column, Decode, Row, Sqlite, TypeInfo, ValueRef};

use crate::driver::{arrays, times};
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
    fn position(&self, name: &str) -> Option<usize> {
        self.0.columns().iter().position(|column| column.name() == name)
    }
    fn width(&self) -> Option<usize> {
        Some(self.0.columns().len())
    }
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
        arrays::from_document(self.document(at)?, element)
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
            "REAL" => arrays::decimal(&decode::<f64>(cell)?.to_string()),
            _ => arrays::decimal(decode(cell)?),
        }
    }
}
