use orm_core::Model;

struct Plain;

#[derive(Model)]
struct User {
    name: String,
}

#[derive(Model)]
struct Post {
    #[orm(foreign_key = Plain)]
    plain_id: i64,
    #[orm(foreign_key = User::slug)]
    slug: String,
}

fn main() {}
