//! The forms of writes that several dialects share.

use super::padded_rows;
use crate::error::{Error, Result};
use crate::model::Table;
use crate::sql::dml::{DeleteRows, DeleteWhere, InsertRows, OnConflict, UpdateRows, UpdateWhere};
use crate::sql::expr::{ColumnRef, Expr};
use crate::sql::select::Select;
use crate::sql::writer::Writer;
use crate::value::{SqlType, Value};

/// The table of the keys that a condition finds. Unlikely to be a user's table, which it would hide.
const FOUND: &str = "orm_found";

/// `INSERT INTO t (a, b) VALUES (?, ?), (?, ?) RETURNING …`.
pub(super) fn write_insert(w: &mut Writer<'_>, rows: InsertRows) -> Result<()> {
    let InsertRows { table, columns, rows, values, returning, on_conflict } = rows;
    w.push("INSERT INTO ");
    w.table_path(table);
    if columns.is_empty() {
        write_defaults(w, table, rows)?;
    } else {
        w.push(" (");
        w.column_names(table, &columns);
        w.push(") VALUES ");
        write_tuples(w, &types(table, &columns), values, rows)?;
        w.set_rows(rows, columns.len());
    }
    w.dialect().write_on_conflict(w, table, on_conflict)?;
    write_returning(w, table, &returning);
    Ok(())
}

/// ` ON CONFLICT (key) DO UPDATE SET …`, and what the table of the new rows is called there.
pub(super) fn write_on_conflict(
    w: &mut Writer<'_>,
    table: &'static Table,
    on_conflict: OnConflict,
) -> Result<()> {
    let key = match &on_conflict {
        OnConflict::Fail => return Ok(()),
        OnConflict::Skip(key) => key,
        OnConflict::Update(update) => &update.key,
    };
    w.push(" ON CONFLICT (");
    w.column_names(table, key);
    let OnConflict::Update(update) = on_conflict else {
        w.push(") DO NOTHING");
        return Ok(());
    };
    w.push(") DO UPDATE SET ");
    w.knowing_excluded(|w| {
        w.assignments(table, &update.assignments, "")?;
        let Some(filter) = &update.filter else { return Ok(()) };
        w.push(" WHERE ");
        w.condition_on(table, filter)
    })
}

/// Rows that leave every column to the server. SQLite has no `DEFAULT` within VALUES, so that
/// several rows give one column what it would have got anyway.
fn write_defaults(w: &mut Writer<'_>, table: &Table, rows: usize) -> Result<()> {
    if rows == 1 {
        w.push(" DEFAULT VALUES");
        return Ok(());
    }
    let column = table
        .columns()
        .iter()
        .position(|column| column.is_generated() || column.facts.nullable)
        .ok_or_else(|| {
            Error::misuse(format!("a row of `{}` has no column that may be left out", table.name()))
        })?;
    let definition = &table.columns()[column];
    let value = match definition.facts.server_default {
        Some(sql) if !definition.autoincrement => w.dialect().authored(sql),
        _ => "NULL",
    };
    w.push(" (");
    w.column_name(definition);
    w.push(") VALUES ");
    for row in 0..rows {
        w.push(if row == 0 { "(" } else { ", (" });
        w.push(value);
        w.push(")");
    }
    w.set_rows(rows, 1);
    Ok(())
}

/// `UPDATE t SET a = ? WHERE id = ? RETURNING …`, for one row.
pub(super) fn write_update_of_one(w: &mut Writer<'_>, rows: UpdateRows) -> Result<()> {
    let UpdateRows { table, key, set, expressions, values, returning, .. } = rows;
    let mut keys = values;
    if keys.len() != key.len() + set.len() {
        return Err(arity(table));
    }
    let new = keys.split_off(key.len());
    w.push("UPDATE ");
    w.table_path(table);
    w.push(" SET ");
    let mut separator = "";
    for (&column, value) in set.iter().zip(new) {
        w.push(separator);
        w.column_name(&table.columns()[column]);
        w.push(" = ");
        w.bind_to(value, &table.columns()[column]);
        separator = ", ";
    }
    w.assignments(table, &expressions, separator)?;
    w.push(" WHERE ");
    write_key_of_one(w, table, &key, keys);
    write_returning(w, table, &returning);
    Ok(())
}

/// `DELETE FROM t WHERE id IN (?, ?) RETURNING …`.
pub(super) fn write_delete(
    composite_list: &str,
    max_binds: usize,
    w: &mut Writer<'_>,
    rows: DeleteRows,
) -> Result<()> {
    let DeleteRows { table, key, rows, values, returning } = rows;
    w.push("DELETE FROM ");
    w.table_path(table);
    w.push(" WHERE ");
    if rows == 1 && values.len() == key.len() {
        write_key_of_one(w, table, &key, values);
    } else if rows == 0 {
        w.push("1 = 0");
    } else {
        let names = |w: &mut Writer<'_>| {
            w.column_names(table, &key);
            Ok(())
        };
        let padded = padded_rows(rows, key.len(), max_binds);
        write_key_list(composite_list, w, names, &types(table, &key), values, padded)?;
    }
    write_returning(w, table, &returning);
    Ok(())
}

