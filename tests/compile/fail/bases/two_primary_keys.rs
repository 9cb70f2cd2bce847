use orm_core::{BaseColumns, Model};

#[derive(BaseColumns)]
struct Audited {
    #[orm(primary_key, autoincrement)]
    id: i64,
    author: String,
}

#[derive(Model)]
struct User {
    #[orm(primary_key)]
    name: String,
}

#[derive(Model)]
#[orm(base = Audited)]
struct Post {
    #[orm(primary_key)]
    slug: String,
}

fn main() {}
