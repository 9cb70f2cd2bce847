//! The query layer: typed columns and relationships become untyped SQL trees.
//!
//! Layer 4. Everything here *builds*: it knows models (layer 1) and the trees of `sql` (layer 2),
//! runs nothing, is never async and names neither a session nor an engine. The verbs (`all`,
//! `one`, `on(&engine)`, …) are written in the layers above, on what [`Select`], [`Rows`] and
//! [`Views`] hold.
//!
//! - [`expression`](Expression), `operators`, `arithmetic`, `comparand`: what columns can do;
//! - [`condition`](Condition), [`order`](Order): what `filter` and `order_by` take;
//! - [`origin`](Origin): what columns belong to, aliases among them; [`route`](Route): the
//!   relationships between those; [`whole`](entity): models as values, to join and to
//!   select;
//! - `scope`: the models of a query as a type-level list, so that a column of a table that isn't
//!   joined is a compile error;
//! - [`select`](Select), `clauses`, `join`, `counting`: the query itself;
//! - `keyset`: going on from a row of a query's order, whose place a [`Cursor`] keeps; [`Page`] and
//!   [`Slice`] are what paging gives; [`sortable`](Sortable): orders that a request may ask for;
//! - [`subquery`](exists): queries in conditions and expressions; [`derived`](Subquery): queries to read
//!   from, common table expressions; [`row`](Row): structs of their rows; `sets`: unions and their like;
//! - [`projection`](Projection): `columns(…)` and the decoding of its rows; `column_list`: columns of
//!   one model by their places;
//! - `bulk`: [`Update`] and [`Delete`] of the rows that a condition finds;
//! - `criteria`: what every query is restricted to, unless it lifts that;
//! - `loader`: options such as `User::posts.joined().with(…)`;
//! - [`view`](View): nested results that load only what they name.

#[macro_use]
mod tuples;

mod alternative;
mod arithmetic;
mod bulk;
mod clauses;
mod column_list;
mod comparand;
mod condition;
mod counting;
mod criteria;
mod cursor;
mod derived;
mod distinct_on;
mod expression;
mod functions;
mod join;
mod keyset;
mod loader;
mod operators;
mod order;
mod origin;
mod page;
mod projection;
mod raw;
mod relation;
mod returned;
mod route;
mod row;
mod scope;
mod select;
mod sets;
mod sortable;
mod subquery;
mod upsert;
mod view;
mod whole;

#[cfg(test)]
mod tests;

pub use alternative::Alternative;
pub use arithmetic::{Addend, Also, Number};
pub use bulk::{Bulk, BulkStatement, Delete, Filtered, Unfiltered, Update};
pub use column_list::ColumnList;
pub use comparand::{Assign, ByExpression, ByValue, Comparand};
pub use condition::{Condition, Conditions, all_of, any_of};
pub use cursor::Cursor;
pub use derived::Subquery;
pub use expression::{Comparable, Expression, PerGroup, PerRow, PerWindow, Term};
pub use functions::{
    ArrayColumn, Case, CastTo, EmptyCase, Fractional, HasDate, HasTime, JsonColumn, JsonPath,
    Outcome, Unit, Window, WindowFunction, all_rows, case, dense_rank, in_order, now, ntile,
    partition_by, rank, row_number,
};
pub use loader::{IntoLoad, Load};
pub use operators::TextColumn;
pub use order::{Order, Orders, order};
pub use origin::{As, Origin};
pub use page::{Page, Slice};
pub use projection::{Projection, Rows, Selection};
pub use raw::{BindValue, Raw, RawEntities, RawRow, RawRows, raw};
pub use route::{IntoRoute, Joinable, Route};
pub use row::{Row, RowCells, read_by_name};
pub use scope::{
    Around, Contains, Correlated, Head, Here, Maybe, Only, Outer, Presence, Subscope, There, Within,
};
pub use select::{Groups, Select};
pub use sortable::{Sortable, order_from};
pub use subquery::{Subselect, exists};
pub use upsert::excluded;
pub(crate) use view::view_object;
pub use view::{View, ViewField, ViewRow, ViewShape, Views};
pub use whole::{Arrivals, Whole, entity};

pub(crate) use bulk::{BulkAction, BulkWrite};
pub(crate) use clauses::Query;
pub(crate) use comparand::Assigned;
pub(crate) use criteria::{Criteria, Lifted};
pub(crate) use join::{Ends, joins, key_order, member_order, reaches};
pub(crate) use keyset::{Keyset, Seek, read_order};
pub(crate) use loader::{Levels, LoadOption};
pub(crate) use raw::ByName;
pub(crate) use returned::ReturnedColumns;
pub(crate) use route::RouteParts;
pub(crate) use view::Loading;

use crate::model::Table;
use crate::sql::{Expr, OrderTerm, Source};
use crate::value::ColumnType;

/// A piece of a statement, which the public traits of this layer pass on without showing it.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Fragment(pub(crate) Expr);

/// Pieces of a statement in a row: the columns of a GROUP BY, the conditions of `any_of`.
#[doc(hidden)]
#[derive(Clone, Debug, Default)]
pub struct Fragments(pub(crate) Vec<Expr>);

/// The terms of an ORDER BY.
#[doc(hidden)]
#[derive(Clone, Debug, Default)]
pub struct OrderTerms(pub(crate) Vec<OrderTerm>);

/// One use of a table in a query, which [`Origin`] passes on without showing it.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct SourceOf {
    pub(crate) table: &'static Table,
    pub(crate) source: Source,
}

/// A bind of the given type.
pub(crate) fn bind<T: ColumnType>(value: &T) -> Expr {
    Expr::bind(value.encode(), T::FACTS.sql_type)
}
