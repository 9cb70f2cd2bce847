use orm_core::{BelongsTo, Model};

#[derive(Model)]
struct User {
    name: String,
}

#[derive(Model)]
struct Post {
    #[orm(foreign_key(User, on_delete = "casade"))]
    user_id: i64,
    user: BelongsTo<User>,
    #[orm(foreign_key(User, ondelete = "cascade"))]
    editor_id: i64,
    #[orm(foreign_key(User, deferred))]
    reviewer_id: i64,
    #[orm(foreign_key = User, deferrable)]
    owner_id: i64,
}

fn main() {}
