//! Which name stands for which occurrence of a table, query by query.

use std::rc::Rc;

use super::Writer;
use crate::error::{Error, Result};
use crate::model::Table;
use crate::sql::dialect::Dialect;
use crate::sql::expr::{Alias, Source};
use crate::sql::select::{From, Select};

/// The longest name that every database keeps apart from others.
const LONGEST_LABEL: usize = 63;

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
        let label = match source {
            Source::Scope => dialect.table_label(table).into(),
            Source::Alias(Alias(number)) => {
                format!("{}_{number}", dialect.table_label(table)).into()
            }
            Source::Tag(tag) => shortened(&tag.label(), "").into(),
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

    /// Writes outside of all scopes, as a derived table does: it can't see the tables beside it,
    /// nor, on every database, those around.
    pub(super) fn outside(&mut self, write: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let scopes = std::mem::take(&mut self.scopes);
        let written = write(self);
        self.scopes = scopes;
        written
    }

    /// The scope of a SELECT: what it reads from, each under a name that neither it nor a query
    /// around it, which it may refer to, has for anything else.
    pub(super) fn scope_of(&self, select: &Select) -> Scope {
        let mut scope = Scope::new(Vec::new());
        for (table, source) in select.sources().filter_map(From::occurrence) {
            let mut occurrence = Occurrence::new(self.dialect, table, source);
            let known = || self.scopes.iter().chain([&scope]).flat_map(|scope| &scope.0);
            let is_taken = |label: &str| known().any(|other| *other.label == *label);
            if is_taken(&occurrence.label) {
                occurrence.label = numbered(&occurrence.label, is_taken).into();
            }
            scope.0.push(occurrence);
        }
        scope
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
    pub(super) fn inner_occurrence(&mut self, table: &'static Table, source: Source) -> Occurrence {
        let mut occurrence = Occurrence::new(self.dialect, table, source);
        let mut around = self.scopes.iter().flat_map(|scope| &scope.0);
        if around.any(|other| other.label == occurrence.label) {
            self.made_up += 1;
            occurrence.label = format!("{}_r{}", occurrence.label, self.made_up).into();
        }
        occurrence
    }

    /// Pushes a table behind FROM or JOIN, with its alias if it has one.
    pub(super) fn occurrence(&mut self, occurrence: &Occurrence) -> Result<()> {
        self.table_as(occurrence.table, &occurrence.label)
    }

    /// Pushes a table behind FROM or JOIN, under this name.
    ///
    /// # Errors
    /// `Misuse` if a common table expression hides the table.
    pub(super) fn table_as(&mut self, table: &'static Table, label: &str) -> Result<()> {
        let own = self.dialect.table_label(table);
        if table.schema().is_none() && self.hides(&own) {
            return Err(Error::misuse(format!(
                "the rows of a subquery are named `{own}`, as the table of `{}` is: give their \
                 struct another name",
                table.model()
            )));
        }
        self.table_path(table);
        if *label != *own {
            self.push(" AS ");
            self.identifier(label);
        }
        Ok(())
    }

    /// Pushes a qualified column of an occurrence.
    pub(super) fn column_of(&mut self, occurrence: &Occurrence, column: usize) {
        self.qualified_column(&occurrence.label, &occurrence.table.columns()[column]);
    }
}

/// The label with the first number that nothing else has.
pub(super) fn numbered(label: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let mut number = 2;
    loop {
        let numbered = shortened(label, &format!("_{number}"));
        if !is_taken(&numbered) {
            return numbered;
        }
        number += 1;
    }
}

/// The label with what follows it, as long as a label may be.
fn shortened(label: &str, suffix: &str) -> String {
    let mut end = label.len().min(LONGEST_LABEL - suffix.len());
    while !label.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{suffix}", &label[..end])
}
