//! Clients that hang up half-way: the server drops the handler in the middle of what it awaits.
//! Whatever that is, a request is written as a whole or not at all, and no connection is lost.

use std::time::{Duration, Instant};

use orm_core::Result;
use orm_examples::web::User;
use orm_tests::{Database, backend_tests};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::client::{Client, request};
use crate::server::{Server, expect_clean, hold, users_with_posts, with_connections, within};

const CONNECTIONS: usize = 4;
/// How many clients are at it at once.
const CLIENTS: usize = 8;
/// How many delays a sweep has.
const STEPS: u32 = 40;

/// The name tells how many posts the user must have.
fn new_user(number: usize) -> Value {
    let posts = number % 5 + 1;
    let titles = (0..posts).map(|post| json!({ "title": format!("Post {post}") }));
    json!({
        "username": format!("{number}-{posts}"),
        "email": format!("{number}@example.org"),
        "posts": titles.collect::<Vec<_>>(),
    })
}

async fn expect_whole_users(db: &Database) -> Result<usize> {
    let users = users_with_posts(db).await?;
    for (name, posts) in &users {
        let (_, expected) = name.split_once('-').expect("a number of posts");
        assert_eq!(posts.to_string(), expected, "{name} is written in part");
    }
    Ok(users.len())
}

/// Sends a request and hangs up after a while, politely or not.
async fn hang_up(client: Client, text: String, after: Duration, abruptly: bool) {
    let stream = client.send(&text).await;
    sleep_precisely(after).await;
    if abruptly {
        stream.set_zero_linger().expect("a socket can be reset");
    }
}

/// The timer counts whole milliseconds, in which a request may be over.
async fn sleep_precisely(duration: Duration) {
    let until = Instant::now() + duration;
    while Instant::now() < until {
        tokio::task::yield_now().await;
    }
}

/// Numbers that look random and are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// How long a request takes among as many others as there will be.
async fn usual(client: Client) -> Duration {
    let started = Instant::now();
    let tasks: JoinSet<_> =
        (0..CLIENTS)
            .map(|number| async move {
                client.post("/users", new_user(100_000 + number)).await.expect(201)
            })
            .collect();
    tasks.join_all().await;
    started.elapsed()
}

/// Edits a user of its own, whose name always tells how many posts there must be, and hangs up on
/// most requests.
async fn edit_at_random(client: Client, number: usize, usual: Duration) {
    let mut random = Random(number as u64);
    let email = format!("{number}@example.org");
    let new = json!({ "username": format!("{number}-0"), "email": email });
    let path = format!("/users/{}", client.post("/users", new).await.id(201));
    for round in 0..12 {
        let user = client.get(&path).await.expect(200);
        let posts = user["posts"].as_array().expect("posts");
        let removed: Vec<&Value> = posts.iter().map(|post| &post["id"]).collect();
        let titles = (0..random.below(4)).map(|post| json!({ "title": format!("{round}.{post}") }));
        let added: Vec<Value> = titles.collect();
        let edit = json!({
            "version": user["version"],
            "username": format!("{number}-{}", added.len()),
            "posts": added,
            "removed_posts": removed,
        });
        let after = usual.mul_f64(random.below(1000) as f64 / 800.0);
        match random.below(4) {
            0 => {
                let edited = client.patch(&path, edit).await;
                // One that was hung up on earlier may have been about to commit.
                if edited.status != 409 {
                    let edited = edited.expect(200);
                    let now = client.get(&path).await.expect(200);
                    assert_eq!(now, edited, "an acknowledged commit was lost");
                }
            }
            1 => hang_up(client, request("GET", "/posts?size=100", None), after, true).await,
            _ => {
                let edit = request("PATCH", &path, Some(edit));
                hang_up(client, edit, after, round % 2 == 0).await;
            }
        }
    }
}

async fn with_four_connections(db: &Database) -> Result<(Database, Server)> {
    let db = with_connections(db, CONNECTIONS as u32).await?;
    let server = Server::start(&db).await?;
    Ok((db, server))
}

