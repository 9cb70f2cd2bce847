//! What of memory a bulk statement may concern, which decides what has to be known of its rows.

use crate::flush::acted_upon::referenced_columns;
use crate::model::Table;
use crate::query::{BulkAction, BulkWrite};
use crate::tracking::{ObjectId, State, Store};

/// What memory has to know of the rows that a bulk statement writes.
pub(super) struct Reach {
    /// The session holds objects of the table: which of them were among the rows?
    holds: bool,
    /// Objects in memory refer to rows that the statement deletes, with an action of the database:
    /// every row has to be known.
    pub(super) needs_every_row: bool,
    /// The columns that tell the rows apart for memory, the key first.
    pub(super) columns: Vec<usize>,
}

impl Reach {
    pub(super) fn of(store: &Store, write: &BulkWrite) -> Self {
        let table = write.table;
        let referenced = match write.action {
            BulkAction::Update { .. } => Vec::new(),
            BulkAction::Delete => referenced_columns(store, table),
        };
        let needs_every_row = !referenced.is_empty();
        let mut columns = table.primary_key().to_vec();
        let others = referenced.into_iter();
        columns.extend(others.filter(|column| !table.primary_key().contains(column)));
        Self { holds: holds(store, table), needs_every_row, columns }
    }

    /// Whether nothing but the number of rows has to be known.
    pub(super) fn is_nothing(&self) -> bool {
        !self.holds && !self.needs_every_row
    }
}

/// Whether the session holds rows of the table.
pub(crate) fn holds(store: &Store, table: &'static Table) -> bool {
    let Some(arena) = store.find_arena_of(table) else { return false };
    let mut slots = store.arena_at(arena).slots();
    slots.any(|slot| store.header(ObjectId { arena, slot }).state == State::Persistent)
}
