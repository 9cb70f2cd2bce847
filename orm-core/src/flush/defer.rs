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
    insert.linked.retain(|column| !foreign_key.columns().contains(column));
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
    let key_columns = insert.table.primary_key().to_vec();
    let key = key_columns
        .iter()
        .map(|column| {
            let given = insert.columns.iter().position(|other| other == column);
            given.map_or(PlanValue::KeyOf(insert.object, *column), |at| insert.values[at].clone())
        })
        .collect();
    Some(Deferred(Update {
        object: insert.object,
        table: insert.table,
        key_columns,
        key,
        linked: columns.clone(),
        columns,
        values,
        generated: Vec::new(),
        assigned: Vec::new(),
        parents: Vec::new(),
        reason: Some(reason.to_owned()),
    }))
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

/// Puts the deferred updates right after the last insert of the flush.
pub(super) fn insert_deferred(
    work: &mut Work,
    deferred: Vec<Deferred>,
    steps: &mut Vec<OrderedStep>,
) {
    let place = steps
        .iter()
        .rposition(|step| step.operation == Operation::Insert)
        .map_or(0, |last| last + 1);
    let mut by_table: Vec<OrderedStep> = Vec::new();
    for Deferred(update) in deferred {
        let (table, row) = (update.table, work.updates.len());
        let reason = update.reason.clone().unwrap_or_default();
        work.updates.push(update);
        match by_table.iter_mut().find(|step| step.table == table) {
            Some(step) => step.rows.push(row),
            None => by_table.push(OrderedStep {
                table,
                operation: Operation::Update,
                rows: vec![row],
                reason,
            }),
        }
    }
    steps.splice(place..place, by_table);
}
