//! The writer: pushes SQL text and binds together, and knows what names mean where.

mod expr;
mod functions;
mod scope;
mod select;
mod source;
#[cfg(all(test, feature = "sqlite"))]
mod tests;

use self::scope::Scope;
use self::source::Ctes;
use super::dialect::{Dialect, max_rows};
use super::expr::{BinaryOp, ColumnRef, Expr};
use super::statement::{Bind, Statement, count};
use crate::error::Result;
use crate::model::{ColumnDef, Table};
use crate::value::{SqlType, Value};

/// A statement in the making.
pub(crate) struct Writer<'d> {
    dialect: &'d dyn Dialect,
    text: String,
    binds: Vec<Bind>,
    /// The queries around the current place, innermost last.
    scopes: Vec<Scope>,
    /// The common table expressions of the statement, inside of a SELECT.
    ctes: Option<Ctes>,
    /// How many aliases the writer has made up.
    made_up: u32,
    persistent: bool,
    /// Whether the current place is inside of a grouped query.
    grouped: bool,
    /// Whether the row that was to be inserted can be referred to.
    knows_excluded: bool,
}

impl<'d> Writer<'d> {
    /// An empty statement.
    pub(crate) fn new(dialect: &'d dyn Dialect) -> Self {
        Self {
            dialect,
            text: String::with_capacity(1024),
            binds: Vec::with_capacity(8),
            scopes: Vec::new(),
            ctes: None,
            made_up: 0,
            persistent: true,
            grouped: false,
            knows_excluded: false,
        }
    }

    /// The finished statement.
    pub(crate) fn finish(self) -> Statement {
        Statement {
            text: self.text.into(),
            binds: self.binds,
            persistent: self.persistent,
            single_row: false,
            words: false,
        }
    }

