use orm_core::Model;

#[derive(Model)]
#[orm(rename_all = "camelCase")]
struct User {
    first_name: String,
    #[orm(column = "firstName")]
    given_name: String,
    #[orm(column = "id")]
    number: i64,
}

fn main() {}
