//! A SELECT as a tree.

use std::sync::Arc;

use super::expr::{Alias, BinaryOp, ColumnRef, Expr, OrderTerm, Source};
use super::statement::count;
use crate::model::Table;
use crate::value::SqlType;

/// What a SELECT reads rows from: first, or by a join.
#[derive(Clone, Debug)]
pub(crate) enum From {
    /// One occurrence of a table.
    Table(&'static Table, Source),
    /// A subquery under the name of the table whose columns it gives, so that whatever refers to
    /// the table means the subquery's rows. Projected columns keep the table's column names.
    Derived(Box<Body>, &'static Table, Source),
    /// The rows of a common table expression.
    Cte(Arc<Cte>, Source),
    /// The rows that the recursive expression of this table, in which it stands, has so far.
    Itself(&'static Table, Source),
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

impl From {
    /// A subquery under the table's own name.
    pub(crate) fn derived(select: Select, table: &'static Table) -> Self {
        From::Derived(Box::new(Body::Select(select)), table, Source::Scope)
    }

    /// The table whose columns the rows have, and which occurrence of it this is.
    pub(crate) fn occurrence(&self) -> Option<(&'static Table, Source)> {
        match self {
            From::Table(table, source)
            | From::Derived(_, table, source)
            | From::Itself(table, source) => Some((table, *source)),
            From::Cte(cte, source) => Some((cte.table, *source)),
            From::Owners(_) => None,
        }
    }

    /// The SELECTs in it.
    pub(crate) fn selects(&self) -> Vec<&Select> {
        match self {
            From::Table(..) | From::Itself(..) | From::Owners(Owners::Reached) => Vec::new(),
            From::Derived(body, ..) => body.selects().iter().collect(),
            From::Cte(cte, _) => cte.body.selects().iter().collect(),
            From::Owners(Owners::Query(query)) => vec![query],
            From::Owners(Owners::Closure { from, step }) => vec![from, step],
        }
    }

    /// The same rows as another occurrence.
    pub(crate) fn aliased(self, source: Source) -> Self {
        match self {
            From::Table(table, _) => From::Table(table, source),
            From::Derived(body, table, _) => From::Derived(body, table, source),
            From::Cte(cte, _) => From::Cte(cte, source),
            From::Itself(table, _) => From::Itself(table, source),
            owners @ From::Owners(_) => owners,
        }
    }
}

/// What gives the rows of a subquery: one SELECT, or several whose rows become one set.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "a SELECT is what it is nearly always")]
pub(crate) enum Body {
    Select(Select),
    Compound(SetOperator, Vec<Select>),
}

impl Body {
    /// The SELECTs that it consists of.
    pub(crate) fn selects(&self) -> &[Select] {
        match self {
            Body::Select(select) => std::slice::from_ref(select),
            Body::Compound(_, selects) => selects,
        }
    }

    /// The same SELECTs, to change them.
    pub(crate) fn selects_mut(&mut self) -> &mut [Select] {
        match self {
            Body::Select(select) => std::slice::from_mut(select),
            Body::Compound(_, selects) => selects,
        }
    }
}

/// How the rows of several SELECTs become one set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum SetOperator {
    Union,
    UnionAll,
    Intersect,
    Except,
}

impl SetOperator {
    /// What stands between the SELECTs.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Union => " UNION ",
            Self::UnionAll => " UNION ALL ",
            Self::Intersect => " INTERSECT ",
            Self::Except => " EXCEPT ",
        }
    }
}

/// A common table expression: a subquery that is written once, before the statement.
#[derive(Clone, Debug)]
pub(crate) struct Cte {
    /// The table whose columns its rows have, which names it.
    pub(crate) table: &'static Table,
    pub(crate) body: Body,
    /// Whether it reads itself.
    pub(crate) recursive: bool,
}

/// What became of common table expressions as the SELECT that reads them was rewritten: each stays
/// one, however often it is read.
#[derive(Debug, Default)]
pub(crate) struct CteCopies(Vec<(Arc<Cte>, Arc<Cte>)>);

impl CteCopies {
    /// What has become of this one.
    pub(crate) fn get(&self, cte: &Arc<Cte>) -> Option<Arc<Cte>> {
        let known = self.0.iter().find(|(before, _)| Arc::ptr_eq(before, cte));
        known.map(|(_, after)| Arc::clone(after))
    }

    /// Keeps what has become of it.
    pub(crate) fn keep(&mut self, before: &Arc<Cte>, after: Cte) -> Arc<Cte> {
        let after = Arc::new(after);
        self.0.push((Arc::clone(before), Arc::clone(&after)));
        after
    }
}

/// How rows are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum JoinKind {
    Inner,
    Left,
}

/// Joined rows.
#[derive(Clone, Debug)]
pub(crate) struct Join {
    pub(crate) kind: JoinKind,
    pub(crate) from: From,
    pub(crate) on: Expr,
}

