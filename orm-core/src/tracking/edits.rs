//! Edits of relationships. Whichever side is edited, both follow at once and nothing is read.

use super::arena::{ObjectId, State};
use super::changes::LinkEdit;
use super::links::{Parent, views_of_child, views_of_parent, views_of_partner};
use super::pairs::{Pair, PairEdit};
use super::store::Store;
use crate::error::{Error, Result};
use crate::model::{Association, ForeignKey, Key, Link, Relationship, RelationshipKind, Table};

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
                self.link(owner, child, foreign_key, Some(member), false);
            }
            (Link::Direct { child, foreign_key }, _) => {
                self.expect_loaded(member)?;
                let queued =
                    !self.storage(owner).relation(owner.slot, relationship.index()).is_loaded();
                self.link(member, child, foreign_key, Some(owner), queued);
            }
        }
        Ok(())
    }

    /// Takes a member out of a relationship.
    pub(crate) fn take_out(
        &mut self,
        owner: ObjectId,
        relationship: &'static Relationship,
        member: ObjectId,
    ) -> Result<()> {
        self.expect_writable(relationship)?;
        match (*relationship.link()?, relationship.kind()) {
            (Link::Through(association), _) => {
                self.unpair(owner, relationship, &association, member);
            }
            (Link::Direct { child, foreign_key }, RelationshipKind::BelongsTo) => {
                self.expect_loaded(owner)?;
                if self.parent_of(owner, foreign_key) == Parent::Known(member) {
                    self.link(owner, child, foreign_key, None, false);
                }
            }
            (Link::Direct { child, foreign_key }, _) => {
                self.expect_loaded(member)?;
                if self.parent_of(member, foreign_key) == Parent::Known(owner) {
                    let queued =
                        !self.storage(owner).relation(owner.slot, relationship.index()).is_loaded();
                    self.link(member, child, foreign_key, None, queued);
                }
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
        let mut seen = std::collections::HashSet::new();
        members.retain(|member| seen.insert(*member));
        if relationship.kind() == RelationshipKind::BelongsTo {
            let Link::Direct { child, foreign_key } = *relationship.link()? else {
                return Ok(());
            };
            self.expect_loaded(owner)?;
            if let Some(&member) = members.first() {
                return self.put(owner, relationship, member);
            }
            self.link(owner, child, foreign_key, None, false);
            return Ok(());
        }
        if let Link::Direct { .. } = relationship.link()? {
            let current = self.members(owner, relationship).unwrap_or_default();
            let leaving = current.iter().filter(|member| !seen.contains(member));
            leaving.chain(&members).try_for_each(|member| self.expect_loaded(*member))?;
        }
        // A collection that was replaced before it was loaded is still to be read by the flush.
        let is_known = self.replacing(owner, relationship).is_none();
        match self.members(owner, relationship).filter(|_| is_known) {
            Some(current) => {
                for leaving in current.iter().filter(|member| !seen.contains(member)) {
                    self.take_out(owner, relationship, *leaving)?;
                }
            }
            None if self.header(owner).state == State::Persistent => {
                for queued in self.queued_members(owner, relationship)? {
                    if !seen.contains(&queued) {
                        self.take_out(owner, relationship, queued)?;
                    }
                }
                let changes = self.changes_mut(owner);
                changes.spared.retain(|(relation, _)| *relation != relationship.index());
                changes.replaced.retain(|(relation, _)| *relation != relationship.index());
                changes.replaced.push((relationship.index(), members.clone()));
            }
            None => {}
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
                .edits()
                .filter(|(_, edit)| *edit != PairEdit::Delete)
                .filter_map(|(pair, _)| pair.other_side(association, owner))
                .collect(),
        })
    }

    /// Lets the child's foreign key lead to this parent, or nowhere, and both sides' views follow.
    pub(crate) fn link(
        &mut self,
        child: ObjectId,
        child_table: &'static Table,
        foreign_key: &'static ForeignKey,
        parent: Option<ObjectId>,
        queued: bool,
    ) {
        let old = self.parent_of(child, foreign_key);
        let unchanged = match (&old, parent) {
            (Parent::Known(old), Some(new)) => *old == new,
            (Parent::Nowhere, None) => true,
            _ => false,
        };
        let assigned_by_hand = self.is_assigned(child, foreign_key.columns());
        // The flush would let a child go that comes back after a `replace` without it.
        let was_let_go = parent.is_some_and(|parent| {
            views_of_parent(child_table, foreign_key).any(|view| {
                self.replacing(parent, view).is_some_and(|wanted| !wanted.contains(&child))
            })
        });
        if unchanged && !assigned_by_hand && !was_let_go {
            return;
        }
        if assigned_by_hand {
            self.undo_assignment(child, foreign_key.columns());
        }
        let child_key = self.key_of(child);
        if let Parent::Known(old) = old {
            for view in views_of_parent(child_table, foreign_key) {
                self.unwant(old, view, child);
                self.edit_view(old, view, |field| field.remove(child_key));
            }
        }

        let in_database = match self.header(child).state {
            State::Persistent => self.database_parent(child, foreign_key),
            _ => Parent::Nowhere,
        };
        let put_back = self.header(child).state == State::Persistent
            && in_database == parent.map_or(Parent::Nowhere, Parent::Known);
        let had_parent = in_database != Parent::Nowhere;
        let links = &mut self.changes_mut(child).links;
        links.retain(|edit| edit.foreign_key != foreign_key);
        if !put_back {
            links.push(LinkEdit { foreign_key, parent, had_parent, queued });
        }

        if let Some(parent) = parent {
            self.enter(child, child_table, foreign_key, parent);
        }
        let parent_key: Vec<Key> = parent.into_iter().map(|parent| self.key_of(parent)).collect();
        for view in views_of_child(child_table, foreign_key) {
            self.edit_view(child, view, |field| field.load(child_key, &parent_key));
        }
        if let Parent::Known(old) = old
            && self.header(old).state == State::Pending
            && views_of_child(child_table, foreign_key).any(|view| view.cascades().delete_orphan)
            && !self.is_linked_to(old, foreign_key)
        {
            self.expunge_pending(old);
        }
        if parent.is_none() && self.header(child).state == State::Pending {
            let is_orphan =
                views_of_parent(child_table, foreign_key).any(|view| view.cascades().delete_orphan);
            if is_orphan && old != Parent::Nowhere {
                self.expunge_pending(child);
            }
        }
    }

    /// Whether an unflushed link of this foreign key leads to an object.
    fn is_linked_to(&self, parent: ObjectId, foreign_key: &'static ForeignKey) -> bool {
        let mut changes = self.touched.iter().filter_map(|it| self.header(*it).changes.as_ref());
        changes.any(|changes| {
            changes.link(foreign_key).is_some_and(|edit| edit.parent == Some(parent))
        })
    }

    /// Shows the child in the views of its new parent. A one-to-one lets its former child go.
    fn enter(
        &mut self,
        child: ObjectId,
        child_table: &'static Table,
        foreign_key: &'static ForeignKey,
        parent: ObjectId,
    ) {
        let (child_key, parent_key) = (self.key_of(child), self.key_of(parent));
        for view in views_of_parent(child_table, foreign_key) {
            if view.kind() == RelationshipKind::HasMany {
                self.enter_collection(parent, view, child);
                continue;
            }
            let wanted = self.replacing(parent, view);
            let formerly = wanted.map(|wanted| std::mem::replace(wanted, vec![child]));
            for former in formerly.into_iter().flatten().filter(|former| *former != child) {
                if self.parent_of(former, foreign_key) == Parent::Known(parent) {
                    self.link(former, child_table, foreign_key, None, false);
                }
            }
            match self.members(parent, view) {
                Some(former) => {
                    for former in former.into_iter().filter(|former| *former != child) {
                        self.link(former, child_table, foreign_key, None, false);
                    }
                }
                None if self.header(parent).state == State::Persistent => {
                    // Not known: the flush reads who was there and lets it go.
                    let replaced = &mut self.changes_mut(parent).replaced;
                    replaced.retain(|(relation, _)| *relation != view.index());
                    replaced.push((view.index(), vec![child]));
                }
                None => {}
            }
            self.edit_view(parent, view, |field| field.load(parent_key, &[child_key]));
        }
    }

    /// A member that leaves a collection again which was replaced without being loaded.
    fn unwant(&mut self, owner: ObjectId, view: &'static Relationship, member: ObjectId) {
        if let Some(wanted) = self.replacing(owner, view) {
            wanted.retain(|other| *other != member);
        }
    }

    /// What a collection is to become that was replaced without being loaded.
    fn replacing(
        &mut self,
        owner: ObjectId,
        view: &'static Relationship,
    ) -> Option<&mut Vec<ObjectId>> {
        let changes = self.header_mut(owner).changes.as_mut()?;
        let replaced = changes.replaced.iter_mut();
        replaced.filter(|(relation, _)| *relation == view.index()).map(|(_, wanted)| wanted).next()
    }

    fn pair(
        &mut self,
        owner: ObjectId,
        relationship: &'static Relationship,
        association: &Association,
        member: ObjectId,
    ) {
        let pair = Pair::new(association, owner, member);
        let edit = self.pairs.edit(&pair);
        let is_member = edit.is_none() && self.shows_pair(owner, relationship, association, member);
        let view = self.storage(owner).relation(owner.slot, relationship.index());
        if !is_member && view.is_loaded() {
            // What was loaded knows better than what this session once wrote.
            self.pairs.forget_known(&pair);
        }
        if !is_member {
            let is_absent = self.knows_pairs(owner, relationship, association, member);
            self.pairs.insert(pair, is_absent);
        }
        self.enter_collection(owner, relationship, member);
        for view in views_of_partner(relationship, association) {
            self.enter_collection(member, view, owner);
        }
    }

    /// Shows a member at the end of a collection, once. If the collection was replaced without
    /// being loaded, the flush, which reads it, must not let the member go.
    fn enter_collection(&mut self, owner: ObjectId, view: &'static Relationship, member: ObjectId) {
        if let Some(wanted) = self.replacing(owner, view)
            && !wanted.contains(&member)
        {
            wanted.push(member);
        }
        let key = self.key_of(member);
        self.edit_view(owner, view, |field| field.insert(key));
    }

    fn unpair(
        &mut self,
        owner: ObjectId,
        relationship: &'static Relationship,
        association: &Association,
        member: ObjectId,
    ) {
        let is_known_absent = self.pairs.edit(&Pair::new(association, owner, member)).is_none()
            && self.members(owner, relationship).is_some_and(|members| !members.contains(&member));
        if !is_known_absent {
            let is_row = self.shows_pair(owner, relationship, association, member);
            self.cut_pair(owner, relationship, association, member, is_row);
        }
    }

    /// Takes a pair apart that is a row, or may be one.
    pub(crate) fn cut_pair(
        &mut self,
        owner: ObjectId,
        relationship: &'static Relationship,
        association: &Association,
        member: ObjectId,
        is_row: bool,
    ) {
        let pair = Pair::new(association, owner, member);
        let was_new = self.pairs.edit(&pair).is_some_and(|edit| edit != PairEdit::Delete);
        self.pairs.remove(pair, is_row);
        self.unwant(owner, relationship, member);
        for view in views_of_partner(relationship, association) {
            self.unwant(member, view, owner);
        }
        let (owner_key, member_key) = (self.key_of(owner), self.key_of(member));
        self.edit_view(owner, relationship, |field| field.remove(member_key));
        let mut owns_owner = false;
        for view in views_of_partner(relationship, association) {
            self.edit_view(member, view, |field| field.remove(owner_key));
            owns_owner |= view.cascades().delete_orphan;
        }
        if was_new && relationship.cascades().delete_orphan {
            self.expunge_pending_orphan(member, association.table);
        }
        if was_new && owns_owner {
            self.expunge_pending_orphan(owner, association.table);
        }
    }

    /// A pending object that lost its pair, and has no other, was never to be a row.
    fn expunge_pending_orphan(&mut self, object: ObjectId, association: &'static Table) {
        let mut edits = self.pairs.edits().filter(|(_, edit)| *edit != PairEdit::Delete);
        let has_other = edits.any(|(pair, _)| pair.table == association && pair.concerns(object));
        drop(edits);
        if self.header(object).state == State::Pending && !has_other {
            self.expunge_pending(object);
        }
    }

    /// Whether a loaded view of either side shows the pair.
    fn shows_pair(
        &self,
        owner: ObjectId,
        relationship: &'static Relationship,
        association: &Association,
        member: ObjectId,
    ) -> bool {
        let shows = |object: ObjectId, view: &Relationship, other| {
            self.storage(object).relation(object.slot, view.index()).contains(self.key_of(other))
        };
        shows(owner, relationship, member)
            || views_of_partner(relationship, association).any(|view| shows(member, view, owner))
    }

    /// Whether memory can tell if the pair is a row: one side is loaded, or no row itself. Where
    /// orphans are deleted it is taken for none: who is added and removed again has left nobody.
    fn knows_pairs(
        &self,
        owner: ObjectId,
        relationship: &'static Relationship,
        association: &Association,
        member: ObjectId,
    ) -> bool {
        let is_loaded = |object: ObjectId, view: &Relationship| {
            self.storage(object).relation(object.slot, view.index()).is_loaded()
        };
        let partners = || views_of_partner(relationship, association);
        [owner, member].iter().any(|side| self.header(*side).state == State::Pending)
            || is_loaded(owner, relationship)
            || partners().any(|view| is_loaded(member, view))
            || relationship.cascades().delete_orphan
            || partners().any(|view| view.cascades().delete_orphan)
    }

    /// Whether one of the columns was assigned by hand since the last flush.
    fn is_assigned(&self, object: ObjectId, columns: &[usize]) -> bool {
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