backend_tests! {
    /// Delays from none to more than a request takes, several clients at a time.
    async fn after_any_delay_a_request_is_written_whole_or_not_at_all(db) {
        let (db, server) = with_four_connections(&db).await?;
        let client = server.client;
        let usual = usual(client).await;
        let mut number = 0;
        for step in 0..STEPS {
            let after = usual * 5 / 4 * step / STEPS;
            let clients: JoinSet<_> = (number..number + CLIENTS)
                .map(|number| {
                    let text = request("POST", "/users", Some(new_user(number)));
                    hang_up(client, text, after, number % 2 == 0)
                })
                .collect();
            number += CLIENTS;
            within("the clients hung up", clients.join_all()).await;
        }
        // The server is well: what is sent to the end is written.
        client.post("/users", new_user(number)).await.expect(201);
        server.stop().await;
        let written = expect_whole_users(&db).await? - CLIENTS - 1;
        assert!(written < number, "no request was interrupted");
        expect_clean(&db, CONNECTIONS).await?;
    }

    /// Requests of all kinds, at random moments, among others that are awaited to their end.
    async fn at_random_moments_nothing_is_half_written_or_lost(db) {
        const USERS: usize = 16;
        let (db, server) = with_four_connections(&db).await?;
        let client = server.client;
        let usual = usual(client).await;
        let clients: JoinSet<_> =
            (0..USERS).map(|number| edit_at_random(client, number, usual)).collect();
        within("the clients are done", clients.join_all()).await;
        server.stop().await;
        assert_eq!(expect_whole_users(&db).await?, USERS + CLIENTS);
        expect_clean(&db, CONNECTIONS).await?;
    }

    /// A request that waits for a connection is forgotten with its client.
    async fn while_it_waits_for_a_connection_nothing_is_written(db) {
        let (db, server) = with_four_connections(&db).await?;
        let client = server.client;
        let held = hold(&db, CONNECTIONS).await?;
        let clients: JoinSet<_> = (0..20)
            .map(|number| {
                let text = request("POST", "/users", Some(new_user(number)));
                hang_up(client, text, Duration::from_millis(100), number % 2 == 0)
            })
            .collect();
        clients.join_all().await;
        // It ends when every handler has: those of clients that are gone end at once.
        server.stop().await;
        drop(held);
        sleep(Duration::from_millis(100)).await;
        assert_eq!(expect_whole_users(&db).await?, 0);
        expect_clean(&db, CONNECTIONS).await?;
    }

    /// The same for one that waits for another's transaction, in the middle of its own.
    async fn while_it_waits_for_a_lock_nothing_is_written(db) {
        let (db, server) = with_four_connections(&db).await?;
        let client = server.client;
        let new = json!({ "username": "1-0", "email": "1@example.org" });
        let id = client.post("/users", new).await.id(201);
        let mut other = db.session();
        let user = other.require::<User>(id).await?;
        other[user].email = "other@example.org".into();
        other.flush().await?;
        let log = db.log();
        let edit = json!({ "version": 1, "username": "1-1", "posts": [{ "title": "One" }] });
        let path = format!("/users/{id}");
        let mut waiting = Vec::new();
        for _ in 0..3 {
            waiting.push(client.send(&request("PATCH", &path, Some(edit.clone()))).await);
        }
        within("the requests have read the user", async {
            let mut read = 0;
            while read < waiting.len() {
                read += log.emitted().iter().filter(|ran| *ran == "SELECT posts").count();
                sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
        sleep(Duration::from_millis(100)).await;
        drop(waiting);
        server.stop().await;
        other.commit().await?;
        assert_eq!(expect_whole_users(&db).await?, 1);
        expect_clean(&db, CONNECTIONS).await?;
    }

    /// A request whose body is cut off is none.
    async fn in_the_middle_of_the_request_nothing_happens(db) {
        let (db, server) = with_four_connections(&db).await?;
        let client = server.client;
        let log = db.log();
        let text = request("POST", "/users", Some(new_user(1)));
        for length in (0..text.len()).step_by(7) {
            hang_up(client, text[..length].to_owned(), Duration::ZERO, length % 2 == 0).await;
        }
        server.stop().await;
        assert_eq!(log.all(), [""; 0]);
        expect_clean(&db, CONNECTIONS).await?;
    }
}
