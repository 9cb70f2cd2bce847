//! MySQL, 8.0.19 or later, and MariaDB, 10.5 or later.

use std::borrow::Cow;

use chrono::{Datelike, NaiveDate, NaiveTime, Timelike};

use super::dml::{types, write_delete, write_returning, write_tuples};
use super::{Capabilities, Dialect, push_literal, quote_with};
use crate::error::{Error, Result};
use crate::model::{ColumnDef, Table};
use crate::sql::dml::{DeleteRows, InsertRows, UpdateRows};
use crate::sql::expr::{Aggregate, BinaryOp, Expr, Function, OrderTerm, Source};
use crate::sql::naming::Naming;
use crate::sql::statement::Bind;
use crate::sql::writer::Writer;
use crate::value::{SqlType, Value};

/// The dialect of one server, as an engine speaks it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MySql {
    capabilities: &'static Capabilities,
    server: &'static Server,
    naming: Naming,
}

/// What the two servers do differently.
#[derive(Debug)]
pub(crate) struct Server {
    /// Its name, for messages.
    pub(crate) name: &'static str,
    /// The collation that tells all texts apart, without regard to any language.
    pub(crate) collation: &'static str,
    /// Whether INSERT and DELETE give rows back.
    has_returning: bool,
    /// Whether every assignment of an UPDATE sees the old row. The connection's settings see to it
    /// where the server can; elsewhere assignments see those before them.
    pub(crate) assigns_at_once: bool,
    /// Whether statements of every kind may be stopped after a while, not queries only.
    pub(crate) limits_statements: bool,
    /// Whether a bind that nothing is compared with has the type of its value, a short one.
    types_free_binds: bool,
    /// Whether JSON is a type of its own, which a text isn't compared with.
    has_json: bool,
    /// How deep the arrays and objects of a document may nest.
    deepest_json: usize,
}

/// MariaDB.
pub(crate) static MARIADB: Server = Server {
    name: "MariaDB",
    collation: "utf8mb4_nopad_bin",
    has_returning: true,
    assigns_at_once: true,
    limits_statements: true,
    types_free_binds: true,
    has_json: false,
    deepest_json: 31,
};

/// MySQL.
pub(crate) static MYSQL: Server = Server {
    name: "MySQL",
    collation: "utf8mb4_0900_bin",
    has_returning: false,
    assigns_at_once: false,
    limits_statements: false,
    types_free_binds: false,
    has_json: true,
    deepest_json: 100,
};

/// Every dialect that there is: two servers, with and without RETURNING, with keys that do and
/// don't count on by one, in two spellings.
static DIALECTS: [MySql; 16] = {
    let mut dialects = [dialect_of(0); 16];
    let mut number = 1;
    while number < dialects.len() {
        dialects[number] = dialect_of(number);
        number += 1;
    }
    dialects
};

/// MariaDB's RETURNING, which UPDATE has not.
static WITH_RETURNING: Capabilities = Capabilities {
    ordered_keys: true,
    returning_on_insert: true,
    returning_on_update: false,
    returning_on_delete: true,
};

/// Without RETURNING, where keys count on from the first.
static CONSECUTIVE_KEYS: Capabilities = Capabilities {
    ordered_keys: true,
    returning_on_insert: false,
    returning_on_update: false,
    returning_on_delete: false,
};

/// Without RETURNING, where the keys of concurrent INSERTs may mix.
static MIXED_KEYS: Capabilities = Capabilities { ordered_keys: false, ..CONSECUTIVE_KEYS };

const fn dialect_of(number: usize) -> MySql {
    let server = if number & 8 == 0 { &MARIADB } else { &MYSQL };
    let returning = number & 4 == 0 && server.has_returning;
    let naming = if number & 1 == 0 { Naming::AsDeclared } else { Naming::SnakeCase };
    let capabilities = match (returning, number & 2 == 0) {
        (true, _) => &WITH_RETURNING,
        (false, true) => &CONSECUTIVE_KEYS,
        (false, false) => &MIXED_KEYS,
    };
    MySql { capabilities, server, naming }
}

/// The dialect of a server. `returning` says whether RETURNING may be used where the server has
/// it, and `consecutive_keys` whether the server guarantees that the keys of one INSERT count on
/// by one from the first.
pub(crate) fn configured(
    server: &'static Server,
    returning: bool,
    consecutive_keys: bool,
    naming: Naming,
) -> &'static MySql {
    let naming = match naming {
        Naming::AsDeclared => 0,
        Naming::SnakeCase => 1,
    };
    let server = if server.has_returning { 0 } else { 8 };
    let returning = if returning { 0 } else { 4 };
    let keys = if consecutive_keys { 0 } else { 2 };
    &DIALECTS[server | returning | keys | naming]
}

