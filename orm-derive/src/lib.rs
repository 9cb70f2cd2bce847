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
/// ```
/// use orm_core::{BelongsTo, HasMany, Model};
///
/// #[derive(Model)]
/// pub struct User {
///     #[orm(unique, length = 64)]
///     pub username: String,
///     #[orm(back_populates = user, cascade = "all, delete-orphan")]
///     pub posts: HasMany<Post>,
/// }
///
/// #[derive(Model)]
/// pub struct Post {
///     pub title: String,
///     #[orm(foreign_key(User, on_delete = "cascade"), index)]
///     pub user_id: i64,
///     #[orm(back_populates = posts)]
///     pub user: BelongsTo<User>,
/// }
///
/// let post = Post::draft().title("Notes");
/// let user = User::draft().username("ada").posts([post]);
/// let query = User::select().filter(User::username.eq("ada"));
/// ```
///
/// It gives the struct a constant per column and relationship (`User::username`, `User::posts`),
/// `User::draft()`, whose type knows which required columns are set, `User::select()`, and an
/// accessor per relationship on its handles (`ada.posts(&mut session)`).
///
/// # On the struct
///
/// | Key | Meaning |
/// |---|---|
/// | `table = "…"` | the table's name; by default the struct's in lower case plus `s` |
/// | `schema = "…"` | the schema that it is in |
/// | `base = Audited`, `base = none` | other base columns than `id`, `created_at` and `updated_at`, or none |
/// | `rename_all = "…"` | the case of the columns' names |
/// | `foreign_key(a => Line::order_id, b => Line::no)` | a composite foreign key; `on_delete`, `on_update` and `deferrable` may follow |
/// | `unique(a, b)`, `index(a, b, name = "…")` | over several columns |
/// | `check = "…"` | a condition in SQL |
/// | `comment = "…"` | for the schema |
/// | `hooks` | it implements `orm_core::Hooks`, which run as its objects are loaded and written |
/// | `crate = …` | where `orm_core` is, if it was renamed or re-exported |
///
/// # On a column
///
/// | Key | Meaning |
/// |---|---|
/// | `column = "…"` | its name in the database |
/// | `primary_key` | part of the primary key; with `base = none` |
/// | `autoincrement` | the database generates the key |
/// | `unique`, `index` | of this column alone |
/// | `length = 64` | the longest text, in characters |
/// | `precision = 10`, `scale = 2` | the digits of a decimal, in all and behind the point |
/// | `sql_type = "…"` | the type in the database, spelled out |
/// | `default`, `default = …` | what the application fills in: the type's default, or this expression |
/// | `server_default = "…"` | what the database fills in, in SQL; read back by the INSERT |
/// | `on_update = "…"` | what every UPDATE sets it to, in SQL |
/// | `foreign_key = User` | references the primary key of a model |
/// | `foreign_key = User::email` | references a unique column |
/// | `foreign_key(User, on_delete = "cascade", on_update = "…")` | with actions: `no action`, `restrict`, `cascade`, `set null`, `set default`; a key to which rows refer can change where they follow by `on_update = "cascade"` |
/// | `foreign_key(User, deferrable)` | checked at COMMIT (`DEFERRABLE INITIALLY DEFERRED`), so that keys which rows refer to can change without ON UPDATE CASCADE; not on MySQL and MariaDB, where `create_all` refuses it |
/// | `check = "…"` | a condition in SQL, in which `{column}` is this column |
/// | `comment = "…"` | for the schema |
/// | `version` | the optimistic lock: 1 at the INSERT, counted up and compared by every UPDATE |
/// | `skip` | no column; its value is `Default::default()` when a row is loaded |
/// | `serialize = "never"` | left out of views |
///
/// A field of type `Deferred<T>` is a column of `T` that queries leave out until it is asked for. It
/// takes the same keys, but can't be a key, `unique` or the `version`.
///
/// # On a relationship
///
/// A field whose type is `BelongsTo` (the key is here), `HasOne`, `HasMany` (it is there) or
/// `ManyToMany` (in an association table).
///
/// | Key | Meaning |
/// |---|---|
/// | `back_populates = user` | the field on the other side, which must name this one |
/// | `via = user_id`, `via = (a, b)` | the foreign key's field of a `BelongsTo`; by default the name plus `_id` |
/// | `foreign_key = Post::user_id` | the other side's foreign key, where there is no `back_populates` |
/// | `secondary = PostTag` | the association's model |
/// | `secondary(PostTag::post_id, PostTag::tag_id)` | its columns for this side and the other, where that is ambiguous |
/// | `secondary = "post_tags"` | an association table without a struct |
/// | `lazy = "…"` | how it is loaded unless a query says: `select` (on demand, for peers at once), `joined`, `selectin`, `subquery`, `raise`, `write_only` |
/// | `cascade = "…"` | what follows its owner: `save-update`, `merge` (both by default), `delete`, `delete-orphan`, `refresh-expire`, `expunge`, `all` (all but `delete-orphan`), `none` |
/// | `passive_deletes` | leaves members that are not loaded to the database's ON DELETE |
/// | `passive_deletes = "all"` | leaves all members to it, loaded or not: deleting the owner never touches them |
/// | `single_parent` | a member has one owner at most; what `delete-orphan` on a `BelongsTo` or `ManyToMany` needs |
/// | `post_update` | its key is written by an UPDATE after the INSERT |
/// | `order_by = Post::title.asc()` | the order of its members, or a tuple of orders |
/// | `viewonly` | loads and never writes |
#[proc_macro_derive(Model, attributes(orm))]
pub fn derive_model(input: TokenStream) -> TokenStream {
    expand::run(input.into(), expand::derive_model).into()
}

