//! Functions of dates and times. Instants are taken apart in UTC.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};

use super::call;
use crate::model::{CURRENT_TIMESTAMP, Column};
use crate::query::arithmetic::Joint;
use crate::query::{Also, Alternative, Expression, Origin, PerRow, bind};
use crate::sql::{BinaryOp, Expr, Function, Unit};
use crate::value::{ColumnType, Nullability, SqlType};

/// A column type with a date in it: `NaiveDate`, `NaiveDateTime`, `DateTime<Utc>`, and `Option`s
/// of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no date in it",
    label = "expected a date, or a date and time"
)]
pub trait HasDate: ColumnType {}

/// A column type with a time of day in it: `NaiveTime`, `NaiveDateTime`, `DateTime<Utc>`, and
/// `Option`s of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no time of day in it",
    label = "expected a time of day, or a date and time"
)]
pub trait HasTime: ColumnType {}

impl HasDate for NaiveDate {}
impl HasDate for NaiveDateTime {}
impl HasDate for DateTime<Utc> {}
impl<T: HasDate + ColumnType<Present = T>> HasDate for Option<T> {}
impl HasTime for NaiveTime {}
impl HasTime for NaiveDateTime {}
impl HasTime for DateTime<Utc> {}
impl<T: HasTime + ColumnType<Present = T>> HasTime for Option<T> {}

/// `T`, or an `Option` of it where `N` is nullable.
type Like<N, T> = <<N as ColumnType>::Nullability as Nullability>::Of<T>;

/// The time that the server has as the statement begins.
///
/// It is of any model, which the compiler infers from what it stands beside:
///
/// ```
/// use chrono::TimeDelta;
/// use orm_core::query::{Condition, now};
/// # use orm_core::Model;
/// # #[derive(Model)] struct Invoice { number: i64 }
/// let overdue: Condition<Invoice> =
///     Invoice::created_at.lt(now().shifted_by(TimeDelta::days(-14)));
/// ```
///
/// SQLite's clock has milliseconds.
pub fn now<M>() -> Expression<M, DateTime<Utc>> {
    Expression::new(Expr::Authored(CURRENT_TIMESTAMP))
}

/// What the parts of a date or time are taken of.
fn apart<T: ColumnType>(operand: Expr) -> Expr {
    match T::FACTS.sql_type {
        SqlType::Timestamp => Expr::Function(Function::InUtc, vec![operand]),
        SqlType::Time => Expr::Function(Function::OnSomeDay, vec![operand]),
        _ => operand,
    }
}

fn truncate<T: ColumnType>(operand: Expr, unit: Unit) -> Expr {
    let function = match T::FACTS.sql_type {
        SqlType::Date => Function::TruncateDate(unit),
        _ => Function::Truncate(unit),
    };
    let cut = Expr::Function(function, vec![apart::<T>(operand)]);
    match T::FACTS.sql_type {
        SqlType::Timestamp => Expr::Function(Function::FromUtc, vec![cut]),
        _ => cut,
    }
}

fn shift<T: ColumnType>(operand: Expr, by: TimeDelta) -> Expr {
    const SECOND: i128 = 1_000_000;
    const DAY: i128 = 86_400 * SECOND;
    // All of these fit: a TimeDelta holds as many milliseconds as 64 bits count.
    let part = |number: i128| bind(&i64::try_from(number).unwrap_or(i64::MAX));
    if let SqlType::Date = T::FACTS.sql_type {
        let days = by.num_days().clamp(i32::MIN.into(), i32::MAX.into());
        let days = bind(&i32::try_from(days).unwrap_or(i32::MAX));
        return Expr::Function(Function::ShiftDate, vec![operand, days]);
    }
    let behind = i128::from(by.subsec_nanos() / 1_000);
    let microseconds = i128::from(by.num_seconds()) * SECOND + behind;
    let parts = [
        microseconds.div_euclid(DAY),
        microseconds.rem_euclid(DAY),
        microseconds.div_euclid(SECOND),
        microseconds.rem_euclid(SECOND),
    ];
    let arguments = std::iter::once(operand).chain(parts.map(part)).collect();
    Expr::Function(Function::Shift, arguments)
}

