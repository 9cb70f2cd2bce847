//! `Deferred<T>`: a column that is read only when it is asked for.

use std::any::type_name;
use std::fmt;

use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Blank, Cells, ColumnType, Facts, FieldType, Operand, Placeholder, ValueError};

/// A column that queries leave out until it is asked for: a long text, a picture.
///
/// [`Session::load`](crate::Session::load) loads it, in one statement for the object and up to 99
/// others that the same query brought in, and [`undefer`](crate::query::Select::undefer) puts it into a
/// query. What is not loaded never reads as a default. Everything else is as with a plain `T`: it is
/// set by drafts and by assignment, whether it is loaded or not, and is filtered, ordered and selected
/// by.
///
/// ```
/// use orm_core::{Deferred, Engine, Model, SessionFactory, schema};
///
/// #[derive(Model)]
/// struct Author {
///     name: String,
///     biography: Deferred<String>,
///     portrait: Deferred<Option<Vec<u8>>>,
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let engine = Engine::connect("sqlite::memory:").await?;
/// # engine.create_all(&schema![Author]).await?;
/// # let sessions = SessionFactory::new(engine.clone());
/// # let mut session = sessions.session();
/// session.add(Author::draft().name("Ada").biography("Born in London."));
/// session.commit().await?;
///
/// let mut session = sessions.session();
/// let ada = Author::select().filter(Author::biography.like("Born%")).one(&mut session).await?;
/// assert_eq!(session[ada].biography.loaded(), None);
/// assert_eq!(session.load(ada, Author::biography).await?, "Born in London.");
/// assert_eq!(session[ada].biography.get(), "Born in London.");
///
/// session[ada].portrait = vec![0xff, 0xd8].into();      // nothing has to be loaded for that
/// session.commit().await?;                              // UPDATE … SET portrait, updated_at
///
/// let whole = Author::select().undefer(Author::portrait).on(&engine).one().await?;
/// assert_eq!(whole.portrait.loaded(), Some(&Some(vec![0xff, 0xd8])));
/// # Ok::<(), orm_core::Error>(()) }).unwrap();
/// ```
///
/// It is serialized as the `T` that it holds; one that is not loaded is an error then, unless serde is
/// told to leave it out: `#[serde(skip_serializing_if = "Deferred::is_unloaded")]`.
///
/// A column that the session needs to know can't be deferred: a key, a unique column, the version, a
/// base column.
///
/// SQLAlchemy's `deferred()`, Hibernate's `@Basic(fetch = LAZY)`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Deferred<T>(Option<T>);

impl<T> Deferred<T> {
    /// A field that is not loaded. Assigned to a row's field it forgets what was loaded, and changes
    /// nothing in the database; a new object can't be written with it.
    pub const fn unloaded() -> Self {
        Self(None)
    }

    /// Whether the value is here.
    pub const fn is_loaded(&self) -> bool {
        self.0.is_some()
    }

    /// Whether the value is not here.
    pub const fn is_unloaded(&self) -> bool {
        self.0.is_none()
    }

    /// The value, or `None` if it is not loaded.
    pub const fn loaded(&self) -> Option<&T> {
        self.0.as_ref()
    }

    /// The value to be edited in place, or `None` if it is not loaded.
    pub const fn loaded_mut(&mut self) -> Option<&mut T> {
        self.0.as_mut()
    }

    /// The value, or `None` if it is not loaded.
    pub fn into_loaded(self) -> Option<T> {
        self.0
    }

    /// The value, which is known to be loaded. [`Session::value`](crate::Session::value) gives an
    /// error where it isn't.
    ///
    /// # Panics
    /// If it is not loaded.
    #[track_caller]
    pub fn get(&self) -> &T {
        match &self.0 {
            Some(value) => value,
            None => panic!(
                "this `Deferred<{}>` is not loaded: await `session.load(handle, column)`, or \
                 `undefer(column)` it in the query",
                type_name::<T>(),
            ),
        }
    }

    /// Assigns a value, whether one is loaded or not.
    pub fn set(&mut self, value: impl Operand<T>) {
        self.0 = Some(value.into_operand());
    }
}

/// Not loaded.
impl<T> Default for Deferred<T> {
    fn default() -> Self {
        Self::unloaded()
    }
}

impl<T> From<T> for Deferred<T> {
    fn from(value: T) -> Self {
        Self(Some(value))
    }
}

impl<T> From<T> for Deferred<Option<T>> {
    fn from(value: T) -> Self {
        Self(Some(Some(value)))
    }
}

impl From<&str> for Deferred<String> {
    fn from(value: &str) -> Self {
        Self(Some(value.to_owned()))
    }
}

impl From<&str> for Deferred<Option<String>> {
    fn from(value: &str) -> Self {
        Self(Some(Some(value.to_owned())))
    }
}

impl<T: fmt::Debug> fmt::Debug for Deferred<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str("not loaded"),
        }
    }
}

impl<T: Serialize> Serialize for Deferred<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(value) => value.serialize(serializer),
            None => Err(S::Error::custom(
                "a deferred column is not loaded: `undefer` it in the query, or leave it out by \
                 `skip_serializing_if = \"Deferred::is_unloaded\"`",
            )),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Deferred<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::from)
    }
}

impl<T: ColumnType> FieldType for Deferred<T> {
    type Content = T;
    const FACTS: Facts = {
        assert!(
            !T::FACTS.unique,
            "a unique column can't be `Deferred`: a flush goes by its values"
        );
        T::FACTS.deferred()
    };
    type Unset<Name> = T::Unset<Name>;

    fn holding(content: T) -> Self {
        Self(Some(content))
    }
    fn content(&self) -> Option<&T> {
        self.0.as_ref()
    }
    fn content_mut(&mut self) -> Option<&mut T> {
        self.0.as_mut()
    }
    fn decode(cells: &dyn Cells, at: usize) -> Result<Self, ValueError> {
        Ok(Self(match cells.is_left_out(at) {
            true => None,
            false => Some(T::decode(cells, at)?),
        }))
    }
    fn when_unset() -> Option<Blank<Self>> {
        Some(match T::when_unset()? {
            Blank::Written(value) => Blank::Written(Self(Some(value))),
            // What the server will fill in is not known before the flush; what is NULL is.
            Blank::LeftToServer(_) if T::FACTS.server_default.is_some() => {
                Blank::LeftToServer(Self(None))
            }
            Blank::LeftToServer(value) => Blank::LeftToServer(Self(Some(value))),
        })
    }
}

/// Until the flush has told what the server filled in, it is not loaded.
impl<T> Placeholder for Deferred<T> {
    fn placeholder(_server_default: Option<&str>) -> Self {
        Self(None)
    }
}
