use orm_core::{BelongsTo, HasMany, ManyToMany, Model};

#[derive(Model)]
struct Tag {
    #[orm(foreign_key = Post)]
    post_id: i64,
    #[orm(foreign_key = Tag::post_id)]
    post: BelongsTo<Post>,
}

#[derive(Model)]
struct Post {
    #[orm(via = post_id)]
    tags: HasMany<Tag>,
    #[orm(foreign_key = Tag::post_id)]
    all: ManyToMany<Tag>,
}

fn main() {}
