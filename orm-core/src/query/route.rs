//! From one occurrence of a table to another: relationships as `join` takes them.

use std::fmt;
use std::marker::PhantomData;

use super::{As, Condition, Origin, Whole};
use crate::model::{Kind, Model, Relation, Relationship, ToMany, ToOne};
use crate::sql::{Expr, From, Source};

/// A relationship that starts from an alias, or leads to one: what
/// [`of`](Relation::of) and [`to`](Relation::to) make of it.
///
/// `From` and `To` are what it connects, `K` says which kind of relationship it is.
pub struct Route<From, K, To> {
    parts: RouteParts,
    of: PhantomData<fn(From) -> (K, To)>,
}

/// A relationship between two occurrences, without types.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct RouteParts {
    pub(crate) relationship: &'static Relationship,
    pub(crate) owner: Source,
    pub(crate) target: Source,
}

impl<O: Origin, K, To: Origin> Route<O, K, To> {
    fn new(relationship: &'static Relationship) -> Self {
        let (owner, target) = (O::__source().source, To::__source().source);
        Self { parts: RouteParts { relationship, owner, target }, of: PhantomData }
    }

    /// Leads somewhere: there is at least one related row.
    pub fn exists(self) -> Condition<O> {
        related::<O, To>(self.parts, None)
    }

    /// The condition holds for at least one member.
    pub fn any(self, condition: Condition<To>) -> Condition<O>
    where
        K: ToMany,
    {
        related(self.parts, Some(condition))
    }

    /// It leads to a row for which the condition holds.
    pub fn has(self, condition: Condition<To>) -> Condition<O>
    where
        K: ToOne,
    {
        related(self.parts, Some(condition))
    }
}

impl<M: Model, K, To: Origin> Route<M, K, To> {
    /// The same relationship of an alias of the model.
    pub fn of<Tag: 'static>(self) -> Route<As<M, Tag>, K, To> {
        Route::new(self.parts.relationship)
    }
}

impl<O: Origin, K, T: Model> Route<O, K, T> {
    /// The same relationship to an alias of the model that it leads to.
    pub fn to<Tag: 'static>(self) -> Route<O, K, As<T, Tag>> {
        Route::new(self.parts.relationship)
    }
}

impl<M: Model, K: Kind, N> Relation<M, K, N> {
    /// The relationship of an alias of the model: `User::posts.of::<Boss>()` are the posts of
    /// `As<User, Boss>`.
    pub fn of<Tag: 'static>(self) -> Route<As<M, Tag>, K, K::Target> {
        Route::new(self.def())
    }

    /// The relationship to an alias of the model that it leads to: `.join(User::boss.to::<Boss>())`
    /// joins `As<User, Boss>`.
    pub fn to<Tag: 'static>(self) -> Route<M, K, As<K::Target, Tag>> {
        Route::new(self.def())
    }
}

/// Whether there is a related row for which the condition holds.
pub(super) fn related<O, To>(parts: RouteParts, condition: Option<Condition<To>>) -> Condition<O> {
    Condition::new(Expr::Related {
        owner: parts.owner,
        target: parts.target,
        relationship: parts.relationship,
        condition: condition.map(|condition| Box::new(condition.into_expr())),
    })
}

impl<O, K, To> Clone for Route<O, K, To> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<O, K, To> Copy for Route<O, K, To> {}

impl<O, K, To> fmt::Debug for Route<O, K, To> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Route").field(&self.parts.relationship.name()).finish()
    }
}

/// What `join` takes: a relationship, also from an alias or to one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be joined",
    label = "expected a relationship, as in `User::posts`",
    note = "what no relationship leads to is joined by `join_on`"
)]
pub trait IntoRoute {
    /// What has the relationship; it must be part of the query.
    type From: Origin;
    /// What it leads to.
    type To: Origin;
    #[doc(hidden)]
    fn __route(self) -> RouteParts;
}

impl<M: Model, K: Kind, N> IntoRoute for Relation<M, K, N> {
    type From = M;
    type To = K::Target;
    fn __route(self) -> RouteParts {
        RouteParts { relationship: self.def(), owner: Source::Scope, target: Source::Scope }
    }
}

impl<O: Origin, K, To: Origin> IntoRoute for Route<O, K, To> {
    type From = O;
    type To = To;
    fn __route(self) -> RouteParts {
        self.parts
    }
}

/// What `join_on` takes: `entity::<Post>()`, an alias of it, the rows of a subquery.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be joined by a condition",
    label = "expected `entity::<Post>()` or the rows of a subquery"
)]
pub trait Joinable {
    /// What becomes part of the query.
    type Origin: Origin;
    #[doc(hidden)]
    fn __from(self) -> Joined;
}

/// What is joined, opaque outside of this crate.
#[doc(hidden)]
#[derive(Debug)]
pub struct Joined(pub(crate) From);

impl<M, O: Origin> Joinable for Whole<M, O> {
    type Origin = O;
    fn __from(self) -> Joined {
        let of = O::__source();
        Joined(From::Table(of.table, of.source))
    }
}
