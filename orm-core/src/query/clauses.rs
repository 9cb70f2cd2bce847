//! The query without types, and the clauses that every kind of query has.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Criteria, Lifted, LoadOption, RouteParts, SourceOf, joins};
use crate::error::{Error, Result};
use crate::model::{ColumnSet, Table};
use crate::sql::{self, Expr, From, Join, JoinKind, RowLock, Source};

/// A query without types: the tree so far, and what is to be done with its rows.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    /// Nothing is selected yet, unless `columns` said what.
    pub(crate) tree: sql::Select,
    /// The table of the model that the query starts from.
    pub(crate) table: &'static Table,
    pub(crate) options: Vec<LoadOption>,
    /// The deferred columns that it asks for.
    pub(super) undeferred: ColumnSet,
    /// What the whole entities among its columns are of, in their order.
    pub(crate) wholes: Vec<SourceOf>,
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
        Self::over(From::Table(table, Source::Scope), table)
    }

    /// A query of rows of any kind.
    pub(super) fn over(from: From, table: &'static Table) -> Self {
        Self {
            tree: sql::Select::new(from),
            table,
            options: Vec::new(),
            undeferred: ColumnSet::default(),
            wholes: Vec::new(),
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
            None if self.tree.mixes_levels() => Err(Error::misuse(
                "the query gives an aggregate beside a column that each row has its own of: name \
                 such columns in `group_by`",
            )),
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
                "`for_update` can't lock the rows of a query that is distinct, grouped or a union: \
                 ask about others by `any(…)` or `has(…)` instead of joining them",
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

    /// The deferred columns that are selected all the same: those that it asks for, and those that
    /// distinct rows are ordered by.
    pub(crate) fn undeferred(&self) -> ColumnSet {
        let by_order = self.tree.order_by.iter().filter_map(|term| match &term.expr {
            Expr::Column(it) if it.table == self.table && it.source == Source::Scope => {
                Some(it.column)
            }
            _ => None,
        });
        let by_order = by_order.filter(|_| self.tree.distinct);
        self.undeferred.iter().chain(by_order).collect()
    }

    /// The tree as part of another statement, which says the first mistake when it is written.
    pub(super) fn into_tree(self) -> sql::Select {
        let mistake = self.check().err();
        let mut tree = self.tree;
        if let Some(mistake) = mistake {
            tree.and_filter(Expr::Mistaken(sentence(mistake)));
        }
        tree
    }

    /// Has the rows locked.
    pub(super) fn lock(&mut self, lock: RowLock) {
        self.lock = Some(lock);
    }

    pub(super) fn mistaken(&mut self, error: Error) {
        self.mistake.get_or_insert_with(|| sentence(error));
    }

    /// Joins what a relationship leads to.
    pub(super) fn join(&mut self, route: RouteParts, kind: JoinKind) {
        let RouteParts { relationship, owner, target } = route;
        if self.is_taken(relationship.target(), target) {
            return;
        }
        let association = self.tree.next_alias();
        match joins(relationship, kind, owner, target, association) {
            Ok(joins) => self.tree.joins.extend(joins),
            Err(error) => self.mistaken(error),
        }
    }

    /// Joins anything by a condition.
    pub(super) fn join_on(&mut self, from: From, kind: JoinKind, on: Expr) {
        let is_taken =
            from.occurrence().is_some_and(|(table, source)| self.is_taken(table, source));
        if !is_taken {
            self.tree.joins.push(Join { kind, from, on });
        }
    }

    /// Whether this occurrence of a table is in the query already, which is a mistake.
    fn is_taken(&mut self, table: &'static Table, source: Source) -> bool {
        let is_taken = self.tree.names(table, source);
        if is_taken {
            let model = table.model();
            self.mistaken(Error::misuse(match source {
                Source::Tag(tag) => format!(
                    "the alias `{}` of `{model}` is in this query already: name the other by a type \
                     of its own",
                    tag.label()
                ),
                _ => format!(
                    "`{model}` is in this query already: a further use of it is an alias, as in \
                     `.join(User::boss.to::<Boss>())`; whether there is a row, \
                     `any(…)` and `has(…)` tell without a join"
                ),
            }));
        }
        is_taken
    }
}

fn sentence(mistake: Error) -> String {
    match mistake {
        Error::Misuse(sentence) => sentence,
        other => other.to_string(),
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
