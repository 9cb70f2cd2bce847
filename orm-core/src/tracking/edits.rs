//! Edits of relationships. Whichever side is edited, both follow at once and nothing is read.

use super::arena::{ObjectId, ObjectSet, State};
use super::links::Parent;
use super::pairs::PairEdit;
use super::store::Store;
use crate::error::{Error, Result};
use crate::model::{Key, Link, Relationship, RelationshipKind};

impl Store {
    /// Puts a member into a relationship: a collection gets it at its end, a reference leads to
    /// it from now on.
    pub(crate) fn put(
        &mut self,
        owner: ObjectId,
        relationship: &'static Relationship,
        member: ObjectId,
    ) -> Result<()> {
        self.expect_writable(relationship)?;
        match (*relationship.link()?, relationship.kind()) {
            (Link::Through(association), _) => {
                self.pair(owner, relationship, &association, member);
            }
            (Link::Direct { child, foreign_key }, RelationshipKind::BelongsTo) => {
                self.expect_loaded(owner)?;
                self.link(owner, child, foreign_key, member, false);
            }
            (Link::Direct { child, foreign_key }, _) => {
                self.expect_loaded(member)?;
                let queued =
                    !self.storage(owner).relation(owner.slot, relationship.index()).is_loaded();
                self.link(member, child, foreign_key, owner, queued);
            }
        }
        Ok(())
    }

    /// Takes members out of a relationship, as far as they are in it.
    pub(crate) fn take_out(
        &mut self,
        owner: ObjectId,
        relationship: &'static Relationship,
        members: &[ObjectId],
    ) -> Result<()> {
        self.expect_writable(relationship)?;
        match (*relationship.link()?, relationship.kind()) {
            (Link::Through(association), _) => {
                self.unpair(owner, relationship, &association, members);
            }
            (Link::Direct { child, foreign_key }, RelationshipKind::BelongsTo) => {
                self.expect_loaded(owner)?;
                if let Parent::Known(parent) = self.parent_of(owner, foreign_key)
                    && members.contains(&parent)
                {
                    self.unlink(&[owner], child, foreign_key, false);
                }
            }
            (Link::Direct { child, foreign_key }, _) => {
                members.iter().try_for_each(|member| self.expect_loaded(*member))?;
                let is_member = |member: &ObjectId| {
                    self.parent_of(*member, foreign_key) == Parent::Known(owner)
                };
                let members: Vec<ObjectId> = members.iter().copied().filter(is_member).collect();
                let queued =
                    !self.storage(owner).relation(owner.slot, relationship.index()).is_loaded();
                self.unlink(&members, child, foreign_key, queued);
            }
        }
        Ok(())
    }

    /// Makes these the members of a relationship: a net difference where the members are known,
    /// else one that the flush finds by reading them once.
    pub(crate) fn replace(
        &mut self,
        owner: ObjectId,
        relationship: &'static Relationship,
        mut members: Vec<ObjectId>,
    ) -> Result<()> {
        self.expect_writable(relationship)?;
        let mut wanted = ObjectSet::default();
        members.retain(|member| wanted.insert(*member));
        if relationship.kind() == RelationshipKind::BelongsTo {
            let Link::Direct { child, foreign_key } = *relationship.link()? else {
                return Ok(());
            };
            self.expect_loaded(owner)?;
            if let Some(&member) = members.first() {
                return self.put(owner, relationship, member);
            }
            self.unlink(&[owner], child, foreign_key, false);
            return Ok(());
        }
        let current = self.members(owner, relationship);
        if let Link::Direct { .. } = relationship.link()? {
            let leaving = current.iter().flatten().filter(|member| !wanted.contains(member));
            leaving.chain(&members).try_for_each(|member| self.expect_loaded(*member))?;
        }
        // A collection that was replaced before it was loaded is still to be read by the flush.
        let is_known = self.replacing(owner, relationship).is_none();
        let is_row = self.header(owner).state == State::Persistent;
        let (mut leaving, is_read) = match current.filter(|_| is_known) {
            Some(current) => (current, false),
            None => (self.queued_members(owner, relationship)?, is_row),
        };
        leaving.retain(|member| !wanted.contains(member));
        self.take_out(owner, relationship, &leaving)?;
        if is_read {
            self.replace_unread(owner, relationship, wanted);
            let spared = &mut self.changes_mut(owner).spared;
            spared.retain(|(relation, _)| *relation != relationship.index());
        }
        for member in &members {
            self.put(owner, relationship, *member)?;
        }
        // The collection shows its new members in their new order, loaded or not before.
        let keys: Vec<Key> = members
            .iter()
            .filter(|member| self.is_in_session(**member))
            .map(|member| self.key_of(*member))
            .collect();
        let owner_key = self.key_of(owner);
        self.edit_view(owner, relationship, |field| field.load(owner_key, &keys));
        Ok(())
    }

