//! The slots of one model: what is tracked about each object beside the entity itself.

use super::changes::Changes;
use crate::model::chunks::Chunks;
use crate::model::{Key, Storage, Table};

/// Names an object of a store without its type: which arena, which slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ObjectId {
    pub(crate) arena: u32,
    pub(crate) slot: u32,
}

/// A map by object, for maps that may hold one entry per object of a large unit of work.
pub(crate) type ObjectMap<V> = std::collections::HashMap<ObjectId, V, foldhash::fast::RandomState>;

/// A set of objects, for sets that may hold every object of a large unit of work.
pub(crate) type ObjectSet = std::collections::HashSet<ObjectId, foldhash::fast::RandomState>;

/// Where an object is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing is in the slot.
    Vacant,
    /// Added, and not flushed yet.
    Pending,
    /// A row of the database.
    Persistent,
    /// Its DELETE was flushed; the commit frees the slot, a rollback brings it back.
    Deleted,
    /// Out of the session (rolled back before it ever was a row); its value can still be taken.
    Detached,
}

/// What is tracked about one object. Small: a large load has one per object.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) generation: u32,
    pub(crate) state: State,
    /// `delete` was called and the flush has not run yet.
    pub(crate) marked_deleted: bool,
    /// Its memory is not to be read before it is loaded again.
    pub(crate) expired: bool,
    /// The session's criteria are known to admit its row, as memory shows it.
    pub(crate) admitted: bool,
    /// Its memory may show what a rollback would undo, since it was loaded after a write: up to
    /// which savepoint, counted from 1 for the unit of work. 0 if not.
    pub(crate) tainted: u8,
    /// The query or flush that brought it in last, and its position there: its peers.
    pub(crate) batch: u32,
    pub(crate) position: u32,
    pub(crate) changes: Option<Box<Changes>>,
}

/// The batch of objects that have no peers.
pub(crate) const NO_BATCH: u32 = u32::MAX;

impl Header {
    fn new(generation: u32, state: State) -> Self {
        Self {
            generation,
            state,
            marked_deleted: false,
            expired: false,
            admitted: false,
            tainted: 0,
            batch: NO_BATCH,
            position: 0,
            changes: None,
        }
    }
}

/// The objects of one model.
pub(crate) struct Arena {
    pub(crate) table: &'static Table,
    pub(crate) storage: Box<dyn Storage>,
    headers: Chunks<Header>,
    vacant: Vec<u32>,
}

impl Arena {
    pub(crate) fn new(table: &'static Table, storage: Box<dyn Storage>) -> Self {
        Self { table, storage, headers: Chunks::default(), vacant: Vec::new() }
    }

    pub(crate) fn header(&self, slot: u32) -> &Header {
        self.headers.get(slot).expect("an object's slot exists")
    }

    pub(crate) fn header_mut(&mut self, slot: u32) -> &mut Header {
        self.headers.get_mut(slot).expect("an object's slot exists")
    }

    /// The header of a slot that a handle names, if the slot exists.
    pub(crate) fn header_of(&self, key: Key) -> Option<&Header> {
        self.headers.get(key.slot)
    }

    /// The slot that the next object goes into; [`occupy`](Self::occupy) takes it.
    pub(crate) fn next_slot(&self) -> u32 {
        self.vacant.last().copied().unwrap_or(self.headers.len())
    }

    /// Takes the next slot, after its entity was put into the storage.
    pub(crate) fn occupy(&mut self, state: State) -> u32 {
        match self.vacant.pop() {
            Some(slot) => {
                let header = self.header_mut(slot);
                *header = Header::new(header.generation, state);
                slot
            }
            None => {
                self.headers.push(Header::new(1, state));
                self.headers.len() - 1
            }
        }
    }

    /// Frees a slot: its handles are detached, and the next object in it is another.
    pub(crate) fn free(&mut self, slot: u32) {
        self.storage.vacate(slot);
        let header = self.header_mut(slot);
        *header = Header::new(header.generation.wrapping_add(1), State::Vacant);
        self.vacant.push(slot);
    }

    /// Every slot that is not vacant.
    pub(crate) fn slots(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.headers.len()).filter(|&slot| self.header(slot).state != State::Vacant)
    }
}
