//! From a query to the one that counts its rows, or asks whether it has any.

use super::Query;
use crate::sql::{self, Aggregate, Aggregation, ColumnRef, Expr, From};

impl Query {
    /// Asks the database for no more rows than are needed to decide.
    pub(crate) fn limit_to(&mut self, rows: u64) {
        self.tree.limit = Some(self.tree.limit.map_or(rows, |limit| limit.min(rows)));
    }

    /// The same query, for its first row.
    pub(crate) fn first(&self) -> Self {
        let mut first = self.clone();
        first.limit_to(1);
        first
    }

    /// `SELECT COUNT(*)` of the rows that the query would give: one row, one cell.
    ///
    /// Whatever decides about rows (groups, DISTINCT, LIMIT, aggregates without groups) goes
    /// into a derived table; a plain query is counted directly. What an OFFSET leaves out is counted
    /// along: [`counted`](Self::counted) takes it off. (SQLite 3.51 skips too few rows where
    /// nothing orders them and several indexes find them.)
    pub(crate) fn count_tree(&self) -> sql::Select {
        let count = Aggregation::new(Aggregate::Count, None).into();
        let mut tree = self.tree.clone();
        tree.order_by.clear();
        let left_out = tree.offset.take().unwrap_or(0);
        tree.limit = tree.limit.map(|rows| rows.saturating_add(left_out));
        let plain = tree.columns.is_empty()
            && !tree.distinct
            && tree.group_by.is_empty()
            && tree.having.is_none()
            && tree.limit.is_none();
        if !plain {
            self.select_least(&mut tree);
            tree = sql::Select::new(From::derived(tree, self.table));
        }
        tree.columns = vec![(count, None)];
        self.criteria.restrict(&mut tree);
        tree
    }

    /// The number of rows that the query gives, by what its [`count_tree`](Self::count_tree) says.
    pub(crate) fn counted(&self, rows: u64) -> u64 {
        rows.saturating_sub(self.tree.offset.unwrap_or(0))
    }

    /// A query that gives one row if this one would give any, else none. It must have no offset:
    /// with one, rows are counted.
    ///
    /// It isn't `SELECT EXISTS(…)`, which would need a SELECT without FROM; the work is the same.
    pub(crate) fn exists_tree(&self) -> sql::Select {
        let mut tree = self.any_tree();
        tree.limit = Some(tree.limit.map_or(1, |rows| rows.min(1)));
        self.criteria.restrict(&mut tree);
        tree
    }

    /// A query that gives rows if this one would give any, else none.
    pub(super) fn any_tree(&self) -> sql::Select {
        let mut tree = self.tree.clone();
        tree.order_by.clear();
        tree.distinct = false;
        self.select_least(&mut tree);
        tree
    }

    /// Selects no more than what rows are told apart by, each under a name of its own.
    fn select_least(&self, tree: &mut sql::Select) {
        if !tree.columns.is_empty() {
            for (at, (_, name)) in tree.columns.iter_mut().enumerate() {
                *name = Some(format!("c{at}"));
            }
        } else if tree.distinct {
            // Objects are distinct if their keys are.
            let key = self.table.primary_key().iter();
            tree.columns = key
                .map(|&column| (Expr::Column(ColumnRef::scoped(self.table, column)), None))
                .collect();
        } else {
            tree.columns = vec![(Expr::Integer(1), Some("one".into()))];
        }
    }
}
