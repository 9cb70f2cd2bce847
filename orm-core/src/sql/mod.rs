//! SQL: statements as trees, one writer that pushes text and binds together, and dialects.
//!
//! Layer 2. Everything that produces SQL text is here; nothing here talks to a database. The
//! layers above build the trees of [`expr`], [`select`] and [`dml`]; the `render_…` functions turn them into
//! a [`Statement`], asking a [`Dialect`] wherever databases differ. A [`Renderer`] does so for SELECTs that
//! come again, whose texts it keeps.

mod cache;
pub(crate) mod ddl;
pub(crate) mod dialect;
pub(crate) mod dml;
pub(crate) mod expr;
mod isolation;
pub(crate) mod names;
mod naming;
mod raw;
mod render;
pub(crate) mod select;
mod statement;
#[cfg(test)]
pub(crate) mod testing;
mod writer;

pub(crate) use cache::Renderer;
pub(crate) use dialect::{Capabilities, Dialect, max_rows};
pub(crate) use dml::{
    DeleteRows, DeleteWhere, InsertRows, OnConflict, UpdateExisting, UpdateRows, UpdateWhere,
};
pub use expr::Unit;
pub(crate) use expr::{
    Aggregate, Aggregation, Alias, BinaryOp, Bound, ColumnRef, Expr, Function, OrderTerm, Source,
    Tag, Window,
};
pub use isolation::Isolation;
pub use naming::Naming;
pub(crate) use raw::{RawArgument, RawSql, render_raw};
pub(crate) use render::{
    render_defaults, render_delete, render_delete_where, render_echo, render_insert, render_select,
    render_update, render_update_where,
};
pub(crate) use select::{
    Body, Cte, CteCopies, From, Join, JoinKind, Owners, RowLock, Select, SetOperator, owner_key,
};
pub(crate) use statement::{Bind, Statement};
