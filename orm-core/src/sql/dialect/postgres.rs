//! PostgreSQL, 12 or later.
//!
//! Many rows travel as one array per column and are unfolded by `unnest`, so that one text, which
//! is prepared once, serves every number of rows. A prepared statement is known by its text alone:
//! each placeholder has a cast, so that one text always has the same types.

use std::borrow::Cow;
use std::fmt::Write as _;

use chrono::{Datelike, NaiveDate, NaiveTime, Timelike};
use serde_json::Value as Document;

use super::dml::{self, arity, write_update_of_one};
use super::{Capabilities, Dialect, push_literal, quote_with};
use crate::error::Result;
use crate::model::{ColumnDef, Table};
use crate::sql::dml::{DeleteRows, InsertRows, UpdateRows};
use crate::sql::expr::{Aggregate, BinaryOp, ColumnRef, Expr, Function};
use crate::sql::names;
use crate::sql::naming::Naming;
use crate::sql::statement::Bind;
use crate::sql::writer::Writer;
use crate::value::{EnumType, SqlType, Value};

/// The dialect of PostgreSQL.
#[derive(Debug)]
pub(crate) struct Postgres {
    naming: Naming,
}

/// With names as declared.
pub(crate) static POSTGRES: Postgres = Postgres { naming: Naming::AsDeclared };

/// With names in snake_case.
static SNAKE_CASE: Postgres = Postgres { naming: Naming::SnakeCase };

/// The dialect with names of a spelling.
pub(crate) fn named(naming: Naming) -> &'static Postgres {
    match naming {
        Naming::AsDeclared => &POSTGRES,
        Naming::SnakeCase => &SNAKE_CASE,
    }
}

/// The table of given rows inside a write. Unlikely to be a user's table, which it would hide.
const GIVEN: &str = "orm_given";

/// Makes changes of a schema wait for each other, until the transaction ends: PostgreSQL's own
/// `IF NOT EXISTS` fails when two create the same at the same time. The number is ours.
const LOCK: &str = "pg_advisory_xact_lock(31369536492299372)";

/// The same as a statement.
const LOCK_SCHEMA: &str = "SELECT pg_advisory_xact_lock(31369536492299372)";

const NO_NUL: &str = "PostgreSQL's texts can't hold the character NUL";

const NO_NUL_IN_JSON: &str = "PostgreSQL's JSON documents can't hold the character NUL";

const TOO_EARLY: &str = "PostgreSQL's calendar begins on 24 November 4714 BC";

/// The first day of PostgreSQL's calendar, -4713-11-24 as astronomers count years. Its last one is
/// behind chrono's.
fn refuse_date(date: NaiveDate) -> Option<&'static str> {
    ((date.year(), date.month(), date.day()) < (-4713, 11, 24)).then_some(TOO_EARLY)
}

/// chrono counts a leap second as a second of more than a billion nanoseconds.
fn refuse_time(time: NaiveTime) -> Option<&'static str> {
    (time.nanosecond() >= 1_000_000_000).then_some("a leap second can't be stored")
}

/// Whether a text inside a document holds the character NUL.
fn has_nul(document: &Document) -> bool {
    match document {
        Document::String(text) => text.contains('\0'),
        Document::Array(items) => items.iter().any(has_nul),
        Document::Object(fields) => {
            fields.iter().any(|(key, value)| key.contains('\0') || has_nul(value))
        }
        _ => false,
    }
}

/// An identifier between quotes.
fn quoted(identifier: &str) -> String {
    let mut text = String::with_capacity(identifier.len() + 2);
    quote_with('"', identifier, &mut text);
    text
}

/// A text as a literal.
fn literal(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    push_literal(text, &mut quoted);
    quoted
}

/// A block of the server's own language, as one statement.
fn block(body: &str) -> String {
    let mut tag = "$orm$".to_owned();
    while body.contains(&tag) {
        tag.insert(1, '_');
    }
    format!("DO {tag}\n{body}{tag}")
}

