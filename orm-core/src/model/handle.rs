//! Handles: small, typed names of objects that a session owns.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use super::Model;

/// The untyped part of a handle: which session, which slot of the model's arena, and which
/// occupant of that slot.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Key {
    pub(crate) session: u32,
    pub(crate) slot: u32,
    pub(crate) generation: u32,
}

impl Key {
    /// What people call the object: as its handle prints.
    pub(crate) fn name(self, model: &str) -> String {
        format!("{model}#{}.{}", self.slot, self.generation)
    }
}

/// The accessors of a model, which its handles dereference to. Made by `#[derive(Model)]`.
pub trait Accessors: Copy + Send + Sync + 'static {
    #[doc(hidden)]
    fn __from_key(key: Key) -> Self;
    #[doc(hidden)]
    fn __to_key(self) -> Key;
}

/// Names an object in a session: `session[handle]` reads it, `session[handle].field = …` writes.
///
/// A handle is `Copy`, cheap to compare and to hash, and may be sent anywhere; it keeps nothing
/// alive. Two handles are equal when they name the same object, which in one session means the
/// same row. It has no methods of its own but dereferences to one accessor per relationship:
/// `ada.posts(&mut session)`.
pub struct Handle<M: Model>(M::Accessors);

impl<M: Model> Handle<M> {
    // Associated functions, not methods: a method would shadow a relationship of that name.
    pub(crate) fn from_key(key: Key) -> Self {
        Self(M::Accessors::__from_key(key))
    }

    pub(crate) fn to_key(this: Self) -> Key {
        this.0.__to_key()
    }
}

impl<M: Model> Clone for Handle<M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M: Model> Copy for Handle<M> {}

impl<M: Model> PartialEq for Handle<M> {
    fn eq(&self, other: &Self) -> bool {
        Self::to_key(*self) == Self::to_key(*other)
    }
}

impl<M: Model> Eq for Handle<M> {}

impl<M: Model> Hash for Handle<M> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Self::to_key(*self).hash(state);
    }
}

impl<M: Model> fmt::Debug for Handle<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Self::to_key(*self).name(M::__table().model()))
    }
}

impl<M: Model> Deref for Handle<M> {
    type Target = M::Accessors;
    fn deref(&self) -> &M::Accessors {
        &self.0
    }
}