/// The table of new values inside a statement. Unlikely to be a user's table, which it would hide.
const GIVEN: &str = "orm_given";

/// The longest text, in characters, that a VARCHAR holds: 65,535 bytes of up to four for each.
const LONGEST_VARCHAR: u32 = 16_383;

/// The length of a text or of bytes that have a key but no length: indexes hold 3,072 bytes.
const KEYED_LENGTH: u32 = 255;

/// The bytes of a row that VARCHARs may take, of 65,535 with all other columns.
const ROW_BYTES: u32 = 60_000;

/// The digits of a DECIMAL without a precision: it holds whatever `rust_decimal` holds.
const ANY_DECIMAL: &str = "DECIMAL(57, 28)";

/// From how many digits behind the point on the zeros at the end of a decimal are the column's,
/// not the value's.
pub(crate) const MOST_DIGITS_BEHIND_POINT: u32 = 28;

/// Why a value can't be stored, whichever server it is.
pub(crate) fn refusal(value: &Value) -> Option<&'static str> {
    const NOT_FINITE: &str = "MySQL and MariaDB have neither NaN nor infinity";
    match value {
        Value::Float(value) if !value.is_finite() => Some(NOT_FINITE),
        Value::Double(value) if !value.is_finite() => Some(NOT_FINITE),
        Value::Date(date) => refuse_date(*date),
        Value::Time(time) => refuse_time(*time),
        Value::DateTime(time) => refuse_date(time.date()).or(refuse_time(time.time())),
        Value::Timestamp(time) => {
            let time = time.naive_utc();
            refuse_date(time.date()).or(refuse_time(time.time()))
        }
        Value::Array(elements) => elements.iter().find_map(|element| match element {
            Value::Bytes(_) | Value::Json(_) | Value::Array(_) => {
                Some("an array stored as JSON can only hold scalars")
            }
            element => refusal(element),
        }),
        _ => None,
    }
}

fn refuse_date(date: NaiveDate) -> Option<&'static str> {
    (!(0..=9999).contains(&date.year()))
        .then_some("MySQL and MariaDB store dates of the years 0 to 9999")
}

/// chrono counts a leap second as a second of more than a billion nanoseconds.
fn refuse_time(time: NaiveTime) -> Option<&'static str> {
    (time.nanosecond() >= 1_000_000_000).then_some("a leap second can't be stored")
}

/// Whether arrays and objects nest deeper than that.
fn is_deeper(document: &serde_json::Value, levels: usize) -> bool {
    let Some(below) = levels.checked_sub(1) else {
        return document.is_array() || document.is_object();
    };
    match document {
        serde_json::Value::Array(items) => items.iter().any(|item| is_deeper(item, below)),
        serde_json::Value::Object(fields) => fields.values().any(|field| is_deeper(field, below)),
        _ => false,
    }
}

/// Whether a type is one of the integers.
fn is_integer_type(sql_type: SqlType) -> bool {
    use SqlType::*;
    matches!(sql_type, I16 | I32 | I64 | U8 | U16 | U32)
}

/// Whether the values of an expression are integers.
fn is_integer(expr: &Expr) -> bool {
    match expr {
        Expr::Column(column) => is_integer_type(column.sql_type()),
        Expr::Bind(bind) => is_integer_type(bind.sql_type),
        Expr::Integer(_) | Expr::Function(Function::Length, _) => true,
        Expr::Binary(left, op, right) => {
            op.is_arithmetic() && is_integer(left) && is_integer(right)
        }
        Expr::Negate(operand) => is_integer(operand),
        Expr::Function(Function::Abs | Function::Coalesce, arguments) => {
            arguments.first().is_some_and(is_integer)
        }
        Expr::Aggregate { function: Aggregate::Count, .. } => true,
        Expr::Aggregate {
            function: Aggregate::Sum | Aggregate::Min | Aggregate::Max,
            operand: Some(operand),
            ..
        } => is_integer(operand),
        _ => false,
    }
}

