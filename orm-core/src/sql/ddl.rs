//! CREATE TABLE and DROP TABLE.

use super::dialect::{Dialect, is_current_timestamp};
use super::names;
use super::statement::Statement;
use super::writer::Writer;
use crate::model::{Action, ColumnDef, ForeignKey, Table};

/// The statements that create a table, unless it exists: the table, then its indexes and
/// comments. Foreign keys to tables that are created `later` are left to
/// [`add_foreign_keys`], where the database needs that.
pub(crate) fn create_table(
    dialect: &dyn Dialect,
    table: &Table,
    later: &[&'static Table],
) -> Vec<Statement> {
    let mut w = Writer::new(dialect);
    w.push("CREATE TABLE ");
    w.push("IF NOT EXISTS ");
    w.table_path(table);
    w.push(" (");
    let generated = generated_key(table);
    let mut lines = Lines::new(&mut w);
    for (at, column) in table.columns().iter().enumerate() {
        column_definition(lines.line(), table, at, column, generated == Some(at));
    }
    if generated.is_none() {
        let w = lines.line();
        constraint(w, &names::primary_key(table));
        w.push("PRIMARY KEY (");
        w.column_names(table, table.primary_key());
        w.push(")");
    }
    for unique in table.uniques() {
        let w = lines.line();
        constraint(w, &names::unique(table, unique));
        w.push("UNIQUE (");
        w.column_names(table, &unique.columns);
        w.push(")");
    }
    for key in table.foreign_keys().iter().filter(|key| !is_deferred(dialect, key, later)) {
        foreign_key(lines.line(), table, key);
    }
    if !dialect.names_column_checks() {
        for (at, column) in table.columns().iter().enumerate() {
            let Some(check) = column_check(dialect, column) else { continue };
            let w = lines.line();
            constraint(w, &names::column_check(table, at));
            w.push("CHECK (");
            w.push(&check);
            w.push(")");
        }
    }
    for (at, check) in table.checks().iter().enumerate() {
        let w = lines.line();
        constraint(w, &names::table_check(table, at));
        w.push("CHECK (");
        w.push(check);
        w.push(")");
    }
    if dialect.indexes_inline() {
        for index in table.indexes() {
            let w = lines.line();
            w.push("INDEX ");
            w.identifier(&names::index(table, index));
            w.push(" (");
            w.column_names(table, &index.columns);
            w.push(")");
        }
    }
    w.push("\n)");
    w.push(&dialect.table_options(table));
    let mut statements = vec![once(w)];
    if !dialect.indexes_inline() {
        for index in table.indexes() {
            let mut w = Writer::new(dialect);
            w.push("CREATE INDEX IF NOT EXISTS ");
            w.identifier(&names::index(table, index));
            w.push(" ON ");
            w.table_path(table);
            w.push(" (");
            w.column_names(table, &index.columns);
            w.push(")");
            statements.push(once(w));
        }
    }
    statements.extend(dialect.after_create(table).into_iter().map(Statement::words));
    statements
}

/// The statements that add the foreign keys which [`create_table`] left out.
pub(crate) fn add_foreign_keys(
    dialect: &dyn Dialect,
    table: &Table,
    later: &[&'static Table],
) -> Vec<Statement> {
    let keys = table.foreign_keys().iter().filter(|key| is_deferred(dialect, key, later));
    keys.map(|key| {
        let mut w = Writer::new(dialect);
        w.push("ALTER TABLE ");
        w.table_path(table);
        w.push(" ADD ");
        foreign_key(&mut w, table, key);
        Statement::words(dialect.add_foreign_key(w.finish().text.to_string()))
    })
    .collect()
}

/// Whether a foreign key leads to a table that is not there when its own is created.
fn is_deferred(dialect: &dyn Dialect, key: &ForeignKey, later: &[&'static Table]) -> bool {
    !dialect.references_forward() && later.contains(&key.target())
}

/// The statement that drops a table if it exists.
pub(crate) fn drop_table(dialect: &dyn Dialect, table: &Table) -> Statement {
    let mut w = Writer::new(dialect);
    w.push("DROP TABLE IF EXISTS ");
    w.table_path(table);
    w.push(dialect.drop_options());
    once(w)
}

/// The tables with those that they reference before them. In a circle of references, the first
/// one given comes last.
pub(crate) fn dependency_order(tables: &[&'static Table]) -> Vec<&'static Table> {
    fn visit(
        table: &'static Table,
        among: &[&'static Table],
        seen: &mut Vec<&'static Table>,
        order: &mut Vec<&'static Table>,
    ) {
        if !among.contains(&table) || seen.contains(&table) {
            return;
        }
        seen.push(table);
        for key in table.foreign_keys() {
            visit(key.target(), among, seen, order);
        }
        order.push(table);
    }
    let mut seen = Vec::with_capacity(tables.len());
    let mut order = Vec::with_capacity(tables.len());
    for table in tables {
        visit(table, tables, &mut seen, &mut order);
    }
    order
}

/// The key column that the database generates, where it is the whole key.
fn generated_key(table: &Table) -> Option<usize> {
    match table.primary_key() {
        [only] if table.columns()[*only].autoincrement => Some(*only),
        _ => None,
    }
}

fn column_definition(
    w: &mut Writer<'_>,
    table: &Table,
    at: usize,
    column: &ColumnDef,
    generated: bool,
) {
    let dialect = w.dialect();
    w.column_name(column);
    w.push(" ");
    if generated {
        w.push(&dialect.autoincrement(table, at));
        dialect.write_column_options(w, column);
        return;
    }
    match column.sql_type {
        Some(sql) => w.push(sql),
        None => w.push(&dialect.column_type(table, at)),
    }
    if !column.facts.nullable {
        w.push(" NOT NULL");
    }
    if let Some(default) = column.facts.server_default {
        let bare = is_literal(default)
            && !is_current_timestamp(default)
            && !dialect.parenthesizes_default(column);
        w.push(if bare { " DEFAULT " } else { " DEFAULT (" });
        w.push(dialect.authored(default));
        w.push(if bare { "" } else { ")" });
    }
    if dialect.names_column_checks()
        && let Some(check) = column_check(dialect, column)
    {
        w.push(" ");
        constraint(w, &names::column_check(table, at));
        w.push("CHECK (");
        w.push(&check);
        w.push(")");
    }
    dialect.write_column_options(w, column);
}

/// What the type implies and what the author asks for, as one condition, so that one name leads
/// back to the column.
fn column_check(dialect: &dyn Dialect, column: &ColumnDef) -> Option<String> {
    let mut quoted = String::new();
    dialect.quote(&dialect.naming().apply(column.name), &mut quoted);
    // A type that the author spells is the author's to check.
    let of_type = match column.sql_type {
        Some(_) => None,
        None => dialect.type_check(column, &quoted),
    };
    let of_author = column.facts.check.map(|check| check.replace("{column}", &quoted));
    match (of_type, of_author) {
        (Some(of_type), Some(of_author)) => Some(format!("({of_type}) AND ({of_author})")),
        (of_type, of_author) => of_type.or(of_author),
    }
}

fn foreign_key(w: &mut Writer<'_>, table: &Table, key: &ForeignKey) {
    let target = key.target();
    constraint(w, &names::foreign_key(table, key));
    w.push("FOREIGN KEY (");
    w.column_names(table, key.columns());
    w.push(") REFERENCES ");
    w.table_path(target);
    w.push(" (");
    w.column_names(target, key.referenced());
    w.push(")");
    for (event, action) in [(" ON DELETE ", key.on_delete()), (" ON UPDATE ", key.on_update())] {
        let action = match action {
            Action::NoAction => continue,
            Action::Restrict => "RESTRICT",
            Action::Cascade => "CASCADE",
            Action::SetNull => "SET NULL",
            Action::SetDefault => "SET DEFAULT",
        };
        w.push(event);
        w.push(action);
    }
    if key.is_deferrable() {
        w.push(" DEFERRABLE INITIALLY DEFERRED");
    }
}

fn constraint(w: &mut Writer<'_>, name: &str) {
    w.push("CONSTRAINT ");
    w.identifier(name);
    w.push(" ");
}

/// Whether SQL is one literal, which a DEFAULT takes without parentheses.
fn is_literal(sql: &str) -> bool {
    let sql = sql.trim();
    let text = sql.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    match text {
        Some(text) => !text.replace("''", "").contains('\''),
        None => {
            sql.parse::<f64>().is_ok_and(f64::is_finite)
                || ["null", "true", "false"].iter().any(|word| sql.eq_ignore_ascii_case(word))
        }
    }
}

/// A statement that won't come again.
fn once(w: Writer<'_>) -> Statement {
    Statement { persistent: false, words: true, ..w.finish() }
}

/// One item per line, with commas in between.
struct Lines<'w, 'd> {
    writer: &'w mut Writer<'d>,
    first: bool,
}

impl<'w, 'd> Lines<'w, 'd> {
    fn new(writer: &'w mut Writer<'d>) -> Self {
        Self { writer, first: true }
    }

    fn line(&mut self) -> &mut Writer<'d> {
        self.writer.push(if self.first { "\n    " } else { ",\n    " });
        self.first = false;
        self.writer
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use super::*;
    use crate::model::TableBuilder;
    use crate::sql::dialect::sqlite::SQLITE;
    use crate::sql::testing::{post_tags, posts, tags, users};

    #[track_caller]
    fn check(table: &Table, expected: &[&str]) {
        let statements = create_table(&SQLITE, table, &[]);
        let texts: Vec<_> = statements.iter().map(|statement| &*statement.text).collect();
        assert_eq!(texts, expected);
    }

    #[test]
    fn a_table_with_everything() {
        check(
            users(),
            &[r#"CREATE TABLE IF NOT EXISTS "users" (
    "id" INTEGER PRIMARY KEY AUTOINCREMENT,
    "created_at" TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now')),
    "updated_at" TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now')),
    "email" VARCHAR(64) NOT NULL CONSTRAINT "ck_users_email" CHECK (length("email") <= 64),
    "age" INTEGER CONSTRAINT "ck_users_age" CHECK (("age" BETWEEN -2147483648 AND 2147483647) AND ("age" >= 0)),
    "mood" TEXT NOT NULL DEFAULT 'happy' CONSTRAINT "ck_users_mood" CHECK ("mood" IN ('happy', 'it''s ok')),
    "boss_id" BIGINT,
    CONSTRAINT "uq_users_email" UNIQUE ("email"),
    CONSTRAINT "fk_users_boss_id" FOREIGN KEY ("boss_id") REFERENCES "users" ("id") ON DELETE SET NULL,
    CONSTRAINT "ck_users_1" CHECK (length(email) > 2)
)"#],
        );
    }

    #[test]
    fn composite_keys_and_indexes() {
        check(
            post_tags(),
            &[r#"CREATE TABLE IF NOT EXISTS "post_tags" (
    "post_id" BIGINT NOT NULL,
    "tag_id" BIGINT NOT NULL,
    CONSTRAINT "pk_post_tags" PRIMARY KEY ("post_id", "tag_id"),
    CONSTRAINT "fk_post_tags_post_id" FOREIGN KEY ("post_id") REFERENCES "posts" ("id") ON DELETE CASCADE,
    CONSTRAINT "fk_post_tags_tag_id" FOREIGN KEY ("tag_id") REFERENCES "tags" ("id") ON DELETE CASCADE
)"#],
        );
        let indexes = create_table(&SQLITE, posts(), &[]);
        assert_eq!(
            &*indexes[1].text,
            r#"CREATE INDEX IF NOT EXISTS "ix_posts_user_id" ON "posts" ("user_id")"#
        );
    }

    #[test]
    fn a_schema_is_part_of_the_name() {
        let table = TableBuilder::plain("bills", "Bill")
            .schema("shop")
            .column(
                ColumnDef::new::<String>("no", "no").primary_key().sql_type("TEXT COLLATE NOCASE"),
            )
            .build();
        check(
            &table,
            &[r#"CREATE TABLE IF NOT EXISTS "shop.bills" (
    "no" TEXT COLLATE NOCASE NOT NULL,
    CONSTRAINT "pk_bills" PRIMARY KEY ("no")
)"#],
        );
    }

    #[test]
    fn a_foreign_key_that_is_checked_at_commit() {
        let table = TableBuilder::plain("lines", "Line")
            .column(ColumnDef::new::<i64>("user_id", "user_id").primary_key())
            .foreign_key(
                &["user_id"],
                crate::model::Target::PrimaryKey(users),
                Action::Cascade,
                Action::NoAction,
            )
            .deferrable()
            .build();
        check(
            &table,
            &[r#"CREATE TABLE IF NOT EXISTS "lines" (
    "user_id" BIGINT NOT NULL,
    CONSTRAINT "pk_lines" PRIMARY KEY ("user_id"),
    CONSTRAINT "fk_lines_user_id" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
)"#],
        );
    }

    #[test]
    fn parents_come_first() {
        let order = dependency_order(&[post_tags(), posts(), tags(), users()]);
        assert_eq!(order, [users(), posts(), tags(), post_tags()]);
    }

    #[test]
    fn literals_are_told_from_expressions() {
        for literal in ["'a'", "'it''s'", "''", "1", "-1.5", "NULL", "true"] {
            assert!(is_literal(literal), "{literal}");
        }
        for expression in ["'a' || 'b'", "random()", "CURRENT_DATE", "inf", "'", "1 + 1"] {
            assert!(!is_literal(expression), "{expression}");
        }
    }
}
