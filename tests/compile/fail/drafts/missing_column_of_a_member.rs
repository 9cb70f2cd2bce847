#[path = "../models.rs"]
mod models;
use models::{Post, User};

async fn sign_up(session: &mut orm_core::Session) {
    session.add(User::draft().username("ada").email("a@b.c").posts([Post::draft()]));
}

fn main() {}
