use orm_core::Model;

#[derive(Model)]
#[orm(unique(tenant, usrname), index(email, email))]
struct User {
    tenant: i64,
    username: String,
    email: String,
}

fn main() {}
