//! The columns that every model of an application shares and that live beside its struct.

use std::fmt::Debug;

use chrono::{DateTime, Utc};

use super::{ColumnDef, PrimaryKey};
use crate::value::{Cells, ColumnField, ColumnType, ValueError};

/// Base columns: what a mixin or a declarative base is in SQLAlchemy. Made by
/// `#[derive(BaseColumns)]` on a plain struct.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the base of a model",
    label = "not a base",
    note = "annotate the struct with `#[derive(orm_core::BaseColumns)]`"
)]
pub trait BaseColumns: Sized + Send + Sync + 'static {
    /// The field of each column and its name in the database, in order.
    const NAMES: &'static [(&'static str, &'static str)];
    /// How many columns there are. They come first in the table.
    const COUNT: usize = Self::NAMES.len();
    /// Whether one of them is the primary key.
    const HAS_KEY: bool;
    /// Their descriptions, in order.
    fn columns() -> Vec<ColumnDef>;
    /// The base of a pending entity: application defaults, else placeholders.
    fn blank() -> Self;
    #[doc(hidden)]
    fn decode(cells: &dyn Cells, at: usize) -> Result<Self, ValueError>;
    #[doc(hidden)]
    fn column(&self, column: usize) -> &dyn ColumnField;
    #[doc(hidden)]
    fn column_mut(&mut self, column: usize) -> &mut dyn ColumnField;
}

/// A base that contains the primary key.
#[diagnostic::on_unimplemented(
    message = "the base `{Self}` has no primary key",
    label = "mark one of its fields, or a field of the model, `#[orm(primary_key)]`"
)]
pub trait HasKey: BaseColumns {
    /// The primary key.
    type Id: PrimaryKey;
    #[doc(hidden)]
    fn key(&self) -> Self::Id;
}

/// The default base: an auto-increment key and the times of creation and of the last change,
/// both filled in by the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// The primary key.
    pub id: i64,
    /// When the row was inserted.
    pub created_at: DateTime<Utc>,
    /// When the row was last changed; every UPDATE sets it.
    pub updated_at: DateTime<Utc>,
}

/// Stands for the server's current time in a `server_default` or an `on_update`: each dialect
/// has its own, in UTC and as precise as its clock.
pub const CURRENT_TIMESTAMP: &str = "CURRENT_TIMESTAMP";

impl BaseColumns for Base {
    const NAMES: &'static [(&'static str, &'static str)] =
        &[("id", "id"), ("created_at", "created_at"), ("updated_at", "updated_at")];
    const HAS_KEY: bool = true;
    fn columns() -> Vec<ColumnDef> {
        vec![
            ColumnDef::new::<i64>("id", "id").primary_key().autoincrement(),
            ColumnDef::new::<DateTime<Utc>>("created_at", "created_at")
                .server_default(CURRENT_TIMESTAMP),
            ColumnDef::new::<DateTime<Utc>>("updated_at", "updated_at")
                .server_default(CURRENT_TIMESTAMP)
                .on_update(CURRENT_TIMESTAMP),
        ]
    }
    fn blank() -> Self {
        Self { id: 0, created_at: DateTime::UNIX_EPOCH, updated_at: DateTime::UNIX_EPOCH }
    }
    fn decode(cells: &dyn Cells, at: usize) -> Result<Self, ValueError> {
        Ok(Self {
            id: i64::decode(cells, at)?,
            created_at: DateTime::decode(cells, at + 1)?,
            updated_at: DateTime::decode(cells, at + 2)?,
        })
    }
    fn column(&self, column: usize) -> &dyn ColumnField {
        match column {
            0 => &self.id,
            1 => &self.created_at,
            _ => &self.updated_at,
        }
    }
    fn column_mut(&mut self, column: usize) -> &mut dyn ColumnField {
        match column {
            0 => &mut self.id,
            1 => &mut self.created_at,
            _ => &mut self.updated_at,
        }
    }
}

impl HasKey for Base {
    type Id = i64;
    fn key(&self) -> i64 {
        self.id
    }
}

/// No base columns: `#[orm(base = none)]`. The struct marks its own `primary_key` fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoBase;

impl BaseColumns for NoBase {
    const NAMES: &'static [(&'static str, &'static str)] = &[];
    const HAS_KEY: bool = false;
    fn columns() -> Vec<ColumnDef> {
        Vec::new()
    }
    fn blank() -> Self {
        Self
    }
    fn decode(_cells: &dyn Cells, _at: usize) -> Result<Self, ValueError> {
        Ok(Self)
    }
    fn column(&self, _column: usize) -> &dyn ColumnField {
        unreachable!("there are no base columns")
    }
    fn column_mut(&mut self, _column: usize) -> &mut dyn ColumnField {
        unreachable!("there are no base columns")
    }
}
