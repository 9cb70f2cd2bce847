use orm_core::{BaseColumns, BelongsTo, Model};

#[derive(BaseColumns)]
struct Tenanted {
    #[orm(primary_key, autoincrement)]
    id: i64,
    tenant: i64,
}

#[derive(Model)]
struct Tenant {
    name: String,
}

#[derive(Model)]
#[orm(base = Tenanted)]
#[orm(unique(tenannt, slug), index(tenant), foreign_key(owner => Tenant::id))]
struct Post {
    slug: String,
    #[orm(via = owner)]
    tenant: BelongsTo<Tenant>,
    #[orm(column = "id")]
    number: i64,
}

fn main() {}
