//! Loaders: rows into the store, relationships by the strategy that the query or the model asks
//! for.
//!
//! Layer 5, beside `flush`. Works on a [`Store`] and a [`Connection`] and knows no session, so
//! that a graph without a session is loaded the same way. Never writes to the database and never
//! overwrites what is loaded or edited in memory.
//!
//! [`plan`] decides which relationship is loaded how; [`entities`] runs one SELECT of entities,
//! with what [`joined`] adds to it; [`related`] runs one more statement per relationship and
//! level for the rest, which also serves lazy loading: [`members`] makes these statements.
//! [`tree`] loads a relationship of a model to itself at all levels at once, [`column`] a deferred
//! column. [`tuples`] runs a query of columns with whole entities among them. [`rows`] is what a flush reads.

mod column;
mod entities;
mod joined;
mod members;
mod plan;
mod related;
mod rows;
mod tree;
mod tuples;

use crate::driver::Connection;
use crate::query::Criteria;
use crate::tracking::{ObjectId, State, Store};

pub(crate) use column::load_column;
pub(crate) use entities::{
    EntityQuery, Loaded, OwnerKey, entity_select, load_entities, make_peers,
};
pub(crate) use plan::plan_loads;
pub(crate) use related::load_for_peers;
pub(crate) use rows::{load_members, load_parents, load_referrers, load_rows, read_members};
pub(crate) use tuples::{EachTuple, TupleQuery, load_tuples};

/// The most objects that one lazy load fills: the object and its peers.
pub(crate) const PEERS: usize = 1_000;

/// The most keys in one statement: as many as one lazy load has.
pub(crate) const KEYS_PER_STATEMENT: usize = PEERS;

/// What a load works with.
pub(crate) struct Loader<'l> {
    pub(crate) connection: &'l mut Connection,
    pub(crate) store: &'l mut Store,
    /// Which rows it sees.
    pub(crate) criteria: &'l Criteria,
    /// Fill known objects again, their unflushed changes being gone already.
    pub(crate) populate_existing: bool,
}

impl<'l> Loader<'l> {
    /// A loader that sees every row and leaves known objects as they are, as a flush needs it.
    pub(crate) fn of_all(connection: &'l mut Connection, store: &'l mut Store) -> Self {
        Self { connection, store, criteria: Criteria::NONE, populate_existing: false }
    }

    /// Whether an object in memory may stand for its row: the criteria are known to admit it. A
    /// pending object has no row that they could refuse.
    fn admits(&self, object: ObjectId) -> bool {
        self.criteria.of(self.store.table(object)).is_none()
            || self.store.header(object).state == State::Pending
            || self.store.is_admitted(object)
    }
}
