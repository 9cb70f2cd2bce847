#[path = "../models.rs"]
mod models;
use models::User;

async fn sign_up(session: &mut orm_core::Session) {
    session.add(User::draft().username("ada").age(36));
}

fn main() {}
