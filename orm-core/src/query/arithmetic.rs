//! Arithmetic: `User::visits + 1`, `Line::price * Line::quantity`, `-Account::balance`.

use std::ops::{Add, Div, Mul, Neg, Rem, Sub};

use super::{Expression, Fragment, Row, bind};
use crate::model::{Column, Model};
use crate::sql::{BinaryOp, Expr};
use crate::value::{ColumnType, NotNull, Nullability, Nullable};

/// A column type that can be calculated with: the numbers, and `Option`s of them.
///
/// Newtypes of numbers are none: what `Money * Money` is, only its author knows.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be calculated with",
    label = "not a number",
    note = "arithmetic, `sum`, `avg` and `abs` are for columns of numbers and of `Option`s of them"
)]
pub trait Number: ColumnType {
    /// What a sum of such numbers is: `i64` for integers, `f64` for floats.
    type Sum: ColumnType;
}

macro_rules! numbers {
    ($($(#[$gate:meta])? $type:ty => $sum:ty),+ $(,)?) => {$(
        $(#[$gate])?
        impl Number for $type {
            type Sum = $sum;
        }

        $(#[$gate])?
        impl<M, L> Addend<M, $type, L> for $type {
            type Nullability = NotNull;
            fn __fragment(self) -> Fragment {
                Fragment(bind(&self))
            }
        }
    )+};
}

numbers!(
    i16 => i64, i32 => i64, i64 => i64, u8 => i64, u16 => i64, u32 => i64, f32 => f64, f64 => f64,
    #[cfg(feature = "decimal")] rust_decimal::Decimal => rust_decimal::Decimal,
);

impl<T: Number + ColumnType<Present = T>> Number for Option<T> {
    type Sum = T::Sum;
}

/// What can be combined with an expression of `M` of type `P`: a value, or a column or
/// expression of the same model and level.
///
/// Columns of different models don't mix in arithmetic, nor do columns and aggregates.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be combined with an expression of `{M}` of type `{P}`",
    label = "expected a value of type `{P}`, or a column or expression of `{M}` of that type"
)]
pub trait Addend<M, P, L> {
    /// Whether it may be NULL.
    type Nullability: Nullability;
    #[doc(hidden)]
    fn __fragment(self) -> Fragment;
}

impl<M: Model, T: ColumnType> Addend<M, T::Present, Row> for Column<M, T> {
    type Nullability = T::Nullability;
    fn __fragment(self) -> Fragment {
        Fragment(self.into_expr())
    }
}

impl<M, T: ColumnType, L> Addend<M, T::Present, L> for Expression<M, T, L> {
    type Nullability = T::Nullability;
    fn __fragment(self) -> Fragment {
        Fragment(self.into_expr())
    }
}

macro_rules! texts {
    ($($type:ty),+) => {$(
        impl<M, L> Addend<M, String, L> for $type {
            type Nullability = NotNull;
            fn __fragment(self) -> Fragment {
                Fragment(bind::<String>(&self.into()))
            }
        }
    )+};
}

texts!(String, &String, &str);

/// The nullability of two together: NULL if either may be.
#[doc(hidden)]
pub trait Also<Other>: Nullability {
    /// The nullability of both.
    type Both: Nullability;
}

impl<Other: Nullability> Also<Other> for NotNull {
    type Both = Other;
}

impl<Other: Nullability> Also<Other> for Nullable {
    type Both = Nullable;
}

/// `P`, as an `Option` if `A` or `B` is nullable.
pub(crate) type Joint<A, B, P> = <<A as Also<B>>::Both as Nullability>::Of<P>;

macro_rules! arithmetic {
    ($($trait:ident $method:ident $op:ident),+ $(,)?) => {$(
        impl<M: Model, T: Number, V> $trait<V> for Column<M, T>
        where
            V: Addend<M, T::Present, Row>,
            T::Nullability: Also<V::Nullability>,
        {
            type Output = Expression<M, Joint<T::Nullability, V::Nullability, T::Present>>;
            fn $method(self, other: V) -> Self::Output {
                Expression::new(Expr::binary(
                    self.into_expr(),
                    BinaryOp::$op,
                    other.__fragment().0,
                ))
            }
        }

        impl<M, T: Number, L, V> $trait<V> for Expression<M, T, L>
        where
            V: Addend<M, T::Present, L>,
            T::Nullability: Also<V::Nullability>,
        {
            type Output = Expression<M, Joint<T::Nullability, V::Nullability, T::Present>, L>;
            fn $method(self, other: V) -> Self::Output {
                Expression::new(Expr::binary(
                    self.into_expr(),
                    BinaryOp::$op,
                    other.__fragment().0,
                ))
            }
        }
    )+};
}

arithmetic!(
    Add add Add,
    Sub sub Subtract,
    Mul mul Multiply,
    Div div Divide,
    Rem rem Remainder,
);

impl<M: Model, T: Number> Neg for Column<M, T> {
    type Output = Expression<M, T>;
    fn neg(self) -> Expression<M, T> {
        Expression::new(Expr::Negate(Box::new(self.into_expr())))
    }
}

impl<M, T: Number, L> Neg for Expression<M, T, L> {
    type Output = Self;
    fn neg(self) -> Self {
        Expression::new(Expr::Negate(Box::new(self.into_expr())))
    }
}
