//! Functions of numbers.

use super::call;
use crate::model::Column;
use crate::query::{Expression, Number, Origin, PerRow, bind};
use crate::sql::{Expr, Function};
use crate::value::{ColumnType, Nullability, SqlType};

/// A number with digits behind the point: a float, a decimal, or an `Option` of one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no digits behind the point",
    label = "expected a float or a decimal"
)]
pub trait Fractional: Number {}

impl Fractional for f32 {}
impl Fractional for f64 {}
#[cfg(feature = "decimal")]
impl Fractional for rust_decimal::Decimal {}
impl<T: Fractional + ColumnType<Present = T>> Fractional for Option<T> {}

/// `T`, or an `Option` of it where `N` is nullable.
type Like<N, T> = <<N as ColumnType>::Nullability as Nullability>::Of<T>;

fn round(number: Expr, of_type: SqlType, digits: u8) -> Expr {
    let function = if of_type.is_decimal() { Function::RoundDecimal } else { Function::Round };
    let power = bind(&10_f64.powi(digits.into()));
    Expr::Function(function, vec![number, Expr::Integer(digits.into()), power])
}

macro_rules! functions_of_numbers {
    ($type:ident<M $(: $bound:path)? $(; $param:ident)?> $level:ty) => {
        impl<M $(: $bound)?, T: ColumnType $(, $param)?> $type<M, T $(, $param)?> {
            /// Without its sign.
            pub fn abs(self) -> Expression<M, T, $level>
            where
                T: Number,
            {
                call(Function::Abs, [self.into_expr()])
            }

            /// -1, 0 or 1.
            pub fn sign(self) -> Expression<M, Like<T, i64>, $level>
            where
                T: Number,
            {
                call(Function::Sign, [self.into_expr()])
            }

            /// To the power of an integer, as a float.
            ///
            /// The last digits are up to the database. What doesn't fit a float is an error on
            /// PostgreSQL and MySQL and infinite on SQLite, which multiplies step by step.
            pub fn power(self, exponent: i32) -> Expression<M, Like<T, f64>, $level>
            where
                T: Number,
            {
                call(Function::Power, [self.into_expr(), bind(&exponent)])
            }

            /// The square root, as a float; NULL for what is less than zero.
            ///
            /// On SQLite, which has no such function, it is approached step by step and the last
            /// digit may differ.
            pub fn sqrt(self) -> Expression<M, Option<f64>, $level>
            where
                T: Number,
            {
                call(Function::Sqrt, [self.into_expr()])
            }
        }

        impl<M $(: $bound)?, T: ColumnType $(, $param)?> $type<M, T $(, $param)?> {
            /// The greatest integer that is not greater, still as a float or decimal.
            pub fn floor(self) -> Expression<M, Like<T, T::Sum>, $level>
            where
                T: Fractional,
            {
                call(Function::Floor, [self.into_expr()])
            }

            /// The least integer that is not less, still as a float or decimal.
            pub fn ceil(self) -> Expression<M, Like<T, T::Sum>, $level>
            where
                T: Fractional,
            {
                call(Function::Ceil, [self.into_expr()])
            }

            /// Rounded to so many digits behind the point, halves away from zero.
            ///
            /// A float is rounded as `(x * 100.0).round() / 100.0` rounds it in Rust. Decimals are
            /// rounded exactly, but on SQLite, which calculates with them as floats.
            pub fn round(self, digits: u8) -> Expression<M, Like<T, T::Sum>, $level>
            where
                T: Fractional,
            {
                Expression::new(round(self.into_expr(), T::FACTS.sql_type, digits))
            }
        }
    };
}

functions_of_numbers!(Column<M: Origin> PerRow);
functions_of_numbers!(Expression<M; L> L);
