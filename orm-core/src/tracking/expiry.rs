//! Memory that is not to be believed: what a rollback would undo, and what is to be loaded again.

use super::arena::{ObjectId, State};
use super::store::Store;

impl Store {
    /// From now on, what is loaded may show what this unit of work wrote since the innermost
    /// savepoint.
    pub(crate) fn begin_tainting(&mut self) {
        let level = self.savepoints();
        self.journal.level_mut(level).is_tainting = true;
    }

    /// The innermost level that has written: what is loaded now may show what its rollback would
    /// undo.
    pub(super) fn tainting_level(&self) -> Option<usize> {
        (0..=self.savepoints()).rev().find(|level| self.journal.level(*level).is_tainting)
    }

    /// Whether this unit of work has written to the database.
    pub(crate) fn has_written(&self) -> bool {
        self.tainting_level().is_some()
    }

    /// The object's memory may show what a rollback to the innermost savepoint would undo.
    pub(crate) fn taint(&mut self, object: ObjectId) {
        self.taint_at(self.savepoints(), object);
    }

    /// The object's memory may show what a rollback of this level would undo.
    pub(super) fn taint_at(&mut self, level: usize, object: ObjectId) {
        if self.mark_tainted(object, level) {
            self.journal.level_mut(level).tainted.push(object);
        }
    }

    /// Marks an object as tainted by this level. False if it is marked so already.
    pub(super) fn mark_tainted(&mut self, object: ObjectId, level: usize) -> bool {
        // Deeper ones share a mark, and may be listed twice.
        let mark = u8::try_from(level + 1).unwrap_or(u8::MAX);
        let former = std::mem::replace(&mut self.header_mut(object).tainted, mark);
        former != mark || mark == u8::MAX
    }

    /// Every object's memory may show what a rollback would undo.
    pub(crate) fn taint_everything(&mut self) {
        self.begin_tainting();
        for arena in self.arenas() {
            let slots: Vec<u32> = self.arena_at(arena).slots().collect();
            for slot in slots {
                self.taint(ObjectId { arena, slot });
            }
        }
    }

    /// Expires what showed the writes of a level that was undone.
    pub(super) fn expire_tainted(&mut self, tainted: Vec<ObjectId>) {
        for object in tainted {
            let header = self.header_mut(object);
            header.tainted = 0;
            if header.state == State::Persistent {
                self.expire(object);
            }
        }
    }

    /// The objects' memory is not to be read before they are loaded again, as far as they are rows.
    pub(crate) fn expire_all(&mut self, objects: &[ObjectId]) {
        for &object in objects {
            if self.header(object).state == State::Persistent {
                self.expire(object);
            }
        }
    }

    /// The object's memory is not to be read before it is loaded again. Its unflushed changes
    /// must be gone already.
    pub(crate) fn expire(&mut self, object: ObjectId) {
        self.header_mut(object).expired = true;
        for relation in 0..self.table(object).relationships().len() {
            self.storage_mut(object).relation_mut(object.slot, relation).unload();
        }
    }
}
