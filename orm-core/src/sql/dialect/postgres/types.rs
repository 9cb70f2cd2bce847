//! What PostgreSQL calls our types, and the casts between what is sent and what is stored.

use std::borrow::Cow;

use super::quoted;
use crate::model::ColumnDef;
use crate::sql::expr::ColumnRef;
use crate::sql::statement::Bind;
use crate::value::SqlType;

/// The type of a value in a cast.
pub(super) fn type_name(sql_type: SqlType) -> Cow<'static, str> {
    Cow::Borrowed(match sql_type {
        SqlType::Bool => "bool",
        SqlType::I16 | SqlType::U8 => "int2",
        SqlType::I32 | SqlType::U16 => "int4",
        SqlType::I64 | SqlType::U32 => "int8",
        SqlType::F32 => "float4",
        SqlType::F64 => "float8",
        SqlType::Text => "text",
        SqlType::Bytes => "bytea",
        SqlType::Date => "date",
        SqlType::Time => "time",
        SqlType::DateTime => "timestamp",
        SqlType::Timestamp => "timestamptz",
        SqlType::Json => "jsonb",
        #[cfg(feature = "uuid")]
        SqlType::Uuid => "uuid",
        #[cfg(feature = "decimal")]
        SqlType::Decimal => "numeric",
        SqlType::Enum(labels) => return Cow::Owned(quoted(labels.name)),
        SqlType::Array(element) => return Cow::Owned(format!("{}[]", type_name(*element))),
    })
}

/// The type that the values of a column have on their way, one per row: what `unnest` would take
/// apart, or what the driver has no number for, travels as text.
pub(super) fn row_type(sql_type: SqlType) -> Cow<'static, str> {
    match sql_type {
        SqlType::Enum(_) | SqlType::Array(_) => Cow::Borrowed("text"),
        sql_type => type_name(sql_type),
    }
}

/// The type that makes an enum of a text, or an array of a text or of texts, where the schema's
/// author may have spelled the column's type.
pub(super) fn cast_from_text(
    sql_type: SqlType,
    declared: Option<&'static str>,
) -> Option<Cow<'static, str>> {
    // A cast to VARCHAR(3) would cut what is longer without a word.
    const TEXTS: [&str; 3] = ["CHAR", "VARCHAR", "TEXT"];
    let starts_with = |spelled: &str, word: &str| {
        spelled.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
    };
    match (sql_type, declared) {
        (SqlType::Enum(_), Some(spelled))
            if TEXTS.iter().any(|word| starts_with(spelled.trim_start(), word)) =>
        {
            None
        }
        (SqlType::Enum(_), Some(spelled)) => Some(Cow::Borrowed(spelled)),
        (SqlType::Enum(_) | SqlType::Array(_), _) => Some(type_name(sql_type)),
        _ => None,
    }
}

/// The type that makes a column's values of those that travelled as text.
pub(super) fn column_cast(column: &ColumnDef) -> Option<Cow<'static, str>> {
    cast_from_text(column.logical_type(), column.sql_type)
}

/// A bind that is compared with a column.
pub(super) fn bind_to(column: &ColumnRef, bind: &Bind) -> Bind {
    Bind { declared: column.table.columns()[column.column].sql_type, ..bind.clone() }
}

/// A column's type where no fact of the column plays a part.
pub(super) fn declared_type(sql_type: SqlType) -> Cow<'static, str> {
    Cow::Borrowed(match sql_type {
        SqlType::Bool => "BOOLEAN",
        SqlType::I16 | SqlType::U8 => "SMALLINT",
        SqlType::I32 | SqlType::U16 => "INTEGER",
        SqlType::I64 | SqlType::U32 => "BIGINT",
        SqlType::F32 => "REAL",
        SqlType::F64 => "DOUBLE PRECISION",
        SqlType::Text => "TEXT",
        SqlType::Bytes => "BYTEA",
        SqlType::Date => "DATE",
        SqlType::Time => "TIME",
        SqlType::DateTime => "TIMESTAMP",
        SqlType::Timestamp => "TIMESTAMPTZ",
        SqlType::Json => "JSONB",
        #[cfg(feature = "uuid")]
        SqlType::Uuid => "UUID",
        #[cfg(feature = "decimal")]
        SqlType::Decimal => "NUMERIC",
        SqlType::Enum(labels) => return Cow::Owned(quoted(labels.name)),
        SqlType::Array(element) => return Cow::Owned(format!("{}[]", declared_type(*element))),
    })
}
