//! The verbs that edit and read relationships. As methods of the session their arguments may
//! read `session[ada]`, which those of `ada.posts(&mut session)` may not.

use super::draft::MemberOf;
use super::graph::Members;
use super::{Member, Session, graph};
use crate::error::{Error, Result};
use crate::model::{Entity, Handle, Kind, Model, Relation, Relationship, ToMany, ToOne};
use crate::tracking::ObjectId;
use crate::value::Nullability;

impl Session {
    /// Puts a member at the end of a collection. Both sides follow at once; nothing is read.
    ///
    /// # Panics
    /// If a handle's object is not in this session, or if the object that has the foreign key is
    /// expired.
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
    /// If a handle's object is not in this session, or if the object that has the foreign key is
    /// expired.
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
    /// If a handle's object is not in this session, or if the object that has the foreign key is
    /// expired.
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
    /// If a handle's object is not in this session, or if the object that has the foreign key is
    /// expired.
    #[track_caller]
    pub fn remove<M: Model, K: Kind, N>(
        &mut self,
        owner: Handle<M>,
        relation: Relation<M, K, N>,
        member: Handle<K::Target>,
    ) {
        let (owner, member) = (self.expect_object(owner), self.expect_object(member));
        let removed = self.store.take_out(owner, relation.def(), &[member]);
        self.note(removed);
    }

    /// Takes the link of two objects apart: the same as [`remove`](Self::remove).
    ///
    /// # Panics
    /// If a handle's object is not in this session, or if the object that has the foreign key is
    /// expired.
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
    /// If a handle's object is not in this session, or if the object that has the foreign key is
    /// expired.
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
    ///
    /// # Panics
    /// If what was to be edited is expired, as `session[handle]` does. Nothing was edited then.
    #[track_caller]
    pub(super) fn note(&mut self, outcome: Result<()>) {
        match outcome {
            Ok(()) => {}
            Err(error @ Error::NotLoaded { .. }) => panic!("{error}"),
            Err(error) => {
                self.mistake.get_or_insert(error);
            }
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
