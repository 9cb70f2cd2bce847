//! What an application tells its sessions, and the hooks that run in them: one value per type.

use std::any::{Any, TypeId, type_name};
use std::collections::HashMap;
use std::fmt;

/// Values by their type, which a session carries for its hooks: who the user is, what the request
/// was, the time. They outlive commits and rollbacks.
///
/// SQLAlchemy's `Session.info`, in the form of http's `Extensions`.
///
/// ```
/// # use orm_core::{Engine, SessionFactory};
/// struct CurrentUser(i64);
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let mut session = SessionFactory::new(Engine::connect("sqlite::memory:").await?).session();
/// session.info_mut().insert(CurrentUser(7));
/// assert_eq!(session.info().get::<CurrentUser>().map(|user| user.0), Some(7));
/// # Ok::<(), orm_core::Error>(()) }).unwrap();
/// ```
#[derive(Default)]
pub struct Info {
    values: HashMap<TypeId, Entry>,
}

struct Entry {
    name: &'static str,
    value: Box<dyn Any + Send + Sync>,
}

impl Info {
    /// Keeps a value; gives the one of this type that it replaces.
    pub fn insert<T: Send + Sync + 'static>(&mut self, value: T) -> Option<T> {
        let entry = Entry { name: type_name::<T>(), value: Box::new(value) };
        self.values.insert(TypeId::of::<T>(), entry).and_then(Entry::into_value)
    }

    /// The value of this type.
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.values.get(&TypeId::of::<T>())?.value.downcast_ref()
    }

    /// The value of this type.
    pub fn get_mut<T: Send + Sync + 'static>(&mut self) -> Option<&mut T> {
        self.values.get_mut(&TypeId::of::<T>())?.value.downcast_mut()
    }

    /// Takes the value of this type out.
    pub fn remove<T: Send + Sync + 'static>(&mut self) -> Option<T> {
        self.values.remove(&TypeId::of::<T>()).and_then(Entry::into_value)
    }
}

impl Entry {
    fn into_value<T: 'static>(self) -> Option<T> {
        self.value.downcast().ok().map(|value| *value)
    }
}

/// Names the types; the values are the application's own.
impl fmt::Debug for Info {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.values().map(|entry| entry.name)).finish()
    }
}
