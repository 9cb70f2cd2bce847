//! Which name stands for which occurrence of a table, query by query.

use std::rc::Rc;

use super::Writer;
use crate::error::{Error, Result};
use crate::model::Table;
use crate::sql::dialect::Dialect;
use crate::sql::expr::{Alias, Source};

/// The occurrences of tables in one query.
pub(super) struct Scope(Vec<Occurrence>);

/// One occurrence of a table.
pub(super) struct Occurrence {
    table: &'static Table,
    source: Source,
    /// The name that qualifies its columns.
    label: Rc<str>,
}

impl Scope {
    /// The scope of a statement on one table.
    pub(super) fn of(dialect: &dyn Dialect, table: &'static Table) -> Self {
        Self(vec![Occurrence::new(dialect, table, Source::Scope)])
    }

    /// The scope of these occurrences.
    pub(super) fn new(occurrences: Vec<Occurrence>) -> Self {
        Self(occurrences)
    }
}

impl Occurrence {
    /// An occurrence under the name that its source implies.
    pub(super) fn new(dialect: &dyn Dialect, table: &'static Table, source: Source) -> Self {
        let label = dialect.table_label(table);
        let label = match source {
            Source::Scope => label.into(),
            Source::Alias(Alias(number)) => format!("{label}_{number}").into(),
        };
        Self { table, source, label }
    }
}

impl Writer<'_> {
    /// Writes inside one more scope.
    pub(super) fn within(
        &mut self,
        scope: Scope,
        write: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        self.scopes.push(scope);
        let written = write(self);
        self.scopes.pop();
        written
    }

    /// Writes outside the innermost scope, as a derived table does, which can't see the tables
    /// beside it.
    pub(super) fn outside(&mut self, write: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let innermost = self.scopes.pop();
        let written = write(self);
        self.scopes.extend(innermost);
        written
    }

    /// The name that qualifies the columns of an occurrence, innermost query first.
    pub(super) fn label(&self, table: &'static Table, source: Source) -> Result<Rc<str>> {
        let occurrences = self.scopes.iter().rev().flat_map(|scope| &scope.0);
        let mut of_table = occurrences.filter(|occurrence| occurrence.table == table);
        if let Some(found) = of_table.find(|occurrence| occurrence.source == source) {
            return Ok(Rc::clone(&found.label));
        }
        Err(Error::misuse(format!(
            "the query has no `{}` that its condition, order or columns could refer to: join it first",
            table.name()
        )))
    }

    /// An occurrence of a table inside a subquery of ours. Where a query around it has one of
    /// the same name, which the subquery must be able to refer to, it gets a name of its own:
    /// one that no numbered alias has.
    pub(super) fn inner_occurrence(&mut self, table: &'static Table) -> Occurrence {
        let mut occurrence = Occurrence::new(self.dialect, table, Source::Scope);
        let mut around = self.scopes.iter().flat_map(|scope| &scope.0);
        if around.any(|other| other.label == occurrence.label) {
            self.made_up += 1;
            occurrence.label = format!("{}_r{}", occurrence.label, self.made_up).into();
        }
        occurrence
    }

    /// Pushes a table behind FROM or JOIN, with its alias if it has one.
    pub(super) fn occurrence(&mut self, occurrence: &Occurrence) {
        self.table_path(occurrence.table);
        if *occurrence.label != *self.dialect.table_label(occurrence.table) {
            self.push(" AS ");
            self.identifier(&occurrence.label);
        }
    }

    /// Pushes a qualified column of an occurrence.
    pub(super) fn column_of(&mut self, occurrence: &Occurrence, column: usize) {
        self.qualified_column(&occurrence.label, &occurrence.table.columns()[column]);
    }
}
