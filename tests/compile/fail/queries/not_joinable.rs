#[path = "../models.rs"]
mod models;
use models::{Post, User};

fn main() {
    let _ = User::select().join(Post::title);
    let _ = User::select().join_on(User::posts, User::id.eq_column(Post::user_id));
}
