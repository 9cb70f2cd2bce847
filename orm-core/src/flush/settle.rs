//! Memory after a flush that succeeded: the only step that writes it.

use std::collections::HashSet;

use super::acted_upon::{Event, Row, expire_acted_upon};
use super::batch::Batched;
use super::execute::Outcome;
use super::rekey::{Follower, Way};
use crate::error::{Error, Result};
use crate::model::{ForeignKey, Key, Relationship, RelationshipKind};
use crate::tracking::{ObjectId, ObjectSet, Parent, State, Store, views_of_child, views_of_parent};
use crate::value::{SqlType, Value, ValueCells};

/// Updates memory to what the flush wrote.
pub(crate) fn settle(store: &mut Store, batched: Batched, mut outcome: Outcome) -> Result<()> {
    if !batched.batches.is_empty() {
        store.begin_tainting();
    }
    store.release(&batched.expunged);
    store.release(&outcome.skipped);
    // An object whose row is another's now is gone, but the row is not.
    let deleted_rows = outcome.deleted.len();
    unload_references(store, &batched.switched);
    for (gone, new) in batched.switched {
        outcome.deleted.push(gone);
        outcome.inserted.push(new);
    }
    // A row that was inserted and then updated to close a circle counts as inserted, one that was
    // updated to open a circle and then deleted as deleted, and one that was updated twice once.
    let deleted: ObjectSet = outcome.deleted.iter().copied().collect();
    let mut seen = ObjectSet::default();
    let updated: Vec<ObjectId> = outcome
        .updated
        .into_iter()
        .filter(|object| store.header(*object).state == State::Persistent)
        .filter(|object| !deleted.contains(object) && seen.insert(*object))
        .collect();
    let mut reassigned = reassigned_keys(store, &updated);
    let followers = batched.followers;
    // How everything was, before any of it changes.
    for &object in &updated {
        // What was changed is known by now, so that the journal can have the snapshot itself.
        let changes = store.header_mut(object).changes.as_mut();
        let snapshot = changes.and_then(|changes| changes.snapshot.take());
        let values = snapshot.unwrap_or_else(|| store.encode_all(object));
        store.journal.save_values(object, || values);
    }
    for follower in followers.iter().filter(|follower| follower.stays) {
        store.keep_values(follower.child);
    }
    let touched = std::mem::take(&mut store.touched);
    reassigned.extend(given_keys(store, &outcome.inserted));
    delete_all(store, &outcome.deleted);
    for (child, foreign_key) in batched.unlinked {
        unlink(store, child, foreign_key);
    }
    for &object in &updated {
        store.storage_mut(object).unindex(object.slot);
    }
    let learn = |object, column, value: &Value| decode(store, object, column, value);
    if let Err(error) = outcome.written.try_for_each(learn) {
        // The rollback that must follow needs to know what there is to be undone.
        store.touched = touched;
        return Err(error);
    }
    follow_keys(store, &followers, &updated);
    normalize(store, &touched);
    // Objects that still have the keys of rows which were just written: others have deleted their
    // rows, or a rollback has taken them.
    let mut rowless = Vec::new();
    for &object in outcome.inserted.iter().chain(&updated) {
        store.header_mut(object).state = State::Persistent;
        store.storage_mut(object).set_flushed(object.slot, true);
        let former = store.storage_mut(object).index(object.slot);
        rowless.extend(former.map(|slot| ObjectId { slot, ..object }));
    }
    let (gone, kept): (Vec<_>, Vec<_>) =
        touched.into_iter().partition(|object| deleted.contains(object));
    for object in kept {
        store.forget_changes(object);
    }
    store.pairs.settle();
    forget_cleared(store, &followers);
    for (object, foreign_key, old) in reassigned {
        follow_assigned_key(store, object, foreign_key, old);
    }
    make_peers(store, &outcome.inserted);
    // By which keys others referred to deleted rows is known until their changes are forgotten.
    let rows: Vec<Row> = outcome.deleted[..deleted_rows].iter().copied().map(Row::Object).collect();
    expire_acted_upon(store, Event::Deleted, &rows, None);
    for object in gone {
        store.forget_changes(object);
    }
    store.release(&rowless);
    Ok(())
}

