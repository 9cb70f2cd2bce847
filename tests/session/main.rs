//! The suite's tests of the session: states and handles, the identity map, autoflush,
//! transactions, dropped futures, expiry and errors.

mod autoflush;
mod by_hand;
mod dropped_futures;
mod errors;
mod expiry;
mod factory;
mod followers;
mod for_test;
mod handles;
mod identity_map;
mod isolation;
mod joined;
mod locks;
mod merge;
mod models;
mod new_objects;
mod patches;
mod plan;
mod pools;
mod retries;
mod rollback;
mod savepoints;
mod send;
mod slots;
mod states;
mod transactions;
