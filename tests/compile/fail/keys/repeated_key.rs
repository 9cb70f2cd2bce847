use orm_core::Model;

#[derive(Model)]
#[orm(table = "users", table = "people")]
struct User {
    #[orm(unique, length = 64)]
    #[orm(length = 32)]
    name: String,
}

fn main() {}
