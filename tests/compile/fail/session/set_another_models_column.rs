#[path = "../models.rs"]
mod models;
use models::{Post, User};
use orm_core::{Handle, Session};

fn edit(session: &mut Session, ada: Handle<User>) {
    session.set(ada, Post::title, "x");
    session.set(ada, User::username, 7);
    session[ada].id = 7;
}

fn main() {}
