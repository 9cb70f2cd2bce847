//! Rows that are locked by the query that reads them: SEMANTICS 2.2, 9.1.

use std::time::Duration;

use orm_core::{Error, Handle, Result, Session};
use orm_tests::{Database, backend_tests};

use super::models::*;

/// A user whose name a second session has not seen changed.
async fn changed_elsewhere(db: &Database) -> Result<(Session, Handle<User>)> {
    committed(db, &["ada", "bob"]).await?;
    let mut session = db.session();
    let ada = session.require::<User>(1).await?;
    let mut other = db.session();
    let theirs = other.require::<User>(1).await?;
    other[theirs].visits = 10;
    other.commit().await?;
    Ok((session, ada))
}

/// Counts a visit of a user that was read before it is locked.
async fn count_visit(mut session: Session) -> Result<()> {
    let stale = session.require::<User>(1).await?;
    let ada = User::select().filter(User::id.eq(1)).for_update().one(&mut session).await?;
    assert_eq!(ada, stale);
    session[ada].visits += 1;
    session.commit().await
}

backend_tests! {
    /// SEMANTICS 2.2, 9.1: the lock begins the transaction, and memory becomes what is locked.
    async fn rule_2_2_for_update_refreshes_what_has_no_changes(db) {
        let (mut session, ada) = changed_elsewhere(&db).await?;
        // What was undone is no change.
        session[ada].visits = 5;
        session[ada].visits = 0;
        let log = db.log();
        let met = User::select().order_by(User::id.asc()).for_update().all(&mut session).await?;
        assert_eq!(log.all(), ["BEGIN", "SELECT users"]);
        assert_eq!(met[0], ada);
        assert_eq!(session[ada].visits, 10);
        session[ada].visits += 1;
        session.commit().await?;
        assert_eq!(log.all(), ["UPDATE users", "COMMIT"]);
        session.refresh(ada).await?;
        assert_eq!(session[ada].visits, 11);
    }

    /// SEMANTICS 2.2: changes are flushed first; without autoflush they stay.
    async fn rule_2_2_for_update_keeps_unflushed_changes(db) {
        let (mut session, ada) = changed_elsewhere(&db).await?;
        session.autoflush(false);
        session[ada].nickname = Some("countess".into());
        let bob = session.require::<User>(2).await?;
        let post = session.add(Post::draft().title("Queued"));
        session.push(bob, User::posts, post);
        User::select().for_update().all(&mut session).await?;
        assert_eq!((session[ada].visits, session[ada].nickname.as_deref()), (0, Some("countess")));
        session.autoflush(true);
        let log = db.log();
        User::select().for_update().all(&mut session).await?;
        assert_eq!(log.emitted(), ["UPDATE users", "INSERT posts", "SELECT users"]);
        assert_eq!((session[ada].visits, session[ada].nickname.as_deref()), (10, Some("countess")));
        assert_eq!(session[post].user_id, 2, "what waits in a collection is kept");
        session.commit().await?;
        assert_eq!(usernames(&db).await?, ["ada", "bob"]);
    }

    /// SEMANTICS 1.3: a lock is no write: a rollback leaves what it has read, which is true.
    async fn rule_2_2_a_rollback_keeps_what_for_update_has_read(db) {
        let (mut session, ada) = changed_elsewhere(&db).await?;
        User::select().for_update().all(&mut session).await?;
        session[ada].visits = 99;
        session.rollback().await?;
        let log = db.log();
        assert_eq!(session[ada].visits, 10);
        session.commit().await?;
        assert_eq!(log.all(), [""; 0]);
    }

    /// SEMANTICS 2.2: relationships follow the row that they belong to.
    async fn rule_2_2_for_update_unloads_where_a_row_led(db) {
        committed(&db, &["ada", "bob"]).await?;
        let mut session = db.session();
        let (ada, bob) = (session.require::<User>(1).await?, session.require::<User>(2).await?);
        let posts = ada.posts(&mut session).await?;
        bob.posts(&mut session).await?;
        assert_eq!(posts[0].user(&mut session).await?, ada);

        let mut other = db.session();
        let theirs = other.require::<Post>(session[posts[0]].id()).await?;
        let to = other.require::<User>(2).await?;
        other.set_one(theirs, Post::user, to);
        other.commit().await?;

        Post::select().for_update().all(&mut session).await?;
        assert_eq!(session[posts[0]].user.loaded(), None);
        assert_eq!(session[ada].posts.loaded(), None);
        assert_eq!(session[bob].posts.loaded(), None);
        assert_eq!(posts[0].user(&mut session).await?, bob);
        assert_eq!(ada.posts(&mut session).await?, [posts[1]]);
        assert_eq!(bob.posts(&mut session).await?.len(), 3);
        session.rollback().await?;
        assert_eq!(posts[0].user(&mut session).await?, bob);
    }

    /// SEMANTICS 9.1: the second transaction waits for the first, and reads what that has written.
    async fn rule_9_1_for_update_waits_and_loses_no_update(db) {
        committed(&db, &["ada"]).await?;
        let mut first = db.session();
        let ada = User::select().for_update().one(&mut first).await?;
        let second = tokio::spawn(count_visit(db.session()));
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert!(!second.is_finished(), "it waits");
        first[ada].visits += 1;
        first.commit().await?;
        second.await.expect("it doesn't panic")?;

        let others: Vec<_> = (0..8).map(|_| tokio::spawn(count_visit(db.session()))).collect();
        for other in others {
            other.await.expect("it doesn't panic")?;
        }
        first.refresh(ada).await?;
        assert_eq!(first[ada].visits, 10);
    }

    /// SEMANTICS 9.1: who doesn't want to wait is told, and can try again.
    async fn rule_9_1_nowait_fails_at_once(db) {
        let db = db.with_engine(|engine| engine.busy_timeout(Duration::from_millis(50))).await?;
        committed(&db, &["ada"]).await?;
        let (mut first, mut second) = (db.session(), db.session());
        User::select().for_update().all(&mut first).await?;
        let error = User::select().for_update().nowait().all(&mut second).await.unwrap_err();
        assert!(matches!(error, Error::Serialization(_)) && error.is_retryable(), "{error}");
        first.commit().await?;
        second.rollback().await?;
        assert_eq!(User::select().nowait().all(&mut second).await?.len(), 1);
    }

    /// SEMANTICS 9.1: each of several workers gets a row of its own.
    async fn rule_9_1_skip_locked_leaves_out_what_others_work_on(db) {
        committed(&db, &["ada", "bob"]).await?;
        let next = User::select().order_by(User::id.asc()).limit(1).for_update().skip_locked();
        let (mut first, mut second, mut third) = (db.session(), db.session(), db.session());
        let mine = next.clone().one(&mut first).await?;
        assert_eq!(first[mine].username, "ada");
        if db.capabilities.single_writer {
            // The others would wait for their turn.
            return Ok(());
        }
        let theirs = next.clone().one(&mut second).await?;
        assert_eq!(second[theirs].username, "bob");
        assert_eq!(next.clone().first(&mut third).await?, None);
        first.rollback().await?;
        let again = next.one(&mut third).await?;
        assert_eq!(third[again].username, "ada");
    }

    /// SEMANTICS 11.2: where a join multiplies rows that a limit counts, those that count are locked.
    async fn rule_9_1_for_update_locks_beneath_joined_collections(db) {
        let db = db.with_engine(|engine| engine.busy_timeout(Duration::from_millis(50))).await?;
        committed(&db, &["ada", "bob"]).await?;
        let (mut first, mut second) = (db.session(), db.session());
        let locked = User::select().order_by(User::id.asc()).limit(1).with(User::posts.joined());
        let ada = locked.for_update().one(&mut first).await?;
        assert_eq!(first[ada].posts.loaded().map(<[_]>::len), Some(2));
        let ask = |id: i64| User::select().filter(User::id.eq(id)).nowait();
        let error = ask(1).one(&mut second).await.expect_err("it is locked");
        assert!(matches!(error, Error::Serialization(_)), "{error}");
        second.rollback().await?;
        if !db.capabilities.single_writer {
            ask(2).one(&mut second).await?;
        }
        second.rollback().await?;
        // What is joined may be missing, which no database could lock.
        let joined = Post::select().with(Post::user.joined()).for_update().all(&mut first).await?;
        assert_eq!(first[joined[0]].user.loaded(), Some(Some(ada)));
    }

    /// SEMANTICS 2.2: what can't be locked is refused before any SQL.
    async fn rule_2_2_for_update_is_for_objects_of_a_session(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let log = db.log();
        let locked = || User::select().for_update();
        let refused = [
            locked().count(&mut session).await.map(drop),
            locked().exists(&mut session).await.map(drop),
            locked().columns(User::id).all(&mut session).await.map(drop),
            locked().on(&db.engine).all().await.map(drop),
            locked().on(&db.engine).graph().await.map(drop),
            locked().distinct().all(&mut session).await.map(drop),
            locked().group_by(User::id).all(&mut session).await.map(drop),
        ];
        for (at, refused) in refused.into_iter().enumerate() {
            let error = refused.expect_err("nothing to lock");
            let is_told = error.to_string().contains("for_update");
            assert!(matches!(error, Error::Misuse(_)) && is_told, "{at}: {error}");
        }
        assert_eq!(log.all(), [""; 0]);
    }
}
