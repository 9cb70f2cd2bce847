use orm_core::{BelongsTo, HasMany, Model};

#[derive(Model)]
struct User {
    name: String,
    #[orm(back_populates = user, cascade = "all, delete_orphan", lazy = "eager")]
    posts: HasMany<Post>,
}

#[derive(Model)]
struct Post {
    #[orm(foreign_key = User)]
    user_id: i64,
    #[orm(back_populates = posts, lazy = "select_in")]
    user: BelongsTo<User>,
}

fn main() {}
