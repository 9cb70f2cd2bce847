#[path = "../models.rs"]
mod models;
use models::{Card, Post, User};
use orm_core::query::exists;

fn main() {
    let posts = Post::select().correlate::<User>().filter(Post::user_id.eq_column(User::id));
    let _ = Card::select().filter(exists(posts));
    let _ = User::select().filter(exists(
        Post::select().filter(Post::user_id.eq_column(User::id)),
    ));
    let _ = User::select().filter(User::username.in_query(Post::select().columns(Post::id)));
}
