//! Arrays: what is in them.

use super::call;
use crate::model::Column;
use crate::query::{Condition, Expression, Origin, bind};
use crate::sql::{Expr, Function};
use crate::value::{ArrayElement, ColumnType, Nullability, Operand, SqlType, Value};

/// A column type that is an array: a `Vec` of scalars, or an `Option` of one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no array",
    label = "expected a `Vec` of scalars"
)]
pub trait ArrayColumn: ColumnType {
    /// What stands in it.
    type Element: ArrayElement;
}

impl<E: ArrayElement> ArrayColumn for Vec<E> {
    type Element = E;
}

impl<E: ArrayElement> ArrayColumn for Option<Vec<E>> {
    type Element = E;
}

/// An element that is there.
type Present<T> = <<T as ArrayColumn>::Element as ColumnType>::Present;

/// An array of the elements as a bind.
fn array<T: ArrayColumn>(elements: impl IntoIterator<Item: Operand<Present<T>>>) -> Expr {
    let elements = elements.into_iter().map(|element| element.into_operand().encode());
    Expr::bind(Value::Array(elements.collect()), SqlType::Array(T::Element::ELEMENT))
}

macro_rules! functions_of_arrays {
    ($type:ident<M $(: $bound:path)?>) => {
        impl<M $(: $bound)?, T: ColumnType> $type<M, T> {
            /// The value is one of the elements.
            pub fn contains_value(self, value: impl Operand<Present<T>>) -> Condition<M>
            where
                T: ArrayColumn,
            {
                self.contains_all([value])
            }

            /// All of the values are elements. That holds for no values at all.
            pub fn contains_all(
                self,
                values: impl IntoIterator<Item: Operand<Present<T>>>,
            ) -> Condition<M>
            where
                T: ArrayColumn,
            {
                let arguments = vec![self.into_expr(), array::<T>(values)];
                Condition::new(Expr::Function(Function::ArrayContains, arguments))
            }

            /// At least one of the values is an element. On MariaDB from 10.9 on.
            pub fn overlaps(
                self,
                values: impl IntoIterator<Item: Operand<Present<T>>>,
            ) -> Condition<M>
            where
                T: ArrayColumn,
            {
                let arguments = vec![self.into_expr(), array::<T>(values)];
                Condition::new(Expr::Function(Function::ArrayOverlaps, arguments))
            }

            /// How many elements there are.
            pub fn array_length(
                self,
            ) -> Expression<M, <T::Nullability as Nullability>::Of<i64>>
            where
                T: ArrayColumn,
            {
                call(Function::ArrayLength, [self.into_expr()])
            }

            /// The element with this number, counted from zero; `None` where there is none.
            pub fn at(self, index: u32) -> Expression<M, Option<Present<T>>>
            where
                T: ArrayColumn,
            {
                // PostgreSQL counts in 32 bits, and from one.
                let index = index.min(i32::MAX.cast_unsigned() - 1);
                let counted_from_one = Expr::Integer(i64::from(index) + 1);
                let path = bind(&format!("$[{index}]"));
                let element = Function::ArrayElement(*T::Element::ELEMENT);
                call(element, [self.into_expr(), counted_from_one, path])
            }
        }
    };
}

functions_of_arrays!(Column<M: Origin>);
functions_of_arrays!(Expression<M>);
