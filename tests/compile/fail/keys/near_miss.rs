use orm_core::{HasMany, Model};

#[derive(Model)]
#[orm(tablename = "people", rename_al = "camelCase")]
struct User {
    #[orm(uniqe, server_defualt = "''")]
    name: String,
    #[orm(back_populate = user)]
    posts: HasMany<Post>,
}

#[derive(Model)]
struct Post {
    title: String,
}

fn main() {}
