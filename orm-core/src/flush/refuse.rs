//! Values that their columns can't hold: an error that names the column, before any SQL.

use super::batch::{Batch, BatchRows, Batched};
use super::work::PlanValue;
use crate::error::{Error, Result};
use crate::model::Table;
use crate::sql::Dialect;
use crate::value::{Value, ValueError};

/// Fails at the first value that can't be written as it is.
pub(crate) fn refuse(batched: &Batched, dialect: &dyn Dialect) -> Result<()> {
    for batch in &batched.batches {
        match &batch.rows {
            BatchRows::Insert { columns, values, .. }
            | BatchRows::Pair { columns, values, .. }
            | BatchRows::Unpair { columns, values, .. } => {
                refuse_rows(batch, columns, values, dialect)?;
            }
            BatchRows::Update { key_columns, columns, values, .. } => {
                let columns: Vec<usize> = key_columns.iter().chain(columns).copied().collect();
                refuse_rows(batch, &columns, values, dialect)?;
            }
            // Finds rows by keys that came from the database.
            BatchRows::Delete { .. } => {}
        }
    }
    Ok(())
}

/// Values row after row. Keys that are still to be generated can't be refused.
fn refuse_rows(
    batch: &Batch,
    columns: &[usize],
    values: &[PlanValue],
    dialect: &dyn Dialect,
) -> Result<()> {
    for (value, &column) in values.iter().zip(columns.iter().cycle()) {
        let PlanValue::Known(value) = value else { continue };
        expect_storable(batch.table, column, value, dialect)?;
    }
    Ok(())
}

/// Whether a column can hold a value, on this database.
///
/// # Errors
/// [`Error::Type`], which names the column, if it can't.
pub(crate) fn expect_storable(
    table: &Table,
    column: usize,
    value: &Value,
    dialect: &dyn Dialect,
) -> Result<()> {
    let column = &table.columns()[column];
    let reason = value.refusal().or_else(|| dialect.refusal(value)).map(ValueError::new);
    match reason.or_else(|| column.refusal(value)) {
        Some(error) => Err(Error::at_column(table.name(), column.name, error)),
        None => Ok(()),
    }
}
