//! How the names of a schema are spelled in one database.

use std::borrow::Cow;

use heck::ToSnakeCase;

/// How the names of tables and columns are spelled in a database, where that isn't how the models
/// declare them. What a naming convention is in EF Core and a naming strategy in Hibernate.
///
/// It is an option of the engine, so that the same models read databases whose habits differ:
/// `InvoiceLine.UnitPrice` on one, `invoice_line.unit_price` on another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Naming {
    /// As the models declare them.
    #[default]
    AsDeclared,
    /// In snake_case.
    SnakeCase,
}

impl Naming {
    /// The name of a table or column in the database.
    pub(crate) fn apply(self, declared: &str) -> Cow<'_, str> {
        match self {
            Naming::AsDeclared => Cow::Borrowed(declared),
            Naming::SnakeCase => Cow::Owned(declared.to_snake_case()),
        }
    }
}
