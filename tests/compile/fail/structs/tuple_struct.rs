use orm_core::Model;

#[derive(Model)]
struct User(String);

fn main() {}
