use orm_core::Model;

#[derive(Model)]
struct Query {
    select: String,
    created_at: String,
}

fn main() {}
