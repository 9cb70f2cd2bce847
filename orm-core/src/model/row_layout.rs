//! Where a row has the columns of a table, of which a statement may have left some out.

use super::{ColumnSet, Table};
use crate::value::{Cells, ChosenCells, LEFT_OUT};

/// The cells of a row that are the columns of one table, in the table's order.
#[derive(Clone, Debug)]
pub(crate) struct RowLayout {
    first: usize,
    /// The cell of each column; `None` where all columns follow each other.
    places: Option<Box<[usize]>>,
}

impl RowLayout {
    /// The columns that a query selects of a table, in cells from `first` on.
    pub(crate) fn new(table: &Table, first: usize, undeferred: &ColumnSet) -> Self {
        if table.deferred().is_empty() {
            return Self { first, places: None };
        }
        let mut places = vec![LEFT_OUT; table.columns().len()];
        for (place, column) in (first..).zip(table.selected(undeferred)) {
            places[column] = place;
        }
        Self { first, places: Some(places.into()) }
    }

    /// The cell of a column that is never left out.
    pub(crate) fn place(&self, column: usize) -> usize {
        self.places.as_ref().map_or(self.first + column, |places| places[column])
    }

    /// Whether a row has one of the table's: there is none where an outer join found none.
    pub(crate) fn has(&self, table: &Table, cells: &dyn Cells) -> bool {
        self.read(cells, |cells, at| table.is_in(cells, at))
    }

    /// Hands a row on as the table's columns: cells, and where the first of them is.
    pub(crate) fn read<T>(
        &self,
        cells: &dyn Cells,
        read: impl FnOnce(&dyn Cells, usize) -> T,
    ) -> T {
        match &self.places {
            None => read(cells, self.first),
            Some(places) => read(&ChosenCells { cells, places }, 0),
        }
    }
}
