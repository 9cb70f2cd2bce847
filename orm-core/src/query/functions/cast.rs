//! `cast::<T>()`: values of one type as values of another, with one meaning everywhere.

use crate::model::Column;
use crate::query::arithmetic::Joint;
use crate::query::{Also, Expression, Fragment, Origin, PerRow};
use crate::sql::{Expr, Function};
use crate::value::{ColumnType, NotNull, Nullability, Nullable};

/// A column type whose values can be cast to `To`.
///
/// | from | to | |
/// |---|---|---|
/// | an integer | another integer | An error when it is read, where it doesn't fit. |
/// | an integer | `f64`, `Decimal`, `String`, `bool` | Zero is `false`, all else `true`. |
/// | `f32`, `f64`, `Decimal` | an integer | Cut towards zero, as Rust's `as` does: -2.5 is -2. What is out of range is an error on PostgreSQL, and the nearest integer elsewhere. |
/// | `f32`, `Decimal` | `f64` | |
/// | `bool` | an integer, `String` | 0 and 1, `false` and `true`. |
/// | `String` | an integer | NULL unless the text is nothing but a sign and 1 to 18 digits. |
/// | `String` | `f64` | NULL unless the text is a number as JSON writes it, without an exponent: no white space, no `+`, no zeros in front. |
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be cast to `{To}` with one meaning on every database",
    label = "no cast to `{To}`"
)]
pub trait CastTo<To>: ColumnType {
    /// [`Nullable`] if the cast gives NULL for some values.
    type Fails: Nullability;
    #[doc(hidden)]
    fn __cast(operand: Fragment) -> Fragment;
}

macro_rules! casts {
    ($($(#[$gate:meta])? $from:ty => $to:ty: $fails:ident $($function:ident)?;)+) => {$(
        $(#[$gate])?
        impl CastTo<$to> for $from {
            type Fails = $fails;
            fn __cast(operand: Fragment) -> Fragment {
                $(let operand = Fragment(Expr::Function(Function::$function, vec![operand.0]));)?
                operand
            }
        }
    )+};
}

macro_rules! casts_of_integers {
    ($($integer:ty),+) => {$(
        casts! {
            $integer => i16: NotNull;
            $integer => i32: NotNull;
            $integer => i64: NotNull;
            $integer => u8: NotNull;
            $integer => u16: NotNull;
            $integer => u32: NotNull;
            $integer => f64: NotNull ToDouble;
            $integer => bool: NotNull IntegerToBoolean;
            $integer => String: NotNull IntegerToText;
            f32 => $integer: NotNull ToInteger;
            f64 => $integer: NotNull ToInteger;
            bool => $integer: NotNull BooleanToInteger;
            String => $integer: Nullable TextToInteger;
            #[cfg(feature = "decimal")] $integer => rust_decimal::Decimal: NotNull ToDecimal;
            #[cfg(feature = "decimal")] rust_decimal::Decimal => $integer: NotNull ToInteger;
        }
    )+};
}

casts_of_integers!(i16, i32, i64, u8, u16, u32);
casts! {
    f32 => f64: NotNull ToDouble;
    bool => String: NotNull BooleanToText;
    String => f64: Nullable TextToDouble;
    #[cfg(feature = "decimal")] rust_decimal::Decimal => f64: NotNull ToDouble;
}

/// What a cast of `T` to `To` gives.
type Result<T, To> =
    Joint<<T as ColumnType>::Nullability, <<T as ColumnType>::Present as CastTo<To>>::Fails, To>;

macro_rules! casts_of_expressions {
    ($type:ident<M $(: $bound:path)? $(; $param:ident)?> $level:ty) => {
        impl<M $(: $bound)?, T: ColumnType $(, $param)?> $type<M, T $(, $param)?> {
            /// The value as one of another type: `User::age.cast::<f64>()`.
            ///
            /// [`CastTo`] says which casts there are and what they mean.
            pub fn cast<To>(self) -> Expression<M, Result<T, To>, $level>
            where
                T::Present: CastTo<To>,
                T::Nullability: Also<<T::Present as CastTo<To>>::Fails>,
            {
                Expression::new(<T::Present as CastTo<To>>::__cast(Fragment(self.into_expr())).0)
            }
        }
    };
}

casts_of_expressions!(Column<M: Origin> PerRow);
casts_of_expressions!(Expression<M; L> L);
