//! Expressions as a tree, without types: the query layer builds it from typed columns.

mod aggregate;
mod functions;
mod types;
mod window;

pub(crate) use aggregate::{Aggregate, Aggregation};
pub(crate) use functions::Function;
pub use functions::Unit;
pub(crate) use window::{Bound, Window};

use std::any::TypeId;
use std::sync::Arc;

use super::select::{Cte, Select};
use super::statement::Bind;
use crate::model::{ColumnDef, Link, Relationship, Table};
use crate::value::{SqlType, Value};

/// The number of an aliased occurrence of a table within one statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Alias(pub(crate) u32);

/// Which occurrence of a table a column reference means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The occurrence that the innermost query around it names by the table itself. What the
    /// user writes means this one, so it never hits an eager load's alias.
    Scope,
    /// An aliased occurrence.
    Alias(Alias),
    /// An occurrence that the user named, by a type.
    Tag(Tag),
}

/// A name that the user gave to an occurrence of a table: a type of theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tag {
    id: TypeId,
    name: &'static str,
}

impl Tag {
    /// The name that the type stands for.
    pub(crate) fn of<T: 'static>() -> Self {
        Self { id: TypeId::of::<T>(), name: std::any::type_name::<T>() }
    }

    /// The type's name, with its path.
    pub(super) fn name(self) -> &'static str {
        self.name
    }

    /// The name in SQL: the type's own, without its path, in lower case.
    pub(crate) fn label(self) -> String {
        let path = self.name.split('<').next().unwrap_or(self.name);
        path.rsplit("::").next().unwrap_or(path).to_lowercase()
    }
}

/// A column of one occurrence of a table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ColumnRef {
    pub(crate) table: &'static Table,
    pub(crate) column: usize,
    pub(crate) source: Source,
}

impl ColumnRef {
    /// The column of the occurrence that the scope names.
    pub(crate) fn scoped(table: &'static Table, column: usize) -> Self {
        Self { table, column, source: Source::Scope }
    }

    /// The column of an aliased occurrence.
    pub(crate) fn aliased(table: &'static Table, column: usize, alias: Alias) -> Self {
        Self { table, column, source: Source::Alias(alias) }
    }

    /// The column's logical type.
    pub(crate) fn sql_type(&self) -> SqlType {
        self.table.columns()[self.column].logical_type()
    }
}

/// Operators between two expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum BinaryOp {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    /// Of integers it truncates, on every database.
    Divide,
    Remainder,
    /// Text after text.
    Concat,
}

