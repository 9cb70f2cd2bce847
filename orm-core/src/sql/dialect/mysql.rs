//! MySQL, 8.0.19 or later, and MariaDB, 10.5 or later.

use std::borrow::Cow;

use chrono::{Datelike, NaiveDate, NaiveTime, Timelike};

use super::dml::{types, write_delete, write_returning, write_tuples};
use super::{Capabilities, Dialect, push_literal, quote_with};
use crate::error::{Error, Result};
use crate::model::{ColumnDef, Table};
use crate::sql::dml::{DeleteRows, InsertRows, UpdateRows};
use crate::sql::expr::{Aggregate, BinaryOp, Expr, Function, OrderTerm, Source};
use crate::sql::isolation::Isolation;
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
    checks_each_row: true,
};

/// Without RETURNING, where keys count on from the first.
static CONSECUTIVE_KEYS: Capabilities = Capabilities {
    ordered_keys: true,
    returning_on_insert: false,
    returning_on_update: false,
    returning_on_delete: false,
    checks_each_row: true,
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
        Expr::Binary(left, _, right) => reads(left, table, column) || reads(right, table, column),
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
    /// say which key a row is a duplicate by. What is generated, or NULL, has no duplicate.
    fn is_only_key(table: &Table, key: &[usize], columns: &[usize]) -> bool {
        let is_same = |other: &[usize]| {
            other.len() == key.len() && other.iter().all(|column| key.contains(column))
        };
        let is_never_there = |column: &usize| {
            let definition = &table.columns()[*column];
            let is_null = definition.facts.nullable && definition.facts.server_default.is_none();
            !columns.contains(column) && (definition.autoincrement || is_null)
        };
        let uniques = table.uniques().iter().map(|unique| unique.columns.as_slice());
        let mut keys = std::iter::once(table.primary_key()).chain(uniques);
        keys.all(|other| is_same(other) || other.iter().any(is_never_there))
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

    /// The connection's own level is read committed.
    fn begin(&self, isolation: Isolation) -> &'static str {
        match isolation {
            Isolation::ReadCommitted => "START TRANSACTION",
            Isolation::RepeatableRead => {
                "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; START TRANSACTION"
            }
            Isolation::Serializable => {
                "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; START TRANSACTION"
            }
        }
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
            SqlType::Bytes if has_key(table, column) => {
                let length = declared_length(table, column, 0).unwrap_or(KEYED_LENGTH);
                return Cow::Owned(format!("VARBINARY({length})"));
            }
            SqlType::Bytes => "LONGBLOB",
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
                        return Cow::Owned(format!("DECIMAL({precision}, {})", scale.unwrap_or(0)));
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
                let is_number =
                    !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_digit());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Action, TableBuilder, Target};
    use crate::sql::ddl::{create_table, drop_table};
    use crate::sql::testing::{at, post_tags, posts, tags, users};
    use crate::sql::{
        ColumnRef, Select, Statement, max_rows, render_delete, render_insert, render_select,
        render_update,
    };
    use crate::value::EnumType;

    fn mariadb() -> &'static MySql {
        configured(&MARIADB, true, true, Naming::AsDeclared)
    }

    fn mysql() -> &'static MySql {
        configured(&MYSQL, true, true, Naming::AsDeclared)
    }

    #[track_caller]
    fn check(statement: Result<Statement>, expected: &str, binds: &[i64]) {
        let statement = statement.unwrap();
        assert_eq!(&*statement.text, expected);
        let values: Vec<_> = statement.binds.into_iter().map(|bind| bind.value).collect();
        assert_eq!(values, ints(binds));
    }

    fn ints(values: &[i64]) -> Vec<Value> {
        values.iter().copied().map(Value::Int).collect()
    }

    fn column(name: &str) -> Expr {
        Expr::Column(ColumnRef::scoped(users(), at(users(), name)))
    }

    fn int(value: i64) -> Expr {
        Expr::bind(Value::Int(value), SqlType::I64)
    }

    #[test]
    fn every_configuration_is_another_dialect() {
        for server in [&MARIADB, &MYSQL] {
            for (returning, keys) in [(true, true), (true, false), (false, true), (false, false)] {
                for naming in [Naming::AsDeclared, Naming::SnakeCase] {
                    let dialect = configured(server, returning, keys, naming);
                    let able = dialect.capabilities();
                    let gives_back = returning && server.name == "MariaDB";
                    assert_eq!(dialect.server.name, server.name);
                    assert_eq!(dialect.naming(), naming);
                    assert_eq!(able.returning_on_insert, gives_back);
                    assert_eq!(able.returning_on_delete, gives_back);
                    assert!(!able.returning_on_update);
                    assert_eq!(able.ordered_keys, gives_back || keys);
                }
            }
        }
    }

    fn rows(columns: &[&str], rows: usize, values: &[i64], returning: Vec<usize>) -> InsertRows {
        let columns = columns.iter().map(|name| at(users(), name)).collect();
        let values = ints(values);
        InsertRows { table: users(), columns, rows, values, returning, skip_existing: vec![] }
    }

    #[test]
    fn inserts() {
        let two = || rows(&["email", "age"], 2, &[1, 2, 3, 4], vec![0, 1]);
        check(
            render_insert(mariadb(), two()),
            "INSERT INTO `users` (`email`, `age`) VALUES (?, ?), (?, ?) RETURNING `id`, `created_at`",
            &[1, 2, 3, 4],
        );
        let without = configured(&MARIADB, false, true, Naming::AsDeclared);
        for dialect in [without, mysql()] {
            check(
                render_insert(dialect, two()),
                "INSERT INTO `users` (`email`, `age`) VALUES (?, ?), (?, ?)",
                &[1, 2, 3, 4],
            );
        }
        check(
            render_insert(mariadb(), rows(&[], 1, &[], vec![0])),
            "INSERT INTO `users` () VALUES () RETURNING `id`",
            &[],
        );
        check(
            render_insert(mysql(), rows(&[], 3, &[], vec![0])),
            "INSERT INTO `users` () VALUES (), (), ()",
            &[],
        );
        assert!(render_insert(mariadb(), rows(&["email"], 2, &[1], vec![])).is_err());
        assert_eq!(max_rows(mariadb(), 5), 500);
        assert_eq!(max_rows(mariadb(), 1_000), 65);
    }

    #[test]
    fn existing_rows_are_skipped() {
        let pairs = InsertRows {
            table: post_tags(),
            columns: vec![0, 1],
            rows: 2,
            values: ints(&[1, 2, 3, 4]),
            returning: vec![],
            skip_existing: vec![0, 1],
        };
        check(
            render_insert(mariadb(), pairs.clone()),
            "INSERT INTO `post_tags` (`post_id`, `tag_id`) VALUES (?, ?), (?, ?) \
             ON DUPLICATE KEY UPDATE `post_id` = `post_tags`.`post_id`",
            &[1, 2, 3, 4],
        );
        // Another unique key could be the duplicate one.
        let email = at(users(), "email");
        let rows = InsertRows {
            table: users(),
            columns: vec![0, email],
            skip_existing: vec![email],
            ..pairs
        };
        check(
            render_insert(mariadb(), rows.clone()),
            "INSERT INTO `users` (`id`, `email`) SELECT `orm_given`.`orm_c0`, `orm_given`.`orm_c1` \
             FROM (SELECT ? AS `orm_c0`, CAST(? AS CHAR) AS `orm_c1` UNION ALL \
             SELECT ?, CAST(? AS CHAR)) AS `orm_given` WHERE NOT EXISTS (SELECT 1 FROM `users` \
             WHERE `users`.`email` = `orm_given`.`orm_c1`)",
            &[1, 2, 3, 4],
        );
        // A generated key is no duplicate.
        let rows = InsertRows { columns: vec![email], values: ints(&[1, 2]), ..rows };
        check(
            render_insert(mariadb(), rows),
            "INSERT INTO `users` (`email`) VALUES (?), (?) \
             ON DUPLICATE KEY UPDATE `email` = `users`.`email`",
            &[1, 2],
        );
    }

    #[test]
    fn updates() {
        let age = at(users(), "age");
        let update = |dialect: &MySql, rows: usize, values: &[i64]| {
            let older = Expr::binary(column("age"), BinaryOp::Add, Expr::Integer(1));
            let update = UpdateRows {
                table: users(),
                key: vec![0, age],
                set: vec![at(users(), "boss_id"), at(users(), "email")],
                expressions: vec![(2, Expr::Authored("CURRENT_TIMESTAMP")), (age, older)],
                rows,
                values: ints(values),
                returning: vec![0, 2],
            };
            render_update(dialect, update)
        };
        let one = "UPDATE `users` SET `updated_at` = utc_timestamp(6), `age` = `users`.`age` + 1, \
                   `boss_id` = ?, `email` = ? WHERE `id` = ? AND `age` = ?";
        check(update(mariadb(), 1, &[1, 2, 3, 4]), one, &[3, 4, 1, 2]);
        check(update(mysql(), 1, &[1, 2, 3, 4]), one, &[3, 4, 1, 2]);
        let eight = [1, 2, 3, 4, 5, 6, 7, 8];
        let rest = " AS `orm_given` ON `users`.`id` = `orm_given`.`orm_k0` AND \
                    `users`.`age` = `orm_given`.`orm_k1` SET `updated_at` = utc_timestamp(6), \
                    `age` = `users`.`age` + 1, `boss_id` = `orm_given`.`orm_s0`, \
                    `email` = `orm_given`.`orm_s1`";
        let given = "UPDATE `users` JOIN (SELECT ? AS `orm_k0`, ? AS `orm_k1`, ? AS `orm_s0`, \
                     CAST(? AS CHAR) AS `orm_s1` UNION ALL SELECT ?, ?, ?, CAST(? AS CHAR))";
        check(update(mariadb(), 2, &eight), &format!("{given}{rest}"), &eight);
        let given = "UPDATE `users` JOIN (SELECT CAST(? AS SIGNED) AS `orm_k0`, \
                     CAST(? AS SIGNED) AS `orm_k1`, CAST(? AS SIGNED) AS `orm_s0`, \
                     CAST(? AS CHAR) AS `orm_s1` UNION ALL SELECT CAST(? AS SIGNED), \
                     CAST(? AS SIGNED), CAST(? AS SIGNED), CAST(? AS CHAR))";
        check(update(mysql(), 2, &eight), &format!("{given}{rest}"), &eight);
        assert!(update(mariadb(), 1, &[1]).is_err());
        assert!(update(mariadb(), 2, &[1]).is_err());
    }

    #[test]
    fn assignments_read_the_old_row_where_they_follow_each_other() {
        let columns = ["age", "boss_id"].map(|name| at(users(), name));
        let update = |dialect: &MySql, expressions| {
            let update = UpdateRows {
                table: users(),
                key: vec![0],
                set: vec![],
                expressions,
                rows: 1,
                values: ints(&[1]),
                returning: vec![],
            };
            render_update(dialect, update)
        };
        let chain = || vec![(columns[0], int(0)), (columns[1], column("age"))];
        let [age, boss] = ["`age` = ?", "`boss_id` = `users`.`age`"];
        check(
            update(mariadb(), chain()),
            &format!("UPDATE `users` SET {age}, {boss} WHERE `id` = ?"),
            &[0, 1],
        );
        check(
            update(mysql(), chain()),
            &format!("UPDATE `users` SET {boss}, {age} WHERE `id` = ?"),
            &[0, 1],
        );
        let swap = || vec![(columns[0], column("boss_id")), (columns[1], column("age"))];
        assert!(update(mariadb(), swap()).is_ok());
        let error = update(mysql(), swap()).unwrap_err();
        assert!(error.to_string().contains("`users`"), "{error}");
    }

    #[test]
    fn deletes() {
        let delete = |dialect: &MySql, table, key: &[usize], rows, values: &[i64]| {
            let (key, values) = (key.to_vec(), ints(values));
            render_delete(dialect, DeleteRows { table, key, rows, values, returning: vec![0] })
        };
        check(
            delete(mariadb(), users(), &[0], 1, &[1]),
            "DELETE FROM `users` WHERE `id` = ? RETURNING `id`",
            &[1],
        );
        check(
            delete(mysql(), users(), &[0], 3, &[1, 2, 3]),
            "DELETE FROM `users` WHERE `id` IN (?, ?, ?, ?)",
            &[1, 2, 3, 3],
        );
        check(
            delete(mariadb(), post_tags(), &[0, 1], 2, &[1, 2, 3, 4]),
            "DELETE FROM `post_tags` WHERE (`post_id`, `tag_id`) IN ((?, ?), (?, ?)) \
             RETURNING `post_id`",
            &[1, 2, 3, 4],
        );
        check(
            delete(mysql(), post_tags(), &[0, 1], 1, &[1, 2]),
            "DELETE FROM `post_tags` WHERE `post_id` = ? AND `tag_id` = ?",
            &[1, 2],
        );
    }

    /// Checks an expression as the only column of a query on users.
    #[track_caller]
    fn check_expr(expr: Expr, expected: &str) {
        let mut select = Select::from(users());
        select.columns = vec![(expr, None)];
        let statement = render_select(mariadb(), &select).unwrap();
        assert_eq!(&*statement.text, format!("SELECT {expected} FROM `users`"));
    }

    #[test]
    fn expressions() {
        let age = "`users`.`age`";
        let divided = |by| Expr::binary(column("age"), BinaryOp::Divide, by);
        check_expr(divided(int(2)), &format!("{age} DIV ?"));
        let half = Expr::bind(Value::Double(0.5), SqlType::F64);
        check_expr(divided(half), &format!("{age} / ?"));
        let greeting = Expr::bind(Value::Text("hi ".into()), SqlType::Text);
        check_expr(
            Expr::binary(greeting.clone(), BinaryOp::Concat, column("email")),
            "concat(?, `users`.`email`)",
        );
        check_expr(
            Expr::Function(Function::Length, vec![column("email")]),
            "char_length(`users`.`email`)",
        );
        let aggregate = |function, distinct| Expr::Aggregate {
            function,
            operand: Some(Box::new(column("age"))),
            distinct,
        };
        check_expr(aggregate(Aggregate::Sum, false), &format!("sum({age})"));
        check_expr(aggregate(Aggregate::Avg, false), &format!("avg(CAST({age} AS DOUBLE))"));
        check_expr(aggregate(Aggregate::Count, true), &format!("count(DISTINCT {age})"));
        let count = Expr::Aggregate { function: Aggregate::Count, operand: None, distinct: false };
        check_expr(count, "count(*)");
        let like = Expr::Like { operand: Box::new(column("email")), pattern: Box::new(greeting) };
        check_expr(like, "`users`.`email` LIKE ? ESCAPE '!'");
        let keys = |columns: &[usize], keys: &[&[i64]]| Expr::Keys {
            columns: columns.iter().map(|&column| ColumnRef::scoped(users(), column)).collect(),
            keys: keys.iter().map(|key| ints(key)).collect(),
        };
        check_expr(keys(&[0], &[]), "1 = 0");
        check_expr(keys(&[0], &[&[1], &[2], &[3]]), "`users`.`id` IN (?, ?, ?, ?)");
        check_expr(
            keys(&[0, 4], &[&[1, 2], &[3, 4]]),
            "(`users`.`id`, `users`.`age`) IN ((?, ?), (?, ?))",
        );
    }

    /// A document is bound as one where that is a type of its own.
    #[test]
    fn documents_are_cast_on_mysql() {
        let documents = TableBuilder::plain("documents", "Document")
            .column(ColumnDef::new::<i64>("id", "id").primary_key())
            .column(ColumnDef::new::<serde_json::Value>("body", "body"))
            .build();
        let table: &'static Table = Box::leak(Box::new(documents));
        let insert = |dialect| {
            let columns = vec![0, 1];
            let (values, returning) = (ints(&[1, 2]), vec![]);
            let skip_existing = vec![];
            let rows = InsertRows { table, columns, rows: 1, values, returning, skip_existing };
            render_insert(dialect, rows)
        };
        let start = "INSERT INTO `documents` (`id`, `body`) VALUES ";
        check(insert(mariadb()), &format!("{start}(?, ?)"), &[1, 2]);
        check(insert(mysql()), &format!("{start}(?, CAST(? AS JSON))"), &[1, 2]);
        let update = |dialect| {
            let (key, set, expressions) = (vec![0], vec![1], vec![]);
            let (values, returning) = (ints(&[1, 2, 3, 4]), vec![]);
            let rows = UpdateRows { table, key, set, expressions, rows: 2, values, returning };
            render_update(dialect, rows).unwrap().text
        };
        let cast = "SELECT CAST(? AS SIGNED), CAST(? AS JSON)) AS";
        assert!(update(mysql()).contains(cast), "{}", update(mysql()));
        assert!(update(mariadb()).contains("SELECT ?, CAST(? AS CHAR)) AS"));
    }

    #[test]
    fn orders_and_pages() {
        let mut select = Select::from(users());
        for (descending, nulls_first, expected) in [
            (false, None, "`users`.`age` ASC"),
            (true, None, "`users`.`age` DESC"),
            // The server's own habit.
            (false, Some(true), "`users`.`age` ASC"),
            (true, Some(false), "`users`.`age` DESC"),
            (false, Some(false), "`users`.`age` IS NULL ASC, `users`.`age` ASC"),
            (true, Some(true), "`users`.`age` IS NULL DESC, `users`.`age` DESC"),
        ] {
            select.order_by = vec![OrderTerm { expr: column("age"), descending, nulls_first }];
            let statement = render_select(mariadb(), &select).unwrap();
            assert_eq!(&*statement.text, format!("SELECT 1 FROM `users` ORDER BY {expected}"));
        }
        select.order_by.clear();
        select.limit = Some(20);
        check(render_select(mariadb(), &select), "SELECT 1 FROM `users` LIMIT ?", &[20]);
        select.offset = Some(40);
        let both = "SELECT 1 FROM `users` LIMIT ? OFFSET ?";
        check(render_select(mariadb(), &select), both, &[20, 40]);
        select.limit = None;
        check(
            render_select(mariadb(), &select),
            "SELECT 1 FROM `users` LIMIT 18446744073709551615 OFFSET ?",
            &[40],
        );
    }

    #[track_caller]
    fn check_table(dialect: &MySql, table: &Table, expected: &str) {
        let statements = create_table(dialect, table, &[]);
        let texts: Vec<_> = statements.iter().map(|statement| &*statement.text).collect();
        assert_eq!(texts, [expected]);
    }

    #[test]
    fn a_table_with_everything() {
        check_table(
            mariadb(),
            users(),
            "CREATE TABLE IF NOT EXISTS `users` (
    `id` BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    `created_at` DATETIME(6) NOT NULL DEFAULT (utc_timestamp(6)),
    `updated_at` DATETIME(6) NOT NULL DEFAULT (utc_timestamp(6)),
    `email` VARCHAR(64) NOT NULL,
    `age` INT,
    `mood` ENUM('happy', 'it''s ok') NOT NULL DEFAULT 'happy',
    `boss_id` BIGINT,
    CONSTRAINT `uq_users_email` UNIQUE (`email`),
    CONSTRAINT `fk_users_boss_id` FOREIGN KEY (`boss_id`) REFERENCES `users` (`id`) ON DELETE SET NULL,
    CONSTRAINT `ck_users_age` CHECK (`age` >= 0),
    CONSTRAINT `ck_users_1` CHECK (length(email) > 2)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin",
        );
        check_table(
            mysql(),
            tags(),
            "CREATE TABLE IF NOT EXISTS `tags` (
    `id` BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    `created_at` DATETIME(6) NOT NULL DEFAULT (utc_timestamp(6)),
    `updated_at` DATETIME(6) NOT NULL DEFAULT (utc_timestamp(6)),
    `name` VARCHAR(255) NOT NULL,
    CONSTRAINT `uq_tags_name` UNIQUE (`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin",
        );
        check_table(
            mariadb(),
            posts(),
            "CREATE TABLE IF NOT EXISTS `posts` (
    `id` BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    `created_at` DATETIME(6) NOT NULL DEFAULT (utc_timestamp(6)),
    `updated_at` DATETIME(6) NOT NULL DEFAULT (utc_timestamp(6)),
    `title` LONGTEXT NOT NULL,
    `user_id` BIGINT NOT NULL,
    CONSTRAINT `fk_posts_user_id` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE CASCADE,
    INDEX `ix_posts_user_id` (`user_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin",
        );
        let drop = drop_table(mariadb(), posts()).text;
        assert_eq!(&*drop, "DROP TABLE IF EXISTS `posts`");
    }

    static MARKS: EnumType = EnumType { name: "marks", labels: &[r"a\b", "it's"] };

    #[test]
    fn literals_are_escaped() {
        let mut mark = ColumnDef::new::<String>("mark", "mark").comment(r"it's \ here");
        mark.facts.sql_type = SqlType::Enum(&MARKS);
        let number = ColumnDef::new::<i32>("no", "no").primary_key().autoincrement();
        let table = TableBuilder::plain("b`ills", "Bill")
            .schema("shop")
            .comment(r"\'")
            .column(number.sql_type("INT UNSIGNED"))
            .column(mark)
            .column(ColumnDef::new::<String>("note", "note").server_default("'x'"))
            .build();
        check_table(
            mariadb(),
            &table,
            r"CREATE TABLE IF NOT EXISTS `shop`.`b``ills` (
    `no` INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    `mark` ENUM('a\\b', 'it''s') NOT NULL COMMENT 'it''s \\ here',
    `note` LONGTEXT NOT NULL DEFAULT ('x')
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin COMMENT='\\'''",
        );
        let table: &'static Table = Box::leak(Box::new(table));
        assert_eq!(
            mysql().create_types(&[table, users(), table]),
            ["CREATE DATABASE IF NOT EXISTS `shop` CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin"],
        );
    }

    fn parents() -> &'static Table {
        static TABLE: std::sync::OnceLock<Table> = std::sync::OnceLock::new();
        TABLE.get_or_init(|| {
            TableBuilder::plain("parents", "Parent")
                .column(ColumnDef::new::<String>("code", "code").primary_key().length(40))
                .build()
        })
    }

    #[test]
    fn types_of_texts_and_bytes() {
        let text = |name| ColumnDef::new::<String>(name, name);
        let bytes = |name| ColumnDef::new::<Vec<u8>>(name, name);
        let (target, no_action) = (Target::PrimaryKey(parents), Action::NoAction);
        let table = TableBuilder::plain("t", "T")
            .column(text("key").primary_key())
            .column(text("unique").unique())
            .column(text("indexed").index())
            .column(text("parent"))
            .column(text("free"))
            .column(text("short").length(100))
            .column(text("long").length(9_000))
            .column(text("endless").length(16_384))
            .column(bytes("bytes"))
            .column(bytes("bytes_key").unique())
            .column(bytes("few").length(20))
            .column(bytes("few_key").length(20).index())
            .foreign_key(&["parent"], target, no_action, no_action)
            .build();
        for (name, expected) in [
            ("key", "VARCHAR(255)"),
            ("unique", "VARCHAR(255)"),
            ("indexed", "VARCHAR(255)"),
            ("parent", "VARCHAR(40)"),
            ("free", "LONGTEXT"),
            ("short", "VARCHAR(100)"),
            ("long", "VARCHAR(9000)"),
            ("endless", "LONGTEXT"),
            ("bytes", "LONGBLOB"),
            ("bytes_key", "VARBINARY(255)"),
            ("few", "LONGBLOB"),
            ("few_key", "VARBINARY(20)"),
        ] {
            assert_eq!(mariadb().column_type(&table, at(&table, name)), expected, "{name}");
        }
        // Two long ones don't fit into one row; keys stay in it.
        let table = TableBuilder::plain("t", "T")
            .column(text("key").primary_key().length(700))
            .column(text("one").length(9_000))
            .column(text("two").length(9_000))
            .build();
        let types = [0, 1, 2].map(|column| mariadb().column_type(&table, column));
        assert_eq!(types, ["VARCHAR(700)", "LONGTEXT", "LONGTEXT"]);
    }

    #[cfg(feature = "decimal")]
    #[test]
    fn decimals_read_back_with_the_digits_of_their_column() {
        use rust_decimal::Decimal;
        let column = || ColumnDef::new::<Decimal>("v", "v");
        let stored = |column: &ColumnDef, digits, scale| {
            mariadb().stored(column, &Value::Decimal(Decimal::new(digits, scale)))
        };
        let read = |digits, scale| Some(Value::Decimal(Decimal::new(digits, scale)));
        assert_eq!(stored(&column(), 150, 2), read(15, 1));
        assert_eq!(stored(&column(), 15, 1), None);
        let two = column().precision(10).scale(2);
        assert_eq!(stored(&two, 15, 1), read(150, 2));
        assert_eq!(stored(&two, 150, 2), None);
        assert_eq!(stored(&column().precision(10), 7, 0), None);
        assert_eq!(stored(&column().sql_type("NUMERIC(8, 3)"), 15, 1), read(1_500, 3));
        assert_eq!(stored(&column().sql_type("DECIMAL"), 7, 0), None);
        let types = [column(), two, column().precision(5), column().scale(3)].map(|column| {
            let key = ColumnDef::new::<i64>("id", "id").primary_key();
            let table = TableBuilder::plain("t", "T").column(key).column(column).build();
            mariadb().column_type(&table, 1)
        });
        assert_eq!(types, [ANY_DECIMAL, "DECIMAL(10, 2)", "DECIMAL(5, 0)", "DECIMAL(32, 3)"]);
    }
}
