//! Writing a SELECT.

use super::Writer;
use super::scope::{Occurrence, Scope};
use crate::error::Result;
use crate::model::Table;
use crate::sql::expr::{Expr, Source};
use crate::sql::select::{From, JoinKind, Owners, Select, owner_key};

/// What the keys of owners are called: like no table, by its space.
pub(super) const OWNERS: &str = "owner keys";

/// Who reads the rows of a SELECT.
#[derive(Clone, Copy)]
enum Reader {
    /// The program, as far as the driver knows the columns' types.
    Client,
    /// The query around it, by the names of this table's columns.
    Derived(&'static Table),
    /// The query around it, by the names that the columns are given.
    Query,
}

impl Writer<'_> {
    /// Pushes a SELECT.
    pub(crate) fn select(&mut self, select: &Select) -> Result<()> {
        self.select_for(select, Reader::Client)
    }

    fn select_for(&mut self, select: &Select, reader: Reader) -> Result<()> {
        let first = match &select.from {
            From::Table(table, source) => Some((*table, *source)),
            From::Derived(_, table) => Some((*table, Source::Scope)),
            From::Owners(_) => None,
        };
        let occurrence = |(table, source)| Occurrence::new(self.dialect, table, source);
        let mut occurrences: Vec<Occurrence> = first.map(occurrence).into_iter().collect();
        for join in &select.joins {
            occurrences.push(Occurrence::new(self.dialect, join.table, join.source));
        }
        let around = self.grouped;
        self.grouped |= !select.group_by.is_empty();
        let written = self.within(Scope::new(occurrences), |w| w.clauses(select, reader));
        self.grouped = around;
        written
    }

    fn clauses(&mut self, select: &Select, reader: Reader) -> Result<()> {
        self.push(if select.distinct { "SELECT DISTINCT " } else { "SELECT " });
        self.projection(select, reader)?;
        self.push(" FROM ");
        match &select.from {
            From::Table(table, source) => {
                let occurrence = Occurrence::new(self.dialect, table, *source);
                self.occurrence(&occurrence);
            }
            From::Derived(inner, table) => {
                self.push("(");
                self.outside(|w| w.select_for(inner, Reader::Derived(table)))?;
                self.push(") AS ");
                let label = self.dialect.table_label(table);
                self.identifier(&label);
            }
            From::Owners(owners) => self.outside(|w| w.owners(owners))?,
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

    fn projection(&mut self, select: &Select, reader: Reader) -> Result<()> {
        if select.columns.is_empty() {
            self.push("1");
        }
        for (at, (expr, name)) in select.columns.iter().enumerate() {
            self.push(if at == 0 { "" } else { ", " });
            self.expr(expr)?;
            // Inside, and where different rows are ordered by what they show, a column keeps its
            // type.
            let is_ordered = select.distinct && !select.order_by.is_empty();
            if matches!(reader, Reader::Client) && !is_ordered {
                let cast = match expr.column_shown() {
                    Some(column) => self.dialect.read_cast(column),
                    None => expr.sql_type().map_or("", |shown| self.dialect.read_cast_of(shown)),
                };
                self.push(cast);
            }
            let implied = match (expr, reader) {
                (Expr::Column(_), _) | (_, Reader::Client | Reader::Query) => None,
                (_, Reader::Derived(table)) => table.columns().get(at),
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
