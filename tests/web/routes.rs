//! What each route does when all is well.

use std::time::Duration;

use orm_examples::web::User;
use orm_tests::backend_tests;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::client::{Client, request};
use crate::server::{Server, users_with_posts};

async fn create(client: Client, name: &str, titles: &[&str]) -> Value {
    let posts: Vec<Value> = titles.iter().map(|title| json!({ "title": title })).collect();
    let email = format!("{name}@example.org");
    let new = json!({ "username": name, "email": email, "posts": posts });
    client.post("/users", new).await.expect(201)
}

/// The values of a field, in the order of a list.
fn each<'v>(list: &'v Value, field: &str) -> Vec<&'v str> {
    let items = list.as_array().expect("a list");
    items.iter().map(|item| item[field].as_str().expect("a text")).collect()
}

backend_tests! {
    async fn a_user_is_created_with_posts_and_read(db) {
        let Server { client, .. } = Server::start(&db).await?;
        let log = db.log();
        let answer = client
            .post("/users", json!({
                "username": "ada",
                "email": "ada@example.org",
                "posts": [{ "title": "Notes", "body": "on the engine" }, { "title": "Numbers" }],
            }))
            .await;
        // One statement per table, whatever the number of posts.
        assert_eq!(log.emitted(), ["INSERT users", "INSERT posts"]);
        let location = format!("location: /users/{}", answer.body["id"]);
        assert!(answer.head.contains(&location), "{}", answer.head);
        let ada = answer.expect(201);
        assert_eq!(ada["version"], 1);
        assert_eq!(each(&ada["posts"], "title"), ["Notes", "Numbers"]);
        assert_eq!(each(&ada["posts"], "body"), ["on the engine", ""]);

        let read = client.get(&format!("/users/{}", ada["id"])).await.expect(200);
        assert_eq!(read, ada);
        let alone = create(client, "bob", &[]).await;
        assert_eq!(alone["posts"], json!([]));
    }

    async fn users_are_filtered_ordered_and_paged(db) {
        let Server { client, .. } = Server::start(&db).await?;
        for name in ["cleo", "ada", "bob", "Ada_2"] {
            create(client, name, &["A post"]).await;
        }
        let list = async |query: &str| client.get(&format!("/users?{query}")).await.expect(200);

        let all = list("").await;
        assert_eq!(each(&all["items"], "username"), ["Ada_2", "ada", "bob", "cleo"]);
        assert_eq!((&all["total"], &all["pages"]), (&json!(4), &json!(1)));
        assert_eq!(all["items"][0].get("posts"), None);

        // By case, and literally: `_` stands for itself.
        assert_eq!(each(&list("name=ad").await["items"], "username"), ["ada"]);
        assert_eq!(each(&list("name=_").await["items"], "username"), ["Ada_2"]);
        assert_eq!(list("name=nobody").await, json!({ "items": [], "total": 0, "pages": 0 }));

        let newest = list("order=-created_at&size=3").await;
        assert_eq!((&newest["total"], &newest["pages"]), (&json!(4), &json!(2)));
        assert_eq!(newest["items"].as_array().map(Vec::len), Some(3));
        let down = list("order=-username&size=3&page=2").await;
        assert_eq!(each(&down["items"], "username"), ["Ada_2"]);
        assert_eq!(list("page=4294967295&size=4294967295").await["items"], json!([]));
    }

    async fn an_edit_changes_the_user_and_the_posts(db) {
        let Server { client, .. } = Server::start(&db).await?;
        let ada = create(client, "ada", &["First", "Second", "Third"]).await;
        let path = format!("/users/{}", ada["id"]);
        let edited = client
            .patch(&path, json!({
                "version": 1,
                "email": "countess@example.org",
                "posts": [
                    { "id": ada["posts"][0]["id"], "body": "Now with a body" },
                    { "title": "Fourth" },
                ],
                "removed_posts": [ada["posts"][1]["id"]],
            }))
            .await
            .expect(200);
        assert_eq!(edited["username"], "ada");
        assert_eq!(edited["email"], "countess@example.org");
        assert_eq!(edited["version"], 2);
        assert_eq!(each(&edited["posts"], "title"), ["First", "Third", "Fourth"]);
        assert_eq!(edited["posts"][0]["body"], "Now with a body");
        assert_eq!(client.get(&path).await.expect(200), edited);
    }

    /// The version stands for the posts too, and for nothing that didn't happen.
    async fn an_edit_counts_the_version_up_if_anything_changes(db) {
        let Server { client, .. } = Server::start(&db).await?;
        let ada = create(client, "ada", &["First"]).await;
        let path = format!("/users/{}", ada["id"]);
        let edit = async |edit| client.patch(&path, edit).await.expect(200)["version"].clone();
        assert_eq!(edit(json!({ "version": 1 })).await, 1);
        assert_eq!(edit(json!({ "version": 1, "username": "ada" })).await, 1);
        assert_eq!(edit(json!({ "version": 1, "posts": [{ "title": "Second" }] })).await, 2);
        assert_eq!(edit(json!({ "version": 2, "username": "ada_2" })).await, 3);
        assert_eq!(users_with_posts(&db).await?, [("ada_2".to_owned(), 2)]);
    }

    async fn deleting_a_user_deletes_the_posts(db) {
        let Server { client, .. } = Server::start(&db).await?;
        let ada = create(client, "ada", &["First", "Second"]).await;
        create(client, "bob", &["Third"]).await;
        let log = db.log();
        let path = format!("/users/{}", ada["id"]);
        assert_eq!(client.delete(&path).await.expect(204), Value::Null);
        // The posts are the database's business.
        assert_eq!(log.emitted(), ["SELECT users", "DELETE users"]);
        client.get(&path).await.expect(404);
        let left = client.get("/posts").await.expect(200);
        assert_eq!(each(&left["items"], "title"), ["Third"]);
    }

    async fn posts_are_added_listed_and_deleted_on_their_own(db) {
        let Server { client, .. } = Server::start(&db).await?;
        let ada = create(client, "ada", &["Notes", "100% right"]).await;
        create(client, "bob", &["Notes as well"]).await;
        let path = format!("/users/{}/posts", ada["id"]);
        let new = json!({ "title": "Bernoulli", "body": "numbers" });
        let post = client.post(&path, new).await.expect(201);
        assert_eq!((&post["title"], &post["body"]), (&json!("Bernoulli"), &json!("numbers")));

        let list = async |query: &str| client.get(&format!("/posts?{query}")).await.expect(200);
        let log = db.log();
        let by_ada = list("author=ada&size=2").await;
        assert_eq!(each(&by_ada["items"], "title"), ["Bernoulli", "100% right"]);
        assert_eq!(by_ada["items"][0]["author"]["username"], "ada");
        assert_eq!((&by_ada["total"], &by_ada["pages"]), (&json!(3), &json!(2)));
        // The count, the page, and all of its authors.
        assert_eq!(log.emitted(), ["SELECT posts", "SELECT posts", "SELECT users"]);
        let notes = list("title=Notes").await;
        assert_eq!(each(&notes["items"], "title"), ["Notes as well", "Notes"]);
        assert_eq!(each(&list("title=%25").await["items"], "title"), ["100% right"]);

        client.delete(&format!("/posts/{}", post["id"])).await.expect(204);
        assert_eq!(list("author=ada").await["total"], 2);
    }

    /// What was sent before the server was told to stop is answered.
    async fn a_server_that_stops_answers_what_is_under_way(db) {
        let db = db.with_engine(|engine| engine.max_connections(1)).await?;
        let server = Server::start(&db).await?;
        let client = server.client;
        create(client, "ada", &[]).await;
        let mut busy = db.session();
        busy.require::<User>(1).await?;
        let get = request("GET", "/users/1", None);
        let answer = tokio::spawn(async move { client.exchange(&get).await });
        sleep(Duration::from_millis(100)).await;
        // Who was accepted later is answered: the request is under way.
        client.get("/nowhere").await.expect(404);
        sleep(Duration::from_millis(100)).await;
        let stop = tokio::spawn(server.stop());
        sleep(Duration::from_millis(100)).await;
        assert!(!stop.is_finished());
        drop(busy);
        assert_eq!(answer.await.expect("an answer").expect(200)["username"], "ada");
        stop.await.expect("the server ends");
    }
}
