//! Writing what a SELECT reads from: tables, subqueries, common table expressions.

use std::rc::Rc;
use std::sync::Arc;

use super::Writer;
use super::scope::numbered;
use super::select::Reader;
use crate::error::Result;
use crate::sql::select::{Body, Cte, From, Owners, Select, SetOperator, owner_key};

/// What the keys of owners are called: like no table, by its space.
pub(super) const OWNERS: &str = "owner keys";

/// The common table expressions of a statement, and what they are called in it.
pub(super) struct Ctes {
    named: Vec<(Arc<Cte>, Rc<str>)>,
    /// The one whose definition is being written.
    current: Option<Rc<str>>,
}

impl Writer<'_> {
    /// Pushes what the innermost query reads from, under its name.
    pub(super) fn source(&mut self, from: &From) -> Result<()> {
        let label = match from.occurrence() {
            Some((table, source)) => self.label(table, source)?,
            None => OWNERS.into(),
        };
        match from {
            From::Table(table, _) => self.table_as(table, &label)?,
            From::Derived(body, table, _) => {
                self.push("(");
                self.outside(|w| w.body(body, Reader::Derived(table)))?;
                self.push(") AS ");
                self.identifier(&label);
            }
            From::Cte(cte, _) => {
                let named = self.ctes.iter().flat_map(|ctes| &ctes.named);
                let name = named
                    .filter(|(known, _)| Arc::ptr_eq(known, cte))
                    .map(|(_, name)| Rc::clone(name))
                    .next();
                self.name_as(name, &label);
            }
            From::Itself(..) => {
                let name = self.ctes.as_ref().and_then(|ctes| ctes.current.clone());
                self.name_as(name, &label);
            }
            From::Owners(owners) => self.outside(|w| w.owners(owners))?,
        }
        Ok(())
    }

    /// Pushes the keys of owners as a table, by the name that [`Expr::OwnerKey`] has for it.
    fn owners(&mut self, owners: &Owners) -> Result<()> {
        match owners {
            Owners::Reached => {
                self.identifier(OWNERS);
                return Ok(());
            }
            Owners::Query(query) => {
                self.push("(");
                self.select_for(query, Reader::Query)?;
            }
            Owners::Closure { from, step } => {
                self.push("(WITH RECURSIVE ");
                self.identifier(OWNERS);
                self.push(" (");
                let key: Vec<String> = (0..from.columns.len()).map(owner_key).collect();
                self.list(&key, |w, part| {
                    w.identifier(part);
                    Ok(())
                })?;
                self.push(") AS (");
                self.select_for(from, Reader::Query)?;
                // Rows that were reached before are not followed again: circles end.
                self.push(" UNION ");
                self.select_for(step, Reader::Query)?;
                self.push(") SELECT * FROM ");
                self.identifier(OWNERS);
            }
        }
        self.push(") AS ");
        self.identifier(OWNERS);
        Ok(())
    }

    fn name_as(&mut self, name: Option<Rc<str>>, label: &Rc<str>) {
        let name = name.unwrap_or_else(|| Rc::clone(label));
        self.identifier(&name);
        if name != *label {
            self.push(" AS ");
            self.identifier(label);
        }
    }

    /// Whether a common table expression has this name, so that no table can be reached by it.
    pub(super) fn hides(&self, label: &str) -> bool {
        self.ctes.iter().flat_map(|ctes| &ctes.named).any(|(_, name)| **name == *label)
    }

    /// Pushes `WITH …`, if the SELECT reads any common table expressions.
    pub(super) fn with_clause(&mut self, select: &Select) -> Result<()> {
        let mut found = Vec::new();
        select.ctes(&mut found);
        let mut named: Vec<(Arc<Cte>, Rc<str>)> = Vec::with_capacity(found.len());
        for cte in found {
            let label = self.dialect.table_label(cte.table);
            let is_taken = |label: &str| named.iter().any(|(_, name)| **name == *label);
            let name =
                if is_taken(&label) { numbered(&label, is_taken) } else { label.into_owned() };
            named.push((Arc::clone(cte), name.into()));
        }
        let written = named.clone();
        self.ctes = Some(Ctes { named, current: None });
        let recursive = written.iter().any(|(cte, _)| cte.recursive);
        for (at, (cte, name)) in written.iter().enumerate() {
            self.push(match (at, recursive) {
                (0, true) => "WITH RECURSIVE ",
                (0, false) => "WITH ",
                _ => ", ",
            });
            self.identifier(name);
            self.push(" (");
            let columns: Vec<usize> = (0..cte.table.columns().len()).collect();
            self.column_names(cte.table, &columns);
            self.push(") AS (");
            if let Some(ctes) = &mut self.ctes {
                ctes.current = Some(Rc::clone(name));
            }
            let reader = match cte.recursive {
                true => Reader::Recursive(cte.table),
                false => Reader::Derived(cte.table),
            };
            self.outside(|w| w.body(&cte.body, reader))?;
            self.push(")");
        }
        if !written.is_empty() {
            self.push(" ");
        }
        Ok(())
    }

    /// Pushes the rows of a subquery.
    fn body(&mut self, body: &Body, reader: Reader) -> Result<()> {
        match body {
            Body::Select(select) => self.select_for(select, reader),
            Body::Compound(operator, operands) => self.compound(*operator, operands, reader),
        }
    }

    /// Pushes SELECTs with a set operator in between. Databases differ in whether an operand may
    /// stand in parentheses, and in what binds closer: whatever has an order or a limit of its own is
    /// a subquery.
    fn compound(
        &mut self,
        operator: SetOperator,
        operands: &[Select],
        reader: Reader,
    ) -> Result<()> {
        for (at, operand) in operands.iter().enumerate() {
            self.push(if at == 0 { "" } else { operator.word() });
            let is_plain =
                operand.order_by.is_empty() && operand.limit.is_none() && operand.offset.is_none();
            if is_plain {
                self.select_for(operand, reader)?;
            } else {
                self.push("SELECT * FROM (");
                self.select_for(operand, reader)?;
                self.push(") AS ");
                self.identifier(&format!("operand_{}", at + 1));
            }
        }
        Ok(())
    }
}
