//! Total orders, and queries that go on from a row instead of counting rows.
//!
//! After the row whose values are (x, y) in the order `a DESC NULLS LAST, b` come those with
//! `a < x OR a IS NULL OR (a = x AND b > y)`. That holds for orders of any directions, with NULLs
//! wherever they stand, and databases find such rows by an index of the order's columns.

use super::cursor::digest;
use super::{Cursor, Query};
use crate::error::{Error, Result};
use crate::model::Table;
use crate::sql::{
    self, BinaryOp, ColumnRef, Dialect, Expr, Join, JoinKind, OrderTerm, Source, render_select,
};
use crate::value::{Cells, SqlType, Value, ValueError, pack};

/// Where a slice of a list begins, and which way it goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seek<'c> {
    /// The row behind which it begins; `None` is the edge of the list.
    pub(crate) from: Option<&'c Cursor>,
    /// Whether it goes towards the start of the list.
    pub(crate) backwards: bool,
}

/// An order in which every row of a query has a place of its own.
#[derive(Clone, Debug)]
pub(crate) struct Keyset {
    terms: Vec<Term>,
    /// Stands for the models and the order in cursors.
    digest: u32,
    is_grouped: bool,
    seeks_by_row: bool,
}

/// One term of the order.
#[derive(Clone, Debug)]
struct Term {
    expr: Expr,
    sql_type: SqlType,
    descending: bool,
    /// Whether NULLs come first; `None` where there are none.
    nulls_first: Option<bool>,
}

impl Query {
    /// Makes the order total: appends what tells rows apart, as far as the order doesn't name it.
    /// Pages need it.
    pub(crate) fn break_ties(&mut self) {
        for column in self.row_identity() {
            let named = |term: &OrderTerm| matches!(&term.expr, Expr::Column(by) if *by == column);
            if !self.tree.order_by.iter().any(named) {
                self.tree.order_by.push(OrderTerm::new(Expr::Column(column), false));
            }
        }
    }

    /// The columns that, together, are different in every row. Where only computed values tell
    /// rows apart, as between groups, they are left to the order.
    fn row_identity(&self) -> Vec<ColumnRef> {
        let tree = &self.tree;
        let columns_of = |exprs: &mut dyn Iterator<Item = &Expr>| {
            let column = |expr: &Expr| match expr {
                Expr::Column(column) => Some(*column),
                _ => None,
            };
            exprs.filter_map(column).collect()
        };
        if !tree.group_by.is_empty() {
            return columns_of(&mut tree.group_by.iter());
        }
        let mut selected = tree.columns.iter().map(|(expr, _)| expr);
        if tree.columns.iter().any(|(expr, _)| expr.is_aggregate()) {
            return Vec::new();
        }
        if tree.distinct && !tree.columns.is_empty() {
            return without_dependents(columns_of(&mut selected));
        }
        let mut identity = key_of(self.table, Source::Scope);
        if !tree.distinct {
            // Each row of a joined collection is a row of its own.
            let several = tree.joins.iter().filter(|join| !is_to_one(join));
            let joined = several.filter_map(|join| join.from.occurrence());
            identity.extend(joined.flat_map(|(table, source)| key_of(table, source)));
        }
        identity
    }

    /// Whether the rows of everything that the query reads have keys.
    fn has_keys(&self) -> bool {
        let several = self.tree.joins.iter().filter(|join| !is_to_one(join));
        let joined = several.filter_map(|join| join.from.occurrence());
        let mut tables = std::iter::once(self.table).chain(joined.map(|(table, _)| table));
        tables.all(|table| !table.primary_key().is_empty())
    }

    /// Lets the query give one part of its rows and no more: those that a page shows.
    pub(crate) fn narrow(&mut self, skipped: u64, rows: u64) {
        let tree = &mut self.tree;
        let left = tree.limit.map_or(rows, |limit| limit.saturating_sub(skipped).min(rows));
        tree.limit = Some(left);
        tree.offset = Some(tree.offset.unwrap_or(0).saturating_add(skipped));
    }
}

