//! A row in memory: the user's struct and the base columns beside it.

use std::fmt;
use std::ops::{Deref, DerefMut};

use chrono::{DateTime, Utc};

use super::{Base, BaseColumns, HookContext, HookOperation, Info, Model, RelationField};
use crate::error::Result;
use crate::value::{Cells, ColumnField, Value, ValueError};

/// A row: the user's struct, to which it dereferences, plus the base columns that a derive can't
/// add to it.
///
/// `id()` and the times of a *pending* entity, one that no flush has written yet, panic with
/// "flush first"; `session.key(handle)` gives an `Option` instead.
pub struct Entity<M: Model> {
    base: M::Base,
    model: M,
    /// False while the base columns wait for the first flush.
    flushed: bool,
}

impl<M: Model> Entity<M> {
    /// A pending entity around a struct.
    pub(crate) fn pending(model: M) -> Self {
        Self { base: M::Base::blank(), model, flushed: false }
    }

    /// Decodes an entity from consecutive cells, in the order of the table's columns.
    pub(crate) fn decode(cells: &dyn Cells, at: usize) -> Result<Self, ValueError> {
        Ok(Self {
            base: M::Base::decode(cells, at)?,
            model: M::__decode(cells, at + M::Base::COUNT)?,
            flushed: true,
        })
    }

    /// Decodes the entity of a row that was read, and runs its model's hook.
    ///
    /// # Errors
    /// `Type` if a column's value doesn't fit; what the hook refuses.
    pub(crate) fn read(cells: &dyn Cells, at: usize) -> Result<Self> {
        let table = M::__table();
        let mut entity =
            Self::decode(cells, at).map_err(|error| table.decode_error(cells, at, error))?;
        if let Some(hooks) = table.hooks() {
            let (load, info) = (HookOperation::Load, Info::default());
            let context = HookContext::new(load, None, table, &[], &info);
            hooks.run(&mut *entity, &context)?;
        }
        Ok(entity)
    }

    /// The field of a column.
    pub(crate) fn column(&self, column: usize) -> &dyn ColumnField {
        match column.checked_sub(M::Base::COUNT) {
            None => self.base.column(column),
            Some(own) => self.model.__column(own),
        }
    }

    /// The field of a column.
    pub(crate) fn column_mut(&mut self, column: usize) -> &mut dyn ColumnField {
        match column.checked_sub(M::Base::COUNT) {
            None => self.base.column_mut(column),
            Some(own) => self.model.__column_mut(own),
        }
    }

    pub(crate) fn encode(&self, column: usize) -> Value {
        self.column(column).encode()
    }

    pub(crate) fn key(&self) -> M::Id {
        M::__key(&self.base, &self.model)
    }

    pub(crate) fn set_flushed(&mut self, flushed: bool) {
        self.flushed = flushed;
    }

    pub(crate) fn is_flushed(&self) -> bool {
        self.flushed
    }

    /// A relationship field.
    pub(crate) fn relation_mut(&mut self, relation: usize) -> &mut dyn RelationField {
        self.model.__relation_mut(relation)
    }

    #[track_caller]
    fn expect_flushed(&self, what: &str) {
        assert!(
            self.flushed,
            "`{}` is pending and has no {what} yet: flush first, or ask `session.key(handle)`",
            M::__table().model(),
        );
    }

    /// The primary key.
    ///
    /// # Panics
    /// If the entity is pending, with "flush first".
    #[track_caller]
    pub fn id(&self) -> M::Id {
        self.expect_flushed("key");
        self.key()
    }

    /// The base columns.
    ///
    /// # Panics
    /// If the entity is pending, with "flush first".
    #[track_caller]
    pub fn base(&self) -> &M::Base {
        self.expect_flushed("base columns");
        &self.base
    }

    /// The user's struct, without the base columns.
    pub fn into_inner(self) -> M {
        self.model
    }
}

impl<M: Model<Base = Base>> Entity<M> {
    /// When the row was inserted, by the server's clock.
    ///
    /// # Panics
    /// If the entity is pending, with "flush first".
    #[track_caller]
    pub fn created_at(&self) -> DateTime<Utc> {
        self.expect_flushed("creation time");
        self.base.created_at
    }

    /// When the row was last changed, by the server's clock.
    ///
    /// # Panics
    /// If the entity is pending, with "flush first".
    #[track_caller]
    pub fn updated_at(&self) -> DateTime<Utc> {
        self.expect_flushed("time of the last change");
        self.base.updated_at
    }
}

impl<M: Model> Deref for Entity<M> {
    type Target = M;
    fn deref(&self) -> &M {
        &self.model
    }
}

impl<M: Model> DerefMut for Entity<M> {
    fn deref_mut(&mut self) -> &mut M {
        &mut self.model
    }
}

impl<M: Model + fmt::Debug> fmt::Debug for Entity<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.flushed {
            f.debug_tuple("Entity").field(&self.key()).field(&self.model).finish()
        } else {
            f.debug_tuple("Entity").field(&"pending").field(&self.model).finish()
        }
    }
}
