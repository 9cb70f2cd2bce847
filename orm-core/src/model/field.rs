//! The fields of a struct that hold relationships: views of what the session knows.

use std::collections::HashSet;
use std::fmt;

use super::{Handle, Key, Model};

/// What the session does with a relationship field of a model that it doesn't know statically.
///
/// A field written by the session carries the key of its owner as a *stamp*. A field without it,
/// or with another object's, was assigned by the user and counts as a `replace` at the next
/// flush; an unloaded field never does.
#[doc(hidden)]
pub trait RelationField: Send + Sync {
    /// Whether the members are loaded.
    fn is_loaded(&self) -> bool;
    /// The members, if they are loaded.
    fn keys(&self) -> Option<Vec<Key>>;
    /// Whether the members are loaded and this is one of them.
    fn contains(&self, member: Key) -> bool;
    /// The owner whose view this is, if the session wrote it.
    fn stamp(&self) -> Option<Key>;
    /// Shows these members, as loaded by the session for the owner.
    fn load(&mut self, owner: Key, members: &[Key]);
    /// Shows these members of a narrowed load, which says nothing of the whole.
    fn load_narrowed(&mut self, owner: Key, members: &[Key]);
    /// Whether members are missing that the session's criteria hid from the load.
    fn is_partial(&self) -> bool {
        false
    }
    /// Notes whether members may be missing from a loaded collection. (A reference whose row is
    /// hidden is not loaded.)
    fn set_partial(&mut self, _is_partial: bool) {}
    /// Adds a member at the end of a loaded collection, unless it is there, or sets a loaded
    /// reference.
    fn insert(&mut self, member: Key);
    /// Takes a member out, if it is loaded and there.
    fn remove(&mut self, member: Key) {
        self.remove_all(&|other| other == member);
    }
    /// Takes such members out, as far as they are loaded.
    fn remove_all(&mut self, leaves: &dyn Fn(Key) -> bool);
    /// Forgets the members.
    fn unload(&mut self);
}

/// A loaded collection and who wrote it. Boxed in the field: unloaded, which is what most
/// collections of a large load are, it takes one word.
struct Members<T: Model> {
    stamp: Option<Key>,
    loaded: Option<Vec<Handle<T>>>,
    narrowed: Option<Vec<Handle<T>>>,
    is_partial: bool,
    /// Of a large collection that members are added to.
    index: Option<HashSet<Key>>,
}

/// A collection of so many members is searched through as fast as an index is.
const SMALL: usize = 32;

impl<T: Model> Members<T> {
    /// Whether a loaded collection has the member.
    fn contains(&self, member: Key) -> bool {
        match (&self.index, &self.loaded) {
            (Some(index), _) => index.contains(&member),
            (None, Some(members)) => members.contains(&Handle::from_key(member)),
            (None, None) => false,
        }
    }

    fn insert(&mut self, member: Key) {
        let Some(members) = &mut self.loaded else { return };
        if self.index.is_none() && members.len() > SMALL {
            self.index = Some(members.iter().map(|it| Handle::to_key(*it)).collect());
        }
        let is_new = match &mut self.index {
            Some(index) => index.insert(member),
            None => !members.contains(&Handle::from_key(member)),
        };
        if is_new {
            members.push(Handle::from_key(member));
        }
    }

    fn remove_all(&mut self, leaves: &dyn Fn(Key) -> bool) {
        if let Some(index) = &mut self.index {
            index.retain(|member| !leaves(*member));
        }
        for members in [&mut self.loaded, &mut self.narrowed].into_iter().flatten() {
            members.retain(|member| !leaves(Handle::to_key(*member)));
        }
    }
}

impl<T: Model> Default for Members<T> {
    fn default() -> Self {
        Self { stamp: None, loaded: None, narrowed: None, is_partial: false, index: None }
    }
}

fn handles<T: Model>(keys: &[Key]) -> Vec<Handle<T>> {
    keys.iter().copied().map(Handle::from_key).collect()
}

