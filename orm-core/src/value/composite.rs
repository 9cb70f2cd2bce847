//! Column types made of others: arrays of scalars and documents.

use std::fmt;
use std::ops::{Deref, DerefMut};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{
    Cells, ColumnType, Facts, NotNull, Placeholder, SqlType, Value, ValueCells, ValueError, finite,
};

/// A scalar whose `Vec` is an array column: a native array on PostgreSQL, JSON elsewhere.
///
/// `u8` is none: a `Vec<u8>` is raw bytes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the element of an array column",
    label = "not an array element",
    note = "wrap the field's type in `orm_core::Json<…>` to store it as a JSON document"
)]
pub trait ArrayElement: ColumnType {
    /// The element's logical type, in a place that outlives every description.
    const ELEMENT: &'static SqlType;
}

macro_rules! elements {
    ($($(#[$gate:meta])? $type:ty),+ $(,)?) => {$(
        $(#[$gate])?
        impl ArrayElement for $type {
            const ELEMENT: &'static SqlType = &<$type as ColumnType>::FACTS.sql_type;
        }
    )+};
}

elements!(
    bool,
    i16,
    i32,
    i64,
    u16,
    u32,
    f32,
    f64,
    String,
    chrono::NaiveDate,
    chrono::NaiveTime,
    chrono::NaiveDateTime,
    chrono::DateTime<chrono::Utc>,
    #[cfg(feature = "uuid")]
    uuid::Uuid,
    #[cfg(feature = "decimal")]
    rust_decimal::Decimal,
);

impl<T: ArrayElement + ColumnType<Present = T>> ArrayElement for Option<T> {
    const ELEMENT: &'static SqlType = T::ELEMENT;
}

impl<T: ArrayElement> ColumnType for Vec<T> {
    const FACTS: Facts = Facts::new(SqlType::Array(T::ELEMENT));
    type Nullability = NotNull;
    type Present = Self;
    type Unset<Name> = Name;
    fn encode(&self) -> Value {
        Value::Array(self.iter().map(T::encode).collect())
    }
    fn decode(cells: &dyn Cells, at: usize) -> Result<Self, ValueError> {
        let values = cells.array(at, T::ELEMENT)?;
        let cells = ValueCells(&values);
        (0..values.len()).map(|at| T::decode(&cells, at)).collect()
    }
    fn normalize(&mut self) {
        self.iter_mut().for_each(T::normalize);
    }
}

impl<T: ArrayElement> Placeholder for Vec<T> {
    fn placeholder(_server_default: Option<&str>) -> Self {
        Vec::new()
    }
}

/// Any serde type, stored as a JSON document.
///
/// ```
/// use orm_core::Json;
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Settings { theme: String }
///
/// let settings = Json(Settings { theme: "dark".into() });
/// assert_eq!(settings.theme, "dark");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Json<T>(pub T);

impl<T> Deref for Json<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Json<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: fmt::Display> fmt::Display for Json<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: Serialize> Serialize for Json<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, T: serde::Deserialize<'de>> serde::Deserialize<'de> for Json<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Json)
    }
}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> ColumnType for Json<T> {
    const FACTS: Facts = Facts::new(SqlType::Json);
    type Nullability = NotNull;
    type Present = Self;
    type Unset<Name> = Name;
    fn encode(&self) -> Value {
        match serde_json::to_value(&self.0) {
            Ok(_) if !finite::is_finite(&self.0) => {
                Value::Refused("JSON has neither NaN nor infinity".into())
            }
            Ok(document) => Value::Json(Box::new(document)),
            // The message of an error of the type's own can quote the value.
            Err(error) if error.is_data() => {
                Value::Refused("its type refuses to be written as JSON".into())
            }
            Err(error) => Value::Refused(format!("it can't be written as JSON: {error}").into()),
        }
    }
    fn decode(cells: &dyn Cells, at: usize) -> Result<Self, ValueError> {
        let document = cells.json(at)?;
        serde_json::from_value(document).map(Json).map_err(|error| {
            // serde's message can quote the document: its position is enough.
            ValueError::new(format!(
                "the JSON document doesn't have the shape of `{}` ({:?} error)",
                std::any::type_name::<T>(),
                error.classify(),
            ))
        })
    }
}

impl<T: Default> Placeholder for Json<T> {
    fn placeholder(_server_default: Option<&str>) -> Self {
        Json(T::default())
    }
}
