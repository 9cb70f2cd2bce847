use orm_core::Model;

#[derive(Model)]
struct User {
    name: String,
}

#[derive(Model)]
struct Post {
    #[orm(foreign_key(User, on_delete = "set null"))]
    user_id: i64,
    #[orm(foreign_key(User, on_delete = "cascade"))]
    editor_id: i64,
}

fn main() {}
