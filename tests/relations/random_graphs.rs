//! Whatever the data, every strategy loads the same.

use orm_core::error::Result;
use orm_core::{Graph, Handle, Session};
use orm_tests::{Database, backend_properties};
use proptest::prelude::*;

use crate::models::*;

/// Posts of each user: how many comments a post has, and which tags.
type Blog = Vec<Vec<(u8, Vec<bool>)>>;

const TAGS: [&str; 3] = ["x", "y", "z"];

fn blogs() -> impl Strategy<Value = Blog> {
    let tags = prop::collection::vec(any::<bool>(), TAGS.len());
    prop::collection::vec(prop::collection::vec((0..3_u8, tags), 0..4), 0..4)
}

async fn store(session: &mut Session, blog: &Blog) -> Result<()> {
    let tags = session.add_all(TAGS.map(|name| Tag::draft().name(name)));
    for (user, posts) in blog.iter().enumerate() {
        let user = session.add(User::draft().name(format!("{user}")));
        for (at, (comments, tagged)) in posts.iter().enumerate() {
            let chosen = tags.iter().zip(tagged).filter(|(_, chosen)| **chosen);
            let comments = (0..*comments).map(|text| Comment::draft().text(text.to_string()));
            let post = Post::draft()
                .title(format!("{at}"))
                .comments(comments.collect::<Vec<_>>())
                .tags(chosen.map(|(tag, _)| *tag));
            session.push(user, User::posts, post);
        }
    }
    session.commit().await
}

/// Users and all that is below them, as text, each object by its key.
trait Reading {
    fn outline(&self, users: &[Handle<User>]) -> Result<String>;
}

macro_rules! reading {
    ($($of:ty),*) => {$(
        impl Reading for $of {
            fn outline(&self, users: &[Handle<User>]) -> Result<String> {
                let mut outline = String::new();
                for &user in users {
                    outline += &format!("user {}\n", self[user].id());
                    for (post, entity) in self.members(user, User::posts)? {
                        outline += &format!("  post {} {}\n", entity.id(), entity.title);
                        outline += &format!("    of {}\n", self.follow(post, Post::user)?.id());
                        for (_, comment) in self.members(post, Post::comments)? {
                            outline += &format!("    comment {}\n", comment.id());
                        }
                        for (tag, entity) in self.members(post, Post::tags)? {
                            let posts = self.members(tag, Tag::posts)?.map(|(_, post)| post.id());
                            outline += &format!("    tag {} {:?}\n", entity.id(), posts.collect::<Vec<_>>());
                        }
                    }
                }
                Ok(outline)
            }
        }
    )*};
}

reading!(Session, Graph<User>);

async fn lazily(session: &mut Session) -> Result<Vec<Handle<User>>> {
    let users = User::select().order_by(User::id.asc()).all(session).await?;
    for user in &users {
        for post in user.posts(session).await? {
            post.user(session).await?;
            post.comments(session).await?;
            for tag in post.tags(session).await? {
                tag.posts(session).await?;
            }
        }
    }
    Ok(users)
}

async fn compare(db: Database, blog: Blog) -> Result<()> {
    db.create(&blog_tables()).await?;
    let mut session = db.session();
    store(&mut session, &blog).await?;

    let selectin = User::select()
        .order_by(User::id.asc())
        .with(User::posts.with(Post::user).with(Post::comments).with(Post::tags.with(Tag::posts)));
    let joined = User::select().order_by(User::id.asc()).with(
        User::posts
            .joined()
            .with(Post::user.joined())
            .with(Post::comments.joined())
            .with(Post::tags.joined().with(Tag::posts.joined())),
    );
    let mut first = db.session();
    let users = selectin.all(&mut first).await?;
    let expected = first.outline(&users)?;
    let mut second = db.session();
    let users = joined.clone().all(&mut second).await?;
    assert_eq!(second.outline(&users)?, expected, "joined");
    let mut third = db.session();
    let users = lazily(&mut third).await?;
    assert_eq!(third.outline(&users)?, expected, "lazy");
    // Loaded once more, nothing changes.
    let users = joined.clone().all(&mut third).await?;
    assert_eq!(third.outline(&users)?, expected, "again");
    let graph = joined.on(&db.engine).graph().await?;
    let users: Vec<_> = graph.roots().collect();
    assert_eq!(graph.outline(&users)?, expected, "without a session");
    Ok(())
}

backend_properties! {
    /// SEMANTICS 11.2, 11.3: joined, selectin, lazy and a graph give equal objects.
    async fn rule_11_3_every_strategy_gives_the_same(db, blog in blogs(), cases = 16) {
        compare(db, blog).await?;
    }
}
