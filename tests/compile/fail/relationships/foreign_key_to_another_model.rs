use orm_core::{BelongsTo, Model};

#[derive(Model)]
struct User {
    name: String,
}

#[derive(Model)]
struct Blog {
    name: String,
}

#[derive(Model)]
struct Post {
    #[orm(foreign_key = Blog)]
    user_id: i64,
    user: BelongsTo<User>,
}

fn main() {}
