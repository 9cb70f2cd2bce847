//! Every future of a session may be sent: it can be spawned, and held across awaits in handlers.

use orm_core::{Entity, Handle, Result, Session, SessionFactory};
use orm_tests::backend_tests;

use super::models::*;

fn is_send<T: Send>(value: T) -> T {
    value
}

fn is_send_and_sync<T: Send + Sync>() {}

/// Never run: that it compiles is the test.
#[expect(dead_code, reason = "that it compiles is the test")]
async fn every_future_is_send(session: &mut Session, factory: SessionFactory) -> Result<()> {
    is_send_and_sync::<SessionFactory>();
    is_send_and_sync::<Handle<User>>();
    is_send_and_sync::<Entity<User>>();
    is_send_and_sync::<orm_core::Error>();
    is_send(session.flush()).await?;
    is_send(session.commit()).await?;
    is_send(session.rollback()).await?;
    let ada = is_send(session.require::<User>(1)).await?;
    let post = is_send(session.get::<Post>(1)).await?;
    is_send(session.get_many::<User>([1])).await?;
    is_send(session.refresh(ada)).await?;
    is_send(session.find_or_add(User::username, ["ada"], |name| user(&name))).await?;
    is_send(session.merge((1, User::draft().posts([Post::draft().title("Notes")])))).await?;
    is_send(session.merge(User::select().on(session.engine()).one().await?)).await?;
    is_send(User::select().with(User::posts).all(session)).await?;
    is_send(User::select().one_or_none(session)).await?;
    is_send(User::select().first(session)).await?;
    is_send(User::select().count(session)).await?;
    is_send(User::select().exists(session)).await?;
    is_send(User::select().columns((User::id, User::username)).all(session)).await?;
    is_send(IntoFuture::into_future(ada.posts(session))).await?;
    is_send(ada.posts(session).query().all()).await?;
    if let Some(post) = post {
        is_send(IntoFuture::into_future(post.user(session))).await?;
    }
    let mut savepoint = is_send(session.savepoint()).await?;
    let inner = is_send(savepoint.savepoint()).await?;
    is_send(inner.commit()).await?;
    is_send(savepoint.rollback()).await?;
    is_send(factory.session().close()).await?;
    is_send(factory.transaction(async |mut session| session.flush().await)).await
}

backend_tests! {
    /// DESIGN 5: closures take the session by value, so that their futures can be spawned.
    async fn transactions_run_in_spawned_tasks(db) {
        db.create(&user_tables()).await?;
        let tasks = ["ada", "bob", "eve"].map(|name| {
            let sessions = db.sessions.clone();
            tokio::spawn(async move {
                sessions
                    .transaction(async |mut session| {
                        let user = session.add(user(name));
                        session.push(user, User::posts, Post::draft().title("Notes"));
                        session.flush().await?;
                        let posts = user.posts(&mut session).await?;
                        Ok((session[user].id(), posts.len()))
                    })
                    .await
            })
        });
        let mut ids = Vec::new();
        for task in tasks {
            let (id, posts) = task.await.expect("no task panics")?;
            assert_eq!(posts, 1);
            ids.push(id);
        }
        ids.sort_unstable();
        assert_eq!(ids, [1, 2, 3]);
    }

    /// A session moves between threads, with its objects and its open transaction.
    async fn a_session_goes_on_in_another_task(db) {
        db.create(&user_tables()).await?;
        let mut session = db.session();
        let ada = session.add(user("ada"));
        session.flush().await?;
        let mut session = tokio::spawn(async move {
            session[ada].visits += 1;
            session.flush().await.map(|()| session)
        })
        .await
        .expect("no task panics")?;
        session[ada].visits += 1;
        session.commit().await?;
        assert_eq!(session[ada].visits, 2);
    }
}
