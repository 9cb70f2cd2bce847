//! A read-only graph of objects, and what it shares with the session: following what is loaded.

use std::fmt;
use std::ops::Index;

use super::accessors::leads_nowhere;
use super::columns;
use crate::error::{Error, Result};
use crate::model::{Column, Entity, Handle, Model, Relation, Relationship, ToMany, ToOne};
use crate::query::{View, view_object};
use crate::tracking::{ObjectId, Store};
use crate::value::{ColumnType, Nullability};

/// The objects that a query without a session loaded, with their relationships: index it, follow
/// it. It can't be edited and holds no connection.
///
/// ```
/// # use orm_core::{BelongsTo, Engine, HasMany, Model, schema};
/// # #[derive(Model)] struct User { name: String, #[orm(back_populates = user)] posts: HasMany<Post> }
/// # #[derive(Model)] struct Post { title: String, #[orm(foreign_key = User)] user_id: i64,
/// #   #[orm(back_populates = posts)] user: BelongsTo<User> }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let engine = Engine::connect("sqlite::memory:").await?;
/// # engine.create_all(&schema![User, Post]).await?;
/// let graph = User::select().with(User::posts).on(&engine).graph().await?;
/// for user in graph.roots() {
///     println!("{} {}", graph[user].name, graph.members(user, User::posts)?.len());
/// }
/// # Ok::<(), orm_core::Error>(()) }).unwrap();
/// ```
pub struct Graph<M: Model> {
    pub(super) store: Store,
    pub(super) roots: Vec<Handle<M>>,
}

impl<M: Model> Graph<M> {
    /// The query's own objects, in its order.
    pub fn roots(&self) -> impl ExactSizeIterator<Item = Handle<M>> + '_ {
        self.roots.iter().copied()
    }

    /// How many objects the query itself gave.
    pub fn len(&self) -> usize {
        self.roots.len()
    }

    /// Whether the query gave no objects.
    pub fn is_empty(&self) -> bool {
        self.roots.is_empty()
    }

    /// The object that a handle names.
    ///
    /// # Errors
    /// [`Error::Detached`] if the handle is not of this graph.
    pub fn try_get<T: Model>(&self, handle: Handle<T>) -> Result<&Entity<T>> {
        let object = self.store.readable(handle)?;
        entity(&self.store, object)
    }

    /// The object that a scalar relationship leads to: an `&Entity` where it always leads
    /// somewhere, else an `Option` of one.
    ///
    /// # Errors
    /// [`Error::NotLoaded`] if the query didn't load it.
    pub fn follow<T: Model, K: ToOne, N: Nullability>(
        &self,
        owner: Handle<T>,
        relation: Relation<T, K, N>,
    ) -> Result<N::Of<&Entity<K::Target>>> {
        follow::<K::Target, N>(&self.store, self.store.readable(owner)?, relation.def())
    }

    /// The members of a collection, as handles and entities.
    ///
    /// # Errors
    /// [`Error::NotLoaded`] if the query didn't load it: unloaded never reads as empty.
    pub fn members<T: Model, K: ToMany>(
        &self,
        owner: Handle<T>,
        relation: Relation<T, K>,
    ) -> Result<Members<'_, K::Target>> {
        members(&self.store, self.store.readable(owner)?, relation.def())
    }

    /// The value of a column: what `graph[handle].biography` holds, with an error where a
    /// [`Deferred`](crate::Deferred) column is not loaded.
    ///
    /// # Errors
    /// [`Error::NotLoaded`] if the query didn't [`undefer`](crate::query::Select::undefer) it.
    pub fn value<T: Model, C: ColumnType>(
        &self,
        handle: Handle<T>,
        column: Column<T, C>,
    ) -> Result<&C> {
        columns::value(&self.store, self.store.readable(handle)?, column)
    }

    /// An object, and what its view names of others.
    ///
    /// # Errors
    /// [`Error::NotLoaded`] if the query didn't load a relationship that the view names: unloaded
    /// never shows as empty. [`Error::Misuse`] if the view names what it may not show.
    pub fn view<V: View>(&self, handle: Handle<V::Of>) -> Result<V> {
        view_object(&self.store, self.store.readable(handle)?)
    }
}

/// # Panics
/// If the handle is not of this graph; [`Graph::try_get`] gives the error.
impl<M: Model, T: Model> Index<Handle<T>> for Graph<M> {
    type Output = Entity<T>;
    #[track_caller]
    fn index(&self, handle: Handle<T>) -> &Entity<T> {
        match self.try_get(handle) {
            Ok(entity) => entity,
            Err(error) => panic!("{error}"),
        }
    }
}

impl<M: Model> fmt::Debug for Graph<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Graph").field("roots", &self.roots).finish_non_exhaustive()
    }
}

/// The members of a loaded collection: an iterator of handles and entities.
#[derive(Debug)]
pub struct Members<'g, T: Model>(std::vec::IntoIter<(Handle<T>, &'g Entity<T>)>);

impl<'g, T: Model> Iterator for Members<'g, T> {
    type Item = (Handle<T>, &'g Entity<T>);
    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<T: Model> DoubleEndedIterator for Members<'_, T> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back()
    }
}

impl<T: Model> ExactSizeIterator for Members<'_, T> {}

fn entity<T: Model>(store: &Store, object: ObjectId) -> Result<&Entity<T>> {
    store.entity(object).ok_or(Error::Detached {
        model: T::__table().model(),
        reason: "its object has left the session",
    })
}

pub(super) fn follow<'g, T: Model, N: Nullability>(
    store: &'g Store,
    owner: ObjectId,
    relationship: &'static Relationship,
) -> Result<N::Of<&'g Entity<T>>> {
    let members = store.readable_members(owner, relationship)?;
    let entity = members.first().map(|member| entity(store, *member)).transpose()?;
    N::of(entity).ok_or_else(|| leads_nowhere(relationship))
}

pub(super) fn members<'g, T: Model>(
    store: &'g Store,
    owner: ObjectId,
    relationship: &'static Relationship,
) -> Result<Members<'g, T>> {
    let members = store.readable_members(owner, relationship)?.into_iter();
    let pairs: Result<Vec<_>> =
        members.map(|member| Ok((store.handle(member), entity(store, member)?))).collect();
    Ok(Members(pairs?.into_iter()))
}
