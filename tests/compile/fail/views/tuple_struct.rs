#[path = "../models.rs"]
mod models;
use models::User;
use orm_core::View;

#[derive(View)]
#[orm(of = User)]
struct Username(String);

#[derive(View)]
#[orm(off = User)]
struct Email {
    #[orm(form = email)]
    email: String,
}

fn main() {
    let _ = User::select().view::<Username>();
}
