//! A SELECT as a tree.

use super::expr::{Alias, BinaryOp, ColumnRef, Expr, OrderTerm, Source};
use crate::model::Table;
use crate::value::{SqlType, Value};

/// What a SELECT reads from first.
#[derive(Clone, Debug)]
pub(crate) enum From {
    /// A table: the scope's occurrence, or an aliased one.
    Table(&'static Table, Source),
    /// A subquery under the name of the table whose columns it gives, so that whatever refers to
    /// the table means the subquery's rows. Projected columns keep the table's column names.
    Derived(Box<Select>, &'static Table),
    /// Keys of objects whose related rows are wanted: [`Expr::OwnerKey`] names them.
    Owners(Owners),
}

/// Keys of objects, a row each, in columns that are numbered: see [`Select::select_owner_keys`].
#[derive(Clone, Debug)]
pub(crate) enum Owners {
    /// Those that a query gives.
    Query(Box<Select>),
    /// Those that a query gives and whatever is reached from them, each once. The step reads from
    /// [`Owners::Reached`].
    Closure { from: Box<Select>, step: Box<Select> },
    /// In the step of a closure: those that have been reached so far.
    Reached,
}

/// What the part of an owner's key at this position is called: like no column, by its space.
pub(crate) fn owner_key(at: usize) -> String {
    format!("key {at}")
}

/// How a table is joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JoinKind {
    Inner,
    Left,
}

/// One joined table.
#[derive(Clone, Debug)]
pub(crate) struct Join {
    pub(crate) kind: JoinKind,
    pub(crate) table: &'static Table,
    pub(crate) source: Source,
    pub(crate) on: Expr,
}

/// How a SELECT locks the rows that it reads, until the transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowLock {
    /// It waits for whoever has locked them.
    Wait,
    /// It fails if somebody has.
    NoWait,
    /// It leaves out those that somebody has locked.
    SkipLocked,
}

impl RowLock {
    /// What follows the words that lock.
    pub(crate) fn on_locked(self) -> &'static str {
        match self {
            Self::Wait => "",
            Self::NoWait => " NOWAIT",
            Self::SkipLocked => " SKIP LOCKED",
        }
    }
}

/// A SELECT.
#[derive(Clone, Debug)]
pub(crate) struct Select {
    pub(crate) from: From,
    pub(crate) joins: Vec<Join>,
    /// What is selected, each with a name where a query around it refers to it.
    pub(crate) columns: Vec<(Expr, Option<String>)>,
    pub(crate) distinct: bool,
    pub(crate) filter: Option<Expr>,
    pub(crate) group_by: Vec<Expr>,
    pub(crate) having: Option<Expr>,
    pub(crate) order_by: Vec<OrderTerm>,
    pub(crate) limit: Option<u64>,
    pub(crate) offset: Option<u64>,
    /// Whether the rows of the first table are locked.
    pub(crate) lock: Option<RowLock>,
}

impl Select {
    /// Reads from a table, nothing selected yet.
    pub(crate) fn from(table: &'static Table) -> Self {
        Self::new(From::Table(table, Source::Scope))
    }

    /// Reads from anything, nothing selected yet.
    pub(crate) fn new(from: From) -> Self {
        Self {
            from,
            joins: Vec::new(),
            columns: Vec::new(),
            distinct: false,
            filter: None,
            group_by: Vec::new(),
            having: None,
            order_by: Vec::new(),
            limit: None,
            offset: None,
            lock: None,
        }
    }

    /// Selects every mapped column of an occurrence of a table, in the table's order.
    pub(crate) fn select_all(&mut self, table: &'static Table, source: Source) {
        self.columns.extend(
            (0..table.columns().len())
                .map(|column| (Expr::Column(ColumnRef { table, column, source }), None)),
        );
    }

    /// At most so many rows per partition, in the order of this query: a query of the rows of
    /// `table`, whose columns this one selects.
    pub(crate) fn at_most_per(
        mut self,
        table: &'static Table,
        partition: Vec<Expr>,
        rows: u64,
    ) -> Select {
        // A name that no column has.
        const RANK: &str = "row number";
        let order = std::mem::take(&mut self.order_by);
        self.columns.push((Expr::row_number(partition, order), Some(RANK.to_owned())));
        let rank = || Expr::Derived { table, column: RANK.to_owned() };
        let mut select = Select::new(From::Derived(Box::new(self), table));
        let rows = Value::Int(i64::try_from(rows).unwrap_or(i64::MAX));
        let most = Expr::bind(rows, SqlType::I64);
        select.filter = Some(Expr::binary(rank(), BinaryOp::LessOrEqual, most));
        select.order_by = vec![OrderTerm::new(rank(), false)];
        select
    }

    /// Selects expressions under the names that [`Expr::OwnerKey`] has for them.
    pub(crate) fn select_owner_keys(&mut self, key: impl IntoIterator<Item = Expr>) {
        let key = key.into_iter().enumerate();
        self.columns.extend(key.map(|(at, expr)| (expr, Some(owner_key(at)))));
    }

    /// Adds a condition.
    pub(crate) fn and_filter(&mut self, condition: Expr) {
        self.filter = Some(match self.filter.take() {
            Some(filter) => filter.and(condition),
            None => condition,
        });
    }

    /// Adds a condition on groups.
    pub(crate) fn and_having(&mut self, condition: Expr) {
        self.having = Some(match self.having.take() {
            Some(having) => having.and(condition),
            None => condition,
        });
    }

    /// Whether it locks the rows of its first table, itself or as the query around them.
    pub(crate) fn is_locking(&self) -> bool {
        match &self.from {
            From::Derived(inner, _) => self.lock.is_some() || inner.is_locking(),
            From::Table(..) | From::Owners(_) => self.lock.is_some(),
        }
    }

    /// The first alias number that no join of this SELECT uses.
    pub(crate) fn next_alias(&self) -> Alias {
        let used = self.joins.iter().filter_map(|join| match join.source {
            Source::Alias(Alias(number)) => Some(number),
            Source::Scope => None,
        });
        Alias(used.max().map_or(1, |number| number + 1))
    }
}