/// Whether an expression reads a column of the row that is being updated.
fn reads(expr: &Expr, table: &Table, column: usize) -> bool {
    let any = |list: &[Expr]| list.iter().any(|expr| reads(expr, table, column));
    match expr {
        Expr::Column(other) => {
            other.table == table && other.column == column && other.source == Source::Scope
        }
        Expr::Keys { columns, .. } => {
            columns.iter().any(|other| other.table == table && other.column == column)
        }
        Expr::Binary(left, _, right) => {
            reads(left, table, column) || reads(right, table, column)
        }
        Expr::Not(operand) | Expr::Negate(operand) | Expr::IsNull { operand, .. } => {
            reads(operand, table, column)
        }
        Expr::All(list) | Expr::Any(list) | Expr::Function(_, list) => any(list),
        Expr::In { operand, list, .. } => reads(operand, table, column) || any(list),
        Expr::Between { operand, low, high } => {
            [operand, low, high].into_iter().any(|expr| reads(expr, table, column))
        }
        Expr::Like { operand, pattern } => {
            reads(operand, table, column) || reads(pattern, table, column)
        }
        Expr::Aggregate { operand, .. } => {
            operand.as_deref().is_some_and(|expr| reads(expr, table, column))
        }
        Expr::Bind(_)
        | Expr::Integer(_)
        | Expr::Authored(_)
        | Expr::Related { .. }
        | Expr::RowNumber { .. }
        | Expr::Derived { .. } => false,
    }
}

impl MySql {
    /// Assignments in an order in which none reads a column that one before it has changed, for a
    /// server that assigns one after the other.
    fn order(
        &self,
        table: &Table,
        mut expressions: Vec<(usize, Expr)>,
    ) -> Result<Vec<(usize, Expr)>> {
        if self.server.assigns_at_once || expressions.len() < 2 {
            return Ok(expressions);
        }
        let mut ordered = Vec::with_capacity(expressions.len());
        while !expressions.is_empty() {
            let unread = (0..expressions.len()).find(|&at| {
                let column = expressions[at].0;
                let mut others = expressions.iter().enumerate().filter(|(other, _)| *other != at);
                !others.any(|(_, (_, expr))| reads(expr, table, column))
            });
            let Some(next) = unread else {
                return Err(Error::misuse(format!(
                    "{} assigns one column of `{}` after the other, and these expressions read each \
                     other's columns in a circle: assign them in two flushes",
                    self.server.name,
                    table.name(),
                )));
            };
            ordered.push(expressions.remove(next));
        }
        Ok(ordered)
    }

