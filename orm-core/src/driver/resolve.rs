//! From what a database says of a violated constraint to the table and columns concerned.

use crate::error::{Error, Violation, ViolationKind};
use crate::model::{Relationship, Table};
use crate::sql::{Dialect, names};

/// Fills in what the database left out of a violation, of the table that the statement wrote or of
/// one that points to it; every other error stays as it is.
pub(crate) fn resolve(mut error: Error, dialect: &dyn Dialect, table: &'static Table) -> Error {
    if let Error::UniqueViolation(violation)
    | Error::ForeignKeyViolation(violation)
    | Error::NotNullViolation(violation)
    | Error::CheckViolation(violation) = &mut error
    {
        let mut tables = vec![table];
        // A row that others still point to: the violated key is theirs.
        if violation.kind == ViolationKind::ForeignKey && violation.table.is_some() {
            tables.extend(table.relationships().iter().map(Relationship::target));
        }
        declare(violation, dialect, &tables);
        complete(violation, &tables);
    }
    error
}

/// The names of the table and its columns as they are declared, where the database spells them
/// otherwise.
fn declare(violation: &mut Violation, dialect: &dyn Dialect, tables: &[&'static Table]) {
    let naming = dialect.naming();
    let is_primary_key = violation.constraint.is_some()
        && violation.constraint.as_deref() == dialect.primary_key_name();
    for table in tables {
        let is_named =
            violation.table.as_deref().is_none_or(|name| name == naming.apply(table.name()));
        if !is_named {
            continue;
        }
        if let Some(name) = &mut violation.table {
            table.name().clone_into(name);
        }
        if is_primary_key {
            violation.constraint = Some(names::primary_key(table));
        }
        for name in &mut violation.columns {
            let of_name = table.columns().iter().find(|def| naming.apply(def.name) == *name);
            if let Some(column) = of_name {
                column.name.clone_into(name);
            }
        }
        return;
    }
}

fn complete(violation: &mut Violation, tables: &[&'static Table]) {
    // The key that a foreign key violation is about may be that of the row that is pointed to.
    let is_foreign_key = |table: &&'static Table| {
        let columns: Option<Vec<usize>> =
            violation.columns.iter().map(|column| table.column_named(column)).collect();
        let columns = columns.unwrap_or_default();
        table.foreign_keys().iter().any(|key| key.columns() == columns)
    };
    let is_named = |table: &&&'static Table| is_of(violation.table.as_deref(), table);
    let is_theirs = !tables.iter().filter(is_named).any(is_foreign_key);
    if violation.kind == ViolationKind::ForeignKey && is_theirs {
        violation.columns.clear();
    }
    let named = violation.table.clone();
    let mut candidates = tables.iter().filter(|table| is_of(named.as_deref(), table));
    if let (Some(constraint), true) = (&violation.constraint, violation.columns.is_empty()) {
        let found =
            candidates.find_map(|table| Some((table, names::columns_of(table, constraint)?)));
        if let Some((table, columns)) = found {
            violation.columns =
                columns.iter().map(|&column| table.columns()[column].name.to_owned()).collect();
            violation.table = Some(table.name().to_owned());
        }
    } else if let (None, Some(table)) = (&violation.constraint, candidates.next()) {
        let columns: Option<Vec<usize>> =
            violation.columns.iter().map(|column| table.column_named(column)).collect();
        violation.constraint = match violation.kind {
            ViolationKind::Unique => columns.and_then(|at| names::unique_over(table, &at)),
            _ => None,
        };
    }
    // The row that the statement wrote, or that others still point to, is there.
    if let (None, Some(table)) = (&violation.table, tables.first()) {
        violation.table = Some(table.name().to_owned());
    }
}

/// Whether a violation of the table of this name may be about a table.
fn is_of(name: Option<&str>, table: &Table) -> bool {
    name.is_none_or(|name| name == table.name())
}
