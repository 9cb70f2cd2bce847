//! Partial updates that come as documents: what is absent stays, what is null becomes `NULL`.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};

use super::Session;
use crate::error::{Error, Result};
use crate::flush::expect_storable;
use crate::model::{Column, ColumnSet, Handle, Model, Table};
use crate::query::ColumnList;
use crate::sql::Dialect;
use crate::tracking::ObjectId;
use crate::value::{ColumnType, Value, ValueCells, ValueError, ValueSeed};

/// Some columns of a model with new values, read by serde from JSON or any other format that
/// describes itself: a column that is absent is told from one that is null.
///
/// Names are those of the model's fields. Refused are names that the model doesn't have, a name
/// that comes twice, and what no client may decide: the primary key, base columns, the `version`
/// and columns with `serialize = "never"`; relationships are not columns. What remains is still
/// all other columns: `apply` takes a patch only with the word of which of them may be set, so that
/// mass assignment is a decision.
///
/// Values have the form that serde gives the fields: times as in RFC 3339, enums by their labels,
/// decimals as text (exact) or numbers. A type of your own is read as the type that it is stored as.
///
/// ```
/// # use orm_core::{Engine, Model, SessionFactory, schema};
/// use orm_core::session::Patch;
///
/// #[derive(Model)]
/// struct User { email: String, age: Option<i32>, #[orm(default = false)] is_admin: bool }
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let engine = Engine::connect("sqlite::memory:").await?;
/// # engine.create_all(&schema![User]).await?;
/// # let mut session = SessionFactory::new(engine).session();
/// # let ada = session.add(User::draft().email("ada@example.org").age(36));
/// # session.commit().await?;
/// let patch: Patch<User> = serde_json::from_str(r#"{"age": null, "is_admin": true}"#).unwrap();
/// assert!(patch.has(User::age) && !patch.has(User::email));
/// session.apply(ada, patch.only((User::email, User::age)))?;
/// assert_eq!(session[ada].age, None);
/// assert_eq!(session[ada].email, "ada@example.org");
/// assert!(!session[ada].is_admin);
/// # Ok::<(), orm_core::Error>(()) }).unwrap();
/// ```
pub struct Patch<M: Model> {
    values: Vec<(usize, Value)>,
    of: PhantomData<fn() -> M>,
}

/// A [`Patch`] with the word of what of it may be set: made by [`Patch::only`] and
/// [`Patch::everything`].
pub struct Permitted<M: Model>(Patch<M>);

impl<M: Model> Patch<M> {
    /// What is present of these columns; the rest is dropped. [`fields`](Self::fields) tells what
    /// else there is, where that is to be an error.
    pub fn only(mut self, columns: impl ColumnList<M>) -> Permitted<M> {
        let mut permitted = ColumnSet::default();
        columns.__insert_into(&mut permitted);
        self.values.retain(|(column, _)| permitted.contains(*column));
        Permitted(self)
    }

    /// All that is present, now and with every column that the model gets later: who wrote the
    /// patch may set them all.
    pub fn everything(self) -> Permitted<M> {
        Permitted(self)
    }

    /// Whether the column is present, be it as null.
    pub fn has<T>(&self, column: Column<M, T>) -> bool {
        self.value(column.__index()).is_some()
    }

    /// The column's new value, if it is present.
    ///
    /// # Errors
    /// [`Error::Type`] if the column can't hold it.
    pub fn get<T: ColumnType>(&self, column: Column<M, T>) -> Result<Option<T>> {
        let Some(value) = self.value(column.__index()) else { return Ok(None) };
        let decoded = T::decode(&ValueCells(std::slice::from_ref(value)), 0);
        decoded.map(Some).map_err(|error| at(M::__table(), column.__index(), error))
    }

    /// The fields that are present.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = &'static str> {
        self.values.iter().map(|(column, _)| M::__table().columns()[*column].field)
    }

    /// Whether nothing is present.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    fn value(&self, column: usize) -> Option<&Value> {
        self.values.iter().find(|(other, _)| *other == column).map(|(_, value)| value)
    }
}

impl<M: Model> Clone for Patch<M> {
    fn clone(&self) -> Self {
        Self { values: self.values.clone(), of: PhantomData }
    }
}

impl<M: Model> fmt::Debug for Patch<M> {
    /// The fields, without their values: a patch comes from outside and may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Patch of ")?;
        f.write_str(M::__table().model())?;
        f.write_str(" ")?;
        f.debug_set().entries(self.fields()).finish()
    }
}

impl<M: Model> Clone for Permitted<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<M: Model> fmt::Debug for Permitted<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

// ---------------------------------------------------------------- reading

impl<'de, M: Model> Deserialize<'de> for Patch<M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let values = deserializer.deserialize_map(Fields(M::__table()))?;
        Ok(Self { values, of: PhantomData })
    }
}

