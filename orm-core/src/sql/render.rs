//! From trees to statements: the entry points of the folder.

use super::dialect::Dialect;
use super::dml::{DeleteRows, InsertRows, UpdateRows};
use super::expr::Expr;
use super::select::Select;
use super::statement::Statement;
use super::writer::Writer;
use crate::error::Result;
use crate::model::Table;

/// A SELECT.
///
/// # Errors
/// If it refers to a table that isn't in it, or to a relationship that leads nowhere.
pub(crate) fn render_select(dialect: &dyn Dialect, select: &Select) -> Result<Statement> {
    let mut w = Writer::new(dialect);
    w.select(select)?;
    Ok(w.finish())
}

/// An INSERT of rows of one shape. The values move into the binds.
///
/// # Errors
/// If there is not one value per row and column.
pub(crate) fn render_insert(dialect: &dyn Dialect, rows: InsertRows) -> Result<Statement> {
    let mut w = Writer::new(dialect);
    dialect.write_insert(&mut w, rows)?;
    Ok(w.finish())
}

/// An UPDATE of rows by key. The values move into the binds.
///
/// # Errors
/// If there is not one value per row and column, or an expression refers to another table.
pub(crate) fn render_update(dialect: &dyn Dialect, rows: UpdateRows) -> Result<Statement> {
    let mut w = Writer::new(dialect);
    dialect.write_update(&mut w, rows)?;
    Ok(w.finish())
}

/// A DELETE of rows by key. The values move into the binds.
///
/// # Errors
/// If there is not one value per row and column.
pub(crate) fn render_delete(dialect: &dyn Dialect, rows: DeleteRows) -> Result<Statement> {
    let mut w = Writer::new(dialect);
    dialect.write_delete(&mut w, rows)?;
    Ok(w.finish())
}

/// `UPDATE t SET … WHERE …`, whatever rows that are.
///
/// # Errors
/// If an expression refers to a table that isn't in scope.
pub(crate) fn render_update_where(
    dialect: &dyn Dialect,
    table: &'static Table,
    assignments: &[(usize, Expr)],
    filter: Option<&Expr>,
    returning: &[usize],
) -> Result<Statement> {
    let mut w = Writer::new(dialect);
    w.push("UPDATE ");
    w.table_path(table);
    w.push(" SET ");
    w.assignments(table, assignments, "")?;
    w.filter_and_returning(table, filter, returning)?;
    Ok(w.finish())
}

/// `DELETE FROM t WHERE …`, whatever rows that are.
///
/// # Errors
/// If the condition refers to a table that isn't in scope.
pub(crate) fn render_delete_where(
    dialect: &dyn Dialect,
    table: &'static Table,
    filter: Option<&Expr>,
    returning: &[usize],
) -> Result<Statement> {
    let mut w = Writer::new(dialect);
    w.push("DELETE FROM ");
    w.table_path(table);
    w.filter_and_returning(table, filter, returning)?;
    Ok(w.finish())
}
