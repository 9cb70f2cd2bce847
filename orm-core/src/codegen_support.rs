//! Everything that generated code may name. Not for users: it changes without notice.

use std::marker::PhantomData;

use crate::model::same;

pub use crate::error::Result;
pub use crate::model::{
    Accessors, Action, Base, BaseColumns, BelongsTo, CURRENT_TIMESTAMP, Cascade, Column, ColumnDef,
    ColumnSet, Handle, HasKey, HasMany, HasOne, Hooked, Key, Kind, ManyToMany, Model, NoBase, Path,
    Relation, RelationField, Relationship, RelationshipKind, Strategy, Table, TableBuilder, Target,
    ToMany, ToOne,
};
pub use crate::query::{
    Delete, Order, Origin, RawRow, Row, RowCells, Select, Sortable, SourceOf, Unfiltered, Update,
    View, ViewField, ViewRow, ViewShape, order, order_from, read_by_name,
};
pub use crate::session::{
    Collection, Draft, Given, Insert, Links, Member, Merge, MergedMember, New, Partial, Reference,
    Session, Unset, default_for, left_to_server, merge_draft,
};
pub use crate::value::{
    ArrayElement, Blank, Cells, ColumnField, ColumnType, EnumType, Facts, FieldOperand, FieldType,
    IsSet, NotNull, Nullability, Nullable, Operand, Placeholder, References, Set, SqlType, Value,
    ValueError,
};

/// The type of the default base's times.
pub type Timestamp = chrono::DateTime<chrono::Utc>;

/// What a column of a pending base holds that has no default of its own: its type's, else the
/// placeholder.
pub fn base_value<T: Placeholder>(blank: Option<Blank<T>>, server_default: Option<&str>) -> T {
    match blank.unwrap_or_else(|| left_to_server(server_default)) {
        Blank::Written(value) | Blank::LeftToServer(value) => value,
    }
}

/// The obligation of a foreign key to a model: its column can hold the model's key.
pub const fn assert_references<T: References<K>, K>() {}

/// The obligation of a foreign key to a column, in two steps: the type of the referenced column is
/// known before the foreign key's is compared with it, so that the error speaks of both.
pub const fn referenced<M, U>(column: Column<M, U>) -> Referenced<U> {
    assert!(!column.__is_deferred(), "a foreign key can't lead to a `Deferred` column");
    Referenced(PhantomData)
}

/// A column that a foreign key references, by its type.
#[derive(Debug)]
pub struct Referenced<U>(PhantomData<fn() -> U>);

impl<U> Referenced<U> {
    /// The foreign key's own column can hold its values.
    pub const fn by<T: References<U>>(self) {}
}

/// The obligation of a `BelongsTo` whose foreign key names its model by another path: both are
/// the same model.
pub const fn assert_same_model<Key: SameModel<Target>, Target>() {}

/// The model that a foreign key references is the one that its relationship leads to.
#[diagnostic::on_unimplemented(
    message = "the foreign key of this relationship references `{Self}`, but it leads to `{Target}`",
    label = "its foreign key references `{Self}`",
    note = "change one of them, or name another foreign key with `via = …`"
)]
pub trait SameModel<Target> {}

impl<M: Model> SameModel<M> for M {}

/// Whether a base, which has these names, has a column for this field.
pub const fn has_field(names: &[(&str, &str)], field: &str) -> bool {
    let mut at = 0;
    while at < names.len() {
        if same(names[at].0, field) {
            return true;
        }
        at += 1;
    }
    false
}

/// Whether a base, which has these names, has a column of this name in the database.
pub const fn has_column(names: &[(&str, &str)], name: &str) -> bool {
    let mut at = 0;
    while at < names.len() {
        if same(names[at].1, name) {
            return true;
        }
        at += 1;
    }
    false
}

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
