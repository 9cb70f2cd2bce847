//! What a session remembers: objects in arenas, an identity map, snapshots and edits.
//!
//! Layer 3. Knows no SQL and nothing async. The session edits objects through the [`Store`],
//! loaders put rows into it, flush reads from it what to write and settles the outcome, and the
//! read-only graph of a query without a session is a store too.
//!
//! The truth of a relationship is kept once: as the *link* of the object that has the foreign
//! key, or as the *pair* of an association table. Relationship fields on either side are views,
//! kept in step by [`link_edits`] and [`pair_edits`].

mod arena;
mod assigned;
mod changes;
mod deferred;
mod edits;
mod expiry;
mod hooks;
mod inspect;
mod journal;
mod leaving;
mod link_edits;
mod links;
mod locked;
mod pair_edits;
mod pairs;
mod peers;
mod rows;
mod single_parent;
mod store;
mod tables;

pub(crate) use arena::{ObjectId, ObjectMap, ObjectSet, State};
pub(crate) use changes::Changes;
pub(crate) use deferred::column_not_loaded;
pub(crate) use inspect::MemberEdits;
pub(crate) use links::{
    EditedByKey, EditedLinks, Parent, not_loaded, views_of_child, views_of_parent,
};
pub(crate) use pairs::{Pair, PairEdit};
pub(crate) use rows::Place;
pub(crate) use store::Store;