/// The columns of a table by the names of their fields.
struct Fields(&'static Table);

impl<'de> Visitor<'de> for Fields {
    type Value = Vec<(usize, Value)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fields of `{}`", self.0.model())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut values: Vec<(usize, Value)> = Vec::new();
        while let Some(field) = map.next_key::<String>()? {
            let column = patchable(self.0, &field).map_err(A::Error::custom)?;
            if values.iter().any(|(other, _)| *other == column) {
                return Err(A::Error::custom(format_args!("`{field}` comes twice")));
            }
            let facts = &self.0.columns()[column].facts;
            let name = format!("{}.{field}", self.0.model());
            let seed =
                ValueSeed { name: &name, sql_type: facts.sql_type, nullable: facts.nullable };
            values.push((column, map.next_value_seed(seed)?));
        }
        Ok(values)
    }
}

/// The column of a field that a patch may have.
fn patchable(table: &'static Table, field: &str) -> Result<usize, String> {
    let model = table.model();
    let Some(at) = table.column_of_field(field) else {
        return Err(match table.relationship(field) {
            Some(_) => format!("`{field}` is a relationship of `{model}`, which no patch sets"),
            None => {
                let is_patchable = |at: &usize| reason_against(table, *at).is_none();
                let fields = (0..table.columns().len()).filter(is_patchable);
                let fields: Vec<&str> = fields.map(|at| table.columns()[at].field).collect();
                format!("`{model}` has no field `{field}`: expected one of {}", fields.join(", "))
            }
        });
    };
    match reason_against(table, at) {
        Some(reason) => Err(format!("`{field}` of `{model}` can't be patched: it is {reason}")),
        None => Ok(at),
    }
}

/// Why no patch may set a column, if none may.
fn reason_against(table: &Table, at: usize) -> Option<&'static str> {
    let column = &table.columns()[at];
    if column.primary_key {
        Some("part of the primary key")
    } else if at < table.base_columns() {
        Some("a base column")
    } else if column.version {
        Some("the version of the row")
    } else if column.hidden {
        Some("never serialized")
    } else {
        None
    }
}

// ---------------------------------------------------------------- applying

impl Session {
    /// Assigns what a patch has and may set, as [`set`](Self::set) does: all of it, or, if a value
    /// doesn't fit its column or can't be stored by the database, nothing. A relationship whose key column is assigned is unloaded by
    /// the flush.
    ///
    /// # Errors
    /// [`Error::Type`], which names table and column and [`violates`](Error::violates) the column,
    /// if the column can't hold the value; [`Error::Detached`] or [`Error::NotLoaded`], as
    /// [`try_get`](Self::try_get), if the object can't be edited.
    pub fn apply<M: Model>(&mut self, handle: Handle<M>, patch: Permitted<M>) -> Result<()> {
        self.expect_no_commit()?;
        let object = self.store.readable(handle)?;
        self.assign_all(object, patch.0.values)
    }

    /// Assigns columns together: if one of them can't hold its value, none is.
    pub(super) fn assign_all(
        &mut self,
        object: ObjectId,
        values: Vec<(usize, Value)>,
    ) -> Result<()> {
        let table = self.store.table(object);
        for (column, value) in &values {
            expect_fitting(table, *column, value, self.engine.dialect())?;
        }
        self.store.touch(object);
        let before: Vec<Value> = values
            .iter()
            .map(|(column, _)| self.store.storage(object).encode(object.slot, *column))
            .collect();
        for (done, (column, value)) in values.iter().enumerate() {
            let cells = ValueCells(std::slice::from_ref(value));
            let storage = self.store.storage_mut(object);
            if let Err(error) = storage.decode_column(object.slot, *column, &cells, 0) {
                for ((column, _), value) in values.iter().zip(&before[..done]) {
                    self.store.write_column(object, *column, value);
                }
                return Err(at(table, *column, error));
            }
            storage.normalize(object.slot, *column);
        }
        for (column, _) in values {
            self.count_as_assigned(object, column);
        }
        Ok(())
    }
}

/// Whether a column can hold a value that comes from outside: as a flush would see it, and `NULL`
/// only where it may be.
///
/// # Errors
/// [`Error::Type`] if it can't.
pub(super) fn expect_fitting(
    table: &Table,
    column: usize,
    value: &Value,
    dialect: &dyn Dialect,
) -> Result<()> {
    if value.is_null() && !table.columns()[column].facts.nullable {
        return Err(at(table, column, ValueError::new("it can't be NULL")));
    }
    expect_storable(table, column, value, dialect)
}

fn at(table: &Table, column: usize, error: ValueError) -> Error {
    Error::at_column(table.name(), table.columns()[column].name, error)
}