impl Join {
    /// A joined table.
    pub(crate) fn table(kind: JoinKind, table: &'static Table, source: Source, on: Expr) -> Self {
        Self { kind, from: From::Table(table, source), on }
    }
}

/// How a SELECT locks the rows that it reads, until the transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
        self.select_columns(table, source, 0..table.columns().len());
    }

    /// Selects these columns of an occurrence of a table.
    pub(crate) fn select_columns(
        &mut self,
        table: &'static Table,
        source: Source,
        columns: impl Iterator<Item = usize>,
    ) {
        let selected = columns.map(|column| ColumnRef { table, column, source });
        self.columns.extend(selected.map(|column| (Expr::Column(column), None)));
    }

    /// Selects what the rows are ordered by, behind what is selected already; gives the position of
    /// the first.
    pub(crate) fn select_order(&mut self) -> usize {
        let first = self.columns.len();
        self.columns.extend(self.order_by.iter().map(|term| (term.expr.clone(), None)));
        first
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
        let rank = || Expr::Derived { table, column: RANK.to_owned(), shows: None };
        let mut select = Select::new(From::derived(self, table));
        let most = Expr::bind(count(rows), SqlType::I64);
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
            From::Derived(inner, ..) => {
                self.lock.is_some() || inner.selects().iter().any(Select::is_locking)
            }
            _ => self.lock.is_some(),
        }
    }

    /// The first alias number that no join of this SELECT uses.
    pub(crate) fn next_alias(&self) -> Alias {
        let used = self.joins.iter().filter_map(|join| match join.from.occurrence()?.1 {
            Source::Alias(Alias(number)) => Some(number),
            Source::Scope | Source::Tag(_) => None,
        });
        Alias(used.max().map_or(1, |number| number + 1))
    }

    /// What it reads rows from, in the order in which it is written.
    pub(crate) fn sources(&self) -> impl Iterator<Item = &From> {
        std::iter::once(&self.from).chain(self.joins.iter().map(|join| &join.from))
    }

    /// Whether this occurrence of a table is among what it reads rows from.
    pub(crate) fn names(&self, table: &Table, source: Source) -> bool {
        self.sources().any(|from| from.occurrence() == Some((table, source)))
    }

    /// Visits its own expressions; those of subqueries that it reads from are not among them.
    pub(crate) fn for_each_expr<'e>(&'e self, visit: &mut dyn FnMut(&'e Expr)) {
        self.columns.iter().for_each(|(column, _)| visit(column));
        self.joins.iter().for_each(|join| visit(&join.on));
        self.filter.iter().for_each(&mut *visit);
        self.group_by.iter().for_each(&mut *visit);
        self.having.iter().for_each(&mut *visit);
        self.order_by.iter().for_each(|term| visit(&term.expr));
    }

    /// Visits the same expressions as [`for_each_expr`](Self::for_each_expr), to change them.
    pub(crate) fn for_each_expr_mut(&mut self, visit: &mut dyn FnMut(&mut Expr)) {
        self.columns.iter_mut().for_each(|(column, _)| visit(column));
        self.joins.iter_mut().for_each(|join| visit(&mut join.on));
        self.filter.iter_mut().for_each(&mut *visit);
        self.group_by.iter_mut().for_each(&mut *visit);
        self.having.iter_mut().for_each(&mut *visit);
        self.order_by.iter_mut().for_each(|term| visit(&mut term.expr));
    }

    /// Whether it selects an aggregate of all rows beside a column, of which each row has its own.
    pub(crate) fn mixes_levels(&self) -> bool {
        let mut columns = self.columns.iter().map(|(column, _)| column);
        self.group_by.is_empty()
            && columns.clone().any(Expr::is_aggregate)
            && columns.any(Expr::is_per_row)
    }

    /// Whether it reads rows of the table, by itself or in a subquery.
    pub(crate) fn reads(&self, read: &Table) -> bool {
        let mut reads = self.sources().any(|from| {
            matches!(from, From::Table(table, _) if *table == read)
                || from.selects().into_iter().any(|select| select.reads(read))
        });
        self.for_each_expr(&mut |expr| reads = reads || expr.asks_of(read));
        reads
    }

    /// Gathers the common table expressions that it reads, also in subqueries: each once, behind
    /// those that it reads itself.
    pub(crate) fn ctes<'s>(&'s self, into: &mut Vec<&'s Arc<Cte>>) {
        for from in self.sources() {
            let cte = match from {
                From::Cte(cte, _) => Some(cte),
                _ => None,
            };
            if cte.is_some_and(|cte| into.iter().any(|known| Arc::ptr_eq(known, cte))) {
                continue;
            }
            from.selects().into_iter().for_each(|select| select.ctes(into));
            into.extend(cte);
        }
        self.for_each_expr(&mut |expr| expr.ctes(into));
    }
}