    /// `a = a + 1, b = <value>`: the expressions first, since they mean the old row.
    fn write_assignments(
        &self,
        w: &mut Writer<'_>,
        table: &'static Table,
        expressions: Vec<(usize, Expr)>,
        set: &[usize],
        mut value: impl FnMut(&mut Writer<'_>, usize),
    ) -> Result<()> {
        let expressions = self.order(table, expressions)?;
        w.assignments(table, &expressions, "")?;
        for (at, &column) in set.iter().enumerate() {
            w.push(if at == 0 && expressions.is_empty() { "" } else { ", " });
            w.column_name(&table.columns()[column]);
            w.push(" = ");
            value(w, at);
        }
        Ok(())
    }

    /// `(SELECT ? AS a, ? AS b UNION ALL SELECT ?, ?) AS orm_given`. A VALUES would be shorter, but
    /// MariaDB loses the binds in it.
    fn write_given(
        &self,
        w: &mut Writer<'_>,
        table: &Table,
        columns: &[usize],
        names: &[String],
        values: Vec<Value>,
        rows: usize,
    ) -> Result<()> {
        if values.len() != columns.len() * rows {
            return Err(arity(table));
        }
        w.reserve(values.len());
        let types = types(table, columns);
        w.push("(");
        for (at, value) in values.into_iter().enumerate() {
            let (row, column) = (at / columns.len(), at % columns.len());
            w.push(match (row, column) {
                (0, 0) => "SELECT ",
                (_, 0) => " UNION ALL SELECT ",
                _ => ", ",
            });
            self.write_free_bind(w, value, types[column]);
            if row == 0 {
                w.push(" AS ");
                w.identifier(&names[column]);
            }
        }
        w.push(") AS ");
        w.identifier(GIVEN);
        w.set_rows(rows, columns.len());
        Ok(())
    }

    /// A bind that stands alone, so that nothing else says its type. A text or bytes of more than
    /// 64 KiB would be cut by MariaDB without a word, to what is left over.
    fn write_free_bind(&self, w: &mut Writer<'_>, value: Value, sql_type: SqlType) {
        let cast = match sql_type {
            SqlType::Text => Some("CHAR"),
            SqlType::Bytes => Some("BINARY"),
            // MySQL's placeholder has a cast of its own.
            SqlType::Json | SqlType::Array(_) => (!self.server.has_json).then_some("CHAR"),
            _ if self.server.types_free_binds => None,
            SqlType::Bool
            | SqlType::I16
            | SqlType::I32
            | SqlType::I64
            | SqlType::U8
            | SqlType::U16
            | SqlType::U32 => Some("SIGNED"),
            SqlType::F32 | SqlType::F64 => Some("DOUBLE"),
            SqlType::Enum(_) => Some("CHAR"),
            SqlType::Date => Some("DATE"),
            SqlType::Time => Some("TIME(6)"),
            SqlType::DateTime | SqlType::Timestamp => Some("DATETIME(6)"),
            #[cfg(feature = "uuid")]
            SqlType::Uuid => Some("BINARY"),
            #[cfg(feature = "decimal")]
            SqlType::Decimal => Some(ANY_DECIMAL),
        };
        match cast {
            Some(cast) => {
                w.push("CAST(");
                w.bind(value, sql_type);
                w.push(" AS ");
                w.push(cast);
                w.push(")");
            }
            None => w.bind(value, sql_type),
        }
    }

    /// Rows of which those are left out that exist already, where a duplicate of another unique
    /// key has to stay an error.
    fn write_insert_missing(&self, w: &mut Writer<'_>, rows: InsertRows) -> Result<()> {
        let InsertRows { table, columns, rows, values, skip_existing, .. } = rows;
        let names: Vec<String> = (0..columns.len()).map(|at| format!("orm_c{at}")).collect();
        w.push(" (");
        w.column_names(table, &columns);
        w.push(") SELECT ");
        for (at, name) in names.iter().enumerate() {
            w.push(if at == 0 { "" } else { ", " });
            w.qualified(GIVEN, name);
        }
        w.push(" FROM ");
        self.write_given(w, table, &columns, &names, values, rows)?;
        w.push(" WHERE NOT EXISTS (SELECT 1 FROM ");
        w.table_path(table);
        w.push(" WHERE ");
        let label = self.table_label(table);
        for (at, &column) in skip_existing.iter().enumerate() {
            let given = columns.iter().position(|&other| other == column);
            let given = given.ok_or_else(|| arity(table))?;
            w.push(if at == 0 { "" } else { " AND " });
            w.qualified_column(&label, &table.columns()[column]);
            w.push(" = ");
            w.qualified(GIVEN, &names[given]);
        }
        w.push(")");
        Ok(())
    }

    /// Whether no unique key but this one can refuse a row of these columns: the server doesn't
    /// say which key a row is a duplicate by. A key that is generated is none.
    fn is_only_key(table: &Table, key: &[usize], columns: &[usize]) -> bool {
        let is_same = |other: &[usize]| {
            other.len() == key.len() && other.iter().all(|column| key.contains(column))
        };
        let is_generated = |other: &[usize]| {
            other.iter().any(|column| {
                table.columns()[*column].autoincrement && !columns.contains(column)
            })
        };
        let uniques = table.uniques().iter().map(|unique| unique.columns.as_slice());
        let mut keys = std::iter::once(table.primary_key()).chain(uniques);
        keys.all(|other| is_same(other) || is_generated(other))
    }

    /// RETURNING, where the server has it: elsewhere the flush reads back what it wants.
    fn write_returning(&self, w: &mut Writer<'_>, table: &Table, returning: &[usize]) {
        if self.capabilities.returning_on_insert {
            write_returning(w, table, returning);
        }
    }
}

/// A write whose values don't fit its columns: a mistake of ours.
fn arity(table: &Table) -> Error {
    Error::misuse(format!("a write of `{}` has not one value per column", table.name()))
}

impl Dialect for MySql {
    fn capabilities(&self) -> &'static Capabilities {
        self.capabilities
    }

    fn max_binds(&self) -> usize {
        65_535
    }

    /// A server takes no packet that is longer than its `max_allowed_packet`.
    fn max_bytes(&self) -> usize {
        1 << 20
    }

    fn naming(&self) -> Naming {
        self.naming
    }

    fn quote(&self, identifier: &str, text: &mut String) {
        quote_with('`', identifier, text);
    }

