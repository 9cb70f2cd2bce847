//! Handles whose model is known only at run time: what lists of all models' objects hold.

use std::any::TypeId;
use std::fmt;

use super::{Handle, Key, Model, Table};

/// Names an object of any model: what `session.dirty()` and the hooks of a flush speak of.
///
/// It prints as the handle that it was made from, and [`downcast`](Self::downcast) gives that
/// handle back.
///
/// ```
/// # use orm_core::{Engine, Model, SessionFactory};
/// # use orm_core::model::AnyHandle;
/// # #[derive(Model)] struct User { name: String }
/// # #[derive(Model)] struct Post { title: String }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let mut session = SessionFactory::new(Engine::connect("sqlite::memory:").await?).session();
/// let ada = session.add(User::draft().name("Ada"));
/// let any = AnyHandle::from(ada);
/// assert_eq!((any.model(), any.table()), ("User", "users"));
/// assert_eq!(any.downcast::<User>(), Some(ada));
/// assert_eq!(any.downcast::<Post>(), None);
/// # session.rollback().await?;
/// # Ok::<(), orm_core::Error>(()) }).unwrap();
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AnyHandle {
    table: &'static Table,
    key: Key,
}

impl AnyHandle {
    pub(crate) fn new(table: &'static Table, key: Key) -> Self {
        Self { table, key }
    }

    pub(crate) fn key(self) -> Key {
        self.key
    }

    pub(crate) fn description(self) -> &'static Table {
        self.table
    }

    /// The model's name in Rust.
    pub fn model(self) -> &'static str {
        self.table.model()
    }

    /// The table's name in the database.
    pub fn table(self) -> &'static str {
        self.table.name()
    }

    /// Whether the object is of this model.
    pub fn is<M: Model>(self) -> bool {
        self.table.type_id() == Some(TypeId::of::<M>())
    }

    /// The handle, if the object is of this model.
    pub fn downcast<M: Model>(self) -> Option<Handle<M>> {
        self.is::<M>().then(|| Handle::from_key(self.key))
    }
}

impl<M: Model> From<Handle<M>> for AnyHandle {
    fn from(handle: Handle<M>) -> Self {
        Self { table: M::__table(), key: Handle::to_key(handle) }
    }
}

impl fmt::Debug for AnyHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key.name(self.table.model()))
    }
}
