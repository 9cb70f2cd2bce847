//! What of an object differs from the database, before a flush writes it.

use super::arena::{ObjectId, ObjectSet, State};
use super::links::Parent;
use super::pairs::PairEdit;
use super::store::Store;
use crate::model::{Link, Relationship, RelationshipKind};
use crate::value::Value;

/// Who enters and who leaves a relationship by unflushed edits.
#[derive(Debug, Default)]
pub(crate) struct MemberEdits {
    pub(crate) added: Vec<ObjectId>,
    pub(crate) removed: Vec<ObjectId>,
}

impl Store {
    /// Whether an object in the session has a real change of its own: a column, a foreign key, or
    /// a pair of one of its many-to-many relationships.
    pub(crate) fn is_modified(&self, object: ObjectId) -> bool {
        self.header(object).state == State::Pending
            || self.is_edited(object)
            || self.has_edited_pairs(object)
    }

    /// The objects that an unflushed edit concerns, in the order of their first edits.
    pub(crate) fn edited_objects(&self) -> Vec<ObjectId> {
        let mut objects = self.touched.clone();
        let mut seen: ObjectSet = objects.iter().copied().collect();
        for (pair, _) in self.pairs.edits() {
            objects.extend([pair.first, pair.second].into_iter().filter(|side| seen.insert(*side)));
        }
        objects
    }

    /// Whether only the database can tell what a pending object's column will hold.
    pub(crate) fn is_left_to_database(&self, object: ObjectId, column: usize) -> bool {
        let definition = &self.table(object).columns()[column];
        // NULL where nobody gave it a value, unless the server has a default.
        let is_null = definition.facts.nullable && !definition.is_generated();
        self.header(object).state == State::Pending && !is_null && self.is_unset(object, column)
    }

    /// What a column will hold after the next flush; `None` where only the database can tell.
    pub(crate) fn value_after_flush(&self, object: ObjectId, column: usize) -> Option<Value> {
        let (mut object, mut column) = (object, column);
        // Keys that are each other's begin nowhere, and are told by nobody.
        for _ in 0..=self.touched.len() {
            let changes = self.header(object).changes.as_deref();
            let links = changes.map(|changes| changes.links.as_slice()).unwrap_or_default();
            let link = links.iter().find(|edit| edit.foreign_key.columns().contains(&column));
            let Some(link) = link else {
                let is_computed = self.expressions(object).any(|(at, _)| *at == column);
                if is_computed || self.is_left_to_database(object, column) {
                    return None;
                }
                let value = self.storage(object).encode(object.slot, column);
                // What was unloaded is no edit.
                let value =
                    value.if_loaded().unwrap_or_else(|| self.database_value(object, column));
                return value.if_loaded();
            };
            let Some(parent) = link.parent else { return Some(Value::Null) };
            let columns = link.foreign_key.columns().iter();
            let mut pairs = columns.zip(link.foreign_key.referenced());
            let referenced = pairs.find(|(own, _)| **own == column).map(|(_, theirs)| *theirs)?;
            (object, column) = (parent, referenced);
        }
        None
    }

    /// Who enters and who leaves a relationship by unflushed edits, as far as they are known:
    /// what a collection had that was replaced without being loaded is not.
    pub(crate) fn member_edits(
        &self,
        owner: ObjectId,
        relationship: &'static Relationship,
    ) -> MemberEdits {
        let mut edits = MemberEdits::default();
        match relationship.link() {
            Ok(Link::Direct { foreign_key, .. })
                if relationship.kind() == RelationshipKind::BelongsTo =>
            {
                let changes = self.header(owner).changes.as_ref();
                let Some(edit) = changes.and_then(|changes| changes.link(foreign_key)) else {
                    return edits;
                };
                edits.added.extend(edit.parent);
                if self.header(owner).state == State::Persistent
                    && let Parent::Known(old) = self.database_parent(owner, foreign_key)
                {
                    edits.removed.push(old);
                }
            }
            Ok(Link::Direct { child, foreign_key }) => {
                let Some(arena) = self.find_arena_of(child) else { return edits };
                for &member in self.touched.iter().filter(|object| object.arena == arena) {
                    let changes = self.header(member).changes.as_ref();
                    let Some(edit) = changes.and_then(|changes| changes.link(foreign_key)) else {
                        continue;
                    };
                    if edit.parent == Some(owner) {
                        edits.added.push(member);
                    } else if self.header(member).state == State::Persistent
                        && self.database_parent(member, foreign_key) == Parent::Known(owner)
                    {
                        edits.removed.push(member);
                    }
                }
            }
            Ok(Link::Through(association)) => {
                for (pair, edit) in self.pairs.edits_of(owner) {
                    let Some(member) = pair.other_side(association, owner) else { continue };
                    match edit {
                        PairEdit::Insert | PairEdit::Restore => edits.added.push(member),
                        PairEdit::Delete => edits.removed.push(member),
                    }
                }
            }
            Err(_) => {}
        }
        edits
    }

    fn has_edited_pairs(&self, object: ObjectId) -> bool {
        self.table(object).relationships().iter().any(|relationship| {
            let Ok(Link::Through(association)) = relationship.link() else { return false };
            let mut edits = self.pairs.edits_of(object);
            edits.any(|(pair, _)| pair.other_side(association, object).is_some())
        })
    }
}
