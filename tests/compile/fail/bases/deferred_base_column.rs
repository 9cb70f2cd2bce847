use orm_core::{BaseColumns, Deferred};

#[derive(BaseColumns)]
struct Audited {
    #[orm(primary_key, autoincrement)]
    id: i64,
    remark: Deferred<String>,
}

fn main() {}
