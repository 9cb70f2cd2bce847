//! Foreign keys that are written by an UPDATE after their row's INSERT.

use super::order::{Operation, OrderedStep};
use super::work::{Insert, PlanValue, Update, Work};
use crate::model::{ForeignKey, RelationshipKind};
use crate::tracking::{views_of_child, views_of_parent};
use crate::value::Value;

/// A foreign key that is written by an UPDATE after its row's INSERT.
pub(super) struct Deferred(Update);

/// Takes a foreign key out of an insert; the update that writes it later.
pub(super) fn defer(
    insert: &mut Insert,
    foreign_key: &'static ForeignKey,
    reason: &str,
) -> Option<Deferred> {
    insert.parents.retain(|(key, _)| *key != foreign_key);
    foreign_key.columns().iter().for_each(|column| insert.linked.remove(*column));
    let mut columns = Vec::new();
    let mut values = Vec::new();
    for (column, value) in insert.columns.iter().zip(&mut insert.values) {
        if foreign_key.columns().contains(column) {
            columns.push(*column);
            values.push(std::mem::replace(value, PlanValue::Known(Value::Null)));
        }
    }
    if columns.is_empty() {
        return None;
    }
    let key_columns = insert.table.primary_key();
    let key = key_columns
        .iter()
        .map(|column| {
            let given = insert.columns.iter().position(|other| other == column);
            given.map_or(PlanValue::KeyOf(insert.object, *column), |at| insert.values[at].clone())
        })
        .collect();
    Some(Deferred(Update {
        key_columns: key_columns.into(),
        key,
        linked: columns.iter().copied().collect(),
        columns: columns.into(),
        values,
        reason: Some(reason.to_owned()),
        ..Update::nothing(insert.object, insert.table)
    }))
}

/// Takes a foreign key out of an update; the update that writes it later. It finds the row by the
/// key that the first one leaves; what that does once (the version, `on_update`) isn't done twice.
pub(super) fn defer_update(
    update: &mut Update,
    foreign_key: &'static ForeignKey,
) -> Option<Deferred> {
    update.parents.retain(|(key, _)| *key != foreign_key);
    let mut later = Update::nothing(update.object, update.table);
    let is_late = |column: &usize| foreign_key.columns().contains(column);
    let (late, now): (Vec<usize>, Vec<usize>) = update.columns.iter().partition(|it| is_late(it));
    if late.is_empty() {
        return None;
    }
    let mut columns = update.columns.iter();
    let is_late_value = |_: &mut PlanValue| columns.next().is_some_and(is_late);
    later.values = update.values.extract_if(.., is_late_value).collect();
    for &column in &late {
        if update.linked.contains(column) {
            update.linked.remove(column);
            later.linked.insert(column);
        }
    }
    (update.columns, later.columns) = (now.into(), late.into());
    let mut key_columns = Vec::new();
    for (&column, old) in update.key_columns.iter().zip(&update.key) {
        if update.table.primary_key().contains(&column) {
            let changed = update.columns.iter().position(|other| *other == column);
            key_columns.push(column);
            later.key.push(changed.map_or(old, |at| &update.values[at]).clone());
        }
    }
    later.key_columns = key_columns.into();
    later.reason = Some("breaks a circle of rows".to_owned());
    Some(Deferred(later))
}

/// Relationships that ask for it are always written by an UPDATE of their own.
pub(super) fn defer_post_updates(work: &mut Work) -> Vec<Deferred> {
    let mut deferred = Vec::new();
    for insert in &mut work.inserts {
        let table = insert.table;
        let asks = |key: &'static ForeignKey| {
            views_of_child(table, key)
                .chain(
                    views_of_parent(table, key)
                        .filter(|view| view.kind() != RelationshipKind::ManyToMany),
                )
                .any(|view| view.is_post_update())
        };
        let keys: Vec<&'static ForeignKey> =
            insert.parents.iter().map(|(key, _)| *key).filter(|key| asks(key)).collect();
        for key in keys {
            deferred.extend(defer(insert, key, "`post_update`"));
        }
    }
    deferred
}

/// Puts the deferred updates at the end: nothing waits for them.
pub(super) fn append_deferred(
    work: &mut Work,
    deferred: Vec<Deferred>,
    steps: &mut Vec<OrderedStep>,
) {
    let first = steps.len();
    for Deferred(update) in deferred {
        let (table, row) = (update.table, work.updates.len());
        let reason = update.reason.clone().unwrap_or_default();
        work.updates.push(update);
        match steps[first..].iter_mut().find(|step| step.table == table) {
            Some(step) => step.rows.push(row),
            None => steps.push(OrderedStep {
                table,
                operation: Operation::Update,
                rows: vec![row],
                reason,
            }),
        }
    }
}