    /// A document is compared with documents, not with their texts.
    fn placeholder(&self, _number: usize, bind: &Bind, text: &mut String) {
        let is_document = matches!(bind.sql_type, SqlType::Json | SqlType::Array(_));
        text.push_str(if is_document && self.server.has_json { "CAST(? AS JSON)" } else { "?" });
    }

    /// In UTC whatever the time zone of the session is, also where another program inserts rows.
    fn current_timestamp(&self) -> &'static str {
        "utc_timestamp(6)"
    }

    fn write_binary(
        &self,
        w: &mut Writer<'_>,
        left: &Expr,
        op: BinaryOp,
        right: &Expr,
    ) -> Result<()> {
        match op {
            BinaryOp::Divide if is_integer(left) && is_integer(right) => {
                w.infix(left, op, "DIV", right)
            }
            // `||` is OR unless the session says otherwise.
            BinaryOp::Concat => {
                w.push("concat(");
                w.expr(left)?;
                w.push(", ");
                w.expr(right)?;
                w.push(")");
                Ok(())
            }
            _ => w.infix(left, op, op.symbol(), right),
        }
    }

    fn write_function(
        &self,
        w: &mut Writer<'_>,
        function: Function,
        arguments: &[Expr],
    ) -> Result<()> {
        w.push(match function {
            Function::Lower => "lower(",
            Function::Upper => "upper(",
            // `length` counts bytes.
            Function::Length => "char_length(",
            Function::Coalesce => "coalesce(",
            Function::Abs => "abs(",
        });
        w.list(arguments, Writer::expr)?;
        w.push(")");
        Ok(())
    }

    fn write_aggregate(
        &self,
        w: &mut Writer<'_>,
        function: Aggregate,
        operand: Option<&Expr>,
        distinct: bool,
    ) -> Result<()> {
        w.push(match function {
            Aggregate::Count => "count(",
            // Of integers a decimal, which has room for what an integer has not.
            Aggregate::Sum => "sum(",
            Aggregate::Avg => "avg(",
            Aggregate::Min => "min(",
            Aggregate::Max => "max(",
        });
        let Some(operand) = operand else {
            w.push("*)");
            return Ok(());
        };
        w.push(if distinct { "DISTINCT " } else { "" });
        // The average of exact numbers has only a few digits more than they have.
        let is_average = function == Aggregate::Avg;
        w.push(if is_average { "CAST(" } else { "" });
        w.expr(operand)?;
        w.push(if is_average { " AS DOUBLE)" } else { "" });
        w.push(")");
        Ok(())
    }

    /// NULLs are less than everything else here; where they are to go elsewhere, that is an
    /// order of its own.
    fn write_order_term(&self, w: &mut Writer<'_>, term: &OrderTerm) -> Result<()> {
        if let Some(first) = term.nulls_first
            && first == term.descending
        {
            let is_null = Expr::IsNull { operand: Box::new(term.expr.clone()), negated: false };
            w.ordered(&is_null)?;
            w.push(if first { " DESC, " } else { " ASC, " });
        }
        w.ordered(&term.expr)?;
        w.push(if term.descending { " DESC" } else { " ASC" });
        Ok(())
    }

    fn write_limit(&self, w: &mut Writer<'_>, limit: Option<u64>, offset: Option<u64>) {
        match limit {
            Some(limit) => {
                w.push(" LIMIT ");
                w.count(limit);
            }
            // There is no OFFSET without a LIMIT; this is the greatest.
            None if offset.is_some() => w.push(" LIMIT 18446744073709551615"),
            None => {}
        }
        if let Some(offset) = offset {
            w.push(" OFFSET ");
            w.count(offset);
        }
    }

    fn write_insert(&self, w: &mut Writer<'_>, rows: InsertRows) -> Result<()> {
        w.push("INSERT INTO ");
        w.table_path(rows.table);
        let (table, key) = (rows.table, &rows.skip_existing);
        if !key.is_empty() && !Self::is_only_key(table, key, &rows.columns) {
            return self.write_insert_missing(w, rows);
        }
        let InsertRows { columns, rows, values, returning, skip_existing, .. } = rows;
        w.push(" (");
        w.column_names(table, &columns);
        w.push(") VALUES ");
        if columns.is_empty() {
            for row in 0..rows {
                w.push(if row == 0 { "()" } else { ", ()" });
            }
        } else {
            write_tuples(w, &types(table, &columns), values, rows)?;
        }
        w.set_rows(rows, columns.len());
        if !skip_existing.is_empty() {
            self.write_skip_existing(w, table, &skip_existing);
        }
        self.write_returning(w, table, &returning);
        Ok(())
    }

    /// An INSERT IGNORE would pass over every other error too.
    fn write_skip_existing(&self, w: &mut Writer<'_>, table: &Table, key: &[usize]) {
        let Some(column) = key.first().map(|&column| &table.columns()[column]) else { return };
        w.push(" ON DUPLICATE KEY UPDATE ");
        w.column_name(column);
        w.push(" = ");
        w.qualified_column(&self.table_label(table), column);
    }

    fn write_update(&self, w: &mut Writer<'_>, rows: UpdateRows) -> Result<()> {
        let UpdateRows { table, key, set, expressions, rows, mut values, .. } = rows;
        w.push("UPDATE ");
        w.table_path(table);
        if rows == 1 {
            if values.len() != key.len() + set.len() {
                return Err(arity(table));
            }
            w.push(" SET ");
            let mut new = values.split_off(key.len()).into_iter();
            self.write_assignments(w, table, expressions, &set, |w, at| {
                let value = new.next().unwrap_or(Value::Null);
                w.bind(value, table.columns()[set[at]].logical_type());
            })?;
            w.push(" WHERE ");
            for (at, (&column, value)) in key.iter().zip(values).enumerate() {
                w.push(if at == 0 { "" } else { " AND " });
                w.column_name(&table.columns()[column]);
                w.push(" = ");
                w.bind(value, table.columns()[column].logical_type());
            }
            return Ok(());
        }
        let columns: Vec<usize> = key.iter().chain(&set).copied().collect();
        // No other column of the statement has such a name, so that the assigned ones need no
        // qualification.
        let names: Vec<String> = (0..key.len())
            .map(|at| format!("orm_k{at}"))
            .chain((0..set.len()).map(|at| format!("orm_s{at}")))
            .collect();
        w.push(" JOIN ");
        self.write_given(w, table, &columns, &names, values, rows)?;
        let (keys, new) = names.split_at(key.len());
        w.push(" ON ");
        for (at, (&column, name)) in key.iter().zip(keys).enumerate() {
            w.push(if at == 0 { "" } else { " AND " });
            w.qualified_column(&self.table_label(table), &table.columns()[column]);
            w.push(" = ");
            w.qualified(GIVEN, name);
        }
        w.push(" SET ");
        self.write_assignments(w, table, expressions, &set, |w, at| w.qualified(GIVEN, &new[at]))
    }

    fn write_delete(&self, w: &mut Writer<'_>, mut rows: DeleteRows) -> Result<()> {
        if !self.capabilities.returning_on_delete {
            rows.returning.clear();
        }
        write_delete(self.composite_list(), self.max_binds(), w, rows)
    }

    fn refusal(&self, value: &Value) -> Option<&'static str> {
        match value {
            Value::Json(document) if is_deeper(document, self.server.deepest_json) => {
                Some("the JSON document is nested deeper than the server accepts")
            }
            value => refusal(value),
        }
    }

    fn rewrites(&self, column: &ColumnDef) -> bool {
        match column.logical_type() {
            #[cfg(feature = "decimal")]
            SqlType::Decimal => true,
            _ => false,
        }
    }

    /// A decimal has as many digits behind the point as its column has; where these are all that
    /// there can be, reading cuts the zeros.
    fn stored(&self, column: &ColumnDef, value: &Value) -> Option<Value> {
        match value {
            #[cfg(feature = "decimal")]
            Value::Decimal(decimal) => {
                let stored = match decimal_scale(column) {
                    Some(scale) if scale < MOST_DIGITS_BEHIND_POINT => {
                        let mut stored = *decimal;
                        stored.rescale(scale);
                        stored
                    }
                    _ => decimal.normalize(),
                };
                (stored.serialize() != decimal.serialize()).then_some(Value::Decimal(stored))
            }
            _ => {
                let _ = column;
                None
            }
        }
    }

    fn begin(&self) -> &'static str {
        "START TRANSACTION"
    }

    fn column_type(&self, table: &Table, column: usize) -> Cow<'static, str> {
        let definition = &table.columns()[column];
        Cow::Borrowed(match definition.logical_type() {
            SqlType::Bool => "BOOLEAN",
            SqlType::I16 => "SMALLINT",
            SqlType::I32 => "INT",
            SqlType::I64 => "BIGINT",
            SqlType::U8 => "TINYINT UNSIGNED",
            SqlType::U16 => "SMALLINT UNSIGNED",
            SqlType::U32 => "INT UNSIGNED",
            SqlType::F32 => "FLOAT",
            SqlType::F64 => "DOUBLE",
            SqlType::Text => match varchar_length(table, column) {
                Some(length) => return Cow::Owned(format!("VARCHAR({length})")),
                None => "LONGTEXT",
            },
            SqlType::Bytes => match declared_length(table, column, 0) {
                Some(length) if length <= ROW_BYTES => {
                    return Cow::Owned(format!("VARBINARY({length})"));
                }
                None if has_key(table, column) => {
                    return Cow::Owned(format!("VARBINARY({KEYED_LENGTH})"));
                }
                _ => "LONGBLOB",
            },
            SqlType::Date => "DATE",
            SqlType::Time => "TIME(6)",
            SqlType::DateTime | SqlType::Timestamp => "DATETIME(6)",
            SqlType::Json | SqlType::Array(_) => "JSON",
            SqlType::Enum(labels) => {
                let mut sql = "ENUM(".to_owned();
                for (at, label) in labels.labels.iter().enumerate() {
                    sql.push_str(if at == 0 { "" } else { ", " });
                    push_text(label, &mut sql);
                }
                sql.push(')');
                return Cow::Owned(sql);
            }
            #[cfg(feature = "uuid")]
            SqlType::Uuid => "BINARY(16)",
            #[cfg(feature = "decimal")]
            SqlType::Decimal => {
                let facts = &definition.facts;
                match (facts.precision, facts.scale) {
                    (None, None) => ANY_DECIMAL,
                    (Some(precision), scale) => {
                        return Cow::Owned(format!(
                            "DECIMAL({precision}, {})",
                            scale.unwrap_or(0)
                        ));
                    }
                    // As many digits before the point as there can be.
                    (None, Some(scale)) => {
                        return Cow::Owned(format!("DECIMAL({}, {scale})", 29 + scale.min(30)));
                    }
                }
            }
        })
    }

    /// What a text is too long for a VARCHAR of is checked all the same.
    fn type_check(&self, column: &ColumnDef, quoted: &str) -> Option<String> {
        match (column.logical_type(), column.facts.length) {
            (SqlType::Text, Some(length)) if length > KEYED_LENGTH => {
                Some(format!("char_length({quoted}) <= {length}"))
            }
            _ => None,
        }
    }

    fn names_column_checks(&self) -> bool {
        false
    }

    fn autoincrement(&self, table: &Table, column: usize) -> Cow<'static, str> {
        let sql_type = match table.columns()[column].sql_type {
            Some(sql) => Cow::Borrowed(sql),
            None => self.column_type(table, column),
        };
        Cow::Owned(format!("{sql_type} NOT NULL AUTO_INCREMENT PRIMARY KEY"))
    }

    /// A text, bytes or a document of any length has only expressions as defaults on MySQL.
    fn parenthesizes_default(&self, column: &ColumnDef) -> bool {
        matches!(
            column.logical_type(),
            SqlType::Text | SqlType::Bytes | SqlType::Json | SqlType::Array(_)
        )
    }

    fn write_column_options(&self, w: &mut Writer<'_>, column: &ColumnDef) {
        if let Some(comment) = column.facts.comment {
            let mut literal = String::new();
            push_text(comment, &mut literal);
            w.push(" COMMENT ");
            w.push(&literal);
        }
    }

    fn indexes_inline(&self) -> bool {
        true
    }

    /// Texts are compared by their code points, with the spaces at the end: equal means equal.
    fn table_options(&self, table: &Table) -> Cow<'static, str> {
        let mut options =
            format!(" ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE={}", self.server.collation);
        if let Some(comment) = table.comment() {
            options.push_str(" COMMENT=");
            push_text(comment, &mut options);
        }
        Cow::Owned(options)
    }

    /// A schema is a database here.
    fn create_types(&self, tables: &[&'static Table]) -> Vec<String> {
        let mut schemas: Vec<&str> = tables.iter().filter_map(|table| table.schema()).collect();
        schemas.sort_unstable();
        schemas.dedup();
        let create = |schema: &str| {
            let mut sql = "CREATE DATABASE IF NOT EXISTS ".to_owned();
            self.quote(schema, &mut sql);
            sql.push_str(" CHARACTER SET utf8mb4 COLLATE ");
            sql.push_str(self.server.collation);
            sql
        };
        schemas.into_iter().map(create).collect()
    }

    /// A label that is a number would be taken for the position of one, and spaces at its end
    /// would be cut.
    fn refuse_table(&self, table: &Table) -> Option<String> {
        let enums = table.columns().iter().filter_map(|column| match column.logical_type() {
            SqlType::Enum(labels) if column.sql_type.is_none() => Some((column, labels)),
            _ => None,
        });
        for (column, labels) in enums {
            for label in labels.labels {
                let is_number = !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_digit());
                let why = match () {
                    () if is_number => "is a number, which means the label at that position",
                    () if label.ends_with(' ') => "ends with a space, which is cut",
                    () if label.chars().count() > 255 => "has more than 255 characters",
                    () => continue,
                };
                return Some(format!(
                    "`{}.{}` can't be an ENUM of {}: its label `{label}` {why}",
                    table.name(),
                    column.name,
                    self.server.name,
                ));
            }
        }
        None
    }

    /// Tables may reference each other in a circle.
    fn before_create(&self) -> Option<&'static str> {
        Some("SET FOREIGN_KEY_CHECKS = 0")
    }

    /// Tables that stay may reference the dropped ones, and these each other.
    fn before_drop(&self) -> Option<&'static str> {
        Some("SET FOREIGN_KEY_CHECKS = 0")
    }

    /// Whatever the schema calls it.
    fn primary_key_name(&self) -> Option<&'static str> {
        Some("PRIMARY")
    }
}

