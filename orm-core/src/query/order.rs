//! Orders: what `order_by` takes.

use std::fmt;
use std::marker::PhantomData;

use super::{Only, OrderTerms};
use crate::model::Model;
use crate::sql::{ColumnRef, Expr, OrderTerm, Source};
use crate::value::ColumnType;

/// One term of an order, by a column or an expression of the model `M`.
///
/// ```
/// # use orm_core::{Model, query::Select};
/// # #[derive(Model)] struct User { username: String, age: Option<i32> }
/// # let query: Select<User> =
/// User::select().order_by((User::age.desc().nulls_last(), User::username.asc()))
/// # ;
/// ```
pub struct Order<M> {
    term: OrderTerm,
    of: PhantomData<fn(M)>,
}

impl<M> Order<M> {
    /// An order by an expression of the type `T`.
    pub(super) fn by<T: ColumnType>(expr: Expr, descending: bool) -> Self {
        let sql_type = Some(T::FACTS.sql_type);
        Self { term: OrderTerm { sql_type, ..OrderTerm::new(expr, descending) }, of: PhantomData }
    }

    /// The same of another model, when the change is made.
    pub(super) fn moved<O>(mut self, change: impl FnOnce(&mut Expr)) -> Order<O> {
        change(&mut self.term.expr);
        Order { term: self.term, of: PhantomData }
    }

    /// Puts NULLs first. Without this or [`nulls_last`](Self::nulls_last) they stand where the
    /// database is used to put them: PostgreSQL takes NULL for the greatest value, SQLite and
    /// MySQL for the least.
    pub fn nulls_first(mut self) -> Self {
        self.term.nulls_first = Some(true);
        self
    }

    /// Puts NULLs last.
    pub fn nulls_last(mut self) -> Self {
        self.term.nulls_first = Some(false);
        self
    }

    /// The other direction, with NULLs where they were told to stand.
    pub fn reverse(mut self) -> Self {
        self.term.descending = !self.term.descending;
        self
    }
}

impl<M> Clone for Order<M> {
    fn clone(&self) -> Self {
        Self { term: self.term.clone(), of: PhantomData }
    }
}

impl<M> fmt::Debug for Order<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Order").field(&self.term).finish()
    }
}

/// An order, a tuple of up to twelve, or a `Vec` or array of orders of one model.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an order",
    label = "expected an order, as in `User::username.asc()`, or a tuple of orders"
)]
pub trait Orders {
    /// The model, or the models as a tuple.
    type Models;
    #[doc(hidden)]
    fn __orders(self, into: &mut OrderTerms);
}

impl<M> Orders for Order<M> {
    type Models = M;
    fn __orders(self, into: &mut OrderTerms) {
        into.0.push(self.term);
    }
}

impl<M> Orders for Vec<Order<M>> {
    type Models = M;
    fn __orders(self, into: &mut OrderTerms) {
        into.0.extend(self.into_iter().map(|order| order.term));
    }
}

impl<M, const N: usize> Orders for [Order<M>; N] {
    type Models = M;
    fn __orders(self, into: &mut OrderTerms) {
        into.0.extend(self.into_iter().map(|order| order.term));
    }
}

macro_rules! orders {
    ($(($order:ident $at:ident $index:tt))+) => {
        impl<$($order: Orders),+> Orders for ($($order,)+) {
            type Models = ($($order::Models,)+);
            fn __orders(self, into: &mut OrderTerms) {
                $(self.$index.__orders(into);)+
            }
        }
    };
}
for_tuples!(orders);

/// The order of a relationship's members, for its description: positions of columns, true for
/// descending.
///
/// # Panics
/// If a term is anything but a column: it is a mistake in a model's `order_by = …`.
#[doc(hidden)]
pub fn order<M: Model>(terms: impl Orders<Models: Only<M>>) -> Vec<(usize, bool)> {
    let mut into = OrderTerms::default();
    terms.__orders(&mut into);
    into.0
        .into_iter()
        .map(|term| match term {
            OrderTerm {
                expr: Expr::Column(ColumnRef { column, source: Source::Scope, .. }),
                descending,
                nulls_first: None,
                ..
            } => (column, descending),
            _ => panic!(
                "a relationship to `{}` is ordered by plain columns only, as in \
                 `order_by = {0}::created_at.desc()`",
                M::__table().model()
            ),
        })
        .collect()
}
