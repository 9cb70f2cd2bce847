//! The tables.

use orm_core::{BelongsTo, HasMany, Model};

/// The table `users`.
#[derive(Model)]
pub struct User {
    /// What others call them.
    #[orm(unique, length = 64, check = "{column} <> ''")]
    pub username: String,
    /// Where to write to.
    #[orm(unique, length = 255, check = "{column} LIKE '%_@_%'")]
    pub email: String,
    /// Counted up by every UPDATE, which also compares it: of two that edit what both of them have
    /// read, the second is told so.
    #[orm(version)]
    pub version: i64,

    /// What they wrote. A post that is taken out of here is deleted. When the user is deleted the
    /// posts are left to the database, as `on_delete` below says.
    #[orm(
        back_populates = user,
        cascade = "all, delete-orphan",
        passive_deletes,
        order_by = Post::id.asc()
    )]
    pub posts: HasMany<Post>,
}

/// The table `posts`.
#[derive(Model)]
pub struct Post {
    /// The heading.
    #[orm(length = 200, check = "{column} <> ''")]
    pub title: String,
    /// The text.
    #[orm(default)]
    pub body: String,
    /// Who wrote it.
    #[orm(foreign_key(User, on_delete = "cascade"), index)]
    pub user_id: i64,

    /// Who wrote it.
    #[orm(back_populates = posts)]
    pub user: BelongsTo<User>,
}
