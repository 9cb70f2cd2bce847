//! Reading the rows of MySQL and MariaDB.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use serde_json::Value as Document;
use sqlx::mysql::types::MySqlTime;
use sqlx::mysql::{MySqlRow, MySqlValueRef};
use sqlx::types::Json;
use sqlx::{Column, Decode, MySql, Row, Type, TypeInfo, ValueRef};

use crate::driver::arrays;
use crate::value::{Cells, SqlType, Value, ValueError};

/// One row, read where sqlx put it.
///
/// Numbers have the width of their column, which may be another than the field's; sqlx decodes
/// whatever bytes there are. Reading therefore looks at the column's type first.
pub(super) struct MySqlCells<'r>(pub(super) &'r MySqlRow);

impl<'r> MySqlCells<'r> {
    /// The cell, which must not be `NULL`.
    fn cell(&self, at: usize) -> Result<MySqlValueRef<'r>, ValueError> {
        let cell = self.0.try_get_raw(at).map_err(|_| {
            ValueError::new(format!("the row has only {} columns", self.0.columns().len()))
        })?;
        if cell.is_null() { Err(ValueError::new("the value is NULL")) } else { Ok(cell) }
    }

    fn document(&self, at: usize) -> Result<Document, ValueError> {
        let cell = self.cell(at)?;
        if !is::<Json<Document>>(&cell) {
            return Err(mismatch("a JSON document", &cell));
        }
        // serde's message can quote the document.
        serde_json::from_slice(decode(cell)?)
            .map_err(|_| ValueError::new("the text is not a JSON document"))
    }
}

/// Whether the cell's column is of a type that sqlx reads as `T`.
fn is<T: Type<MySql> + ?Sized>(cell: &MySqlValueRef<'_>) -> bool {
    T::compatible(&cell.type_info())
}

/// Whether the cell is an exact number with a point, which travels as text.
fn is_decimal(cell: &MySqlValueRef<'_>) -> bool {
    cell.type_info().name() == "DECIMAL"
}

fn mismatch(wanted: &str, cell: &MySqlValueRef<'_>) -> ValueError {
    ValueError::new(format!("expected {wanted}, the database gave {}", cell.type_info().name()))
}

/// Reads a cell without a further check of its type.
fn decode<'r, T: Decode<'r, MySql>>(cell: MySqlValueRef<'r>) -> Result<T, ValueError> {
    T::decode(cell).map_err(|_| ValueError::new("the value is not of the expected type"))
}

