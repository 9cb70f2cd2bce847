use orm_core::{Deferred, Model};

#[derive(Model)]
#[orm(unique(shelf, place))]
struct Book {
    #[orm(version)]
    edition: Deferred<i64>,
    #[orm(unique, length = 20)]
    isbn: Deferred<String>,
    shelf: i64,
    place: Deferred<i64>,
}

fn main() {}