/// Appends a literal. A backslash escapes what follows it, unless the session says otherwise.
fn push_text(literal: &str, text: &mut String) {
    push_literal(&literal.replace('\\', r"\\"), text);
}

/// Whether the column is part of a key or an index, which a LONGTEXT can't be as a whole.
fn has_key(table: &Table, column: usize) -> bool {
    let uniques = table.uniques().iter().map(|unique| unique.columns.as_slice());
    let indexes = table.indexes().iter().map(|index| index.columns.as_slice());
    let foreign_keys = table.foreign_keys().iter().map(|key| key.columns());
    let keys = std::iter::once(table.primary_key()).chain(uniques).chain(indexes);
    keys.chain(foreign_keys).any(|key| key.contains(&column))
}

/// The column's length, or that of the column that it references.
fn declared_length(table: &Table, column: usize, depth: usize) -> Option<u32> {
    /// A chain of references that is longer is a circle.
    const LONGEST_CHAIN: usize = 16;
    if let Some(length) = table.columns()[column].facts.length {
        return Some(length);
    }
    if depth == LONGEST_CHAIN {
        return None;
    }
    table.foreign_keys().iter().find_map(|key| {
        let at = key.columns().iter().position(|&other| other == column)?;
        declared_length(key.target(), *key.referenced().get(at)?, depth + 1)
    })
}

