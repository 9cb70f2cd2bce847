use orm_core::{BelongsTo, HasMany, Model};

#[derive(Model)]
#[orm(tabel = "people")]
struct User {
    #[orm(uniqe, length = 0)]
    name: String,
    #[orm(autoincrement)]
    number: i64,
    profile: BelongsTo<Profile>,
    posts: HasMany<Post>,
}

#[derive(Model)]
struct Profile {
    name: String,
}

#[derive(Model)]
struct Post {
    title: String,
}

fn main() {}
