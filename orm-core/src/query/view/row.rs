//! A row from which a view takes its fields: one that was read for it, or an object in memory.

use std::fmt;

use super::loading::ReadRow;
use super::shape::{ViewShape, expect_depth};
use super::{View, ViewField};
use crate::error::{Error, Result};
use crate::model::Relationship;
use crate::tracking::{ObjectId, Store, column_not_loaded};
use crate::value::{ColumnType, ValueCells};

/// A row from which a view takes its fields, one after the other.
pub struct ViewRow<'a>(Source<'a>);

enum Source<'a> {
    Read(ReadRow<'a>),
    Object(ObjectRow<'a>),
}

impl<'a> ViewRow<'a> {
    pub(super) fn read(row: ReadRow<'a>) -> Self {
        Self(Source::Read(row))
    }

    /// The next field, which the given column or relationship describes.
    ///
    /// # Errors
    /// `Type` if the value doesn't fit the field, `NotLoaded` if the object lacks it.
    pub fn field<F, S: ViewField<F>>(&mut self, source: S) -> Result<F> {
        source.__take(self)
    }

    pub(super) fn cell<T: ColumnType>(&mut self, column: usize) -> Result<T> {
        match &mut self.0 {
            Source::Read(row) => row.cell(),
            Source::Object(row) => row.cell(column),
        }
    }

    /// The views of all members of a relationship, which leads to one or to many.
    pub(super) fn members<V: View>(
        &mut self,
        relationship: &'static Relationship,
    ) -> Result<Vec<V>> {
        match &mut self.0 {
            Source::Read(row) => {
                let members = row.members()?.into_iter();
                members.map(|member| V::__build(&mut ViewRow(Source::Read(member)))).collect()
            }
            Source::Object(row) => row.members(relationship),
        }
    }
}

impl fmt::Debug for ViewRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ViewRow").finish_non_exhaustive()
    }
}

/// The view of an object in memory that may be read, as it is: unflushed changes are shown, nothing
/// is loaded.
///
/// # Errors
/// `NotLoaded` if an object that the view leads to is expired, or one lacks a column or relationship
/// that the view names, or a value that only the database can tell; `Misuse` if the view can't be.
pub(crate) fn view_object<V: View>(store: &Store, object: ObjectId) -> Result<V> {
    ViewShape::of::<V>().check()?;
    ObjectRow { store, object, depth: 0 }.build()
}

/// An object in memory.
#[derive(Clone, Copy)]
struct ObjectRow<'a> {
    store: &'a Store,
    object: ObjectId,
    depth: usize,
}

impl ObjectRow<'_> {
    fn build<V: View>(self) -> Result<V> {
        V::__build(&mut ViewRow(Source::Object(self)))
    }

    fn cell<T: ColumnType>(&self, column: usize) -> Result<T> {
        let table = self.store.table(self.object);
        let def = &table.columns()[column];
        let is_loaded = self.store.is_column_loaded(self.object, column);
        if !is_loaded || self.store.is_unset(self.object, column) {
            return Err(column_not_loaded(self.store, self.object, column));
        }
        let value = self.store.storage(self.object).encode(self.object.slot, column);
        T::decode(&ValueCells(&[value]), 0)
            .map_err(|error| Error::at_column(table.name(), def.name, error))
    }

    fn members<V: View>(&self, relationship: &'static Relationship) -> Result<Vec<V>> {
        let members = self.store.readable_members(self.object, relationship)?;
        if members.is_empty() {
            return Ok(Vec::new());
        }
        let depth = self.depth + 1;
        expect_depth(depth, relationship)?;
        ViewShape::of::<V>().check()?;
        members.into_iter().map(|object| Self { object, depth, ..*self }.build()).collect()
    }
}
