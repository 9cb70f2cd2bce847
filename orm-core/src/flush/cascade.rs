//! Who follows whom: rows that are deleted with others, and links that are cut.

use super::rekey::{Followers, Referrers, find_followers};
use crate::error::{Error, Result};
use crate::model::{ForeignKey, Link, PassiveDeletes, Relationship, RelationshipKind, Table};
use crate::sql::Capabilities;
use crate::tracking::{
    EditedByKey, ObjectId, ObjectSet, Pair, PairEdit, Parent, State, Store, views_of_child,
    views_of_parent,
};
use crate::value::Value;

/// What follows from the marks and edits in the store.
#[derive(Debug, Default)]
pub(crate) struct Cascaded {
    /// The persistent objects to delete, in the order in which they were found.
    pub(crate) deletes: Vec<ObjectId>,
    pub(crate) deleted: ObjectSet,
    /// Pending objects that go with a deleted parent.
    pub(crate) expunged: Vec<ObjectId>,
    /// Children whose link is cut because their parent is deleted.
    pub(crate) unlinked: Vec<(ObjectId, &'static ForeignKey)>,
    /// Association rows that go with a deleted side.
    pub(crate) cleared: Vec<(&'static Table, &'static ForeignKey, ObjectId)>,
    /// Who refers to keys that change.
    pub(crate) followers: Followers,
    missing: Missing,
    edited: EditedByKey,
}

/// What must be loaded before the cascade can be followed to its end.
#[derive(Debug, Default)]
pub(crate) struct Missing {
    /// Collections, and the deleted objects that own them.
    pub(crate) collections: Vec<(&'static Relationship, Vec<ObjectId>)>,
    /// Rows that references lead to.
    pub(crate) parents: Vec<(&'static ForeignKey, Vec<Vec<Value>>)>,
    /// Rows that refer to keys which change.
    pub(crate) referrers: Vec<Referrers>,
}

impl Missing {
    pub(crate) fn is_empty(&self) -> bool {
        self.collections.is_empty() && self.parents.is_empty() && self.referrers.is_empty()
    }

    fn collection(&mut self, relationship: &'static Relationship, owner: ObjectId) {
        match self.collections.iter_mut().find(|(other, _)| std::ptr::eq(*other, relationship)) {
            Some((_, owners)) => owners.push(owner),
            None => self.collections.push((relationship, vec![owner])),
        }
    }

    fn parent(&mut self, foreign_key: &'static ForeignKey, key: Vec<Value>) {
        match self.parents.iter_mut().find(|(other, _)| *other == foreign_key) {
            Some((_, keys)) => keys.push(key),
            None => self.parents.push((foreign_key, vec![key])),
        }
    }
}

impl Cascaded {
    /// What is still to be loaded.
    pub(crate) fn missing(&self) -> &Missing {
        &self.missing
    }

    /// The cascade, which must have been followed to its end.
    pub(crate) fn complete(self) -> Result<Self> {
        if !self.missing.collections.is_empty() {
            return Err(Error::misuse(
                "this plan needs members of collections that are not loaded",
            ));
        }
        if !self.missing.referrers.is_empty() {
            return Err(Error::misuse(
                "this plan changes keys to which rows may refer that are not loaded",
            ));
        }
        Ok(self)
    }

    /// Everything that refers to changed keys has been read.
    pub(crate) fn has_read_referrers(&mut self) {
        self.missing.referrers.clear();
    }
}

/// Follows every mark and edit as far as memory knows.
pub(crate) fn cascade(store: &Store, capabilities: &Capabilities) -> Result<Cascaded> {
    let mut cascaded = Cascaded::default();
    for &object in &store.touched {
        if store.header(object).state == State::Persistent && store.header(object).marked_deleted {
            cascaded.delete(store, object);
        }
    }
    cascaded.find_orphans(store)?;
    let (mut rows, mut pending) = (0, 0);
    loop {
        let object = if let Some(&object) = cascaded.deletes.get(rows) {
            rows += 1;
            object
        } else if let Some(&object) = cascaded.expunged.get(pending) {
            pending += 1;
            object
        } else {
            break;
        };
        for relationship in store.table(object).relationships() {
            cascaded.follow(store, object, relationship)?;
        }
    }
    cascaded.expect_cuttable(store)?;
    store.expect_single_parents(|owner| cascaded.deleted.contains(&owner))?;
    let (followers, referrers) = find_followers(store, &cascaded.deleted, capabilities)?;
    cascaded.followers = followers;
    cascaded.missing.referrers = referrers;
    Ok(cascaded)
}

impl Cascaded {
    fn delete(&mut self, store: &Store, object: ObjectId) {
        match store.header(object).state {
            State::Persistent if self.deleted.insert(object) => self.deletes.push(object),
            State::Pending if self.deleted.insert(object) => self.expunged.push(object),
            _ => {}
        }
    }

    /// Members that left their delete-orphan relationship and have no new owner through it.
    fn find_orphans(&mut self, store: &Store) -> Result<()> {
        for &child in &store.touched {
            let table = store.table(child);
            // What was never a row had no parent that it could have left.
            if store.header(child).state != State::Persistent {
                continue;
            }
            let Some(changes) = &store.header(child).changes else { continue };
            for edit in &changes.links {
                let foreign_key = edit.foreign_key;
                if edit.parent.is_none()
                    && edit.had_parent
                    && views_of_parent(table, foreign_key).any(|view| view.cascades().delete_orphan)
                {
                    self.delete(store, child);
                }
                let owns_parent =
                    views_of_child(table, foreign_key).any(|view| view.cascades().delete_orphan);
                if owns_parent && edit.had_parent {
                    match store.database_parent(child, foreign_key) {
                        Parent::Known(old)
                            if Some(old) != edit.parent
                                && self
                                    .edited
                                    .children(store, table, foreign_key, old)
                                    .is_empty() =>
                        {
                            self.delete(store, old);
                        }
                        Parent::Unloaded(key) => self.missing.parent(foreign_key, key),
                        _ => {}
                    }
                }
            }
        }
        for (pair, edit) in store.pairs.edits() {
            if edit == PairEdit::Delete {
                self.find_orphan_of_pair(store, pair)?;
            }
        }
        Ok(())
    }

    fn find_orphan_of_pair(&mut self, store: &Store, pair: Pair) -> Result<()> {
        for (owner, member) in [(pair.first, pair.second), (pair.second, pair.first)] {
            for relationship in store.table(owner).relationships() {
                let Link::Through(association) = relationship.link()? else { continue };
                if !relationship.cascades().delete_orphan
                    || Pair::new(association, owner, member) != pair
                {
                    continue;
                }
                let has_other_owner = store.pairs.edits_of(member).any(|(other, edit)| {
                    let other_owner = if pair.first == member { other.second } else { other.first };
                    edit != PairEdit::Delete && Pair::new(association, other_owner, member) == other
                });
                if !has_other_owner {
                    self.delete(store, member);
                }
            }
        }
        Ok(())
    }

    /// What deleting an object does to the members of one of its relationships.
    fn follow(
        &mut self,
        store: &Store,
        object: ObjectId,
        relationship: &'static Relationship,
    ) -> Result<()> {
        if relationship.is_view_only() {
            return Ok(());
        }
        let cascades = relationship.cascades();
        let deletes = cascades.delete || cascades.delete_orphan;
        let passive = relationship.left_to_database();
        match (*relationship.link()?, relationship.kind()) {
            (Link::Direct { foreign_key, .. }, RelationshipKind::BelongsTo) => {
                if deletes {
                    match store.parent_of(object, foreign_key) {
                        Parent::Known(parent) => self.delete(store, parent),
                        Parent::Unloaded(key) => self.missing.parent(foreign_key, key),
                        Parent::Nowhere => {}
                    }
                }
            }
            (Link::Direct { child, foreign_key }, _) => {
                let members = match (passive, self.members(store, object, relationship)) {
                    (PassiveDeletes::All, _) => return Ok(()),
                    (_, Some(members)) => members,
                    (PassiveDeletes::Never, None) => {
                        self.missing.collection(relationship, object);
                        return Ok(());
                    }
                    // What this session put in is known without reading.
                    (PassiveDeletes::Unloaded, None) => {
                        self.edited.children(store, child, foreign_key, object).to_vec()
                    }
                };
                for member in members {
                    if store.is_assigned_elsewhere(member, foreign_key, object) {
                        continue;
                    }
                    if deletes {
                        self.delete(store, member);
                    } else if store.is_in_session(member) {
                        self.unlinked.push((member, foreign_key));
                    }
                }
            }
            (Link::Through(association), _) => {
                let members = self.members(store, object, relationship);
                let leaves_rows = match passive {
                    PassiveDeletes::Never => false,
                    PassiveDeletes::Unloaded => members.is_none(),
                    PassiveDeletes::All => true,
                };
                if leaves_rows {
                    return Ok(());
                }
                let is_row = store.header(object).state == State::Persistent;
                if is_row {
                    self.cleared.push((association.table, association.source, object));
                }
                // Of a model to itself both keys may lead to the object, inverse or not.
                if is_row && relationship.target() == store.table(object) {
                    self.cleared.push((association.table, association.target, object));
                }
                if deletes {
                    match members {
                        Some(members) => {
                            members.into_iter().for_each(|member| self.delete(store, member));
                        }
                        None => self.missing.collection(relationship, object),
                    }
                }
            }
        }
        Ok(())
    }

    /// The members of a relationship, if memory knows all of them. What the session's criteria hide
    /// is deleted or cut loose like the rest.
    fn members(
        &mut self,
        store: &Store,
        owner: ObjectId,
        relationship: &'static Relationship,
    ) -> Option<Vec<ObjectId>> {
        let members = store.known_members(owner, relationship, &mut self.edited);
        let field = store.storage(owner).relation(owner.slot, relationship.index());
        members.filter(|_| !field.is_partial())
    }

    /// A child that stays needs a foreign key that can be `NULL`.
    fn expect_cuttable(&mut self, store: &Store) -> Result<()> {
        let deleted = &self.deleted;
        self.unlinked.retain(|(child, _)| !deleted.contains(child));
        for (child, foreign_key) in &self.unlinked {
            let table = store.table(*child);
            let still_linked = match store.parent_of(*child, foreign_key) {
                Parent::Known(parent) => deleted.contains(&parent),
                _ => true,
            };
            if !still_linked {
                continue;
            }
            let columns: Vec<&str> =
                foreign_key.columns().iter().map(|&at| table.columns()[at].name).collect();
            let in_key =
                foreign_key.columns().iter().any(|column| table.primary_key().contains(column));
            if in_key || !foreign_key.is_nullable(table) {
                return Err(Error::misuse(format!(
                    "deleting this `{parent}` would leave `{child}.{columns}` without a value, and the column is {why}: delete the `{child}` too, move them, or give the relationship `cascade = \"all, delete-orphan\"` or `passive_deletes`",
                    parent = foreign_key.target().name(),
                    child = table.name(),
                    columns = columns.join(", "),
                    why = if in_key { "part of the primary key" } else { "not nullable" },
                )));
            }
        }
        Ok(())
    }
}