impl Keyset {
    /// The order of a query, which becomes total.
    ///
    /// # Errors
    /// `Misuse` for an order by what can't be compared as it is ordered, or if rows have no places
    /// of their own.
    pub(crate) fn of(query: &mut Query, dialect: &dyn Dialect) -> Result<Self> {
        query.break_ties();
        expect_places(query)?;
        let capabilities = dialect.capabilities();
        let term = |term: &OrderTerm| {
            let sql_type = term.sql_type.filter(|it| dialect.orders_as_it_compares(*it));
            let sql_type = sql_type.ok_or_else(|| {
                Error::misuse(format!(
                    "slices and batches go on from the values of the last row, and the order of \
                     this query of `{}` has a term whose values this database doesn't compare as \
                     it orders them (documents, arrays, enums on MySQL): order by something else",
                    query.table.model(),
                ))
            })?;
            let habit = term.descending == capabilities.nulls_are_greatest;
            let may_be_null = may_be_null(&query.tree, &term.expr);
            Ok(Term {
                expr: term.expr.clone(),
                sql_type,
                descending: term.descending,
                nulls_first: may_be_null.then_some(term.nulls_first.unwrap_or(habit)),
            })
        };
        Ok(Self {
            terms: query.tree.order_by.iter().map(term).collect::<Result<_>>()?,
            digest: digest_of(&query.tree, dialect)?,
            is_grouped: !query.tree.group_by.is_empty(),
            seeks_by_row: capabilities.seeks_by_row,
        })
    }

    /// The types of the order's values, which have to be read with each row.
    pub(crate) fn types(&self) -> impl ExactSizeIterator<Item = SqlType> {
        self.terms.iter().map(|term| term.sql_type)
    }

    /// The place of a row with these values.
    pub(crate) fn cursor(&self, values: &[Value]) -> Cursor {
        Cursor::new(self.digest, values)
    }

    /// Lets the query, whose order this is, begin where it is told to. Backwards it gives its rows
    /// in the opposite order.
    ///
    /// # Errors
    /// `InvalidCursor` for a cursor of another order.
    pub(crate) fn seek(&self, query: &mut Query, seek: Seek<'_>) -> Result<()> {
        let Seek { from, backwards } = seek;
        if let Some(cursor) = from {
            let values = cursor.values(self.digest, self.types())?;
            let beyond = self.beyond(values, backwards);
            match self.is_grouped {
                true => query.tree.and_having(beyond),
                false => query.tree.and_filter(beyond),
            }
        }
        if backwards {
            let order = std::mem::take(&mut query.tree.order_by);
            query.tree.order_by = order.into_iter().map(OrderTerm::reversed).collect();
        }
        Ok(())
    }

    /// That a row comes behind the one with these values.
    fn beyond(&self, values: Vec<Value>, backwards: bool) -> Expr {
        let terms: Vec<Term> = self.terms.iter().map(|term| term.turned(backwards)).collect();
        if self.seeks_by_row
            && let [first, _, ..] = &terms[..]
            && terms
                .iter()
                .all(|term| term.nulls_first.is_none() && term.descending == first.descending)
        {
            let values = terms.iter().zip(values).map(|(term, value)| term.bind(value)).collect();
            let operator = first.behind();
            let row = terms.into_iter().map(|term| term.expr).collect();
            return Expr::binary(Expr::Tuple(row), operator, Expr::Tuple(values));
        }
        let bound = match (terms.first(), values.first()) {
            (Some(term), Some(value)) if self.seeks_by_row && terms.len() > 1 => term.bound(value),
            _ => None,
        };
        let mut beyond: Option<Expr> = None;
        for (term, value) in terms.iter().zip(&values).rev() {
            let strictly = term.strictly_behind(value);
            let tied = beyond.map(|beyond| term.equals(value).and(beyond));
            beyond = match (strictly, tied) {
                (Some(strictly), Some(tied)) => Some(strictly.or(tied)),
                (strictly, tied) => strictly.or(tied),
            };
        }
        let beyond = beyond.unwrap_or(Expr::Any(Vec::new()));
        match bound {
            Some(bound) => bound.and(beyond),
            None => beyond,
        }
    }
}

