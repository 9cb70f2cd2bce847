#[path = "../models.rs"]
mod models;
use models::{Post, User};
use orm_core::Row;
use orm_core::query::entity;

struct Author;

#[derive(Row)]
struct Authored {
    title: String,
    user_id: i64,
}

fn main() {
    let _ = User::select().columns(entity::<Post>());
    let _ = User::select().columns((User::username, entity::<Post>()));
    let _ = Post::select().join(Post::user).columns(entity::<User>().of::<Author>());

    let users = || User::select().columns(entity::<User>());
    let _ = users().union(users());
    let _ = users().subquery::<Authored>();
    let _ = Post::select().filter(Post::user_id.in_query(users()));
    let _ = User::delete().filter(User::age.gt(99)).returning_columns(entity::<User>());
}
