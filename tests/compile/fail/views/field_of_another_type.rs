#[path = "../models.rs"]
mod models;
use models::{Post, User};
use orm_core::View;

#[derive(View)]
#[orm(of = User)]
struct UserOut {
    id: String,
    age: i32,
    posts: Vec<String>,
    card: Vec<CardOut>,
}

#[derive(View)]
#[orm(of = Post)]
struct CardOut {
    title: String,
}

fn main() {}