/// The type of a value in a cast.
fn type_name(sql_type: SqlType) -> Cow<'static, str> {
    Cow::Borrowed(match sql_type {
        SqlType::Bool => "bool",
        SqlType::I16 | SqlType::U8 => "int2",
        SqlType::I32 | SqlType::U16 => "int4",
        SqlType::I64 | SqlType::U32 => "int8",
        SqlType::F32 => "float4",
        SqlType::F64 => "float8",
        SqlType::Text => "text",
        SqlType::Bytes => "bytea",
        SqlType::Date => "date",
        SqlType::Time => "time",
        SqlType::DateTime => "timestamp",
        SqlType::Timestamp => "timestamptz",
        SqlType::Json => "jsonb",
        #[cfg(feature = "uuid")]
        SqlType::Uuid => "uuid",
        #[cfg(feature = "decimal")]
        SqlType::Decimal => "numeric",
        SqlType::Enum(labels) => return Cow::Owned(quoted(labels.name)),
        SqlType::Array(element) => return Cow::Owned(format!("{}[]", type_name(*element))),
    })
}

/// The type that the values of a column have on their way, one per row: what `unnest` would take
/// apart, or what the driver has no number for, travels as text.
fn row_type(sql_type: SqlType) -> Cow<'static, str> {
    match sql_type {
        SqlType::Enum(_) | SqlType::Array(_) => Cow::Borrowed("text"),
        sql_type => type_name(sql_type),
    }
}

/// The type that makes an enum of a text, or an array of a text or of texts, where the schema's
/// author may have spelled the column's type.
fn cast_from_text(sql_type: SqlType, declared: Option<&'static str>) -> Option<Cow<'static, str>> {
    // A cast to VARCHAR(3) would cut what is longer without a word.
    const TEXTS: [&str; 3] = ["CHAR", "VARCHAR", "TEXT"];
    let starts_with = |spelled: &str, word: &str| {
        spelled.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
    };
    match (sql_type, declared) {
        (SqlType::Enum(_), Some(spelled))
            if TEXTS.iter().any(|word| starts_with(spelled.trim_start(), word)) =>
        {
            None
        }
        (SqlType::Enum(_), Some(spelled)) => Some(Cow::Borrowed(spelled)),
        (SqlType::Enum(_) | SqlType::Array(_), _) => Some(type_name(sql_type)),
        _ => None,
    }
}

/// The type that makes a column's values of those that travelled as text.
fn column_cast(column: &ColumnDef) -> Option<Cow<'static, str>> {
    cast_from_text(column.logical_type(), column.sql_type)
}

/// A bind that is compared with a column.
fn bind_to(column: &ColumnRef, bind: &Bind) -> Bind {
    Bind { declared: column.table.columns()[column.column].sql_type, ..bind.clone() }
}

/// The type of an expression's values, where it matters and can be told.
fn type_of(expr: &Expr) -> Option<SqlType> {
    match expr {
        Expr::Column(column) => Some(column.sql_type()),
        Expr::Bind(bind) => Some(bind.sql_type),
        Expr::Binary(left, op, right) if op.is_arithmetic() => {
            type_of(left).or_else(|| type_of(right))
        }
        Expr::Negate(operand) => type_of(operand),
        Expr::Function(Function::Abs | Function::Coalesce, arguments) => {
            arguments.iter().find_map(type_of)
        }
        Expr::Function(Function::Length, _) => Some(SqlType::I64),
        _ => None,
    }
}

fn is_integer(sql_type: SqlType) -> bool {
    matches!(
        sql_type,
        SqlType::I16 | SqlType::I32 | SqlType::I64 | SqlType::U8 | SqlType::U16 | SqlType::U32
    )
}

fn is_float(sql_type: SqlType) -> bool {
    matches!(sql_type, SqlType::F32 | SqlType::F64)
}

