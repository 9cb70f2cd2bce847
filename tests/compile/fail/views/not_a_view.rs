#[path = "../models.rs"]
mod models;
use models::User;

struct Plain {
    username: String,
}

fn main() {
    let _ = User::select().view::<Plain>();
}
