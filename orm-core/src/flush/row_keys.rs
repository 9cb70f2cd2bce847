//! The primary keys of the rows of a statement: those that are given, those that rows have
//! afterwards, and those that have to be made before.

use super::returned::Returned;
use crate::driver::Connection;
use crate::error::Result;
use crate::model::Table;
use crate::sql::{Dialect, render_defaults};
use crate::value::Value;

/// The primary keys of new rows, where only they tell the rows apart that come back.
pub(super) fn given_keys(
    table: &Table,
    columns: &[usize],
    values: &[Value],
    returning: &[usize],
) -> Option<Vec<Vec<Value>>> {
    let is_one_row = values.len() <= columns.len();
    if is_one_row { None } else { primary_keys(table, columns, values, returning) }
}

/// The primary keys of new rows, where anything is to be read of them and they are given.
pub(super) fn primary_keys(
    table: &Table,
    columns: &[usize],
    values: &[Value],
    returning: &[usize],
) -> Option<Vec<Vec<Value>>> {
    if returning.is_empty() {
        return None;
    }
    let places: Option<Vec<usize>> = table
        .primary_key()
        .iter()
        .map(|key| columns.iter().position(|column| column == key))
        .collect();
    let places = places?;
    let rows = values.chunks(columns.len());
    Some(rows.map(|row| places.iter().map(|&at| row[at].clone()).collect()).collect())
}

/// The key columns that the server would fill in without telling.
pub(super) fn keys_to_make(table: &Table, returning: &[usize]) -> Vec<usize> {
    let of_key = returning.iter().copied().filter(|column| table.primary_key().contains(column));
    of_key.filter(|&column| !table.columns()[column].autoincrement).collect()
}

/// As many values of a key column's default as there are rows, made by the server.
pub(super) async fn make_keys(
    connection: &mut Connection,
    table: &'static Table,
    column: usize,
    rows: usize,
) -> Result<Vec<Value>> {
    let statement = render_defaults(connection.dialect(), &table.columns()[column], rows)?;
    let mut made = Returned::new(table, &vec![column; rows]);
    connection.run_on(table, statement, &mut made).await?;
    Ok(made.values)
}

/// Rows with one more column at their end.
pub(super) fn with_column(values: Vec<Value>, width: usize, column: Vec<Value>) -> Vec<Value> {
    let mut wider = Vec::with_capacity(values.len() + column.len());
    let mut values = values.into_iter();
    for value in column {
        wider.extend(values.by_ref().take(width));
        wider.push(value);
    }
    wider
}

/// The primary keys that rows have after an UPDATE.
pub(super) fn keys_after(
    values: &[Value],
    key_columns: &[usize],
    columns: &[usize],
    table: &Table,
) -> Vec<Vec<Value>> {
    values
        .chunks(key_columns.len() + columns.len())
        .map(|row| {
            let primary_key = table.primary_key().iter().enumerate();
            primary_key
                .map(|(at, column)| match columns.iter().position(|other| other == column) {
                    Some(changed) => row[key_columns.len() + changed].clone(),
                    None => row[at].clone(),
                })
                .collect()
        })
        .collect()
}

/// Primary keys in the form in which they read back.
pub(super) fn as_stored(
    dialect: &dyn Dialect,
    table: &Table,
    mut keys: Vec<Vec<Value>>,
) -> Vec<Vec<Value>> {
    for key in &mut keys {
        for (value, &column) in key.iter_mut().zip(table.primary_key()) {
            if let Some(stored) = dialect.stored(&table.columns()[column], value) {
                *value = stored;
            }
        }
    }
    keys
}

/// The values that find each row.
pub(super) fn finding(values: &[Value], key_width: usize, per_row: usize) -> Vec<Vec<Value>> {
    values.chunks(per_row).map(|row| row[..key_width].to_vec()).collect()
}
