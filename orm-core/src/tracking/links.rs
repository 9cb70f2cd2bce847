//! Where relationships lead: links and pairs are the truth, relationship fields are views of it.

use super::arena::{ObjectId, ObjectMap, ObjectSet, State};
use super::journal::KeptMembers;
use super::pairs::{Pair, PairEdit};
use super::store::Store;
use crate::error::{Error, Result};
use crate::model::{
    Association, ForeignKey, Key, Link, RelationField, Relationship, RelationshipKind, Table,
};
use crate::value::Value;

/// Where an object's foreign key leads.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Parent {
    /// It is `NULL`.
    Nowhere,
    /// To an object in the session.
    Known(ObjectId),
    /// To a row with this key, which is not in the session.
    Unloaded(Vec<Value>),
}

/// The collections and references whose members this foreign key of the child's table makes.
pub(crate) fn views_of_parent(
    child: &'static Table,
    foreign_key: &'static ForeignKey,
) -> impl Iterator<Item = &'static Relationship> {
    foreign_key.target().relationships().iter().filter(move |relationship| {
        relationship.kind() != RelationshipKind::BelongsTo
            && relationship.link().ok() == Some(&Link::Direct { child, foreign_key })
    })
}

/// The references that follow this foreign key of their own table.
pub(crate) fn views_of_child(
    child: &'static Table,
    foreign_key: &'static ForeignKey,
) -> impl Iterator<Item = &'static Relationship> {
    child.relationships().iter().filter(move |relationship| {
        relationship.kind() == RelationshipKind::BelongsTo
            && relationship.link().ok() == Some(&Link::Direct { child, foreign_key })
    })
}

/// The relationships of the other side that go through the same association.
pub(crate) fn views_of_partner(
    relationship: &'static Relationship,
    association: &Association,
) -> impl Iterator<Item = &'static Relationship> {
    let mirrored = Link::Through(Association {
        table: association.table,
        source: association.target,
        target: association.source,
    });
    relationship
        .target()
        .relationships()
        .iter()
        .filter(move |other| other.link().ok() == Some(&mirrored))
}

// ---------------------------------------------------------------- reading

/// The error of reading a relationship that is not loaded.
pub(crate) fn not_loaded(relationship: &'static Relationship) -> Error {
    Error::NotLoaded {
        model: relationship.source().model(),
        field: relationship.name(),
        hint: "await it on its handle, or load it with the query by `.with(…)`",
    }
}

impl Store {
    /// The members of a relationship, which must be loaded, each of which may be read.
    ///
    /// # Errors
    /// `NotLoaded` if the relationship is not loaded, or one of its members is expired.
    pub(crate) fn readable_members(
        &self,
        owner: ObjectId,
        relationship: &'static Relationship,
    ) -> Result<Vec<ObjectId>> {
        let members = self.members(owner, relationship).ok_or_else(|| not_loaded(relationship))?;
        members.iter().try_for_each(|member| self.expect_loaded(*member))?;
        Ok(members)
    }

    /// Where the object's foreign key leads, unflushed links counted.
    pub(crate) fn parent_of(&self, child: ObjectId, foreign_key: &'static ForeignKey) -> Parent {
        let changes = self.header(child).changes.as_ref();
        if let Some(edit) = changes.and_then(|changes| changes.link(foreign_key)) {
            return edit.parent.map_or(Parent::Nowhere, Parent::Known);
        }
        if foreign_key.columns().iter().any(|column| self.is_unset(child, *column)) {
            return Parent::Nowhere;
        }
        self.database_parent(child, foreign_key)
    }

    /// Whether the child's foreign key columns were assigned by hand, and lead to another row than
    /// the parent's: whatever a loaded relationship shows until the flush, the child has moved.
    pub(crate) fn is_assigned_elsewhere(
        &self,
        child: ObjectId,
        foreign_key: &'static ForeignKey,
        parent: ObjectId,
    ) -> bool {
        let Some(changes) = &self.header(child).changes else { return false };
        if self.header(child).state != State::Persistent || changes.link(foreign_key).is_some() {
            return false;
        }
        let mut elsewhere = false;
        for (&column, &referenced) in foreign_key.columns().iter().zip(foreign_key.referenced()) {
            let value = self.storage(child).encode(child.slot, column);
            if value.is_null() || self.is_unset(child, column) {
                return false;
            }
            elsewhere |= value != self.database_value(child, column)
                && value != self.database_value(parent, referenced);
        }
        elsewhere
    }

