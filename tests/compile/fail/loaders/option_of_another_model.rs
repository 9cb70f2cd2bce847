#[path = "../models.rs"]
mod models;
use models::{Post, User};

fn main() {
    let _ = User::select().with(Post::user);
    let _ = User::select().with(User::posts.with(User::card));
    let _ = User::select().with(User::posts.order_by(User::id.asc()));
    let _ = User::select().with(User::username);
}
