//! What the database filled in, where its statements don't give it back: one SELECT per table, at
//! the end of the flush or as soon as something waits for it.

use std::collections::HashMap;

use super::returned::Returned;
use crate::driver::Connection;
use crate::error::{Error, Result};
use crate::model::Table;
use crate::sql::{ColumnRef, Expr, RowLock, Select};
use crate::tracking::ObjectId;
use crate::value::Value;

/// Columns that are to be read, by table.
#[derive(Debug, Default)]
pub(super) struct ReadBack {
    tables: Vec<(&'static Table, Vec<Wanted>)>,
}

/// What is to be read of one object's row.
#[derive(Debug)]
struct Wanted {
    object: ObjectId,
    key: Vec<Value>,
    columns: Vec<usize>,
}

impl ReadBack {
    /// Remembers columns of a row to be read.
    pub(super) fn want(
        &mut self,
        table: &'static Table,
        object: ObjectId,
        key: Vec<Value>,
        columns: &[usize],
    ) {
        let wanted = Wanted { object, key, columns: columns.to_vec() };
        match self.tables.iter_mut().find(|(other, _)| *other == table) {
            Some((_, all)) => all.push(wanted),
            None => self.tables.push((table, vec![wanted])),
        }
    }

    /// Whether nothing is to be read.
    pub(super) fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// Reads everything: the objects, their columns and what these hold. Rows that the flush has
    /// deleted again are passed over.
    ///
    /// # Errors
    /// The database's; if a row is missing that was written.
    pub(super) async fn read(
        &mut self,
        connection: &mut Connection,
        deleted: &[ObjectId],
    ) -> Result<Vec<(ObjectId, usize, Value)>> {
        let mut read = Vec::new();
        for (table, wanted) in std::mem::take(&mut self.tables) {
            let mut columns: Vec<usize> =
                wanted.iter().flat_map(|wanted| wanted.columns.iter().copied()).collect();
            columns.sort_unstable();
            columns.dedup();
            let keys = wanted.iter().map(|wanted| wanted.key.clone()).collect();
            let rows = rows_by_key(connection, table, &columns, keys).await?;
            for Wanted { object, key, columns: of_object } in wanted {
                let Some(row) = rows.get(&key) else {
                    if deleted.contains(&object) {
                        continue;
                    }
                    return Err(missing_row(table));
                };
                for (column, value) in columns.iter().zip(row) {
                    if of_object.contains(column) {
                        read.push((object, *column, value.clone()));
                    }
                }
            }
        }
        Ok(read)
    }
}

/// What was just written has gone away.
pub(super) fn missing_row(table: &Table) -> Error {
    Error::Database {
        code: None,
        message: format!("a row that was written to `{}` is not there", table.name()),
    }
}

/// Values of rows, by those of a key of theirs.
pub(super) type RowsByKey = HashMap<Vec<Value>, Vec<Value>, foldhash::fast::RandomState>;

/// The values of columns, by primary key, of the rows that are there.
pub(super) async fn rows_by_key(
    connection: &mut Connection,
    table: &'static Table,
    columns: &[usize],
    keys: Vec<Vec<Value>>,
) -> Result<RowsByKey> {
    rows_by(connection, table, table.primary_key(), columns, keys, None).await
}

/// The values of columns, by a unique key, of the rows that are there.
pub(super) async fn rows_by(
    connection: &mut Connection,
    table: &'static Table,
    key: &[usize],
    columns: &[usize],
    keys: Vec<Vec<Value>>,
    lock: Option<RowLock>,
) -> Result<RowsByKey> {
    let all: Vec<usize> = key.iter().chain(columns).copied().collect();
    let mut rows = HashMap::default();
    // Half of what a statement takes leaves room for its other binds.
    let most = (connection.dialect().max_binds() / 2 / key.len().max(1)).max(1);
    for keys in keys.chunks(most) {
        let scoped = |column: &usize| ColumnRef::scoped(table, *column);
        let mut select = Select::from(table);
        select.columns = all.iter().map(|at| (Expr::Column(scoped(at)), None)).collect();
        let columns = key.iter().map(scoped).collect();
        select.and_filter(Expr::Keys { columns, keys: keys.to_vec() });
        select.lock = lock;
        let statement = connection.render(&select)?;
        let mut returned = Returned::new(table, &all);
        connection.run_on(table, statement, &mut returned).await?;
        for row in returned.values.chunks(all.len()) {
            let (key, values) = row.split_at(key.len());
            rows.insert(key.to_vec(), values.to_vec());
        }
    }
    Ok(rows)
}
