//! The suite's tests of bulk statements: what they write, in how many statements, and that the
//! session's objects follow, also after a rollback.

mod actions;
mod conditions;
mod deletes;
mod inserts;
mod mistakes;
mod models;
mod moves;
mod rollback;
mod statements;
mod subqueries;
mod unflushed;
mod updates;
