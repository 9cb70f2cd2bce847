//! A web back end: users and their posts, as JSON over HTTP, on axum.
//!
//! ```text
//! cargo run -p orm-examples --bin web
//! curl localhost:3000/users --json '{"username": "ada", "email": "ada@example.org", "posts": [{"title": "Notes"}]}'
//! curl 'localhost:3000/users?name=ad&order=-created_at&page=1&size=10'
//! curl localhost:3000/users/1
//! curl -X PATCH localhost:3000/users/1 --json '{"version": 1, "posts": [{"id": 1, "body": "…"}, {"title": "More"}]}'
//! curl localhost:3000/users/1/posts --json '{"title": "Bernoulli numbers"}'
//! curl 'localhost:3000/posts?author=ada'
//! curl -X DELETE localhost:3000/users/1
//! ```
//!
//! - `models`: the tables.
//! - `users` and `posts`: the handlers, and the JSON that they take and give.
//! - `extract`: what handlers take. [`Db`] is a session of the request's own.
//! - `error`: the one place that turns errors into status codes.

mod error;
mod extract;
mod models;
mod posts;
mod users;

pub use error::ApiError;
pub use extract::{Db, Json, Paging, Path, Query};
pub use models::{Post, User};

use std::io;

use axum::Router;
use axum::routing::{delete, get, post};
use orm_core::{Schema, SessionFactory, schema};
use tokio::net::TcpListener;

/// The two tables.
pub fn tables() -> Schema {
    schema![User, Post]
}

/// The routes. Their state is where sessions come from.
pub fn router(sessions: SessionFactory) -> Router {
    Router::new()
        .route("/users", get(users::list).post(users::create))
        .route("/users/{id}", get(users::read).patch(users::edit).delete(users::delete))
        .route("/users/{id}/posts", post(posts::create))
        .route("/posts", get(posts::list))
        .route("/posts/{id}", delete(posts::delete))
        .with_state(sessions)
}

/// Answers requests until `stop`; then answers those that are under way, and takes no others.
///
/// # Errors
/// Those of the listener.
pub async fn serve(
    listener: TcpListener,
    sessions: SessionFactory,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    axum::serve(listener, router(sessions)).with_graceful_shutdown(stop).await
}
