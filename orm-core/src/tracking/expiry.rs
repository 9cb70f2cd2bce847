//! Memory that is not to be believed: what a rollback would undo, and what is to be loaded again.

use super::arena::{ObjectId, State};
use super::store::Store;

impl Store {
    /// From now on, what is loaded may show what this unit of work wrote.
    pub(crate) fn begin_tainting(&mut self) {
        self.tainting = true;
    }

    pub(crate) fn is_tainting(&self) -> bool {
        self.tainting
    }

    /// Whether this unit of work has written to the database.
    pub(crate) fn has_written(&self) -> bool {
        self.tainting
    }

    /// The object's memory may show what a rollback would undo.
    pub(crate) fn taint(&mut self, object: ObjectId) {
        let header = self.header_mut(object);
        if !header.tainted {
            header.tainted = true;
            self.tainted.push(object);
        }
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

    pub(crate) fn clear_taints(&mut self) {
        self.tainting = false;
        for object in std::mem::take(&mut self.tainted) {
            self.header_mut(object).tainted = false;
        }
    }

    pub(crate) fn expire_tainted(&mut self) {
        self.tainting = false;
        for object in std::mem::take(&mut self.tainted) {
            let header = self.header_mut(object);
            header.tainted = false;
            if header.state == State::Persistent {
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
