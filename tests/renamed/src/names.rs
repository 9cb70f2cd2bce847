//! Names that are keywords, those of our internals, or those of the prelude.

use ::orm::{BelongsTo, HasMany, Model, View};
use ::std::option::Option;
use ::std::string::String;
use ::std::vec::Vec;

/// A kind of things.
#[derive(Debug, Model)]
#[orm(crate = ::orm, unique(type, r#match))]
pub struct Kind {
    /// A keyword.
    pub r#type: String,
    /// A keyword.
    pub r#match: String,
    /// A keyword as the foreign key's column.
    #[orm(foreign_key = Kind)]
    pub r#in: Option<i64>,
    /// A keyword as a relationship.
    #[orm(via = in, back_populates = use)]
    pub r#loop: BelongsTo<Kind>,
    /// A keyword as a relationship.
    #[orm(back_populates = loop, order_by = Kind::r#type.asc())]
    pub r#use: HasMany<Self>,
}

/// A view of it.
#[derive(Debug, View)]
#[orm(crate = ::orm, of = Kind)]
pub struct Shape {
    /// A keyword.
    pub r#type: String,
    /// A keyword under another name.
    #[orm(from = match)]
    pub matched: String,
    /// The parameter of a generated function.
    #[orm(from = use)]
    pub row: Vec<Self>,
}

/// Fields with the names of what the derives generate and call.
#[derive(Debug, Model)]
#[orm(crate = ::orm)]
pub struct Strange {
    /// As in a generated function.
    pub model: String,
    /// As in a generated function.
    pub base: String,
    /// As in a generated function.
    pub session: String,
    /// As in a draft.
    pub columns: String,
    /// As in a draft.
    pub links: String,
    /// As in a draft.
    pub state: String,
    /// Nearly a function of every model.
    pub draft_: String,
    /// As in a generated function.
    pub unset: Option<String>,
    /// As in a generated function.
    pub cells: i64,
    /// As in a generated function.
    pub at: i64,
    /// As in a generated function.
    pub column: i64,
    /// As in a generated function.
    pub relation: i64,
    /// As in a generated function.
    pub value: i64,
    /// As in a generated function.
    #[orm(default = 7)]
    pub members: i64,
    /// As a method of a handle's entity.
    pub key: String,
    /// As a method of a draft could be called.
    pub from: String,
    /// As a method of a draft could be called.
    pub into: String,
    /// As a trait's function could be called.
    pub encode: String,
    /// As a trait's function could be called.
    #[orm(default)]
    pub default: String,
    /// As a trait's function could be called.
    #[orm(foreign_key = Strange)]
    pub clone_id: Option<i64>,
    /// As a trait's function could be called.
    #[orm(back_populates = owner)]
    pub clone: BelongsTo<Self>,
    /// As in a generated function.
    #[orm(back_populates = clone)]
    pub owner: HasMany<Self>,
}

/// A model with the name of the prelude's.
#[derive(Debug, Model)]
#[orm(crate = ::orm)]
pub struct Result {
    /// Something.
    pub text: String,
}

/// A model with the name of the state of a draft's column.
#[derive(Debug, Model)]
#[orm(crate = ::orm, base = none)]
pub struct Set {
    /// The key.
    #[orm(primary_key)]
    pub text: String,
    /// Where it leads.
    #[orm(foreign_key = Result)]
    pub result_id: i64,
    /// Where it leads.
    pub result: BelongsTo<Result>,
}
