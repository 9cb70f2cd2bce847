#[path = "../models.rs"]
mod models;
use models::{Post, User};

fn main() {
    let _ = User::select().filter(User::posts.has(Post::title.eq("x")));
    let _ = Post::select().filter(Post::user.any(User::username.eq("ada")));
    let _ = User::select().filter(User::posts.any(User::username.eq("ada")));
}
