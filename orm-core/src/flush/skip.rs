//! INSERTs that leave out the rows that exist already, and which those were.

use std::collections::HashMap;

use super::execute::{Failure, Run};
use super::returned::Returned;
use crate::driver::Connection;
use crate::model::Table;
use crate::sql::{InsertRows, OnConflict, render_insert};
use crate::tracking::ObjectId;
use crate::value::Value;

impl Run {
    /// The unique key by which new rows of the table may exist already.
    pub(super) fn may_exist(&self, table: &Table) -> Option<&[usize]> {
        let skip = self.skip_existing.as_ref().filter(|skip| skip.table == table)?;
        Some(&skip.columns)
    }

    /// Inserts rows but for those whose unique values exist, also by a transaction that is still
    /// under way, for whose end the database waits. What comes back is what was inserted.
    pub(super) async fn insert_missing(
        &mut self,
        connection: &mut Connection,
        mut rows: InsertRows,
        objects: &[ObjectId],
        returning: &[usize],
        unique: &[usize],
    ) -> Result<(), Failure> {
        let (table, dialect) = (rows.table, connection.dialect());
        let keys: Vec<Option<Vec<Value>>> = rows
            .values
            .chunks(rows.columns.len())
            .map(|row| {
                let value_of = |column: &usize| {
                    let at = rows.columns.iter().position(|other| other == column)?;
                    let stored = dialect.stored(&table.columns()[*column], &row[at]);
                    Some(stored.unwrap_or_else(|| row[at].clone()))
                };
                unique.iter().map(value_of).collect()
            })
            .collect();
        rows.on_conflict = OnConflict::Skip(unique.to_vec());
        rows.returning = returning.iter().chain(unique).copied().collect();
        let mut inserted = Returned::new(table, &rows.returning);
        let width = rows.returning.len();
        let statement = render_insert(dialect, rows)?;
        connection.run_on(table, statement, &mut inserted).await?;
        let inserted: HashMap<&[Value], &[Value]> = inserted
            .values
            .chunks(width)
            .map(|row| {
                let (returned, key) = row.split_at(returning.len());
                (key, returned)
            })
            .collect();
        for (&object, key) in objects.iter().zip(&keys) {
            let Some(row) = key.as_ref().and_then(|key| inserted.get(key.as_slice())) else {
                self.outcome.skipped.push(object);
                continue;
            };
            for (&column, value) in returning.iter().zip(*row) {
                if self.may_be_waited_for(table, column) {
                    self.generated.insert((object, column), value.clone());
                }
                self.outcome.written.push(object, column, value.clone());
            }
            self.outcome.inserted.push(object);
        }
        Ok(())
    }
}
