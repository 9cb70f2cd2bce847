#[path = "../models.rs"]
mod models;
use models::{Post, User};

fn main() {
    let _ = User::select().filter(User::username.eq(7));
    let _ = User::select().filter(User::age.gt("36"));
    let _ = User::select().filter(User::id.eq(Post::user_id));
    let _ = User::select().filter(User::id.like("1%"));
}
