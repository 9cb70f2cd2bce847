//! Writes as trees: those of a flush, many rows of one shape in one statement, and those of the rows
//! that a condition finds.

use super::expr::Expr;
use crate::model::Table;
use crate::value::Value;

/// Rows of one shape to insert.
#[derive(Clone, Debug)]
pub(crate) struct InsertRows {
    pub(crate) table: &'static Table,
    /// The columns that are given; the others are left to the server. May be empty.
    pub(crate) columns: Vec<usize>,
    pub(crate) rows: usize,
    /// Row after row, one value per column.
    pub(crate) values: Vec<Value>,
    /// The columns to read back, in this order, per row.
    pub(crate) returning: Vec<usize>,
    pub(crate) on_conflict: OnConflict,
}

/// What becomes of a row whose values in a unique key exist already.
#[derive(Clone, Debug)]
pub(crate) enum OnConflict {
    /// It is an error.
    Fail,
    /// The row that exists is left as it is, if it exists by this key.
    Skip(Vec<usize>),
    /// The row that exists is updated.
    Update(Box<UpdateExisting>),
}

impl OnConflict {
    /// Skips rows that exist by the key; an empty key is none.
    pub(crate) fn skip(key: Vec<usize>) -> Self {
        if key.is_empty() { Self::Fail } else { Self::Skip(key) }
    }
}

/// An UPDATE of the rows of an INSERT that exist already. Column references mean the row that
/// exists, [`Expr::Excluded`] the one that was to be inserted.
#[derive(Clone, Debug)]
pub(crate) struct UpdateExisting {
    /// The columns of the unique key by which a row exists.
    pub(crate) key: Vec<usize>,
    pub(crate) assignments: Vec<(usize, Expr)>,
    /// Which of the rows that exist are updated; the others are left as they are.
    pub(crate) filter: Option<Expr>,
}

/// Rows of one table in which the same columns change.
#[derive(Clone, Debug)]
pub(crate) struct UpdateRows {
    pub(crate) table: &'static Table,
    /// The columns that find the row: the primary key, and the version if there is one.
    pub(crate) key: Vec<usize>,
    /// The columns that get a value of the row's own.
    pub(crate) set: Vec<usize>,
    /// The columns that get the same expression in every row: `on_update`, the version's bump,
    /// an expression that the user assigned. Column references in it mean the old row.
    pub(crate) expressions: Vec<(usize, Expr)>,
    pub(crate) rows: usize,
    /// Row after row: the values of `key`, then those of `set`.
    pub(crate) values: Vec<Value>,
    /// The columns to read back, in this order, per row; the rows come in any order.
    pub(crate) returning: Vec<usize>,
}

/// Rows of one table to delete.
#[derive(Clone, Debug)]
pub(crate) struct DeleteRows {
    pub(crate) table: &'static Table,
    /// The columns that find the row.
    pub(crate) key: Vec<usize>,
    pub(crate) rows: usize,
    /// Row after row, one value per column of `key`.
    pub(crate) values: Vec<Value>,
    /// The columns to read back, in this order, per row; the rows come in any order.
    pub(crate) returning: Vec<usize>,
}

/// An UPDATE of the rows that a condition finds.
#[derive(Clone, Debug)]
pub(crate) struct UpdateWhere {
    pub(crate) table: &'static Table,
    /// The columns that get the same value in every row.
    pub(crate) values: Vec<(usize, Value)>,
    /// The columns that get the same expression in every row. Column references in it mean the old
    /// row.
    pub(crate) expressions: Vec<(usize, Expr)>,
    /// Which rows; `None` for all.
    pub(crate) filter: Option<Expr>,
    /// The columns to read back, in this order, per row.
    pub(crate) returning: Vec<usize>,
}

/// A DELETE of the rows that a condition finds.
#[derive(Clone, Debug)]
pub(crate) struct DeleteWhere {
    pub(crate) table: &'static Table,
    /// Which rows; `None` for all.
    pub(crate) filter: Option<Expr>,
    /// The columns to read back, in this order, per row.
    pub(crate) returning: Vec<usize>,
}
