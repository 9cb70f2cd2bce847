//! What columns and expressions can do: comparisons, functions, aggregates, orders.
//!
//! Columns and expressions have the same methods, inherent ones, so that no trait needs to be
//! imported; one macro writes both.

use super::arithmetic::Joint;
use super::{
    Addend, Also, Comparable, Comparand, Condition, Expression, Number, Order, Origin, PerGroup,
    PerRow, Term, bind,
};
use crate::model::Column;
use crate::sql::{Aggregate, Aggregation, BinaryOp, Expr};
use crate::value::{ColumnType, Operand, Value};

/// A column type that is text: `String`, an `Option` of it, and newtypes of it that
/// `#[derive(ColumnType)]` made (they accept a `&str`).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not text",
    label = "expected a column of text",
    note = "`like`, `contains`, `lower`, `length` and their like are for `String`s and newtypes of them"
)]
pub trait TextColumn: ColumnType {}

#[diagnostic::do_not_recommend]
impl<T: ColumnType> TextColumn for T where for<'a> &'a str: Operand<T::Present> {}

/// A comparison; with a NULL, `eq` and `ne` ask whether the column is NULL.
fn compare<M>(left: Expr, op: BinaryOp, right: Expr) -> Condition<M> {
    let negated = match (&right, op) {
        (Expr::Bind(bind), BinaryOp::Equal) if bind.value.is_null() => false,
        (Expr::Bind(bind), BinaryOp::NotEqual) if bind.value.is_null() => true,
        _ => return Condition::new(Expr::binary(left, op, right)),
    };
    is_null(left, negated)
}

fn is_null<M>(operand: Expr, negated: bool) -> Condition<M> {
    Condition::new(Expr::IsNull { operand: Box::new(operand), negated })
}

/// A list in which a NULL stands for "or is NULL", as it does in `eq`.
fn in_list<M, T: ColumnType>(
    operand: Expr,
    values: impl IntoIterator<Item: Operand<T>>,
    negated: bool,
) -> Condition<M> {
    let (mut list, mut with_null) = (Vec::new(), false);
    for value in values {
        match value.into_operand().encode() {
            Value::Null => with_null = true,
            value => list.push(Expr::bind(value, T::FACTS.sql_type)),
        }
    }
    let among = |operand| Condition::new(Expr::In { operand: Box::new(operand), list, negated });
    match (with_null, negated) {
        (false, _) => among(operand),
        (true, false) => among(operand.clone()) | is_null(operand, false),
        (true, true) => among(operand.clone()) & is_null(operand, true),
    }
}

fn like<M>(operand: Expr, pattern: String) -> Condition<M> {
    let (operand, pattern) = (Box::new(operand), Box::new(bind(&pattern)));
    Condition::new(Expr::Like { operand, pattern })
}

/// The text with the wildcards of LIKE, and the escape itself, escaped.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 2);
    for character in text.chars() {
        if matches!(character, '%' | '_' | '!') {
            escaped.push('!');
        }
        escaped.push(character);
    }
    escaped
}

fn aggregate<M, T>(
    function: Aggregate,
    operand: Expr,
    distinct: bool,
) -> Expression<M, T, PerGroup> {
    let aggregation = Aggregation { distinct, ..Aggregation::new(function, Some(operand)) };
    Expression::new(aggregation.into())
}

