//! Columns that a write gives back.

use super::{Projection, Selection};
use crate::error::{Error, Result};
use crate::model::{Model, Table};
use crate::sql::{ColumnRef, Expr, Source};
use crate::value::{Cells, Value, ValueCells};

/// The columns that a write gives back, and how a row is made of them.
pub(crate) struct ReturnedColumns<R> {
    table: &'static Table,
    /// Their positions, unless something else than a column was asked for.
    columns: Option<Vec<usize>>,
    decode: fn(&dyn Cells) -> Result<R>,
}

impl<R> ReturnedColumns<R> {
    /// The columns of a projection.
    pub(crate) fn new<M, P, At>(projection: P) -> Self
    where
        M: Model,
        P: Projection<(M, ()), At, Row = R, Owned = R>,
    {
        let table = M::__table();
        let mut selected = Selection::default();
        projection.__select(&mut selected);
        let position = |expr: Expr| match expr {
            Expr::Column(ColumnRef { column, source: Source::Scope, .. }) => Some(column),
            _ => None,
        };
        Self {
            table,
            columns: selected.columns.into_iter().map(position).collect(),
            decode: |cells| P::__decode(cells, &mut 0),
        }
    }

    /// The positions of the columns.
    ///
    /// # Errors
    /// `Misuse` if one is an expression, which not every database gives back.
    pub(crate) fn positions(&self) -> Result<&[usize]> {
        self.columns.as_deref().ok_or_else(|| {
            Error::misuse(format!(
                "a write of `{}` gives back columns, and no expressions",
                self.table.name(),
            ))
        })
    }

    /// The row made of these values.
    ///
    /// # Errors
    /// `Type` if they don't fit.
    pub(crate) fn decode(&self, values: &[Value]) -> Result<R> {
        (self.decode)(&ValueCells(values))
    }
}

impl<R> Clone for ReturnedColumns<R> {
    fn clone(&self) -> Self {
        Self { columns: self.columns.clone(), ..*self }
    }
}
