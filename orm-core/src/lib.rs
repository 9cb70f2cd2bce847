//! A declarative ORM with a real session and unit of work, in the spirit of SQLAlchemy: annotate a
//! struct, get a table, typed columns and relationships; work with objects in a [`Session`]; one
//! [`commit`](Session::commit) writes what changed, in the right order, in the fewest statements.
//!
//! ```
//! use orm_core::{BelongsTo, Engine, HasMany, HasOne, Model, SessionFactory, schema};
//!
//! #[derive(Model)]
//! pub struct User {
//!     #[orm(unique, length = 64)]
//!     pub username: String,
//!     #[orm(unique)]
//!     pub email: String,
//!     pub password: String,
//!     #[orm(default = 0)]
//!     pub visits: i64,
//!     #[orm(foreign_key = Profile)]
//!     pub profile_id: Option<i64>,
//!
//!     #[orm(via = profile_id, back_populates = user, lazy = "joined")]
//!     pub profile: BelongsTo<Profile>,
//!     #[orm(back_populates = user, cascade = "all, delete-orphan")]
//!     pub posts: HasMany<Post>,
//! }
//!
//! #[derive(Model)]
//! pub struct Profile {
//!     pub first_name: String,
//!     pub last_name: Option<String>,
//!     #[orm(default = Profession::Developer, server_default = "'unemployed'")]
//!     pub profession: Profession,
//!     pub interests: Option<Vec<String>>,          // a native array on PostgreSQL, JSON elsewhere
//!     pub contacts: Option<serde_json::Value>,     // JSON
//!     #[orm(back_populates = profile)]
//!     pub user: HasOne<User>,
//! }
//!
//! #[derive(Model)]
//! pub struct Post {
//!     pub title: String,
//!     #[orm(default)]
//!     pub body: String,
//!     #[orm(foreign_key(User, on_delete = "cascade"), index)]
//!     pub user_id: i64,
//!     #[orm(back_populates = posts)]
//!     pub user: BelongsTo<User>,
//! }
//!
//! #[derive(Debug, Clone, Copy, PartialEq, Eq, orm_core::Enum)]
//! #[orm(rename_all = "snake_case")]
//! pub enum Profession { Developer, Designer, Manager, Unemployed }
//!
//! # tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
//! let engine = Engine::connect("sqlite::memory:").await?;
//! engine.create_all(&schema![User, Profile, Post]).await?;
//! let sessions = SessionFactory::new(engine.clone());
//!
//! let mut session = sessions.session();
//! let ada = session.add(
//!     User::draft().username("ada").email("ada@example.org").password("…")
//!         .profile(Profile::draft().first_name("Ada"))
//!         .posts([Post::draft().title("Notes on the Analytical Engine")]),
//! );
//! ada.posts(&mut session).push(Post::draft().title("Bernoulli numbers"));
//! session.commit().await?;                 // 3 INSERT statements, whatever the number of posts
//! println!("{} joined at {}", session[ada].id(), session[ada].created_at());
//!
//! let mut session = sessions.session();
//! let users = User::select()
//!     .filter(User::username.like("a%") & User::posts.any(Post::title.contains("Engine")))
//!     .order_by(User::created_at.desc())
//!     .limit(20)
//!     .with(User::posts.order_by(Post::id.asc()).with(Post::user))
//!     .all(&mut session).await?;           // Vec<Handle<User>>
//! for user in users {
//!     for post in user.posts(&mut session).await? {        // already loaded: no SQL
//!         println!("{}: {}", session[post].title, session[user].username);
//!     }
//! }
//!
//! let ada = session.require::<User>(1).await?;             // identity map: no SQL
//! session[ada].email = "countess@example.org".into();
//! let first = ada.posts(&mut session).await?[0];
//! ada.posts(&mut session).remove(first);   // delete-orphan: the post is deleted
//! session.set(ada, User::visits, User::visits + 1);        // an SQL expression, read back
//! session.commit().await?;                 // one UPDATE, one DELETE
//!
//! let names: Vec<(String, i64)> = User::select().join(User::posts)
//!     .group_by(User::username)
//!     .columns((User::username, Post::id.count()))
//!     .all(&mut session).await?;
//! assert_eq!(names, [("ada".to_owned(), 1)]);
//!
//! // Without a session, for the reads that most requests are:
//! let graph = User::select().with(User::posts).on(&engine).graph().await?;
//! for user in graph.roots() {
//!     println!("{} {}", graph[user].username, graph.members(user, User::posts)?.len());
//! }
//! # Ok::<(), orm_core::Error>(()) }).unwrap();
//! ```
//!
//! Many-to-many goes through an association table, which may be a model of its own; a view is a
//! response that loads only the columns and relationships that it names:
//!
//! ```
//! use orm_core::{Engine, ManyToMany, Model, SessionFactory, View, schema};
//!
//! #[derive(Model)]
//! pub struct Role {
//!     #[orm(unique)]
//!     pub name: String,
//!     #[orm(secondary = RolePermission, back_populates = roles)]
//!     pub permissions: ManyToMany<Permission>,
//! }
//! #[derive(Model)]
//! pub struct Permission {
//!     #[orm(unique)]
//!     pub name: String,
//!     #[orm(back_populates = permissions)]
//!     pub roles: ManyToMany<Role>,
//! }
//! #[derive(Model)]
//! #[orm(table = "rbac_role_permission", base = none)]
//! pub struct RolePermission {
//!     #[orm(primary_key, foreign_key(Role, on_delete = "cascade"))]
//!     pub role_id: i64,
//!     #[orm(primary_key, foreign_key(Permission, on_delete = "cascade"))]
//!     pub permission_id: i64,
//! }
//!
//! #[derive(View, serde::Serialize)]
//! #[orm(of = Role)]
//! struct RoleOut { id: i64, name: String, permissions: Vec<PermissionOut> }
//! #[derive(View, serde::Serialize)]
//! #[orm(of = Permission)]
//! struct PermissionOut { name: String }
//!
//! # tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
//! let engine = Engine::connect("sqlite::memory:").await?;
//! engine.create_all(&schema![Role, Permission, RolePermission]).await?;
//! let mut session = SessionFactory::new(engine.clone()).session();
//! let editor = session.add(Role::draft().name("editor"));
//! let names = ["read", "write", "read"];
//! let permissions = session
//!     .find_or_add(Permission::name, names, |name| Permission::draft().name(name))
//!     .await?;
//! session.replace(editor, Role::permissions, permissions); // a net difference, at the flush
//! session.commit().await?;
//!
//! let page = Role::select().view::<RoleOut>().on(&engine).page(1, 20).await?;
//! assert_eq!(
//!     serde_json::to_string(&page.items).unwrap(),
//!     r#"[{"id":1,"name":"editor","permissions":[{"name":"read"},{"name":"write"}]}]"#,
//! );
//! # Ok::<(), orm_core::Error>(()) }).unwrap();
//! ```
//!
//! # Where to look
//!
//! - [`Model`], the derive: tables, columns, keys, relationships, drafts.
//! - [`Session`]: objects, `session[handle]`, flush, commit, rollback, savepoints; [`SessionFactory`]
//!   makes them, also for [tests](SessionFactory::for_test).
//! - [`Hooks`] of models, and [`SessionFactory::before_flush`] and its like: code of your own around flushes.
//! - [`query`]: what a `User::select()` can do; [`query::View`] for response models.
//! - [`Engine`]: connecting, creating tables; [`engine`]: its options and the statement log.
//! - [`Error`]: everything that can go wrong.
//! - [`value`]: column types, and how to make your own.
//!
//! Foreign keys are enforced, writes begin with the first flush, and reads before it see each
//! statement's own snapshot.