    /// Members that unflushed edits put into a collection: all that a new object has, and those
    /// of a row's that is not loaded.
    pub(crate) fn queued_members(
        &self,
        owner: ObjectId,
        relationship: &'static Relationship,
    ) -> Result<Vec<ObjectId>> {
        Ok(match relationship.link()? {
            Link::Direct { child, foreign_key } => {
                self.edited_links(child, foreign_key).by_parent.remove(&owner).unwrap_or_default()
            }
            Link::Through(association) => self
                .pairs
                .edits_of(owner)
                .filter(|(_, edit)| *edit != PairEdit::Delete)
                .filter_map(|(pair, _)| pair.other_side(association, owner))
                .collect(),
        })
    }

    /// Shows a member at the end of a collection, once. If the collection was replaced without
    /// being loaded, the flush, which reads it, must not let the member go.
    pub(super) fn enter_collection(
        &mut self,
        owner: ObjectId,
        view: &'static Relationship,
        member: ObjectId,
    ) {
        if let Some(wanted) = self.replacing(owner, view) {
            wanted.insert(member);
        }
        let key = self.key_of(member);
        self.edit_view(owner, view, |field| field.insert(key));
    }

    /// A member that leaves a collection again which was replaced without being loaded.
    pub(super) fn unwant(
        &mut self,
        owner: ObjectId,
        view: &'static Relationship,
        member: ObjectId,
    ) {
        if let Some(wanted) = self.replacing(owner, view) {
            wanted.remove(&member);
        }
    }

    /// What a collection is to become that was replaced without being loaded.
    pub(super) fn replacing(
        &mut self,
        owner: ObjectId,
        view: &'static Relationship,
    ) -> Option<&mut ObjectSet> {
        let changes = self.header_mut(owner).changes.as_mut()?;
        let mut replaced = changes.replaced.iter_mut();
        replaced.find(|(relation, _)| *relation == view.index()).map(|(_, wanted)| wanted)
    }

    /// A relationship that is not loaded is to have these members: the flush reads who was there
    /// and lets it go.
    pub(super) fn replace_unread(
        &mut self,
        owner: ObjectId,
        view: &'static Relationship,
        wanted: ObjectSet,
    ) {
        let replaced = &mut self.changes_mut(owner).replaced;
        replaced.retain(|(relation, _)| *relation != view.index());
        replaced.push((view.index(), wanted));
    }

    /// Whether one of the columns was assigned by hand since the last flush.
    pub(super) fn is_assigned(&self, object: ObjectId, columns: &[usize]) -> bool {
        let Some(changes) = self.header(object).changes.as_ref() else { return false };
        let Some(snapshot) = changes.snapshot.as_ref() else { return false };
        columns.iter().any(|&column| {
            self.storage(object).encode(object.slot, column) != snapshot[column]
                || changes.expressions.iter().any(|(other, _)| *other == column)
        })
    }

    /// Gives columns back what they were at the first mutable access.
    pub(crate) fn undo_assignment(&mut self, object: ObjectId, columns: &[usize]) {
        let Some(changes) = self.header_mut(object).changes.as_mut() else { return };
        changes.expressions.retain(|(column, _)| !columns.contains(column));
        let Some(snapshot) = changes.snapshot.as_ref() else { return };
        let former: Vec<_> = columns.iter().map(|&at| (at, snapshot[at].clone())).collect();
        for (column, value) in former {
            self.write_column(object, column, &value);
        }
    }

    pub(crate) fn is_in_session(&self, object: ObjectId) -> bool {
        matches!(self.header(object).state, State::Pending | State::Persistent)
    }

    pub(super) fn expect_writable(&self, relationship: &'static Relationship) -> Result<()> {
        if relationship.is_view_only() {
            return Err(Error::misuse(format!(
                "`{}.{}` is `viewonly`: it loads and never writes",
                relationship.source().model(),
                relationship.name(),
            )));
        }
        Ok(())
    }
}
