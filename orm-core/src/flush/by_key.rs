//! Rows that lead to new rows by keys that were set by hand: dependencies that no link shows.

use std::collections::HashMap;

use super::work::{PlanValue, Work};
use crate::model::{ForeignKey, Table};
use crate::tracking::ObjectId;
use crate::value::Value;

/// Adds the parents that inserts and updates name by key to those that they are linked to.
pub(crate) fn find_parents(work: &mut Work) {
    let mut new_rows = NewRows::default();
    let mut found = Vec::new();
    for (at, insert) in work.inserts.iter().enumerate() {
        let named = new_rows.named(work, insert.table, &insert.columns, &insert.values);
        found.push((at, named));
    }
    let mut found_by_updates = Vec::new();
    for (at, update) in work.updates.iter().enumerate() {
        let named = new_rows.named(work, update.table, &update.columns, &update.values);
        found_by_updates.push((at, named));
    }
    for (at, named) in found {
        extend(&mut work.inserts[at].parents, named);
    }
    for (at, named) in found_by_updates {
        extend(&mut work.updates[at].parents, named);
    }
}

type Parents = Vec<(&'static ForeignKey, ObjectId)>;

fn extend(parents: &mut Parents, named: Parents) {
    for (foreign_key, parent) in named {
        if !parents.iter().any(|(known, _)| *known == foreign_key) {
            parents.push((foreign_key, parent));
        }
    }
}

/// The new rows of each table that foreign keys lead to.
#[derive(Default)]
struct NewRows(Vec<RowsByKey>);

/// The new rows of a table by the values of the columns that a foreign key references, as far as
/// those are known.
struct RowsByKey {
    table: &'static Table,
    referenced: &'static [usize],
    rows: HashMap<Vec<Value>, ObjectId>,
}

impl NewRows {
    /// The new rows that a row of this table names by its foreign keys.
    fn named(
        &mut self,
        work: &Work,
        table: &'static Table,
        columns: &[usize],
        values: &[PlanValue],
    ) -> Parents {
        let mut named = Vec::new();
        for foreign_key in table.foreign_keys() {
            let rows = self.rows(work, foreign_key);
            if !rows.is_empty()
                && let Some(key) = known(columns, values, foreign_key.columns())
                && let Some(&parent) = rows.get(&key)
            {
                named.push((foreign_key, parent));
            }
        }
        named
    }

    fn rows(
        &mut self,
        work: &Work,
        foreign_key: &'static ForeignKey,
    ) -> &HashMap<Vec<Value>, ObjectId> {
        let (table, referenced) = (foreign_key.target(), foreign_key.referenced());
        let known_as = |other: &RowsByKey| other.table == table && other.referenced == referenced;
        let place = self.0.iter().position(known_as).unwrap_or_else(|| {
            let inserts = work.inserts.iter().filter(|insert| insert.table == table);
            let rows = inserts.filter_map(|insert| {
                Some((known(&insert.columns, &insert.values, referenced)?, insert.object))
            });
            self.0.push(RowsByKey { table, referenced, rows: rows.collect() });
            self.0.len() - 1
        });
        &self.0[place].rows
    }
}

/// The values of these columns, if all of them are given, known and not NULL.
fn known(columns: &[usize], values: &[PlanValue], wanted: &[usize]) -> Option<Vec<Value>> {
    let value = |column: &usize| {
        let at = columns.iter().position(|given| given == column)?;
        match &values[at] {
            PlanValue::Known(value) if !value.is_null() => Some(value.clone()),
            _ => None,
        }
    };
    wanted.iter().map(value).collect()
}
