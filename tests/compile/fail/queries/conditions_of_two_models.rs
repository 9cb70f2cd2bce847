#[path = "../models.rs"]
mod models;
use models::{Post, User};

fn main() {
    let _ = User::select().join(User::posts).filter(User::username.eq("x") & Post::title.eq("y"));
}
