//! Rows that a statement should have found, and didn't.

use super::execute::Failure;
use super::read_back::rows_by_key;
use crate::driver::Connection;
use crate::error::{Error, StaleData};
use crate::model::Table;
use crate::tracking::ObjectId;
use crate::value::Value;

/// Which rows were not found, where the statement doesn't tell. What it did is rolled back first:
/// afterwards the rows are as they were, but those that someone else changed or deleted.
pub(super) async fn stale(
    connection: &mut Connection,
    operation: &'static str,
    table: &'static Table,
    objects: &[ObjectId],
    key_columns: &[usize],
    keys: &[Vec<Value>],
) -> Failure {
    if let Err(error) = connection.undo().await {
        return error.into();
    }
    let width = table.primary_key().len();
    let primary_keys = keys.iter().map(|key| key[..width].to_vec()).collect();
    let rows = match rows_by_key(connection, table, &key_columns[width..], primary_keys).await {
        Ok(rows) => rows,
        Err(error) => return error.into(),
    };
    let is_as_it_was = |key: &Vec<Value>| {
        let (key, others) = key.split_at(width);
        rows.get(key).is_some_and(|row| row == others)
    };
    let failed = expect_all(operation, table, objects, |at| is_as_it_was(&keys[at]));
    // What has come back meanwhile can't be told apart.
    let failed = failed.and_then(|()| expect_all(operation, table, objects, |_| false));
    failed.err().unwrap_or_else(|| Error::misuse("nothing was to be changed").into())
}

/// Every row that was to be changed must have been found.
pub(super) fn expect_all(
    operation: &'static str,
    table: &'static Table,
    objects: &[ObjectId],
    was_found: impl Fn(usize) -> bool,
) -> Result<(), Failure> {
    let stale: Vec<ObjectId> =
        (0..objects.len()).filter(|&at| !was_found(at)).map(|at| objects[at]).collect();
    if stale.is_empty() {
        return Ok(());
    }
    let error = Error::StaleData(Box::new(StaleData {
        table: table.name().to_owned(),
        operation,
        expected: objects.len() as u64,
        matched: (objects.len() - stale.len()) as u64,
        objects: Vec::new(),
        autoflush: false,
    }));
    Err(Failure { error, stale })
}
