use orm_core::{BelongsTo, Model};

#[derive(Model)]
struct User {
    name: String,
}

#[derive(Model)]
struct Post {
    user_id: i64,
    user: BelongsTo<User>,
    no: i64,
    part: i64,
    #[orm(via = (no, part))]
    chapter: BelongsTo<User>,
}

fn main() {}