impl Term {
    fn turned(&self, backwards: bool) -> Self {
        let mut term = self.clone();
        if backwards {
            term.descending = !term.descending;
            term.nulls_first = term.nulls_first.map(|first| !first);
        }
        term
    }

    fn bind(&self, value: Value) -> Expr {
        Expr::bind(value, self.sql_type)
    }

    /// The operator by which a greater value comes behind, or a smaller one.
    fn behind(&self) -> BinaryOp {
        if self.descending { BinaryOp::Less } else { BinaryOp::Greater }
    }

    fn compare(&self, operator: BinaryOp, value: &Value) -> Expr {
        Expr::binary(self.expr.clone(), operator, self.bind(value.clone()))
    }

    fn is_null(&self, negated: bool) -> Expr {
        Expr::IsNull { operand: Box::new(self.expr.clone()), negated }
    }

    fn equals(&self, value: &Value) -> Expr {
        match value.is_null() {
            true => self.is_null(false),
            false => self.compare(BinaryOp::Equal, value),
        }
    }

    /// That a row comes behind one with this value, whatever the other terms say; `None` where none
    /// does.
    fn strictly_behind(&self, value: &Value) -> Option<Expr> {
        match (value.is_null(), self.nulls_first) {
            (true, Some(true)) => Some(self.is_null(true)),
            (true, _) => None,
            (false, Some(false)) => {
                Some(self.compare(self.behind(), value).or(self.is_null(false)))
            }
            (false, _) => Some(self.compare(self.behind(), value)),
        }
    }

    /// What every row behind one with this value has in common, in a form that finds its place in
    /// an index.
    fn bound(&self, value: &Value) -> Option<Expr> {
        let operator =
            if self.descending { BinaryOp::LessOrEqual } else { BinaryOp::GreaterOrEqual };
        let is_bound = !value.is_null() && self.nulls_first != Some(false);
        is_bound.then(|| self.compare(operator, value))
    }
}

/// Reads the values of an order, whose first cell is at this position.
///
/// # Errors
/// `Type` if a value doesn't have its type.
pub(crate) fn read_order(cells: &dyn Cells, first: usize, types: &[SqlType]) -> Result<Vec<Value>> {
    let read = |(at, sql_type)| Value::read(cells, first + at, sql_type);
    let values: Result<Vec<Value>, ValueError> = types.iter().enumerate().map(read).collect();
    values.map_err(|error| Error::Type { place: "what the rows are ordered by".into(), error })
}

