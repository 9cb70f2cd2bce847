//! The logical types of columns, which each dialect spells its own way.

/// The logical type of a column. A dialect maps it to a type of its database; a driver uses it
/// to bind a value, `NULL` included, with the right type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SqlType {
    /// A boolean.
    Bool,
    /// A 16-bit integer.
    I16,
    /// A 32-bit integer.
    I32,
    /// A 64-bit integer.
    I64,
    /// An 8-bit unsigned integer, range-checked where the database has none.
    U8,
    /// A 16-bit unsigned integer, range-checked where the database has none.
    U16,
    /// A 32-bit unsigned integer, range-checked where the database has none.
    U32,
    /// A 32-bit float.
    F32,
    /// A 64-bit float.
    F64,
    /// Text; its length is a fact of the column.
    Text,
    /// Raw bytes.
    Bytes,
    /// A calendar date.
    Date,
    /// A time of day.
    Time,
    /// A date and time without a zone.
    DateTime,
    /// An instant, stored in UTC.
    Timestamp,
    /// A JSON document.
    Json,
    /// A UUID.
    #[cfg(feature = "uuid")]
    Uuid,
    /// An exact decimal; its precision and scale are facts of the column.
    #[cfg(feature = "decimal")]
    Decimal,
    /// One of a fixed set of labels.
    Enum(&'static EnumType),
    /// An array of a scalar type.
    Array(&'static SqlType),
}

/// A `#[derive(Enum)]` type as the database sees it.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct EnumType {
    /// The type's name, for databases that name their enums.
    pub name: &'static str,
    /// The labels, in the order of the variants.
    pub labels: &'static [&'static str],
}
