use orm_core::{Deferred, Model};

#[derive(Model)]
struct User {
    slug: Deferred<String>,
}

#[derive(Model)]
#[orm(base = none)]
struct Tag {
    #[orm(primary_key)]
    name: Deferred<String>,
}

#[derive(Model)]
struct Post {
    #[orm(foreign_key = User)]
    user_id: Deferred<i64>,
}

#[derive(Model)]
struct Comment {
    #[orm(foreign_key = User::slug)]
    user_slug: String,
}

fn main() {}
