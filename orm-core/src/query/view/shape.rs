//! What a view asks for: columns of its model's table, and relationships.

use super::{View, ViewField};
use crate::error::{Error, Result};
use crate::model::{Model, Relationship, Table};
use crate::query::Ends;

/// How many levels views may nest. A view that contains itself ends where its rows end; rows
/// that form a circle have no end.
const MAX_DEPTH: usize = 64;

/// # Errors
/// `Misuse` if a view nests too deep.
pub(super) fn expect_depth(depth: usize, relationship: &Relationship) -> Result<()> {
    if depth <= MAX_DEPTH {
        return Ok(());
    }
    Err(Error::misuse(format!(
        "a view nests more than {MAX_DEPTH} levels deep at `{}::{}`: its rows lead back to \
         themselves, so end the nesting with a view that leaves the relationship out",
        relationship.source().model(),
        relationship.name(),
    )))
}

/// The columns and relationships that a view names, gathered field by field.
#[derive(Debug)]
pub struct ViewShape {
    table: &'static Table,
    /// The columns to select: those of fields and those that link rows, each once.
    columns: Vec<usize>,
    /// One per field.
    slots: Vec<Slot>,
    nested: Vec<Nested>,
    mistake: Option<String>,
}

/// Where the value of a field comes from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Slot {
    /// The selected column at this position.
    Cell(usize),
    /// The nested views with this number.
    Nested(usize),
}

/// A relationship whose members are views.
#[derive(Debug)]
pub(super) struct Nested {
    pub(super) relationship: &'static Relationship,
    pub(super) ends: Ends,
    /// The positions, among the selected columns of the owner, of what its members point to.
    pub(super) key: Vec<usize>,
    pub(super) describe: fn() -> ViewShape,
}

impl ViewShape {
    /// The shape of a view.
    pub(super) fn of<V: View>() -> Self {
        let mut shape = Self {
            table: V::Of::__table(),
            columns: Vec::new(),
            slots: Vec::new(),
            nested: Vec::new(),
            mistake: None,
        };
        V::__shape(&mut shape);
        shape
    }

    /// Adds the field of type `F` that reads a column or a relationship.
    pub fn field<F, S: ViewField<F>>(&mut self, source: S) {
        source.__describe(self);
    }

    pub(super) fn column(&mut self, column: usize) {
        let def = &self.table.columns()[column];
        if def.hidden {
            self.mistake.get_or_insert_with(|| {
                format!(
                    "`{}::{}` is marked `serialize = \"never\"`, so no view can show it",
                    self.table.model(),
                    def.field
                )
            });
        }
        let position = self.select(column);
        self.slots.push(Slot::Cell(position));
    }

    pub(super) fn nested<V: View>(&mut self, relationship: &'static Relationship) {
        self.slots.push(Slot::Nested(self.nested.len()));
        match Ends::of(relationship) {
            Ok(ends) => {
                let key = ends.owner.iter().map(|&column| self.select(column)).collect();
                let describe = Self::of::<V>;
                self.nested.push(Nested { relationship, ends, key, describe });
            }
            Err(error) => {
                self.mistake.get_or_insert_with(|| error.to_string());
            }
        }
    }

    /// Selects a column, once, and gives its position.
    pub(super) fn select(&mut self, column: usize) -> usize {
        self.columns.iter().position(|selected| *selected == column).unwrap_or_else(|| {
            self.columns.push(column);
            self.columns.len() - 1
        })
    }

    /// # Errors
    /// `Misuse` if the view asks for what it can't have.
    pub(super) fn check(&self) -> Result<()> {
        match &self.mistake {
            Some(mistake) => Err(Error::misuse(mistake.as_str())),
            None => Ok(()),
        }
    }

    pub(super) fn table(&self) -> &'static Table {
        self.table
    }

    pub(super) fn columns(&self) -> &[usize] {
        &self.columns
    }

    pub(super) fn slot(&self, field: usize) -> Option<Slot> {
        self.slots.get(field).copied()
    }

    pub(super) fn nested_fields(&self) -> &[Nested] {
        &self.nested
    }
}
