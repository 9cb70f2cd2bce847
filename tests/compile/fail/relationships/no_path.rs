use orm_core::{HasMany, HasOne, ManyToMany, Model};

#[derive(Model)]
struct Tag {
    name: String,
}

#[derive(Model)]
struct Post {
    tags: ManyToMany<Tag>,
    main: HasOne<Tag>,
    others: HasMany<Tag>,
}

fn main() {}
