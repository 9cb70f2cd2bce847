//! What a model is: its table as a static description, its handles, entities and fields.
//!
//! Layer 1. Descriptions are plain data that the derive registers; a description names another
//! table by a function, because constants would be a cycle. Holds no SQL text, no session and
//! nothing async. Everything above reads models through these types.

mod any_handle;
mod base;
pub(crate) mod chunks;
mod column;
mod column_def;
mod column_set;
mod entity;
mod field;
mod handle;
mod hooks;
mod info;
mod lookup;
mod relation;
mod relationship;
mod row_layout;
mod storage;
mod table;

pub use any_handle::AnyHandle;
pub use base::{Base, BaseColumns, CURRENT_TIMESTAMP, HasKey, NoBase};
pub use column::Column;
pub use column_def::ColumnDef;
pub use column_set::ColumnSet;
pub use entity::Entity;
pub use field::{BelongsTo, HasMany, HasOne, ManyToMany, RelationField};
pub use handle::{Accessors, Handle, Key};
pub(crate) use hooks::ModelHooks;
pub use hooks::{HookContext, HookOperation, Hooked, Hooks};
pub use info::Info;
pub(crate) use relation::same;
pub use relation::{Kind, Relation, ToMany, ToOne};
pub(crate) use relationship::PassiveDeletes;
pub use relationship::{
    Association, Cascade, Link, MemberOrder, Path, Relationship, RelationshipKind, Strategy,
};
pub(crate) use row_layout::RowLayout;
pub use storage::{EntityStorage, Storage};
pub use table::{Action, ForeignKey, Index, Table, TableBuilder, TableFn, Target};

use std::fmt::Debug;
use std::hash::Hash;

use crate::value::{Cells, ColumnField, ColumnType, Value, ValueError};

/// A struct that is a row: made by `#[derive(Model)]`.
///
/// The items are for generated code and bear names that no column can have.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a model",
    label = "not a model",
    note = "annotate the struct with `#[derive(orm_core::Model)]`"
)]
pub trait Model: Sized + Send + Sync + 'static {
    /// The base columns, which live beside the struct in [`Entity`].
    type Base: BaseColumns;
    /// The primary key: `i64` for the default base, a tuple for a composite key.
    type Id: PrimaryKey;
    /// One accessor method per relationship, on the handle.
    type Accessors: Accessors;

    #[doc(hidden)]
    fn __table() -> &'static Table;
    #[doc(hidden)]
    fn __key(base: &Self::Base, model: &Self) -> Self::Id;
    /// Decodes the struct's own columns from consecutive cells.
    #[doc(hidden)]
    fn __decode(cells: &dyn Cells, at: usize) -> Result<Self, ValueError>;
    /// The field of the own column with this ordinal (0 is the first behind the base columns).
    #[doc(hidden)]
    fn __column(&self, column: usize) -> &dyn ColumnField;
    /// The field of the own column with this ordinal.
    #[doc(hidden)]
    fn __column_mut(&mut self, column: usize) -> &mut dyn ColumnField;
    #[doc(hidden)]
    fn __relation(&self, relation: usize) -> &dyn RelationField;
    #[doc(hidden)]
    fn __relation_mut(&mut self, relation: usize) -> &mut dyn RelationField;
}

/// A primary key: a column type, or a tuple of them for a composite key.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be a primary key",
    label = "a primary key must be a column type (or a tuple of them) that is `Clone + Eq + Hash + Debug`"
)]
pub trait PrimaryKey: Clone + Eq + Hash + Debug + Send + Sync + 'static {
    #[doc(hidden)]
    fn __encode(&self) -> Vec<Value>;
    /// Decodes the key from the cells at `offset` plus the given positions.
    #[doc(hidden)]
    fn __decode(cells: &dyn Cells, offset: usize, at: &[usize]) -> Result<Self, ValueError>;
}

impl<T: ColumnType + Clone + Eq + Hash + Debug> PrimaryKey for T {
    fn __encode(&self) -> Vec<Value> {
        vec![self.encode()]
    }
    fn __decode(cells: &dyn Cells, offset: usize, at: &[usize]) -> Result<Self, ValueError> {
        T::decode(cells, offset + at[0])
    }
}

macro_rules! composite_key {
    ($($type:ident $at:tt),+) => {
        impl<$($type: ColumnType + Clone + Eq + Hash + Debug),+> PrimaryKey for ($($type,)+) {
            fn __encode(&self) -> Vec<Value> {
                vec![$(self.$at.encode()),+]
            }
            fn __decode(
                cells: &dyn Cells,
                offset: usize,
                at: &[usize],
            ) -> Result<Self, ValueError> {
                Ok(($($type::decode(cells, offset + at[$at])?,)+))
            }
        }
    };
}

composite_key!(A 0, B 1);
composite_key!(A 0, B 1, C 2);
composite_key!(A 0, B 1, C 2, D 3);
