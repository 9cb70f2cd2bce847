//! Typed expressions over the columns of a model, or of several that are joined.

use std::fmt;
use std::marker::PhantomData;

use super::{Fragment, Origin, SourceOf};
use crate::model::Column;
use crate::sql::{ColumnRef, Expr};
use crate::value::ColumnType;

/// The expression has a value per row. Where a left join finds no row it is NULL.
#[derive(Debug)]
pub struct PerRow;

/// The expression is an aggregate: it has a value per group, and a left join changes nothing of
/// its type.
#[derive(Debug)]
pub struct PerGroup;

/// The expression is a function of a window: it has a value per row, which it has only once all
/// rows are there. Conditions come before that.
#[derive(Debug)]
pub struct PerWindow;

/// A level of expressions that conditions may be about: [`PerRow`] and [`PerGroup`].
#[diagnostic::on_unimplemented(
    message = "a window function can't stand in a condition",
    label = "rows are chosen before windows are made of them",
    note = "select it in a subquery, and set the condition on the rows of that"
)]
pub trait Comparable {}

impl Comparable for PerRow {}
impl Comparable for PerGroup {}

/// An expression over columns of the model `M`, or, for a tuple, of several models, whose value has
/// the type `T`.
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
/// `L` tells an expression with a value [`PerRow`] from an aggregate, which has one
/// [`PerGroup`], and from a window function ([`PerWindow`]).
pub struct Expression<M, T, L = PerRow> {
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

    /// The same of another model, when the change is made.
    pub(super) fn moved<O>(mut self, change: impl FnOnce(&mut Expr)) -> Expression<O, T, L> {
        change(&mut self.expr);
        Expression::new(self.expr)
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

impl<O: Origin, T> Column<O, T> {
    /// The column of the occurrence that the scope names.
    pub(crate) fn into_expr(self) -> Expr {
        let SourceOf { table, source } = O::__source();
        Expr::Column(ColumnRef { table, column: self.__index(), source })
    }
}

/// A column or an expression of a model, or of several.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a column nor an expression",
    label = "expected a column, as in `User::id`, or an expression, as in `User::visits + 1`"
)]
pub trait Term {
    /// The model whose columns it is made of, or a tuple of them.
    type Models;
    /// The type of its value.
    type Type: ColumnType;
    /// [`PerRow`], or [`PerGroup`] for an aggregate.
    type Level;
    #[doc(hidden)]
    fn __fragment(self) -> Fragment;
}

impl<O: Origin, T: ColumnType> Term for Column<O, T> {
    type Models = O;
    type Type = T;
    type Level = PerRow;
    fn __fragment(self) -> Fragment {
        Fragment(self.into_expr())
    }
}

impl<M, T: ColumnType, L> Term for Expression<M, T, L> {
    type Models = M;
    type Type = T;
    type Level = L;
    fn __fragment(self) -> Fragment {
        Fragment(self.expr)
    }
}
