//! Functions of values of every type.

use super::call;
use crate::model::Column;
use crate::query::arithmetic::Joint;
use crate::query::{Also, Alternative, Comparand, Expression, Origin, PerRow};
use crate::sql::Function;
use crate::value::{ColumnType, Nullability};

macro_rules! functions_of_any {
    ($type:ident<M $(: $bound:path)? $(; $param:ident)?> $level:ty) => {
        impl<M $(: $bound)?, T: ColumnType $(, $param)?> $type<M, T $(, $param)?> {
            /// The value, or the other one where it is NULL: a value, or a column or expression
            /// that may be NULL itself.
            pub fn coalesce<By, V>(
                self,
                otherwise: V,
            ) -> Expression<M, <V::Nullability as Nullability>::Of<T::Present>, $level>
            where
                V: Alternative<M, T::Present, $level, By>,
            {
                call(Function::Coalesce, [self.into_expr(), otherwise.__fragment().0])
            }

            /// The value, or NULL where it equals the other one.
            pub fn nullif<By>(
                self,
                other: impl Comparand<M, T, By>,
            ) -> Expression<M, Option<T::Present>, $level> {
                call(Function::NullIf, [self.into_expr(), other.__fragment().0])
            }

            /// The greater of the two; NULL if either is.
            ///
            /// Which text is the greater one is up to the database, as it is in an order.
            pub fn greatest<By, V>(
                self,
                other: V,
            ) -> Expression<M, Joint<T::Nullability, V::Nullability, T::Present>, $level>
            where
                V: Alternative<M, T::Present, $level, By>,
                T::Nullability: Also<V::Nullability>,
            {
                call(Function::Greatest, [self.into_expr(), other.__fragment().0])
            }

            /// The lesser of the two; NULL if either is.
            pub fn least<By, V>(
                self,
                other: V,
            ) -> Expression<M, Joint<T::Nullability, V::Nullability, T::Present>, $level>
            where
                V: Alternative<M, T::Present, $level, By>,
                T::Nullability: Also<V::Nullability>,
            {
                call(Function::Least, [self.into_expr(), other.__fragment().0])
            }
        }
    };
}

functions_of_any!(Column<M: Origin> PerRow);
functions_of_any!(Expression<M; L> L);
