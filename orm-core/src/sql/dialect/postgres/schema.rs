//! The statements around CREATE TABLE: types, schemas, comments, sequences.

use super::{Postgres, literal, quoted};
use crate::model::Table;
use crate::sql::dialect::Dialect;
use crate::value::{EnumType, SqlType};

/// Makes changes of a schema wait for each other, until the transaction ends: PostgreSQL's own
/// `IF NOT EXISTS` fails when two create the same at the same time. The number is ours.
const LOCK: &str = "pg_advisory_xact_lock(31369536492299372)";

/// The same as a statement.
pub(super) const LOCK_SCHEMA: &str = "SELECT pg_advisory_xact_lock(31369536492299372)";

/// An ALTER TABLE that does nothing if there is a constraint of this name.
pub(super) fn add_foreign_key(alter: String) -> String {
    block(&format!("BEGIN\n    {alter};\nEXCEPTION WHEN duplicate_object THEN\n    NULL;\nEND\n"))
}

/// The comments of a table and its columns.
pub(super) fn after_create(dialect: &Postgres, table: &Table) -> Vec<String> {
    let mut path = String::new();
    dialect.table_path(table, &mut path);
    let of_table =
        table.comment().map(|comment| format!("COMMENT ON TABLE {path} IS {}", literal(comment)));
    let of_columns = table.columns().iter().filter_map(|column| {
        let comment = literal(column.facts.comment?);
        let name = quoted(&dialect.naming.apply(column.name));
        Some(format!("COMMENT ON COLUMN {path}.{name} IS {comment}"))
    });
    of_table.into_iter().chain(of_columns).collect()
}

/// The schemas and types that are missing. Nothing is created that is there: that would need
/// rights of its own.
pub(super) fn create_types(tables: &[&'static Table]) -> Vec<String> {
    let mut schemas: Vec<&str> = tables.iter().filter_map(|table| table.schema()).collect();
    schemas.sort_unstable();
    schemas.dedup();
    let schemas = schemas.into_iter().map(|schema| {
        let name = quoted(schema);
        block(&format!(
            "BEGIN
    PERFORM {LOCK};
    IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = {}) THEN
        CREATE SCHEMA {name};
    END IF;
END
",
            literal(schema)
        ))
    });
    schemas.chain(enum_types(tables).into_iter().map(create_type)).collect()
}

/// Drops the types. One that is used elsewhere, or belongs to someone else, stays.
pub(super) fn drop_types(tables: &[&'static Table]) -> Vec<String> {
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

/// Two enums of one name and different labels would be one type.
pub(super) fn refuse_types(table: &Table, others: &[&'static Table]) -> Option<String> {
    let others: Vec<&EnumType> = others.iter().flat_map(|table| types_of(table)).collect();
    let clash = types_of(table).find_map(|ours| {
        let theirs = others.iter().find(|theirs| theirs.name == ours.name)?;
        (theirs.labels != ours.labels).then_some(ours.name)
    })?;
    Some(format!(
        "two enums of different labels have the name `{clash}`, one of them in `{}`, and types have \
         names on PostgreSQL: rename one of them",
        table.name(),
    ))
}

/// The enum types of the columns, each once.
fn enum_types(tables: &[&'static Table]) -> Vec<&'static EnumType> {
    let mut types: Vec<&'static EnumType> = Vec::new();
    for found in tables.iter().flat_map(|table| types_of(table)) {
        if types.iter().all(|known| known.name != found.name) {
            types.push(found);
        }
    }
    types
}

/// The enum types of a table's columns.
fn types_of(table: &Table) -> impl Iterator<Item = &'static EnumType> + '_ {
    let columns = table.columns().iter().filter(|column| column.sql_type.is_none());
    columns.filter_map(|column| match column.logical_type() {
        SqlType::Enum(found) => Some(found),
        SqlType::Array(SqlType::Enum(found)) => Some(*found),
        _ => None,
    })
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
    -- Reading a table makes sure that what others have done meanwhile is known.
    SELECT oid INTO known FROM pg_type WHERE oid = to_regtype({named});
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

/// A block of the server's own language, as one statement.
fn block(body: &str) -> String {
    let mut tag = "$orm$".to_owned();
    while body.contains(&tag) {
        tag.insert(1, '_');
    }
    format!("DO {tag}\n{body}{tag}")
}
