//! Unique values that change hands: which row gives one up that another takes in the same flush.

use std::collections::HashMap;

use super::by_key::known;
use super::order::{Operation, Row};
use super::work::{Insert, PlanValue, Update, Work};
use crate::model::Table;
use crate::tracking::{ObjectId, Store};
use crate::value::Value;

/// A row that takes the value that another gives up, in one unique key of their table. Databases
/// check these keys row by row: the one has to be written before the other, and by another statement.
#[derive(Debug)]
pub(super) struct Conflict {
    pub(super) table: &'static Table,
    /// The columns of the key.
    pub(super) key: &'static [usize],
    pub(super) freer: Row,
    pub(super) taker: Row,
}

/// Finds the rows that take what others give up. Costs nothing where no row gives anything up.
pub(super) fn find_conflicts(store: &Store, work: &Work) -> Vec<Conflict> {
    let mut conflicts = Vec::new();
    for table in tables_with_freers(work) {
        for key in unique_keys(table) {
            find_conflicts_of(store, work, table, key, &mut conflicts);
        }
    }
    conflicts
}

/// The tables of which rows are deleted or changed, each once.
fn tables_with_freers(work: &Work) -> Vec<&'static Table> {
    let mut tables: Vec<&'static Table> = Vec::new();
    let deleted = work.deletes.iter().map(|row| row.table);
    for table in deleted.chain(work.updates.iter().map(|row| row.table)) {
        // Rows of one table follow each other.
        if tables.last() != Some(&table) && !tables.contains(&table) {
            tables.push(table);
        }
    }
    tables
}

/// The primary key and the unique columns and groups of columns.
fn unique_keys(table: &'static Table) -> impl Iterator<Item = &'static [usize]> {
    let uniques = table.uniques().iter().map(|unique| unique.columns.as_slice());
    std::iter::once(table.primary_key()).chain(uniques)
}

fn find_conflicts_of(
    store: &Store,
    work: &Work,
    table: &'static Table,
    key: &'static [usize],
    conflicts: &mut Vec<Conflict>,
) {
    let deletes = of_table(&work.deletes, move |delete| delete.table == table);
    let updates = || of_table(&work.updates, move |row| row.table == table && changes(row, key));
    let inserts = || of_table(&work.inserts, move |insert| insert.table == table);
    if inserts().next().is_none() && updates().next().is_none() {
        return;
    }
    let mut freed: HashMap<Vec<Value>, Row, foldhash::fast::RandomState> = HashMap::default();
    for (at, delete) in deletes {
        let values = database_values(store, delete.object, key);
        freed.extend(values.map(|values| (values, Row::new(Operation::Delete, at))));
    }
    for (at, update) in updates() {
        let values = database_values(store, update.row(), key);
        freed.extend(values.map(|values| (values, Row::new(Operation::Update, at))));
    }
    if freed.is_empty() {
        return;
    }
    let mut take = |values: Option<Vec<Value>>, taker: Row| {
        if let Some(&freer) = values.and_then(|values| freed.get(&values))
            && freer != taker
        {
            conflicts.push(Conflict { table, key, freer, taker });
        }
    };
    for (at, update) in updates() {
        take(values_after(store, update, key), Row::new(Operation::Update, at));
    }
    for (at, insert) in inserts() {
        take(inserted_values(insert, key), Row::new(Operation::Insert, at));
    }
}

fn of_table<R>(rows: &[R], is_meant: impl Fn(&R) -> bool) -> impl Iterator<Item = (usize, &R)> {
    rows.iter().enumerate().filter(move |(_, row)| is_meant(row))
}

/// Whether an UPDATE writes any column of a key.
fn changes(update: &Update, key: &[usize]) -> bool {
    key.iter().any(|column| update.columns.contains(column) || is_computed(update, *column))
}

/// Whether the database computes what an UPDATE sets a column to.
fn is_computed(update: &Update, column: usize) -> bool {
    update.assigned.iter().chain(&update.generated).any(|(computed, _)| *computed == column)
}

/// The values of a key that a row has in the database. A key with NULL in it excludes nothing.
fn database_values(store: &Store, object: ObjectId, key: &[usize]) -> Option<Vec<Value>> {
    key.iter().map(|column| comparable(store.database_value(object, *column))).collect()
}

/// The values of a key that a row has after its UPDATE, if they are known by then.
fn values_after(store: &Store, update: &Update, key: &[usize]) -> Option<Vec<Value>> {
    let value = |&column: &usize| match update.columns.iter().position(|other| *other == column) {
        Some(at) => match &update.values[at] {
            PlanValue::Known(value) => comparable(value.clone()),
            PlanValue::KeyOf(..) => None,
        },
        None if is_computed(update, column) => None,
        None => comparable(store.database_value(update.row(), column)),
    };
    key.iter().map(value).collect()
}

/// The values of a key that a new row is given.
fn inserted_values(insert: &Insert, key: &[usize]) -> Option<Vec<Value>> {
    known(&insert.columns, &insert.values, key)?.into_iter().map(comparable).collect()
}

/// A value as unique keys compare it, unless it is NULL: the zeros behind a decimal tell no rows
/// apart.
fn comparable(value: Value) -> Option<Value> {
    match value {
        Value::Null => None,
        #[cfg(feature = "decimal")]
        Value::Decimal(decimal) => Some(Value::Decimal(decimal.normalize())),
        value => Some(value),
    }
}
