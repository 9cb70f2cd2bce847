use orm_core::Model;

#[derive(Model)]
struct User {
    #[orm(primary)]
    name: String,
    #[orm(nullable)]
    email: String,
}

fn main() {}
