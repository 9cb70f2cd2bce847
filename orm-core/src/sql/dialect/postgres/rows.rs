//! Writes of rows, and lists of keys: one array per column, unfolded by `unnest`.

use super::literal;
use super::types::{column_cast, type_name};
use crate::error::Result;
use crate::model::{ColumnDef, Table};
use crate::sql::dialect::dml::{self, arity, write_update_of_one};
use crate::sql::dml::{DeleteRows, InsertRows, UpdateRows};
use crate::sql::expr::{ColumnRef, Expr};
use crate::sql::statement::Bind;
use crate::sql::writer::Writer;
use crate::value::{SqlType, Value};

/// The table of given rows inside a write. Unlikely to be a user's table, which it would hide.
const GIVEN: &str = "orm_given";

/// An INSERT of rows of one shape.
pub(super) fn write_insert(w: &mut Writer<'_>, rows: InsertRows) -> Result<()> {
    let InsertRows { table, columns, rows, values, returning, on_conflict } = rows;
    let greatest = greatest_given_key(table, &columns, &values);
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
    w.dialect().write_on_conflict(w, table, on_conflict)?;
    dml::write_returning(w, table, &returning);
    if let Some((column, greatest)) = greatest {
        w.push(if returning.is_empty() { " RETURNING " } else { ", " });
        write_advance(w, table, column, greatest);
    }
    Ok(())
}

/// A key column that the server would have generated, and the greatest of the keys that it is
/// given instead.
fn greatest_given_key<'t>(
    table: &'t Table,
    columns: &[usize],
    values: &[Value],
) -> Option<(&'t ColumnDef, i64)> {
    let at = columns.iter().position(|&column| table.columns()[column].autoincrement)?;
    let keys = values.iter().skip(at).step_by(columns.len());
    let keys = keys.filter_map(|value| match value {
        Value::Int(key) => Some(*key),
        _ => None,
    });
    Some((&table.columns()[columns[at]], keys.max()?))
}

/// Lets the keys that the server generates go on behind the greatest one that it was given, as
/// they do on other databases: a subquery that is evaluated once and whose result nobody reads.
///
/// The number that is taken to find out where the sequence stands is skipped. Where the column has
/// no sequence, or the user may not move it, nothing happens.
fn write_advance(w: &mut Writer<'_>, table: &Table, column: &ColumnDef, greatest: i64) {
    let dialect = w.dialect();
    let mut path = String::new();
    dialect.table_path(table, &mut path);
    let name = dialect.naming().apply(column.name);
    w.push(
        "(SELECT CASE WHEN given > next THEN setval(seqrelid, given) END FROM (SELECT seqrelid, ",
    );
    w.bind(Value::Int(greatest), SqlType::I64);
    w.push(" AS given, nextval(seqrelid) AS next FROM pg_sequence WHERE seqrelid = pg_get_serial_sequence(");
    w.push(&literal(&path));
    w.push(", ");
    w.push(&literal(&name));
    w.push(")::regclass AND has_sequence_privilege(seqrelid, 'UPDATE') AND ");
    w.bind(Value::Int(greatest), SqlType::I64);
    w.push(" > coalesce(pg_sequence_last_value(seqrelid), seqstart - seqincrement) OFFSET 0) AS behind)");
}

/// An UPDATE that gives each row values of its own.
pub(super) fn write_update(w: &mut Writer<'_>, rows: UpdateRows) -> Result<()> {
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
    given.write_match(w, &w.dialect().table_label(table), key.len());
    write_qualified_returning(w, table, &returning);
    Ok(())
}

/// A DELETE of rows by key.
pub(super) fn write_delete(w: &mut Writer<'_>, rows: DeleteRows) -> Result<()> {
    if rows.rows <= 1 {
        return dml::write_delete(w.dialect().composite_list(), w.dialect().max_binds(), w, rows);
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
            given.write_match(w, &w.dialect().table_label(table), given.columns.len());
            write_qualified_returning(w, table, &returning);
        }
    }
    Ok(())
}

/// `operand = ANY($1)`, so that all lists share one text.
pub(super) fn write_in(
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

/// `key = ANY($1)`, so that all lists share one text.
pub(super) fn write_keys(
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
        w.push(w.dialect().read_cast(&table.columns()[column]));
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
