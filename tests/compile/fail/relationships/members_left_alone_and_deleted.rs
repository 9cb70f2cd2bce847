use orm_core::{BelongsTo, HasMany, Model};

#[derive(Model)]
struct User {
    #[orm(back_populates = user, cascade = "all, delete-orphan", passive_deletes = "all")]
    posts: HasMany<Post>,
}

#[derive(Model)]
struct Post {
    #[orm(foreign_key(User, on_delete = "cascade"))]
    user_id: i64,
    #[orm(back_populates = posts)]
    user: BelongsTo<User>,
}

fn main() {}
