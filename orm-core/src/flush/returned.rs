//! Rows that a statement gives back, as values.

use crate::driver::RowSink;
use crate::error::{Error, Result};
use crate::model::Table;
use crate::value::{Cells, SqlType, Value};

/// Keeps the columns that a statement returns.
pub(super) struct Returned {
    table: &'static Table,
    columns: Vec<(usize, SqlType)>,
    /// Row after row.
    pub(super) values: Vec<Value>,
}

impl Returned {
    /// A sink for these columns.
    pub(super) fn new(table: &'static Table, columns: &[usize]) -> Self {
        let columns = columns
            .iter()
            .map(|&column| (column, table.columns()[column].logical_type()))
            .collect();
        Self { table, columns, values: Vec::new() }
    }
}

impl RowSink for Returned {
    fn row(&mut self, cells: &dyn Cells) -> Result<()> {
        for (at, (column, sql_type)) in self.columns.iter().enumerate() {
            let value = Value::read(cells, at, sql_type).map_err(|error| {
                Error::at_column(self.table.name(), self.table.columns()[*column].name, error)
            })?;
            self.values.push(value);
        }
        Ok(())
    }
}
