//! PostgreSQL, 12 or later.
//!
//! Many rows travel as one array per column and are unfolded by `unnest`, so that one text, which
//! is prepared once, serves every number of rows. A prepared statement is known by its text alone:
//! each placeholder has a cast, so that one text always has the same types.

mod functions;
mod rows;
mod schema;
#[cfg(test)]
mod tests;
mod types;

use std::borrow::Cow;
use std::fmt::Write as _;

use chrono::{Datelike, NaiveDate};
use serde_json::Value as Document;

use self::types::{bind_to, cast_from_text, column_cast, declared_type, row_type, type_name};
use super::{Capabilities, Dialect, push_literal, quote_with, refuse_times};
use crate::error::Result;
use crate::model::{ColumnDef, Table};
use crate::sql::dml::{DeleteRows, InsertRows, UpdateRows};
use crate::sql::expr::{Aggregate, Aggregation, BinaryOp, ColumnRef, Expr, Function};
use crate::sql::isolation::Isolation;
use crate::sql::names;
use crate::sql::naming::Naming;
use crate::sql::raw::Lexicon;
use crate::sql::select::RowLock;
use crate::sql::statement::Bind;
use crate::sql::writer::Writer;
use crate::value::{SqlType, Value};

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

const NO_NUL: &str = "PostgreSQL's texts can't hold the character NUL";

const NO_NUL_IN_JSON: &str = "PostgreSQL's JSON documents can't hold the character NUL";

const TOO_EARLY: &str = "PostgreSQL's calendar begins on 24 November 4714 BC";

/// The first day of PostgreSQL's calendar, -4713-11-24 as astronomers count years. Its last one is
/// behind chrono's.
fn refuse_date(date: NaiveDate) -> Option<&'static str> {
    ((date.year(), date.month(), date.day()) < (-4713, 11, 24)).then_some(TOO_EARLY)
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

impl Dialect for Postgres {
    fn capabilities(&self) -> &'static Capabilities {
        &Capabilities {
            ordered_keys: true,
            returning_on_insert: true,
            returning_on_update: true,
            returning_on_delete: true,
            checks_each_row: false,
            deferrable_keys: true,
            cascades_in_circles: true,
            tells_skipped_rows: true,
            nulls_are_greatest: true,
            seeks_by_row: true,
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

    fn shares_binds(&self) -> bool {
        true
    }

    fn current_timestamp(&self) -> &'static str {
        "statement_timestamp()"
    }

    fn lexicon(&self) -> Lexicon {
        fn is_placeholder(text: &str) -> bool {
            let number = text.strip_prefix('$');
            number.is_some_and(|text| text.starts_with(|c: char| c.is_ascii_digit()))
        }
        Lexicon {
            backslashes: false,
            dollar_quotes: true,
            hash_comments: false,
            nested_comments: true,
            is_placeholder,
        }
    }

