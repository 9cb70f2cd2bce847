//! Writes of many rows, and what the servers need to be told about values that stand alone.

#[cfg(feature = "decimal")]
use super::ANY_DECIMAL;
use super::MySql;
use crate::error::{Error, Result};
use crate::model::Table;
use crate::sql::dialect::Dialect;
use crate::sql::dialect::dml::{arity, types, write_returning, write_tuples, write_where};
use crate::sql::dml::{InsertRows, OnConflict, UpdateExisting, UpdateRows, UpdateWhere};
use crate::sql::expr::{Expr, Source};
use crate::sql::writer::Writer;
use crate::value::{SqlType, Value};

/// The table of new values inside a statement. Unlikely to be a user's table, which it would hide.
const GIVEN: &str = "orm_given";

impl MySql {
    /// An INSERT, of one statement even where rows are left out that exist already.
    pub(super) fn insert(&self, w: &mut Writer<'_>, rows: InsertRows) -> Result<()> {
        w.push("INSERT INTO ");
        w.table_path(rows.table);
        let table = rows.table;
        match &rows.on_conflict {
            OnConflict::Skip(key) if !Self::is_only_key(table, key, &rows.columns) => {
                return self.write_insert_missing(w, rows);
            }
            OnConflict::Update(update) => self.expect_updatable(table, update, &rows.columns)?,
            _ => {}
        }
        let InsertRows { columns, rows, values, returning, on_conflict, .. } = rows;
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
        self.write_on_conflict(w, table, on_conflict)?;
        self.write_returning(w, table, &returning);
        Ok(())
    }

    /// Fails where `ON DUPLICATE KEY UPDATE` could do something else than was asked for: it names no
    /// key, and has no condition.
    fn expect_updatable(
        &self,
        table: &Table,
        update: &UpdateExisting,
        columns: &[usize],
    ) -> Result<()> {
        let reason = if update.filter.is_some() {
            "can't update on a condition what exists already: say by `case()` in `update_with` what \
             each column becomes"
        } else if !Self::is_only_key(table, &update.key, columns) {
            "can't tell by which key a row exists already, and another unique key than that of \
             `on_conflict` may have a duplicate here: use `find_or_add`"
        } else {
            return Ok(());
        };
        Err(Error::misuse(format!(
            "{}, inserting into `{}`, {reason}",
            self.server.name,
            table.name()
        )))
    }

    /// ` ON DUPLICATE KEY UPDATE …`. An INSERT IGNORE would pass over every other error too.
    pub(super) fn on_conflict(
        &self,
        w: &mut Writer<'_>,
        table: &'static Table,
        on_conflict: OnConflict,
    ) -> Result<()> {
        match on_conflict {
            OnConflict::Fail => {}
            OnConflict::Skip(key) => {
                let Some(column) = key.first().map(|&column| &table.columns()[column]) else {
                    return Ok(());
                };
                w.push(" ON DUPLICATE KEY UPDATE ");
                w.column_name(column);
                w.push(" = ");
                w.qualified_column(&self.table_label(table), column);
            }
            OnConflict::Update(update) => {
                w.push(" ON DUPLICATE KEY UPDATE ");
                let assignments = self.order(table, update.assignments)?;
                w.knowing_excluded(|w| w.assignments(table, &assignments, ""))?;
            }
        }
        Ok(())
    }

    /// An UPDATE: of several rows by joining a table of what they are given.
    pub(super) fn update(&self, w: &mut Writer<'_>, rows: UpdateRows) -> Result<()> {
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

    /// An UPDATE of the rows that a condition finds.
    pub(super) fn update_where(&self, w: &mut Writer<'_>, update: UpdateWhere) -> Result<()> {
        let UpdateWhere { table, values, expressions, filter, .. } = update;
        let reads_it = |(_, expr): &(usize, Expr)| expr.asks_of(table);
        if !self.server.reads_what_it_updates && expressions.iter().any(reads_it) {
            return Err(Error::misuse(format!(
                "{} can't set a column of `{}` to what a subquery reads from the same table",
                self.server.name,
                table.name(),
            )));
        }
        w.push("UPDATE ");
        w.table_path(table);
        w.push(" SET ");
        let (set, values): (Vec<usize>, Vec<Value>) = values.into_iter().unzip();
        let mut values = values.into_iter();
        self.write_assignments(w, table, expressions, &set, |w, at| {
            let value = values.next().unwrap_or(Value::Null);
            w.bind(value, table.columns()[set[at]].logical_type());
        })?;
        write_where(w, table, filter)
    }

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
        let InsertRows { table, columns, rows, values, on_conflict, .. } = rows;
        let OnConflict::Skip(key) = on_conflict else { return Err(arity(table)) };
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
        for (at, &column) in key.iter().enumerate() {
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

/// Whether an expression reads a column of the row that is being updated.
fn reads(expr: &Expr, table: &Table, column: usize) -> bool {
    expr.any_part(&|part| match part {
        Expr::Column(other) => {
            other.table == table && other.column == column && other.source == Source::Scope
        }
        Expr::Keys { columns, .. } => {
            columns.iter().any(|other| other.table == table && other.column == column)
        }
        _ => false,
    })
}
