//! The undo journal: how objects were when the unit of work, and each savepoint in it, began.

use super::arena::{ObjectId, ObjectMap, State};
use super::store::Store;
use crate::model::{ColumnSet, Key, Table};
use crate::value::{Value, ValueCells};

/// How an object was when a level began. Only what changed since is kept.
#[derive(Debug, Default)]
struct Saved {
    /// Its state, where a flush changed it.
    state: Option<State>,
    /// Its database values, where a flush changed them.
    values: Option<Box<[Value]>>,
    /// Its deferred columns that have been loaded since and may show what this level wrote.
    unloaded: ColumnSet,
    /// Its relationship fields, where an edit changed them: the members, or `None` for unloaded.
    views: Vec<(usize, Option<KeptMembers>)>,
}

/// The members that a relationship field showed.
#[derive(Debug)]
pub(crate) struct KeptMembers {
    pub(super) keys: Vec<Key>,
    /// Whether the session's criteria may have hidden others.
    pub(super) is_partial: bool,
}

impl Saved {
    /// Adds what is known from later on: what was kept first is how it was at the beginning.
    fn absorb(&mut self, later: Saved) {
        self.state = self.state.or(later.state);
        if self.values.is_none() {
            later.unloaded.iter().for_each(|column| self.unloaded.insert(column));
        }
        self.values = self.values.take().or(later.values);
        for (relation, members) in later.views {
            if !self.has_view(relation) {
                self.views.push((relation, members));
            }
        }
    }

    fn has_view(&self, relation: usize) -> bool {
        self.views.iter().any(|(other, _)| *other == relation)
    }
}

/// What can be undone at once: the unit of work, or what happened since a savepoint.
#[derive(Debug, Default)]
pub(super) struct Level {
    /// Objects that entered the session since it began, with the generation of their slot: they
    /// may have left again, and others be in their place.
    created: Vec<(ObjectId, u32)>,
    saved: ObjectMap<Saved>,
    /// Whether it has written: what is loaded from then on may show that.
    pub(super) is_tainting: bool,
    /// Objects whose memory may show what only this level has written.
    pub(super) tainted: Vec<ObjectId>,
}

/// What can be undone. Rolling back restores exactly what changed.
#[derive(Debug)]
pub(crate) struct Journal {
    /// The unit of work, and in it the open savepoints, one inside the other. Never empty.
    levels: Vec<Level>,
}

impl Default for Journal {
    fn default() -> Self {
        Self { levels: vec![Level::default()] }
    }
}

impl Journal {
    /// The number of the innermost level; that of the unit of work is 0.
    pub(crate) fn innermost(&self) -> usize {
        self.levels.len() - 1
    }

    pub(super) fn level(&self, level: usize) -> &Level {
        &self.levels[level]
    }

    pub(super) fn level_mut(&mut self, level: usize) -> &mut Level {
        &mut self.levels[level]
    }

    fn here(&mut self) -> &mut Level {
        let innermost = self.innermost();
        self.level_mut(innermost)
    }

    fn saved(&mut self, object: ObjectId) -> &mut Saved {
        self.here().saved.entry(object).or_default()
    }

    pub(crate) fn created(&mut self, object: ObjectId, generation: u32) {
        self.here().created.push((object, generation));
    }

    /// The object left the session: the next one in its slot has another past.
    pub(crate) fn forget(&mut self, object: ObjectId) {
        for level in &mut self.levels {
            level.saved.remove(&object);
        }
    }

    pub(crate) fn save_state(&mut self, object: ObjectId, state: State) {
        self.saved(object).state.get_or_insert(state);
    }

    pub(crate) fn save_values(&mut self, object: ObjectId, values: impl FnOnce() -> Box<[Value]>) {
        self.saved(object).values.get_or_insert_with(values);
    }

    /// A deferred column was not loaded, before what is read now.
    pub(super) fn save_unloaded(&mut self, level: usize, object: ObjectId, column: usize) {
        self.level_mut(level).saved.entry(object).or_default().unloaded.insert(column);
    }

    /// Whether a relationship field has been kept already, in this level.
    pub(crate) fn has_view(&self, level: usize, object: ObjectId, relation: usize) -> bool {
        self.level(level).saved.get(&object).is_some_and(|saved| saved.has_view(relation))
    }

    pub(crate) fn save_view(
        &mut self,
        level: usize,
        object: ObjectId,
        relation: usize,
        members: Option<KeptMembers>,
    ) {
        let saved = self.level_mut(level).saved.entry(object).or_default();
        saved.views.push((relation, members));
    }

    /// A journal of as many levels, of which no object is known.
    pub(crate) fn emptied(&self) -> Self {
        let emptied = |level: &Level| Level { is_tainting: level.is_tainting, ..Level::default() };
        Self { levels: self.levels.iter().map(emptied).collect() }
    }

