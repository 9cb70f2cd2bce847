//! The suite's tests of flush: in which order, in how many statements, with which keys, and that
//! memory is what the database holds afterwards.

mod associations;
mod changed_keys;
mod circles;
mod expressions;
mod forests;
mod insert;
mod keys;
mod memory;
mod mistakes;
mod models;
mod parking;
mod plan;
mod read_backs;
mod rekeying;
mod row_switch;
mod stale;
mod table_order;
mod trees;
mod unique_models;
mod unique_order;
mod unique_values;
mod update;
