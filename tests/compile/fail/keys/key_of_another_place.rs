use orm_core::Model;

#[derive(Model)]
#[orm(length = 64)]
struct User {
    #[orm(cascade = "all")]
    name: String,
    #[orm(table = "emails")]
    email: String,
}

fn main() {}