    /// Ends the innermost level. That of the unit of work begins anew.
    fn pop(&mut self) -> Level {
        match self.innermost() {
            0 => std::mem::take(self.here()),
            _ => self.levels.pop().unwrap_or_default(),
        }
    }
}

impl Store {
    /// Remembers an object's database values, for a rollback, unless they are known already.
    pub(crate) fn keep_values(&mut self, object: ObjectId) {
        let snapshot =
            self.header(object).changes.as_ref().and_then(|changes| changes.snapshot.clone());
        let values = snapshot.unwrap_or_else(|| self.encode_all(object));
        self.journal.save_values(object, || values);
    }

    /// How many savepoints are open.
    pub(crate) fn savepoints(&self) -> usize {
        self.journal.innermost()
    }

    /// A savepoint was set: from now on, what changes can be undone up to here.
    pub(crate) fn set_savepoint(&mut self) {
        self.journal.levels.push(Level::default());
        self.pairs.set_savepoint();
    }

    /// The innermost savepoint was released: what was done since belongs to what is around it.
    pub(crate) fn release_savepoint(&mut self) {
        if self.savepoints() == 0 {
            return;
        }
        let inner = self.journal.pop();
        let level = self.savepoints();
        self.pairs.release_savepoint();
        for object in &inner.tainted {
            self.mark_tainted(*object, level);
        }
        let outer = self.journal.here();
        outer.is_tainting |= inner.is_tainting;
        outer.created.extend(inner.created);
        outer.tainted.extend(inner.tainted);
        for (object, saved) in inner.saved {
            outer.saved.entry(object).or_default().absorb(saved);
        }
    }

    /// Undoes in memory what was done since the innermost savepoint, and forgets it.
    pub(crate) fn undo_savepoint(&mut self) {
        if self.savepoints() > 0 {
            self.undo_level();
            self.deleted.retain({
                let arenas = &self.arenas;
                |object| arenas[object.arena as usize].header(object.slot).state == State::Deleted
            });
        }
    }

    /// Undoes the unit of work in memory. Objects that entered the session in it leave; deleted
    /// ones return; the others get back their values and views as of its start; those whose
    /// memory may show what was never committed are expired.
    pub(crate) fn roll_back(&mut self) {
        self.free_detached();
        while self.savepoints() > 0 {
            self.undo_level();
        }
        self.undo_level();
        self.deleted.clear();
    }

    fn undo_level(&mut self) {
        for object in std::mem::take(&mut self.touched) {
            self.discard_changes(object);
        }
        self.pairs.undo_savepoint();
        let Level { created, saved, tainted, .. } = self.journal.pop();
        for (object, saved) in saved {
            self.restore(object, saved);
        }
        let is_here = |(object, generation): (ObjectId, u32)| {
            let header = self.header(object);
            let is_it = header.generation == generation && header.state != State::Detached;
            is_it.then_some(object)
        };
        let entered: Vec<ObjectId> = created.into_iter().filter_map(is_here).collect();
        self.pairs.forget_all(&entered.iter().copied().collect());
        for object in entered {
            self.set_aside(object);
        }
        self.expire_tainted(tainted);
    }

    /// The unit of work was committed: deleted objects leave for good.
    pub(crate) fn commit_unit(&mut self) {
        for object in std::mem::take(&mut self.journal).pop().tainted {
            self.header_mut(object).tainted = 0;
        }
        self.pairs.forget_all_known();
        let mut deleted = std::mem::take(&mut self.deleted);
        deleted.retain(|object| self.header(*object).state == State::Deleted);
        self.free(&deleted);
        self.free_detached();
    }

    /// Nobody knows whether the unit of work was committed: what it changed is to be read again.
    pub(crate) fn taint_changed(&mut self) {
        let levels = self.journal.levels.iter();
        let changed: Vec<ObjectId> = levels.flat_map(|level| level.saved.keys().copied()).collect();
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
        for column in saved.unloaded.iter() {
            self.write_column(object, column, &Value::NotLoaded);
        }
        let is_expired = self.header(object).expired;
        for (relation, members) in saved.views {
            let owner = self.key_of(object);
            let target = self.table(object).relationships()[relation].target();
            // Who was expunged meanwhile is no member any more, and the rest is not the whole.
            let members = members.filter(|kept| {
                !is_expired && kept.keys.iter().all(|key| self.is_tracked(target, *key))
            });
            let field = self.storage_mut(object).relation_mut(object.slot, relation);
            match members {
                Some(KeptMembers { keys, is_partial }) => {
                    field.load(owner, &keys);
                    field.set_partial(is_partial);
                }
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
        self.header_mut(object).admitted = false;
        let written = self.storage_mut(object).decode_column(object.slot, column, &cells, 0);
        debug_assert!(written.is_ok(), "a snapshot fits the fields that it was taken of");
    }
}
