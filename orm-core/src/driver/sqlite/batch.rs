//! Rows that were copied out of a result, to be read elsewhere than where SQLite steps through it.

use std::ops::Range;
use std::sync::Arc;

use rusqlite::Row;
use rusqlite::types::ValueRef;

use super::cells::StoredRow;

/// How many rows are copied before they are read, at most.
const ROWS: usize = 256;

/// How many bytes of texts and blobs, in all, are copied before they are read; one row may have
/// more.
const BYTES: usize = 64 * 1024;

/// Copies of some rows of one result: their texts and blobs in one allocation.
#[derive(Default)]
pub(super) struct Batch {
    names: Arc<[Box<str>]>,
    cells: Vec<Cell>,
    bytes: Vec<u8>,
    rows: usize,
}

/// A cell; texts and blobs by where they are.
enum Cell {
    Null,
    Integer(i64),
    Real(f64),
    Text(Range<usize>),
    Blob(Range<usize>),
}

impl Batch {
    /// An empty batch of the same result.
    pub(super) fn next(&self) -> Self {
        let cells = Vec::with_capacity(self.cells.len());
        Self { names: Arc::clone(&self.names), cells, ..Self::default() }
    }

    /// Copies a row.
    pub(super) fn push(&mut self, row: &Row<'_>) -> rusqlite::Result<()> {
        if self.names.is_empty() {
            self.names = row.as_ref().column_names().into_iter().map(Box::from).collect();
        }
        for at in 0..self.names.len() {
            let cell = match row.get_ref(at)? {
                ValueRef::Null => Cell::Null,
                ValueRef::Integer(value) => Cell::Integer(value),
                ValueRef::Real(value) => Cell::Real(value),
                ValueRef::Text(text) => Cell::Text(self.copy(text)),
                ValueRef::Blob(bytes) => Cell::Blob(self.copy(bytes)),
            };
            self.cells.push(cell);
        }
        self.rows += 1;
        Ok(())
    }

    fn copy(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
    }

    /// Whether it is worth reading before more is copied.
    pub(super) fn is_full(&self) -> bool {
        self.rows >= ROWS || self.bytes.len() >= BYTES
    }

    /// Whether nothing was copied.
    pub(super) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The rows, in order.
    pub(super) fn rows(&self) -> impl Iterator<Item = BatchRow<'_>> {
        (0..self.rows).map(|at| BatchRow {
            batch: self,
            cells: &self.cells[at * self.names.len()..][..self.names.len()],
        })
    }
}

/// One row of a batch.
pub(super) struct BatchRow<'b> {
    batch: &'b Batch,
    cells: &'b [Cell],
}

impl StoredRow for BatchRow<'_> {
    fn width(&self) -> usize {
        self.cells.len()
    }

    fn name(&self, at: usize) -> Option<&str> {
        self.batch.names.get(at).map(AsRef::as_ref)
    }

    fn cell(&self, at: usize) -> Option<ValueRef<'_>> {
        let bytes = |range: &Range<usize>| &self.batch.bytes[range.clone()];
        Some(match self.cells.get(at)? {
            Cell::Null => ValueRef::Null,
            Cell::Integer(value) => ValueRef::Integer(*value),
            Cell::Real(value) => ValueRef::Real(*value),
            Cell::Text(range) => ValueRef::Text(bytes(range)),
            Cell::Blob(range) => ValueRef::Blob(bytes(range)),
        })
    }
}
