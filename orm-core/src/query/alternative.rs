//! What may stand beside an expression of the same type: a value, or a column or expression.

use super::{ByExpression, ByValue, Expression, Fragment, Origin, PerRow, bind};
use crate::model::Column;
use crate::value::{ColumnType, NotNull, Nullability, Operand};

/// What can stand in for an expression of `M` whose values are of type `P`, or be compared with
/// it: a value, or a column or expression of the same model and level.
///
/// `coalesce`, `greatest`, `case` and their like take it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't stand beside an expression of `{M}` of type `{P}`",
    label = "expected a value of type `{P}`, or a column or expression of `{M}` of that type"
)]
pub trait Alternative<M, P, L, By> {
    /// Whether it may be NULL.
    type Nullability: Nullability;
    #[doc(hidden)]
    fn __fragment(self) -> Fragment;
}

impl<M, P: ColumnType, L, V: Operand<P>> Alternative<M, P, L, ByValue> for V {
    type Nullability = NotNull;
    fn __fragment(self) -> Fragment {
        Fragment(bind(&self.into_operand()))
    }
}

impl<M: Origin, T: ColumnType> Alternative<M, T::Present, PerRow, ByExpression> for Column<M, T> {
    type Nullability = T::Nullability;
    fn __fragment(self) -> Fragment {
        Fragment(self.into_expr())
    }
}

impl<M, T: ColumnType, L> Alternative<M, T::Present, L, ByExpression> for Expression<M, T, L> {
    type Nullability = T::Nullability;
    fn __fragment(self) -> Fragment {
        Fragment(self.into_expr())
    }
}
