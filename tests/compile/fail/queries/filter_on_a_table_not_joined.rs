#[path = "../models.rs"]
mod models;
use models::{Post, User};

fn main() {
    let _ = User::select().filter(Post::title.eq("x"));
    let _ = User::select().order_by(Post::title.asc());
    let _ = User::select().columns((User::username, Post::id.count()));
}
