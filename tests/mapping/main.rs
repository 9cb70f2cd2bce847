//! Mapping: column types, names, keys, bases, constraints, defaults and the schema's life.

mod bases;
mod constraints;
mod decimals;
mod defaults;
mod deferred;
mod documents;
mod entering;
mod foreign_keys;
mod keys;
mod naming;
mod newtypes;
mod reading;
mod refusals;
mod round_trip;
mod scalars;
mod schemas;
mod times;
