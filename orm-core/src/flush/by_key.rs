//! Rows that lead to new rows by keys that were set by hand: dependencies that no link shows.

use std::collections::HashMap;

use super::work::{Parents, PlanValue, Work};
use crate::model::{ForeignKey, Table};
use crate::tracking::ObjectId;
use crate::value::Value;

/// Adds the parents that inserts and updates name by key to those that they are linked to.
pub(crate) fn find_parents(work: &mut Work) {
    let mut new_rows = KeyIndex::default();
    let mut found = Vec::new();
    for (at, insert) in work.inserts.iter().enumerate() {
        let parents = named(&mut new_rows, work, insert.table, &insert.columns, &insert.values);
        found.extend((!parents.is_empty()).then_some((at, parents)));
    }
    let mut found_by_updates = Vec::new();
    for (at, update) in work.updates.iter().enumerate() {
        let parents = named(&mut new_rows, work, update.table, &update.columns, &update.values);
        found_by_updates.extend((!parents.is_empty()).then_some((at, parents)));
    }
    for (at, named) in found {
        extend(&mut work.inserts[at].parents, named);
    }
    for (at, named) in found_by_updates {
        extend(&mut work.updates[at].parents, named);
    }
}

fn extend(parents: &mut Parents, named: Parents) {
    for (foreign_key, parent) in named {
        if !parents.iter().any(|(known, _)| *known == foreign_key) {
            parents.push((foreign_key, parent));
        }
    }
}

/// Rows by the values of the columns that a foreign key references: found once per such columns.
pub(super) struct KeyIndex<R>(Vec<RowsByKey<R>>);

struct RowsByKey<R> {
    table: &'static Table,
    referenced: &'static [usize],
    rows: HashMap<Vec<Value>, R>,
}

impl<R> Default for KeyIndex<R> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<R> KeyIndex<R> {
    /// The rows that a foreign key may lead to; the first call for what it references finds them.
    pub(super) fn rows(
        &mut self,
        foreign_key: &'static ForeignKey,
        find: impl FnOnce() -> HashMap<Vec<Value>, R>,
    ) -> &HashMap<Vec<Value>, R> {
        let (table, referenced) = (foreign_key.target(), foreign_key.referenced());
        let known_as =
            |other: &RowsByKey<R>| other.table == table && other.referenced == referenced;
        let place = self.0.iter().position(known_as).unwrap_or_else(|| {
            self.0.push(RowsByKey { table, referenced, rows: find() });
            self.0.len() - 1
        });
        &self.0[place].rows
    }
}

/// The new rows that a row of this table names by its foreign keys.
fn named(
    new_rows: &mut KeyIndex<ObjectId>,
    work: &Work,
    table: &'static Table,
    columns: &[usize],
    values: &[PlanValue],
) -> Parents {
    let mut named = Parents::new();
    for foreign_key in table.foreign_keys() {
        let rows = new_rows.rows(foreign_key, || new_rows_by_key(work, foreign_key));
        if !rows.is_empty()
            && let Some(key) = known(columns, values, foreign_key.columns())
            && let Some(&parent) = rows.get(&key)
        {
            named.push((foreign_key, parent));
        }
    }
    named
}

/// The new rows of the table that a foreign key leads to, by what it references, as far as that is
/// known.
fn new_rows_by_key(work: &Work, foreign_key: &ForeignKey) -> HashMap<Vec<Value>, ObjectId> {
    let inserts = work.inserts.iter().filter(|insert| insert.table == foreign_key.target());
    let rows = inserts.filter_map(|insert| {
        Some((known(&insert.columns, &insert.values, foreign_key.referenced())?, insert.object))
    });
    rows.collect()
}

/// The values of these columns, if all of them are given, known and not NULL.
pub(super) fn known(
    columns: &[usize],
    values: &[PlanValue],
    wanted: &[usize],
) -> Option<Vec<Value>> {
    let value = |column: &usize| {
        let at = columns.iter().position(|given| given == column)?;
        match &values[at] {
            PlanValue::Known(value) if !value.is_null() => Some(value.clone()),
            _ => None,
        }
    };
    wanted.iter().map(value).collect()
}
