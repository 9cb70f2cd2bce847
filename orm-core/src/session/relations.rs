//! The verbs that edit and read relationships. As methods of the session their arguments may
//! read `session[ada]`, which those of `ada.posts(&mut session)` may not.

use std::hash::Hash;

use super::draft::MemberOf;
use super::graph::Members;
use super::{Member, New, Session, graph};
use crate::error::{Error, Result};
use crate::model::{Column, Entity, Handle, Kind, Model, Relation, Relationship, ToMany, ToOne};
use crate::query::Select;
use crate::tracking::ObjectId;
use crate::value::{ColumnType, Nullability, Operand};

impl Session {
    /// Puts a member at the end of a collection. Both sides follow at once; nothing is read.
    ///
    /// # Panics
    /// If a handle's object is not in this session.
    #[track_caller]
    pub fn push<M: Model, K: ToMany, N>(
        &mut self,
        owner: Handle<M>,
        relation: Relation<M, K, N>,
        member: impl Into<MemberOf<K>>,
    ) {
        self.put(owner, relation.def(), member.into());
    }

    /// Links two objects many-to-many: the same as [`push`](Self::push).
    ///
    /// # Panics
    /// If a handle's object is not in this session.
    #[track_caller]
    pub fn link<M: Model, K: ToMany, N>(
        &mut self,
        owner: Handle<M>,
        relation: Relation<M, K, N>,
        member: impl Into<MemberOf<K>>,
    ) {
        self.put(owner, relation.def(), member.into());
    }

    /// Lets a reference lead to a member, or, given `None`, nowhere.
    ///
    /// # Panics
    /// If a handle's object is not in this session.
    #[track_caller]
    pub fn set_one<M: Model, K: ToOne, N>(
        &mut self,
        owner: Handle<M>,
        relation: Relation<M, K, N>,
        member: impl Into<Option<Handle<K::Target>>>,
    ) {
        let owner = self.expect_object(owner);
        let members = member.into().map(|member| self.expect_object(member));
        let replaced = self.store.replace(owner, relation.def(), members.into_iter().collect());
        self.note(replaced);
    }

    /// Takes a member out of a collection, or clears a reference that leads to it. A
    /// delete-orphan relationship deletes it at the next flush.
    ///
    /// # Panics
    /// If a handle's object is not in this session.
    #[track_caller]
    pub fn remove<M: Model, K: Kind, N>(
        &mut self,
        owner: Handle<M>,
        relation: Relation<M, K, N>,
        member: Handle<K::Target>,
    ) {
        let (owner, member) = (self.expect_object(owner), self.expect_object(member));
        let removed = self.store.take_out(owner, relation.def(), member);
        self.note(removed);
    }

    /// Takes the link of two objects apart: the same as [`remove`](Self::remove).
    ///
    /// # Panics
    /// If a handle's object is not in this session.
    #[track_caller]
    pub fn unlink<M: Model, K: ToMany, N>(
        &mut self,
        owner: Handle<M>,
        relation: Relation<M, K, N>,
        member: Handle<K::Target>,
    ) {
        self.remove(owner, relation, member);
    }

    /// Makes these the members of a collection: a net difference, written by the next flush. If
    /// the collection is not loaded, the flush reads it once.
    ///
    /// # Panics
    /// If a handle's object is not in this session.
    #[track_caller]
    pub fn replace<M: Model, K: ToMany, N, I>(
        &mut self,
        owner: Handle<M>,
        relation: Relation<M, K, N>,
        members: I,
    ) where
        I: IntoIterator,
        I::Item: Into<MemberOf<K>>,
    {
        let owner = self.expect_object(owner);
        let members: Vec<ObjectId> =
            members.into_iter().map(|member| self.bring_in(member.into())).collect();
        let replaced = self.store.replace(owner, relation.def(), members);
        self.note(replaced);
    }

