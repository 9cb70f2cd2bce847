//! SQLite, 3.35 or later (RETURNING).

mod functions;

use std::borrow::Cow;

use chrono::{Datelike, NaiveDate};

use super::dml::{types, write_returning, write_tuples, write_update_of_one};
use super::{Capabilities, Dialect, push_literal, refuse_times};
use crate::error::Result;
use crate::model::{ColumnDef, Table};
use crate::sql::dml::UpdateRows;
use crate::sql::expr::{Aggregate, BinaryOp, Expr, Function};
use crate::sql::isolation::Isolation;
use crate::sql::naming::Naming;
use crate::sql::raw::Lexicon;
use crate::sql::select::RowLock;
use crate::sql::statement::Bind;
use crate::sql::writer::Writer;
use crate::value::{SqlType, Value};

/// The dialect of SQLite.
#[derive(Debug)]
pub(crate) struct Sqlite {
    naming: Naming,
}

/// With names as declared.
pub(crate) static SQLITE: Sqlite = Sqlite { naming: Naming::AsDeclared };

/// With names in snake_case.
static SNAKE_CASE: Sqlite = Sqlite { naming: Naming::SnakeCase };

/// The dialect with names of a spelling.
pub(crate) fn named(naming: Naming) -> &'static Sqlite {
    match naming {
        Naming::AsDeclared => &SQLITE,
        Naming::SnakeCase => &SNAKE_CASE,
    }
}

/// The table of new values inside an UPDATE of many rows. Unlikely to be a user's table, which
/// it would hide.
const GIVEN: &str = "orm_given";

/// The collation, defined on every connection, that compares texts as the decimals they are.
pub(crate) const DECIMAL_COLLATION: &str = "orm_decimal";

/// Whether the values of an expression are decimals.
fn is_decimal(expr: &Expr) -> bool {
    expr.sql_type().is_some_and(SqlType::is_decimal)
}

const NO_NAN: &str = "SQLite has no NaN";

const NOT_FINITE: &str = "an array stored as JSON can't hold NaN or infinity";

fn refuse_date(date: NaiveDate) -> Option<&'static str> {
    (!(0..=9999).contains(&date.year()))
        .then_some("SQLite stores dates as text, which sorts for the years 0 to 9999 only")
}

