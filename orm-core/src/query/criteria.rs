//! Conditions that every load of a model is under, unless a query lifts them.

use std::borrow::Cow;
use std::sync::Arc;

use crate::model::{Link, Relationship, Table};
use crate::sql::{Cte, CteCopies, Expr, From, Owners, Select, Source};

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
        if !self.0.is_empty() {
            Restriction { criteria: self, ctes: CteCopies::default() }.select(select);
        }
    }

    /// Lets a condition on a table's rows, as of a statement that writes them, hold only for those
    /// that they admit.
    pub(crate) fn restrict_filter(&self, table: &'static Table, filter: &mut Option<Expr>) {
        if let Some(filter) = filter {
            Restriction { criteria: self, ctes: CteCopies::default() }.expr(filter);
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
}

/// One statement's way under criteria.
struct Restriction<'c> {
    criteria: &'c Criteria,
    ctes: CteCopies,
}

impl Restriction<'_> {
    fn select(&mut self, select: &mut Select) {
        select.for_each_expr_mut(&mut |expr| self.expr(expr));
        for join in &mut select.joins {
            if let Some(condition) = self.from(&mut join.from) {
                join.on = std::mem::replace(&mut join.on, Expr::All(Vec::new())).and(condition);
            }
        }
        if let Some(condition) = self.from(&mut select.from) {
            select.and_filter(condition);
        }
    }

    /// Restricts the subqueries in what is read from; gives the condition on a table's own rows.
    fn from(&mut self, from: &mut From) -> Option<Expr> {
        match from {
            From::Table(table, source) => return self.criteria.of_occurrence(table, *source),
            From::Derived(body, ..) => self.selects(body.selects_mut()),
            From::Cte(cte, _) => *cte = self.cte(cte),
            From::Owners(Owners::Query(inner)) => self.select(inner),
            From::Owners(Owners::Closure { from, step }) => {
                self.select(from);
                self.select(step);
            }
            From::Itself(..) | From::Owners(Owners::Reached) => {}
        }
        None
    }

    fn selects(&mut self, selects: &mut [Select]) {
        selects.iter_mut().for_each(|select| self.select(select));
    }

    fn cte(&mut self, cte: &Arc<Cte>) -> Arc<Cte> {
        self.ctes.get(cte).unwrap_or_else(|| {
            let mut restricted = Cte::clone(cte);
            self.selects(restricted.body.selects_mut());
            self.ctes.keep(cte, restricted)
        })
    }

    /// Lets every subquery in an expression, and every question about related rows, see only those
    /// that the criteria admit.
    fn expr(&mut self, expr: &mut Expr) {
        match expr {
            Expr::Exists(select) | Expr::Scalar(select) => self.select(select),
            Expr::InSelect { operand, select, .. } => {
                self.expr(operand);
                self.select(select);
            }
            Expr::Related { target, relationship, condition, .. } => {
                condition.iter_mut().for_each(|condition| self.expr(condition));
                self.related(relationship, *target, condition);
            }
            other => other.for_each_part_mut(&mut |part| self.expr(part)),
        }
    }

    fn related(
        &self,
        relationship: &'static Relationship,
        target: Source,
        condition: &mut Option<Box<Expr>>,
    ) {
        let association = match relationship.link() {
            Ok(Link::Through(association)) => self.criteria.of(association.table).cloned(),
            _ => None,
        };
        let of_target = self.criteria.of_occurrence(relationship.target(), target);
        for added in [of_target, association].into_iter().flatten() {
            *condition = Some(Box::new(match condition.take() {
                Some(condition) => condition.and(added),
                None => added,
            }));
        }
    }
}
