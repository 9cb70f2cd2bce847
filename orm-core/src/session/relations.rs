//! The verbs that edit and read relationships. As methods of the session their arguments may
//! read `session[ada]`, which those of `ada.posts(&mut session)` may not.

use super::draft::MemberOf;
use super::graph::Members;
use super::{Member, Session, graph};
use crate::error::{Error, Result};
use crate::model::{Entity, Handle, Kind, Model, Relation, Relationship, ToMany, ToOne};
use crate::query::{View, view_object};
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

    /// An object, and what its view names of others, as the session has them: unflushed changes are
    /// shown, nothing is loaded. For the answer to a request that wrote:
    ///
    /// ```
    /// # use orm_core::{BelongsTo, Engine, HasMany, Model, SessionFactory, View, schema};
    /// # #[derive(Model)]
    /// # struct User { username: String, #[orm(back_populates = user)] posts: HasMany<Post> }
    /// # #[derive(Model)]
    /// # struct Post {
    /// #     title: String,
    /// #     #[orm(foreign_key = User)] user_id: i64,
    /// #     #[orm(back_populates = posts)] user: BelongsTo<User>,
    /// # }
    /// # #[derive(View)]
    /// # #[orm(of = User)]
    /// # struct UserOut { id: i64, username: String, posts: Vec<PostOut> }
    /// # #[derive(View)]
    /// # #[orm(of = Post)]
    /// # struct PostOut { title: String }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::connect("sqlite::memory:").await?;
    /// # engine.create_all(&schema![User, Post]).await?;
    /// # let mut session = SessionFactory::new(engine).session();
    /// let ada = session.add(User::draft().username("ada").posts([Post::draft().title("Notes")]));
    /// session.commit().await?;
    /// let answer: UserOut = session.view(ada)?;
    /// assert_eq!((&*answer.username, &*answer.posts[0].title), ("ada", "Notes"));
    /// # assert_eq!(answer.id, 1);
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`Error::NotLoaded`] if the object, or one that the view leads to, is expired, if it lacks a
    /// relationship that the view names (what is not loaded never shows as empty), or, before the
    /// flush, a value that only the database can tell; [`Error::Detached`] if it is not in this
    /// session; [`Error::Misuse`] if the view names what it may not show.
    pub fn view<V: View>(&self, handle: Handle<V::Of>) -> Result<V> {
        self.expect_no_commit()?;
        view_object(&self.store, self.store.readable(handle)?)
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

/// The error of a lazy load where there are to be none.
pub(super) fn strictly_not_loaded(relationship: &'static Relationship) -> Error {
    Error::NotLoaded {
        model: relationship.source().model(),
        field: relationship.name(),
        hint: "`strict_loading` forbids to load it on demand: load it with the query by \
               `.with(…)`",
    }
}

/// The error of a reference to a row that the session's criteria hide.
pub(super) fn hidden(relationship: &'static Relationship) -> Error {
    Error::NotLoaded {
        model: relationship.source().model(),
        field: relationship.name(),
        hint: "the session's criteria hide the row that it leads to; a query \
               `without_criteria` finds it",
    }
}
