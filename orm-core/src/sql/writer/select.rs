//! Writing a SELECT.

use super::Writer;
use crate::error::Result;
use crate::model::Table;
use crate::sql::expr::{Expr, Source};
use crate::sql::select::{From, JoinKind, Select};
use crate::value::SqlType;

/// Who reads the rows of a SELECT.
#[derive(Clone, Copy)]
pub(super) enum Reader {
    /// The program, as far as the driver knows the columns' types.
    Client,
    /// The query around it, by the names of this table's columns.
    Derived(&'static Table),
    /// The same, and the query itself too, whose first rows must not narrow the later ones.
    Recursive(&'static Table),
    /// The query around it, by the names that the columns are given.
    Query,
}

impl Writer<'_> {
    /// Pushes a SELECT. The outermost one begins with the common table expressions that are read
    /// anywhere in it.
    pub(crate) fn select(&mut self, select: &Select) -> Result<()> {
        self.outermost(select, Reader::Client)
    }

    /// Pushes a SELECT whose rows an expression compares.
    pub(super) fn subselect(&mut self, select: &Select) -> Result<()> {
        self.outermost(select, Reader::Query)
    }

    fn outermost(&mut self, select: &Select, reader: Reader) -> Result<()> {
        if self.ctes.is_some() {
            return self.select_for(select, reader);
        }
        let written = self.with_clause(select).and_then(|()| self.select_for(select, reader));
        self.ctes = None;
        written
    }

    /// Pushes a SELECT inside of whatever is around it.
    pub(super) fn select_for(&mut self, select: &Select, reader: Reader) -> Result<()> {
        let scope = self.scope_of(select);
        let around = self.grouped;
        self.grouped |= !select.group_by.is_empty();
        let written = self.within(scope, |w| w.clauses(select, reader));
        self.grouped = around;
        written
    }

    fn clauses(&mut self, select: &Select, reader: Reader) -> Result<()> {
        self.push(if select.distinct { "SELECT DISTINCT " } else { "SELECT " });
        self.projection(select, reader)?;
        self.push(" FROM ");
        self.source(&select.from)?;
        for join in &select.joins {
            self.push(match join.kind {
                JoinKind::Inner => " JOIN ",
                JoinKind::Left => " LEFT JOIN ",
            });
            self.source(&join.from)?;
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

    fn projection(&mut self, select: &Select, reader: Reader) -> Result<()> {
        if select.columns.is_empty() {
            self.push("1");
        }
        for (at, (expr, name)) in select.columns.iter().enumerate() {
            self.push(if at == 0 { "" } else { ", " });
            match (reader, self.dialect.recursive_text()) {
                (Reader::Recursive(table), Some(text)) if is_text(table, at) => {
                    self.push("CAST(");
                    self.expr(expr)?;
                    self.push(" AS ");
                    self.push(text);
                    self.push(")");
                }
                _ => self.expr(expr)?,
            }
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
            let implied = match reader {
                Reader::Client | Reader::Query => None,
                Reader::Derived(table) | Reader::Recursive(table) => {
                    table.columns().get(at).filter(|named| {
                        // Where some of its columns are left out, the others have their names.
                        let is_its_own =
                            |shown: &Table| !table.deferred().is_empty() && shown == table;
                        !matches!(expr, Expr::Column(shown)
                            if is_its_own(shown.table)
                                || shown.table.columns()[shown.column].name == named.name)
                    })
                }
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

/// Whether the column at this position is a text.
fn is_text(table: &Table, position: usize) -> bool {
    let column = table.columns().get(position);
    column.is_some_and(|column| column.logical_type() == SqlType::Text)
}
