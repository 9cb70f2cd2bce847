//! What a driver runs: a text and its binds.

use std::sync::Arc;

use crate::value::{SqlType, Value};

/// A value and the type it is bound as, `NULL` included.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bind {
    pub(crate) value: Value,
    pub(crate) sql_type: SqlType,
    /// Whether the value is an array with one such value per row, as a table of given rows takes
    /// its columns.
    pub(crate) per_row: bool,
    /// The type that the schema's author spelled for the column that the value is for.
    pub(crate) declared: Option<&'static str>,
}

impl Bind {
    /// One value.
    pub(crate) fn one(value: Value, sql_type: SqlType) -> Self {
        Self { value, sql_type, per_row: false, declared: None }
    }
}

/// A number of rows as it is bound.
pub(super) fn count(rows: u64) -> Value {
    Value::Int(i64::try_from(rows).unwrap_or(i64::MAX))
}

/// A rendered statement.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub(crate) text: Arc<str>,
    pub(crate) binds: Vec<Bind>,
    /// Whether the text is likely to come again, so that preparing it once is worth it.
    pub(crate) persistent: bool,
    /// Whether at most one row can come, so that nothing is awaited behind it.
    pub(crate) single_row: bool,
    /// Whether it is sent as it is, unprepared, where the database has a form for that. It has no
    /// binds and gives no rows; several statements may stand in a row.
    pub(crate) words: bool,
}

impl Statement {
    /// A statement without binds.
    pub(crate) fn plain(text: impl Into<Arc<str>>) -> Self {
        Self {
            text: text.into(),
            binds: Vec::new(),
            persistent: true,
            single_row: false,
            words: false,
        }
    }

    /// A statement that is sent as it is: of transactions, of the schema, a connection's settings.
    pub(crate) fn words(text: impl Into<Arc<str>>) -> Self {
        Self { words: true, ..Self::plain(text) }
    }

    /// A statement that every database refuses, for tests of what a failure leaves behind.
    pub(crate) fn that_fails() -> Self {
        Self::words("SELECT 1 FROM orm_missing_on_purpose")
    }
}
