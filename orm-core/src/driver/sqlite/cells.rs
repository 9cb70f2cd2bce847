//! Reading SQLite's rows.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use rusqlite::Row;
use rusqlite::types::ValueRef;
use serde_json::Value as Document;

use crate::driver::{arrays, times};
use crate::value::{Cells, SqlType, Value, ValueError};

/// One row of a result, as SQLite stores its cells.
pub(super) trait StoredRow {
    /// How many cells there are.
    fn width(&self) -> usize;
    /// What the column at this position is called.
    fn name(&self, at: usize) -> Option<&str>;
    /// The cell at this position.
    fn cell(&self, at: usize) -> Option<ValueRef<'_>>;
}

impl StoredRow for Row<'_> {
    fn width(&self) -> usize {
        self.as_ref().column_count()
    }
    fn name(&self, at: usize) -> Option<&str> {
        self.as_ref().column_name(at).ok()
    }
    fn cell(&self, at: usize) -> Option<ValueRef<'_>> {
        self.get_ref(at).ok()
    }
}

/// One row, read where it is.
///
/// SQLite converts silently whatever it is asked for, text to the number zero and `NULL` to an
/// empty text. Reading therefore looks at what is stored first.
pub(super) struct SqliteCells<'r, R>(pub(super) &'r R);

impl<R: StoredRow> SqliteCells<'_, R> {
    fn cell(&self, at: usize) -> Result<ValueRef<'_>, ValueError> {
        self.0
            .cell(at)
            .ok_or_else(|| ValueError::new(format!("the row has only {} columns", self.0.width())))
    }

    fn number(&self, at: usize) -> Result<f64, ValueError> {
        match self.cell(at)? {
            ValueRef::Real(value) => Ok(value),
            #[expect(clippy::cast_precision_loss, reason = "what SQLite does with it")]
            ValueRef::Integer(value) => Ok(value as f64),
            other => Err(unexpected("REAL or INTEGER", other)),
        }
    }

    fn document(&self, at: usize) -> Result<Document, ValueError> {
        // serde's message can quote the document.
        serde_json::from_str(self.text(at)?)
            .map_err(|_| ValueError::new("the text is not a JSON document"))
    }
}

/// A cell is stored as something else.
fn unexpected(expected: &str, cell: ValueRef<'_>) -> ValueError {
    match cell {
        ValueRef::Null => ValueError::new("the value is NULL"),
        cell => {
            let stored = cell.data_type().to_string().to_ascii_uppercase();
            ValueError::new(format!("expected {expected}, the database gave {stored}"))
        }
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, ValueError> {
    str::from_utf8(bytes).map_err(|_| ValueError::new("the text is not UTF-8"))
}

impl<R: StoredRow> Cells for SqliteCells<'_, R> {
    fn position(&self, name: &str) -> Option<usize> {
        (0..self.0.width()).find(|&at| self.0.name(at) == Some(name))
    }
    fn width(&self) -> Option<usize> {
        Some(self.0.width())
    }
    fn is_null(&self, at: usize) -> bool {
        matches!(self.0.cell(at), Some(ValueRef::Null))
    }

    fn bool(&self, at: usize) -> Result<bool, ValueError> {
        match self.int(at)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(ValueError::new("the integer is neither 0 nor 1")),
        }
    }

    fn int(&self, at: usize) -> Result<i64, ValueError> {
        match self.cell(at)? {
            ValueRef::Integer(value) => Ok(value),
            other => Err(unexpected("INTEGER", other)),
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "written from an f32, it fits exactly")]
    fn float(&self, at: usize) -> Result<f32, ValueError> {
        self.number(at).map(|value| value as f32)
    }

    fn double(&self, at: usize) -> Result<f64, ValueError> {
        self.number(at)
    }

    fn text(&self, at: usize) -> Result<&str, ValueError> {
        match self.cell(at)? {
            ValueRef::Text(text) => utf8(text),
            other => Err(unexpected("TEXT", other)),
        }
    }

    fn bytes(&self, at: usize) -> Result<&[u8], ValueError> {
        match self.cell(at)? {
            ValueRef::Blob(bytes) | ValueRef::Text(bytes) => Ok(bytes),
            other => Err(unexpected("BLOB or TEXT", other)),
        }
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
        match self.cell(at)? {
            ValueRef::Blob(bytes) => {
                uuid::Uuid::from_slice(bytes).map_err(|_| ValueError::new("a UUID has 16 bytes"))
            }
            other => Err(unexpected("BLOB", other)),
        }
    }

    #[cfg(feature = "decimal")]
    fn decimal(&self, at: usize) -> Result<rust_decimal::Decimal, ValueError> {
        // Decimals are written as text. Other programs write numbers: the shortest text that
        // stands for a float is the decimal that it was made of, up to 15 digits.
        match self.cell(at)? {
            ValueRef::Integer(value) => Ok(value.into()),
            ValueRef::Real(value) => arrays::decimal(&value.to_string()),
            ValueRef::Text(text) => arrays::decimal(utf8(text)?),
            other => Err(unexpected("TEXT or a number", other)),
        }
    }
}