/// Writes what a column of the row holds into memory, which may be unable to hold it.
pub(super) fn decode(
    store: &mut Store,
    object: ObjectId,
    column: usize,
    value: &Value,
) -> Result<()> {
    let cells = ValueCells(std::slice::from_ref(value));
    store.header_mut(object).admitted = false;
    let decoded = store.storage_mut(object).decode_column(object.slot, column, &cells, 0);
    decoded.map_err(|error| {
        let table = store.table(object);
        Error::at_column(table.name(), table.columns()[column].name, error)
    })
}

/// Objects to which the database gave the new key of the row that they refer to have it in memory
/// too. Rows whose keys lead to others come before them.
fn follow_keys(store: &mut Store, followers: &[Follower], updated: &[ObjectId]) {
    if followers.is_empty() {
        return;
    }
    let updated: ObjectSet = updated.iter().copied().collect();
    for follower in followers.iter().filter(|it| it.stays && it.way == Way::Database) {
        let Follower { child, foreign_key, parent, .. } = *follower;
        // What was updated is indexed anew with the others.
        let is_indexed = !updated.contains(&child);
        if is_indexed {
            store.storage_mut(child).unindex(child.slot);
        }
        for (&column, &referenced) in foreign_key.columns().iter().zip(foreign_key.referenced()) {
            let value = store.storage(parent).encode(parent.slot, referenced);
            store.write_column(child, column, &value);
        }
        if is_indexed {
            store.storage_mut(child).index(child.slot);
        }
    }
}

/// Objects whose reference the database cleared because the key changed that it led to.
fn forget_cleared(store: &mut Store, followers: &[Follower]) {
    for follower in followers.iter().filter(|it| it.stays && it.way == Way::Cleared) {
        let Follower { child, foreign_key, parent, .. } = *follower;
        for view in views_of_parent(store.table(child), foreign_key) {
            store.edit_view(parent, view, |field| field.unload());
        }
        store.expire(child);
        store.taint(child);
    }
}

/// Objects whose foreign key columns were assigned by hand, and where they led before.
fn reassigned_keys(
    store: &Store,
    updated: &[ObjectId],
) -> Vec<(ObjectId, &'static ForeignKey, Parent)> {
    let mut reassigned = Vec::new();
    for &object in updated {
        let Some(changes) = &store.header(object).changes else { continue };
        let Some(snapshot) = &changes.snapshot else { continue };
        for foreign_key in store.table(object).foreign_keys() {
            let is_computed =
                |column| changes.expressions.iter().any(|(other, _)| *other == column);
            let is_assigned = changes.link(foreign_key).is_none()
                && foreign_key.columns().iter().any(|&column| {
                    store.storage(object).encode(object.slot, column) != snapshot[column]
                        || is_computed(column)
                });
            if is_assigned {
                let old = store.database_parent(object, foreign_key);
                reassigned.push((object, foreign_key, old));
            }
        }
    }
    reassigned
}

/// New objects that were given a foreign key by its columns: collections that are loaded don't
/// show them.
fn given_keys(
    store: &Store,
    inserted: &[ObjectId],
) -> Vec<(ObjectId, &'static ForeignKey, Parent)> {
    let mut given = Vec::new();
    for &object in inserted {
        let Some(changes) = &store.header(object).changes else { continue };
        for foreign_key in store.table(object).foreign_keys() {
            let is_given = |column: &usize| {
                !store.is_unset(object, *column) && !store.database_value(object, *column).is_null()
            };
            if changes.link(foreign_key).is_none() && foreign_key.columns().iter().all(is_given) {
                // A parent that is new itself is found by its key only after the flush.
                given.push((object, foreign_key, Parent::Nowhere));
            }
        }
    }
    given
}

/// A foreign key that was assigned by hand: the reference is unloaded, and so are the collections
/// that the object may have left or entered.
pub(super) fn follow_assigned_key(
    store: &mut Store,
    object: ObjectId,
    foreign_key: &'static ForeignKey,
    old: Parent,
) {
    let table = store.table(object);
    for view in views_of_child(table, foreign_key) {
        store.edit_view(object, view, |field| field.unload());
    }
    let new = store.parent_of(object, foreign_key);
    for parent in [old, new] {
        if let Parent::Known(parent) = parent {
            for view in views_of_parent(table, foreign_key) {
                store.edit_view(parent, view, |field| field.unload());
            }
        }
    }
}

/// Objects whose rows were deleted: they leave every view, and return if it is undone.
pub(super) fn delete_all(store: &mut Store, deleted: &[ObjectId]) {
    for &object in deleted {
        store.keep_values(object);
        store.journal.save_state(object, State::Persistent);
    }
    leave_partners(store, deleted);
    store.leave_views(deleted);
    store.pairs.forget_all(&deleted.iter().copied().collect());
    for &object in deleted {
        delete(store, object);
    }
}

