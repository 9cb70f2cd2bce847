//! Values and the types of columns: what travels between a struct's field and a database.
//!
//! Layer 0. Knows no table, no SQL text and no driver. [`ColumnType`] turns a field into a
//! [`Value`] and a cell of a result row ([`Cells`]) into a field; drivers turn a [`Value`] into
//! a bind of theirs and their rows into [`Cells`].

mod cells;
mod chosen;
mod column_type;
mod composite;
mod deferred;
mod field_type;
mod finite;
mod json;
mod operand;
mod packed;
mod parse;
mod scalars;
mod sql_type;

pub use cells::{Cells, ValueCells};
pub(crate) use chosen::{ChosenCells, LEFT_OUT};
pub use column_type::{
    Blank, ColumnType, Facts, IsSet, NotNull, Nullability, Nullable, Placeholder, References, Set,
};
pub use composite::{ArrayElement, Json};
pub use deferred::Deferred;
pub use field_type::{ColumnField, FieldOperand, FieldType};
pub use operand::Operand;
pub(crate) use packed::{pack, unpack};
pub(crate) use parse::ValueSeed;
pub use sql_type::{EnumType, SqlType};

use std::hash::{Hash, Hasher};

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};

/// One value of a column, owned, in the form that every backend understands.
///
/// Equality is *identity of what would be stored*, which is what change tracking needs: floats
/// compare by their bits (NaN equals itself, `0.0` differs from `-0.0`) and decimals with their
/// scale.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Value {
    /// SQL `NULL`.
    Null,
    /// A boolean.
    Bool(bool),
    /// Every integer type; the column's [`SqlType`] says how wide it is.
    Int(i64),
    /// A 32-bit float.
    Float(f32),
    /// A 64-bit float.
    Double(f64),
    /// Text.
    Text(String),
    /// The label of an enum's variant.
    Label(&'static str),
    /// Raw bytes.
    Bytes(Vec<u8>),
    /// A calendar date.
    Date(NaiveDate),
    /// A time of day, in microseconds.
    Time(NaiveTime),
    /// A date and time without a zone, in microseconds.
    DateTime(NaiveDateTime),
    /// An instant, in microseconds.
    Timestamp(DateTime<Utc>),
    /// A JSON document.
    Json(Box<serde_json::Value>),
    /// An array of scalars.
    Array(Vec<Value>),
    /// A UUID.
    #[cfg(feature = "uuid")]
    Uuid(uuid::Uuid),
    /// An exact decimal.
    #[cfg(feature = "decimal")]
    Decimal(rust_decimal::Decimal),
    /// A value that no database can hold, with the reason. Binding it is an error; it lets
    /// change tracking encode a field without being able to fail.
    Refused(Box<str>),
    /// The value of a [`Deferred`] column that is not loaded: nobody knows it here, and binding it
    /// is an error.
    NotLoaded,
}

impl Value {
    /// Whether this is SQL `NULL`.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Whether a field that held `before` was edited: one that is not loaded never was.
    pub(crate) fn is_edit_of(&self, before: &Value) -> bool {
        self != before && *self != Value::NotLoaded
    }

    /// The value, unless it is not loaded.
    pub(crate) fn if_loaded(self) -> Option<Value> {
        (self != Value::NotLoaded).then_some(self)
    }

    /// Reads the cell at `at` as a value of the given type, `NULL` included.
    pub(crate) fn read(
        cells: &dyn Cells,
        at: usize,
        sql_type: &SqlType,
    ) -> Result<Value, ValueError> {
        if cells.is_null(at) {
            return Ok(Value::Null);
        }
        Ok(match sql_type {
            SqlType::Bool => Value::Bool(cells.bool(at)?),
            SqlType::I16
            | SqlType::I32
            | SqlType::I64
            | SqlType::U8
            | SqlType::U16
            | SqlType::U32 => Value::Int(cells.int(at)?),
            SqlType::F32 => Value::Float(cells.float(at)?),
            SqlType::F64 => Value::Double(cells.double(at)?),
            SqlType::Text | SqlType::Enum(_) => Value::Text(cells.text(at)?.into()),
            SqlType::Bytes => Value::Bytes(cells.bytes(at)?.into()),
            SqlType::Date => Value::Date(cells.date(at)?),
            SqlType::Time => Value::Time(cells.time(at)?),
            SqlType::DateTime => Value::DateTime(cells.date_time(at)?),
            SqlType::Timestamp => Value::Timestamp(cells.timestamp(at)?),
            SqlType::Json => Value::Json(Box::new(cells.json(at)?)),
            SqlType::Array(element) => Value::Array(cells.array(at, element)?),
            #[cfg(feature = "uuid")]
            SqlType::Uuid => Value::Uuid(cells.uuid(at)?),
            #[cfg(feature = "decimal")]
            SqlType::Decimal => Value::Decimal(cells.decimal(at)?),
        })
    }

