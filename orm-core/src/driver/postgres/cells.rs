//! Reading PostgreSQL's rows.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use serde_json::Value as Document;
use sqlx::postgres::{PgRow, PgTypeInfo, PgTypeKind};
use sqlx::{Column, Row, TypeInfo, ValueRef};

#[cfg(feature = "decimal")]
use super::numeric;
use super::{oid, times};
use crate::value::{Cells, SqlType, Value, ValueError};

/// One row, read where the driver put it. Every cell is in binary form, which says nothing of
/// its type: reading looks at the column's type first.
pub(super) struct PgCells<'r>(pub(super) &'r PgRow);

impl<'r> PgCells<'r> {
    /// The cell, which must not be `NULL`, and its column's type.
    fn cell(&self, at: usize) -> Result<Cell<'r>, ValueError> {
        let cell = self.0.try_get_raw(at).map_err(|_| {
            ValueError::new(format!("the row has only {} columns", self.0.columns().len()))
        })?;
        let bytes = cell.as_bytes().map_err(|_| ValueError::new("the value is NULL"))?;
        let sql_type = self.0.columns()[at].type_info();
        let number = sql_type.oid().map_or(oid::UNKNOWN, |number| number.0);
        Ok(Cell { bytes, number, sql_type: Some(sql_type) })
    }
}

/// A value in binary form.
#[derive(Clone, Copy)]
struct Cell<'r> {
    bytes: &'r [u8],
    /// The number of its type.
    number: u32,
    /// Its type, where it is that of a column.
    sql_type: Option<&'r PgTypeInfo>,
}

impl<'r> Cell<'r> {
    /// What was expected, and what there is.
    #[cold]
    fn is_not(self, expected: &str) -> ValueError {
        ValueError::new(match self.sql_type {
            Some(sql_type) => format!("expected {expected}, the database gave {}", sql_type.name()),
            None => format!("an element of the array is not {expected}"),
        })
    }

    /// The bytes of a type that always has as many.
    fn fixed<const N: usize>(self) -> Result<[u8; N], ValueError> {
        self.bytes.try_into().map_err(|_| ValueError::new("the value has the wrong length"))
    }

    fn bool(self) -> Result<bool, ValueError> {
        match self.number {
            oid::BOOL => Ok(self.fixed::<1>()? != [0]),
            _ => Err(self.is_not("BOOL")),
        }
    }

    fn int(self) -> Result<i64, ValueError> {
        match self.number {
            oid::INT8 => Ok(i64::from_be_bytes(self.fixed()?)),
            oid::INT4 => Ok(i32::from_be_bytes(self.fixed()?).into()),
            oid::INT2 => Ok(i16::from_be_bytes(self.fixed()?).into()),
            // A sum of BIGINTs.
            #[cfg(feature = "decimal")]
            oid::NUMERIC => numeric::read_integer(self.bytes),
            _ => Err(self.is_not("an integer")),
        }
    }

    fn float(self) -> Result<f32, ValueError> {
        match self.number {
            oid::FLOAT4 => Ok(f32::from_be_bytes(self.fixed()?)),
            _ => Err(self.is_not("FLOAT4")),
        }
    }

    fn double(self) -> Result<f64, ValueError> {
        match self.number {
            oid::FLOAT8 => Ok(f64::from_be_bytes(self.fixed()?)),
            oid::FLOAT4 => Ok(f32::from_be_bytes(self.fixed()?).into()),
            _ => Err(self.is_not("FLOAT8")),
        }
    }

