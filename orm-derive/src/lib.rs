//! The derive macros of `orm-core`, which re-exports them.
//!
//! The file list is the pipeline. `attr` parses `#[orm(…)]` into raw structs whose keys keep
//! their spans; `model` turns them, with the fields, into validated types; `rules` checks what
//! concerns several keys or fields; `expand` has one file per generated item. Every mistake goes
//! into `errors`, so that a struct reports all of its mistakes at once, at the spans of the
//! user's own tokens, together with the best expansion that the rest allows: one bad attribute
//! must not become ten errors elsewhere.
//!
//! Generated code consists of descriptions, accessors and obligations: it calls
//! `orm_core::codegen_support` and contains no logic. What a field's type is, apart from being one
//! of the four relationships, is asked from traits by the compiler, never from how it is spelled.

mod attr;
mod case;
mod errors;
mod expand;
mod input;
mod model;
mod rules;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

/// Makes a struct a model: a table, typed columns and relationships.
///
/// ```ignore
/// #[derive(orm_core::Model)]
/// pub struct Post {
///     pub title: String,
///     #[orm(foreign_key(User, on_delete = "cascade"), index)]
///     pub user_id: i64,
///     #[orm(back_populates = posts)]
///     pub user: BelongsTo<User>,
/// }
/// ```
///
/// # On the struct
///
/// | Key | Meaning |
/// |---|---|
/// | `table = "…"` | the table's name; by default the struct's in lower case plus `s` |
/// | `schema = "…"` | the schema that it is in |
/// | `base = Audited`, `base = none` | other base columns, or none |
/// | `rename_all = "…"` | the case of the columns' names |
/// | `foreign_key(a => Line::order_id, b => Line::no)` | a composite foreign key; `on_delete` and `on_update` may follow |
/// | `unique(a, b)`, `index(a, b, name = "…")` | over several columns |
/// | `check = "…"` | a condition in SQL |
/// | `comment = "…"` | for the schema |
/// | `crate = …` | where `orm_core` is, if it was renamed or re-exported |
///
/// # On a column
///
/// `column`, `primary_key`, `autoincrement`, `unique`, `index`, `length`, `precision`, `scale`,
/// `sql_type`, `default`, `server_default`, `on_update`, `foreign_key`, `check`, `comment`,
/// `version`, `skip` and `serialize = "never"`.
///
/// # On a relationship
///
/// A field whose type is `BelongsTo`, `HasOne`, `HasMany` or `ManyToMany` takes `via`,
/// `foreign_key`, `secondary`, `back_populates`, `lazy`, `cascade`, `passive_deletes`,
/// `single_parent`, `post_update`, `order_by` and `viewonly`.
#[proc_macro_derive(Model, attributes(orm))]
pub fn derive_model(input: TokenStream) -> TokenStream {
    expand::run(input.into(), expand::derive_model).into()
}

/// Makes a plain struct a base: columns that every model with `#[orm(base = …)]` shares.
///
/// ```ignore
/// #[derive(orm_core::BaseColumns)]
/// pub struct Audited {
///     #[orm(primary_key, autoincrement)]
///     pub id: i64,
///     pub deleted_at: Option<DateTime<Utc>>,
/// }
/// ```
///
/// The columns become constants of a trait beside the struct, here `AuditedColumns`. They take
/// the keys that columns of a model take, but no `foreign_key` and no `skip`.
#[proc_macro_derive(BaseColumns, attributes(orm))]
pub fn derive_base_columns(input: TokenStream) -> TokenStream {
    expand::run(input.into(), expand::derive_base_columns).into()
}

/// Makes an enum without data the type of a column.
///
/// ```ignore
/// #[derive(orm_core::Enum)]
/// #[orm(rename_all = "snake_case")]
/// pub enum Profession { Developer, Designer, #[orm(rename = "boss")] Manager }
/// ```
///
/// A label is the variant's name, changed by `rename_all` on the enum or `rename` on the variant;
/// `name = "…"` on the enum names its type in databases that name them.
#[proc_macro_derive(Enum, attributes(orm))]
pub fn derive_enum(input: TokenStream) -> TokenStream {
    expand::run(input.into(), expand::derive_enum).into()
}

/// Makes a newtype a reusable description of a column.
///
/// ```ignore
/// #[derive(orm_core::ColumnType)]
/// #[orm(unique, length = 64)]
/// pub struct Username(String);
/// ```
///
/// Its type, and the keys `unique`, `index`, `length`, `precision`, `scale`, `check`, `default`,
/// `server_default` and `comment`, hold for every column of this type; the attributes of a field
/// win over them.
#[proc_macro_derive(ColumnType, attributes(orm))]
pub fn derive_column_type(input: TokenStream) -> TokenStream {
    expand::run(input.into(), expand::derive_column_type).into()
}

/// Makes a struct a view: a part of a model, with parts of what it leads to, that a query fills.
///
/// ```ignore
/// #[derive(orm_core::View, serde::Serialize)]
/// #[orm(of = Post)]
/// pub struct PostOut {
///     pub id: i64,
///     pub title: String,
///     #[orm(from = user)]
///     pub author: AuthorOut,
/// }
/// ```
///
/// A field is named like a column or a relationship of the model, or says `from = …` which one it
/// shows. A column's field has the type of the column; a relationship's is a view of the other
/// model: `Vec<V>` for one to many, `Option<V>`, or `V` where it always leads somewhere, for one
/// to one. `of = …` on the struct names the model, and `crate = …` where `orm_core` is.
#[proc_macro_derive(View, attributes(orm))]
pub fn derive_view(input: TokenStream) -> TokenStream {
    expand::run(input.into(), expand::derive_view).into()
}
