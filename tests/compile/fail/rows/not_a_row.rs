#[path = "../models.rs"]
mod models;
use orm_core::Row;

#[derive(Row)]
struct Name(String);

#[derive(Row)]
struct Both<T> {
    first: T,
}

#[derive(Row)]
#[orm(table = "posts")]
struct PostCount {
    #[orm(colum = "n")]
    posts: i64,
}

#[derive(Row)]
struct Nested {
    user: models::User,
}

fn main() {
    let _ = (PostCount::posts, Name("ada".to_owned()));
}
