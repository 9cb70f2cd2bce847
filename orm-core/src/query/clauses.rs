//! The query without types, and the clauses that every kind of query has.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Criteria, Lifted, LoadOption, joins};
use crate::error::{Error, Result};
use crate::model::{Relationship, Table};
use crate::sql::{self, From, JoinKind, RowLock, Source};

/// A query without types: the tree so far, and what is to be done with its rows.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    /// Nothing is selected yet, unless `columns` said what.
    pub(crate) tree: sql::Select,
    /// The table of the model that the query starts from.
    pub(crate) table: &'static Table,
    pub(crate) options: Vec<LoadOption>,
    pub(crate) populate_existing: bool,
    /// What restricts it, which it is free of where it lifts that.
    pub(crate) criteria: Arc<Criteria>,
    lifted: Lifted,
    /// Whether the rows of its objects are to be locked.
    lock: Option<RowLock>,
    /// The first mistake, which builders can't return; the verbs do.
    mistake: Option<String>,
}

impl Query {
    pub(super) fn new(table: &'static Table) -> Self {
        Self {
            tree: sql::Select::from(table),
            table,
            options: Vec::new(),
            populate_existing: false,
            criteria: Arc::default(),
            lifted: Lifted::Nothing,
            lock: None,
            mistake: None,
        }
    }

    /// Fails if the query was put together wrongly. Every verb asks first; this is for those that
    /// lock no rows.
    ///
    /// # Errors
    /// `Misuse` with the first mistake.
    pub(crate) fn check(&self) -> Result<()> {
        if self.lock.is_some() {
            return Err(Error::misuse(
                "`for_update` locks the rows of objects that a session loads, by `all`, `one`, \
                 `one_or_none` or `first`: counts, columns and views, and queries on an engine, \
                 have none",
            ));
        }
        match &self.mistake {
            Some(mistake) => Err(Error::misuse(mistake.as_str())),
            None => Ok(()),
        }
    }

    /// Fails as [`check`](Self::check) does, and lets the tree lock the rows if the query is to.
    ///
    /// # Errors
    /// `Misuse` with the first mistake, or if rows can't be told apart that are to be locked.
    pub(crate) fn check_and_lock(&mut self) -> Result<()> {
        self.tree.lock = self.lock.take();
        self.check()?;
        let is_folded = self.tree.distinct
            || !self.tree.group_by.is_empty()
            || !matches!(self.tree.from, From::Table(..));
        if self.tree.lock.is_some() && is_folded {
            return Err(Error::misuse(
                "`for_update` can't lock the rows of a query that is distinct or grouped: ask \
                 about others by `any(…)` or `has(…)` instead of joining them",
            ));
        }
        Ok(())
    }

    /// The same query under criteria, as far as it doesn't lift them. They are applied to each
    /// statement as it is finished.
    pub(crate) fn under(mut self, criteria: &Arc<Criteria>) -> Self {
        self.criteria = match criteria.without(&self.lifted) {
            Cow::Borrowed(same) if std::ptr::eq(same, &**criteria) => Arc::clone(criteria),
            less => Arc::new(less.into_owned()),
        };
        self
    }

    /// Is free of the criteria of a table.
    pub(super) fn lift(&mut self, table: &'static Table) {
        self.lifted.lift(table);
    }

    /// Is free of all criteria.
    pub(super) fn lift_all(&mut self) {
        self.lifted = Lifted::Everything;
    }

    /// Has the rows locked.
    pub(super) fn lock(&mut self, lock: RowLock) {
        self.lock = Some(lock);
    }

    pub(super) fn mistaken(&mut self, error: Error) {
        self.mistake.get_or_insert_with(|| match error {
            Error::Misuse(sentence) => sentence,
            other => other.to_string(),
        });
    }

    /// Joins what a relationship leads to, under its own name.
    pub(super) fn join(&mut self, relationship: &'static Relationship, kind: JoinKind) {
        let target = relationship.target();
        if self.names(target) {
            return self.mistaken(Error::misuse(format!(
                "`{}` is in this query already, and `join({}::{})` would bring it in once more: \
                 a model enters a query once; ask about further rows of it by `any(…)` or `has(…)`",
                target.model(),
                relationship.source().model(),
                relationship.name(),
            )));
        }
        let association = self.tree.next_alias();
        match joins(relationship, kind, Source::Scope, Source::Scope, association) {
            Ok(joins) => self.tree.joins.extend(joins),
            Err(error) => self.mistaken(error),
        }
    }

    /// Whether the table is in the query under its own name.
    fn names(&self, table: &'static Table) -> bool {
        let first = match &self.tree.from {
            From::Table(first, _) | From::Derived(_, first) => Some(*first),
            From::Owners(_) => None,
        };
        first == Some(table)
            || self
                .tree
                .joins
                .iter()
                .any(|join| join.source == Source::Scope && join.table == table)
    }
}

/// The clauses that a query has before and after `columns(…)` and `view()`.
macro_rules! clauses {
    () => {
        /// Keeps the rows for which this holds; several filters must all hold.
        pub fn filter<C, At>(mut self, condition: Condition<C>) -> Self
        where
            C: Within<Scope, At>,
        {
            self.query.tree.and_filter(condition.into_expr());
            self
        }

        /// Orders the rows; further orders decide where earlier ones find rows equal.
        pub fn order_by<O, At>(mut self, order: O) -> Self
        where
            O: Orders<Models: Within<Scope, At>>,
        {
            let mut terms = OrderTerms(std::mem::take(&mut self.query.tree.order_by));
            order.__orders(&mut terms);
            self.query.tree.order_by = terms.0;
            self
        }

        /// Finds rows of this model that the factory's
        /// [criteria](crate::SessionFactory::with_criteria) would hide, too, wherever the query
        /// reads it: also in its joins and loads.
        pub fn without_criteria<T: crate::model::Model>(mut self) -> Self {
            self.query.lift(T::__table());
            self
        }

        /// The same query under criteria.
        pub(crate) fn under(mut self, criteria: &std::sync::Arc<super::Criteria>) -> Self {
            self.query = self.query.under(criteria);
            self
        }

        /// Finds every row, whatever the factory's
        /// [criteria](crate::SessionFactory::with_criteria) are.
        pub fn unrestricted(mut self) -> Self {
            self.query.lift_all();
            self
        }

        /// Gives at most this many rows.
        pub fn limit(mut self, rows: u64) -> Self {
            self.query.tree.limit = Some(rows);
            self
        }

        /// Leaves out this many rows at the start.
        pub fn offset(mut self, rows: u64) -> Self {
            self.query.tree.offset = Some(rows);
            self
        }

        /// Gives equal rows once.
        pub fn distinct(mut self) -> Self {
            self.query.tree.distinct = true;
            self
        }
    };
}

/// The clauses of queries that may have groups.
macro_rules! group_clauses {
    () => {
        /// Makes one row of all that are equal in these columns or expressions.
        pub fn group_by<G, At>(mut self, groups: G) -> Self
        where
            G: Groups<Models: Within<Scope, At>>,
        {
            let mut into = Fragments(std::mem::take(&mut self.query.tree.group_by));
            groups.__groups(&mut into);
            self.query.tree.group_by = into.0;
            self
        }

        /// Keeps the groups for which this holds; it may be about aggregates.
        pub fn having<C, At>(mut self, condition: Condition<C>) -> Self
        where
            C: Within<Scope, At>,
        {
            self.query.tree.and_having(condition.into_expr());
            self
        }
    };
}

pub(super) use clauses;
pub(super) use group_clauses;
