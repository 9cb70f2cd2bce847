//! The suite's tests of what goes wrong between a session and its database: futures that are
//! dropped at any point, connections that are cut or fall silent, runtimes that end. Whatever it
//! is, the database has all of a unit of work or nothing, memory can be made to agree with it by a
//! rollback, and the pool has all its connections.

mod cuts;
mod endings;
mod polls;
mod savepoints;
mod silence;
mod timeouts;
mod work;
