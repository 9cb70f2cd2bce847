//! Conditions that every load of a model is under, unless a query lifts them.

use std::borrow::Cow;

use crate::model::{Link, Relationship, Table};
use crate::sql::{Expr, From, Owners, Select, Source};

/// A condition for each of some tables, without types.
#[derive(Clone, Debug, Default)]
pub(crate) struct Criteria(Vec<(&'static Table, Expr)>);

/// Which of the criteria a query is free of.
#[derive(Clone, Debug, Default)]
pub(crate) enum Lifted {
    #[default]
    Nothing,
    Of(Vec<&'static Table>),
    Everything,
}

impl Lifted {
    /// Is free of those of one more table.
    pub(crate) fn lift(&mut self, table: &'static Table) {
        match self {
            Self::Nothing => *self = Self::Of(vec![table]),
            Self::Of(tables) => tables.push(table),
            Self::Everything => {}
        }
    }
}

impl Criteria {
    /// No conditions at all.
    pub(crate) const NONE: &'static Self = &Self(Vec::new());

    /// Adds a condition on a table's rows; several must all hold.
    pub(crate) fn add(&mut self, table: &'static Table, condition: Expr) {
        match self.0.iter_mut().find(|(other, _)| *other == table) {
            Some((_, known)) => {
                *known = std::mem::replace(known, Expr::All(Vec::new())).and(condition);
            }
            None => self.0.push((table, condition)),
        }
    }

    /// The condition on a table's rows.
    pub(crate) fn of(&self, table: &Table) -> Option<&Expr> {
        self.0.iter().find(|(other, _)| *other == table).map(|(_, condition)| condition)
    }

    /// Whether some members of a relationship may be hidden.
    pub(crate) fn concern(&self, relationship: &Relationship) -> bool {
        let association = match relationship.link() {
            Ok(Link::Through(association)) => self.of(association.table),
            _ => None,
        };
        association.is_some() || self.of(relationship.target()).is_some()
    }

    /// What is left of them for a query that lifts some.
    pub(crate) fn without(&self, lifted: &Lifted) -> Cow<'_, Self> {
        match lifted {
            Lifted::Nothing => Cow::Borrowed(self),
            Lifted::Everything => Cow::Borrowed(Self::NONE),
            Lifted::Of(tables) => {
                let kept = self.0.iter().filter(|(table, _)| !tables.contains(table));
                Cow::Owned(Self(kept.cloned().collect()))
            }
        }
    }

    /// Lets a query find only rows that they admit, wherever it reads one of the tables: from
    /// where it starts, in its joins, in what it asks about related rows.
    pub(crate) fn restrict(&self, select: &mut Select) {
        if self.0.is_empty() {
            return;
        }
        for (column, _) in &mut select.columns {
            self.restrict_parts(column);
        }
        for expr in select.filter.iter_mut().chain(&mut select.group_by).chain(&mut select.having) {
            self.restrict_parts(expr);
        }
        for term in &mut select.order_by {
            self.restrict_parts(&mut term.expr);
        }
        for join in &mut select.joins {
            self.restrict_parts(&mut join.on);
            if let Some(condition) = self.of_occurrence(join.table, join.source) {
                join.on = std::mem::replace(&mut join.on, Expr::All(Vec::new())).and(condition);
            }
        }
        match &mut select.from {
            From::Table(table, source) => {
                if let Some(condition) = self.of_occurrence(table, *source) {
                    select.and_filter(condition);
                }
            }
            From::Derived(inner, _) | From::Owners(Owners::Query(inner)) => self.restrict(inner),
            From::Owners(Owners::Closure { from, step }) => {
                self.restrict(from);
                self.restrict(step);
            }
            From::Owners(Owners::Reached) => {}
        }
    }

    /// Lets a condition on a table's rows, as of a statement that writes them, hold only for those
    /// that they admit.
    pub(crate) fn restrict_filter(&self, table: &'static Table, filter: &mut Option<Expr>) {
        if let Some(filter) = filter {
            self.restrict_parts(filter);
        }
        if let Some(condition) = self.of(table).cloned() {
            *filter = Some(match filter.take() {
                Some(filter) => filter.and(condition),
                None => condition,
            });
        }
    }

    /// The condition on one occurrence of a table.
    fn of_occurrence(&self, table: &'static Table, source: Source) -> Option<Expr> {
        let mut condition = self.of(table)?.clone();
        if source != Source::Scope {
            condition.rescope(table, source);
        }
        Some(condition)
    }

    /// Lets every question about related rows in an expression see only those that they admit.
    fn restrict_parts(&self, expr: &mut Expr) {
        expr.each_part_mut(&mut |part| {
            let Expr::Related { relationship, condition, .. } = part else { return };
            let association = match relationship.link() {
                Ok(Link::Through(association)) => self.of(association.table),
                _ => None,
            };
            for added in [self.of(relationship.target()), association].into_iter().flatten() {
                let added = added.clone();
                *condition = Some(Box::new(match condition.take() {
                    Some(condition) => condition.and(added),
                    None => added,
                }));
            }
        });
    }
}
