#[path = "../models.rs"]
mod models;
use models::{Post, User};

async fn sign_up(session: &mut orm_core::Session) {
    session.add(User::draft().username(7).email("a@b.c").age("36"));
    session.add(Post::draft().title("x").user(Post::draft().title("y")));
}

fn main() {}
