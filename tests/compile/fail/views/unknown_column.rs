#[path = "../models.rs"]
mod models;
use models::User;
use orm_core::View;

#[derive(View)]
#[orm(of = User)]
struct UserOut {
    usrname: String,
    #[orm(from = mail)]
    email: String,
}

fn main() {}
