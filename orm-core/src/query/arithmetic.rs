//! Arithmetic: `User::visits + 1`, `Line::price * Line::quantity`, `-Account::balance`; across
//! models `Line::quantity.times(Product::price)`.

use std::ops::{Add, Div, Mul, Neg, Rem, Sub};

use super::{Expression, Fragment, Only, Origin, PerRow, PerWindow, Term, bind};
use crate::model::Column;
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
            type Level = L;
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
/// Columns of different models are combined by `plus`, `minus`, `times` and `divided_by`. Columns and
/// aggregates don't mix.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be combined with an expression of `{M}` of type `{P}`",
    label = "expected a value of type `{P}`, or a column or expression of `{M}` of that type",
    note = "columns of different models are combined by `plus`, `minus`, `times`, `divided_by`"
)]
pub trait Addend<M, P, L> {
    /// Whether it may be NULL.
    type Nullability: Nullability;
    /// The level of what is made of both.
    type Level;
    #[doc(hidden)]
    fn __fragment(self) -> Fragment;
}

impl<M: Origin, T: ColumnType> Addend<M, T::Present, PerRow> for Column<M, T> {
    type Nullability = T::Nullability;
    type Level = PerRow;
    fn __fragment(self) -> Fragment {
        Fragment(self.into_expr())
    }
}

impl<M, T: ColumnType, L> Addend<M, T::Present, L> for Expression<M, T, L> {
    type Nullability = T::Nullability;
    type Level = L;
    fn __fragment(self) -> Fragment {
        Fragment(self.into_expr())
    }
}

/// What has a value per row and a window function are combined row by row.
impl<M: Origin, W: Only<M>, T: ColumnType> Addend<W, T::Present, PerWindow> for Column<M, T> {
    type Nullability = T::Nullability;
    type Level = PerWindow;
    fn __fragment(self) -> Fragment {
        Fragment(self.into_expr())
    }
}

impl<M, W: Only<M>, T: ColumnType> Addend<W, T::Present, PerWindow> for Expression<M, T> {
    type Nullability = T::Nullability;
    type Level = PerWindow;
    fn __fragment(self) -> Fragment {
        Fragment(self.into_expr())
    }
}

impl<M, W: Only<M>, T: ColumnType> Addend<M, T::Present, PerRow> for Expression<W, T, PerWindow> {
    type Nullability = T::Nullability;
    type Level = PerWindow;
    fn __fragment(self) -> Fragment {
        Fragment(self.into_expr())
    }
}

macro_rules! texts {
    ($($type:ty),+) => {$(
        impl<M, L> Addend<M, String, L> for $type {
            type Nullability = NotNull;
            type Level = L;
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
        impl<M: Origin, T: Number, V> $trait<V> for Column<M, T>
        where
            V: Addend<M, T::Present, PerRow>,
            T::Nullability: Also<V::Nullability>,
        {
            type Output =
                Expression<M, Joint<T::Nullability, V::Nullability, T::Present>, V::Level>;
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
            type Output =
                Expression<M, Joint<T::Nullability, V::Nullability, T::Present>, V::Level>;
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

impl<M: Origin, T: Number> Neg for Column<M, T> {
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

/// `M`'s term combined with one of the models of `O`, where `P` is the type of both.
type Across<M, N, O, P, L> =
    Expression<(M, <O as Term>::Models), Joint<N, NullabilityOf<<O as Term>::Type>, P>, L>;

type NullabilityOf<T> = <T as ColumnType>::Nullability;

/// Arithmetic with a column or an expression of any model.
macro_rules! across {
    ($type:ident<M $(: $bound:path)? $(; $param:ident)?> $level:ty: $($(#[$doc:meta])+ $method:ident $op:ident),+) => {
        impl<M $(: $bound)?, T: Number $(, $param)?> $type<M, T $(, $param)?> {$(
            $(#[$doc])+
            pub fn $method<O>(self, other: O) -> Across<M, T::Nullability, O, T::Present, $level>
            where
                O: Term<Type: ColumnType<Present = T::Present>, Level = $level>,
                T::Nullability: Also<NullabilityOf<O::Type>>,
            {
                let other = other.__fragment().0;
                Expression::new(Expr::binary(self.into_expr(), BinaryOp::$op, other))
            }
        )+}
    };
    ($type:ident<M $(: $bound:path)? $(; $param:ident)?> $level:ty) => {
        across!($type<M $(: $bound)? $(; $param)?> $level:
            /// The sum with a column or an expression of any model.
            plus Add,
            /// The difference to a column or an expression of any model.
            minus Subtract,
            /// The product with a column or an expression of any model:
            /// `Line::quantity.times(Product::price)`. The query must have joined both.
            times Multiply,
            /// The quotient by a column or an expression of any model. Of integers it truncates.
            divided_by Divide);
    };
}

across!(Column<M: Origin> PerRow);
across!(Expression<M; L> L);
