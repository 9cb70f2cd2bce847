#[path = "../models.rs"]
mod models;
use models::{Post, User};

fn main() {
    let _ = User::select().group_by(Post::title);
    let _ = User::select().having(Post::id.count().gt(1));
}