    fn text(self) -> Result<&'r str, ValueError> {
        let is_text = match self.number {
            oid::TEXT | oid::VARCHAR | oid::CHAR | oid::NAME | oid::UNKNOWN => true,
            // Types of the database's own have no number that is known here.
            _ => self.sql_type.is_some_and(|sql_type| {
                matches!(sql_type.kind(), PgTypeKind::Enum(_))
                    || sql_type.name().eq_ignore_ascii_case("citext")
            }),
        };
        if is_text { self.utf8() } else { Err(self.is_not("TEXT")) }
    }

    fn utf8(self) -> Result<&'r str, ValueError> {
        str::from_utf8(self.bytes).map_err(|_| ValueError::new("the text is not UTF-8"))
    }

    fn bytes(self) -> Result<&'r [u8], ValueError> {
        match self.number {
            oid::BYTEA => Ok(self.bytes),
            _ => Err(self.is_not("BYTEA")),
        }
    }

    fn date(self) -> Result<NaiveDate, ValueError> {
        match self.number {
            oid::DATE => times::date(i32::from_be_bytes(self.fixed()?)),
            _ => Err(self.is_not("DATE")),
        }
    }

    fn time(self) -> Result<NaiveTime, ValueError> {
        match self.number {
            oid::TIME => times::time(i64::from_be_bytes(self.fixed()?)),
            _ => Err(self.is_not("TIME")),
        }
    }

    fn date_time(self) -> Result<NaiveDateTime, ValueError> {
        match self.number {
            oid::TIMESTAMP => times::date_time(i64::from_be_bytes(self.fixed()?)),
            _ => Err(self.is_not("TIMESTAMP")),
        }
    }

    fn timestamp(self) -> Result<DateTime<Utc>, ValueError> {
        match self.number {
            oid::TIMESTAMPTZ => {
                times::date_time(i64::from_be_bytes(self.fixed()?)).map(|time| time.and_utc())
            }
            _ => Err(self.is_not("TIMESTAMPTZ")),
        }
    }

    fn json(self) -> Result<Document, ValueError> {
        let text = match (self.number, self.bytes) {
            // The first byte is the version of the form; there is one.
            (oid::JSONB, [1, text @ ..]) | (oid::JSON, text) => text,
            _ => return Err(self.is_not("JSONB")),
        };
        // serde's message can quote the document.
        serde_json::from_slice(text).map_err(|_| ValueError::new("the JSON document can't be read"))
    }

    #[cfg(feature = "uuid")]
    fn uuid(self) -> Result<uuid::Uuid, ValueError> {
        match self.number {
            oid::UUID => Ok(uuid::Uuid::from_bytes(self.fixed()?)),
            _ => Err(self.is_not("UUID")),
        }
    }

    #[cfg(feature = "decimal")]
    fn decimal(self) -> Result<rust_decimal::Decimal, ValueError> {
        match self.number {
            oid::NUMERIC => numeric::read(self.bytes),
            oid::INT2 | oid::INT4 | oid::INT8 => self.int().map(rust_decimal::Decimal::from),
            _ => Err(self.is_not("NUMERIC")),
        }
    }

    /// The elements of an array of one dimension.
    fn array(self, of: &SqlType) -> Result<Vec<Value>, ValueError> {
        let is_array =
            self.sql_type.is_some_and(|sql_type| matches!(sql_type.kind(), PgTypeKind::Array(_)));
        if !is_array {
            return Err(self.is_not("an array"));
        }
        let mut rest = Rest(self.bytes);
        let dimensions = rest.int()?;
        rest.int()?;
        let number = rest.int()?.cast_unsigned();
        match dimensions {
            0 => return Ok(Vec::new()),
            1 => {}
            _ => return Err(ValueError::new("the array has more than one dimension")),
        }
        let length = rest.length()?;
        // The number of the first element.
        rest.int()?;
        let mut elements = Vec::with_capacity(length.min(rest.0.len()));
        for _ in 0..length {
            elements.push(match rest.int()? {
                -1 => Value::Null,
                length => {
                    let length = usize::try_from(length).map_err(|_| cut_off())?;
                    let bytes = rest.take(length)?;
                    Cell { bytes, number, sql_type: None }.element(of)?
                }
            });
        }
        Ok(elements)
    }

    fn element(self, of: &SqlType) -> Result<Value, ValueError> {
        Ok(match of {
            SqlType::Bool => Value::Bool(self.bool()?),
            SqlType::I16
            | SqlType::I32
            | SqlType::I64
            | SqlType::U8
            | SqlType::U16
            | SqlType::U32 => Value::Int(self.int()?),
            SqlType::F32 => Value::Float(self.float()?),
            SqlType::F64 => Value::Double(self.double()?),
            SqlType::Text => Value::Text(self.text()?.to_owned()),
            // The labels of a type of the database's own are sent as texts.
            SqlType::Enum(_) => Value::Text(self.utf8()?.to_owned()),
            SqlType::Date => Value::Date(self.date()?),
            SqlType::Time => Value::Time(self.time()?),
            SqlType::DateTime => Value::DateTime(self.date_time()?),
            SqlType::Timestamp => Value::Timestamp(self.timestamp()?),
            #[cfg(feature = "uuid")]
            SqlType::Uuid => Value::Uuid(self.uuid()?),
            #[cfg(feature = "decimal")]
            SqlType::Decimal => Value::Decimal(self.decimal()?),
            SqlType::Bytes | SqlType::Json | SqlType::Array(_) => {
                return Err(ValueError::new("an array can only hold scalars"));
            }
        })
    }
}

/// What is still to be read of an array.
struct Rest<'r>(&'r [u8]);

fn cut_off() -> ValueError {
    ValueError::new("the array is cut off")
}

impl<'r> Rest<'r> {
    fn take(&mut self, length: usize) -> Result<&'r [u8], ValueError> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or_else(cut_off)?;
        self.0 = rest;
        Ok(taken)
    }

    fn int(&mut self) -> Result<i32, ValueError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or_else(cut_off)?;
        self.0 = rest;
        Ok(i32::from_be_bytes(*taken))
    }

    fn length(&mut self) -> Result<usize, ValueError> {
        usize::try_from(self.int()?).map_err(|_| cut_off())
    }
}

impl Cells for PgCells<'_> {
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
        self.cell(at)?.bool()
    }

    fn int(&self, at: usize) -> Result<i64, ValueError> {
        self.cell(at)?.int()
    }

    fn float(&self, at: usize) -> Result<f32, ValueError> {
        self.cell(at)?.float()
    }

    fn double(&self, at: usize) -> Result<f64, ValueError> {
        self.cell(at)?.double()
    }

    fn text(&self, at: usize) -> Result<&str, ValueError> {
        self.cell(at)?.text()
    }

    fn bytes(&self, at: usize) -> Result<&[u8], ValueError> {
        self.cell(at)?.bytes()
    }

    fn date(&self, at: usize) -> Result<NaiveDate, ValueError> {
        self.cell(at)?.date()
    }

    fn time(&self, at: usize) -> Result<NaiveTime, ValueError> {
        self.cell(at)?.time()
    }

    fn date_time(&self, at: usize) -> Result<NaiveDateTime, ValueError> {
        self.cell(at)?.date_time()
    }

    fn timestamp(&self, at: usize) -> Result<DateTime<Utc>, ValueError> {
        self.cell(at)?.timestamp()
    }

    fn json(&self, at: usize) -> Result<Document, ValueError> {
        self.cell(at)?.json()
    }

    fn array(&self, at: usize, element: &SqlType) -> Result<Vec<Value>, ValueError> {
        self.cell(at)?.array(element)
    }

    #[cfg(feature = "uuid")]
    fn uuid(&self, at: usize) -> Result<uuid::Uuid, ValueError> {
        self.cell(at)?.uuid()
    }

    #[cfg(feature = "decimal")]
    fn decimal(&self, at: usize) -> Result<rust_decimal::Decimal, ValueError> {
        self.cell(at)?.decimal()
    }
}
