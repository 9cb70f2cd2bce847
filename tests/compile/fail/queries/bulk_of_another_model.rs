#[path = "../models.rs"]
mod models;
use models::{Post, User};

fn main() {
    let _ = User::update().set(Post::title, "x").all_rows();
    let _ = User::update().set(User::username, 7).all_rows();
    let _ = User::delete().filter(Post::title.eq("x"));
}