impl Dialect for Sqlite {
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
            nulls_are_greatest: false,
            seeks_by_row: true,
        }
    }

    fn naming(&self) -> Naming {
        self.naming
    }

    fn max_binds(&self) -> usize {
        32_766
    }

    /// SQLite has no schemas, and attached databases can't reference each other's tables: the
    /// schema becomes part of the name, so that a model works here as elsewhere.
    fn table_path(&self, table: &Table, text: &mut String) {
        self.quote(&self.table_label(table), text);
    }

    fn table_label<'t>(&self, table: &'t Table) -> Cow<'t, str> {
        let name = self.naming.apply(table.name());
        match table.schema() {
            Some(schema) => Cow::Owned(format!("{schema}.{name}")),
            None => name,
        }
    }

    /// Milliseconds are all that SQLite's clock has; the zeros make the text as wide, and thus
    /// as sortable, as the times that we write.
    fn current_timestamp(&self) -> &'static str {
        "strftime('%Y-%m-%d %H:%M:%f000', 'now')"
    }

    /// Decimals are texts, so that they stay exact: compared as numbers, not as texts.
    fn collation(&self, expr: &Expr) -> Option<&'static str> {
        is_decimal(expr).then_some(DECIMAL_COLLATION)
    }

    /// SQLite calculates with decimals as floats; what comes out is a text again.
    fn stored_as(&self, expr: &Expr) -> Option<&'static str> {
        let is_computed = match expr.function_of_window() {
            Expr::Binary(..) | Expr::Negate(_) => true,
            Expr::Function(function, _) => !function.chooses(),
            Expr::Aggregate(aggregation) => aggregation.function == Aggregate::Sum,
            _ => false,
        };
        (is_computed && is_decimal(expr)).then_some("TEXT")
    }

    fn function(&self, function: Function) -> Result<&'static str> {
        functions::template(function)
    }

    fn write_binary(
        &self,
        w: &mut Writer<'_>,
        left: &Expr,
        op: BinaryOp,
        right: &Expr,
    ) -> Result<()> {
        let symbol = match op {
            // Decimals without a fraction would be divided as integers.
            BinaryOp::Divide if is_decimal(left) || is_decimal(right) => "* 1.0 /",
            _ => op.symbol(),
        };
        w.infix(left, op, symbol, right)
    }

    /// What comes behind the NUL would be passed over: too much would match.
    fn refuses_pattern(&self, pattern: &Expr) -> Option<&'static str> {
        let is_cut = match pattern {
            Expr::Bind(Bind { value: Value::Text(text), .. }) => text.contains('\0'),
            _ => false,
        };
        is_cut.then_some("SQLite's LIKE ends at a NUL character")
    }

    fn composite_list(&self) -> &'static str {
        "(VALUES "
    }

    /// There is no OFFSET without a LIMIT; -1 is none.
    /// A statement whose limit is a bind is prepared anew whenever that is bound, since the plan
    /// depends on it. Limits are few, offsets are many.
    fn binds_limit(&self) -> bool {
        false
    }

    fn no_limit(&self) -> Option<&'static str> {
        Some("-1")
    }

    fn write_update(&self, w: &mut Writer<'_>, rows: UpdateRows) -> Result<()> {
        if rows.rows == 1 {
            return write_update_of_one(w, rows);
        }
        let UpdateRows { table, key, set, expressions, rows, values, returning } = rows;
        let columns: Vec<usize> = key.iter().chain(&set).copied().collect();
        let names: Vec<String> = (0..key.len())
            .map(|at| format!("k{at}"))
            .chain((0..set.len()).map(|at| format!("s{at}")))
            .collect();
        w.push("WITH ");
        w.identifier(GIVEN);
        w.push(" (");
        for (at, name) in names.iter().enumerate() {
            w.push(if at == 0 { "" } else { ", " });
            w.identifier(name);
        }
        w.push(") AS (VALUES ");
        write_tuples(w, &types(table, &columns), values, rows)?;
        w.push(") UPDATE ");
        w.table_path(table);
        w.push(" SET ");
        let (keys, new) = names.split_at(key.len());
        let mut separator = "";
        for (&column, name) in set.iter().zip(new) {
            w.push(separator);
            w.column_name(&table.columns()[column]);
            w.push(" = ");
            w.qualified(GIVEN, name);
            separator = ", ";
        }
        w.assignments(table, &expressions, separator)?;
        w.push(" FROM ");
        w.identifier(GIVEN);
        w.push(" WHERE ");
        for (at, (&column, name)) in key.iter().zip(keys).enumerate() {
            w.push(if at == 0 { "" } else { " AND " });
            w.qualified_column(&self.table_label(table), &table.columns()[column]);
            w.push(" = ");
            w.qualified(GIVEN, name);
        }
        write_returning(w, table, &returning);
        w.set_rows(rows, columns.len());
        Ok(())
    }

    /// What has no form that reads back as it was: SQLite would store NaN as NULL, and times
    /// are texts of a fixed width.
    fn refusal(&self, value: &Value) -> Option<&'static str> {
        match value {
            Value::Float(value) if value.is_nan() => Some(NO_NAN),
            Value::Double(value) if value.is_nan() => Some(NO_NAN),
            Value::Array(elements) => elements.iter().find_map(|element| match element {
                Value::Float(value) if !value.is_finite() => Some(NOT_FINITE),
                Value::Double(value) if !value.is_finite() => Some(NOT_FINITE),
                Value::Bytes(_) | Value::Json(_) | Value::Array(_) => {
                    Some("an array stored as JSON can only hold scalars")
                }
                element => self.refusal(element),
            }),
            value => refuse_times(value, refuse_date),
        }
    }

    /// One transaction writes at a time: it has locked everything by having begun.
    fn write_row_lock(&self, _w: &mut Writer<'_>, _lock: RowLock, _table: &Table) {}

    /// A transaction that is going to write waits for its turn. One that reads first begins without
    /// it, and fails if it then writes after another has.
    /// `?`, `?1`, `:name`, `@name` and `$name`; a missing bind is a silent NULL.
    fn lexicon(&self) -> Lexicon {
        fn is_placeholder(text: &str) -> bool {
            let named = text.strip_prefix([':', '@', '$']);
            let names = |text: &str| text.starts_with(|c: char| c.is_alphanumeric() || c == '_');
            text.starts_with('?') || named.is_some_and(names)
        }
        Lexicon {
            backslashes: false,
            dollar_quotes: false,
            hash_comments: false,
            nested_comments: false,
            is_placeholder,
        }
    }

    fn begin(&self, isolation: Isolation) -> &'static str {
        match isolation {
            Isolation::ReadCommitted => "BEGIN IMMEDIATE",
            Isolation::RepeatableRead | Isolation::Serializable => "BEGIN",
        }
    }

    fn column_type(&self, table: &Table, column: usize) -> Cow<'static, str> {
        let column = &table.columns()[column];
        Cow::Borrowed(match column.logical_type() {
            SqlType::Bool => "BOOLEAN",
            SqlType::I16 | SqlType::I32 | SqlType::U8 | SqlType::U16 => "INTEGER",
            SqlType::I64 | SqlType::U32 => "BIGINT",
            SqlType::F32 | SqlType::F64 => "REAL",
            SqlType::Text => match column.facts.length {
                Some(length) => return Cow::Owned(format!("VARCHAR({length})")),
                None => "TEXT",
            },
            SqlType::Bytes => "BLOB",
            SqlType::Date
            | SqlType::Time
            | SqlType::DateTime
            | SqlType::Timestamp
            | SqlType::Json
            | SqlType::Enum(_)
            | SqlType::Array(_) => "TEXT",
            #[cfg(feature = "uuid")]
            SqlType::Uuid => "BLOB",
            #[cfg(feature = "decimal")]
            SqlType::Decimal => "TEXT",
        })
    }

    /// SQLite stores what it is given, whatever the column's type says.
    fn type_check(&self, column: &ColumnDef, quoted: &str) -> Option<String> {
        let range = |low: i64, high: i64| Some(format!("{quoted} BETWEEN {low} AND {high}"));
        match column.logical_type() {
            SqlType::Bool => Some(format!("{quoted} IN (0, 1)")),
            SqlType::I16 => range(i16::MIN.into(), i16::MAX.into()),
            SqlType::I32 => range(i32::MIN.into(), i32::MAX.into()),
            SqlType::U8 => range(0, u8::MAX.into()),
            SqlType::U16 => range(0, u16::MAX.into()),
            SqlType::U32 => range(0, u32::MAX.into()),
            SqlType::Text => {
                column.facts.length.map(|length| format!("length({quoted}) <= {length}"))
            }
            SqlType::Enum(labels) => {
                let mut check = format!("{quoted} IN (");
                for (at, label) in labels.labels.iter().enumerate() {
                    check.push_str(if at == 0 { "" } else { ", " });
                    push_literal(label, &mut check);
                }
                check.push(')');
                Some(check)
            }
            _ => None,
        }
    }

    /// Exactly this spelling makes the column the rowid with keys that are never used twice and
    /// always increase.
    fn autoincrement(&self, _table: &Table, _column: usize) -> Cow<'static, str> {
        Cow::Borrowed("INTEGER PRIMARY KEY AUTOINCREMENT")
    }

    /// DROP TABLE deletes the rows first, which would fire ON DELETE actions in tables that stay
    /// and fail in a circle of references.
    fn before_drop(&self) -> Option<&'static str> {
        Some("PRAGMA foreign_keys = OFF")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::testing::{at, post_tags, users};
    use crate::sql::{
        ColumnRef, DeleteRows, InsertRows, OnConflict, Statement, max_rows, render_delete,
        render_insert, render_update,
    };

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

    fn insert(
        columns: &[&str],
        rows: usize,
        values: &[i64],
        returning: Vec<usize>,
    ) -> Result<Statement> {
        let columns = columns.iter().map(|name| at(users(), name)).collect();
        let values = ints(values);
        let on_conflict = OnConflict::Fail;
        render_insert(
            &SQLITE,
            InsertRows { table: users(), columns, rows, values, returning, on_conflict },
        )
    }

    #[test]
    fn inserts() {
        check(
            insert(&["email", "age"], 2, &[1, 2, 3, 4], vec![0, 1]),
            r#"INSERT INTO "users" ("email", "age") VALUES (?, ?), (?, ?) RETURNING "id", "created_at""#,
            &[1, 2, 3, 4],
        );
        check(insert(&[], 1, &[], vec![]), r#"INSERT INTO "users" DEFAULT VALUES"#, &[]);
        check(
            insert(&[], 3, &[], vec![0]),
            r#"INSERT INTO "users" ("id") VALUES (NULL), (NULL), (NULL) RETURNING "id""#,
            &[],
        );
        assert!(insert(&["email"], 2, &[1], vec![]).is_err());
    }

    #[test]
    fn texts_that_come_again_are_kept() {
        let persistent =
            |rows: usize| insert(&["age"], rows, &vec![0; rows], vec![]).unwrap().persistent;
        assert!(persistent(1) && persistent(8) && persistent(256) && persistent(500));
        assert!(!persistent(9) && !persistent(499));
        assert_eq!(max_rows(&SQLITE, 5), 500);
        assert_eq!(max_rows(&SQLITE, 100), 327);
        assert_eq!(max_rows(&SQLITE, 40_000), 1);
    }

    #[test]
    fn updates() {
        let age = at(users(), "age");
        let update = |rows: usize, values: &[i64]| {
            let older = Expr::binary(
                Expr::Column(ColumnRef::scoped(users(), age)),
                BinaryOp::Add,
                Expr::Integer(1),
            );
            let update = UpdateRows {
                table: users(),
                key: vec![0],
                set: vec![at(users(), "boss_id")],
                expressions: vec![(2, Expr::Authored("CURRENT_TIMESTAMP")), (age, older)],
                rows,
                values: ints(values),
                returning: vec![0, 2],
            };
            render_update(&SQLITE, update)
        };
        check(
            update(1, &[7, 8]),
            r#"UPDATE "users" SET "boss_id" = ?, "updated_at" = strftime('%Y-%m-%d %H:%M:%f000', 'now'), "age" = "users"."age" + 1 WHERE "id" = ? RETURNING "id", "updated_at""#,
            &[8, 7],
        );
        check(
            update(2, &[7, 8, 9, 10]),
            r#"WITH "orm_given" ("k0", "s0") AS (VALUES (?, ?), (?, ?)) UPDATE "users" SET "boss_id" = "orm_given"."s0", "updated_at" = strftime('%Y-%m-%d %H:%M:%f000', 'now'), "age" = "users"."age" + 1 FROM "orm_given" WHERE "users"."id" = "orm_given"."k0" RETURNING "id", "updated_at""#,
            &[7, 8, 9, 10],
        );
        assert!(update(1, &[7]).is_err());
        assert!(update(2, &[7]).is_err());
    }

    #[test]
    fn deletes() {
        let delete = |table, key: &[usize], rows, values: &[i64], returning| {
            let key = key.to_vec();
            render_delete(&SQLITE, DeleteRows { table, key, rows, values: ints(values), returning })
        };
        check(
            delete(users(), &[0], 1, &[1], vec![0]),
            r#"DELETE FROM "users" WHERE "id" = ? RETURNING "id""#,
            &[1],
        );
        check(
            delete(users(), &[0], 3, &[1, 2, 3], vec![]),
            r#"DELETE FROM "users" WHERE "id" IN (?, ?, ?, ?)"#,
            &[1, 2, 3, 3],
        );
        check(
            delete(post_tags(), &[0, 1], 2, &[1, 2, 3, 4], vec![0]),
            r#"DELETE FROM "post_tags" WHERE ("post_id", "tag_id") IN (VALUES (?, ?), (?, ?)) RETURNING "post_id""#,
            &[1, 2, 3, 4],
        );
        check(
            delete(post_tags(), &[0, 1], 1, &[1, 2], vec![]),
            r#"DELETE FROM "post_tags" WHERE "post_id" = ? AND "tag_id" = ?"#,
            &[1, 2],
        );
    }
}
