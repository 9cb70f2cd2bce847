use orm_core::{BelongsTo, HasMany, Model};

#[derive(Model)]
struct User {
    name: String,
    #[orm(back_populates = user, order_by = User::name.asc())]
    posts: HasMany<Post>,
}

#[derive(Model)]
struct Post {
    title: String,
    #[orm(foreign_key = User)]
    user_id: i64,
    #[orm(back_populates = posts)]
    user: BelongsTo<User>,
}

fn main() {}
