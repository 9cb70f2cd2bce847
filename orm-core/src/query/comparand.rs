//! What may stand on the right of a comparison or of an assignment: a value, or a column or
//! expression of the same model.
//!
//! Values are whatever [`Operand`] accepts, which is a trait that others implement. A blanket
//! implementation over it next to one for [`Column`] would overlap, so each says by a marker,
//! which the compiler infers, by which way the operand came.

use super::{Comparable, Expression, Fragment, Origin, bind};
use crate::model::{Column, Model};
use crate::sql::Expr;
use crate::value::{ColumnType, NotNull, Nullability, Nullable, Operand};

/// The operand is a value, which travels as a bind.
#[derive(Debug)]
pub struct ByValue;

/// The operand is a column or an expression.
#[derive(Debug)]
pub struct ByExpression;

/// What a column of `M` of type `T` can be compared with: a value, or a column or expression of
/// the same model.
///
/// Across models there is `eq_column` and its like.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be compared with a column of `{M}` of type `{T}`",
    label = "expected a value of type `{T}`, or a column or expression of `{M}` of that type",
    note = "columns of different models are compared by `eq_column`, `lt_column`, …"
)]
pub trait Comparand<M, T, By> {
    #[doc(hidden)]
    fn __fragment(self) -> Fragment;
}

impl<M, T: ColumnType, V: Operand<T>> Comparand<M, T, ByValue> for V {
    fn __fragment(self) -> Fragment {
        Fragment(bind(&self.into_operand()))
    }
}

impl<M: Origin, T: ColumnType, U: ColumnType<Present = T::Present>> Comparand<M, T, ByExpression>
    for Column<M, U>
{
    fn __fragment(self) -> Fragment {
        Fragment(self.into_expr())
    }
}

impl<M, T: ColumnType, U: ColumnType<Present = T::Present>, L: Comparable>
    Comparand<M, T, ByExpression> for Expression<M, U, L>
{
    fn __fragment(self) -> Fragment {
        Fragment(self.into_expr())
    }
}

/// What can be assigned to a column of `M` of type `T` in an UPDATE: a value, or an expression
/// that the database evaluates for each row.
///
/// ```
/// # use orm_core::{Engine, Model, SessionFactory, schema};
/// # #[derive(Model)] struct User { username: String, #[orm(default = 0)] visits: i64 }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let engine = Engine::connect("sqlite::memory:").await?;
/// # engine.create_all(&schema![User]).await?;
/// # let mut session = SessionFactory::new(engine).session();
/// # let ada = session.add(User::draft().username("ada"));
/// # session.flush().await?;
/// session.set(ada, User::visits, 7);
/// # session.flush().await?;
/// session.set(ada, User::visits, User::visits + 1);
/// # session.flush().await?;
/// # assert_eq!(session[ada].visits, 8);
/// # Ok::<(), orm_core::Error>(()) }).unwrap();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be assigned to a column of `{M}` of type `{T}`",
    label = "expected a value of type `{T}`, or a column or expression of `{M}` of that type",
    note = "an expression that may be NULL fits a nullable column only: `.coalesce(…)` makes it fit"
)]
pub trait Assign<M, T, By> {
    #[doc(hidden)]
    fn __assign(self) -> Assignment<T>;
}

/// A value or an expression, opaque outside of this crate.
#[doc(hidden)]
#[derive(Debug)]
pub struct Assignment<T>(Assigned<T>);

impl<T> Assignment<T> {
    pub(crate) fn into_assigned(self) -> Assigned<T> {
        self.0
    }
}

/// What is assigned to a column.
#[derive(Debug)]
pub(crate) enum Assigned<T> {
    Value(T),
    Expression(Expr),
}

impl<M, T: ColumnType, V: Operand<T>> Assign<M, T, ByValue> for V {
    fn __assign(self) -> Assignment<T> {
        Assignment(Assigned::Value(self.into_operand()))
    }
}

impl<M: Model, T: ColumnType, U: ColumnType<Present = T::Present>> Assign<M, T, ByExpression>
    for Column<M, U>
where
    U::Nullability: Fits<T::Nullability>,
{
    fn __assign(self) -> Assignment<T> {
        Assignment(Assigned::Expression(self.into_expr()))
    }
}

impl<M, T: ColumnType, U: ColumnType<Present = T::Present>> Assign<M, T, ByExpression>
    for Expression<M, U>
where
    U::Nullability: Fits<T::Nullability>,
{
    fn __assign(self) -> Assignment<T> {
        Assignment(Assigned::Expression(self.into_expr()))
    }
}

/// Whether an expression of this nullability can be assigned to a column of the other.
#[doc(hidden)]
pub trait Fits<Column>: Nullability {}

impl<N: Nullability> Fits<N> for NotNull {}
impl Fits<Nullable> for Nullable {}
