use orm_core::{HasMany, Model};

#[derive(Model)]
#[orm(table = users)]
struct User {
    #[orm(unique = true)]
    name: String,
    #[orm(length = "64")]
    email: String,
    #[orm(back_populates = "user")]
    posts: HasMany<Post>,
}

#[derive(Model)]
struct Post {
    title: String,
}

fn main() {}