    /// Why no database can hold the value, if none can.
    pub(crate) fn refusal(&self) -> Option<&str> {
        match self {
            Value::Refused(reason) => Some(reason),
            Value::NotLoaded => Some(NOT_LOADED),
            Value::Json(document) if is_deeper(document, DEEPEST_JSON) => Some(
                "the JSON document is nested more than 127 levels deep and could not be read back",
            ),
            Value::Array(elements) => elements.iter().find_map(Value::refusal),
            _ => None,
        }
    }

    /// About how many bytes the value takes on its way to a database.
    pub(crate) fn size(&self) -> usize {
        match self {
            Value::Text(text) => text.len(),
            Value::Label(label) => label.len(),
            Value::Bytes(bytes) => bytes.len(),
            Value::Json(document) => size_of_json(document),
            Value::Array(elements) => elements.iter().map(Value::size).sum(),
            _ => 8,
        }
    }

    fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            Value::Label(label) => Some(label),
            _ => None,
        }
    }
}

/// About how long a document is as text.
fn size_of_json(document: &serde_json::Value) -> usize {
    match document {
        serde_json::Value::String(text) => text.len() + 2,
        serde_json::Value::Array(items) => items.iter().map(|item| size_of_json(item) + 1).sum(),
        serde_json::Value::Object(fields) => {
            fields.iter().map(|(name, field)| name.len() + size_of_json(field) + 4).sum()
        }
        _ => 8,
    }
}

/// Why a value that nobody knows here can't be written.
pub(crate) const NOT_LOADED: &str =
    "it is deferred and was never loaded or set, so there is nothing to write: set it";

/// How deep arrays and objects may nest for serde_json to read them.
const DEEPEST_JSON: usize = 127;

/// Whether arrays and objects nest deeper than that.
pub(crate) fn is_deeper(document: &serde_json::Value, levels: usize) -> bool {
    let Some(below) = levels.checked_sub(1) else {
        return document.is_array() || document.is_object();
    };
    match document {
        serde_json::Value::Array(items) => items.iter().any(|item| is_deeper(item, below)),
        serde_json::Value::Object(fields) => fields.values().any(|field| is_deeper(field, below)),
        _ => false,
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        use Value::*;
        match (self, other) {
            (Null, Null) => true,
            (Bool(a), Bool(b)) => a == b,
            (Int(a), Int(b)) => a == b,
            (Float(a), Float(b)) => a.to_bits() == b.to_bits(),
            (Double(a), Double(b)) => a.to_bits() == b.to_bits(),
            (Bytes(a), Bytes(b)) => a == b,
            (Date(a), Date(b)) => a == b,
            (Time(a), Time(b)) => a == b,
            (DateTime(a), DateTime(b)) => a == b,
            (Timestamp(a), Timestamp(b)) => a == b,
            (Json(a), Json(b)) => a == b,
            (Array(a), Array(b)) => a == b,
            #[cfg(feature = "uuid")]
            (Uuid(a), Uuid(b)) => a == b,
            #[cfg(feature = "decimal")]
            (Decimal(a), Decimal(b)) => a.serialize() == b.serialize(),
            (Refused(a), Refused(b)) => a == b,
            (NotLoaded, NotLoaded) => true,
            _ => matches!((self.text(), other.text()), (Some(a), Some(b)) if a == b),
        }
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Value::Null => state.write_u8(0),
            Value::Bool(v) => v.hash(state),
            Value::Int(v) => v.hash(state),
            Value::Float(v) => v.to_bits().hash(state),
            Value::Double(v) => v.to_bits().hash(state),
            Value::Text(v) => v.as_str().hash(state),
            Value::Label(v) => v.hash(state),
            Value::Bytes(v) => v.hash(state),
            Value::Date(v) => v.hash(state),
            Value::Time(v) => v.hash(state),
            Value::DateTime(v) => v.hash(state),
            Value::Timestamp(v) => v.hash(state),
            Value::Json(v) => v.hash(state),
            Value::Array(v) => v.hash(state),
            #[cfg(feature = "uuid")]
            Value::Uuid(v) => v.hash(state),
            #[cfg(feature = "decimal")]
            Value::Decimal(v) => v.serialize().hash(state),
            Value::Refused(v) => v.hash(state),
            Value::NotLoaded => state.write_u8(1),
        }
    }
}

/// Why a cell could not become a field, or a field a bind: one sentence, without the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueError(Box<str>);

impl ValueError {
    /// An error with the given sentence, which must not contain the value itself.
    pub fn new(reason: impl Into<Box<str>>) -> Self {
        Self(reason.into())
    }

    /// The sentence.
    pub fn reason(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for ValueError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ValueError {}