/// Makes a plain struct a base: columns that every model with `#[orm(base = …)]` shares.
///
/// ```
/// #[derive(orm_core::BaseColumns)]
/// pub struct Audited {
///     #[orm(primary_key, autoincrement)]
///     pub id: i64,
///     pub deleted_by: Option<String>,
/// }
///
/// #[derive(orm_core::Model)]
/// #[orm(base = Audited)]
/// pub struct Note {
///     pub text: String,
/// }
///
/// let kept = Note::select().filter(Note::deleted_by.is_null());
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
/// ```
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
/// ```
/// #[derive(orm_core::ColumnType)]
/// #[orm(unique, length = 64)]
/// pub struct Username(String);
///
/// #[derive(orm_core::Model)]
/// pub struct User {
///     pub name: Username,
/// }
///
/// let user = User::draft().name("ada");
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
/// ```
/// # use orm_core::{BelongsTo, Engine, Model, schema};
/// # #[derive(Model)] pub struct User { pub name: String }
/// # #[derive(Model)] pub struct Post { pub title: String, #[orm(foreign_key = User)] pub user_id: i64,
/// #   pub user: BelongsTo<User> }
/// #[derive(orm_core::View)]
/// #[orm(of = Post)]
/// pub struct PostOut {
///     pub id: i64,
///     pub title: String,
///     #[orm(from = user)]
///     pub author: AuthorOut,
/// }
///
/// #[derive(orm_core::View)]
/// #[orm(of = User)]
/// pub struct AuthorOut {
///     pub name: String,
/// }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let engine = Engine::connect("sqlite::memory:").await?;
/// # engine.create_all(&schema![User, Post]).await?;
/// let page = Post::select().view::<PostOut>().on(&engine).page(1, 20).await?;
/// # assert_eq!((page.items.len(), page.total), (0, 0));
/// # Ok::<(), orm_core::Error>(()) }).unwrap();
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

/// Makes a struct the row of a query: of its columns, of a subquery that another query reads, of SQL
/// of your own.
///
/// ```
/// # use orm_core::{Engine, Model, schema};
/// # #[derive(Model)] pub struct Post { pub title: String, pub words: i64 }
/// #[derive(orm_core::Row)]
/// pub struct Length {
///     pub title: String,
///     #[orm(column = "n")]
///     pub words: i64,
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let engine = Engine::connect("sqlite::memory:").await?;
/// # engine.create_all(&schema![Post]).await?;
/// let long = Post::select().columns((Post::title, Post::words)).subquery::<Length>();
/// let long: Vec<Length> =
///     long.select().filter(Length::words.gt(1000)).rows().on(&engine).all().await?;
/// # assert!(long.is_empty());
/// # Ok::<(), orm_core::Error>(()) }).unwrap();
/// ```
///
/// Each field is a column of its type, and becomes a constant. `column = "…"` on a field names the
/// column otherwise; `crate = …` on the struct says where `orm_core` is.
#[proc_macro_derive(Row, attributes(orm))]
pub fn derive_row(input: TokenStream) -> TokenStream {
    expand::run(input.into(), expand::derive_row).into()
}
