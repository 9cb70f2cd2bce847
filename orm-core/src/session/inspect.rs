//! Looking at what a session has to write, before a flush does. Emits nothing.

use super::Session;
use super::changes::ObjectChanges;
use crate::error::Result;
use crate::model::{AnyHandle, Column, Handle, Kind, Model, Relation, Relationship};
use crate::tracking::{MemberEdits, ObjectId, State};
use crate::value::{ColumnType, Value, ValueCells};

impl Session {
    /// Whether an object has a real change: one of its columns, by value; where one of its foreign
    /// keys leads; who is in one of its many-to-many relationships. A pending object has. An edit
    /// that was taken back, a mutable access alone and a mark to be deleted are none, and a child
    /// that enters or leaves a collection is a change of the child, which has the key.
    ///
    /// SQLAlchemy's `Session.is_modified`.
    ///
    /// ```
    /// # use orm_core::{Engine, Model, SessionFactory, schema};
    /// # #[derive(Model)] struct User { name: String }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::connect("sqlite::memory:").await?;
    /// # engine.create_all(&schema![User]).await?;
    /// # let mut session = SessionFactory::new(engine).session();
    /// # let ada = session.add(User::draft().name("Ada"));
    /// # session.commit().await?;
    /// session[ada].name = "Augusta".into();
    /// assert!(session.is_modified(ada));
    /// session[ada].name = "Ada".into();
    /// assert!(!session.is_modified(ada));
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Panics
    /// If the handle's object is not in this session.
    #[track_caller]
    pub fn is_modified<M: Model>(&self, handle: Handle<M>) -> bool {
        let object = self.expect_object(handle);
        self.store.is_modified(object)
    }

    /// What a column, or a relationship, of an object was at the last flush or load, and what it
    /// is to be at the next flush: a [`History`] of the column, or the [`MemberHistory`] of the
    /// relationship.
    ///
    /// A relationship field that was assigned to counts from the next flush on: its `before_flush`
    /// hooks see it.
    ///
    /// SQLAlchemy's `attributes.get_history`.
    ///
    /// ```
    /// # use orm_core::{BelongsTo, Engine, HasMany, Model, SessionFactory, schema};
    /// # #[derive(Model)] struct User { name: String, #[orm(back_populates = user)] posts: HasMany<Post> }
    /// # #[derive(Model)] struct Post { title: String, #[orm(foreign_key = User)] user_id: i64,
    /// #   #[orm(back_populates = posts)] user: BelongsTo<User> }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::connect("sqlite::memory:").await?;
    /// # engine.create_all(&schema![User, Post]).await?;
    /// # let mut session = SessionFactory::new(engine).session();
    /// # let ada = session.add(User::draft().name("Ada"));
    /// # session.commit().await?;
    /// session[ada].name = "Augusta".into();
    /// let name = session.history(ada, User::name);
    /// assert!(name.is_changed());
    /// assert_eq!((name.old().unwrap().as_str(), name.new().unwrap().as_str()), ("Ada", "Augusta"));
    ///
    /// let notes = session.add(Post::draft().title("Notes").user(ada));
    /// assert_eq!(session.history(ada, User::posts).added(), [notes]);
    /// # session.rollback().await?;
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Panics
    /// If the object is not in this session, or is expired.
    #[track_caller]
    pub fn history<M: Model, A: Attribute<M>>(
        &self,
        handle: Handle<M>,
        attribute: A,
    ) -> A::History {
        let object = self.expect_readable(handle);
        attribute.__history(Inspected { session: self, object })
    }

    /// The objects that the next flush inserts, in the order in which they were added.
    ///
    /// SQLAlchemy's `Session.new`.
    pub fn pending(&self) -> Objects {
        let objects = self.store.touched.iter().copied();
        self.named(objects.filter(|object| self.store.header(*object).state == State::Pending))
    }