    /// Where the row's foreign key leads in the database (for a pending object: by the key that
    /// it was given).
    pub(crate) fn database_parent(
        &self,
        child: ObjectId,
        foreign_key: &'static ForeignKey,
    ) -> Parent {
        let key: Vec<Value> = foreign_key
            .columns()
            .iter()
            .map(|column| self.database_value(child, *column))
            .collect();
        if key.iter().any(Value::is_null) {
            return Parent::Nowhere;
        }
        self.find_referenced(foreign_key, &key).map_or(Parent::Unloaded(key), Parent::Known)
    }

    /// The object that a foreign key of these values leads to, if it is known.
    pub(crate) fn find_referenced(
        &self,
        foreign_key: &'static ForeignKey,
        key: &[Value],
    ) -> Option<ObjectId> {
        match foreign_key.references_primary_key() {
            true => self.find(foreign_key.target(), key),
            false => self.find_by(foreign_key.target(), foreign_key.referenced(), key),
        }
    }

    /// Children whose link through this foreign key was edited, by where it leads now.
    pub(crate) fn edited_links(
        &self,
        child_table: &'static Table,
        foreign_key: &'static ForeignKey,
    ) -> EditedLinks {
        let mut edited = EditedLinks::default();
        let Some(arena) = self.find_arena_of(child_table) else { return edited };
        for &child in self.touched.iter().filter(|object| object.arena == arena) {
            let changes = self.header(child).changes.as_ref();
            if let Some(edit) = changes.and_then(|changes| changes.link(foreign_key))
                && edited.all.insert(child)
                && let Some(parent) = edit.parent
            {
                edited.by_parent.entry(parent).or_default().push(child);
            }
        }
        edited
    }

    /// The members of a loaded relationship as objects. `None` too if one of them was expunged
    /// since: what is left is not the whole.
    pub(crate) fn members(
        &self,
        owner: ObjectId,
        relationship: &'static Relationship,
    ) -> Option<Vec<ObjectId>> {
        let keys = self.storage(owner).relation(owner.slot, relationship.index()).keys()?;
        let arena = match self.find_arena_of(relationship.target()) {
            Some(arena) => arena,
            None if keys.is_empty() => return Some(Vec::new()),
            None => return None,
        };
        let object_of = |key: Key| {
            let header = self.arena_at(arena).header_of(key)?;
            (key.session == self.session() && header.generation == key.generation)
                .then_some(ObjectId { arena, slot: key.slot })
        };
        keys.into_iter().map(object_of).collect()
    }

    /// The members of a relationship, as far as memory knows: of a collection all that it has, loaded
    /// or not, where the owner is no row.
    pub(crate) fn known_members(
        &self,
        owner: ObjectId,
        relationship: &'static Relationship,
        edited: &mut EditedByKey,
    ) -> Option<Vec<ObjectId>> {
        let members = self.members(owner, relationship);
        let is_known = self.header(owner).state == State::Pending
            && relationship.kind() != RelationshipKind::BelongsTo;
        if members.is_some() || !is_known {
            return members;
        }
        match *relationship.link().ok()? {
            Link::Direct { child, foreign_key } => {
                Some(edited.children(self, child, foreign_key, owner).to_vec())
            }
            Link::Through(_) => self.queued_members(owner, relationship).ok(),
        }
    }
}

/// Unflushed links through one foreign key.
#[derive(Debug, Default)]
pub(crate) struct EditedLinks {
    /// Every child with an edit.
    pub(crate) all: ObjectSet,
    /// Those that lead somewhere, by where.
    pub(crate) by_parent: ObjectMap<Vec<ObjectId>>,
}

