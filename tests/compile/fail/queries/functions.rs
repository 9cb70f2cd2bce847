#[path = "../models.rs"]
mod models;
use models::{Post, User};
use orm_core::query::{case, partition_by, row_number};

fn main() {
    let number = || row_number().over(partition_by(Post::user_id));
    let _ = Post::select().filter(number().eq(1));
    let _ = Post::select().filter(Post::id.eq(number()));
    let _ = User::username.cast::<bool>();
    let _ = User::username.year();
    let _ = User::age.round(2);
    let _ = User::age.coalesce("none");
    let _ = User::age.coalesce(Post::id);
    let _ = User::username.contains_value("x");
    let _ = case().when(User::age.gt(18), Post::id).or_null();
    let _ = case().when(User::age.gt(18), "adult").otherwise(7);
}
