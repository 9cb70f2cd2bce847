use orm_core::{BelongsTo, HasMany, Model};

#[derive(Model)]
struct User {
    name: String,
    #[orm(back_populates = author)]
    written: HasMany<Post>,
    #[orm(back_populates = editor)]
    edited: HasMany<Post>,
}

#[derive(Model)]
struct Post {
    title: String,
    #[orm(foreign_key = User)]
    author_id: i64,
    #[orm(back_populates = edited)]
    author: BelongsTo<User>,
    #[orm(foreign_key = User)]
    editor_id: i64,
    #[orm(back_populates = edited)]
    editor: BelongsTo<User>,
}

fn main() {}
