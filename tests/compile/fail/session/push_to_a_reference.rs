#[path = "../models.rs"]
mod models;
use models::{Post, User};
use orm_core::{Handle, Session};

fn edit(session: &mut Session, ada: Handle<User>, post: Handle<Post>) {
    session.push(post, Post::user, ada);
    post.user(session).push(ada);
    ada.posts(session).push(ada);
    session.set_one(ada, User::posts, post);
}

fn main() {}
