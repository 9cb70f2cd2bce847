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
    /// The columns of a unique key: a row whose values in them exist is left as it is. Empty where
    /// that is an error.
    pub(crate) skip_existing: Vec<usize>,
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