macro_rules! parts {
    ($level:ty where $has:ident; $($(#[$doc:meta])+ $name:ident $function:ident;)+) => {$(
        $(#[$doc])+
        pub fn $name(self) -> Expression<M, Like<T, i64>, $level>
        where
            T: $has,
        {
            call(Function::$function, [apart::<T>(self.into_expr())])
        }
    )+};
}

macro_rules! functions_of_times {
    ($type:ident<M $(: $bound:path)? $(; $param:ident)?> $level:ty) => {
        impl<M $(: $bound)?, T: ColumnType $(, $param)?> $type<M, T $(, $param)?> {
            parts! { $level where HasDate;
                /// The year.
                year Year;
                /// The month, from 1 to 12.
                month Month;
                /// The day of the month, from 1 on.
                day Day;
                /// The day of the week, from 1 for Monday to 7 for Sunday.
                weekday Weekday;
            }

            /// The start of the year, month, week (a Monday), day, … that it is in. Of a date,
            /// units shorter than a day leave what there is.
            pub fn truncate_to(self, unit: Unit) -> Expression<M, T, $level>
            where
                T: HasDate,
            {
                Expression::new(truncate::<T>(self.into_expr(), unit))
            }

            /// So much later, or earlier by what is negative, to the microsecond. Of a date, whole
            /// days count, as they do where chrono adds a `TimeDelta` to one.
            ///
            /// What no calendar of the database has is an error on PostgreSQL, and NULL elsewhere.
            pub fn shifted_by(self, by: TimeDelta) -> Expression<M, T, $level>
            where
                T: HasDate,
            {
                Expression::new(shift::<T>(self.into_expr(), by))
            }

            /// How many days later its date is than the other's.
            pub fn days_since<By, V>(
                self,
                earlier: V,
            ) -> Expression<M, Joint<T::Nullability, V::Nullability, i64>, $level>
            where
                T: HasDate,
                V: Alternative<M, T::Present, $level, By>,
                T::Nullability: Also<V::Nullability>,
            {
                let dates = [self.into_expr(), earlier.__fragment().0].map(|operand| {
                    Expr::Function(Function::DateOf, vec![apart::<T>(operand)])
                });
                call(Function::DaysBetween, dates)
            }
        }

        impl<M $(: $bound)?, T: ColumnType $(, $param)?> $type<M, T $(, $param)?> {
            parts! { $level where HasTime;
                /// The hour, from 0 to 23.
                hour Hour;
                /// The minute, from 0 to 59.
                minute Minute;
                /// The second, from 0 to 59, without what is behind the point.
                second Second;
            }
        }

        impl<M $(: $bound)?, T: ColumnType $(, $param)?> $type<M, T $(, $param)?> {
            /// Its date.
            pub fn date(self) -> Expression<M, Like<T, NaiveDate>, $level>
            where
                T: HasDate + HasTime,
            {
                call(Function::DateOf, [apart::<T>(self.into_expr())])
            }

            /// Its time of day.
            pub fn time(self) -> Expression<M, Like<T, NaiveTime>, $level>
            where
                T: HasDate + HasTime,
            {
                call(Function::TimeOf, [apart::<T>(self.into_expr())])
            }

            /// How many microseconds later it is than the other.
            pub fn microseconds_since<By, V>(
                self,
                earlier: V,
            ) -> Expression<M, Joint<T::Nullability, V::Nullability, i64>, $level>
            where
                T: HasDate + HasTime,
                V: Alternative<M, T::Present, $level, By>,
                T::Nullability: Also<V::Nullability>,
            {
                call(Function::MicrosecondsBetween, [self.into_expr(), earlier.__fragment().0])
            }

            /// How many seconds later it is than the other, as a float.
            pub fn seconds_since<By, V>(
                self,
                earlier: V,
            ) -> Expression<M, Joint<T::Nullability, V::Nullability, f64>, $level>
            where
                T: HasDate + HasTime,
                V: Alternative<M, T::Present, $level, By>,
                T::Nullability: Also<V::Nullability>,
            {
                let (later, earlier) = (self.into_expr(), earlier.__fragment().0);
                let count = Expr::Function(Function::MicrosecondsBetween, vec![later, earlier]);
                let count = Expr::Function(Function::ToDouble, vec![count]);
                Expression::new(Expr::binary(count, BinaryOp::Divide, bind(&1e6_f64)))
            }
        }
    };
}

functions_of_times!(Column<M: Origin> PerRow);
functions_of_times!(Expression<M; L> L);