/// The methods of a column, and of an expression of any level.
macro_rules! operators {
    ($type:ident<M $(: $bound:path)? $(; $param:ident)?> $level:ty) => {
        impl<M $(: $bound)?, T: ColumnType $(, $param)?> $type<M, T $(, $param)?> {
            /// Equal. Given `None`, it is `IS NULL`.
            pub fn eq<By>(self, other: impl Comparand<M, T, By>) -> Condition<M>
            where
                Self: Term<Level: Comparable>,
            {
                compare(self.into_expr(), BinaryOp::Equal, other.__fragment().0)
            }

            /// Not equal. Given `None`, it is `IS NOT NULL`. As in SQL it doesn't hold where
            /// the column is NULL.
            pub fn ne<By>(self, other: impl Comparand<M, T, By>) -> Condition<M>
            where
                Self: Term<Level: Comparable>,
            {
                compare(self.into_expr(), BinaryOp::NotEqual, other.__fragment().0)
            }

            /// Less than.
            pub fn lt<By>(self, other: impl Comparand<M, T, By>) -> Condition<M>
            where
                Self: Term<Level: Comparable>,
            {
                compare(self.into_expr(), BinaryOp::Less, other.__fragment().0)
            }

            /// Less than or equal.
            pub fn le<By>(self, other: impl Comparand<M, T, By>) -> Condition<M>
            where
                Self: Term<Level: Comparable>,
            {
                compare(self.into_expr(), BinaryOp::LessOrEqual, other.__fragment().0)
            }

            /// Greater than.
            pub fn gt<By>(self, other: impl Comparand<M, T, By>) -> Condition<M>
            where
                Self: Term<Level: Comparable>,
            {
                compare(self.into_expr(), BinaryOp::Greater, other.__fragment().0)
            }

            /// Greater than or equal.
            pub fn ge<By>(self, other: impl Comparand<M, T, By>) -> Condition<M>
            where
                Self: Term<Level: Comparable>,
            {
                compare(self.into_expr(), BinaryOp::GreaterOrEqual, other.__fragment().0)
            }

            /// Equal to a column or an expression of any model:
            /// `User::id.eq_column(Post::user_id)`.
            pub fn eq_column<O>(self, other: O) -> Condition<(M, O::Models)>
            where
                Self: Term<Level: Comparable>,
                O: Term<Type: ColumnType<Present = T::Present>, Level: Comparable>,
            {
                compare(self.into_expr(), BinaryOp::Equal, other.__fragment().0)
            }

            /// Not equal to a column or an expression of any model.
            pub fn ne_column<O>(self, other: O) -> Condition<(M, O::Models)>
            where
                Self: Term<Level: Comparable>,
                O: Term<Type: ColumnType<Present = T::Present>, Level: Comparable>,
            {
                compare(self.into_expr(), BinaryOp::NotEqual, other.__fragment().0)
            }

            /// Less than a column or an expression of any model.
            pub fn lt_column<O>(self, other: O) -> Condition<(M, O::Models)>
            where
                Self: Term<Level: Comparable>,
                O: Term<Type: ColumnType<Present = T::Present>, Level: Comparable>,
            {
                compare(self.into_expr(), BinaryOp::Less, other.__fragment().0)
            }

            /// Less than or equal to a column or an expression of any model.
            pub fn le_column<O>(self, other: O) -> Condition<(M, O::Models)>
            where
                Self: Term<Level: Comparable>,
                O: Term<Type: ColumnType<Present = T::Present>, Level: Comparable>,
            {
                compare(self.into_expr(), BinaryOp::LessOrEqual, other.__fragment().0)
            }

            /// Greater than a column or an expression of any model.
            pub fn gt_column<O>(self, other: O) -> Condition<(M, O::Models)>
            where
                Self: Term<Level: Comparable>,
                O: Term<Type: ColumnType<Present = T::Present>, Level: Comparable>,
            {
                compare(self.into_expr(), BinaryOp::Greater, other.__fragment().0)
            }

            /// Greater than or equal to a column or an expression of any model.
            pub fn ge_column<O>(self, other: O) -> Condition<(M, O::Models)>
            where
                Self: Term<Level: Comparable>,
                O: Term<Type: ColumnType<Present = T::Present>, Level: Comparable>,
            {
                compare(self.into_expr(), BinaryOp::GreaterOrEqual, other.__fragment().0)
            }

            /// Equal to one of the values. A `None` among them lets NULL in.
            pub fn in_(self, values: impl IntoIterator<Item: Operand<T>>) -> Condition<M>
            where
                Self: Term<Level: Comparable>,
            {
                in_list::<M, T>(self.into_expr(), values, false)
            }

            /// Equal to none of the values. As in SQL it doesn't hold where the column is NULL,
            /// whether or not a `None` is among them.
            pub fn not_in(self, values: impl IntoIterator<Item: Operand<T>>) -> Condition<M>
            where
                Self: Term<Level: Comparable>,
            {
                in_list::<M, T>(self.into_expr(), values, true)
            }

            /// Between two bounds, both included.
            pub fn between<Low, High>(
                self,
                low: impl Comparand<M, T, Low>,
                high: impl Comparand<M, T, High>,
            ) -> Condition<M>
            where
                Self: Term<Level: Comparable>,
            {
                Condition::new(Expr::Between {
                    operand: Box::new(self.into_expr()),
                    low: Box::new(low.__fragment().0),
                    high: Box::new(high.__fragment().0),
                })
            }

            /// Is NULL.
            pub fn is_null(self) -> Condition<M>
            where
                Self: Term<Level: Comparable>,
            {
                is_null(self.into_expr(), false)
            }

            /// Is not NULL.
            pub fn is_not_null(self) -> Condition<M>
            where
                Self: Term<Level: Comparable>,
            {
                is_null(self.into_expr(), true)
            }

            /// Matches a pattern of SQL, by case: `%` stands for any text, `_` for one
            /// character, and `!` takes the next character literally (`"100!%"`).
            ///
            /// To look for text that comes from a user, take
            /// [`contains`](Self::contains) or [`starts_with`](Self::starts_with).
            pub fn like(self, pattern: impl Operand<String>) -> Condition<M>
            where
                Self: Term<Level: Comparable>,
                T: TextColumn,
            {
                like(self.into_expr(), pattern.into_operand())
            }

            /// Contains the text, literally and by case.
            pub fn contains(self, text: impl AsRef<str>) -> Condition<M>
            where
                Self: Term<Level: Comparable>,
                T: TextColumn,
            {
                like(self.into_expr(), format!("%{}%", escaped(text.as_ref())))
            }

            /// Starts with the text, literally and by case.
            pub fn starts_with(self, text: impl AsRef<str>) -> Condition<M>
            where
                Self: Term<Level: Comparable>,
                T: TextColumn,
            {
                like(self.into_expr(), format!("{}%", escaped(text.as_ref())))
            }

            /// Ends with the text, literally and by case.
            pub fn ends_with(self, text: impl AsRef<str>) -> Condition<M>
            where
                Self: Term<Level: Comparable>,
                T: TextColumn,
            {
                like(self.into_expr(), format!("%{}", escaped(text.as_ref())))
            }
        }

        impl<M $(: $bound)?, T: ColumnType $(, $param)?> $type<M, T $(, $param)?> {
            /// In ascending order.
            pub fn asc(self) -> Order<M> {
                Order::by::<T>(self.into_expr(), false)
            }

            /// In descending order.
            pub fn desc(self) -> Order<M> {
                Order::by::<T>(self.into_expr(), true)
            }

            /// This text followed by another, which is NULL if either is:
            /// `User::first_name.concat(" ").concat(User::last_name)`.
            pub fn concat<V>(
                self,
                other: V,
            ) -> Expression<M, Joint<T::Nullability, V::Nullability, String>, V::Level>
            where
                T: TextColumn,
                V: Addend<M, String, $level>,
                T::Nullability: Also<V::Nullability>,
            {
                Expression::new(Expr::binary(
                    self.into_expr(),
                    BinaryOp::Concat,
                    other.__fragment().0,
                ))
            }
        }
    };
}

