//! Typed expressions over the columns of one model.

use std::fmt;
use std::marker::PhantomData;

use super::Fragment;
use crate::model::{Column, Model};
use crate::sql::{ColumnRef, Expr};
use crate::value::ColumnType;

/// The expression has a value per row. Where a left join finds no row it is NULL.
#[derive(Debug)]
pub struct Row;

/// The expression is an aggregate: it has a value per group, and a left join changes nothing of
/// its type.
#[derive(Debug)]
pub struct Group;

/// An expression over columns of the model `M` whose value has the type `T`.
///
/// Columns become expressions by arithmetic, functions and aggregates, and expressions have the
/// same operators as columns:
///
/// ```
/// # use orm_core::{Model, query::Select};
/// # #[derive(Model)] struct User { username: String, visits: i64 }
/// # let query: Select<User> =
/// User::select()
///     .filter((User::visits + 1).gt(10) & User::username.lower().eq("ada"))
///     .order_by(User::username.length().desc())
/// # ;
/// ```
///
/// `L` tells an expression with a value per [`Row`] from an aggregate, which has one per
/// [`Group`].
pub struct Expression<M, T, L = Row> {
    expr: Expr,
    of: PhantomData<fn(M) -> (T, L)>,
}

impl<M, T, L> Expression<M, T, L> {
    pub(crate) fn new(expr: Expr) -> Self {
        Self { expr, of: PhantomData }
    }

    pub(crate) fn into_expr(self) -> Expr {
        self.expr
    }
}

impl<M, T, L> Clone for Expression<M, T, L> {
    fn clone(&self) -> Self {
        Self::new(self.expr.clone())
    }
}

impl<M, T, L> fmt::Debug for Expression<M, T, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.expr).finish()
    }
}

impl<M: Model, T> Column<M, T> {
    /// The column of the occurrence that the scope names.
    pub(crate) fn into_expr(self) -> Expr {
        Expr::Column(ColumnRef::scoped(M::__table(), self.__index()))
    }
}

/// A column or an expression of a model.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a column nor an expression",
    label = "expected a column, as in `User::id`, or an expression, as in `User::visits + 1`"
)]
pub trait Term {
    /// The model whose columns it is made of.
    type Model: Model;
    /// The type of its value.
    type Type: ColumnType;
    /// [`Row`], or [`Group`] for an aggregate.
    type Level;
    #[doc(hidden)]
    fn __fragment(self) -> Fragment;
}

impl<M: Model, T: ColumnType> Term for Column<M, T> {
    type Model = M;
    type Type = T;
    type Level = Row;
    fn __fragment(self) -> Fragment {
        Fragment(self.into_expr())
    }
}

impl<M: Model, T: ColumnType, L> Term for Expression<M, T, L> {
    type Model = M;
    type Type = T;
    type Level = L;
    fn __fragment(self) -> Fragment {
        Fragment(self.expr)
    }
}
