//! Reading a column's value from any self-describing format of serde.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};

use super::{SqlType, Value};

/// Reads a value of a column, `NULL` included: whether the column can hold it is not asked here. Its
/// errors say what is expected and never contain the value that was met.
#[derive(Clone, Copy)]
pub(crate) struct ValueSeed<'a> {
    /// What the errors call the column.
    pub(crate) name: &'a str,
    pub(crate) sql_type: SqlType,
    /// Whether the column has a `NULL` that is none of its documents.
    pub(crate) nullable: bool,
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(expected(&self.sql_type))
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        Ok(match self.sql_type {
            // A document of its own kind, where the column has no `NULL`.
            SqlType::Json if !self.nullable => Value::Json(Box::default()),
            _ => Value::Null,
        })
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        self.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        read(&self.sql_type, deserializer).map_err(|_| {
            let expected = expected(&self.sql_type);
            D::Error::custom(format_args!("`{}` must be {expected}", self.name))
        })
    }
}

/// What a value of this type looks like, in words for who wrote the document.
fn expected(sql_type: &SqlType) -> &'static str {
    match sql_type {
        SqlType::Bool => "true or false",
        SqlType::I16 | SqlType::I32 | SqlType::I64 | SqlType::U8 | SqlType::U16 | SqlType::U32 => {
            "an integer"
        }
        SqlType::F32 | SqlType::F64 => "a number",
        SqlType::Text => "a text",
        SqlType::Enum(_) => "one of its labels",
        SqlType::Bytes => "a list of bytes",
        SqlType::Date => "a date, as in `2025-12-31`",
        SqlType::Time => "a time of day, as in `23:59:59`",
        SqlType::DateTime => "a date and time, as in `2025-12-31T23:59:59`",
        SqlType::Timestamp => "an instant, as in `2025-12-31T23:59:59Z`",
        SqlType::Json => "a document",
        SqlType::Array(_) => "a list",
        #[cfg(feature = "uuid")]
        SqlType::Uuid => "a UUID",
        #[cfg(feature = "decimal")]
        SqlType::Decimal => "a decimal, as a number or as text",
    }
}

fn read<'de, D: Deserializer<'de>>(sql_type: &SqlType, input: D) -> Result<Value, D::Error> {
    Ok(match sql_type {
        SqlType::Bool => Value::Bool(bool::deserialize(input)?),
        SqlType::I16 | SqlType::I32 | SqlType::I64 | SqlType::U8 | SqlType::U16 | SqlType::U32 => {
            Value::Int(i64::deserialize(input)?)
        }
        SqlType::F32 => {
            let number = f64::deserialize(input)?;
            let narrow = number as f32;
            if number.is_finite() && !narrow.is_finite() {
                return Err(D::Error::custom("out of range"));
            }
            Value::Float(narrow)
        }
        SqlType::F64 => Value::Double(f64::deserialize(input)?),
        SqlType::Text | SqlType::Enum(_) => Value::Text(String::deserialize(input)?),
        SqlType::Bytes => Value::Bytes(input.deserialize_any(Bytes)?),
        SqlType::Date => Value::Date(parse::<NaiveDate, D>(input)?),
        SqlType::Time => Value::Time(parse::<NaiveTime, D>(input)?),
        SqlType::DateTime => Value::DateTime(parse::<NaiveDateTime, D>(input)?),
        SqlType::Timestamp => Value::Timestamp(parse::<DateTime<Utc>, D>(input)?),
        SqlType::Json => Value::Json(Box::new(serde_json::Value::deserialize(input)?)),
        SqlType::Array(element) => Value::Array(input.deserialize_seq(Elements(element))?),
        #[cfg(feature = "uuid")]
        SqlType::Uuid => Value::Uuid(parse::<uuid::Uuid, D>(input)?),
        #[cfg(feature = "decimal")]
        SqlType::Decimal => Value::Decimal(input.deserialize_any(AnyDecimal)?),
    })
}

/// Text in the form that the type reads.
fn parse<'de, T: FromStr, D: Deserializer<'de>>(input: D) -> Result<T, D::Error> {
    struct Text<T>(PhantomData<T>);

    impl<T: FromStr> Visitor<'_> for Text<T> {
        type Value = T;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("text")
        }
        fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
            text.parse().map_err(|_| E::custom("another form"))
        }
    }

    input.deserialize_str(Text(PhantomData))
}

/// Bytes as such, where the format has them, else a list of numbers.
struct Bytes;

impl<'de> Visitor<'de> for Bytes {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }
    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }
    fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
        Ok(bytes)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<u8>, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = list.next_element()? {
            bytes.push(byte);
        }
        Ok(bytes)
    }
}

/// The elements of an array, which its own type may allow to be `NULL`.
struct Elements(&'static SqlType);

impl<'de> Visitor<'de> for Elements {
    type Value = Vec<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<Value>, A::Error> {
        let element = ValueSeed { name: "element", sql_type: *self.0, nullable: true };
        let mut elements = Vec::new();
        while let Some(value) = list.next_element_seed(element)? {
            elements.push(value);
        }
        Ok(elements)
    }
}

/// A decimal as text, exactly, or as a number: one with a fraction in the digits that tell it from
/// its neighbours.
#[cfg(feature = "decimal")]
struct AnyDecimal;

#[cfg(feature = "decimal")]
impl Visitor<'_> for AnyDecimal {
    type Value = rust_decimal::Decimal;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a decimal")
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        rust_decimal::Decimal::from_str_exact(text).map_err(|_| E::custom("no decimal"))
    }
    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(number.into())
    }
    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(number.into())
    }
    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        self.visit_str(&number.to_string())
    }
}
