use orm_core::Model;

#[derive(Model)]
#[orm(base = none)]
struct User {
    #[orm(primary_key, autoincrement, default = 1)]
    id: i64,
    #[orm(skip, unique)]
    cache: String,
    #[orm(version, server_default = "1")]
    version: i64,
}

fn main() {}
