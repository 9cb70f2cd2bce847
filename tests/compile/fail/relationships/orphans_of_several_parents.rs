use orm_core::{BelongsTo, ManyToMany, Model};

#[derive(Model)]
struct Tag {
    name: String,
}

#[derive(Model)]
struct Post {
    #[orm(secondary = "post_tags", cascade = "all, delete-orphan")]
    tags: ManyToMany<Tag>,
    #[orm(foreign_key = Tag)]
    main_id: i64,
    #[orm(cascade = "all, delete-orphan")]
    main: BelongsTo<Tag>,
}

fn main() {}
