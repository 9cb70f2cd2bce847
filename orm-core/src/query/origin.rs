//! Where the values of a column come from: a model's table, or one more use of it.

use super::SourceOf;
use crate::model::Model;
use crate::sql::Source;

/// What a query reads rows from: a model, an alias of one, the rows of a subquery.
///
/// Each has a table's description, and its columns are [`Column`](crate::model::Column)s with
/// all that columns can do.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is nothing that a query reads from",
    label = "expected a model, an alias of one, or the rows of a subquery"
)]
pub trait Origin: 'static {
    #[doc(hidden)]
    fn __source() -> SourceOf;
}

impl<M: Model> Origin for M {
    fn __source() -> SourceOf {
        SourceOf { table: M::__table(), source: Source::Scope }
    }
}
