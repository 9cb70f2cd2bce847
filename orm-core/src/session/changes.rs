//! Changes of one object in a form that needs no types: names and JSON.

use std::fmt;

use serde_json::Value as Json;

use crate::model::{AnyHandle, ColumnDef};
use crate::value::Value;

/// The changed columns of an object, with their old and new values as JSON.
///
/// Prints as one line, and [`to_json`](Self::to_json) is what an audit trail keeps.
#[derive(Clone, Debug)]
pub struct ObjectChanges {
    object: AnyHandle,
    key: Option<Json>,
    columns: Vec<ColumnChange>,
}

/// One column of [`ObjectChanges`].
#[derive(Clone, Debug)]
pub struct ColumnChange {
    column: &'static ColumnDef,
    old: Option<Json>,
    new: Option<Json>,
}

impl ObjectChanges {
    /// What differs in a row, given the old and the new value of every column.
    pub(super) fn of_row(
        object: AnyHandle,
        values: impl Iterator<Item = (Option<Value>, Option<Value>)>,
    ) -> Self {
        Self::new(object, values, |old, new| old != new)
    }

    /// What a new object was given.
    pub(super) fn of_new(
        object: AnyHandle,
        values: impl Iterator<Item = (Option<Value>, Option<Value>)>,
    ) -> Self {
        Self::new(object, values, |_, new| new.is_some())
    }

    fn new(
        object: AnyHandle,
        values: impl Iterator<Item = (Option<Value>, Option<Value>)>,
        is_change: impl Fn(&Option<Value>, &Option<Value>) -> bool,
    ) -> Self {
        let table = object.description();
        let mut key = Vec::with_capacity(table.primary_key().len());
        let mut columns = Vec::new();
        for (column, (old, new)) in table.columns().iter().zip(values) {
            if column.primary_key {
                let value = new.as_ref().or(old.as_ref()).filter(|_| !column.hidden);
                key.push(value.map(Value::to_json));
            }
            if is_change(&old, &new) {
                columns.push(ColumnChange::of(column, old, new));
            }
        }
        let key: Option<Vec<Json>> = key.into_iter().collect();
        let key = key.map(|mut parts| match parts.len() {
            1 => parts.remove(0),
            _ => Json::Array(parts),
        });
        Self { object, key, columns }
    }

    /// Whose changes these are.
    pub fn object(&self) -> AnyHandle {
        self.object
    }

    /// The primary key: the new one where it changes, an array where it is composite, `None` where
    /// the database has yet to make it, or where it isn't shown.
    pub fn key(&self) -> Option<&Json> {
        self.key.as_ref()
    }

    /// The columns that change, in the order of the table.
    pub fn columns(&self) -> &[ColumnChange] {
        &self.columns
    }

    /// The change of the column of this field, if it is one.
    pub fn column(&self, field: &str) -> Option<&ColumnChange> {
        self.columns.iter().find(|change| change.field() == field)
    }

    /// Whether no column changes.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// An object with an entry `{"old": …, "new": …}` per column that changes, by its field's
    /// name. A value that there is not, and one that is not shown, is left out.
    pub fn to_json(&self) -> Json {
        let entry = |change: &ColumnChange| {
            let values = [("old", change.old()), ("new", change.new())];
            let values =
                values.into_iter().filter_map(|(name, value)| Some((name, value?.clone())));
            (change.field().to_owned(), Json::from_iter(values))
        };
        self.columns.iter().map(entry).collect()
    }
}

impl ColumnChange {
    fn of(column: &'static ColumnDef, old: Option<Value>, new: Option<Value>) -> Self {
        let shown = |value: Option<Value>| Some(value.filter(|_| !column.hidden)?.to_json());
        Self { column, old: shown(old), new: shown(new) }
    }

    /// The field's name in Rust.
    pub fn field(&self) -> &'static str {
        self.column.field
    }

    /// The column's name in the database.
    pub fn column(&self) -> &'static str {
        self.column.name
    }

    /// Whether the column is `serialize = "never"`: neither value is shown.
    pub fn is_hidden(&self) -> bool {
        self.column.hidden
    }

    /// The value in the database; `None` if the object is no row yet, if a
    /// [`Deferred`](crate::Deferred) column was not loaded, or if the value isn't shown.
    pub fn old(&self) -> Option<&Json> {
        self.old.as_ref()
    }

    /// The value that it will have; `None` if the row is deleted, if only the database can tell
    /// the value, or if it isn't shown.
    #[expect(clippy::new_ret_no_self, reason = "the other one of `old`")]
    pub fn new(&self) -> Option<&Json> {
        self.new.as_ref()
    }
}

impl fmt::Display for ObjectChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, change) in self.columns.iter().enumerate() {
            if at > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{change}")?;
        }
        Ok(())
    }
}

impl fmt::Display for ColumnChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.field())?;
        match (&self.old, &self.new) {
            _ if self.is_hidden() => Ok(()),
            (Some(old), Some(new)) => write!(f, ": {old} → {new}"),
            (Some(old), None) => write!(f, ": {old} →"),
            (None, Some(new)) => write!(f, ": {new}"),
            (None, None) => Ok(()),
        }
    }
}
