//! Going through the whole of a query part by part, each by the place of the row before it.

use crate::error::{Error, Result};
use crate::query::{Cursor, Keyset, Query, Seek};
use crate::sql::Dialect;
use crate::value::{SqlType, Value};

/// How far a query has been gone through. It holds the place of the last row, and none of the rows.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    /// The query of everything, in a total order.
    query: Query,
    keyset: Keyset,
    /// How many rows a part has.
    size: u64,
    /// How many rows are left of the query's own limit.
    left: Option<u64>,
    /// How many rows the query itself leaves out at the start.
    skipped: u64,
    position: Option<Cursor>,
    is_over: bool,
}

/// The next part of a walk.
pub(super) struct Part {
    pub(super) query: Query,
    /// The types of what it is ordered by.
    pub(super) order: Vec<SqlType>,
    size: u64,
}

impl Walk {
    /// Starts behind a place, or at the beginning.
    ///
    /// # Errors
    /// `Misuse` if the query can't be gone through by place, or in parts of nothing.
    pub(super) fn new(
        mut query: Query,
        size: u64,
        position: Option<Cursor>,
        dialect: &dyn Dialect,
    ) -> Result<Self> {
        if size == 0 {
            return Err(Error::misuse("batches have at least one row"));
        }
        let left = query.tree.limit.take();
        let skipped = query.tree.offset.take().unwrap_or(0);
        let keyset = Keyset::of(&mut query, dialect)?;
        Ok(Self { query, keyset, size, left, skipped, position, is_over: false })
    }

    /// What to read next; `None` once everything has been met.
    ///
    /// # Errors
    /// `InvalidCursor` if the place to start from is that of another order.
    pub(super) fn next(&self) -> Result<Option<Part>> {
        let size = self.left.map_or(self.size, |left| left.min(self.size));
        if self.is_over || size == 0 {
            return Ok(None);
        }
        let mut query = self.query.clone();
        let from = self.position.as_ref();
        self.keyset.seek(&mut query, Seek { from, backwards: false })?;
        query.narrow(if from.is_none() { self.skipped } else { 0 }, size);
        Ok(Some(Part { query, order: self.keyset.types().collect(), size }))
    }

    /// Notes how many rows a part had, and the place of the last.
    pub(super) fn advance(&mut self, part: &Part, rows: usize, last: Option<&[Value]>) {
        let rows = rows as u64;
        self.is_over = rows < part.size;
        self.left = self.left.map(|left| left.saturating_sub(rows));
        if let Some(values) = last {
            self.position = Some(self.keyset.cursor(values));
        }
    }

    /// The place of the last row that was met.
    pub(super) fn position(&self) -> Option<&Cursor> {
        self.position.as_ref()
    }
}