/// `UPDATE t SET a = ?, b = b + 1 WHERE … RETURNING …`, for the rows that a condition finds.
pub(super) fn write_update_where(w: &mut Writer<'_>, update: UpdateWhere) -> Result<()> {
    let UpdateWhere { table, values, expressions, filter, returning } = update;
    w.push("UPDATE ");
    w.table_path(table);
    w.push(" SET ");
    let mut separator = "";
    for (column, value) in values {
        w.push(separator);
        w.column_name(&table.columns()[column]);
        w.push(" = ");
        w.bind_to(value, &table.columns()[column]);
        separator = ", ";
    }
    w.assignments(table, &expressions, separator)?;
    write_where(w, table, filter)?;
    write_returning(w, table, &returning);
    Ok(())
}

/// `DELETE FROM t WHERE … RETURNING …`, for the rows that a condition finds.
pub(super) fn write_delete_where(w: &mut Writer<'_>, delete: DeleteWhere) -> Result<()> {
    let DeleteWhere { table, filter, returning } = delete;
    w.push("DELETE FROM ");
    w.table_path(table);
    write_where(w, table, filter)?;
    write_returning(w, table, &returning);
    Ok(())
}

/// ` WHERE …`, of a write. A subquery that reads the written table where the database doesn't let
/// it becomes a table of keys that is complete before the first row is written: DISTINCT keeps
/// it from being merged into the statement again.
pub(super) fn write_where(
    w: &mut Writer<'_>,
    table: &'static Table,
    filter: Option<Expr>,
) -> Result<()> {
    let Some(filter) = filter else { return Ok(()) };
    w.push(" WHERE ");
    if w.dialect().reads_what_it_writes() || !filter.asks_of(table) {
        return w.condition_on(table, &filter);
    }
    let mut found = Select::from(table);
    let key = table.primary_key().iter().map(|&column| ColumnRef::scoped(table, column));
    found.columns = key.map(|column| (Expr::Column(column), None)).collect();
    found.distinct = true;
    found.filter = Some(filter);
    w.push("(");
    w.column_names(table, table.primary_key());
    w.push(") IN (SELECT * FROM (");
    w.select(&found)?;
    w.push(") AS ");
    w.identifier(FOUND);
    w.push(")");
    Ok(())
}

/// `a = ? AND b = ?`.
fn write_key_of_one(w: &mut Writer<'_>, table: &Table, key: &[usize], values: Vec<Value>) {
    for (at, (&column, value)) in key.iter().zip(values).enumerate() {
        w.push(if at == 0 { "" } else { " AND " });
        w.column_name(&table.columns()[column]);
        w.push(" = ");
        w.bind_to(value, &table.columns()[column]);
    }
}

/// `a IN (?, ?)` or `(a, b) IN ((?, ?), (?, ?))`, padded to `padded` keys by repeating the last.
pub(super) fn write_key_list(
    composite_list: &str,
    w: &mut Writer<'_>,
    names: impl FnOnce(&mut Writer<'_>) -> Result<()>,
    types: &[SqlType],
    mut values: Vec<Value>,
    padded: usize,
) -> Result<()> {
    let last = values.len().saturating_sub(types.len());
    let missing = (padded * types.len()).saturating_sub(values.len());
    values.reserve(missing);
    for at in 0..missing {
        values.push(values[last + at % types.len()].clone());
    }
    if let [sql_type] = types {
        names(w)?;
        w.push(" IN (");
        for (at, value) in values.into_iter().enumerate() {
            w.push(if at == 0 { "" } else { ", " });
            w.bind(value, *sql_type);
        }
    } else {
        w.push("(");
        names(w)?;
        w.push(") IN ");
        w.push(composite_list);
        write_tuples(w, types, values, padded)?;
    }
    w.push(")");
    Ok(())
}

/// `(?, ?), (?, ?)`.
pub(super) fn write_tuples(
    w: &mut Writer<'_>,
    types: &[SqlType],
    values: Vec<Value>,
    rows: usize,
) -> Result<()> {
    if values.len() != types.len() * rows {
        return Err(Error::misuse(format!(
            "{rows} rows of {} columns need {} values, not {}",
            types.len(),
            types.len() * rows,
            values.len()
        )));
    }
    w.reserve(values.len());
    for (at, value) in values.into_iter().enumerate() {
        let column = at % types.len();
        w.push(match (at, column) {
            (0, _) => "(",
            (_, 0) => "), (",
            _ => ", ",
        });
        w.bind(value, types[column]);
    }
    w.push(")");
    Ok(())
}

/// ` RETURNING a, b`, if anything is to come back.
pub(super) fn write_returning(w: &mut Writer<'_>, table: &Table, returning: &[usize]) {
    for (at, &column) in returning.iter().enumerate() {
        w.push(if at == 0 { " RETURNING " } else { ", " });
        w.column_name(&table.columns()[column]);
        w.push(w.dialect().read_cast(&table.columns()[column]));
    }
}

/// The logical types of these columns.
pub(super) fn types(table: &Table, columns: &[usize]) -> Vec<SqlType> {
    columns.iter().map(|&column| table.columns()[column].logical_type()).collect()
}

/// A write whose values don't fit its columns: a mistake of ours.
pub(super) fn arity(table: &Table) -> Error {
    Error::misuse(format!("a write of `{}` has not one value per column", table.name()))
}
