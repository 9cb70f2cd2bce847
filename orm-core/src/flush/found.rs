//! Rows that are found by a key which the same flush changes: their statements come after the
//! UPDATE that changes it.

use super::order::Operation;
use super::rekey::{Follower, Way};
use super::work::{Update, Work};
use crate::model::Table;
use crate::tracking::{ObjectId, ObjectMap};

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
    if work.updates.is_empty() {
        return found;
    }
    let changed = Changed::new(work);
    let mut note = |table, operation, by: Option<&'static Table>| {
        let entry = by.map(|by| Found { table, operation, by });
        found.extend(entry.filter(|entry| !found.contains(entry)));
    };
    let follows = !changed.followed.is_empty();
    if follows {
        for update in &work.updates {
            for &column in update.table.primary_key() {
                note(update.table, Operation::Update, changed.by(update.row(), column, false));
            }
        }
        for delete in &work.deletes {
            for &column in delete.table.primary_key() {
                note(delete.table, Operation::Delete, changed.by(delete.object, column, false));
            }
        }
    }
    for row in &work.pair_deletes {
        for (foreign_key, side) in row.pair.foreign_keys() {
            for &column in foreign_key.referenced() {
                note(row.pair.table, Operation::Unpair, changed.by(side, column, true));
            }
        }
    }
    if follows {
        for clear in &work.clears {
            for &object in &clear.objects {
                for &column in clear.foreign_key.referenced() {
                    note(clear.table, Operation::Unpair, changed.by(object, column, false));
                }
            }
        }
    }
    found
}

/// Who follows whom by the database's own way, and which rows are updated, by object.
struct Changed<'w> {
    followed: ObjectMap<Vec<&'w Follower>>,
    updates: ObjectMap<&'w Update>,
}

impl<'w> Changed<'w> {
    fn new(work: &'w Work) -> Self {
        let mut followed: ObjectMap<Vec<&Follower>> = ObjectMap::default();
        for follower in work.followers.iter().filter(|it| it.way == Way::Database) {
            followed.entry(follower.child).or_default().push(follower);
        }
        let mut updates = ObjectMap::default();
        if !followed.is_empty() || !work.pair_deletes.is_empty() {
            updates = work.updates.iter().map(|update| (update.object, update)).collect();
        }
        Self { followed, updates }
    }

    /// The table of which an UPDATE changes this column of a row: by the database, which gives it
    /// the new key, or, if `itself` counts, by writing the column.
    fn by(&self, object: ObjectId, column: usize, itself: bool) -> Option<&'static Table> {
        let (mut object, mut column) = (object, column);
        let mut passed = vec![(object, column)];
        while let Some(next) = self.origin(object, column)
            && !passed.contains(&next)
        {
            passed.push(next);
            (object, column) = next;
        }
        if passed.len() == 1 && !itself {
            return None;
        }
        let update = self.updates.get(&object)?;
        let writes = update.columns.contains(&column)
            || update.assigned.iter().any(|(assigned, _)| *assigned == column);
        writes.then_some(update.table)
    }

    /// The column of another row that the database copies into this one.
    fn origin(&self, object: ObjectId, column: usize) -> Option<(ObjectId, usize)> {
        self.followed.get(&object)?.iter().find_map(|it| {
            let at = it.foreign_key.columns().iter().position(|other| *other == column)?;
            Some((it.parent, it.foreign_key.referenced()[at]))
        })
    }
}
