//! What becomes of new rows that exist already.

use crate::flush::shapes::generated;
use crate::model::Table;
use crate::sql::{Expr, OnConflict, UpdateExisting};

/// What becomes of a new row whose values in a unique key exist already.
#[derive(Clone, Debug)]
pub(crate) enum Conflict {
    /// The database refuses it.
    Fail,
    /// It is left out, if it exists by these columns.
    Skip { key: Vec<usize> },
    /// The row that exists is updated.
    Update(UpdateExisting),
}

impl Conflict {
    /// An update of rows that exist; what every UPDATE of the table sets is set too.
    pub(crate) fn update(table: &'static Table, mut update: UpdateExisting) -> Self {
        let assignments = &mut update.assignments;
        let is_set = |column| assignments.iter().any(|(other, _): &(usize, Expr)| *other == column);
        let generated = generated(table, is_set);
        assignments.extend(generated.iter().cloned());
        Self::Update(update)
    }

    /// The columns by which a row may exist; none where that is an error.
    pub(super) fn key(&self) -> &[usize] {
        match self {
            Self::Fail => &[],
            Self::Skip { key } => key,
            Self::Update(update) => &update.key,
        }
    }

    /// The clause of an INSERT.
    pub(super) fn clause(&self) -> OnConflict {
        match self {
            Self::Fail => OnConflict::Fail,
            Self::Skip { key } => OnConflict::Skip(key.clone()),
            Self::Update(update) => OnConflict::Update(Box::new(update.clone())),
        }
    }
}