/// Values row after row as columns.
fn columns_of(
    table: &Table,
    values: Vec<Value>,
    width: usize,
    rows: usize,
) -> Result<Vec<Vec<Value>>> {
    if values.len() != width * rows {
        return Err(arity(table));
    }
    let mut columns: Vec<_> = (0..width).map(|_| Vec::with_capacity(rows)).collect();
    for (at, value) in values.into_iter().enumerate() {
        columns[at % width].push(value);
    }
    Ok(columns)
}

/// Columns of given rows, as the table inside a write names them.
struct Given<'t> {
    table: &'t Table,
    /// The positions of the columns in the table.
    columns: Vec<usize>,
}

impl Given<'_> {
    /// `unnest($1::int8[], $2::text[])`.
    fn write_values(&self, w: &mut Writer<'_>, values: Vec<Value>, rows: usize) -> Result<()> {
        let values = columns_of(self.table, values, self.columns.len(), rows)?;
        w.push("unnest(");
        for (at, (&column, values)) in self.columns.iter().zip(values).enumerate() {
            w.push(if at == 0 { "" } else { ", " });
            w.bind_column(values, self.table.columns()[column].logical_type());
        }
        w.push(")");
        Ok(())
    }

    /// `AS "orm_given" ("c0", "c1")`, with a further column for the row's number if asked for.
    fn write_alias(&self, w: &mut Writer<'_>, numbered: bool) {
        w.push(" AS ");
        w.identifier(GIVEN);
        w.push(" (");
        for at in 0..self.columns.len() {
            w.push(if at == 0 { "" } else { ", " });
            w.identifier(&format!("c{at}"));
        }
        if numbered {
            w.push(", ");
            w.identifier("n");
        }
        w.push(")");
    }

    /// The value of one of the columns.
    fn write_value(&self, w: &mut Writer<'_>, at: usize) {
        w.qualified(GIVEN, &format!("c{at}"));
        if let Some(cast) = column_cast(&self.table.columns()[self.columns[at]]) {
            w.push("::");
            w.push(&cast);
        }
    }

    /// `t.a = orm_given.c0 AND …` for the first columns.
    fn write_match(&self, w: &mut Writer<'_>, label: &str, width: usize) {
        for at in 0..width {
            w.push(if at == 0 { "" } else { " AND " });
            w.qualified_column(label, &self.table.columns()[self.columns[at]]);
            w.push(" = ");
            self.write_value(w, at);
        }
    }
}

/// ` RETURNING t.a, t.b`: the given rows are in sight too.
fn write_qualified_returning(w: &mut Writer<'_>, table: &Table, returning: &[usize]) {
    let label = w.dialect().table_label(table);
    for (at, &column) in returning.iter().enumerate() {
        w.push(if at == 0 { " RETURNING " } else { ", " });
        w.qualified_column(&label, &table.columns()[column]);
    }
}

/// ` = ANY($1::int8[])` for the values of a column.
fn write_any(
    w: &mut Writer<'_>,
    comparison: &str,
    column: Option<&ColumnDef>,
    values: Vec<Value>,
    sql_type: SqlType,
) {
    w.push(comparison);
    w.bind_column(values, sql_type);
    let cast = match column {
        Some(column) => column_cast(column),
        None => matches!(sql_type, SqlType::Enum(_)).then(|| type_name(sql_type)),
    };
    if let Some(cast) = cast {
        w.push("::");
        w.push(&cast);
        w.push("[]");
    }
    w.push(")");
}

