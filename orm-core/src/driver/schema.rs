//! A list of tables, to create and drop them together.

use crate::error::Result;
use crate::model::{ForeignKey, Link, Table, TableFn};

/// The tables of an application, made by [`schema!`](crate::schema).
#[derive(Clone, Debug)]
pub struct Schema {
    tables: Vec<TableFn>,
}

impl Schema {
    /// The tables of these models, in any order.
    pub fn new(tables: impl IntoIterator<Item = TableFn>) -> Self {
        Self { tables: tables.into_iter().collect() }
    }

    /// The tables, each once, and the association tables between them. One that leads to a table
    /// outside of the schema is left out: its foreign key would make the tables that are there
    /// unusable.
    ///
    /// # Errors
    /// [`Error::Misuse`](crate::Error::Misuse) if a relationship doesn't say which foreign key
    /// it means.
    pub(crate) fn tables(&self) -> Result<Vec<&'static Table>> {
        let mut tables: Vec<&'static Table> = Vec::with_capacity(self.tables.len());
        for table in self.tables.iter().map(|table| table()) {
            if !tables.contains(&table) {
                tables.push(table);
            }
        }
        let mut associations = Vec::new();
        for relationship in tables.iter().flat_map(|table| table.relationships()) {
            if let Link::Through(association) = relationship.link()? {
                let mut targets = association.table.foreign_keys().iter().map(ForeignKey::target);
                let complete = targets.all(|target| tables.contains(&target));
                let known = tables.contains(&association.table);
                if complete && !known && !associations.contains(&association.table) {
                    associations.push(association.table);
                }
            }
        }
        tables.extend(associations);
        Ok(tables)
    }
}

/// The [`Schema`] of these models: `schema![User, Post]`. The association tables of their
/// relationships are part of it without being named.
#[macro_export]
macro_rules! schema {
    ($($model:ty),* $(,)?) => {
        $crate::Schema::new([
            $(<$model as $crate::model::Model>::__table as $crate::model::TableFn),*
        ])
    };
}
