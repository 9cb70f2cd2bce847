//! What ON DELETE actions of the database did, or may have done, to objects in memory: they are
//! expired.
//!
//! Where memory has the rows that an action went over, it says who was acted upon. Rows that are
//! not in memory may have been deleted too, as far as nothing shows that there were none: then the
//! objects that refer to a row which is not in memory are expired as well. Each foreign key with an
//! action costs one walk over the objects of its table, and only where rows of the table that it
//! references were deleted.

use std::collections::{HashMap, HashSet};

use crate::model::{Action, ForeignKey, Table};
use crate::tracking::{ObjectId, State, Store, views_of_parent};
use crate::value::Value;

/// Expires the objects that an ON DELETE action may have changed, or deleted, with these.
pub(crate) fn expire_acted_upon(store: &mut Store, deleted: &[ObjectId]) {
    for acted_upon in find(store, deleted) {
        match (acted_upon.action, acted_upon.is_certain) {
            (Action::Cascade, true) => store.leave_views(acted_upon.object),
            (Action::Cascade, false) => store.unload_views(acted_upon.object),
            _ => {}
        }
        store.keep_values(acted_upon.object);
        store.expire(acted_upon.object);
        store.taint(acted_upon.object);
    }
}

/// An object that an action reached.
struct ActedUpon {
    object: ObjectId,
    action: Action,
    /// The row that it referred to is gone, rather than perhaps gone.
    is_certain: bool,
}

/// Rows of a table that are gone.
struct Gone {
    table: &'static Table,
    /// Those that memory has, and whether they are certain to be gone.
    objects: Vec<(ObjectId, bool)>,
    /// Whether others, which are not in memory, may be gone with them.
    others: bool,
}

fn find(store: &Store, deleted: &[ObjectId]) -> Vec<ActedUpon> {
    let mut found: Vec<ActedUpon> = Vec::new();
    let mut seen: HashSet<ObjectId> = deleted.iter().copied().collect();
    let mut others_seen: HashSet<&'static Table> = HashSet::new();
    let mut gone = by_table(store, deleted);
    let acting = match gone.is_empty() {
        true => Vec::new(),
        false => acting_keys(store),
    };
    while let Some(Gone { table, objects, others }) = gone.pop() {
        for &(child, foreign_key) in acting.iter().filter(|(_, key)| key.target() == table) {
            let reached = reach(store, child, foreign_key, &objects, others);
            let new: Vec<&ActedUpon> =
                reached.iter().filter(|reached| !seen.contains(&reached.object)).collect();
            if foreign_key.on_delete() == Action::Cascade {
                let is_shown = |&(row, _): &_| shows(store, row, child, foreign_key);
                let others = others || !objects.iter().all(is_shown);
                let objects: Vec<(ObjectId, bool)> =
                    new.iter().map(|reached| (reached.object, reached.is_certain)).collect();
                let is_news = others && others_seen.insert(child);
                if is_news || !objects.is_empty() {
                    gone.push(Gone { table: child, objects, others });
                }
            }
            found.extend(reached.into_iter().filter(|reached| seen.insert(reached.object)));
        }
    }
    found
}

fn by_table(store: &Store, deleted: &[ObjectId]) -> Vec<Gone> {
    let mut gone: Vec<Gone> = Vec::new();
    for &object in deleted {
        let table = store.table(object);
        match gone.iter_mut().find(|gone| gone.table == table) {
            Some(gone) => gone.objects.push((object, true)),
            None => gone.push(Gone { table, objects: vec![(object, true)], others: false }),
        }
    }
    gone
}

/// The foreign keys with an ON DELETE action of every table that the store knows of.
fn acting_keys(store: &Store) -> Vec<(&'static Table, &'static ForeignKey)> {
    let acts = |key: &&'static ForeignKey| {
        matches!(key.on_delete(), Action::Cascade | Action::SetNull | Action::SetDefault)
    };
    let tables = store.known_tables();
    let keys = |table: &'static Table| {
        table.foreign_keys().iter().filter(acts).map(move |key| (table, key))
    };
    tables.into_iter().flat_map(keys).collect()
}

/// Whether memory shows every row that referred to this one by the foreign key.
fn shows(
    store: &Store,
    row: ObjectId,
    child: &'static Table,
    foreign_key: &'static ForeignKey,
) -> bool {
    let mut views = views_of_parent(child, foreign_key);
    views.any(|view| store.storage(row).relation(row.slot, view.index()).is_loaded())
}

/// The objects in memory that referred by this foreign key to rows that are gone, or may be.
fn reach(
    store: &Store,
    child: &'static Table,
    foreign_key: &'static ForeignKey,
    objects: &[(ObjectId, bool)],
    others: bool,
) -> Vec<ActedUpon> {
    let Some(arena) = store.find_arena_of(child) else { return Vec::new() };
    let keys: HashMap<Vec<Value>, bool> = objects
        .iter()
        .map(|&(row, certain)| (store.database_values(row, foreign_key.referenced()), certain))
        .collect();
    let known = if others { known_keys(store, foreign_key) } else { HashSet::new() };
    let mut reached = Vec::new();
    for slot in store.arena_at(arena).slots() {
        let object = ObjectId { arena, slot };
        if store.header(object).state != State::Persistent || store.header(object).expired {
            continue;
        }
        let key = store.database_values(object, foreign_key.columns());
        let may_be = || others && !key.iter().any(Value::is_null) && !known.contains(&key);
        let is_certain = match keys.get(&key) {
            Some(certain) => *certain,
            None if may_be() => false,
            None => continue,
        };
        reached.push(ActedUpon { object, action: foreign_key.on_delete(), is_certain });
    }
    reached
}

/// By which keys memory knows the rows that a foreign key can lead to.
fn known_keys(store: &Store, foreign_key: &'static ForeignKey) -> HashSet<Vec<Value>> {
    let Some(arena) = store.find_arena_of(foreign_key.target()) else { return HashSet::new() };
    let objects = store.arena_at(arena).slots().map(|slot| ObjectId { arena, slot });
    objects
        .filter(|object| store.header(*object).state == State::Persistent)
        .filter(|object| !store.header(*object).expired || foreign_key.references_primary_key())
        .map(|object| store.database_values(object, foreign_key.referenced()))
        .collect()
}
