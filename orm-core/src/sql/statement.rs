//! What a driver runs: a text and its binds.

use std::sync::Arc;

use crate::value::{SqlType, Value};

/// A value and the type it is bound as, `NULL` included.
#[derive(Clone, Debug)]
pub(crate) struct Bind {
    pub(crate) value: Value,
    pub(crate) sql_type: SqlType,
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
}

impl Statement {
    /// A statement without binds.
    pub(crate) fn plain(text: impl Into<Arc<str>>) -> Self {
        Self { text: text.into(), binds: Vec::new(), persistent: true, single_row: false }
    }
}
