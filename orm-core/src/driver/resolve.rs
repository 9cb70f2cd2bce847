//! From what a database says of a violated constraint to the table and columns concerned.

use crate::error::{Error, Violation, ViolationKind};
use crate::model::Table;
use crate::sql::names;

/// Fills in what the database left out of a violation. `tables` are those that the statement
/// wrote, the one that it names first; every other error stays as it is.
pub(crate) fn resolve(mut error: Error, tables: &[&'static Table]) -> Error {
    if let Error::UniqueViolation(violation)
    | Error::ForeignKeyViolation(violation)
    | Error::NotNullViolation(violation)
    | Error::CheckViolation(violation) = &mut error
    {
        complete(violation, tables);
    }
    error
}

fn complete(violation: &mut Violation, tables: &[&'static Table]) {
    let named = |table: &&&'static Table| {
        violation.table.as_deref().is_none_or(|name| name == table.name())
    };
    let mut candidates = tables.iter().filter(named);
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
    // A statement on one table: the row that it wrote, or that others still point to, is there.
    if let (None, [table]) = (&violation.table, tables) {
        violation.table = Some(table.name().to_owned());
    }
}
