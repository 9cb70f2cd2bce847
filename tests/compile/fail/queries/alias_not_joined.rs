#[path = "../models.rs"]
mod models;
use models::{Post, User};

struct Author;

fn main() {
    let _ = Post::select().join(Post::user).filter(User::age.of::<Author>().gt(18));
    let _ = Post::select().join(User::posts.of::<Author>());
    let _ = Post::select().join(Post::user.to::<Author>()).filter(User::age.gt(18));
}
