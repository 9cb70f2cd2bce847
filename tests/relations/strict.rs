//! `strict_loading`: a lazy load is an error that names the relationship.

use orm_core::error::Result;
use orm_core::{Error, SessionFactory};
use orm_tests::{Database, backend_tests};

use crate::models::*;

async fn strict(db: &Database) -> Result<SessionFactory> {
    db.create(&blog_tables()).await?;
    let mut session = db.session();
    let posts = ["A", "B"].map(|title| Post::draft().title(title).tags([Tag::draft().name("t")]));
    session.add(User::draft().name("Ada").posts(posts));
    session.commit().await?;
    Ok(db.sessions.clone().strict_loading(true))
}

fn refusal<T>(outcome: Result<T>) -> String {
    match outcome {
        Err(Error::NotLoaded { model, field, .. }) => format!("{model}.{field}"),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it has loaded"),
    }
}

backend_tests! {
    /// Issue 5: collections, references that the identity map knows, one-to-ones and pairs.
    async fn rule_11_4_every_lazy_load_is_refused(db) {
        let mut session = strict(&db).await?.session();
        let user = session.require::<User>(1).await?;
        let post = session.require::<Post>(1).await?;
        let log = db.log();
        assert_eq!(refusal(user.posts(&mut session).await), "User.posts");
        assert_eq!(refusal(user.posts(&mut session).alone().await), "User.posts");
        assert_eq!(refusal(post.user(&mut session).await), "Post.user");
        assert_eq!(refusal(post.tags(&mut session).await), "Post.tags");
        assert!(log.emitted().is_empty());
    }

    /// Issue 5: what a query loads is read, edits and queries go on, and so does the flush.
    async fn rule_11_4_strict_sessions_query_and_write(db) {
        let mut session = strict(&db).await?.session();
        let user = session.require::<User>(1).await?;
        assert_eq!(user.posts(&mut session).query().count().await?, 2);
        let post = user.posts(&mut session).query().first().await?.expect("there are two");
        session.push(user, User::posts, Post::draft().title("C"));
        let new = session.add(User::draft().name("new"));
        assert!(new.posts(&mut session).await?.is_empty(), "a pending object has no rows");
        session.commit().await?;
        User::select().with(User::posts.with(Post::tags)).all(&mut session).await?;
        assert_eq!(user.posts(&mut session).await?.len(), 3);
        assert_eq!(post.tags(&mut session).await?.len(), 1);
        let mut session = session_of(&db).await;
        let user = session.require::<User>(1).await?;
        session.delete(user);
        session.commit().await?;
        assert_eq!(Post::select().count(&mut session).await?, 0, "the flush reads what it needs");
    }

    /// Issue 5: one session can be set apart.
    async fn rule_11_4_a_session_may_be_lenient(db) {
        let mut session = strict(&db).await?.session();
        session.strict_loading(false);
        let user = session.require::<User>(1).await?;
        assert_eq!(user.posts(&mut session).await?.len(), 2);
    }
}

async fn session_of(db: &Database) -> orm_core::Session {
    db.sessions.clone().strict_loading(true).session()
}