/// References to rows that are other objects' now are to be read anew: where they have no inverse,
/// nothing else tells who shows an object that is gone.
fn unload_references(store: &mut Store, switched: &[(ObjectId, ObjectId)]) {
    let gone: Vec<ObjectId> = switched.iter().map(|(gone, _)| *gone).collect();
    for (child, view, _) in views_showing(store, &gone, RelationshipKind::BelongsTo) {
        store.edit_view(child, view, |field| field.unload());
    }
}

/// Deleted objects leave the many-to-many collections of partners that their own side doesn't
/// show, because it is not loaded or not there.
fn leave_partners(store: &mut Store, deleted: &[ObjectId]) {
    for (partner, view, key) in views_showing(store, deleted, RelationshipKind::ManyToMany) {
        store.edit_view(partner, view, |field| field.remove(key));
    }
}

/// Who shows these objects in relationships of a kind, and which of them: one walk per relationship
/// that may.
fn views_showing(
    store: &Store,
    objects: &[ObjectId],
    kind: RelationshipKind,
) -> Vec<(ObjectId, &'static Relationship, Key)> {
    let mut by_arena: Vec<(u32, HashSet<Key>)> = Vec::new();
    for &object in objects {
        let key = store.key_of(object);
        match by_arena.iter_mut().find(|(arena, _)| *arena == object.arena) {
            Some((_, keys)) => {
                keys.insert(key);
            }
            None => by_arena.push((object.arena, HashSet::from([key]))),
        }
    }
    let mut showing = Vec::new();
    for (arena, keys) in by_arena {
        let target = store.arena_at(arena).table;
        for holders in store.arenas() {
            let views = store.arena_at(holders).table.relationships().iter();
            for view in views.filter(|view| view.kind() == kind && view.target() == target) {
                for slot in store.arena_at(holders).slots() {
                    let holder = ObjectId { arena: holders, slot };
                    let shown = store.storage(holder).relation(slot, view.index()).keys();
                    let shown = shown.into_iter().flatten().filter(|key| keys.contains(key));
                    showing.extend(shown.map(|key| (holder, view, key)));
                }
            }
        }
    }
    showing
}

/// A deleted object is found no more. Its slot and value stay until the commit.
fn delete(store: &mut Store, object: ObjectId) {
    store.storage_mut(object).unindex(object.slot);
    let header = store.header_mut(object);
    header.state = State::Deleted;
    header.marked_deleted = false;
    store.deleted.push(object);
}

/// A child that was cut off shows no parent.
fn unlink(store: &mut Store, child: ObjectId, foreign_key: &'static ForeignKey) {
    if !store.is_in_session(child) {
        return;
    }
    let key = store.key_of(child);
    for view in views_of_child(store.table(child), foreign_key) {
        store.edit_view(child, view, |field| field.load(key, &[]));
    }
}

/// Cuts what was assigned to what the database holds, also where that is no change.
fn normalize(store: &mut Store, objects: &[ObjectId]) {
    let cut = store.arenas().map(|arena| {
        let columns = store.arena_at(arena).table.columns().iter().enumerate();
        columns.filter(|(_, it)| may_be_cut(&it.logical_type())).map(|(at, _)| at).collect()
    });
    let cut: Vec<Vec<usize>> = cut.collect();
    for &object in objects {
        if store.is_in_session(object) {
            for &column in &cut[object.arena as usize] {
                store.storage_mut(object).normalize(object.slot, column);
            }
        }
    }
}

fn may_be_cut(sql_type: &SqlType) -> bool {
    match sql_type {
        SqlType::Time | SqlType::DateTime | SqlType::Timestamp => true,
        SqlType::F32 | SqlType::F64 => true,
        SqlType::Array(element) => may_be_cut(element),
        _ => false,
    }
}

/// The objects of one table that one flush inserted are each other's peers.
fn make_peers(store: &mut Store, inserted: &[ObjectId]) {
    let mut by_arena: Vec<(u32, Vec<u32>)> = Vec::new();
    for object in inserted {
        match by_arena.iter_mut().find(|(arena, _)| *arena == object.arena) {
            Some((_, slots)) => slots.push(object.slot),
            None => by_arena.push((object.arena, vec![object.slot])),
        }
    }
    for (arena, slots) in by_arena {
        store.make_peers(arena, slots);
    }
}
