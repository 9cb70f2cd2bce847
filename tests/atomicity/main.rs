//! Atomicity: a failure at every statement of a unit of work leaves the database as it was, a
//! rollback leaves memory as it was, and the same work succeeds afterwards (SEMANTICS 1.3, 9.2).

mod blog;
mod bulk;
mod circles;
mod columns;
mod keys;
mod models;
mod sweep;
mod uniques;
mod world;
mod worlds;
