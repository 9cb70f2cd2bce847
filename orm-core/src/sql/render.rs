//! From trees to statements: the entry points of the folder.

use super::dialect::Dialect;
use super::dml::{DeleteRows, DeleteWhere, InsertRows, UpdateRows, UpdateWhere};
use super::select::Select;
use super::statement::Statement;
use super::writer::Writer;
use crate::error::{Error, Result};
use crate::model::ColumnDef;
use crate::value::{SqlType, Value};

/// A SELECT.
///
/// # Errors
/// If it refers to a table that isn't in it, or to a relationship that leads nowhere.
pub(crate) fn render_select(dialect: &dyn Dialect, select: &Select) -> Result<Statement> {
    let mut w = Writer::new(dialect);
    w.select(select)?;
    Ok(w.finish())
}

/// A SELECT that gives back a number.
pub(crate) fn render_echo(dialect: &dyn Dialect, number: i64) -> Statement {
    let mut w = Writer::new(dialect);
    w.push("SELECT ");
    w.bind(Value::Int(number), SqlType::I64);
    w.finish()
}

/// A SELECT of so many values of a column's default, beside each other in one row.
///
/// # Errors
/// [`Error::Misuse`](crate::Error::Misuse) if the column has none.
pub(crate) fn render_defaults(
    dialect: &dyn Dialect,
    column: &ColumnDef,
    values: usize,
) -> Result<Statement> {
    let default = column.facts.server_default.ok_or_else(|| {
        Error::misuse(format!("`{}` has no default that could be made before", column.name))
    })?;
    let mut w = Writer::new(dialect);
    w.push("SELECT ");
    for at in 0..values {
        w.push(if at == 0 { "(" } else { ", (" });
        w.push(dialect.authored(default));
        w.push(")");
    }
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

/// An UPDATE of the rows that a condition finds. The values move into the binds.
///
/// # Errors
/// If the condition or an expression refers to a table that isn't the statement's.
pub(crate) fn render_update_where(dialect: &dyn Dialect, update: UpdateWhere) -> Result<Statement> {
    let mut w = Writer::new(dialect);
    dialect.write_update_where(&mut w, update)?;
    Ok(w.finish())
}

/// A DELETE of the rows that a condition finds.
///
/// # Errors
/// If the condition refers to a table that isn't the statement's.
pub(crate) fn render_delete_where(dialect: &dyn Dialect, delete: DeleteWhere) -> Result<Statement> {
    let mut w = Writer::new(dialect);
    dialect.write_delete_where(&mut w, delete)?;
    Ok(w.finish())
}
