//! Models without mistakes, for the cases that are about their use.

use orm_core::{BelongsTo, HasMany, HasOne, ManyToMany, Model};

#[derive(Model)]
pub struct User {
    pub username: String,
    pub email: String,
    pub age: Option<i32>,
    #[orm(back_populates = user)]
    pub posts: HasMany<Post>,
    #[orm(back_populates = user)]
    pub card: HasOne<Card>,
}

#[derive(Model)]
pub struct Card {
    pub number: String,
    #[orm(foreign_key = User)]
    pub user_id: Option<i64>,
    #[orm(back_populates = card)]
    pub user: BelongsTo<User>,
}

#[derive(Model)]
pub struct Post {
    pub title: String,
    #[orm(foreign_key = User)]
    pub user_id: i64,
    #[orm(back_populates = posts)]
    pub user: BelongsTo<User>,
    #[orm(secondary = "post_tags")]
    pub tags: ManyToMany<Tag>,
}

#[derive(Model)]
pub struct Tag {
    pub name: String,
}
