//! `User::posts`: a relationship as an associated constant.

use std::fmt;
use std::marker::PhantomData;

use super::{BelongsTo, HasMany, HasOne, ManyToMany, Model, Relationship};
use crate::value::Nullable;

/// A relationship of the model `M`. `K` is the field's type and says which kind it is and to
/// which model it leads; `N` says whether a scalar relationship may lead nowhere.
///
/// One constant serves loader options, joins, conditions and the verbs of a session.
pub struct Relation<M, K, N = Nullable> {
    index: usize,
    name: &'static str,
    back_populates: Option<&'static str>,
    of: PhantomData<fn(M, N) -> K>,
}

impl<M, K, N> Relation<M, K, N> {
    /// The relationship at this position among those of the model.
    #[doc(hidden)]
    pub const fn __new(
        index: usize,
        name: &'static str,
        back_populates: Option<&'static str>,
    ) -> Self {
        Self { index, name, back_populates, of: PhantomData }
    }

    #[doc(hidden)]
    pub const fn __index(self) -> usize {
        self.index
    }

    /// Whether this relationship names the other as its `back_populates`. For the derive's
    /// compile-time check of both sides.
    #[doc(hidden)]
    pub const fn __names(self, other: &str) -> bool {
        match self.back_populates {
            Some(name) => same(name, other),
            None => false,
        }
    }
}

impl<M: Model, K, N> Relation<M, K, N> {
    pub(crate) fn def(self) -> &'static Relationship {
        &M::__table().relationships()[self.index]
    }
}

/// String equality in a constant.
pub(crate) const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}

impl<M, K, N> Clone for Relation<M, K, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M, K, N> Copy for Relation<M, K, N> {}

impl<M: Model, K, N> fmt::Debug for Relation<M, K, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", M::__table().model(), self.name)
    }
}

/// The type of a relationship field: [`BelongsTo`], [`HasOne`], [`HasMany`] or [`ManyToMany`].
pub trait Kind: Send + Sync + 'static {
    /// The model that the relationship leads to.
    type Target: Model;
}

/// A relationship to many: [`HasMany`] or [`ManyToMany`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` leads to one object at most",
    label = "expected a relationship to many",
    note = "`has(…)` asks about a relationship to one, `follow` and `set_one` read and write it"
)]
pub trait ToMany: Kind {}

/// A relationship to at most one: [`BelongsTo`] or [`HasOne`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` leads to many objects",
    label = "expected a relationship to one",
    note = "`any(…)` asks about a relationship to many, `members` and `push` read and write it"
)]
pub trait ToOne: Kind {}

macro_rules! kinds {
    ($($kind:ident is $arity:ident),+ $(,)?) => {$(
        impl<T: Model> Kind for $kind<T> {
            type Target = T;
        }
        impl<T: Model> $arity for $kind<T> {}
    )+};
}

kinds!(BelongsTo is ToOne, HasOne is ToOne, HasMany is ToMany, ManyToMany is ToMany);