mod driver;
pub mod error;
mod flush;
mod load;
pub mod model;
pub mod query;
pub mod session;
mod sql;
mod tracking;
pub mod value;

#[doc(hidden)]
pub mod codegen_support;

/// The engine's options, the schema that it creates, and the log of its statements.
pub mod engine {
    #[cfg(any(feature = "sqlx-sqlite", feature = "postgres", feature = "mysql"))]
    pub use crate::driver::SqlxPool;
    pub use crate::driver::{
        Engine, EngineBuilder, JoinedConnection, LiveConnection, Logged, Schema, StatementKind,
        StatementLog,
    };
    pub use crate::sql::Naming;
}

#[cfg(feature = "sqlite")]
pub use driver::by_hand::rusqlite;
#[cfg(any(feature = "sqlx-sqlite", feature = "postgres", feature = "mysql"))]
pub use driver::by_hand::sqlx;
pub use driver::{Engine, Schema};
pub use error::{Error, Result};
pub use model::{
    BelongsTo, Entity, Handle, HasMany, HasOne, HookContext, Hooks, ManyToMany, Model,
};
pub use orm_derive::{BaseColumns, ColumnType, Enum, Model, Row, View};
pub use query::{Row, View};
pub use session::{Graph, Session, SessionFactory};
pub use value::{Deferred, Json};
