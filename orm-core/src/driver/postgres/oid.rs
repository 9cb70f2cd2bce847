//! The numbers by which PostgreSQL knows its own types. They are part of its protocol.

use crate::value::SqlType;

pub(super) const BOOL: u32 = 16;
pub(super) const BYTEA: u32 = 17;
pub(super) const NAME: u32 = 19;
pub(super) const INT8: u32 = 20;
pub(super) const INT2: u32 = 21;
pub(super) const INT4: u32 = 23;
pub(super) const TEXT: u32 = 25;
pub(super) const JSON: u32 = 114;
pub(super) const FLOAT4: u32 = 700;
pub(super) const FLOAT8: u32 = 701;
/// Of a literal that is returned as it is.
pub(super) const UNKNOWN: u32 = 705;
pub(super) const CHAR: u32 = 1042;
pub(super) const VARCHAR: u32 = 1043;
pub(super) const DATE: u32 = 1082;
pub(super) const TIME: u32 = 1083;
pub(super) const TIMESTAMP: u32 = 1114;
pub(super) const TIMESTAMPTZ: u32 = 1184;
pub(super) const NUMERIC: u32 = 1700;
pub(super) const UUID: u32 = 2950;
pub(super) const JSONB: u32 = 3802;

/// The type that one value is sent as. Enums have no number that all databases share: they are
/// sent as the texts of their labels.
pub(super) fn of(sql_type: SqlType) -> u32 {
    match sql_type {
        SqlType::Bool => BOOL,
        SqlType::I16 | SqlType::U8 => INT2,
        SqlType::I32 | SqlType::U16 => INT4,
        SqlType::I64 | SqlType::U32 => INT8,
        SqlType::F32 => FLOAT4,
        SqlType::F64 => FLOAT8,
        SqlType::Text => TEXT,
        SqlType::Bytes => BYTEA,
        SqlType::Date => DATE,
        SqlType::Time => TIME,
        SqlType::DateTime => TIMESTAMP,
        SqlType::Timestamp => TIMESTAMPTZ,
        SqlType::Json => JSONB,
        #[cfg(feature = "uuid")]
        SqlType::Uuid => UUID,
        #[cfg(feature = "decimal")]
        SqlType::Decimal => NUMERIC,
        SqlType::Enum(_) => TEXT,
        SqlType::Array(element) => array_of(element_of(*element)),
    }
}

/// The type that an element of an array is sent as.
pub(super) fn element_of(sql_type: SqlType) -> u32 {
    match sql_type {
        SqlType::Enum(_) | SqlType::Array(_) => TEXT,
        sql_type => of(sql_type),
    }
}

/// The type of arrays of these elements.
pub(super) fn array_of(element: u32) -> u32 {
    match element {
        BOOL => 1000,
        BYTEA => 1001,
        INT2 => 1005,
        INT4 => 1007,
        INT8 => 1016,
        FLOAT4 => 1021,
        FLOAT8 => 1022,
        TIMESTAMP => 1115,
        DATE => 1182,
        TIME => 1183,
        TIMESTAMPTZ => 1185,
        NUMERIC => 1231,
        UUID => 2951,
        JSONB => 3807,
        _ => 1009,
    }
}