/// The length of a text's VARCHAR; none where it is a LONGTEXT.
fn varchar_length(table: &Table, column: usize) -> Option<u32> {
    let wanted = |column: usize| {
        let declared = declared_length(table, column, 0);
        declared.or(has_key(table, column).then_some(KEYED_LENGTH))
    };
    let length = wanted(column).filter(|&length| length <= LONGEST_VARCHAR)?;
    if length <= KEYED_LENGTH || has_key(table, column) {
        return Some(length);
    }
    // Where all of them together don't fit into a row, the long ones are stored apart.
    let texts = (0..table.columns().len())
        .filter(|&column| table.columns()[column].logical_type() == SqlType::Text);
    let bytes: u32 = texts
        .filter_map(wanted)
        .filter(|&length| length <= LONGEST_VARCHAR)
        .map(|length| 4 * length + 2)
        .sum();
    (bytes <= ROW_BYTES.max(4 * length + 2)).then_some(length)
}

/// How many digits behind the point a column of decimals keeps; none where it keeps all.
#[cfg(feature = "decimal")]
fn decimal_scale(column: &ColumnDef) -> Option<u32> {
    let Some(spelled) = column.sql_type else {
        return column.facts.scale.or(column.facts.precision.map(|_| 0));
    };
    // The author's own spelling: `NUMERIC(10, 2)`; without digits a DECIMAL has none.
    let digits = spelled.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
    let scale = digits.and_then(|(digits, _)| digits.split_once(','));
    Some(scale.and_then(|(_, scale)| scale.trim().parse().ok()).unwrap_or(0))
}
