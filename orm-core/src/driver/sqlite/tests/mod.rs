//! The driver by itself: values, and whom it keeps waiting.

mod joined;
mod threads;
mod turns;
mod values;

use std::time::Duration;

use crate::driver::Engine;

/// What must happen soon.
const SOON: Duration = Duration::from_secs(20);

/// A folder with a database in it, and its URL.
fn folder() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("a.db").display());
    (folder, url)
}

/// An engine of so many connections.
async fn engine(url: &str, connections: u32) -> Engine {
    Engine::builder(url).max_connections(connections).connect().await.unwrap()
}
