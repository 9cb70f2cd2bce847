//! Memory after a bulk statement that succeeded.

use super::InsertWrite;
use super::run::{BulkOutcome, Held};
use crate::error::Result;
use crate::flush::acted_upon::{Event, Row, expire_acted_upon};
use crate::flush::settle::{decode, delete_all, follow_assigned_key};
use crate::model::{ForeignKey, Link, Relationship, RowLayout, Table};
use crate::query::{BulkAction, BulkWrite};
use crate::sql::Dialect;
use crate::tracking::{ObjectId, ObjectSet, Parent, State, Store, views_of_parent};
use crate::value::{Value, ValueCells};

/// Updates memory to what the statement wrote.
///
/// # Errors
/// If a field can't hold what the database computed: the unit of work must be rolled back then.
pub(crate) fn settle(
    store: &mut Store,
    write: BulkWrite,
    outcome: BulkOutcome,
    dialect: &dyn Dialect,
) -> Result<()> {
    if outcome.rows == 0 {
        return Ok(());
    }
    // What is loaded from now on may show it.
    store.begin_tainting();
    match write.action {
        BulkAction::Update { values, .. } => {
            let values = values
                .into_iter()
                .map(|(column, value)| {
                    let stored = dialect.stored(&write.table.columns()[column], &value);
                    (column, stored.unwrap_or(value))
                })
                .collect();
            let assignments =
                Assignments { table: write.table, values, computed: outcome.computed };
            update(store, &assignments, outcome.rows, outcome.held)
        }
        BulkAction::Delete => {
            delete(store, write.table, outcome);
            Ok(())
        }
    }
}

/// What an UPDATE assigned.
struct Assignments {
    table: &'static Table,
    /// The columns that have the same value in every row.
    values: Vec<(usize, Value)>,
    /// The columns whose values each object brings along.
    computed: Vec<usize>,
}

impl Assignments {
    fn assigns(&self, column: usize) -> bool {
        self.value_of(column).is_some() || self.computed.contains(&column)
    }

    fn value_of(&self, column: usize) -> Option<&Value> {
        self.values.iter().find(|(other, _)| *other == column).map(|(_, value)| value)
    }

    /// The foreign keys that lead elsewhere now.
    fn foreign_keys(&self) -> impl Iterator<Item = &'static ForeignKey> + '_ {
        let keys = self.table.foreign_keys().iter();
        keys.filter(|key| key.columns().iter().any(|column| self.assigns(*column)))
    }
}

