//! Bulk statements: an UPDATE or a DELETE of the rows that a condition finds, and memory after it.
//!
//! As in a flush, a first step writes to the database and no memory, and a second one only memory:
//! [`run`] finds out which objects were among the rows, from the statement's RETURNING or, where
//! there is none, from a locking SELECT before it; [`settle`] lets them follow. What nothing in
//! memory needs to know isn't asked for.

mod conflict;
mod insert;
mod reach;
mod run;
mod settle;

pub(crate) use conflict::Conflict;
pub(crate) use insert::{InsertWrite, run_insert};
pub(crate) use reach::holds;
pub(crate) use run::{run, run_alone, statement_alone};
pub(crate) use settle::{settle, settle_insert, settle_rows};

use super::refuse::expect_storable;
use crate::error::Result;
use crate::query::{BulkAction, BulkWrite};
use crate::sql::Dialect;

/// Fails, before any SQL, if the statement was put together wrongly, or sets a column to a value
/// that it can't hold.
pub(crate) fn check(write: &BulkWrite, dialect: &dyn Dialect) -> Result<()> {
    write.check()?;
    let BulkAction::Update { values, .. } = &write.action else { return Ok(()) };
    for (column, value) in values {
        expect_storable(write.table, *column, value, dialect)?;
    }
    Ok(())
}
