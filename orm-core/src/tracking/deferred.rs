//! Deferred columns of known objects: which are loaded, and filling in those that are not.

use super::arena::{ObjectId, State};
use super::store::Store;
use crate::error::{Error, Result};
use crate::value::Cells;

/// The error of reading a column that is not loaded, or that only the database can tell.
pub(crate) fn column_not_loaded(store: &Store, object: ObjectId, column: usize) -> Error {
    let table = store.table(object);
    let hint = match store.header(object).state {
        State::Pending => "only the database can tell its value: flush first",
        _ => "await `session.load(handle, column)`, or load it with the query by `.undefer(…)`",
    };
    Error::NotLoaded { model: table.model(), field: table.columns()[column].field, hint }
}

impl Store {
    /// Whether a column of an object is loaded, as all are that are not deferred.
    pub(crate) fn is_column_loaded(&self, object: ObjectId, column: usize) -> bool {
        self.storage(object).column(object.slot, column).content().is_some()
    }

    /// Whether a column could be loaded into an object from its row: it is not loaded, and the rest
    /// of memory is to be believed.
    pub(crate) fn lacks_column(&self, object: ObjectId, column: usize) -> bool {
        let header = self.header(object);
        header.state == State::Persistent
            && !header.expired
            && !self.is_column_loaded(object, column)
    }

    /// Fills a deferred column in from its cell, if it is not loaded: what was assigned to it stays.
    ///
    /// # Errors
    /// If the field can't hold the cell.
    pub(crate) fn fill(
        &mut self,
        object: ObjectId,
        column: usize,
        cells: &dyn Cells,
        at: usize,
    ) -> Result<()> {
        if !self.lacks_column(object, column) {
            return Ok(());
        }
        let filled = self.storage_mut(object).decode_column(object.slot, column, cells, at);
        filled.map_err(|error| {
            let table = self.table(object);
            Error::at_column(table.name(), table.columns()[column].name, error)
        })?;
        if self.header(object).changes.as_ref().is_some_and(|changes| changes.snapshot.is_some()) {
            // What was read is no edit.
            let value = self.storage(object).encode(object.slot, column);
            let changes = self.header_mut(object).changes.as_mut();
            if let Some(snapshot) = changes.and_then(|changes| changes.snapshot.as_mut()) {
                snapshot[column] = value;
            }
        }
        if let Some(level) = self.tainting_level() {
            self.journal.save_unloaded(level, object, column);
        }
        Ok(())
    }
}
