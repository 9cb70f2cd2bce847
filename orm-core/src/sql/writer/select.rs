//! Writing a SELECT.

use super::Writer;
use super::scope::{Occurrence, Scope};
use crate::error::Result;
use crate::model::Table;
use crate::sql::expr::{Expr, Source};
use crate::sql::select::{From, JoinKind, Select};

impl Writer<'_> {
    /// Pushes a SELECT.
    pub(crate) fn select(&mut self, select: &Select) -> Result<()> {
        self.select_as(select, None)
    }

    /// Pushes a SELECT; as a derived table its columns are named after those of `derived`.
    fn select_as(&mut self, select: &Select, derived: Option<&'static Table>) -> Result<()> {
        let (table, source) = match &select.from {
            From::Table(table, source) => (*table, *source),
            From::Derived(_, table) => (*table, Source::Scope),
        };
        let mut occurrences = vec![Occurrence::new(self.dialect, table, source)];
        for join in &select.joins {
            occurrences.push(Occurrence::new(self.dialect, join.table, join.source));
        }
        let around = self.grouped;
        self.grouped |= !select.group_by.is_empty();
        let written = self.within(Scope::new(occurrences), |w| w.clauses(select, derived));
        self.grouped = around;
        written
    }

    fn clauses(&mut self, select: &Select, derived: Option<&'static Table>) -> Result<()> {
        self.push(if select.distinct { "SELECT DISTINCT " } else { "SELECT " });
        self.projection(select, derived)?;
        self.push(" FROM ");
        match &select.from {
            From::Table(table, source) => {
                let occurrence = Occurrence::new(self.dialect, table, *source);
                self.occurrence(&occurrence);
            }
            From::Derived(inner, table) => {
                self.push("(");
                self.outside(|w| w.select_as(inner, Some(table)))?;
                self.push(") AS ");
                let label = self.dialect.table_label(table);
                self.identifier(&label);
            }
        }
        for join in &select.joins {
            self.push(match join.kind {
                JoinKind::Inner => " JOIN ",
                JoinKind::Left => " LEFT JOIN ",
            });
            let occurrence = Occurrence::new(self.dialect, join.table, join.source);
            self.occurrence(&occurrence);
            self.push(" ON ");
            self.expr(&join.on)?;
        }
        if let Some(filter) = &select.filter {
            self.push(" WHERE ");
            self.expr(filter)?;
        }
        if !select.group_by.is_empty() {
            self.push(" GROUP BY ");
            self.list(&select.group_by, Self::ordered)?;
        }
        if let Some(having) = &select.having {
            self.push(" HAVING ");
            self.expr(having)?;
        }
        if !select.order_by.is_empty() {
            self.push(" ");
            self.order(&select.order_by)?;
        }
        self.dialect.write_limit(self, select.limit, select.offset);
        if let (Some(lock), From::Table(table, Source::Scope)) = (select.lock, &select.from) {
            self.dialect.write_row_lock(self, lock, table);
        }
        Ok(())
    }

    fn projection(&mut self, select: &Select, derived: Option<&'static Table>) -> Result<()> {
        if select.columns.is_empty() {
            self.push("1");
        }
        for (at, (expr, name)) in select.columns.iter().enumerate() {
            self.push(if at == 0 { "" } else { ", " });
            self.expr(expr)?;
            // Inside, and where different rows are ordered by what they show, a column keeps its
            // type.
            let is_ordered = select.distinct && !select.order_by.is_empty();
            if derived.is_none() && !is_ordered {
                let cast = match expr.column_shown() {
                    Some(column) => self.dialect.read_cast(column),
                    None => expr.sql_type().map_or("", |shown| self.dialect.read_cast_of(shown)),
                };
                self.push(cast);
            }
            let implied = match (expr, derived) {
                (Expr::Column(_), _) | (_, None) => None,
                (_, Some(table)) => table.columns().get(at),
            };
            if let Some(name) = name {
                self.push(" AS ");
                self.identifier(name);
            } else if let Some(column) = implied {
                self.push(" AS ");
                self.column_name(column);
            }
        }
        Ok(())
    }
}
