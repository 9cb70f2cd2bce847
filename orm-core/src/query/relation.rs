//! What a relationship constant can do in a query: loader options and conditions.

use super::route::related;
use super::{Condition, IntoLoad, IntoRoute, Load, Only, Orders};
use crate::model::{Column, Kind, Model, Relation, ToMany, ToOne};

impl<M: Model, K: Kind<Target = M>, N> Relation<M, K, N> {
    /// Loads so many levels of a relationship of a model to itself: [`Load::depth`].
    pub fn depth(self, levels: u32) -> Load<M, M> {
        self.into_load().depth(levels)
    }

    /// Loads all levels of a relationship of a model to itself by one statement:
    /// [`Load::recursive`].
    pub fn recursive(self) -> Load<M, M> {
        self.into_load().recursive()
    }
}

impl<M: Model, K: Kind, N> Relation<M, K, N> {
    /// Loads it by a LEFT JOIN of the query itself.
    pub fn joined(self) -> Load<M, K::Target> {
        self.into_load().joined()
    }

    /// Loads it by one more statement with the keys of the objects that were found.
    pub fn selectin(self) -> Load<M, K::Target> {
        self.into_load().selectin()
    }

    /// Loads it by one more statement that embeds the query.
    pub fn subquery(self) -> Load<M, K::Target> {
        self.into_load().subquery()
    }

    /// Leaves it to be loaded on demand, whatever the mapping says.
    pub fn lazy(self) -> Load<M, K::Target> {
        self.into_load().lazy()
    }

    /// Doesn't load it, whatever the mapping says: [`Load::raise`].
    pub fn raise(self) -> Load<M, K::Target> {
        self.into_load().raise()
    }

    /// Loads only members for which this holds.
    pub fn filter(self, condition: Condition<K::Target>) -> Load<M, K::Target> {
        self.into_load().filter(condition)
    }

    /// Loads the members in this order.
    pub fn order_by(self, order: impl Orders<Models: Only<K::Target>>) -> Load<M, K::Target> {
        self.into_load().order_by(order)
    }

    /// Loads at most this many members of each parent.
    pub fn limit(self, members: u64) -> Load<M, K::Target> {
        self.into_load().limit(members)
    }

    /// Loads it, and a relationship of its members too.
    pub fn with(self, nested: impl IntoLoad<Owner = K::Target>) -> Load<M, K::Target> {
        self.into_load().with(nested)
    }

    /// Loads it, and a [`Deferred`](crate::Deferred) column of its members too: [`Load::undefer`].
    pub fn undefer<T>(self, column: Column<K::Target, T>) -> Load<M, K::Target> {
        self.into_load().undefer(column)
    }

    /// Leads somewhere: there is at least one related row. `!User::posts.exists()` finds the
    /// users without posts.
    pub fn exists(self) -> Condition<M> {
        related::<M, K::Target>(self.__route(), None)
    }

    /// The condition holds for at least one member:
    /// `User::posts.any(Post::title.contains("Engine"))`. It is for relationships to many.
    pub fn any(self, condition: Condition<K::Target>) -> Condition<M>
    where
        K: ToMany,
    {
        related(self.__route(), Some(condition))
    }

    /// It leads to a row for which the condition holds:
    /// `Post::user.has(User::username.eq("ada"))`. It is for relationships to one.
    pub fn has(self, condition: Condition<K::Target>) -> Condition<M>
    where
        K: ToOne,
    {
        related(self.__route(), Some(condition))
    }
}
