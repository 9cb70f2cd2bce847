//! A server of the example on a test's database, and what must be true of the database once it has
//! stopped.

use std::future::pending;
use std::time::Duration;

use orm_core::{Result, Session};
use orm_examples::web::{self, Post, User};
use orm_tests::Database;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::client::Client;

/// How long anything may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A running server.
pub(crate) struct Server {
    pub(crate) client: Client,
    stop: oneshot::Sender<()>,
    served: JoinHandle<std::io::Result<()>>,
}

impl Server {
    /// Creates the tables and serves them.
    pub(crate) async fn start(db: &Database) -> Result<Self> {
        db.create(&web::tables()).await?;
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("a listener has an address");
        let (stop, stopped) = oneshot::channel();
        let serve = web::serve(listener, db.sessions.clone(), async {
            if stopped.await.is_err() {
                // A test that needs the client only leaves it running.
                pending().await
            }
        });
        Ok(Self { client: Client(address), stop, served: tokio::spawn(serve) })
    }

    /// Lets it answer what is under way, and end. No handler runs after that.
    pub(crate) async fn stop(self) {
        self.stop.send(()).expect("the server runs");
        let served = within("the server ends", self.served).await;
        served.expect("it doesn't panic").expect("it listens until then");
    }
}

/// Awaits what must not take for ever.
#[track_caller]
pub(crate) fn within<T>(what: &str, future: impl Future<Output = T>) -> impl Future<Output = T> {
    let late = format!("waited in vain until {what}");
    async move { timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{late}")) }
}

/// A database by at most this many connections.
pub(crate) async fn with_connections(db: &Database, connections: u32) -> Result<Database> {
    db.with_engine(|engine| engine.max_connections(connections).acquire_timeout(PATIENCE)).await
}

/// As many sessions as there may be connections, each with one of them.
pub(crate) async fn hold(db: &Database, connections: usize) -> Result<Vec<Session>> {
    let mut held = Vec::new();
    for _ in 0..connections {
        let mut session = db.session();
        within("a connection is free", User::select().count(&mut session)).await?;
        held.push(session);
    }
    Ok(held)
}

/// Every connection of the pool is there and works, and no more than these; none is left inside a
/// transaction. The server has stopped.
pub(crate) async fn expect_clean(db: &Database, connections: usize) -> Result<()> {
    db.expect_no_transaction().await;
    let mut held = hold(db, connections).await?;
    let mut another = db.session();
    let fifth = timeout(Duration::from_millis(200), User::select().count(&mut another)).await;
    assert!(fifth.is_err(), "the pool has more than {connections} connections");
    let before = User::select().count(&mut held[0]).await?;
    for (at, mut session) in held.into_iter().enumerate() {
        let name = format!("slot-{at}");
        session.add(User::draft().username(&name).email(format!("{name}@example.org")));
        within("a slot commits", session.commit()).await?;
    }
    within("a freed slot serves the next", another.rollback()).await?;
    let after = within("a freed slot serves the next", User::select().count(&mut another)).await?;
    assert_eq!(after, before + connections as u64, "a commit was lost");
    another.close().await?;
    db.expect_no_transaction().await;
    Ok(())
}

/// Each user with the number of posts, by name.
pub(crate) async fn users_with_posts(db: &Database) -> Result<Vec<(String, i64)>> {
    User::select()
        .left_join(User::posts)
        .group_by(User::username)
        .order_by(User::username.asc())
        .columns((User::username, Post::id.count()))
        .on(&db.engine)
        .all()
        .await
}
