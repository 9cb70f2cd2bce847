use orm_core::Model;

struct Address {
    street: String,
}

#[derive(Model)]
struct User {
    name: String,
    address: Address,
}

fn main() {}
