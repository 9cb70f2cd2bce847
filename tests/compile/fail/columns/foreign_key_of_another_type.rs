use orm_core::Model;

#[derive(Model)]
struct User {
    #[orm(unique)]
    slug: String,
}

#[derive(Model)]
struct Post {
    #[orm(foreign_key = User)]
    user_id: i32,
    #[orm(foreign_key = User::slug)]
    author: i64,
}

fn main() {}
