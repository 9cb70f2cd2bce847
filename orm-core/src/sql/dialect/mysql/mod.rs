//! MySQL, 8.0.19 or later, and MariaDB, 10.5 or later.

mod functions;
mod schema;
#[cfg(test)]
mod tests;
mod values;
mod writes;

use std::borrow::Cow;

use self::schema::{KEYED_LENGTH, push_text};
#[cfg(feature = "decimal")]
pub(crate) use self::values::MOST_DIGITS_BEHIND_POINT;
pub(crate) use self::values::refusal;
use super::dml::{write_delete, write_delete_where};
use super::{Capabilities, Dialect, quote_with};
use crate::error::Result;
use crate::model::{ColumnDef, Table};
use crate::sql::dml::{DeleteRows, DeleteWhere, InsertRows, OnConflict, UpdateRows, UpdateWhere};
use crate::sql::expr::{Aggregation, BinaryOp, Expr, Function, OrderTerm};
use crate::sql::isolation::Isolation;
use crate::sql::naming::Naming;
use crate::sql::raw::Lexicon;
use crate::sql::statement::Bind;
use crate::sql::writer::Writer;
use crate::value::{SqlType, Value, is_deeper};

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
    /// Whether the assignments of an UPDATE may read the updated table in a subquery.
    pub(crate) reads_what_it_updates: bool,
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
    reads_what_it_updates: true,
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
    reads_what_it_updates: false,
    limits_statements: false,
    types_free_binds: false,
    has_json: true,
    deepest_json: 100,
};

/// The digits of a DECIMAL without a precision: it holds whatever `rust_decimal` holds.
#[cfg(feature = "decimal")]
const ANY_DECIMAL: &str = "DECIMAL(57, 28)";

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
    deferrable_keys: false,
    cascades_in_circles: false,
    tells_skipped_rows: false,
    nulls_are_greatest: false,
    seeks_by_row: false,
};

/// Without RETURNING, where keys count on from the first.
static CONSECUTIVE_KEYS: Capabilities = Capabilities {
    ordered_keys: true,
    returning_on_insert: false,
    returning_on_update: false,
    returning_on_delete: false,
    checks_each_row: true,
    deferrable_keys: false,
    cascades_in_circles: false,
    tells_skipped_rows: false,
    nulls_are_greatest: false,
    seeks_by_row: false,
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

/// Whether the values of an expression are integers.
fn is_integer(expr: &Expr) -> bool {
    expr.sql_type().is_some_and(SqlType::is_integer)
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

    fn function(&self, function: Function) -> Result<&'static str> {
        functions::template(function)
    }

    /// Beside a window that neither has a partition nor an order, nor one that isn't constant,
    /// MariaDB (10.11) takes those of other windows for more than they are.
    fn partition_of_all(&self) -> Option<&'static str> {
        Some("rand() * 0")
    }

    fn write_aggregate(&self, w: &mut Writer<'_>, aggregation: &Aggregation) -> Result<()> {
        functions::write_aggregate(w, aggregation)
    }

    /// As many characters as are no document yet.
    fn recursive_text(&self) -> Option<&'static str> {
        Some("CHAR(16383)")
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

    /// An enum is ordered by the places of its labels and compared by their letters.
    fn orders_as_it_compares(&self, sql_type: SqlType) -> bool {
        !matches!(sql_type, SqlType::Json | SqlType::Array(_) | SqlType::Enum(_))
    }

    /// There is no OFFSET without a LIMIT; this is the greatest.
    fn no_limit(&self) -> Option<&'static str> {
        Some("18446744073709551615")
    }

    fn write_insert(&self, w: &mut Writer<'_>, rows: InsertRows) -> Result<()> {
        self.insert(w, rows)
    }

    fn write_on_conflict(
        &self,
        w: &mut Writer<'_>,
        table: &'static Table,
        on_conflict: OnConflict,
    ) -> Result<()> {
        self.on_conflict(w, table, on_conflict)
    }

    fn write_excluded(&self, w: &mut Writer<'_>, column: &ColumnDef) {
        w.push("VALUES(");
        w.column_name(column);
        w.push(")");
    }

    fn write_update(&self, w: &mut Writer<'_>, rows: UpdateRows) -> Result<()> {
        self.update(w, rows)
    }

    fn write_delete(&self, w: &mut Writer<'_>, mut rows: DeleteRows) -> Result<()> {
        if !self.capabilities.returning_on_delete {
            rows.returning.clear();
        }
        write_delete(self.composite_list(), self.max_binds(), w, rows)
    }

    fn write_update_where(&self, w: &mut Writer<'_>, update: UpdateWhere) -> Result<()> {
        self.update_where(w, update)
    }

    fn write_delete_where(&self, w: &mut Writer<'_>, mut delete: DeleteWhere) -> Result<()> {
        if !self.capabilities.returning_on_delete {
            delete.returning.clear();
        }
        write_delete_where(w, delete)
    }

    /// A subquery may read the table that is being written only if it is complete before.
    fn reads_what_it_writes(&self) -> bool {
        false
    }

    fn refusal(&self, value: &Value) -> Option<&'static str> {
        match value {
            Value::Json(document) if is_deeper(document, self.server.deepest_json) => {
                Some("the JSON document is nested deeper than the server accepts")
            }
            value => refusal(value),
        }
    }

    /// A decimal has as many digits behind the point as its column has; where these are all that
    /// there can be, reading cuts the zeros.
    #[cfg(feature = "decimal")]
    fn stored(&self, column: &ColumnDef, value: &Value) -> Option<Value> {
        values::stored(column, value)
    }

    /// The connection's own level is read committed.
    fn lexicon(&self) -> Lexicon {
        Lexicon {
            backslashes: true,
            dollar_quotes: false,
            hash_comments: true,
            nested_comments: false,
            is_placeholder: |text| text.starts_with('?'),
        }
    }

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
        schema::column_type(table, column)
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
        schema::create_databases(self, tables)
    }

    /// A label that is a number would be taken for the position of one, and spaces at its end
    /// would be cut. Foreign keys are checked by each statement, whatever they are declared.
    fn refuse_table(&self, table: &Table, _others: &[&'static Table]) -> Option<String> {
        schema::refuse_labels(self, table).or_else(|| schema::refuse_deferrable(self, table))
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
