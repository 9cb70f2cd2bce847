//! The flush: what a unit of work writes, in which order, in the fewest statements.
//!
//! Layer 5, beside `load`. Each step is a module that passes plain, owned values on:
//!
//! ```text
//! prepare                              reads what can't be planned without (async, writes nothing)
//! hooks                                the models' own code, on whom the cascade reaches
//! cascade → detect → switch            pure: reads the store, no SQL text
//!         → order → batch
//! refuse                               pure: stops at a value that its column can't hold
//! execute                              async, the only step that writes to the database
//! settle                               the only step that writes memory
//! ```
//!
//! `order` works with tables, which are a `table_graph`; what it needs to know of rows is in `by_key` (keys set by hand that
//! lead to new rows), `uniques` (values that change hands), `found` (rows found by keys that change)
//! and `defer` (keys written later). Tables in a circle become a `row_graph`, whose `circles` are broken before `schedule` gives its steps.
//!
//! `rekey` finds who follows keys that change, `acted_upon` the objects that the database's own actions
//! have reached; `bulk` is the other way to write, by a condition.
//!
//! An error, or a future dropped half-way, before `settle` leaves memory as it was.

mod acted_upon;
mod batch;
pub(crate) mod bulk;
mod by_key;
mod cascade;
mod circles;
mod defer;
mod detect;
mod execute;
mod found;
mod hooks;
mod learn;
mod order;
mod plan;
mod prepare;
mod read_back;
mod refuse;
mod rekey;
mod returned;
mod row_graph;
mod row_keys;
mod schedule;
mod settle;
mod shapes;
mod skip;
mod stale;
mod switch;
mod table_graph;
mod uniques;
mod work;
mod written;

pub use plan::{Plan, PlannedOperation, PlannedStep};

pub(crate) use batch::{Batched, SkipExisting};
pub(crate) use cascade::{Cascaded, cascade};
pub(crate) use detect::order_of;
pub(crate) use execute::{Failure, Outcome, execute};
pub(crate) use hooks::{HooksRun, due_hooks, run_hooks};
pub(crate) use prepare::{load_expired, needs_reading, prepare};
pub(crate) use refuse::expect_storable;
pub(crate) use settle::settle;

use crate::error::Result;
use crate::sql::Dialect;
use crate::tracking::Store;

/// Plans the flush of a store, given what [`cascade()`] found or [`prepare()`] brought to its end.
pub(crate) fn plan(store: &Store, cascaded: Cascaded, dialect: &dyn Dialect) -> Result<Batched> {
    let cascaded = cascaded.complete()?;
    let mut work = detect::detect(store, cascaded)?;
    switch::switch_rows(store, &mut work);
    let steps = order::order(store, &mut work, dialect)?;
    let batched = batch::batch(work, steps, dialect);
    refuse::refuse(&batched, dialect)?;
    Ok(batched)
}
