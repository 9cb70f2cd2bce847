//! Unique values that change hands: which row gives one up that another takes in the same flush.

use std::borrow::Cow;
use std::hash::BuildHasher;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use smallvec::SmallVec;

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
    let updates = of_table(&work.updates, move |row| row.table == table && changes(row, key));
    let updates: Vec<(usize, &Update)> = updates.collect();
    let mut inserts = of_table(&work.inserts, move |insert| insert.table == table).peekable();
    if inserts.peek().is_none() && updates.is_empty() {
        return;
    }
    let values_of = |row: Row| freed_by(store, work, row, key);
    let mut freed = FreedValues::default();
    for (at, delete) in deletes {
        let values = database_values(store, delete.object, key);
        freed.insert(Row::new(Operation::Delete, at), values, values_of);
    }
    for (at, update) in &updates {
        let values = database_values(store, update.row(), key);
        freed.insert(Row::new(Operation::Update, *at), values, values_of);
    }
    if freed.rows.is_empty() {
        return;
    }
    let mut take = |values: Option<KeyValues<'_>>, taker: Row| {
        let freer = values.and_then(|values| freed.find(&values, values_of));
        if let Some(freer) = freer.filter(|freer| *freer != taker) {
            conflicts.push(Conflict { table, key, freer, taker });
        }
    };
    for (at, update) in &updates {
        take(values_after(store, update, key), Row::new(Operation::Update, *at));
    }
    for (at, insert) in inserts {
        take(inserted_values(insert, key), Row::new(Operation::Insert, at));
    }
}

/// The values of a key, as unique keys compare them.
type KeyValues<'v> = SmallVec<[Cow<'v, Value>; 1]>;

/// The rows that give values of a key up, by these values: their hashes are kept, and the values
/// themselves are looked at where two hashes are the same.
#[derive(Default)]
struct FreedValues {
    rows: HashTable<(u64, Row)>,
    hasher: foldhash::fast::RandomState,
}

impl FreedValues {
    /// Adds a row. The last of those that have the same values counts.
    fn insert<'v>(
        &mut self,
        row: Row,
        values: Option<KeyValues<'_>>,
        values_of: impl Fn(Row) -> Option<KeyValues<'v>>,
    ) {
        let Some(values) = values else { return };
        let hash = self.hasher.hash_one(&values);
        let is_it = |known: &(u64, Row)| {
            known.0 == hash && values_of(known.1).is_some_and(|other| other == values)
        };
        match self.rows.entry(hash, is_it, |(hash, _)| *hash) {
            Entry::Occupied(mut known) => known.get_mut().1 = row,
            Entry::Vacant(place) => {
                place.insert((hash, row));
            }
        }
    }

    fn find<'v>(
        &self,
        values: &KeyValues<'_>,
        values_of: impl Fn(Row) -> Option<KeyValues<'v>>,
    ) -> Option<Row> {
        let hash = self.hasher.hash_one(values);
        let is_it = |known: &(u64, Row)| {
            known.0 == hash && values_of(known.1).is_some_and(|other| other == *values)
        };
        self.rows.find(hash, is_it).map(|(_, row)| *row)
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
    update.computed().any(|computed| computed == column)
}

/// The values of a key that a row gives up.
fn freed_by<'v>(store: &'v Store, work: &Work, row: Row, key: &[usize]) -> Option<KeyValues<'v>> {
    let object = match row.operation {
        Operation::Delete => work.deletes[row.at].object,
        _ => work.updates[row.at].row(),
    };
    database_values(store, object, key)
}

/// The values of a key that a row has in the database. A key with NULL in it excludes nothing.
fn database_values<'v>(store: &'v Store, object: ObjectId, key: &[usize]) -> Option<KeyValues<'v>> {
    key.iter().map(|column| comparable(store.database_value_at(object, *column))).collect()
}

/// The values of a key that a row has after its UPDATE, if they are known by then.
fn values_after<'v>(store: &'v Store, update: &'v Update, key: &[usize]) -> Option<KeyValues<'v>> {
    let value = |&column: &usize| match update.columns.iter().position(|other| *other == column) {
        Some(at) => known_value(&update.values[at]),
        None if is_computed(update, column) => None,
        None => comparable(store.database_value_at(update.row(), column)),
    };
    key.iter().map(value).collect()
}

/// The values of a key that a new row is given.
fn inserted_values<'v>(insert: &'v Insert, key: &[usize]) -> Option<KeyValues<'v>> {
    let value = |column: &usize| {
        let at = insert.columns.iter().position(|given| given == column)?;
        known_value(&insert.values[at])
    };
    key.iter().map(value).collect()
}

fn known_value(value: &PlanValue) -> Option<Cow<'_, Value>> {
    match value {
        PlanValue::Known(value) => comparable(Cow::Borrowed(value)),
        PlanValue::KeyOf(..) => None,
    }
}

/// A value as unique keys compare it, unless it is NULL: the zeros behind a decimal tell no rows
/// apart.
fn comparable(value: Cow<'_, Value>) -> Option<Cow<'_, Value>> {
    match &*value {
        Value::Null => None,
        #[cfg(feature = "decimal")]
        Value::Decimal(decimal) => Some(Cow::Owned(Value::Decimal(decimal.normalize()))),
        _ => Some(value),
    }
}