/// Unflushed links by foreign key, each found once.
#[derive(Debug, Default)]
pub(crate) struct EditedByKey(Vec<(&'static ForeignKey, EditedLinks)>);

impl EditedByKey {
    /// The children that unflushed links of this foreign key lead to a parent.
    pub(crate) fn children(
        &mut self,
        store: &Store,
        child: &'static Table,
        foreign_key: &'static ForeignKey,
        parent: ObjectId,
    ) -> &[ObjectId] {
        let place = self.0.iter().position(|(other, _)| *other == foreign_key);
        let place = place.unwrap_or_else(|| {
            self.0.push((foreign_key, store.edited_links(child, foreign_key)));
            self.0.len() - 1
        });
        self.0[place].1.by_parent.get(&parent).map_or(&[], Vec::as_slice)
    }
}

// ---------------------------------------------------------------- loading into views

impl Store {
    /// Shows what a load found as the members of a relationship, unflushed edits merged in.
    pub(crate) fn show_loaded(
        &mut self,
        owner: ObjectId,
        relationship: &'static Relationship,
        mut members: Vec<ObjectId>,
        edited: &EditedLinks,
    ) {
        // What is loaded amid edits, or after the first write, is not what a rollback restores.
        if !edited.all.is_empty() || self.pairs.has_edits() {
            self.keep_view(owner, relationship);
        } else if let Some(level) = self.tainting_level() {
            self.keep_view_at(level, owner, relationship);
        }
        members.retain(|member| !self.is_let_go(owner, relationship, *member));
        match relationship.link() {
            Ok(Link::Direct { .. }) if relationship.kind() != RelationshipKind::BelongsTo => {
                members.retain(|member| !edited.all.contains(member));
                members.extend(edited.by_parent.get(&owner).into_iter().flatten());
            }
            Ok(Link::Through(association)) if self.pairs.has_edits() => {
                members.retain(|member| {
                    let pair = Pair::new(association, owner, *member);
                    self.pairs.edit(&pair) != Some(PairEdit::Delete)
                });
                let mut shown: ObjectSet = members.iter().copied().collect();
                let edits = self.pairs.edits_of(owner);
                let inserted = edits
                    .filter(|(_, edit)| *edit != PairEdit::Delete)
                    .filter_map(|(pair, _)| pair.other_side(association, owner));
                members.extend(inserted.filter(|member| shown.insert(*member)));
            }
            _ => {}
        }
        let keys: Vec<Key> = members.into_iter().map(|member| self.key_of(member)).collect();
        let owner_key = self.key_of(owner);
        let field = self.storage_mut(owner).relation_mut(owner.slot, relationship.index());
        field.load(owner_key, &keys);
        field.set_partial(false);
    }

    /// Shows what is known without a statement: a reference whose key is NULL or leads to an
    /// object in the store, and the relationships of an object that is no row yet. False if it
    /// has to be loaded.
    pub(crate) fn show_known(
        &mut self,
        object: ObjectId,
        relationship: &'static Relationship,
    ) -> Result<bool> {
        let members = match *relationship.link()? {
            Link::Direct { foreign_key, .. }
                if relationship.kind() == RelationshipKind::BelongsTo =>
            {
                match self.parent_of(object, foreign_key) {
                    Parent::Nowhere => Vec::new(),
                    Parent::Known(parent) if !self.header(parent).expired => vec![parent],
                    _ => return Ok(false),
                }
            }
            _ if self.header(object).state == State::Pending => {
                self.queued_members(object, relationship)?
            }
            _ => return Ok(false),
        };
        self.show_loaded(object, relationship, members, &EditedLinks::default());
        Ok(true)
    }

    /// Changes a relationship field, remembering how it was for a rollback.
    pub(crate) fn edit_view(
        &mut self,
        object: ObjectId,
        relationship: &'static Relationship,
        edit: impl FnOnce(&mut dyn RelationField),
    ) {
        self.keep_view(object, relationship);
        edit(self.storage_mut(object).relation_mut(object.slot, relationship.index()));
    }

    /// Remembers how a relationship field is, for a rollback, unless that is known already.
    pub(crate) fn keep_view(&mut self, object: ObjectId, relationship: &'static Relationship) {
        self.keep_view_at(self.savepoints(), object, relationship);
    }

    /// Remembers how a relationship field is, for a rollback of this level.
    fn keep_view_at(
        &mut self,
        level: usize,
        object: ObjectId,
        relationship: &'static Relationship,
    ) {
        let relation = relationship.index();
        let was_row = matches!(self.header(object).state, State::Persistent | State::Deleted);
        if was_row && !self.journal.has_view(level, object, relation) {
            let field = self.storage(object).relation(object.slot, relation);
            let is_partial = field.is_partial();
            let members = field.keys().map(|keys| KeptMembers { keys, is_partial });
            self.journal.save_view(level, object, relation, members);
        }
    }
}
