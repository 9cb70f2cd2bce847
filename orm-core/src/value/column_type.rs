//! What the library knows of a field's type, without looking at how the type is spelled.

use super::{Cells, SqlType, Value, ValueError};

/// A type that can be the type of a column.
///
/// Implemented for the scalars of the standard library, chrono, serde_json and, behind features,
/// uuid and rust_decimal; for `Option<T>`, `Vec<T>` of a scalar and [`Json<T>`](super::Json).
/// `#[derive(ColumnType)]` makes a *reusable column description* of a newtype, as
/// `Annotated[str, mapped_column(…)]` does in SQLAlchemy; `#[derive(Enum)]` maps an enum.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the type of a column",
    label = "not a column type",
    note = "derive `orm_core::Enum` for an enum or `orm_core::ColumnType` for a newtype, wrap it in `orm_core::Json<…>` to store it as JSON, or mark the field `#[orm(skip)]`"
)]
pub trait ColumnType: Sized + Send + Sync + 'static {
    /// The facts that every column of this type starts with.
    const FACTS: Facts;
    /// [`Nullable`] for `Option<T>`, [`NotNull`] for every other type.
    type Nullability: Nullability;
    /// The type without its `Option`.
    type Present: ColumnType;
    /// The state of a draft's column before it is set: `Name` where it must be set, and
    /// [`Set`] where it may be left out.
    type Unset<Name>;

    /// The field as a value. Never fails: what no database can hold becomes
    /// [`Value::Refused`], which is an error when it is bound.
    fn encode(&self) -> Value;
    /// Reads the cell at `at` of a row.
    fn decode(cells: &dyn Cells, at: usize) -> Result<Self, ValueError>;
    /// What the column holds when a draft left it out; `None` where it must be set.
    fn when_unset() -> Option<Blank<Self>> {
        None
    }
    /// Cuts the value to what every database can hold (times to microseconds), as it enters a
    /// session.
    fn normalize(&mut self) {}
}

/// The facts of a column that come from its type; attributes of the field override them.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Facts {
    /// The logical type.
    pub sql_type: SqlType,
    /// Whether the column accepts `NULL`.
    pub nullable: bool,
    /// The longest text, in characters.
    pub length: Option<u32>,
    /// The digits of a decimal, in all.
    pub precision: Option<u32>,
    /// The digits of a decimal behind the point.
    pub scale: Option<u32>,
    /// Whether values are unique within the table.
    pub unique: bool,
    /// Whether the column has an index of its own.
    pub index: bool,
    /// A condition in SQL in which `{column}` stands for the quoted column name.
    pub check: Option<&'static str>,
    /// The default that the server fills in, in SQL.
    pub server_default: Option<&'static str>,
    /// A comment for the schema.
    pub comment: Option<&'static str>,
    /// Whether queries leave the column out until it is asked for, as
    /// [`Deferred`](crate::Deferred) says.
    pub deferred: bool,
}

impl Facts {
    /// A plain, not nullable column of the given type.
    pub const fn new(sql_type: SqlType) -> Self {
        Self {
            sql_type,
            nullable: false,
            length: None,
            precision: None,
            scale: None,
            unique: false,
            index: false,
            check: None,
            server_default: None,
            comment: None,
            deferred: false,
        }
    }

    /// The same facts for a column that accepts `NULL`.
    pub const fn nullable(mut self) -> Self {
        self.nullable = true;
        self
    }

    /// With a length in characters.
    pub const fn length(mut self, length: u32) -> Self {
        self.length = Some(length);
        self
    }

    /// With a precision and a scale.
    pub const fn decimal(mut self, precision: Option<u32>, scale: Option<u32>) -> Self {
        self.precision = precision;
        self.scale = scale;
        self
    }

    /// Unique within the table.
    pub const fn unique(mut self) -> Self {
        self.unique = true;
        self
    }

    /// With an index.
    pub const fn index(mut self) -> Self {
        self.index = true;
        self
    }

    /// With a check.
    pub const fn check(mut self, check: &'static str) -> Self {
        self.check = Some(check);
        self
    }

    /// With a default of the server.
    pub const fn server_default(mut self, sql: &'static str) -> Self {
        self.server_default = Some(sql);
        self
    }

    /// With a comment.
    pub const fn comment(mut self, comment: &'static str) -> Self {
        self.comment = Some(comment);
        self
    }

    /// Left out of queries until it is asked for.
    pub(super) const fn deferred(mut self) -> Self {
        self.deferred = true;
        self
    }
}

/// The state of a draft's column that was set, or need not be.
#[derive(Debug)]
pub struct Set;

/// The states of a draft's column in which the draft may be added.
#[diagnostic::on_unimplemented(
    message = "a required column of this draft is not set: `{Self}`",
    label = "set it on the draft before it is used here"
)]
pub trait IsSet {}

impl IsSet for Set {}

/// What a column that a draft left out holds in memory.
#[derive(Debug)]
pub enum Blank<T> {
    /// This value, which the INSERT writes.
    Written(T),
    /// This placeholder: the server fills the column in, which the flush reads back, or leaves it
    /// NULL.
    LeftToServer(T),
}

/// What a column left to the server reads as until the flush has told.
///
/// Zero, empty, the epoch; for an enum the variant of its literal `server_default`, else its
/// first.
#[diagnostic::on_unimplemented(
    message = "a column left to the server needs a value to read as until the flush, and `{Self}` has none",
    label = "has no placeholder",
    note = "give the field a `default = …`, or make it an `Option<…>`"
)]
pub trait Placeholder: Sized {
    /// The placeholder, given the column's server default in SQL.
    fn placeholder(server_default: Option<&str>) -> Self;
}

/// Whether a column accepts `NULL`, as a type: it decides what a reference through it gives.
pub trait Nullability: Send + Sync + 'static {
    /// `T` for a column that is never `NULL`, else `Option<T>`.
    type Of<T>;
    /// Whether `NULL` is accepted.
    const NULLABLE: bool;
    /// Wraps a value that may be missing; `None` where it is missing and must not be.
    fn of<T>(value: Option<T>) -> Option<Self::Of<T>>;
}

/// The column is never `NULL`.
#[derive(Debug, Clone, Copy)]
pub struct NotNull;

/// The column may be `NULL`.
#[derive(Debug, Clone, Copy)]
pub struct Nullable;

impl Nullability for NotNull {
    type Of<T> = T;
    const NULLABLE: bool = false;
    fn of<T>(value: Option<T>) -> Option<T> {
        value
    }
}

impl Nullability for Nullable {
    type Of<T> = Option<T>;
    const NULLABLE: bool = true;
    fn of<T>(value: Option<T>) -> Option<Option<T>> {
        Some(value)
    }
}

/// A column type that may hold a foreign key to a column of type `Key`: the type itself, or an
/// `Option` of it.
#[diagnostic::on_unimplemented(
    message = "a foreign key of type `{Self}` can't reference a key of type `{Key}`",
    label = "expected `{Key}` or `Option<{Key}>`"
)]
pub trait References<Key> {}

impl<T: ColumnType<Present = T>> References<T> for T {}
impl<T: ColumnType<Present = T>> References<T> for Option<T> {}