/// Fails where rows have no places: one row of aggregates, groups and distinct rows that the order
/// doesn't tell apart.
fn expect_places(query: &Query) -> Result<()> {
    let tree = &query.tree;
    let model = query.table.model();
    if tree.limit.is_some() || tree.offset.is_some() {
        return Err(Error::misuse(format!(
            "a slice of a query of `{model}` brings a limit of its own: leave out `limit` and \
             `offset`",
        )));
    }
    let is_column = |expr: &Expr| matches!(expr, Expr::Column(_));
    let shows = |expr: &Expr| match expr {
        Expr::Column(column) if tree.columns.is_empty() => {
            column.table == query.table && column.source == Source::Scope
        }
        Expr::Column(column) => {
            let mut selected = tree.columns.iter();
            selected.any(|(expr, _)| matches!(expr, Expr::Column(shown) if shown == column))
        }
        _ => false,
    };
    let is_window = |expr: &Expr| expr.any_part(&|part| matches!(part, Expr::Over(..)));
    let mistake = if tree.order_by.iter().any(|term| is_window(&term.expr)) {
        Some("a window function is computed behind every condition, so none can go on from it")
    } else if !tree.group_by.is_empty() {
        let by_columns = tree.group_by.iter().all(is_column);
        (!by_columns)
            .then_some("groups have places of their own only if they are groups of columns")
    } else if tree.columns.iter().any(|(expr, _)| expr.is_aggregate()) {
        Some("aggregates without groups give one row, which has no others beside it")
    } else if tree.distinct {
        let by_what_is_shown = tree.order_by.iter().all(|term| shows(&term.expr))
            && tree.columns.iter().all(|(expr, _)| is_column(expr));
        (!by_what_is_shown).then_some(
            "distinct rows have places of their own only in an order by selected columns",
        )
    } else if !query.has_keys() {
        Some("they are rows of a subquery, which has no key that would tell them apart")
    } else {
        None
    };
    match mistake {
        Some(mistake) => Err(Error::misuse(format!(
            "the rows of this query of `{model}` can't be sliced: {mistake}",
        ))),
        None => Ok(()),
    }
}

/// The same columns without those that the key of their row, which is among them, tells.
fn without_dependents(columns: Vec<ColumnRef>) -> Vec<ColumnRef> {
    let is_key = |of: &ColumnRef| of.table.primary_key().contains(&of.column);
    let has_key = |of: &ColumnRef| {
        let mut key = of.table.primary_key().iter().map(|&column| ColumnRef { column, ..*of });
        key.len() > 0 && key.all(|column| columns.contains(&column))
    };
    columns.iter().filter(|column| is_key(column) || !has_key(column)).copied().collect()
}

fn key_of(table: &'static Table, source: Source) -> Vec<ColumnRef> {
    let column = |&column: &usize| ColumnRef { table, column, source };
    table.primary_key().iter().map(column).collect()
}

/// Whether a join brings at most one row: its condition gives a value to each column of the key.
fn is_to_one(join: &Join) -> bool {
    let Some((table, source)) = join.from.occurrence() else { return false };
    let of_join = |expr: &Expr| match expr {
        Expr::Column(it) if it.table == table && it.source == source => Some(it.column),
        _ => None,
    };
    let mut known = Vec::new();
    let mut conditions = vec![&join.on];
    while let Some(condition) = conditions.pop() {
        match condition {
            Expr::All(all) => conditions.extend(all),
            Expr::Binary(left, BinaryOp::Equal, right) => match (of_join(left), of_join(right)) {
                (Some(column), None) | (None, Some(column)) => known.push(column),
                _ => {}
            },
            _ => {}
        }
    }
    let key = table.primary_key();
    !key.is_empty() && key.iter().all(|column| known.contains(column))
}

/// Whether the expression is NULL in any row, as far as that can be ruled out.
fn may_be_null(tree: &sql::Select, expr: &Expr) -> bool {
    let Expr::Column(column) = expr else { return true };
    let is_outer = |join: &Join| {
        let joined = join.from.occurrence();
        join.kind == JoinKind::Left && joined == Some((column.table, column.source))
    };
    column.table.columns()[column.column].facts.nullable || tree.joins.iter().any(is_outer)
}

/// A number that stands for the models of a query and its order: of the statement that would read
/// nothing but the order's values.
fn digest_of(tree: &sql::Select, dialect: &dyn Dialect) -> Result<u32> {
    let mut order = sql::Select::new(tree.from.clone());
    order.joins.clone_from(&tree.joins);
    order.group_by.clone_from(&tree.group_by);
    order.order_by.clone_from(&tree.order_by);
    let statement = render_select(dialect, &order)?;
    let mut binds = Vec::new();
    for bind in &statement.binds {
        pack(&bind.value, &mut binds);
    }
    Ok(digest(&[statement.text.as_bytes(), &binds]))
}
