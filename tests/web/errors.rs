//! What each route answers when something is wrong, and that nothing is written then.

use std::time::Duration;

use orm_examples::web::{self, User};
use orm_tests::backend_tests;
use serde_json::{Value, json};

use crate::client::request;
use crate::server::{Server, users_with_posts};

fn user(name: &str) -> Value {
    json!({ "username": name, "email": format!("{name}@example.org") })
}

backend_tests! {
    async fn what_is_not_there_is_404(db) {
        let Server { client, .. } = Server::start(&db).await?;
        for answer in [
            client.get("/users/7").await,
            client.patch("/users/7", json!({ "version": 1 })).await,
            client.delete("/users/7").await,
            client.post("/users/7/posts", json!({ "title": "A post" })).await,
            client.delete("/posts/7").await,
        ] {
            let body = answer.expect(404);
            assert!(body["error"].as_str().is_some_and(|error| error.contains("no row")), "{body}");
        }
        client.get("/nowhere").await.expect(404);
        client.request("PUT", "/users/7", None).await.expect(405);
    }

    async fn what_is_taken_is_409_and_named(db) {
        let Server { client, .. } = Server::start(&db).await?;
        client.post("/users", user("ada")).await.expect(201);
        let bob = client.post("/users", user("bob")).await.expect(201);
        let edit = |field: &str, value: &str| {
            client.patch("/users/2", json!({ "version": 1, field: value }))
        };
        assert_eq!(bob["id"], 2);
        let add = |username: &str, email: &str| {
            client.post("/users", json!({ "username": username, "email": email }))
        };
        for (answer, field) in [
            (add("ada", "zoe@example.org").await, "username"),
            (add("zoe", "ada@example.org").await, "email"),
            (edit("username", "ada").await, "username"),
            (edit("email", "ada@example.org").await, "email"),
        ] {
            let body = answer.expect(409);
            assert_eq!(body["field"], field, "{body}");
            assert!(!body.to_string().contains("ada"), "a value is told: {body}");
        }
        assert_eq!(client.get("/users/2").await.expect(200), bob);
        assert_eq!(users_with_posts(&db).await?, [("ada".to_owned(), 0), ("bob".to_owned(), 0)]);
    }

    async fn what_a_column_refuses_is_422_and_named(db) {
        let Server { client, .. } = Server::start(&db).await?;
        let ada = client.post("/users", user("ada")).await.expect(201);
        let path = format!("/users/{}", ada["id"]);
        let untitled = json!({
            "username": "zoe", "email": "zoe@example.org", "posts": [{ "title": "" }],
        });
        let add = |username: &str, email: &str| {
            client.post("/users", json!({ "username": username, "email": email }))
        };
        for (answer, field) in [
            (add("", "zoe@example.org").await, "username"),
            (add("zoe", "nowhere").await, "email"),
            (client.post("/users", untitled).await, "title"),
            (client.post(&format!("{path}/posts"), json!({ "title": "" })).await, "title"),
            (client.patch(&path, json!({ "version": 1, "email": "@" })).await, "email"),
        ] {
            let body = answer.expect(422);
            assert_eq!(body["field"], field, "{body}");
        }
        let long = client.post("/users", user(&"x".repeat(65))).await.expect(422);
        assert!(long.to_string().contains("users.username"), "{long}");
        let nul = db.capabilities.nul_in_text;
        let new = json!({ "username": "a\0b", "email": "zoe@example.org" });
        client.post("/users", new).await.expect(if nul { 201 } else { 422 });
        // What the database can't search for is refused; it never finds more than it should.
        let found = client.get("/users?name=%00").await;
        assert!(found.status == 422 || found.expect(200)["total"] == 1, "the name with a NUL");
        assert_eq!(client.get(&path).await.expect(200), ada);
    }

    async fn an_edit_that_can_not_be_done_changes_nothing(db) {
        let Server { client, .. } = Server::start(&db).await?;
        let mut of_ada = user("ada");
        of_ada["posts"] = json!([{ "title": "One" }]);
        let ada = client.post("/users", of_ada).await.expect(201);
        let bob = client.post("/users", user("bob")).await.expect(201);
        let path = format!("/users/{}", bob["id"]);
        let of_another = &ada["posts"][0]["id"];
        let edit = |posts: Value, removed: Value| {
            client.patch(&path, json!({
                "version": 1, "username": "bobby", "posts": posts, "removed_posts": removed,
            }))
        };
        edit(json!([{ "id": of_another, "title": "Mine" }]), json!([])).await.expect(409);
        edit(json!([]), json!([of_another])).await.expect(409);
        let untitled = edit(json!([{ "title": "New" }, { "body": "…" }]), json!([])).await;
        assert_eq!(untitled.expect(422)["field"], "title");
        assert_eq!(client.get(&path).await.expect(200), bob);
        assert_eq!(client.get(&format!("/users/{}", ada["id"])).await.expect(200), ada);
    }

    async fn an_edit_of_an_old_version_is_409(db) {
        let Server { client, .. } = Server::start(&db).await?;
        client.post("/users", user("ada")).await.expect(201);
        let edit = |name: &str| client.patch("/users/1", json!({ "version": 1, "username": name }));
        let edited = edit("first").await.expect(200);
        edit("second").await.expect(409);
        assert_eq!(client.get("/users/1").await.expect(200), edited);
    }

    /// What axum refuses has the form of other errors.
    async fn what_can_not_be_read_is_refused(db) {
        let Server { client, .. } = Server::start(&db).await?;
        let plain = request("POST", "/users", Some(user("ada")));
        let plain = plain.replace("application/json", "text/plain");
        let mut with_more = user("ada");
        with_more["admin"] = json!(true);
        let broken = request("POST", "/users", Some(json!("four"))).replace("\"four\"", "{  [  ");
        for (answer, status) in [
            (client.exchange(&broken).await, 400),
            (client.exchange(&plain).await, 415),
            (client.post("/users", json!({ "username": "ada" })).await, 422),
            (client.post("/users", json!({ "username": 7, "email": "a@b" })).await, 422),
            (client.post("/users", with_more).await, 422),
            (client.patch("/users/1", json!({ "username": "ada" })).await, 422),
            (client.get("/users/ada").await, 400),
            (client.get("/users/9223372036854775808").await, 400),
            (client.get("/users?order=password").await, 400),
            (client.get("/users?page=0").await, 400),
            (client.get("/users?size=0").await, 400),
            (client.get("/users?page=4294967296").await, 400),
        ] {
            let body = answer.expect(status);
            assert!(body["error"].is_string(), "{body}");
        }
        // Hardly more than axum reads: it answers when all of it is sent.
        let large = json!({ "username": "x".repeat(2 << 20), "email": "a@b" });
        client.post("/users", large).await.expect(413);
        assert_eq!(users_with_posts(&db).await?, []);
    }

    async fn no_free_connection_is_503_without_details(db) {
        let db = db
            .with_engine(|engine| {
                engine.max_connections(1).acquire_timeout(Duration::from_millis(200))
            })
            .await?;
        let Server { client, .. } = Server::start(&db).await?;
        let mut busy = db.session();
        User::select().count(&mut busy).await?;
        let refused = json!({ "error": "Service Unavailable" });
        assert_eq!(client.get("/users").await.expect(503), refused);
        assert_eq!(client.post("/users", user("ada")).await.expect(503), refused);
        busy.close().await?;
        client.post("/users", user("ada")).await.expect(201);
    }

    async fn no_database_is_503_without_details(db) {
        let Server { client, .. } = Server::start(&db).await?;
        db.close().await;
        let refused = json!({ "error": "Service Unavailable" });
        assert_eq!(client.get("/users/1").await.expect(503), refused);
        assert_eq!(client.delete("/users/1").await.expect(503), refused);
    }

    async fn what_nobody_thought_of_is_500_without_details(db) {
        let Server { client, .. } = Server::start(&db).await?;
        db.engine.drop_all(&web::tables()).await?;
        let refused = json!({ "error": "Internal Server Error" });
        assert_eq!(client.get("/users").await.expect(500), refused);
        assert_eq!(client.post("/users", user("ada")).await.expect(500), refused);
    }
}
