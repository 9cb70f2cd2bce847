use orm_core::{Session, schema};

struct User {
    name: String,
}

async fn read(session: &mut Session) {
    let _ = session.get::<User>(1).await;
    let _ = schema![User];
}

fn main() {}
