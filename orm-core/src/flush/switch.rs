//! Row switch: a row that is deleted and added again with the same primary key is updated.

use std::collections::HashMap;

use super::by_key::known;
use super::detect::sort_by_key;
use super::shapes::generated;
use super::work::{Delete, Insert, PlanValue, Update, Work};
use crate::model::{PassiveDeletes, Table};
use crate::tracking::{ObjectId, ObjectMap, ObjectSet, Store};
use crate::value::Value;

/// Turns each delete and insert of one primary key into an UPDATE of the row. (SQLAlchemy's word
/// for it is *row switch*.)
pub(crate) fn switch_rows(store: &Store, work: &mut Work) {
    if work.inserts.is_empty() || work.deletes.is_empty() {
        return;
    }
    let mut deleted: HashMap<(&'static Table, Vec<Value>), usize> = HashMap::new();
    for (at, delete) in work.deletes.iter().enumerate() {
        if !leaves_children_to_the_database(store, delete) {
            let key = delete.key[..delete.table.primary_key().len()].to_vec();
            deleted.insert((delete.table, key), at);
        }
    }
    let mut switched: HashMap<usize, usize> = HashMap::new();
    for (at, insert) in work.inserts.iter().enumerate() {
        let key = known(&insert.columns, &insert.values, insert.table.primary_key());
        if let Some(key) = key
            && let Some(delete) = deleted.remove(&(insert.table, key))
        {
            switched.insert(at, delete);
        }
    }
    if switched.is_empty() {
        return;
    }
    let mut inserts = Vec::with_capacity(work.inserts.len());
    for (at, insert) in std::mem::take(&mut work.inserts).into_iter().enumerate() {
        let Some(delete) = switched.get(&at).map(|&delete| &work.deletes[delete]) else {
            inserts.push(insert);
            continue;
        };
        work.switched.push((delete.object, insert.object));
        work.updates.push(update(store, insert, delete));
    }
    work.inserts = inserts;
    sort_by_key(&mut work.updates);
    let gone: ObjectSet = work.switched.iter().map(|(gone, _)| *gone).collect();
    work.deletes.retain(|delete| !gone.contains(&delete.object));
    know_kept_values(store, work);
}

/// Whether the database is trusted to act on children: that takes a DELETE.
fn leaves_children_to_the_database(store: &Store, delete: &Delete) -> bool {
    delete.table.relationships().iter().any(|relationship| match relationship.left_to_database() {
        PassiveDeletes::Never => false,
        PassiveDeletes::Unloaded => store.members(delete.object, relationship).is_none(),
        PassiveDeletes::All => true,
    })
}

/// The UPDATE that makes the one object's row the other's. Columns that nobody gave a value keep
/// what the row has, and are read back.
fn update(store: &Store, insert: Insert, delete: &Delete) -> Update {
    let table = insert.table;
    let mut columns = Vec::new();
    let mut values = Vec::new();
    for (column, value) in insert.columns.iter().copied().zip(insert.values) {
        let is_given = insert.linked.contains(column) || !store.is_unset(insert.object, column);
        if is_given && !table.primary_key().contains(&column) && table.version() != Some(column) {
            columns.push(column);
            values.push(value);
        }
    }
    let generated = generated(table, |at| columns.contains(&at));
    if columns.is_empty() && generated.is_empty() {
        // A row that is nothing but its key: it is to be there all the same.
        columns.push(table.primary_key()[0]);
        values.push(PlanValue::Known(delete.key[0].clone()));
    }
    let is_written = |column: &usize| {
        columns.contains(column)
            || table.primary_key().contains(column)
            || generated.iter().any(|(other, _)| other == column)
    };
    let kept = (0..table.columns().len()).filter(|column| !is_written(column)).collect();
    Update {
        key_columns: delete.key_columns.clone(),
        key: delete.key.iter().cloned().map(PlanValue::Known).collect(),
        linked: insert.linked,
        generated,
        parents: insert.parents,
        reason: Some("takes the place of a deleted row with the same key".to_owned()),
        replaces: Some(delete.object),
        kept,
        columns: columns.into(),
        values,
        ..Update::nothing(insert.object, table)
    }
}

/// Rows that wait for a column of a new object that keeps what the row had need not wait.
fn know_kept_values(store: &Store, work: &mut Work) {
    let rows: ObjectMap<ObjectId> = work.switched.iter().map(|&(gone, new)| (new, gone)).collect();
    let inserted = work.inserts.iter_mut().map(|insert| &mut insert.values);
    let updated = work.updates.iter_mut().map(|update| &mut update.values);
    let paired = work.pair_inserts.iter_mut().map(|pair| &mut pair.values);
    for value in inserted.chain(updated).chain(paired).flatten() {
        if let PlanValue::KeyOf(object, column) = value
            && let Some(&row) = rows.get(object)
        {
            *value = PlanValue::Known(store.database_value(row, *column));
        }
    }
}
