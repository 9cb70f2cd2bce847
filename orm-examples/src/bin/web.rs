//! Serves users and their posts over HTTP.
//!
//! ```text
//! cargo run -p orm-examples --bin web
//! DATABASE_URL=postgres://postgres@localhost/test LISTEN=0.0.0.0:8080 cargo run -p orm-examples --bin web
//! ```
//!
//! Without `DATABASE_URL` (SQLite, PostgreSQL, MySQL or MariaDB) the database is in memory and gone
//! with the program. What it answers to is in [`orm_examples::web`].

use std::env;
use std::error::Error;
use std::process::ExitCode;

use orm_core::{Engine, SessionFactory};
use orm_examples::web;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt::init();
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("web: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let url = env::var("DATABASE_URL").unwrap_or_else(|_| "sqlite::memory:".to_owned());
    let address = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let engine = Engine::connect(url).await?;
    engine.create_all(&web::tables()).await?;
    let sessions = SessionFactory::new(engine.clone());

    let listener = TcpListener::bind(&address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    web::serve(listener, sessions, interrupted()).await?;
    engine.close().await;
    Ok(())
}

/// Until Ctrl-C.
async fn interrupted() {
    if let Err(error) = tokio::signal::ctrl_c().await {
        tracing::error!(%error, "Ctrl-C can't be awaited: the program ends when it is killed");
        std::future::pending::<()>().await;
    }
}