impl Cells for MySqlCells<'_> {
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
        const TOO_LARGE: &str = "the integer is out of range for 64 bits with a sign";
        let cell = self.cell(at)?;
        if is::<i64>(&cell) {
            decode(cell)
        } else if is::<u64>(&cell) {
            i64::try_from(decode::<u64>(cell)?).map_err(|_| ValueError::new(TOO_LARGE))
        } else if is_decimal(&cell) {
            // The sum of integers is one, without digits behind the point.
            decode::<&str>(cell)?
                .parse()
                .map_err(|_| ValueError::new("the decimal is not an integer of 64 bits"))
        } else {
            Err(mismatch("an integer", &cell))
        }
    }

    fn float(&self, at: usize) -> Result<f32, ValueError> {
        let cell = self.cell(at)?;
        if is::<f32>(&cell) {
            return decode(cell);
        }
        #[expect(clippy::cast_possible_truncation, reason = "a float was asked for")]
        self.double(at).map(|value| value as f32)
    }

    fn double(&self, at: usize) -> Result<f64, ValueError> {
        let cell = self.cell(at)?;
        if is::<f64>(&cell) {
            decode(cell)
        } else if is_decimal(&cell) {
            decode::<&str>(cell)?
                .parse()
                .map_err(|_| ValueError::new("the decimal is not a number"))
        } else if is::<i64>(&cell) || is::<u64>(&cell) {
            #[expect(clippy::cast_precision_loss, reason = "a float was asked for")]
            self.int(at).map(|value| value as f64)
        } else {
            Err(mismatch("a number", &cell))
        }
    }

    fn text(&self, at: usize) -> Result<&str, ValueError> {
        let cell = self.cell(at)?;
        if !is::<str>(&cell) && cell.type_info().name() != "JSON" {
            return Err(mismatch("text", &cell));
        }
        decode(cell)
    }

    fn bytes(&self, at: usize) -> Result<&[u8], ValueError> {
        let cell = self.cell(at)?;
        if is::<[u8]>(&cell) { decode(cell) } else { Err(mismatch("bytes", &cell)) }
    }

    fn date(&self, at: usize) -> Result<NaiveDate, ValueError> {
        let cell = self.cell(at)?;
        if is::<NaiveDate>(&cell) { decode(cell) } else { Err(mismatch("a date", &cell)) }
    }

    fn time(&self, at: usize) -> Result<NaiveTime, ValueError> {
        let cell = self.cell(at)?;
        if !is::<NaiveTime>(&cell) {
            return Err(mismatch("a time of day", &cell));
        }
        // A TIME is a span of time, which may be negative or longer than a day.
        let time: MySqlTime = decode(cell)?;
        let of_day = time.sign().is_positive().then(|| NaiveTime::try_from(time).ok()).flatten();
        of_day.ok_or_else(|| ValueError::new("the span of time is not a time of day"))
    }

    fn date_time(&self, at: usize) -> Result<NaiveDateTime, ValueError> {
        let cell = self.cell(at)?;
        // Instants are in UTC, the session's zone; a date is its first moment.
        if is::<DateTime<Utc>>(&cell) || is::<NaiveDate>(&cell) {
            decode(cell)
        } else {
            Err(mismatch("a date and time", &cell))
        }
    }

    fn timestamp(&self, at: usize) -> Result<DateTime<Utc>, ValueError> {
        self.date_time(at).map(|time| time.and_utc())
    }

    fn json(&self, at: usize) -> Result<Document, ValueError> {
        self.document(at)
    }

    fn array(&self, at: usize, element: &SqlType) -> Result<Vec<Value>, ValueError> {
        arrays::from_document(self.document(at)?, element)
    }

    /// Sixteen bytes, or the text of MariaDB's UUID type and of other programs.
    #[cfg(feature = "uuid")]
    fn uuid(&self, at: usize) -> Result<uuid::Uuid, ValueError> {
        let bytes = self.bytes(at)?;
        uuid::Uuid::from_slice(bytes)
            .or_else(|_| uuid::Uuid::try_parse_ascii(bytes))
            .map_err(|_| ValueError::new("the value is not a UUID"))
    }

    #[cfg(feature = "decimal")]
    fn decimal(&self, at: usize) -> Result<rust_decimal::Decimal, ValueError> {
        let cell = self.cell(at)?;
        if is_decimal(&cell) {
            return exact(decode(cell)?).or_else(|error| self.rounded(at).ok_or(error));
        }
        if is::<i64>(&cell) || is::<u64>(&cell) {
            return self.int(at).map(rust_decimal::Decimal::from);
        }
        Err(mismatch("a decimal", &cell))
    }
}

/// Reads a decimal. Where it has as many digits behind the point as there can be, the zeros at the
/// end are the column's and not the value's.
#[cfg(feature = "decimal")]
fn exact(text: &str) -> Result<rust_decimal::Decimal, ValueError> {
    use crate::sql::dialect::mysql::MOST_DIGITS_BEHIND_POINT;
    let behind = text.find('.').map_or(0, |point| text.len() - point - 1);
    if behind < MOST_DIGITS_BEHIND_POINT as usize {
        return arrays::decimal(text);
    }
    arrays::decimal(text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(feature = "decimal")]
impl MySqlCells<'_> {
    /// A calculated decimal, which may have more digits than there is room for; a stored one is
    /// never cut.
    fn rounded(&self, at: usize) -> Option<rust_decimal::Decimal> {
        use sqlx::{Column, ColumnOrigin};
        let is_stored = matches!(self.0.column(at).origin(), ColumnOrigin::Table(_));
        let text: &str = decode(self.cell(at).ok()?).ok()?;
        text.parse().ok().filter(|_| !is_stored)
    }
}
