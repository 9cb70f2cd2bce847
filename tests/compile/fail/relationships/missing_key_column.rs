use orm_core::{BelongsTo, Model};

#[derive(Model)]
struct User {
    name: String,
}

#[derive(Model)]
struct Post {
    user: BelongsTo<User>,
    #[orm(via = writer_id)]
    author: BelongsTo<User>,
}

fn main() {}
