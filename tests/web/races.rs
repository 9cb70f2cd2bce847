//! Requests that lose against somebody else's commit between what they read and what they write.
//!
//! Another session changes a row and keeps its transaction open. The request reads the row as it
//! was, and waits with its write; when the other commits, it is too late.

use std::time::Duration;

use orm_core::{Result, Session};
use orm_examples::web::User;
use orm_tests::{Database, backend_tests};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::client::Answer;
use crate::server::{Server, users_with_posts, within};

/// A server with the user 1, who has one post.
async fn server(db: &Database) -> Result<Server> {
    let server = Server::start(db).await?;
    let ada =
        json!({ "username": "ada", "email": "ada@example.org", "posts": [{ "title": "One" }] });
    assert_eq!(server.client.post("/users", ada).await.id(201), 1);
    Ok(server)
}

/// Sends a request that reads the user; then lets the other session commit.
async fn overtaken(
    db: &Database,
    server: &Server,
    mut other: Session,
    (method, path, body): (&'static str, &'static str, Option<Value>),
) -> Result<Answer> {
    let log = db.log();
    let client = server.client;
    let answer = tokio::spawn(async move { client.request(method, path, body).await });
    within("the request has read the user", async {
        while !log.emitted().iter().any(|statement| statement == "SELECT users") {
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    // Time to come as far as to wait. It loses if it doesn't, too.
    sleep(Duration::from_millis(50)).await;
    other.commit().await?;
    Ok(within("the request is answered", answer).await.expect("the client doesn't panic"))
}

/// A session that has deleted the user and not committed that.
async fn deleting(db: &Database) -> Result<Session> {
    let mut session = db.session();
    let ada = session.require::<User>(1).await?;
    session.delete(ada);
    session.flush().await?;
    Ok(session)
}

/// A session that has renamed the user and not committed that.
async fn renaming(db: &Database) -> Result<Session> {
    let mut session = db.session();
    let ada = session.require::<User>(1).await?;
    session[ada].username = "augusta".into();
    session.flush().await?;
    Ok(session)
}

backend_tests! {
    async fn an_edit_that_is_overtaken_is_409_and_writes_nothing(db) {
        let server = server(&db).await?;
        let other = renaming(&db).await?;
        let edit = json!({ "version": 1, "email": "x@example.org", "posts": [{ "title": "Two" }] });
        let request = ("PATCH", "/users/1", Some(edit));
        overtaken(&db, &server, other, request).await?.expect(409);
        assert_eq!(users_with_posts(&db).await?, [("augusta".to_owned(), 1)]);
        let ada = server.client.get("/users/1").await.expect(200);
        assert_eq!((&ada["email"], &ada["version"]), (&json!("ada@example.org"), &json!(2)));
    }

    async fn deleting_what_is_just_being_deleted_is_409(db) {
        let server = server(&db).await?;
        let other = deleting(&db).await?;
        overtaken(&db, &server, other, ("DELETE", "/users/1", None)).await?.expect(409);
        assert_eq!(users_with_posts(&db).await?, []);
    }

    async fn a_post_of_a_user_who_is_just_being_deleted_is_409(db) {
        let server = server(&db).await?;
        let other = deleting(&db).await?;
        let request = ("POST", "/users/1/posts", Some(json!({ "title": "Two" })));
        let body = overtaken(&db, &server, other, request).await?.expect(409);
        assert!(body["error"].as_str().is_some_and(|error| error.contains("points to")), "{body}");
        server.client.post("/users/1/posts", json!({ "title": "Two" })).await.expect(404);
    }
}
