//! Rows that come from the database: into which objects they go, and which are known already.

use super::arena::{ObjectId, State};
use super::store::Store;
use crate::error::{Error, Result};
use crate::model::Table;
use crate::value::{Cells, Value, ValueCells, ValueError};

/// How a row met the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Met {
    /// The object is new to the store.
    New,
    /// It was known and expired, and has been filled again.
    Refreshed,
    /// It was known and stays as it is, but for deferred columns that were not loaded.
    Known,
}

/// Where the objects of some cells of each row go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) table: &'static Table,
    pub(crate) arena: u32,
    /// Whether the query found only rows that the session's criteria admit, of which there are some.
    pub(crate) is_restricted: bool,
}

impl Store {
    /// Where objects of a table go.
    pub(crate) fn place_of(&mut self, table: &'static Table, is_restricted: bool) -> Result<Place> {
        Ok(Place { table, arena: self.arena_of(table)?, is_restricted })
    }

    /// Puts the row in consecutive cells where it goes, as [`absorb`](Self::absorb) does.
    pub(crate) fn absorb_into(
        &mut self,
        place: Place,
        cells: &dyn Cells,
        at: usize,
        populate_existing: bool,
    ) -> Result<ObjectId> {
        let (object, _) = self.absorb(place.arena, cells, at, populate_existing)?;
        if place.is_restricted {
            self.admit(object);
        }
        Ok(object)
    }

    /// Puts the row in consecutive cells into an arena: an unknown object is decoded, an expired
    /// one filled again, a known one left as it is, but for deferred columns that it lacks.
    pub(crate) fn absorb(
        &mut self,
        arena: u32,
        cells: &dyn Cells,
        at: usize,
        populate_existing: bool,
    ) -> Result<(ObjectId, Met)> {
        let place = &mut self.arenas[arena as usize];
        let found = place.storage.find(cells, at, place.table.primary_key());
        let (slot, met) = match found.map_err(|error| self.decode_error(arena, cells, at, error))? {
            Some(slot) => {
                if !self.arenas[arena as usize].header(slot).expired && !populate_existing {
                    let object = ObjectId { arena, slot };
                    for &column in self.table(object).deferred() {
                        if !cells.is_left_out(at + column) {
                            self.fill(object, column, cells, at + column)?;
                        }
                    }
                    return Ok((object, Met::Known));
                }
                if populate_existing {
                    self.discard(&[ObjectId { arena, slot }]);
                }
                // Until every column is there it is neither the old row nor the new one.
                self.arenas[arena as usize].header_mut(slot).expired = true;
                let overwritten = self.arenas[arena as usize].storage.overwrite(slot, cells, at);
                overwritten.map_err(|error| self.decode_error(arena, cells, at, error))?;
                let header = self.arenas[arena as usize].header_mut(slot);
                header.expired = false;
                header.admitted = false;
                (slot, Met::Refreshed)
            }
            None => {
                let place = &mut self.arenas[arena as usize];
                let slot = place.next_slot();
                let put = place.storage.put(slot, cells, at);
                put.map_err(|error| self.decode_error(arena, cells, at, error))?;
                (self.arenas[arena as usize].occupy(State::Persistent), Met::New)
            }
        };
        let object = ObjectId { arena, slot };
        if self.table(object).hooks().is_some() {
            self.after_load(object, met)?;
        }
        if let Some(level) = self.tainting_level() {
            self.taint_at(level, object);
        }
        Ok((object, met))
    }

    /// Notes that the session's criteria admit the row that an object was met by. What has been
    /// edited since may say otherwise.
    pub(crate) fn admit(&mut self, object: ObjectId) {
        if !self.is_changed(object) {
            self.header_mut(object).admitted = true;
        }
    }

    /// Whether the session's criteria are known to admit an object as memory shows it.
    pub(crate) fn is_admitted(&self, object: ObjectId) -> bool {
        let header = self.header(object);
        header.admitted && !header.expired && !self.is_changed(object)
    }

    fn decode_error(&self, arena: u32, cells: &dyn Cells, at: usize, error: ValueError) -> Error {
        self.arena_at(arena).table.decode_error(cells, at, error)
    }

    /// The object of a table with this primary key, if it is known.
    pub(crate) fn find(&self, table: &'static Table, key: &[Value]) -> Option<ObjectId> {
        let arena = self.find_arena_of(table)?;
        let positions: Vec<usize> = (0..key.len()).collect();
        let slot = self.arena_at(arena).storage.find(&ValueCells(key), 0, &positions).ok()??;
        Some(ObjectId { arena, slot })
    }

    /// The object of a table with these values in columns that are not its primary key: the
    /// identity map can't tell.
    pub(crate) fn find_by(
        &self,
        table: &'static Table,
        columns: &[usize],
        values: &[Value],
    ) -> Option<ObjectId> {
        let arena = self.find_arena_of(table)?;
        let pairs = || columns.iter().copied().zip(values);
        let is_it = |object: &ObjectId| {
            self.header(*object).state == State::Persistent
                && !self.header(*object).expired
                && pairs().all(|(column, value)| *self.database_value_at(*object, column) == *value)
        };
        let storage = &self.arena_at(arena).storage;
        let candidates = pairs().filter_map(|(column, value)| storage.candidates(column, value));
        let object_in = |slot: u32| ObjectId { arena, slot };
        match candidates.min_by_key(|slots| slots.len()) {
            Some(slots) => slots.iter().copied().map(object_in).find(is_it),
            None => self.arena_at(arena).slots().map(object_in).find(is_it),
        }
    }
}
