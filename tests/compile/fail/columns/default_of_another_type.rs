use orm_core::Model;

#[derive(Model)]
struct User {
    #[orm(default = "zero")]
    visits: i64,
}

fn main() {}
