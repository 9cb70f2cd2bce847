#[path = "../models.rs"]
mod models;
use models::{Post, User};

fn main() {
    let _ = User::select().union(Post::select());
    let _ = User::select().columns(User::age).union(Post::select().columns(Post::title));
}
