//! The types of columns, and what tables can't be created.

use std::borrow::Cow;

#[cfg(feature = "decimal")]
use super::ANY_DECIMAL;
use super::MySql;
use crate::model::Table;
use crate::sql::dialect::{Dialect, push_literal};
use crate::value::SqlType;

/// The longest text, in characters, that a VARCHAR holds: 65,535 bytes of up to four for each, less
/// what the rest of its row takes.
const LONGEST_VARCHAR: u32 = 16_383;

/// The length of a text or of bytes that have a key but no length: indexes hold 3,072 bytes.
pub(super) const KEYED_LENGTH: u32 = 255;

/// The bytes of a row that VARCHARs may take, of 65,535 with all other columns.
const ROW_BYTES: u32 = 60_000;

/// The longest label of an enum, in characters.
const LONGEST_LABEL: usize = 255;

/// The type of a column.
pub(super) fn column_type(table: &Table, column: usize) -> Cow<'static, str> {
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

/// A schema is a database here.
pub(super) fn create_databases(dialect: &MySql, tables: &[&'static Table]) -> Vec<String> {
    let mut schemas: Vec<&str> = tables.iter().filter_map(|table| table.schema()).collect();
    schemas.sort_unstable();
    schemas.dedup();
    let create = |schema: &str| {
        let mut sql = "CREATE DATABASE IF NOT EXISTS ".to_owned();
        dialect.quote(schema, &mut sql);
        sql.push_str(" CHARACTER SET utf8mb4 COLLATE ");
        sql.push_str(dialect.server.collation);
        sql
    };
    schemas.into_iter().map(create).collect()
}

/// Why the labels of an enum can't be stored, if they can't.
pub(super) fn refuse_labels(dialect: &MySql, table: &Table) -> Option<String> {
    let enums = table.columns().iter().filter_map(|column| match column.logical_type() {
        SqlType::Enum(labels) if column.sql_type.is_none() => Some((column, labels)),
        _ => None,
    });
    for (column, labels) in enums {
        for label in labels.labels {
            let is_number = !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_digit());
            let why = if is_number {
                "is a number, which means the label at that position"
            } else if label.ends_with(' ') {
                "ends with a space, which is cut"
            } else if label.chars().count() > LONGEST_LABEL {
                "has more than 255 characters"
            } else {
                continue;
            };
            return Some(format!(
                "`{}.{}` can't be an ENUM of {}: its label `{label}` {why}",
                table.name(),
                column.name,
                dialect.server.name,
            ));
        }
    }
    None
}

/// Why a foreign key can't be checked at COMMIT, if one is declared to be.
pub(super) fn refuse_deferrable(dialect: &MySql, table: &Table) -> Option<String> {
    let key = table.foreign_keys().iter().find(|key| key.is_deferrable())?;
    let columns: Vec<&str> = key.columns().iter().map(|&at| table.columns()[at].name).collect();
    Some(format!(
        "the foreign key over `{}.{}` can't be deferrable: {} checks foreign keys by each \
         statement; write `on_update = \"cascade\"` in its place where the referenced key changes",
        table.name(),
        columns.join(", "),
        dialect.server.name,
    ))
}

/// Appends a literal. A backslash escapes what follows it, unless the session says otherwise.
pub(super) fn push_text(literal: &str, text: &mut String) {
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
    (bytes <= ROW_BYTES).then_some(length)
}
