//! The undo journal: how objects were when the unit of work, or a savepoint, began.

use std::collections::HashMap;

use super::arena::{ObjectId, State};
use super::store::Store;
use crate::model::Key;
use crate::value::{Value, ValueCells};

/// How an object was when a level of the journal began. Only what changed since is kept.
#[derive(Debug, Default)]
struct Saved {
    /// It entered the session in this level.
    created: bool,
    /// Its state, where a flush changed it.
    state: Option<State>,
    /// Its database values, where a flush changed them.
    values: Option<Box<[Value]>>,
    /// Its relationship fields, where an edit changed them: the members, or `None` for unloaded.
    views: Vec<(usize, Option<Vec<Key>>)>,
}

/// One level per open savepoint, above that of the unit of work. Rolling a level back restores
/// exactly what changed inside it; releasing one merges it into the level below.
#[derive(Debug)]
pub(crate) struct Journal(Vec<HashMap<ObjectId, Saved>>);

impl Default for Journal {
    fn default() -> Self {
        Self(vec![HashMap::new()])
    }
}

impl Journal {
    fn saved(&mut self, object: ObjectId) -> &mut Saved {
        if self.0.is_empty() {
            self.0.push(HashMap::new());
        }
        let top = self.0.len() - 1;
        self.0[top].entry(object).or_default()
    }

    pub(crate) fn created(&mut self, object: ObjectId) {
        self.saved(object).created = true;
    }

    pub(crate) fn save_state(&mut self, object: ObjectId, state: State) {
        self.saved(object).state.get_or_insert(state);
    }

    pub(crate) fn save_values(&mut self, object: ObjectId, values: impl FnOnce() -> Box<[Value]>) {
        self.saved(object).values.get_or_insert_with(values);
    }

    /// Whether this level has kept a relationship field already.
    pub(crate) fn has_view(&self, object: ObjectId, relation: usize) -> bool {
        let saved = self.0.last().and_then(|level| level.get(&object));
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
        self.0.truncate(1);
        if let Some(level) = self.0.first_mut() {
            level.clear();
        }
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
        while let Some(level) = self.journal.0.pop() {
            let mut saved: Vec<_> = level.into_iter().collect();
            saved.sort_unstable_by_key(|(object, _)| *object);
            for (object, saved) in saved {
                self.restore(object, saved);
            }
        }
        self.journal = Journal::default();
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
        self.free_detached();
    }

    /// Nobody knows whether the unit of work was committed: what it changed is to be read again.
    pub(crate) fn taint_changed(&mut self) {
        let changed: Vec<ObjectId> =
            self.journal.0.iter().flat_map(|level| level.keys().copied()).collect();
        for object in changed {
            self.taint(object);
        }
    }

    fn restore(&mut self, object: ObjectId, saved: Saved) {
        if self.header(object).state == State::Vacant {
            return;
        }
        if saved.created {
            self.detach(object);
            return;
        }
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
        for (relation, members) in saved.views {
            let owner = self.key_of(object);
            let field = self.storage_mut(object).relation_mut(object.slot, relation);
            match members {
                Some(members) => field.load(owner, &members),
                None => field.unload(),
            }
        }
    }

    /// Overwrites every column with these values.
    pub(crate) fn write_all(&mut self, object: ObjectId, values: &[Value]) {
        for column in 0..values.len() {
            // The values were encoded from the same fields.
            let written = self.storage_mut(object).decode_column(
                object.slot,
                column,
                &ValueCells(values),
                column,
            );
            debug_assert!(written.is_ok(), "a snapshot fits the fields that it was taken of");
        }
    }
}
