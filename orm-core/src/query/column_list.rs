//! One column or several, where only which they are matters.

use crate::model::{Column, ColumnSet, Model};

/// A column of the model `M`, or a tuple of up to twelve of them, nested as you like.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no list of columns of `{M}`",
    label = "expected columns of `{M}`, as in `(User::email, User::age)`"
)]
pub trait ColumnList<M> {
    #[doc(hidden)]
    fn __insert_into(self, columns: &mut ColumnSet);
}

impl<M: Model, T> ColumnList<M> for Column<M, T> {
    fn __insert_into(self, columns: &mut ColumnSet) {
        columns.insert(self.__index());
    }
}

macro_rules! column_list {
    ($(($column:ident $at:ident $field:tt))+) => {
        impl<M, $($column: ColumnList<M>),+> ColumnList<M> for ($($column,)+) {
            fn __insert_into(self, columns: &mut ColumnSet) {
                $(self.$field.__insert_into(columns);)+
            }
        }
    };
}

for_tuples!(column_list);
