//! A planned flush in words, for people.

use std::fmt;

use super::batch::{BatchRows, Batched};
use super::order::Operation;

/// What the next flush would run, without running it: `session.plan()`.
///
/// Prints as numbered steps with tables, rows, columns and reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    steps: Vec<PlannedStep>,
}

/// One statement of a [`Plan`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlannedStep {
    /// What it does.
    pub operation: PlannedOperation,
    /// The table, by its name in the database.
    pub table: String,
    /// How many rows it is given.
    pub rows: usize,
    /// The columns that it writes, or finds rows by.
    pub columns: Vec<String>,
    /// Why it stands where it stands; empty where nothing demands it.
    pub reason: String,
}

/// What a statement of a [`Plan`] does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlannedOperation {
    /// Inserts rows.
    Insert,
    /// Updates rows.
    Update,
    /// Deletes rows.
    Delete,
}

impl Plan {
    pub(crate) fn new(batched: &Batched) -> Self {
        let steps = batched.batches.iter().map(|batch| {
            let (operation, columns) = match &batch.rows {
                BatchRows::Insert { columns, .. } | BatchRows::Pair { columns, .. } => {
                    (PlannedOperation::Insert, columns.clone())
                }
                BatchRows::Update { columns, expressions, .. } => {
                    let computed = expressions.iter().map(|(column, _)| *column);
                    let columns = columns.iter().copied().chain(computed).collect();
                    (PlannedOperation::Update, columns)
                }
                BatchRows::Delete { key_columns: columns, .. }
                | BatchRows::Unpair { columns, .. } => (PlannedOperation::Delete, columns.clone()),
            };
            debug_assert!(
                operation != PlannedOperation::Update || batch.operation == Operation::Update
            );
            PlannedStep {
                operation,
                table: batch.table.name().to_owned(),
                rows: batch.rows.len(),
                columns: columns
                    .into_iter()
                    .map(|column| batch.table.columns()[column].name.to_owned())
                    .collect(),
                reason: batch.reason.clone(),
            }
        });
        Self { steps: steps.collect() }
    }

    /// The statements, in order.
    pub fn steps(&self) -> &[PlannedStep] {
        &self.steps
    }

    /// Whether the flush has nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.steps.is_empty() {
            return f.write_str("nothing to flush");
        }
        for (at, step) in self.steps.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            let (operation, rows) = (step.operation, step.rows);
            let unit = if rows == 1 { "row" } else { "rows" };
            let columns = step.columns.join(", ");
            write!(f, "{}. {operation} {}: {rows} {unit} ({columns})", at + 1, step.table)?;
            if !step.reason.is_empty() {
                write!(f, ", {}", step.reason)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for PlannedOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        })
    }
}
