//! Everything that generated code may name. Not for users: it changes without notice.

pub use crate::model::{
    Accessors, Action, Base, BaseColumns, BelongsTo, CURRENT_TIMESTAMP, Cascade, Column, ColumnDef,
    ColumnSet, Handle, HasKey, HasMany, HasOne, Key, Kind, ManyToMany, Model, NoBase, Path,
    Relation, RelationField, Relationship, RelationshipKind, Strategy, Table, TableBuilder, Target,
    ToMany, ToOne,
};
pub use crate::query::{Select, View, ViewField, ViewRow, ViewShape, order};
pub use crate::session::{
    Collection, Links, Member, New, Reference, Session, Unset, default_for, left_to_server,
    when_unset,
};
pub use crate::value::{
    ArrayElement, Blank, Cells, ColumnType, EnumType, Facts, IsSet, NotNull, Nullability, Nullable,
    Operand, Placeholder, References, Set, SqlType, Value, ValueError,
};

/// The type of the default base's times.
pub type Timestamp = chrono::DateTime<chrono::Utc>;

/// The obligation of a foreign key to a model: its column can hold the model's key.
pub const fn assert_references<T: References<K>, K>() {}

/// The obligation of a foreign key to a column: its own column can hold the other's values.
pub const fn assert_references_column<T: References<U>, M, U>(_column: Column<M, U>) {}

/// The obligation of `back_populates`: the relationship that it names is the other side.
pub const fn assert_back_populates<S, M, K, N>(
    relation: Relation<<S as Kind>::Target, K, N>,
) -> Relation<<S as Kind>::Target, K, N>
where
    S: Kind,
    K: InverseOf<S, M>,
{
    relation
}

/// A relationship's type that can be the other side of one of type `S` in the model `M`.
#[diagnostic::on_unimplemented(
    message = "`back_populates` names a relationship of type `{Self}`, which isn't the other side of `{S}` in `{M}`",
    label = "not the other side",
    note = "the other side of `HasMany` and `HasOne` is `BelongsTo<{M}>`, that of `BelongsTo` is `HasMany<{M}>` or `HasOne<{M}>`, that of `ManyToMany` is `ManyToMany<{M}>`"
)]
pub trait InverseOf<S, M> {}

impl<T: Model, M: Model> InverseOf<HasMany<T>, M> for BelongsTo<M> {}
impl<T: Model, M: Model> InverseOf<HasOne<T>, M> for BelongsTo<M> {}
impl<T: Model, M: Model> InverseOf<BelongsTo<T>, M> for HasMany<M> {}
impl<T: Model, M: Model> InverseOf<BelongsTo<T>, M> for HasOne<M> {}
impl<T: Model, M: Model> InverseOf<ManyToMany<T>, M> for ManyToMany<M> {}
