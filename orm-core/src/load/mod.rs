//! Loaders: rows into the store, relationships by the strategy that the query or the model asks
//! for.
//!
//! Layer 5, beside `flush`. Works on a [`Store`] and a [`Connection`] and knows no session, so
//! that a graph without a session is loaded the same way. Never writes to the database and never
//! overwrites what is loaded or edited in memory.
//!
//! [`plan`] decides which relationship is loaded how; [`entities`] runs one SELECT of entities,
//! with what [`joined`] adds to it; [`related`] runs one more statement per relationship and
//! level for the rest, which also serves lazy loading.

mod entities;
mod joined;
mod plan;
mod related;

pub(crate) use entities::{EntityQuery, Loaded, OwnerKey, load_entities, make_peers};
pub(crate) use plan::plan_loads;
pub(crate) use related::{
    load_for_peers, load_members, load_parents, load_referrers, load_rows, read_members,
};

/// The most objects that one lazy load fills: the object and its peers.
pub(crate) const PEERS: usize = 1_000;

/// The most keys in one statement: as many as one lazy load has.
pub(crate) const KEYS_PER_STATEMENT: usize = PEERS;
