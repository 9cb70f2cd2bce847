//! Values that their columns can't hold: an error that names the column, before any SQL.

use super::batch::{Batch, BatchRows, Batched};
use super::work::PlanValue;
use crate::error::{Error, Result};
use crate::model::ColumnDef;
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
        let column = &batch.table.columns()[column];
        if let Some(error) = refusal(column, value, dialect) {
            return Err(Error::at_column(batch.table.name(), column.name, error));
        }
    }
    Ok(())
}

/// Why a column can't hold a value, if it can't.
pub(super) fn refusal(
    column: &ColumnDef,
    value: &Value,
    dialect: &dyn Dialect,
) -> Option<ValueError> {
    match value.refusal() {
        Some(reason) => Some(ValueError::new(reason)),
        None => dialect.refusal(value).map(ValueError::new).or_else(|| column.refusal(value)),
    }
}