/// An expression.
#[derive(Clone, Debug)]
pub(crate) enum Expr {
    Column(ColumnRef),
    Bind(Bind),
    /// A constant of ours, never of a user.
    Integer(i64),
    /// SQL that the schema's author wrote (a server default, an `on_update`), with the dialect's
    /// spelling of the current time.
    Authored(&'static str),
    Binary(Box<Expr>, BinaryOp, Box<Expr>),
    /// True if all are; true for none at all.
    All(Vec<Expr>),
    /// True if any is; false for none at all.
    Any(Vec<Expr>),
    Not(Box<Expr>),
    Negate(Box<Expr>),
    IsNull {
        operand: Box<Expr>,
        negated: bool,
    },
    In {
        operand: Box<Expr>,
        list: Vec<Expr>,
        negated: bool,
    },
    /// The columns, together, equal one of the keys. For loaders: the dialect may choose a form
    /// whose text doesn't depend on how many keys there are.
    Keys {
        columns: Vec<ColumnRef>,
        keys: Vec<Vec<Value>>,
    },
    Between {
        operand: Box<Expr>,
        low: Box<Expr>,
        high: Box<Expr>,
    },
    /// The value that the row was to be inserted with, in what updates the one that exists.
    Excluded(ColumnRef),
    /// `(a, b)`, to be compared with another one.
    Tuple(Vec<Expr>),
    /// `LIKE … ESCAPE '!'`, by case on every database.
    Like {
        operand: Box<Expr>,
        pattern: Box<Expr>,
    },
    Function(Function, Vec<Expr>),
    /// The value of the first branch whose condition holds.
    Case {
        branches: Vec<(Expr, Expr)>,
        otherwise: Option<Box<Expr>>,
    },
    Aggregate(Box<Aggregation>),
    /// An aggregate or a function of windows, of the rows that the window shows to each row.
    Over(Box<Expr>, Box<Window>),
    /// Whether the object has a related one (for which the condition holds). `owner` says which
    /// occurrence of the owner's table; `target`, the related table's, is in scope inside the
    /// condition.
    Related {
        owner: Source,
        target: Source,
        relationship: &'static Relationship,
        condition: Option<Box<Expr>>,
    },
    /// Whether the subquery gives any row.
    Exists(Box<Select>),
    /// Whether the operand is among the one column of the subquery's rows.
    InSelect {
        operand: Box<Expr>,
        select: Box<Select>,
        negated: bool,
    },
    /// The one column of the subquery's only row; NULL if it gives none.
    Scalar(Box<Select>),
    /// A column of a derived table, by the name it was given there.
    Derived {
        table: &'static Table,
        column: String,
        /// The column whose values it gives, where that is known.
        shows: Option<&'static ColumnDef>,
    },
    /// The part at this position of the key in the innermost
    /// [`From::Owners`](super::select::From::Owners), and the column whose values it has.
    OwnerKey(usize, ColumnRef),
    /// A subquery that was put together wrongly, which is said by whoever writes it.
    Mistaken(String),
}

impl Expr {
    /// A bind of the column's type.
    pub(crate) fn bind(value: Value, sql_type: SqlType) -> Self {
        Expr::Bind(Bind::one(value, sql_type))
    }

    /// `left op right`.
    pub(crate) fn binary(left: Expr, op: BinaryOp, right: Expr) -> Self {
        Expr::Binary(Box::new(left), op, Box::new(right))
    }

    /// Both, without nesting where one is a conjunction already.
    pub(crate) fn and(self, other: Expr) -> Self {
        match (self, other) {
            (Expr::All(mut all), Expr::All(more)) => {
                all.extend(more);
                Expr::All(all)
            }
            (Expr::All(mut all), one) => {
                all.push(one);
                Expr::All(all)
            }
            (one, Expr::All(mut all)) => {
                all.insert(0, one);
                Expr::All(all)
            }
            (one, other) => Expr::All(vec![one, other]),
        }
    }

    /// Either, without nesting where one is a disjunction already.
    pub(crate) fn or(self, other: Expr) -> Self {
        match (self, other) {
            (Expr::Any(mut any), Expr::Any(more)) => {
                any.extend(more);
                Expr::Any(any)
            }
            (Expr::Any(mut any), one) => {
                any.push(one);
                Expr::Any(any)
            }
            (one, Expr::Any(mut any)) => {
                any.insert(0, one);
                Expr::Any(any)
            }
            (one, other) => Expr::Any(vec![one, other]),
        }
    }
}

impl Expr {
    /// Visits the expressions that this one consists of, one level down; the conditions of
    /// subqueries are among them.
    pub(crate) fn for_each_part<'e>(&'e self, visit: &mut dyn FnMut(&'e Expr)) {
        match self {
            Expr::Binary(left, _, right) => {
                visit(left);
                visit(right);
            }
            Expr::Not(operand) | Expr::Negate(operand) | Expr::IsNull { operand, .. } => {
                visit(operand);
            }
            Expr::All(list) | Expr::Any(list) | Expr::Tuple(list) | Expr::Function(_, list) => {
                list.iter().for_each(visit);
            }
            Expr::In { operand, list, .. } => {
                visit(operand);
                list.iter().for_each(visit);
            }
            Expr::Between { operand, low, high } => {
                visit(operand);
                visit(low);
                visit(high);
            }
            Expr::Like { operand, pattern } => {
                visit(operand);
                visit(pattern);
            }
            Expr::Case { branches, otherwise } => {
                for (condition, value) in branches {
                    visit(condition);
                    visit(value);
                }
                otherwise.as_deref().into_iter().for_each(visit);
            }
            Expr::Aggregate(aggregation) => aggregation.for_each_part(visit),
            Expr::Over(function, window) => {
                visit(function);
                window.for_each_part(visit);
            }
            Expr::Related { condition, .. } => {
                condition.as_deref().into_iter().for_each(visit);
            }
            Expr::Exists(select) | Expr::Scalar(select) => select.for_each_expr(visit),
            Expr::InSelect { operand, select, .. } => {
                visit(operand);
                select.for_each_expr(visit);
            }
            Expr::Column(_)
            | Expr::Excluded(_)
            | Expr::Keys { .. }
            | Expr::Bind(_)
            | Expr::Integer(_)
            | Expr::Authored(_)
            | Expr::Derived { .. }
            | Expr::OwnerKey(..)
            | Expr::Mistaken(_) => {}
        }
    }

