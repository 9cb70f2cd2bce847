use orm_core::{BelongsTo, HasMany, Model};

#[derive(Model)]
struct User {
    name: String,
    #[orm(back_populates = user)]
    posts: HasMany<Post>,
}

#[derive(Model)]
struct Post {
    title: String,
    #[orm(foreign_key = User)]
    user_id: i64,
    user: BelongsTo<User>,
}

fn main() {}