operators!(Column<M: Origin> PerRow);
operators!(Expression<M; L> L);

/// The aggregates of a column, and of an expression that isn't one itself.
macro_rules! aggregates {
    ($type:ident<M $(: $bound:path)?>) => {
        impl<M $(: $bound)?, T: ColumnType> $type<M, T> {
            /// How many rows have a value here that is not NULL.
            pub fn count(self) -> Expression<M, i64, PerGroup> {
                aggregate(Aggregate::Count, self.into_expr(), false)
            }

            /// How many different values there are, NULL not counted.
            pub fn count_distinct(self) -> Expression<M, i64, PerGroup> {
                aggregate(Aggregate::Count, self.into_expr(), true)
            }

            /// The least value; `None` where there is none.
            pub fn min(self) -> Expression<M, Option<T::Present>, PerGroup> {
                aggregate(Aggregate::Min, self.into_expr(), false)
            }

            /// The greatest value; `None` where there is none.
            pub fn max(self) -> Expression<M, Option<T::Present>, PerGroup> {
                aggregate(Aggregate::Max, self.into_expr(), false)
            }

            /// The sum, an `i64` of integers and an `f64` of floats; `None` where there is
            /// nothing to add, as in SQL. `.coalesce(0)` makes it zero.
            pub fn sum<S>(self) -> Expression<M, Option<S>, PerGroup>
            where
                T: Number<Sum = S>,
            {
                aggregate(Aggregate::Sum, self.into_expr(), false)
            }

            /// The average; `None` where there is nothing.
            pub fn avg(self) -> Expression<M, Option<f64>, PerGroup>
            where
                T: Number,
            {
                aggregate(Aggregate::Avg, self.into_expr(), false)
            }
        }
    };
}

aggregates!(Column<M: Origin>);
aggregates!(Expression<M>);