    /// The rows in memory that really differ from the database (see
    /// [`is_modified`](Self::is_modified)) and are not to be deleted, in the order of their first
    /// edits.
    ///
    /// SQLAlchemy's `Session.dirty`, which lists whatever was touched.
    pub fn dirty(&self) -> Objects {
        let objects = self.store.edited_objects().into_iter().filter(|&object| {
            let header = self.store.header(object);
            header.state == State::Persistent
                && !header.marked_deleted
                && self.store.is_modified(object)
        });
        self.named(objects)
    }

    /// The objects that [`delete`](Self::delete) marked since the last flush. Whom their
    /// deletion takes along is known to the flush.
    ///
    /// SQLAlchemy's `Session.deleted`.
    pub fn deleted(&self) -> Objects {
        let objects = self.store.touched.iter().copied();
        self.named(objects.filter(|object| self.store.header(*object).marked_deleted))
    }

    /// The changed columns of an object of any model, with their old and new values, in a form
    /// that needs no types: for auditing. Of a pending object these are all columns that have a
    /// value, of one that is marked to be deleted all columns. What is `serialize = "never"` is
    /// named but never shown.
    ///
    /// ```
    /// # use orm_core::{Engine, Model, SessionFactory, schema};
    /// # #[derive(Model)] struct User { name: String, #[orm(serialize = "never")] password: String }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::connect("sqlite::memory:").await?;
    /// # engine.create_all(&schema![User]).await?;
    /// # let mut session = SessionFactory::new(engine).session();
    /// # let ada = session.add(User::draft().name("Ada").password("…"));
    /// # session.commit().await?;
    /// session[ada].name = "Augusta".into();
    /// session[ada].password = "changed".into();
    /// for object in session.dirty() {
    ///     let changes = session.changes(object)?;
    ///     assert_eq!(changes.to_string(), r#"name: "Ada" → "Augusta", password"#);
    /// }
    /// # session.rollback().await?;
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`Error::Detached`](crate::Error::Detached) if the object is not in this session, [`Error::NotLoaded`](crate::Error::NotLoaded) if it is
    /// expired.
    pub fn changes(&self, object: impl Into<AnyHandle>) -> Result<ObjectChanges> {
        self.expect_no_commit()?;
        let handle = object.into();
        let object = self.store.member(handle.description(), handle.key())?;
        self.store.expect_loaded(object)?;
        let header = self.store.header(object);
        let is_row = header.state == State::Persistent;
        let is_deleted = header.marked_deleted;
        let columns = 0..handle.description().columns().len();
        let values = columns.map(|column| {
            let old = is_row.then(|| self.store.database_value(object, column));
            let old = old.and_then(Value::if_loaded);
            let new = self.store.value_after_flush(object, column).filter(|_| !is_deleted);
            (old, new)
        });
        Ok(match is_row || is_deleted {
            true => ObjectChanges::of_row(handle, values),
            false => ObjectChanges::of_new(handle, values),
        })
    }

    fn named(&self, objects: impl Iterator<Item = ObjectId>) -> Objects {
        objects.map(|object| self.store.any_handle(object)).collect()
    }
}

/// Objects of all models together, in an order: of what is pending, dirty or deleted, and of what
/// a flush wrote.
///
/// ```
/// # use orm_core::{Engine, Model, SessionFactory};
/// # #[derive(Model)] struct User { name: String }
/// # #[derive(Model)] struct Tag { name: String }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let mut session = SessionFactory::new(Engine::connect("sqlite::memory:").await?).session();
/// let ada = session.add(User::draft().name("Ada"));
/// let tag = session.add(Tag::draft().name("math"));
/// let pending = session.pending();
/// assert_eq!(pending.len(), 2);
/// assert_eq!(pending.of::<User>(), [ada]);
/// assert!(pending.contains(tag));
/// # session.rollback().await?;
/// # Ok::<(), orm_core::Error>(()) }).unwrap();
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Objects(Vec<AnyHandle>);

impl Objects {
    /// Those of one model.
    pub fn of<M: Model>(&self) -> Vec<Handle<M>> {
        self.iter().filter_map(AnyHandle::downcast).collect()
    }