    fn begin(&self, isolation: Isolation) -> &'static str {
        match isolation {
            Isolation::ReadCommitted => "BEGIN ISOLATION LEVEL READ COMMITTED",
            Isolation::RepeatableRead => "BEGIN ISOLATION LEVEL REPEATABLE READ",
            Isolation::Serializable => "BEGIN ISOLATION LEVEL SERIALIZABLE",
        }
    }

    /// Sums of integers are an i64 and averages an f64, on every database.
    fn stored_as(&self, expr: &Expr) -> Option<&'static str> {
        let Expr::Aggregate(aggregation) = expr.function_of_window() else { return None };
        let operand = aggregation.operand.as_ref()?.sql_type()?;
        match aggregation.function {
            Aggregate::Sum if operand.is_integer() => Some("int8"),
            Aggregate::Avg if !operand.is_float() => Some("float8"),
            _ => None,
        }
    }

    fn recursive_text(&self) -> Option<&'static str> {
        Some("text")
    }

    /// The numbers of enum types are not the same everywhere: the driver would have to ask for
    /// them, and a statement would be outdated as soon as a type is made anew.
    fn read_cast(&self, column: &ColumnDef) -> &'static str {
        match column.logical_type() {
            SqlType::Enum(_) if column_cast(column).is_none() => "",
            sql_type => self.read_cast_of(sql_type),
        }
    }

    fn read_cast_of(&self, sql_type: SqlType) -> &'static str {
        match sql_type {
            SqlType::Enum(_) => "::text",
            SqlType::Array(SqlType::Enum(_)) => "::text[]",
            _ => "",
        }
    }

    fn function(&self, function: Function) -> Result<&'static str> {
        functions::template(function)
    }

    /// Floats have no remainder on PostgreSQL.
    fn write_binary(
        &self,
        w: &mut Writer<'_>,
        left: &Expr,
        op: BinaryOp,
        right: &Expr,
    ) -> Result<()> {
        let of_floats =
            || left.sql_type().or_else(|| right.sql_type()).is_some_and(SqlType::is_float);
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
    fn write_aggregated(
        &self,
        w: &mut Writer<'_>,
        aggregation: &Aggregation,
        operand: &Expr,
    ) -> Result<()> {
        if aggregation.function == Aggregate::Sum && operand.sql_type() == Some(SqlType::F32) {
            return w.template("CAST($0 AS float8)", std::slice::from_ref(operand));
        }
        w.expr(operand)
    }

    /// A plan for a limit that isn't known counts with a tenth of all rows, which PostgreSQL finds so
    /// dear that it plans each time anew. Limits are few, offsets are many.
    fn binds_limit(&self) -> bool {
        false
    }

    /// The nullable side of an outer join can't be locked.
    fn write_row_lock(&self, w: &mut Writer<'_>, lock: RowLock, table: &Table) {
        w.push(" FOR UPDATE OF ");
        w.identifier(&self.table_label(table));
        w.push(lock.on_locked());
    }

    /// All lists share one text.
    fn write_in(
        &self,
        w: &mut Writer<'_>,
        operand: &Expr,
        list: &[Expr],
        negated: bool,
    ) -> Result<()> {
        rows::write_in(w, operand, list, negated)
    }

    /// All lists share one text.
    fn write_keys(
        &self,
        w: &mut Writer<'_>,
        columns: &[ColumnRef],
        keys: Vec<Vec<Value>>,
    ) -> Result<()> {
        rows::write_keys(w, columns, keys)
    }

    fn write_insert(&self, w: &mut Writer<'_>, rows: InsertRows) -> Result<()> {
        rows::write_insert(w, rows)
    }

    fn write_update(&self, w: &mut Writer<'_>, rows: UpdateRows) -> Result<()> {
        rows::write_update(w, rows)
    }

    fn write_delete(&self, w: &mut Writer<'_>, rows: DeleteRows) -> Result<()> {
        rows::write_delete(w, rows)
    }

    fn refusal(&self, value: &Value) -> Option<&'static str> {
        match value {
            Value::Text(text) => text.contains('\0').then_some(NO_NUL),
            Value::Label(label) => label.contains('\0').then_some(NO_NUL),
            Value::Json(document) => has_nul(document).then_some(NO_NUL_IN_JSON),
            Value::Array(elements) => elements.iter().find_map(|element| match element {
                Value::Bytes(_) | Value::Json(_) | Value::Array(_) => {
                    Some("an array can only hold scalars")
                }
                element => self.refusal(element),
            }),
            value => refuse_times(value, refuse_date),
        }
    }

    /// A column with a fixed number of digits behind the point fills them up, and zero has no
    /// sign.
    #[cfg(feature = "decimal")]
    fn stored(&self, column: &ColumnDef, value: &Value) -> Option<Value> {
        let Value::Decimal(decimal) = value else { return None };
        let mut stored = *decimal;
        if let (_, Some(scale)) = column.decimal_digits() {
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
        schema::add_foreign_key(alter)
    }

    fn after_create(&self, table: &Table) -> Vec<String> {
        schema::after_create(self, table)
    }

    fn create_types(&self, tables: &[&'static Table]) -> Vec<String> {
        schema::create_types(tables)
    }

    fn refuse_table(&self, table: &Table, others: &[&'static Table]) -> Option<String> {
        schema::refuse_types(table, others)
    }

    fn drop_types(&self, tables: &[&'static Table]) -> Vec<String> {
        schema::drop_types(tables)
    }

    /// Foreign keys and views of tables that stay go with it.
    fn drop_options(&self) -> &'static str {
        " CASCADE"
    }

    fn lock_schema(&self) -> Option<&'static str> {
        Some(schema::LOCK_SCHEMA)
    }
}
