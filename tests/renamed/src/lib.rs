//! The derives where nothing is as they could expect it: `orm-core` has another name, there is no
//! prelude, the user's names are those of our internals, and every lint is an error.
//!
//! That it compiles is the test. It is a library, because `missing_docs` looks at nothing else.

#![no_implicit_prelude]
#![deny(missing_docs, unreachable_pub, missing_debug_implementations, warnings)]
#![deny(clippy::all, clippy::pedantic)]
#![deny(unused, unused_qualifications, single_use_lifetimes, non_ascii_idents)]
#![forbid(unsafe_code)]

mod elsewhere;
mod local;
mod names;

pub use elsewhere::{Account, Owner};
pub use names::{Kind, Result, Set, Shape, Strange};

use ::orm::{BaseColumns, BelongsTo, HasMany, HasOne, ManyToMany, Model, View};
use ::std::clone::Clone;
use ::std::option::Option;
use ::std::string::String;
use ::std::vec::Vec;

/// A base with the name of one of our types.
#[derive(Clone, Debug, BaseColumns)]
#[orm(crate = ::orm)]
pub struct Base {
    /// The key.
    #[orm(primary_key, autoincrement)]
    pub id: i64,
    /// Whose row it is.
    pub tenant_id: i64,
}

/// A label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ::orm::Enum)]
#[orm(crate = ::orm, rename_all = "snake_case")]
pub enum Mood {
    /// Good.
    Good,
    /// Bad.
    Bad,
}

/// A description of a column.
#[derive(Clone, Debug, PartialEq, Eq, ::orm::ColumnType)]
#[orm(crate = "::orm", unique, length = 64)]
pub struct Username(String);

/// A tenant.
#[derive(Debug, Model)]
#[orm(crate = ::orm)]
pub struct Tenant {
    /// Its name.
    pub name: String,
}

/// A user.
#[derive(Debug, Model)]
#[orm(crate = ::orm, base = Base, unique(tenant_id, username), index(tenant_id, mood))]
#[orm(foreign_key(tenant_id => Tenant::id, on_delete = "cascade"))]
pub struct User {
    /// The name.
    pub username: Username,
    /// The mood.
    #[orm(default = Mood::Good)]
    pub mood: Mood,
    /// The tenant, whose key is a column of the base.
    #[orm(via = tenant_id)]
    pub tenant: BelongsTo<Tenant>,
    /// What the user wrote.
    #[orm(back_populates = user, cascade = "all, delete-orphan", order_by = (Post::title.asc(), Post::id.desc()))]
    pub posts: HasMany<Post>,
    /// The card.
    #[orm(back_populates = user)]
    pub card: HasOne<Card>,
}

/// A card.
#[derive(Debug, Model)]
#[orm(crate = ::orm)]
pub struct Card {
    /// Whose it is.
    #[orm(foreign_key(User, on_delete = "set null"), unique)]
    pub user_id: Option<i64>,
    /// Whose it is.
    #[orm(back_populates = card)]
    pub user: BelongsTo<User>,
}

/// A post.
#[derive(Debug, Model)]
#[orm(crate = ::orm)]
pub struct Post {
    /// The title.
    pub title: String,
    /// Who wrote it.
    #[orm(foreign_key = User, index)]
    pub user_id: i64,
    /// Who wrote it.
    #[orm(back_populates = posts)]
    pub user: BelongsTo<User>,
    /// What it is about.
    #[orm(secondary = PostTag, back_populates = posts)]
    pub tags: ManyToMany<Tag>,
}

/// A tag.
#[derive(Debug, Model)]
#[orm(crate = ::orm)]
pub struct Tag {
    /// The name.
    pub name: String,
    /// What is about it.
    #[orm(secondary = PostTag, back_populates = tags)]
    pub posts: ManyToMany<Post>,
}

/// What connects posts and tags.
#[derive(Debug, Model)]
#[orm(crate = ::orm, table = "post_tags", base = none)]
pub struct PostTag {
    /// The post.
    #[orm(primary_key, foreign_key(Post, on_delete = "cascade"))]
    pub post_id: i64,
    /// The tag.
    #[orm(primary_key, foreign_key(Tag, on_delete = "cascade"))]
    pub tag_id: i64,
}

/// A user, in part.
#[derive(Debug, View)]
#[orm(crate = ::orm, of = User)]
pub struct UserOut {
    /// The name.
    pub username: Username,
    /// What the user wrote.
    pub posts: Vec<PostOut>,
    /// The card.
    pub card: Option<CardOut>,
}

/// A post, in part.
#[derive(Debug, View)]
#[orm(crate = ::orm, of = Post)]
pub struct PostOut {
    /// The title, under another name.
    #[orm(from = title)]
    pub headline: String,
}

/// A card, in part.
#[derive(Debug, View)]
#[orm(crate = ::orm, of = Card)]
pub struct CardOut {
    /// Whose it is.
    pub user_id: Option<i64>,
}

/// What the derives made is there, as in any crate.
///
/// # Errors
/// The database's.
pub async fn use_them(
    engine: &::orm::Engine,
    session: &mut ::orm::Session,
) -> ::orm::Result<Vec<UserOut>> {
    let tenant = Tenant::draft().name("x");
    let post = Post::draft().title("y").tags([Tag::draft().name("z")]);
    let user = User::draft().username("ada").tenant(tenant).posts([post]);
    let user = session.add(user);
    session.commit().await?;
    let _ = user.posts(session).await?;
    User::select()
        .filter(User::tenant_id.eq(1) & User::posts.any(Post::title.ne("")))
        .view::<UserOut>()
        .on(engine)
        .all()
        .await
}

// A custom base's columns come through its trait, which stands beside the base.
const _: ::orm::model::Column<User, i64> = User::tenant_id;