    /// Whether an object is among them.
    pub fn contains(&self, object: impl Into<AnyHandle>) -> bool {
        self.0.contains(&object.into())
    }

    /// All of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = AnyHandle> + '_ {
        self.0.iter().copied()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<AnyHandle> for Objects {
    fn from_iter<I: IntoIterator<Item = AnyHandle>>(objects: I) -> Self {
        Self(objects.into_iter().collect())
    }
}

impl IntoIterator for Objects {
    type Item = AnyHandle;
    type IntoIter = std::vec::IntoIter<AnyHandle>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl std::fmt::Debug for Objects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(&self.0).finish()
    }
}

/// A column that the database has another value of than the next flush will write, or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History<T> {
    old: Option<T>,
    new: Option<T>,
    changed: bool,
}

impl<T> History<T> {
    /// The value in the database; `None` for a pending object, and where a
    /// [`Deferred`](crate::Deferred) column was not loaded.
    pub fn old(&self) -> Option<&T> {
        self.old.as_ref()
    }

    /// The value that it will have after the next flush; `None` where only the database can tell:
    /// a key that it generates, a column left to its default, an SQL expression.
    #[expect(clippy::new_ret_no_self, reason = "the other one of `old`")]
    pub fn new(&self) -> Option<&T> {
        self.new.as_ref()
    }

    /// Whether the two differ.
    pub fn is_changed(&self) -> bool {
        self.changed
    }
}

/// Who enters and who leaves a relationship at the next flush.
///
/// Leaving is known of members that are in the session; of a collection that was replaced without
/// being loaded, it is found by the flush.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberHistory<M: Model> {
    added: Vec<Handle<M>>,
    removed: Vec<Handle<M>>,
}

impl<M: Model> MemberHistory<M> {
    /// Who enters.
    pub fn added(&self) -> &[Handle<M>] {
        &self.added
    }

    /// Who leaves.
    pub fn removed(&self) -> &[Handle<M>] {
        &self.removed
    }

    /// Whether anybody does.
    pub fn is_changed(&self) -> bool {
        !self.added.is_empty() || !self.removed.is_empty()
    }
}

/// A column or a relationship of the model `M`, as [`Session::history`] takes it.
pub trait Attribute<M: Model> {
    /// What is told of it.
    type History;
    #[doc(hidden)]
    fn __history(self, of: Inspected<'_>) -> Self::History;
}

/// An object that is looked at.
#[doc(hidden)]
#[derive(Debug)]
pub struct Inspected<'s> {
    session: &'s Session,
    object: ObjectId,
}

impl Inspected<'_> {
    fn members(&self, relationship: &'static Relationship) -> MemberEdits {
        self.session.store.member_edits(self.object, relationship)
    }
}

impl<M: Model, T: ColumnType> Attribute<M> for Column<M, T> {
    type History = History<T>;
    fn __history(self, of: Inspected<'_>) -> History<T> {
        let (store, object, column) = (&of.session.store, of.object, self.__index());
        let is_row = store.header(object).state == State::Persistent;
        let old = is_row.then(|| store.database_value(object, column));
        let old = old.and_then(Value::if_loaded);
        let new = store.value_after_flush(object, column);
        // What was encoded from the field can be decoded, unless no database can hold it.
        let decode = |value: &Value| T::decode(&ValueCells(std::slice::from_ref(value)), 0).ok();
        History {
            changed: old != new,
            old: old.as_ref().and_then(decode),
            new: new.as_ref().and_then(decode),
        }
    }
}

impl<M: Model, K: Kind, N> Attribute<M> for Relation<M, K, N> {
    type History = MemberHistory<K::Target>;
    fn __history(self, of: Inspected<'_>) -> MemberHistory<K::Target> {
        let MemberEdits { added, removed } = of.members(self.def());
        let handles = |objects: Vec<ObjectId>| {
            objects.into_iter().map(|object| of.session.store.handle(object)).collect()
        };
        MemberHistory { added: handles(added), removed: handles(removed) }
    }
}