/// The enum types of the columns, each once.
fn enum_types(tables: &[&'static Table]) -> Vec<&'static EnumType> {
    let mut types: Vec<&'static EnumType> = Vec::new();
    let columns = tables.iter().flat_map(|table| table.columns());
    for column in columns.filter(|column| column.sql_type.is_none()) {
        let found = match column.logical_type() {
            SqlType::Enum(found) => found,
            SqlType::Array(SqlType::Enum(found)) => *found,
            _ => continue,
        };
        if types.iter().all(|known| known.name != found.name) {
            types.push(found);
        }
    }
    types
}

/// Creates a type unless there is one of its name, and else adds the labels that it lacks, each
/// behind the one that it follows.
fn create_type(of: &EnumType) -> String {
    let name = quoted(of.name);
    let labels: Vec<String> = of.labels.iter().map(|label| literal(label)).collect();
    let labels = labels.join(", ");
    let named = literal(&name);
    block(&format!(
        "DECLARE
    given CONSTANT text[] := ARRAY[{labels}]::text[];
    known oid;
    least name;
BEGIN
    PERFORM {LOCK};
    known := to_regtype({named});
    IF known IS NULL THEN
        CREATE TYPE {name} AS ENUM ({labels});
        RETURN;
    END IF;
    FOR at IN 1 .. coalesce(array_length(given, 1), 0) LOOP
        CONTINUE WHEN EXISTS (
            SELECT FROM pg_enum WHERE enumtypid = known AND enumlabel = given[at]
        );
        SELECT enumlabel INTO least FROM pg_enum WHERE enumtypid = known
            ORDER BY enumsortorder LIMIT 1;
        EXECUTE 'ALTER TYPE ' || {named} || ' ADD VALUE ' || quote_literal(given[at])
            || CASE WHEN at > 1 THEN ' AFTER ' || quote_literal(given[at - 1])
                    WHEN least IS NOT NULL THEN ' BEFORE ' || quote_literal(least)
                    ELSE '' END;
    END LOOP;
END
"
    ))
}

impl Dialect for Postgres {
    fn capabilities(&self) -> &'static Capabilities {
        &Capabilities {
            ordered_keys: true,
            returning_on_insert: true,
            returning_on_update: true,
            returning_on_delete: true,
        }
    }

    fn naming(&self) -> Naming {
        self.naming
    }

    fn max_binds(&self) -> usize {
        65_535
    }

    fn max_rows(&self) -> usize {
        1_000
    }

    /// The rows of a statement share one bind per column.
    fn binds_per_row(&self, _columns: usize) -> usize {
        1
    }

    /// Enums are sent as the texts of their labels, which have the same type on every database.
    fn placeholder(&self, number: usize, bind: &Bind, text: &mut String) {
        let Bind { sql_type, per_row, declared, .. } = *bind;
        let sent = row_type(sql_type);
        // Writing into a text can't fail.
        let _ = match sql_type {
            _ if per_row => write!(text, "${number}::{sent}[]"),
            SqlType::Enum(_) => write!(text, "${number}::text"),
            SqlType::Array(SqlType::Enum(_)) => write!(text, "${number}::text[]"),
            _ => write!(text, "${number}::{}", type_name(sql_type)),
        };
        if !per_row
            && let SqlType::Enum(_) | SqlType::Array(SqlType::Enum(_)) = sql_type
            && let Some(cast) = cast_from_text(sql_type, declared)
        {
            let _ = write!(text, "::{cast}");
        }
    }

    fn current_timestamp(&self) -> &'static str {
        "statement_timestamp()"
    }

    /// Sums of integers are an i64 and averages an f64, on every database.
    fn stored_as(&self, expr: &Expr) -> Option<&'static str> {
        let Expr::Aggregate { function, operand: Some(operand), .. } = expr else { return None };
        let operand = type_of(operand)?;
        match function {
            Aggregate::Sum if is_integer(operand) => Some("int8"),
            Aggregate::Avg if !is_float(operand) => Some("float8"),
            _ => None,
        }
    }

    /// Floats have no remainder on PostgreSQL.
    fn write_binary(
        &self,
        w: &mut Writer<'_>,
        left: &Expr,
        op: BinaryOp,
        right: &Expr,
    ) -> Result<()> {
        let of_floats = || type_of(left).or_else(|| type_of(right)).is_some_and(is_float);
        if op != BinaryOp::Remainder || !of_floats() {
            return match (left, right) {
                (Expr::Column(column), Expr::Bind(bind)) => {
                    w.infix(left, op, op.symbol(), &Expr::Bind(bind_to(column, bind)))
                }
                (Expr::Bind(bind), Expr::Column(column)) => {
                    w.infix(&Expr::Bind(bind_to(column, bind)), op, op.symbol(), right)
                }
                _ => w.infix(left, op, op.symbol(), right),
            };
        }
        for (before, operand) in [("((", left), (") - (", right), (") * trunc((", left)] {
            w.push(before);
            w.expr(operand)?;
        }
        w.push(") / (");
        w.expr(right)?;
        w.push(")))");
        Ok(())
    }

    /// Single floats are added up as doubles, which is what their sum is.
    fn write_aggregate(
        &self,
        w: &mut Writer<'_>,
        function: Aggregate,
        operand: Option<&Expr>,
        distinct: bool,
    ) -> Result<()> {
        w.push(match function {
            Aggregate::Count => "count(",
            Aggregate::Sum => "sum(",
            Aggregate::Avg => "avg(",
            Aggregate::Min => "min(",
            Aggregate::Max => "max(",
        });
        w.push(if distinct { "DISTINCT " } else { "" });
        match operand {
            Some(operand)
                if function == Aggregate::Sum && type_of(operand) == Some(SqlType::F32) =>
            {
                w.push("CAST(");
                w.expr(operand)?;
                w.push(" AS float8)");
            }
            Some(operand) => w.expr(operand)?,
            None => w.push("*"),
        }
        w.push(")");
        Ok(())
    }

    /// All lists share one text.
    fn write_in(
        &self,
        w: &mut Writer<'_>,
        operand: &Expr,
        list: &[Expr],
        negated: bool,
    ) -> Result<()> {
        let Some(Expr::Bind(Bind { sql_type, .. })) = list.first() else {
            return w.in_list(operand, list, negated);
        };
        let values: Option<Vec<Value>> = list
            .iter()
            .map(|item| match item {
                Expr::Bind(bind) if bind.sql_type == *sql_type && !bind.per_row => {
                    Some(bind.value.clone())
                }
                _ => None,
            })
            .collect();
        match values {
            Some(values) if !matches!(sql_type, SqlType::Array(_)) => {
                let column = match operand {
                    Expr::Column(column) => Some(&column.table.columns()[column.column]),
                    _ => None,
                };
                w.comparand(operand)?;
                let comparison = if negated { " <> ALL(" } else { " = ANY(" };
                write_any(w, comparison, column, values, *sql_type);
                Ok(())
            }
            _ => w.in_list(operand, list, negated),
        }
    }

    /// All lists share one text.
    fn write_keys(
        &self,
        w: &mut Writer<'_>,
        columns: &[ColumnRef],
        keys: Vec<Vec<Value>>,
    ) -> Result<()> {
        let rows = keys.len();
        let values: Vec<Value> = keys.into_iter().flatten().collect();
        match columns {
            _ if rows == 0 => w.push("1 = 0"),
            [column] if !matches!(column.sql_type(), SqlType::Array(_)) => {
                w.column(column)?;
                let definition = &column.table.columns()[column.column];
                write_any(w, " = ANY(", Some(definition), values, column.sql_type());
            }
            [first, ..] => {
                w.push("(");
                w.list(columns, Writer::column)?;
                w.push(") IN (SELECT ");
                let positions = columns.iter().map(|column| column.column).collect();
                let given = Given { table: first.table, columns: positions };
                for at in 0..columns.len() {
                    w.push(if at == 0 { "" } else { ", " });
                    given.write_value(w, at);
                }
                w.push(" FROM ");
                given.write_values(w, values, rows)?;
                given.write_alias(w, false);
                w.push(")");
            }
            [] => w.push("1 = 0"),
        }
        Ok(())
    }

    fn write_insert(&self, w: &mut Writer<'_>, rows: InsertRows) -> Result<()> {
        let InsertRows { table, columns, rows, values, returning, skip_existing } = rows;
        w.push("INSERT INTO ");
        w.table_path(table);
        if columns.is_empty() && rows == 1 {
            w.push(" DEFAULT VALUES");
        } else if rows == 1 {
            if values.len() != columns.len() {
                return Err(arity(table));
            }
            w.push(" (");
            w.column_names(table, &columns);
            w.push(") VALUES (");
            for (at, (&column, value)) in columns.iter().zip(values).enumerate() {
                w.push(if at == 0 { "" } else { ", " });
                w.bind_to(value, &table.columns()[column]);
            }
            w.push(")");
        } else if columns.is_empty() {
            w.push(" SELECT FROM generate_series(1, ");
            w.count(u64::try_from(rows).unwrap_or(u64::MAX));
            w.push(")");
        } else {
            w.push(" (");
            w.column_names(table, &columns);
            w.push(") SELECT ");
            let given = Given { table, columns };
            for at in 0..given.columns.len() {
                w.push(if at == 0 { "" } else { ", " });
                given.write_value(w, at);
            }
            w.push(" FROM ");
            given.write_values(w, values, rows)?;
            w.push(" WITH ORDINALITY");
            given.write_alias(w, true);
            // Keys are generated in this order.
            w.push(" ORDER BY ");
            w.qualified(GIVEN, "n");
        }
        if !skip_existing.is_empty() {
            self.write_skip_existing(w, table, &skip_existing);
        }
        dml::write_returning(w, table, &returning);
        Ok(())
    }

    fn write_update(&self, w: &mut Writer<'_>, rows: UpdateRows) -> Result<()> {
        if rows.rows == 1 {
            return write_update_of_one(w, rows);
        }
        let UpdateRows { table, key, set, expressions, rows, values, returning } = rows;
        let columns = key.iter().chain(&set).copied().collect();
        let given = Given { table, columns };
        w.push("UPDATE ");
        w.table_path(table);
        w.push(" SET ");
        let mut separator = "";
        for at in key.len()..given.columns.len() {
            w.push(separator);
            w.column_name(&table.columns()[given.columns[at]]);
            w.push(" = ");
            given.write_value(w, at);
            separator = ", ";
        }
        w.assignments(table, &expressions, separator)?;
        w.push(" FROM ");
        given.write_values(w, values, rows)?;
        given.write_alias(w, false);
        w.push(" WHERE ");
        given.write_match(w, &self.table_label(table), key.len());
        write_qualified_returning(w, table, &returning);
        Ok(())
    }

    fn write_delete(&self, w: &mut Writer<'_>, rows: DeleteRows) -> Result<()> {
        if rows.rows <= 1 {
            return dml::write_delete(self.composite_list(), self.max_binds(), w, rows);
        }
        let DeleteRows { table, key, rows, values, returning } = rows;
        w.push("DELETE FROM ");
        w.table_path(table);
        let single = match &*key {
            [only] => Some(&table.columns()[*only]),
            _ => None,
        };
        match single {
            Some(column) if !matches!(column.logical_type(), SqlType::Array(_)) => {
                if values.len() != rows {
                    return Err(arity(table));
                }
                w.push(" WHERE ");
                w.column_name(column);
                write_any(w, " = ANY(", Some(column), values, column.logical_type());
                dml::write_returning(w, table, &returning);
            }
            _ => {
                let given = Given { table, columns: key };
                w.push(" USING ");
                given.write_values(w, values, rows)?;
                given.write_alias(w, false);
                w.push(" WHERE ");
                given.write_match(w, &self.table_label(table), given.columns.len());
                write_qualified_returning(w, table, &returning);
            }
        }
        Ok(())
    }

    fn refusal(&self, value: &Value) -> Option<&'static str> {
        match value {
            Value::Text(text) => text.contains('\0').then_some(NO_NUL),
            Value::Label(label) => label.contains('\0').then_some(NO_NUL),
            Value::Json(document) => has_nul(document).then_some(NO_NUL_IN_JSON),
            Value::Date(date) => refuse_date(*date),
            Value::Time(time) => refuse_time(*time),
            Value::DateTime(time) => refuse_date(time.date()).or(refuse_time(time.time())),
            Value::Timestamp(time) => {
                let time = time.naive_utc();
                refuse_date(time.date()).or(refuse_time(time.time()))
            }
            Value::Array(elements) => elements.iter().find_map(|element| match element {
                Value::Bytes(_) | Value::Json(_) | Value::Array(_) => {
                    Some("an array can only hold scalars")
                }
                element => self.refusal(element),
            }),
            _ => None,
        }
    }

    #[cfg(feature = "decimal")]
    fn rewrites(&self, column: &ColumnDef) -> bool {
        column.logical_type() == SqlType::Decimal
    }

    /// A column with a fixed number of digits behind the point fills them up, and zero has no
    /// sign.
    #[cfg(feature = "decimal")]
    fn stored(&self, column: &ColumnDef, value: &Value) -> Option<Value> {
        let Value::Decimal(decimal) = value else { return None };
        let mut stored = *decimal;
        if let Some(scale) = column.facts.scale.or(column.facts.precision.map(|_| 0)) {
            stored.rescale(scale);
        }
        if stored.is_zero() {
            stored.set_sign_positive(true);
        }
        (stored.serialize() != decimal.serialize()).then_some(Value::Decimal(stored))
    }

    fn column_type(&self, table: &Table, column: usize) -> Cow<'static, str> {
        let facts = &table.columns()[column].facts;
        match facts.sql_type {
            SqlType::Text => match facts.length {
                Some(length) => Cow::Owned(format!("VARCHAR({length})")),
                None => Cow::Borrowed("TEXT"),
            },
            #[cfg(feature = "decimal")]
            SqlType::Decimal => match (facts.precision, facts.scale) {
                (Some(precision), scale) => {
                    Cow::Owned(format!("NUMERIC({precision}, {})", scale.unwrap_or(0)))
                }
                // As many digits as PostgreSQL takes.
                (None, Some(scale)) => Cow::Owned(format!("NUMERIC(1000, {scale})")),
                (None, None) => Cow::Borrowed("NUMERIC"),
            },
            sql_type => declared_type(sql_type),
        }
    }

    /// PostgreSQL has no unsigned integers.
    fn type_check(&self, column: &ColumnDef, quoted: &str) -> Option<String> {
        let most = match column.logical_type() {
            SqlType::U8 => u8::MAX.into(),
            SqlType::U16 => u16::MAX.into(),
            SqlType::U32 => u32::MAX,
            _ => return None,
        };
        Some(format!("{quoted} BETWEEN 0 AND {most}"))
    }

    /// Keys that are given are accepted too.
    fn autoincrement(&self, table: &Table, column: usize) -> Cow<'static, str> {
        let sql_type = table.columns()[column].sql_type;
        let sql_type = sql_type.map_or_else(|| self.column_type(table, column), Cow::Borrowed);
        let name = quoted(&names::primary_key(table));
        Cow::Owned(format!(
            "{sql_type} GENERATED BY DEFAULT AS IDENTITY CONSTRAINT {name} PRIMARY KEY"
        ))
    }

    fn references_forward(&self) -> bool {
        false
    }

    fn add_foreign_key(&self, alter: String) -> String {
        block(&format!(
            "BEGIN\n    {alter};\nEXCEPTION WHEN duplicate_object THEN\n    NULL;\nEND\n"
        ))
    }

    fn after_create(&self, table: &Table) -> Vec<String> {
        let mut path = String::new();
        self.table_path(table, &mut path);
        let of_table = table
            .comment()
            .map(|comment| format!("COMMENT ON TABLE {path} IS {}", literal(comment)));
        let of_columns = table.columns().iter().filter_map(|column| {
            let comment = literal(column.facts.comment?);
            let name = quoted(&self.naming.apply(column.name));
            Some(format!("COMMENT ON COLUMN {path}.{name} IS {comment}"))
        });
        of_table.into_iter().chain(of_columns).collect()
    }

    /// The schemas too. Nothing is created that is there: that would need rights of its own.
    fn create_types(&self, tables: &[&'static Table]) -> Vec<String> {
        let mut schemas: Vec<&str> = tables.iter().filter_map(|table| table.schema()).collect();
        schemas.sort_unstable();
        schemas.dedup();
        let schemas = schemas.into_iter().map(|schema| {
            let name = quoted(schema);
            block(&format!(
                "BEGIN
    PERFORM {LOCK};
    IF to_regnamespace({}) IS NULL THEN
        CREATE SCHEMA {name};
    END IF;
END
",
                literal(&name)
            ))
        });
        schemas.chain(enum_types(tables).into_iter().map(create_type)).collect()
    }

    /// A type that is used elsewhere, or belongs to someone else, stays.
    fn drop_types(&self, tables: &[&'static Table]) -> Vec<String> {
        let drop = |of: &EnumType| {
            let name = quoted(of.name);
            block(&format!(
                "BEGIN
    IF EXISTS (SELECT FROM pg_type WHERE oid = to_regtype({}) AND typtype = 'e') THEN
        DROP TYPE {name};
    END IF;
EXCEPTION WHEN dependent_objects_still_exist OR insufficient_privilege THEN
    NULL;
END
",
                literal(&name)
            ))
        };
        enum_types(tables).into_iter().map(drop).collect()
    }

    /// Foreign keys and views of tables that stay go with it.
    fn drop_options(&self) -> &'static str {
        " CASCADE"
    }

    fn lock_schema(&self) -> Option<&'static str> {
        Some(LOCK_SCHEMA)
    }

    /// The number that is taken to find out where the sequence stands is skipped. A column that
    /// has no sequence has no number to move, and the statement does nothing.
    fn advance_key(&self, table: &Table, column: usize) -> Option<String> {
        let mut path = String::new();
        self.table_path(table, &mut path);
        let name = self.naming.apply(table.columns()[column].name);
        Some(format!(
            "SELECT setval(seqrelid, greatest(most, nextval(seqrelid))) \
             FROM pg_sequence, (SELECT max({}) AS most FROM {path}) AS given \
             WHERE seqrelid = pg_get_serial_sequence({}, {})::regclass \
             AND most > coalesce(pg_sequence_last_value(seqrelid), seqstart - seqincrement)",
            quoted(&name),
            literal(&path),
            literal(&name),
        ))
    }
}

/// A column's type where no fact of the column plays a part.
fn declared_type(sql_type: SqlType) -> Cow<'static, str> {
    Cow::Borrowed(match sql_type {
        SqlType::Bool => "BOOLEAN",
        SqlType::I16 | SqlType::U8 => "SMALLINT",
        SqlType::I32 | SqlType::U16 => "INTEGER",
        SqlType::I64 | SqlType::U32 => "BIGINT",
        SqlType::F32 => "REAL",
        SqlType::F64 => "DOUBLE PRECISION",
        SqlType::Text => "TEXT",
        SqlType::Bytes => "BYTEA",
        SqlType::Date => "DATE",
        SqlType::Time => "TIME",
        SqlType::DateTime => "TIMESTAMP",
        SqlType::Timestamp => "TIMESTAMPTZ",
        SqlType::Json => "JSONB",
        #[cfg(feature = "uuid")]
        SqlType::Uuid => "UUID",
        #[cfg(feature = "decimal")]
        SqlType::Decimal => "NUMERIC",
        SqlType::Enum(labels) => return Cow::Owned(quoted(labels.name)),
        SqlType::Array(element) => return Cow::Owned(format!("{}[]", declared_type(*element))),
    })
}
