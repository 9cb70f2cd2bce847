//! Relationship fields that the user assigned to: edits, as soon as a flush asks.

use super::arena::{ObjectId, State};
use super::store::Store;
use crate::error::{Error, Result};
use crate::model::{Key, RelationshipKind};

impl Store {
    /// Turns what the user assigned to relationship fields into edits, and refuses what can't be
    /// one. Called before a flush plans.
    pub(crate) fn adopt_assignments(&mut self) -> Result<()> {
        for object in self.touched.clone() {
            let header = self.header(object);
            let has_snapshot =
                header.changes.as_ref().is_some_and(|changes| changes.snapshot.is_some());
            if !self.is_in_session(object) {
                continue;
            }
            if has_snapshot {
                self.expect_own_base(object)?;
            } else if self.header(object).state != State::Pending {
                continue;
            }
            self.adopt_fields(object, false)?;
        }
        Ok(())
    }

    /// Turns assigned relationship fields of one object into edits. One that is only entering the
    /// session has been given no members yet.
    pub(crate) fn adopt_fields(&mut self, object: ObjectId, is_entering: bool) -> Result<()> {
        let mut has_none = is_entering;
        let own_key = self.key_of(object);
        for relationship in self.table(object).relationships() {
            let field = self.storage(object).relation(object.slot, relationship.index());
            if field.stamp() == Some(own_key) {
                continue;
            }
            let Some(keys) = field.keys() else { continue };
            let members: Result<Vec<ObjectId>> =
                keys.iter().map(|key| self.member(relationship.target(), *key)).collect();
            let members = members?;
            // What can't be written is found before the assignment is given up.
            self.expect_writable(relationship)?;
            // The view that was overwritten is forgotten: the members follow from the links.
            self.storage_mut(object).relation_mut(object.slot, relationship.index()).unload();
            if self.header(object).state == State::Pending
                && relationship.kind() != RelationshipKind::BelongsTo
            {
                // The members of a new object are those that it was given.
                let current = match has_none {
                    true => Vec::new(),
                    false => self.queued_members(object, relationship)?,
                };
                let keys: Vec<Key> = current.iter().map(|member| self.key_of(*member)).collect();
                self.storage_mut(object)
                    .relation_mut(object.slot, relationship.index())
                    .load(own_key, &keys);
            }
            self.replace(object, relationship, members)?;
            has_none = false;
        }
        Ok(())
    }

    /// A whole entity that was assigned or swapped in brings another row's base columns along.
    fn expect_own_base(&self, object: ObjectId) -> Result<()> {
        let table = self.table(object);
        let Some(changes) = &self.header(object).changes else { return Ok(()) };
        let Some(snapshot) = &changes.snapshot else { return Ok(()) };
        let swapped = (0..table.base_columns()).any(|column| {
            !changes.assigned_base.contains(column)
                && self.storage(object).encode(object.slot, column) != snapshot[column]
        });
        if swapped {
            return Err(Error::misuse(format!(
                "a whole `{0}` was assigned or swapped into the slot of another: assign its fields, or `*session[handle] = …` the plain struct",
                table.model(),
            )));
        }
        Ok(())
    }
}
