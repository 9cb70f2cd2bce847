use orm_core::Model;

struct Audited {
    id: i64,
}

#[derive(Model)]
#[orm(base = Audited)]
struct Post {
    title: String,
}

fn main() {}
