//! The hooks of models that run before a flush is planned, and on whom.

use std::collections::HashSet;

use super::cascade::Cascaded;
use super::detect::Detect;
use super::rekey::Way;
use crate::driver::Connection;
use crate::error::Result;
use crate::load::load_rows;
use crate::model::HookOperation;
use crate::tracking::{ObjectId, State, Store};
use crate::value::Value;

/// The hooks that have run in a flush: each once per object.
#[derive(Debug, Default)]
pub(crate) struct HooksRun(HashSet<(ObjectId, HookOperation)>);

/// A hook that is to run, and the columns that change.
#[derive(Debug)]
pub(crate) struct DueHook {
    pub(crate) object: ObjectId,
    operation: HookOperation,
    columns: Vec<usize>,
}

/// The hooks that what is known of the flush calls for and that have not run yet.
pub(crate) fn due_hooks(
    store: &Store,
    cascaded: &Cascaded,
    run: &mut HooksRun,
) -> Result<Vec<DueHook>> {
    let mut due = Vec::new();
    if !store.has_hooks() {
        return Ok(due);
    }
    let detect = Detect::new(store, cascaded);
    let has_hooks = |object: &ObjectId| store.table(*object).hooks().is_some();
    let cut_off = cascaded.unlinked.iter().map(|(child, _)| *child);
    let followers = cascaded.followers.all().iter();
    let followers = followers.filter(|it| it.way == Way::Flush && it.stays).map(|it| it.child);
    let written = store.touched.iter().copied().chain(cut_off).chain(followers);
    for object in written.filter(has_hooks).filter(|it| !cascaded.deleted.contains(it)) {
        let (operation, columns) = match store.header(object).state {
            State::Pending => {
                let columns = 0..store.table(object).columns().len();
                let given = columns.filter(|column| !store.is_unset(object, *column));
                (HookOperation::Insert, given.collect())
            }
            State::Persistent => (HookOperation::Update, detect.changed_columns(object)?),
            _ => continue,
        };
        let is_due = operation == HookOperation::Insert || !columns.is_empty();
        if is_due && run.0.insert((object, operation)) {
            due.push(DueHook { object, operation, columns });
        }
    }
    for object in cascaded.deletes.iter().copied().filter(has_hooks) {
        if run.0.insert((object, HookOperation::Delete)) {
            let columns = Vec::new();
            due.push(DueHook { object, operation: HookOperation::Delete, columns });
        }
    }
    Ok(due)
}

/// Loads expired objects again that hooks are to see: one statement per model.
pub(crate) async fn load_expired(
    connection: &mut Connection,
    store: &mut Store,
    expired: &[ObjectId],
) -> Result<()> {
    let mut by_arena: Vec<(u32, Vec<Vec<Value>>)> = Vec::new();
    for &object in expired {
        let columns = store.table(object).primary_key().iter();
        let key = columns.map(|column| store.database_value(object, *column)).collect();
        match by_arena.iter_mut().find(|(arena, _)| *arena == object.arena) {
            Some((_, keys)) => keys.push(key),
            None => by_arena.push((object.arena, vec![key])),
        }
    }
    for (arena, keys) in by_arena {
        let table = store.arena_at(arena).table;
        load_rows(connection, store, table, table.primary_key(), &keys).await?;
    }
    Ok(())
}

/// Runs hooks, in order, up to the first that refuses. An object whose row is gone is left to
/// the flush, which says so.
pub(crate) fn run_hooks(store: &mut Store, due: &[DueHook]) -> Result<()> {
    for DueHook { object, operation, columns } in due {
        if !store.header(*object).expired {
            store.run_hook(*object, *operation, columns)?;
        }
    }
    Ok(())
}
