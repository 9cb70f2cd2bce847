//! Rows that are found by a key which the same flush changes: their statements come after the
//! UPDATE that changes it.

use super::order::Operation;
use super::rekey::Way;
use super::work::Work;
use crate::model::Table;
use crate::tracking::ObjectId;

/// That an operation finds rows of a table by a key that an UPDATE of another changes.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Found {
    pub(super) table: &'static Table,
    pub(super) operation: Operation,
    /// The table of the key.
    pub(super) by: &'static Table,
}

/// Which operations find rows by changed keys, each once. Costs nothing where no key changes.
pub(super) fn find_found(work: &Work) -> Vec<Found> {
    let mut found = Vec::new();
    let mut note = |table, operation, by: Option<&'static Table>| {
        if let Some(by) = by {
            let entry = Found { table, operation, by };
            if !found.contains(&entry) {
                found.push(entry);
            }
        }
    };
    if work.updates.is_empty() {
        return found;
    }
    for update in &work.updates {
        for &column in update.table.primary_key() {
            let by = changed_by(work, update.row(), column, false);
            note(update.table, Operation::Update, by);
        }
    }
    for delete in &work.deletes {
        for &column in delete.table.primary_key() {
            let by = changed_by(work, delete.object, column, false);
            note(delete.table, Operation::Delete, by);
        }
    }
    for row in &work.pair_deletes {
        for (foreign_key, side) in row.pair.foreign_keys() {
            for &column in foreign_key.referenced() {
                let by = changed_by(work, side, column, true);
                note(row.pair.table, Operation::Unpair, by);
            }
        }
    }
    for clear in &work.clears {
        for &object in &clear.objects {
            for &column in clear.foreign_key.referenced() {
                let by = changed_by(work, object, column, false);
                note(clear.table, Operation::Unpair, by);
            }
        }
    }
    found
}

/// The table of which an UPDATE changes this column of a row: by the database, which gives it the
/// new key, or, if `itself` counts, by writing the column.
fn changed_by(
    work: &Work,
    object: ObjectId,
    column: usize,
    itself: bool,
) -> Option<&'static Table> {
    let (mut object, mut column) = (object, column);
    let mut passed = vec![(object, column)];
    let origin = |object: ObjectId, column: usize| {
        let mut followed = work
            .followers
            .iter()
            .filter(|follower| follower.child == object && follower.way == Way::Database);
        followed.find_map(|it| {
            let at = it.foreign_key.columns().iter().position(|other| *other == column)?;
            Some((it.parent, it.foreign_key.referenced()[at]))
        })
    };
    while let Some(next) = origin(object, column)
        && !passed.contains(&next)
    {
        passed.push(next);
        (object, column) = next;
    }
    if passed.len() == 1 && !itself {
        return None;
    }
    let mut updates = work.updates.iter();
    let update = updates.find(|update| {
        update.object == object
            && (update.columns.contains(&column)
                || update.assigned.iter().any(|(assigned, _)| *assigned == column))
    });
    update.map(|update| update.table)
}