fn update(
    store: &mut Store,
    assignments: &Assignments,
    rows: u64,
    mut held: Vec<Held>,
) -> Result<()> {
    let mut moved: Vec<(ObjectId, &'static ForeignKey, Parent)> = Vec::new();
    held.retain(|held| store.header(held.object).state == State::Persistent);
    let objects: Vec<ObjectId> = held.iter().map(|held| held.object).collect();
    held.retain(|held| !store.header(held.object).expired);
    expire_followers(store, assignments, rows, &objects);
    for Held { object, values } in held {
        store.keep_values(object);
        for foreign_key in assignments.foreign_keys() {
            // An unflushed link is an edit, which stays.
            let changes = store.header(object).changes.as_ref();
            if changes.is_none_or(|changes| changes.link(foreign_key).is_none()) {
                let old = store.database_parent(object, foreign_key);
                moved.push((object, foreign_key, old));
            }
        }
        let computed = assignments.computed.iter().copied().zip(&values);
        let given = assignments.values.iter().map(|(column, value)| (*column, value));
        for (column, value) in given.chain(computed) {
            learn(store, object, column, value)?;
        }
    }
    for (object, foreign_key, old) in moved {
        follow_assigned_key(store, object, foreign_key, old);
    }
    for foreign_key in assignments.foreign_keys() {
        unload_entered(store, assignments, foreign_key);
    }
    if assignments.foreign_keys().next().is_some() {
        unload_pairs(store, assignments.table);
    }
    Ok(())
}

/// Objects that ON UPDATE actions may have changed, found by the keys that these objects still have.
fn expire_followers(store: &mut Store, assignments: &Assignments, rows: u64, objects: &[ObjectId]) {
    let columns = 0..assignments.table.columns().len();
    let columns: Vec<usize> = columns.filter(|column| assignments.assigns(*column)).collect();
    let others = (rows > objects.len() as u64).then_some(assignments.table);
    let rows: Vec<Row> = objects.iter().copied().map(Row::Object).collect();
    expire_acted_upon(store, Event::Updated(&columns), &rows, others);
}

/// Tells an object what a column of its row holds now. An unflushed edit of the column stays one.
fn learn(store: &mut Store, object: ObjectId, column: usize, value: &Value) -> Result<()> {
    let edit = store.edit_of(object, column);
    decode(store, object, column, value)?;
    let now = store.storage(object).encode(object.slot, column);
    let changes = store.header_mut(object).changes.as_mut();
    if let Some(snapshot) = changes.and_then(|changes| changes.snapshot.as_mut()) {
        snapshot[column] = now;
    }
    if let Some(edit) = edit {
        store.write_column(object, column, &edit);
    }
    Ok(())
}

/// Collections that rows have entered which are not in memory: of the parent that all rows lead to
/// now, or, where that is computed, of any.
fn unload_entered(store: &mut Store, assignments: &Assignments, foreign_key: &'static ForeignKey) {
    let target = foreign_key.target();
    let key: Option<Vec<Value>> =
        foreign_key.columns().iter().map(|&at| assignments.value_of(at).cloned()).collect();
    let parents: Vec<ObjectId> = match key {
        Some(key) if key.iter().any(Value::is_null) => return,
        Some(key) => store.find_referenced(foreign_key, &key).into_iter().collect(),
        None => match store.find_arena_of(target) {
            Some(arena) => {
                store.arena_at(arena).slots().map(|slot| ObjectId { arena, slot }).collect()
            }
            None => return,
        },
    };
    for parent in parents {
        for view in views_of_parent(assignments.table, foreign_key) {
            unload(store, parent, view);
        }
    }
}

/// Updates memory to what a bulk INSERT wrote: objects whose rows came back, in this layout, are told
/// them, or become objects if that is wanted; collections that rows may have entered are
/// unloaded. Gives the objects of the rows that came back, as far as they are in memory.
///
/// # Errors
/// If a field can't hold what came back: the unit of work must be rolled back then.
pub(crate) fn settle_insert(
    store: &mut Store,
    write: &InsertWrite,
    returned: &[Vec<Value>],
    layout: &RowLayout,
    wants_objects: bool,
) -> Result<Vec<ObjectId>> {
    let table = write.table();
    // What is loaded from now on may show it.
    store.begin_tainting();
    for foreign_key in table.foreign_keys() {
        let mut keys = write.values_of(foreign_key.columns());
        keys.retain(|key| !key.iter().any(Value::is_null));
        let parents: ObjectSet =
            keys.iter().filter_map(|key| store.find_referenced(foreign_key, key)).collect();
        for parent in parents {
            for view in views_of_parent(table, foreign_key) {
                unload(store, parent, view);
            }
        }
    }
    unload_pairs(store, table);
    settle_rows(store, table, returned, layout, wants_objects)
}

/// Tells objects what their rows hold, which came back in this layout; those without an object get
/// one if that is wanted. Gives the objects.
///
/// # Errors
/// If a field can't hold what came back.
pub(crate) fn settle_rows(
    store: &mut Store,
    table: &'static Table,
    returned: &[Vec<Value>],
    layout: &RowLayout,
    wants_objects: bool,
) -> Result<Vec<ObjectId>> {
    let mut objects = Vec::new();
    if returned.is_empty() {
        return Ok(objects);
    }
    let arena = store.arena_of(table)?;
    for row in returned {
        let absorbed = layout.read(&ValueCells(row), |cells, at| -> Result<Option<ObjectId>> {
            let known = store.arena_at(arena).storage.find(cells, at, table.primary_key());
            let is_wanted = wants_objects || known.is_ok_and(|slot| slot.is_some());
            is_wanted.then(|| Ok(store.absorb_locked(arena, cells, at)?.0)).transpose()
        })?;
        objects.extend(absorbed);
    }
    Ok(objects)
}

/// Unloads a relationship of an object that is a row; what it is to hold besides is kept.
fn unload(store: &mut Store, object: ObjectId, view: &'static Relationship) {
    let is_loaded = store.storage(object).relation(object.slot, view.index()).is_loaded();
    if is_loaded && store.header(object).state == State::Persistent {
        store.edit_view(object, view, |field| field.unload());
    }
}

fn delete(store: &mut Store, table: &'static Table, outcome: BulkOutcome) {
    let held: Vec<ObjectId> = outcome.held.iter().map(|held| held.object).collect();
    // Whatever was to become of the rows, they are gone.
    store.cut_links_to(&held.iter().copied().collect());
    store.discard(&held);
    delete_all(store, &held);
    // Where nobody refers to the rows themselves, those without an object were not asked for.
    let (rows, others): (Vec<Row>, _) = match outcome.gone.is_empty() {
        true => {
            let others = (outcome.rows > held.len() as u64).then_some(table);
            (held.into_iter().map(Row::Object).collect(), others)
        }
        false => {
            let columns = &outcome.columns;
            let rows = outcome.gone.iter().map(|(values, object)| Row::Returned {
                table,
                columns,
                values,
                object: *object,
            });
            (rows.collect(), None)
        }
    };
    expire_acted_upon(store, Event::Deleted, &rows, others);
    unload_pairs(store, table);
}

/// Association rows may have changed: what goes through their table is unknown.
fn unload_pairs(store: &mut Store, table: &'static Table) {
    store.pairs.doubt(table);
    for arena in store.arenas() {
        for view in store.arena_at(arena).table.relationships() {
            let goes_through =
                matches!(view.link(), Ok(Link::Through(pair)) if pair.table == table);
            if !goes_through {
                continue;
            }
            let slots: Vec<u32> = store.arena_at(arena).slots().collect();
            for slot in slots {
                unload(store, ObjectId { arena, slot }, view);
            }
        }
    }
}