macro_rules! collection {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        pub struct $name<T: Model>(Option<Box<Members<T>>>);

        impl<T: Model> $name<T> {
            /// The members, or `None` if they are not loaded: unloaded never reads as empty.
            pub fn loaded(&self) -> Option<&[Handle<T>]> {
                self.0.as_ref()?.loaded.as_deref()
            }

            /// The members that a load narrowed by `filter` or `limit` brought.
            pub fn narrowed(&self) -> Option<&[Handle<T>]> {
                self.0.as_ref()?.narrowed.as_deref()
            }
        }

        impl<T: Model> Default for $name<T> {
            fn default() -> Self {
                Self(None)
            }
        }

        /// Assigned to a field, the handles replace the members at the next flush.
        impl<T: Model, I: IntoIterator<Item = Handle<T>>> From<I> for $name<T> {
            fn from(members: I) -> Self {
                let loaded = Some(members.into_iter().collect());
                Self(Some(Box::new(Members { loaded, ..Members::default() })))
            }
        }

        impl<T: Model> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.loaded() {
                    Some(members) => f.debug_list().entries(members).finish(),
                    None => f.write_str("not loaded"),
                }
            }
        }

        impl<T: Model> RelationField for $name<T> {
            fn is_loaded(&self) -> bool {
                self.loaded().is_some()
            }
            fn keys(&self) -> Option<Vec<Key>> {
                Some(self.loaded()?.iter().map(|member| Handle::to_key(*member)).collect())
            }
            fn contains(&self, member: Key) -> bool {
                self.0.as_ref().is_some_and(|view| view.contains(member))
            }
            fn stamp(&self) -> Option<Key> {
                self.0.as_ref()?.stamp
            }
            fn load(&mut self, owner: Key, members: &[Key]) {
                let view = self.0.get_or_insert_default();
                view.stamp = Some(owner);
                view.loaded = Some(handles(members));
                view.index = None;
            }
            fn is_partial(&self) -> bool {
                self.0.as_ref().is_some_and(|view| view.is_partial)
            }
            fn set_partial(&mut self, is_partial: bool) {
                if let Some(view) = &mut self.0 {
                    view.is_partial = is_partial;
                }
            }
            fn load_narrowed(&mut self, owner: Key, members: &[Key]) {
                let view = self.0.get_or_insert_default();
                view.stamp = Some(owner);
                view.narrowed = Some(handles(members));
            }
            fn insert(&mut self, member: Key) {
                if let Some(view) = &mut self.0 {
                    view.insert(member);
                }
            }
            fn remove_all(&mut self, leaves: &dyn Fn(Key) -> bool) {
                if let Some(view) = &mut self.0 {
                    view.remove_all(leaves);
                }
            }
            fn unload(&mut self) {
                self.0 = None;
            }
        }
    };
}

collection! {
    /// A one-to-many relationship: the foreign key is in the other table.
    ///
    /// In a session its members are edited through the accessor, `ada.posts(&mut session)`, or
    /// the session's verbs, `session.push(ada, User::posts, draft)`; the field is a view.
    HasMany
}

collection! {
    /// A many-to-many relationship through an association table.
    ///
    /// In a session its members are edited through the accessor or the session's verbs
    /// (`link` and `unlink` among them); the field is a view.
    ManyToMany
}

macro_rules! reference {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        pub struct $name<T: Model> {
            stamp: Option<Key>,
            /// Outer `None`: not loaded. Inner `None`: it leads nowhere.
            loaded: Option<Option<Handle<T>>>,
        }

        impl<T: Model> $name<T> {
            /// Where it leads (the inner `None`: nowhere), or `None` if it is not loaded.
            pub fn loaded(&self) -> Option<Option<Handle<T>>> {
                self.loaded
            }
        }

        impl<T: Model> Default for $name<T> {
            fn default() -> Self {
                Self { stamp: None, loaded: None }
            }
        }

        /// Assigned to a field, the handle replaces what it led to at the next flush.
        impl<T: Model> From<Handle<T>> for $name<T> {
            fn from(member: Handle<T>) -> Self {
                Some(member).into()
            }
        }

        /// Assigned to a field, `None` clears the relationship at the next flush.
        impl<T: Model> From<Option<Handle<T>>> for $name<T> {
            fn from(member: Option<Handle<T>>) -> Self {
                Self { stamp: None, loaded: Some(member) }
            }
        }

        impl<T: Model> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match &self.loaded {
                    Some(member) => member.fmt(f),
                    None => f.write_str("not loaded"),
                }
            }
        }

        impl<T: Model> RelationField for $name<T> {
            fn is_loaded(&self) -> bool {
                self.loaded.is_some()
            }
            fn keys(&self) -> Option<Vec<Key>> {
                Some(self.loaded?.into_iter().map(Handle::to_key).collect())
            }
            fn contains(&self, member: Key) -> bool {
                self.loaded == Some(Some(Handle::from_key(member)))
            }
            fn stamp(&self) -> Option<Key> {
                self.stamp
            }
            fn load(&mut self, owner: Key, members: &[Key]) {
                self.stamp = Some(owner);
                self.loaded = Some(members.first().copied().map(Handle::from_key));
            }
            fn load_narrowed(&mut self, _owner: Key, _members: &[Key]) {
                // What a narrowed load of a reference found says nothing of the reference.
            }
            fn insert(&mut self, member: Key) {
                if self.loaded.is_some() {
                    self.loaded = Some(Some(Handle::from_key(member)));
                }
            }
            fn remove_all(&mut self, leaves: &dyn Fn(Key) -> bool) {
                if self.loaded.flatten().is_some_and(|member| leaves(Handle::to_key(member))) {
                    self.loaded = Some(None);
                }
            }
            fn unload(&mut self) {
                *self = Self::default();
            }
        }
    };
}

reference! {
    /// A many-to-one, or one-to-one, relationship: the foreign key is in this table.
    BelongsTo
}

reference! {
    /// A one-to-one relationship: the foreign key is in the other table.
    HasOne
}
