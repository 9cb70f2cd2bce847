//! Rows that a query has locked: nobody else changes them any more, so what memory knows of them
//! is renewed.

use super::arena::ObjectId;
use super::links::{Parent, views_of_child, views_of_parent};
use super::rows::Met;
use super::store::Store;
use crate::error::Result;
use crate::model::{ForeignKey, Relationship};
use crate::value::Cells;

impl Store {
    /// Takes in a row that is locked. Unlike [`absorb`](Self::absorb) it overwrites what is known
    /// of an object, unless that has unflushed changes: a write that goes by what was read before
    /// the lock would undo what others have written since.
    pub(crate) fn absorb_locked(
        &mut self,
        arena: u32,
        cells: &dyn Cells,
        at: usize,
    ) -> Result<(ObjectId, Met)> {
        let place = self.arena_at(arena);
        // A key that can't be decoded is told by `absorb`.
        let known = place.storage.find(cells, at, place.table.primary_key()).ok().flatten();
        let known = known.map(|slot| ObjectId { arena, slot });
        let renewed =
            |object: &ObjectId| !self.header(*object).expired && !self.is_changed(*object);
        let Some(object) = known.filter(renewed) else {
            return self.absorb(arena, cells, at, false);
        };
        // A mutable access that changed nothing has left a snapshot.
        self.untouch(object);
        let before = self.parents_of(object);
        self.header_mut(object).expired = true;
        let absorbed = self.absorb(arena, cells, at, false)?;
        let now = self.parents_of(object);
        for ((foreign_key, before), (_, now)) in before.into_iter().zip(now) {
            if before != now {
                self.unload_ends(object, foreign_key, [before, now]);
            }
        }
        Ok(absorbed)
    }

    /// Where a row leads, by foreign key.
    fn parents_of(&self, object: ObjectId) -> Vec<(&'static ForeignKey, Parent)> {
        let foreign_keys = self.table(object).foreign_keys().iter();
        foreign_keys
            .map(|foreign_key| (foreign_key, self.database_parent(object, foreign_key)))
            .collect()
    }

    /// Unloads what shows that a row leads to one of these, and what should show it.
    fn unload_ends(
        &mut self,
        child: ObjectId,
        foreign_key: &'static ForeignKey,
        ends: [Parent; 2],
    ) {
        let table = self.table(child);
        for reference in views_of_child(table, foreign_key) {
            self.unload_shown(child, reference);
        }
        for end in ends {
            let Parent::Known(parent) = end else { continue };
            for view in views_of_parent(table, foreign_key) {
                self.unload_shown(parent, view);
            }
        }
    }

    /// Unloads a relationship field; one that was assigned stays, as an edit. The journal has no
    /// part in it: what a rollback would restore had ceased to be true by itself.
    fn unload_shown(&mut self, owner: ObjectId, relationship: &'static Relationship) {
        let key = self.key_of(owner);
        let field = self.storage_mut(owner).relation_mut(owner.slot, relationship.index());
        if field.stamp() == Some(key) {
            field.unload();
        }
    }
}
