//! The undo journal: how objects were when the unit of work began.

use super::arena::{ObjectId, ObjectMap, State};
use super::store::Store;
use crate::model::{Key, Table};
use crate::value::{Value, ValueCells};

/// How an object was when the unit of work began. Only what changed since is kept.
#[derive(Debug, Default)]
struct Saved {
    /// Its state, where a flush changed it.
    state: Option<State>,
    /// Its database values, where a flush changed them.
    values: Option<Box<[Value]>>,
    /// Its relationship fields, where an edit changed them: the members, or `None` for unloaded.
    views: Vec<(usize, Option<Vec<Key>>)>,
}

/// What can be undone. Rolling back restores exactly what changed.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    /// Objects that entered the session in this unit of work, with the generation of their slot:
    /// they may have left again, and others be in their place.
    created: Vec<(ObjectId, u32)>,
    saved: ObjectMap<Saved>,
}

impl Journal {
    fn saved(&mut self, object: ObjectId) -> &mut Saved {
        self.saved.entry(object).or_default()
    }

    pub(crate) fn created(&mut self, object: ObjectId, generation: u32) {
        self.created.push((object, generation));
    }

    /// The object left the session: the next one in its slot has another past.
    pub(crate) fn forget(&mut self, object: ObjectId) {
        self.saved.remove(&object);
    }

    pub(crate) fn save_state(&mut self, object: ObjectId, state: State) {
        self.saved(object).state.get_or_insert(state);
    }

    pub(crate) fn save_values(&mut self, object: ObjectId, values: impl FnOnce() -> Box<[Value]>) {
        self.saved(object).values.get_or_insert_with(values);
    }

    /// Whether a relationship field has been kept already.
    pub(crate) fn has_view(&self, object: ObjectId, relation: usize) -> bool {
        let saved = self.saved.get(&object);
        saved.is_some_and(|saved| saved.views.iter().any(|(other, _)| *other == relation))
    }

    pub(crate) fn save_view(
        &mut self,
        object: ObjectId,
        relation: usize,
        members: Option<Vec<Key>>,
    ) {
        self.saved(object).views.push((relation, members));
    }

    /// The unit of work was committed: nothing of it can be undone.
    pub(crate) fn clear(&mut self) {
        self.created.clear();
        self.saved.clear();
    }
}

impl Store {
    /// Undoes the unit of work in memory. Objects that entered the session in it leave; deleted
    /// ones return; the others get back their values and views as of its start; those whose
    /// memory may show what was never committed are expired.
    pub(crate) fn roll_back(&mut self) {
        self.free_detached();
        for object in std::mem::take(&mut self.touched) {
            self.discard_changes(object);
        }
        self.pairs.discard();
        let Journal { created, saved } = std::mem::take(&mut self.journal);
        for (object, saved) in saved {
            self.restore(object, saved);
        }
        for (object, generation) in created {
            if self.header(object).generation == generation {
                self.detach(object);
            }
        }
        self.deleted.clear();
        self.expire_tainted();
    }

    /// The unit of work was committed: deleted objects leave for good.
    pub(crate) fn commit_unit(&mut self) {
        self.journal.clear();
        for object in std::mem::take(&mut self.deleted) {
            if self.header(object).state == State::Deleted {
                self.free(object);
            }
        }
        self.clear_taints();
        self.pairs.forget_all_known();
        self.free_detached();
    }

    /// Nobody knows whether the unit of work was committed: what it changed is to be read again.
    pub(crate) fn taint_changed(&mut self) {
        let changed: Vec<ObjectId> = self.journal.saved.keys().copied().collect();
        for object in changed {
            self.taint(object);
        }
    }

    fn restore(&mut self, object: ObjectId, saved: Saved) {
        if let Some(state) = saved.state {
            self.header_mut(object).state = state;
        }
        if let Some(values) = saved.values {
            self.storage_mut(object).unindex(object.slot);
            self.write_all(object, &values);
            self.storage_mut(object).index(object.slot);
        } else if self.header(object).state == State::Persistent
            && !self.storage(object).is_indexed(object.slot)
        {
            self.storage_mut(object).index(object.slot);
        }
        let is_expired = self.header(object).expired;
        for (relation, members) in saved.views {
            let owner = self.key_of(object);
            let target = self.table(object).relationships()[relation].target();
            // Who was expunged meanwhile is no member any more, and the rest is not the whole.
            let members = members
                .filter(|keys| !is_expired && keys.iter().all(|key| self.is_tracked(target, *key)));
            let field = self.storage_mut(object).relation_mut(object.slot, relation);
            match members {
                Some(members) => field.load(owner, &members),
                None => field.unload(),
            }
        }
    }

    /// Whether the slot still has the object that the key names, whatever state it is in.
    fn is_tracked(&self, table: &'static Table, key: Key) -> bool {
        let arena = self.find_arena_of(table).map(|arena| self.arena_at(arena));
        let header = arena.and_then(|arena| arena.header_of(key));
        header.is_some_and(|header| header.generation == key.generation)
    }

    /// Overwrites every column with these values.
    pub(crate) fn write_all(&mut self, object: ObjectId, values: &[Value]) {
        for (column, value) in values.iter().enumerate() {
            self.write_column(object, column, value);
        }
    }

    /// Overwrites a column with a value that was encoded from the same field.
    pub(crate) fn write_column(&mut self, object: ObjectId, column: usize, value: &Value) {
        let cells = ValueCells(std::slice::from_ref(value));
        let written = self.storage_mut(object).decode_column(object.slot, column, &cells, 0);
        debug_assert!(written.is_ok(), "a snapshot fits the fields that it was taken of");
    }
}
