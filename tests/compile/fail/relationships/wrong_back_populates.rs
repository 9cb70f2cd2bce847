use orm_core::{BelongsTo, HasMany, Model};

#[derive(Model)]
struct User {
    name: String,
    #[orm(back_populates = title)]
    posts: HasMany<Post>,
    #[orm(back_populates = usr)]
    drafts: HasMany<Post>,
    #[orm(back_populates = blog)]
    notes: HasMany<Post>,
}

#[derive(Model)]
struct Blog {
    name: String,
}

#[derive(Model)]
struct Post {
    title: String,
    #[orm(foreign_key = User)]
    user_id: i64,
    user: BelongsTo<User>,
    #[orm(foreign_key = Blog)]
    blog_id: i64,
    blog: BelongsTo<Blog>,
}

fn main() {}
