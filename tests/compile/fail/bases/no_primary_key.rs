use orm_core::{BaseColumns, Model};

#[derive(BaseColumns)]
struct SoftDelete {
    deleted: bool,
}

#[derive(Model)]
#[orm(base = none)]
struct User {
    name: String,
}

#[derive(Model)]
#[orm(base = SoftDelete)]
struct Post {
    title: String,
}

fn main() {}
