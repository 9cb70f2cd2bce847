//! Objects that actions of the database, ON DELETE and ON UPDATE, may have changed or deleted when
//! a bulk statement ran: they are expired. (`on_delete` does so for the rows of a flush, of which
//! memory knows more.)

use std::collections::HashSet;

use crate::model::{Action, ForeignKey, Table};
use crate::tracking::{ObjectId, Parent, State, Store};
use crate::value::Value;

/// Rows that are gone from a table, by what they held in some columns.
pub(super) struct Gone {
    pub(super) table: &'static Table,
    pub(super) columns: Vec<usize>,
    pub(super) rows: HashSet<Vec<Value>>,
}

/// The foreign keys of objects in memory that refer to a table and have an ON DELETE action, with
/// the arenas of these objects.
pub(super) fn referrers(
    store: &Store,
    table: &'static Table,
) -> impl Iterator<Item = (u32, &'static ForeignKey)> {
    let acting = acting(store, |foreign_key| foreign_key.on_delete());
    acting.into_iter().filter(move |(_, foreign_key)| foreign_key.target() == table)
}

/// The columns of a table's rows that decide what their deletion does to objects in memory.
pub(super) fn deciding_columns(store: &Store, table: &'static Table) -> Vec<usize> {
    let mut columns = table.primary_key().to_vec();
    for (_, foreign_key) in referrers(store, table) {
        columns.extend(foreign_key.referenced());
    }
    columns.sort_unstable();
    columns.dedup();
    columns
}

/// Expires the objects that an ON DELETE action may have changed, or deleted, when these rows were,
/// of which some may not be in memory. Nor need those be that were deleted along with them: what
/// refers to a row out of sight that may be one of these is expired too.
pub(super) fn expire_referrers_of_rows(store: &mut Store, rows: Gone) {
    let out_of_sight = cascaded_tables(store, rows.table);
    let mut gone = vec![rows];
    for (arena, foreign_key) in acting(store, |foreign_key| foreign_key.on_delete()) {
        if !out_of_sight.contains(&foreign_key.target()) {
            continue;
        }
        for object in readable(store, arena) {
            let is_in_sight = match store.database_parent(object, foreign_key) {
                Parent::Nowhere => true,
                Parent::Known(parent) => !store.header(parent).expired,
                Parent::Unloaded(_) => false,
            };
            if !is_in_sight {
                act(store, &mut gone, object, foreign_key.on_delete());
            }
        }
    }
    follow(store, gone);
}

/// Expires the objects that an ON UPDATE action may have changed when these columns of rows were.
pub(super) fn expire_followers(store: &mut Store, table: &'static Table, columns: &[usize]) {
    let mut changed = vec![(table, columns.to_vec())];
    let mut acting = acting(store, |foreign_key| foreign_key.on_update());
    while let Some((table, columns)) = changed.pop() {
        let follows = |(_, foreign_key): &mut (u32, &'static ForeignKey)| {
            foreign_key.target() == table
                && foreign_key.referenced().iter().any(|column| columns.contains(column))
        };
        for (arena, foreign_key) in acting.extract_if(.., follows).collect::<Vec<_>>() {
            for object in readable(store, arena) {
                if store.database_parent(object, foreign_key) != Parent::Nowhere {
                    expire(store, object);
                }
            }
            changed.push((store.arena_at(arena).table, foreign_key.columns().to_vec()));
        }
    }
}

/// The foreign keys of objects in memory that have an action, with the arenas of these objects.
fn acting(
    store: &Store,
    action: impl Fn(&ForeignKey) -> Action,
) -> Vec<(u32, &'static ForeignKey)> {
    let mut acting = Vec::new();
    for arena in store.arenas().filter(|&arena| store.arena_at(arena).slots().next().is_some()) {
        let keys = store.arena_at(arena).table.foreign_keys().iter();
        let acts = keys.filter(|foreign_key| {
            matches!(action(foreign_key), Action::Cascade | Action::SetNull | Action::SetDefault)
        });
        acting.extend(acts.map(|foreign_key| (arena, foreign_key)));
    }
    acting
}

