use orm_core::Model;

#[derive(Model)]
struct User {
    name: &'static str,
}

fn main() {}
