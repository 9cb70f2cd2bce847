#[path = "../models.rs"]
mod models;
use models::{Post, User};
use orm_core::Row;

#[derive(Row)]
struct PostCount {
    user_id: i64,
    posts: i64,
}

fn main() {
    let _ = Post::select().columns((Post::user_id, Post::title)).row::<PostCount>();
    let _ = Post::select().columns(Post::user_id).subquery::<PostCount>();
    let _ = Post::select().columns((Post::user_id, Post::id)).row::<User>();
}
