use orm_core::{Deferred, Model};

struct Address;

#[derive(Model)]
struct User {
    address: Deferred<Address>,
}

#[derive(Model)]
struct Author {
    biography: Deferred<String>,
}

fn main() {
    let _ = Author::draft().biography(7);
    let _ = Author::biography.eq(7);
    let _ = Author::select().undefer(User::id);
}
