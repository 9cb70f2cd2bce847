//! Validated types: what a struct says, once its attributes make sense one by one.
//!
//! Building them never gives up half-way: what can't be resolved is a remembered mistake and a
//! harmless stand-in, so that the rest of the struct is still checked and still expands.

mod base;
mod build;
mod column;
mod path;

pub(crate) use base::BaseModel;

use syn::{Expr, Ident, LitStr, Path, Type, Visibility};

use crate::attr::{Actions, Cascades, ColumnRef, Given};

/// The type that a derive was put on.
pub(crate) struct Item {
    pub(crate) name: Ident,
    pub(crate) vis: Visibility,
    /// Where `orm_core` is.
    pub(crate) krate: Path,
}

/// A model.
pub(crate) struct Model {
    pub(crate) item: Item,
    pub(crate) table: String,
    pub(crate) schema: Option<LitStr>,
    pub(crate) comment: Option<LitStr>,
    pub(crate) base: Base,
    pub(crate) columns: Vec<Column>,
    pub(crate) relationships: Vec<Relationship>,
    /// Fields that are neither.
    pub(crate) skipped: Vec<Ident>,
    pub(crate) foreign_keys: Vec<ForeignKey>,
    pub(crate) uniques: Vec<ColumnGroup>,
    pub(crate) indexes: Vec<ColumnGroup>,
    pub(crate) checks: Vec<LitStr>,
    /// The key that says that it has hooks.
    pub(crate) hooks: Option<Ident>,
}

/// Where the base columns come from.
pub(crate) enum Base {
    /// `orm_core::Base`.
    Default,
    /// Nowhere.
    None,
    /// A type that derives `BaseColumns`.
    Custom(Box<Type>),
}

impl Base {
    /// The fields of the default base.
    pub(crate) const DEFAULT_FIELDS: [&str; 3] = ["id", "created_at", "updated_at"];

    /// Whether it may have a column for this field. What a custom base has is not known here.
    pub(crate) fn may_have(&self, field: &str) -> bool {
        match self {
            Self::Default => Self::DEFAULT_FIELDS.contains(&field),
            Self::None => false,
            Self::Custom(_) => true,
        }
    }
}

/// A column.
pub(crate) struct Column {
    pub(crate) field: Ident,
    pub(crate) vis: Visibility,
    pub(crate) ty: Type,
    /// Its name in the database.
    pub(crate) name: String,
    pub(crate) fill: Fill,
    pub(crate) overrides: Overrides,
    /// The keys that were given, which say what it is: `primary_key`, `unique` and so on.
    pub(crate) given: Given,
}

impl Column {
    pub(crate) fn is_key(&self) -> bool {
        self.given.has("primary_key")
    }
}

/// What a draft that leaves a column out does.
pub(crate) enum Fill {
    /// It asks the type, which may insist on a value.
    Type,
    /// It takes the default of the type.
    Default,
    /// It takes this value.
    Value(Box<Expr>),
    /// It leaves the column to the server's default, to a relationship or to the key generator.
    Server(Option<LitStr>),
    /// It starts the optimistic lock. A draft can't set this column.
    Version,
}

/// Facts of a column that win over those of its type.
pub(crate) struct Overrides {
    pub(crate) length: Option<u32>,
    pub(crate) precision: Option<u32>,
    pub(crate) scale: Option<u32>,
    pub(crate) sql_type: Option<LitStr>,
    pub(crate) server_default: Option<LitStr>,
    pub(crate) on_update: Option<LitStr>,
    pub(crate) check: Option<LitStr>,
    pub(crate) comment: Option<LitStr>,
}

/// A foreign key, of one column or several.
pub(crate) struct ForeignKey {
    pub(crate) fields: Vec<Ident>,
    pub(crate) model: Path,
    /// The fields of the model that it references; none for its primary key.
    pub(crate) references: Vec<Ident>,
    pub(crate) actions: Actions,
}

/// Columns that are unique or indexed together.
pub(crate) struct ColumnGroup {
    pub(crate) fields: Vec<Ident>,
    pub(crate) name: Option<LitStr>,
}

/// A relationship.
pub(crate) struct Relationship {
    pub(crate) field: Ident,
    pub(crate) vis: Visibility,
    pub(crate) ty: Type,
    pub(crate) kind: Kind,
    /// The model that it leads to.
    pub(crate) target: Type,
    pub(crate) path: RelationshipPath,
    pub(crate) back_populates: Option<Ident>,
    pub(crate) strategy: Option<&'static str>,
    pub(crate) cascades: Option<Cascades>,
    /// Whether a deleted owner leaves even its loaded members alone.
    pub(crate) never_deletes: bool,
    pub(crate) order_by: Option<Expr>,
    /// The keys that were given: `viewonly` and so on.
    pub(crate) given: Given,
}

/// What connects a relationship's two sides.
pub(crate) enum RelationshipPath {
    /// A foreign key of this struct over these fields. The type of the first decides whether the
    /// relationship may lead nowhere.
    Via(Vec<Ident>, Option<Type>),
    /// A foreign key of the other model.
    ForeignKey(Vec<ColumnRef>),
    /// That of the relationship that `back_populates` names.
    Inverse,
    /// An association model, and its columns where they are named.
    Secondary(Path, Vec<ColumnRef>, Vec<ColumnRef>),
    /// An association table without a struct.
    PairTable(LitStr),
}

/// The four kinds of relationships.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    BelongsTo,
    HasOne,
    HasMany,
    ManyToMany,
}

impl Kind {
    /// The kind whose type has this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::BelongsTo, Self::HasOne, Self::HasMany, Self::ManyToMany]
            .into_iter()
            .find(|kind| kind.name() == name)
    }

    /// The name of its type.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::BelongsTo => "BelongsTo",
            Self::HasOne => "HasOne",
            Self::HasMany => "HasMany",
            Self::ManyToMany => "ManyToMany",
        }
    }

    /// Whether it leads to many.
    pub(crate) fn is_to_many(self) -> bool {
        matches!(self, Self::HasMany | Self::ManyToMany)
    }
}

/// `orm_core`, unless `#[orm(crate = …)]` says where it is.
pub(crate) fn runtime(krate: Option<Path>) -> Path {
    krate.unwrap_or_else(|| syn::parse_quote!(::orm_core))
}