    /// The object that a scalar relationship leads to: an `&Entity` where it always leads
    /// somewhere, else an `Option` of one.
    ///
    /// # Errors
    /// [`Error::NotLoaded`] if it is not loaded, [`Error::NotFound`] if it leads nowhere and may
    /// not, [`Error::Detached`] if the handle's object is not in this session.
    pub fn follow<M: Model, K: ToOne, N: Nullability>(
        &self,
        owner: Handle<M>,
        relation: Relation<M, K, N>,
    ) -> Result<N::Of<&Entity<K::Target>>> {
        self.expect_no_commit()?;
        let owner = self.store.readable(owner)?;
        graph::follow::<K::Target, N>(&self.store, owner, relation.def())
    }

    /// The members of a loaded collection, as handles and entities.
    ///
    /// # Errors
    /// [`Error::NotLoaded`] if it is not loaded: an unloaded collection never reads as empty.
    /// [`Error::Detached`] if the handle's object is not in this session.
    pub fn members<M: Model, K: ToMany, N>(
        &self,
        owner: Handle<M>,
        relation: Relation<M, K, N>,
    ) -> Result<Members<'_, K::Target>> {
        self.expect_no_commit()?;
        let owner = self.store.readable(owner)?;
        graph::members(&self.store, owner, relation.def())
    }

    /// The objects whose column has these values: found, or added as the closure says. In the
    /// order of the values, equal ones folded.
    ///
    /// # Errors
    /// The database's.
    pub async fn find_or_add<M, T, V, I, N>(
        &mut self,
        column: Column<M, T>,
        values: I,
        mut new: impl FnMut(T) -> N,
    ) -> Result<Vec<Handle<M>>>
    where
        M: Model,
        T: ColumnType + Clone + Eq + Hash,
        V: Operand<T>,
        I: IntoIterator<Item = V>,
        N: Into<New<M>>,
    {
        let values: Vec<T> = values.into_iter().map(Operand::into_operand).collect();
        if values.is_empty() {
            return Ok(Vec::new());
        }
        let mut known = Vec::new();
        for chunk in values.chunks(crate::load::KEYS_PER_STATEMENT) {
            let select = Select::<M>::__new().filter(column.in_(chunk.iter()));
            known.extend(select.all(self).await?);
        }
        let mut found = std::collections::HashMap::new();
        for handle in known {
            let object = self.store.object(handle)?;
            let value = self.store.storage(object).encode(object.slot, column.__index());
            found.insert(value, handle);
        }
        let mut handles = Vec::new();
        let mut seen = std::collections::HashSet::new();
        for value in values {
            let key = value.encode();
            let handle = match found.get(&key) {
                Some(handle) => *handle,
                None => {
                    let handle = self.add(new(value));
                    found.insert(key, handle);
                    handle
                }
            };
            if seen.insert(handle) {
                handles.push(handle);
            }
        }
        Ok(handles)
    }
}

impl Session {
    /// Puts a member into a relationship of an object.
    #[track_caller]
    pub(super) fn put<M: Model, T: Model>(
        &mut self,
        owner: Handle<M>,
        relationship: &'static Relationship,
        member: Member<T>,
    ) {
        let owner = self.expect_object(owner);
        let member = self.bring_in(member);
        let put = self.store.put(owner, relationship, member);
        self.note(put);
    }

    /// The member as an object; a new one is added.
    #[track_caller]
    pub(super) fn bring_in<T: Model>(&mut self, member: Member<T>) -> ObjectId {
        let handle = match member {
            Member::Known(handle) => handle,
            Member::New(new) => self.add(new),
        };
        self.expect_object(handle)
    }

    /// Keeps a mistake for the next flush, which returns it.
    pub(super) fn note(&mut self, outcome: Result<()>) {
        if let Err(error) = outcome {
            self.mistake.get_or_insert(error);
        }
    }
}

/// The error of reading what is not loaded.
pub(super) fn not_loaded(relationship: &'static Relationship) -> Error {
    Error::NotLoaded {
        model: relationship.source().model(),
        field: relationship.name(),
        hint: "await it on its handle, or load it with the query by `.with(…)`",
    }
}