    /// Visits the same parts as [`for_each_part`](Self::for_each_part), to change them.
    pub(crate) fn for_each_part_mut(&mut self, visit: &mut dyn FnMut(&mut Expr)) {
        match self {
            Expr::Binary(left, _, right) => {
                visit(left);
                visit(right);
            }
            Expr::Not(operand) | Expr::Negate(operand) | Expr::IsNull { operand, .. } => {
                visit(operand);
            }
            Expr::All(list) | Expr::Any(list) | Expr::Tuple(list) | Expr::Function(_, list) => {
                list.iter_mut().for_each(visit);
            }
            Expr::In { operand, list, .. } => {
                visit(operand);
                list.iter_mut().for_each(visit);
            }
            Expr::Between { operand, low, high } => {
                visit(operand);
                visit(low);
                visit(high);
            }
            Expr::Like { operand, pattern } => {
                visit(operand);
                visit(pattern);
            }
            Expr::Case { branches, otherwise } => {
                for (condition, value) in branches {
                    visit(condition);
                    visit(value);
                }
                otherwise.as_deref_mut().into_iter().for_each(visit);
            }
            Expr::Aggregate(aggregation) => aggregation.for_each_part_mut(visit),
            Expr::Over(function, window) => {
                visit(function);
                window.for_each_part_mut(visit);
            }
            Expr::Related { condition, .. } => {
                condition.as_deref_mut().into_iter().for_each(visit);
            }
            Expr::Exists(select) | Expr::Scalar(select) => select.for_each_expr_mut(visit),
            Expr::InSelect { operand, select, .. } => {
                visit(operand);
                select.for_each_expr_mut(visit);
            }
            Expr::Column(_)
            | Expr::Excluded(_)
            | Expr::Keys { .. }
            | Expr::Bind(_)
            | Expr::Integer(_)
            | Expr::Authored(_)
            | Expr::Derived { .. }
            | Expr::OwnerKey(..)
            | Expr::Mistaken(_) => {}
        }
    }

    /// Whether this holds for the expression or any part of it, the conditions of subqueries
    /// included.
    pub(crate) fn any_part(&self, holds: &dyn Fn(&Expr) -> bool) -> bool {
        let mut found = holds(self);
        self.for_each_part(&mut |part| found = found || part.any_part(holds));
        found
    }

    /// Whether a subquery in it reads the table.
    pub(crate) fn asks_of(&self, table: &Table) -> bool {
        self.any_part(&|part| match part {
            Expr::Related { relationship, .. } => {
                let association = match relationship.link() {
                    Ok(Link::Through(association)) => Some(association.table),
                    _ => None,
                };
                relationship.target() == table || association.is_some_and(|read| read == table)
            }
            Expr::Exists(select) | Expr::Scalar(select) | Expr::InSelect { select, .. } => {
                select.reads(table)
            }
            _ => false,
        })
    }

