#[path = "../models.rs"]
mod models;
use models::User;
use orm_core::{Result, Session};

async fn forget(session: &mut Session) -> Result<()> {
    User::delete().execute(session).await?;
    session.execute(User::update().set(User::username, "x")).await?;
    Ok(())
}

fn main() {}