    /// The dialect.
    pub(crate) fn dialect(&self) -> &'d dyn Dialect {
        self.dialect
    }

    /// Pushes SQL as it is.
    pub(crate) fn push(&mut self, sql: &str) {
        self.text.push_str(sql);
    }

    /// Pushes a quoted identifier.
    pub(crate) fn identifier(&mut self, identifier: &str) {
        self.dialect.quote(identifier, &mut self.text);
    }

    /// Pushes `"label"."column"`.
    pub(crate) fn qualified(&mut self, label: &str, column: &str) {
        self.identifier(label);
        self.push(".");
        self.identifier(column);
    }

    /// Pushes the table's name, as it stands behind FROM or INTO.
    pub(crate) fn table_path(&mut self, table: &Table) {
        self.dialect.table_path(table, &mut self.text);
    }

    /// Pushes the unqualified names of columns.
    pub(crate) fn column_names(&mut self, table: &Table, columns: &[usize]) {
        for (at, &column) in columns.iter().enumerate() {
            self.push(if at == 0 { "" } else { ", " });
            self.column_name(&table.columns()[column]);
        }
    }

    /// Pushes the unqualified name of a column.
    pub(crate) fn column_name(&mut self, column: &ColumnDef) {
        let name = self.dialect.naming().apply(column.name);
        self.identifier(&name);
    }

    /// Pushes `"label"."column"` for a column of a table.
    pub(crate) fn qualified_column(&mut self, label: &str, column: &ColumnDef) {
        self.identifier(label);
        self.push(".");
        self.column_name(column);
    }

    /// Pushes a value as a bind.
    pub(crate) fn bind(&mut self, value: Value, sql_type: SqlType) {
        self.push_bind(Bind::one(value, sql_type));
    }

    /// Pushes a value for a column, to be stored in it or compared with it.
    pub(crate) fn bind_to(&mut self, value: Value, column: &ColumnDef) {
        let declared = column.sql_type;
        self.push_bind(Bind { declared, ..Bind::one(value, column.logical_type()) });
    }

    /// Pushes the values of one column of many rows as one bind.
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "the others have no arrays"))]
    pub(crate) fn bind_column(&mut self, values: Vec<Value>, sql_type: SqlType) {
        let values = Value::Array(values);
        self.push_bind(Bind { per_row: true, ..Bind::one(values, sql_type) });
    }

    pub(super) fn push_bind(&mut self, bind: Bind) {
        let known = if self.grouped && self.dialect.shares_binds() {
            self.binds.iter().position(|known| *known == bind)
        } else {
            None
        };
        let number = known.unwrap_or(self.binds.len()) + 1;
        self.dialect.placeholder(number, &bind, &mut self.text);
        if known.is_none() {
            self.binds.push(bind);
        }
    }

    /// Pushes a number of rows as a bind.
    pub(crate) fn count(&mut self, rows: u64) {
        self.bind(count(rows), SqlType::I64);
    }

    /// Makes room for binds.
    pub(crate) fn reserve(&mut self, binds: usize) {
        self.binds.reserve(binds);
        self.text.reserve(binds * 4);
    }

    /// Pushes items with commas in between.
    pub(crate) fn list<T>(
        &mut self,
        items: &[T],
        mut write: impl FnMut(&mut Self, &T) -> Result<()>,
    ) -> Result<()> {
        for (at, item) in items.iter().enumerate() {
            self.push(if at == 0 { "" } else { ", " });
            write(self, item)?;
        }
        Ok(())
    }

    /// Pushes `column = expression, …`, the first behind `separator`. A column of the table in
    /// an expression means the old row.
    pub(crate) fn assignments(
        &mut self,
        table: &'static Table,
        assignments: &[(usize, Expr)],
        mut separator: &str,
    ) -> Result<()> {
        self.within(Scope::of(self.dialect, table), |w| {
            for (column, expression) in assignments {
                w.push(separator);
                w.column_name(&table.columns()[*column]);
                w.push(" = ");
                w.expr(expression)?;
                separator = ", ";
            }
            Ok(())
        })
    }

    /// Writes what updates rows that exist already: there the row that was to be inserted can be
    /// referred to.
    pub(crate) fn knowing_excluded(
        &mut self,
        write: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        self.knows_excluded = true;
        let written = write(self);
        self.knows_excluded = false;
        written
    }

    /// Pushes a condition on the rows of the statement's one table.
    pub(crate) fn condition_on(&mut self, table: &'static Table, condition: &Expr) -> Result<()> {
        self.within(Scope::of(self.dialect, table), |w| w.expr(condition))
    }

    /// Says how many rows the statement writes. Texts of a full chunk, of a few rows and of
    /// round numbers come again; preparing others would only push those out of the cache.
    pub(crate) fn set_rows(&mut self, rows: usize, columns_per_row: usize) {
        self.persistent =
            rows <= 8 || rows.is_power_of_two() || rows == max_rows(self.dialect, columns_per_row);
    }
}

impl BinaryOp {
    /// Whether it says how two values compare.
    pub(crate) fn is_comparison(self) -> bool {
        use BinaryOp::*;
        matches!(self, Equal | NotEqual | Less | LessOrEqual | Greater | GreaterOrEqual)
    }

    /// Whether it calculates with numbers.
    pub(crate) fn is_arithmetic(self) -> bool {
        use BinaryOp::*;
        matches!(self, Add | Subtract | Multiply | Divide | Remainder)
    }

    /// The operator as most databases spell it.
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            BinaryOp::Equal => "=",
            BinaryOp::NotEqual => "<>",
            BinaryOp::Less => "<",
            BinaryOp::LessOrEqual => "<=",
            BinaryOp::Greater => ">",
            BinaryOp::GreaterOrEqual => ">=",
            BinaryOp::Add => "+",
            BinaryOp::Subtract => "-",
            BinaryOp::Multiply => "*",
            BinaryOp::Divide => "/",
            BinaryOp::Remainder => "%",
            BinaryOp::Concat => "||",
        }
    }
}

impl Writer<'_> {
    /// Pushes a qualified column.
    pub(crate) fn column(&mut self, column: &ColumnRef) -> Result<()> {
        let label = self.label(column.table, column.source)?;
        self.qualified_column(&label, &column.table.columns()[column.column]);
        Ok(())
    }
}
