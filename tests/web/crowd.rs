//! 64 clients at once.

use orm_core::Result;
use orm_tests::{Database, backend_tests};
use serde_json::json;
use tokio::task::JoinSet;

use crate::client::Client;
use crate::server::{Server, expect_clean, users_with_posts, with_connections, within};

const CLIENTS: usize = 64;
const CONNECTIONS: usize = 4;

/// All clients run this at once, each with its number.
async fn crowd<F>(client: Client, work: impl Fn(Client, usize) -> F) -> Vec<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let tasks: JoinSet<_> = (0..CLIENTS).map(|number| work(client, number)).collect();
    within("all clients are done", tasks.join_all()).await
}

/// A client's life: everything that the server can do, on a user of its own.
async fn live(client: Client, number: usize) {
    let name = format!("user-{number:02}");
    let email = format!("{name}@example.org");
    let posts = json!([{ "title": "One" }, { "title": "Two" }]);
    let new = json!({ "username": name, "email": email, "posts": posts });
    let user = client.post("/users", new.clone()).await.expect(201);
    let path = format!("/users/{}", user["id"]);
    assert_eq!(client.get(&path).await.expect(200), user);
    client.post("/users", new).await.expect(409);

    let added = client.post(&format!("{path}/posts"), json!({ "title": "Three" })).await.id(201);
    let edit = json!({
        "version": 1,
        "posts": [{ "id": user["posts"][0]["id"], "body": name }, { "title": "Four" }],
        "removed_posts": [user["posts"][1]["id"]],
    });
    let edited = client.patch(&path, edit.clone()).await.expect(200);
    assert_eq!(edited["posts"].as_array().map(Vec::len), Some(3));
    client.patch(&path, edit).await.expect(409);

    let found = client.get(&format!("/users?name={name}&order=-created_at")).await.expect(200);
    assert_eq!(found["total"], 1);
    let found = client.get(&format!("/posts?author={name}&size=2")).await.expect(200);
    assert_eq!((&found["total"], &found["pages"]), (&json!(3), &json!(2)));
    client.delete(&format!("/posts/{added}")).await.expect(204);
    if number % 2 == 1 {
        client.delete(&path).await.expect(204);
        client.get(&path).await.expect(404);
    }
}

/// Adds one to the number in a user's name, however often it takes. How often it took.
async fn count_up(client: Client) -> usize {
    for attempt in 1.. {
        let user = client.get("/users/1").await.expect(200);
        let count: usize =
            user["username"].as_str().and_then(|name| name.parse().ok()).expect("a number");
        let edit = json!({ "version": user["version"], "username": (count + 1).to_string() });
        match client.patch("/users/1", edit).await.status {
            200 => return attempt,
            409 => {}
            status => panic!("status {status}"),
        }
    }
    unreachable!("the attempts don't end")
}

async fn with_four_connections(db: &Database) -> Result<(Database, Server)> {
    let db = with_connections(db, CONNECTIONS as u32).await?;
    let server = Server::start(&db).await?;
    Ok((db, server))
}

backend_tests! {
    async fn a_crowd_does_everything_at_once(db) {
        let (db, server) = with_four_connections(&db).await?;
        crowd(server.client, live).await;
        let expected: Vec<(String, i64)> =
            (0..CLIENTS).step_by(2).map(|number| (format!("user-{number:02}"), 2)).collect();
        assert_eq!(users_with_posts(&db).await?, expected);
        server.stop().await;
        expect_clean(&db, CONNECTIONS).await?;
    }

    /// Of many who edit the same version one wins.
    async fn one_of_a_crowd_edits_a_version(db) {
        let (db, server) = with_four_connections(&db).await?;
        let new = json!({ "username": "0", "email": "0@example.org" });
        server.client.post("/users", new).await.expect(201);
        let statuses = crowd(server.client, async |client: Client, number: usize| {
            let post = json!({ "title": format!("Of {number}") });
            let edit = json!({ "version": 1, "username": number.to_string(), "posts": [post] });
            client.patch("/users/1", edit).await.status
        })
        .await;
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| [200, 409].contains(status)), "{statuses:?}");
        let [(_, posts)] = users_with_posts(&db).await?[..] else { panic!("one user") };
        assert_eq!(posts, 1);
        server.stop().await;
        expect_clean(&db, CONNECTIONS).await?;
    }

    /// Optimistic locking loses no update.
    async fn a_crowd_counts_up(db) {
        let (db, server) = with_four_connections(&db).await?;
        let new = json!({ "username": "0", "email": "0@example.org" });
        server.client.post("/users", new).await.expect(201);
        crowd(server.client, |client, _| count_up(client)).await;
        let user = server.client.get("/users/1").await.expect(200);
        assert_eq!(user["username"], CLIENTS.to_string());
        assert_eq!(user["version"], CLIENTS as u64 + 1);
        server.stop().await;
        expect_clean(&db, CONNECTIONS).await?;
    }
}