    /// Whether it is calculated of an aggregate, so that it has a value per group.
    pub(crate) fn is_aggregate(&self) -> bool {
        match self {
            Expr::Aggregate(_) => true,
            Expr::InSelect { operand, .. } => operand.is_aggregate(),
            Expr::Over(..) | Expr::Exists(_) | Expr::Scalar(_) | Expr::Related { .. } => false,
            other => {
                let mut found = false;
                other.for_each_part(&mut |part| found = found || part.is_aggregate());
                found
            }
        }
    }

    /// Whether a column of each row is in it, outside of aggregates and subqueries.
    pub(crate) fn is_per_row(&self) -> bool {
        match self {
            Expr::Column(_) => true,
            Expr::InSelect { operand, .. } => operand.is_per_row(),
            Expr::Aggregate(_)
            | Expr::Over(..)
            | Expr::Exists(_)
            | Expr::Scalar(_)
            | Expr::Related { .. } => false,
            other => {
                let mut found = false;
                other.for_each_part(&mut |part| found = found || part.is_per_row());
                found
            }
        }
    }

    /// Gathers the common table expressions that its subqueries read.
    pub(super) fn ctes<'e>(&'e self, into: &mut Vec<&'e Arc<Cte>>) {
        match self {
            Expr::Exists(select) | Expr::Scalar(select) => select.ctes(into),
            Expr::InSelect { operand, select, .. } => {
                operand.ctes(into);
                select.ctes(into);
            }
            other => other.for_each_part(&mut |part| part.ctes(into)),
        }
    }
}

/// One term of an order.
#[derive(Clone, Debug)]
pub(crate) struct OrderTerm {
    pub(crate) expr: Expr,
    pub(crate) descending: bool,
    /// Where NULLs go; `None` leaves it to the database's habit.
    pub(crate) nulls_first: Option<bool>,
    /// The type that its values are read as, where that is known.
    pub(crate) sql_type: Option<SqlType>,
}

impl OrderTerm {
    /// Ascending or descending, NULLs where the database puts them.
    pub(crate) fn new(expr: Expr, descending: bool) -> Self {
        let sql_type = match &expr {
            Expr::Column(column) => Some(column.sql_type()),
            _ => None,
        };
        Self { expr, descending, nulls_first: None, sql_type }
    }

    /// The opposite order, NULLs included.
    pub(crate) fn reversed(self) -> Self {
        let nulls_first = self.nulls_first.map(|first| !first);
        Self { descending: !self.descending, nulls_first, ..self }
    }

    /// Whether both order by the same column, in whichever direction.
    pub(crate) fn is_of_column(&self, other: &Self) -> bool {
        matches!((&self.expr, &other.expr), (Expr::Column(a), Expr::Column(b)) if a == b)
    }
}

impl Expr {
    /// Lets every reference to the scope's occurrence of a table mean another one. For what the
    /// user wrote about the table itself: the criteria of an eager load, the terms of an alias.
    pub(crate) fn rescope(&mut self, table: &'static Table, to: Source) {
        let moves = |named: &'static Table, source: &mut Source| {
            if named == table && *source == Source::Scope {
                *source = to;
            }
        };
        match self {
            Expr::Column(column) => moves(column.table, &mut column.source),
            // The condition is about the related table, which is in scope inside it.
            Expr::Related { owner, relationship, .. } => moves(relationship.source(), owner),
            Expr::Keys { columns, .. } => {
                columns.iter_mut().for_each(|column| moves(column.table, &mut column.source));
            }
            Expr::InSelect { operand, select, .. } => {
                operand.rescope(table, to);
                select.rescope(table, to);
            }
            Expr::Exists(select) | Expr::Scalar(select) => select.rescope(table, to),
            other => other.for_each_part_mut(&mut |part| part.rescope(table, to)),
        }
    }
}

impl Select {
    /// Lets what refers to a query around this one mean another occurrence. What the subquery reads
    /// itself it goes on to mean, and subqueries that it reads from see nothing around them.
    fn rescope(&mut self, table: &'static Table, to: Source) {
        if !self.names(table, Source::Scope) {
            self.for_each_expr_mut(&mut |expr| expr.rescope(table, to));
        }
    }
}