/// Tables of which rows may be deleted when some of this one are, among those that objects in
/// memory lead to.
fn cascaded_tables(store: &Store, table: &'static Table) -> Vec<&'static Table> {
    let mut known: Vec<&'static Table> =
        store.arenas().map(|arena| store.arena_at(arena).table).collect();
    let mut at = 0;
    while let Some(&next) = known.get(at) {
        for foreign_key in next.foreign_keys() {
            if !known.contains(&foreign_key.target()) {
                known.push(foreign_key.target());
            }
        }
        at += 1;
    }
    let mut cascaded = Vec::new();
    loop {
        let next = known.iter().copied().find(|candidate| {
            !cascaded.contains(candidate)
                && candidate.foreign_keys().iter().any(|foreign_key| {
                    let target = foreign_key.target();
                    foreign_key.on_delete() == Action::Cascade
                        && (target == table || cascaded.contains(&target))
                })
        });
        match next {
            Some(next) => cascaded.push(next),
            None => return cascaded,
        }
    }
}

/// The objects of an arena whose memory says what their rows hold.
fn readable(store: &Store, arena: u32) -> Vec<ObjectId> {
    let objects = store.arena_at(arena).slots().map(|slot| ObjectId { arena, slot });
    objects
        .filter(|&object| {
            let header = store.header(object);
            header.state == State::Persistent && !header.expired
        })
        .collect()
}

/// Follows ON DELETE actions from rows that are gone, through the objects in memory.
fn follow(store: &mut Store, mut gone: Vec<Gone>) {
    while let Some(rows) = gone.pop() {
        for (object, action) in children(store, &rows) {
            act(store, &mut gone, object, action);
        }
    }
}

/// The objects in memory whose foreign key led to one of the rows and has an ON DELETE action.
fn children(store: &Store, gone: &Gone) -> Vec<(ObjectId, Action)> {
    let mut children = Vec::new();
    for (arena, foreign_key) in referrers(store, gone.table) {
        let places: Option<Vec<usize>> = foreign_key
            .referenced()
            .iter()
            .map(|column| gone.columns.iter().position(|other| other == column))
            .collect();
        let Some(places) = places else { continue };
        let rows = gone.rows.iter();
        let keys: HashSet<Vec<Value>> =
            rows.map(|row| places.iter().map(|&at| row[at].clone()).collect()).collect();
        for object in readable(store, arena) {
            let columns = foreign_key.columns().iter();
            let key: Vec<Value> =
                columns.map(|&column| store.database_value(object, column)).collect();
            if !key.iter().any(Value::is_null) && keys.contains(&key) {
                children.push((object, foreign_key.on_delete()));
            }
        }
    }
    children
}

/// The database has acted upon an object's row.
fn act(store: &mut Store, gone: &mut Vec<Gone>, object: ObjectId, action: Action) {
    if action == Action::Cascade {
        add(store, gone, object);
        store.leave_views(object);
    }
    expire(store, object);
}

/// Adds an object's row to those that are gone.
fn add(store: &Store, gone: &mut Vec<Gone>, object: ObjectId) {
    let table = store.table(object);
    let at = gone.iter().position(|rows| rows.table == table).unwrap_or_else(|| {
        let columns = deciding_columns(store, table);
        gone.push(Gone { table, columns, rows: HashSet::new() });
        gone.len() - 1
    });
    let values = gone[at].columns.iter();
    let values = values.map(|&column| store.database_value(object, column)).collect();
    gone[at].rows.insert(values);
}

/// Expires an object. One with unflushed edits, which there are only where nothing has been flushed
/// before, keeps them: if its row is gone, the flush that misses it says so.
fn expire(store: &mut Store, object: ObjectId) {
    store.taint(object);
    if store.is_changed(object) {
        return;
    }
    store.discard(&[object]);
    store.keep_values(object);
    store.expire(object);
}
