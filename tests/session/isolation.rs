//! What transactions see of each other, and what they tell when they collide.

use orm_core::session::Isolation;
use orm_core::{Error, Handle, Result, Session};
use orm_tests::{Database, backend_tests};

use super::models::*;

/// Two sessions, each of which has both users.
async fn two_sessions(db: &Database) -> Result<[(Session, [Handle<User>; 2]); 2]> {
    committed(db, &["ada", "bob"]).await?;
    let mut sessions = Vec::new();
    for _ in 0..2 {
        let mut session = db.session();
        let users = User::select().order_by(User::id.asc()).all(&mut session).await?;
        sessions.push((session, [users[0], users[1]]));
    }
    Ok(sessions.try_into().ok().expect("two"))
}

backend_tests! {
    /// SEMANTICS 9.2: a real deadlock. The loser can be told from every other failure, and works
    /// again.
    async fn rule_9_2_a_deadlock_is_retryable(db) {
        if db.capabilities.single_writer {
            // Writers take turns: there is nothing to wait for in a circle.
            return Ok(());
        }
        let [(mut first, of_first), (mut second, of_second)] = two_sessions(&db).await?;
        first[of_first[0]].visits = 1;
        first.flush().await?;
        second[of_second[1]].visits = 2;
        second.flush().await?;
        first[of_first[1]].visits = 1;
        second[of_second[0]].visits = 2;
        let (one, other) = tokio::join!(first.flush(), second.flush());
        let (lost, mut loser, mut winner, users) = match (one, other) {
            (Ok(()), Err(lost)) => (lost, second, first, of_second),
            (Err(lost), Ok(())) => (lost, first, second, of_first),
            both => panic!("one of them loses: {both:?}"),
        };
        assert!(matches!(lost, Error::Serialization(_)) && lost.is_retryable(), "{lost}");
        assert!(matches!(loser.commit().await, Err(Error::RollbackRequired { .. })));
        winner.commit().await?;
        loser.rollback().await?;
        for user in users {
            loser.refresh(user).await?;
            loser[user].visits += 10;
        }
        loser.commit().await?;
        let visits = User::select().columns(User::visits).all(&mut winner).await?;
        assert!(visits == [11, 11] || visits == [12, 12], "{visits:?}");
    }

    /// SEMANTICS 9.1: what two serializable transactions read and write is as if they had run one
    /// after the other, or one of them fails.
    async fn rule_9_1_serializable_transactions_collide(db) {
        committed(&db, &["ada"]).await?;
        let sessions = db.sessions.clone().isolation(Isolation::Serializable);
        let (mut first, mut second) = (sessions.session(), sessions.session());
        let ours = first.require::<User>(1).await?;
        let theirs = second.require::<User>(1).await?;
        first[ours].visits += 1;
        second[theirs].visits += 1;
        let (one, other) = tokio::join!(first.commit(), second.commit());
        let lost = match (one, other) {
            (Ok(()), Err(lost)) | (Err(lost), Ok(())) => lost,
            both => panic!("one of them loses: {both:?}"),
        };
        assert!(matches!(lost, Error::Serialization(_)) && lost.is_retryable(), "{lost}");
        drop((first, second));
        assert_eq!(User::select().columns(User::visits).on(&db.engine).one().await?, 1);
    }

    /// SEMANTICS 9.1: under repeatable read the first statement begins, and all see what was
    /// committed before it; at read committed each sees what was committed before itself.
    async fn rule_9_1_a_repeatable_read_begins_with_the_first_statement(db) {
        for (isolation, begins, seen) in [
            (Isolation::RepeatableRead, true, 0),
            (Isolation::Serializable, true, 0),
            (Isolation::ReadCommitted, false, 5),
        ] {
            let db = db.with_engine(|engine| engine).await?;
            committed(&db, &["ada"]).await?;
            let log = db.log();
            let mut reader = db.sessions.clone().isolation(isolation).session();
            let ada = reader.require::<User>(1).await?;
            assert_eq!(log.all().first().is_some_and(|first| first == "BEGIN"), begins);
            if isolation == Isolation::Serializable && !db.capabilities.snapshot_when_serializable {
                // Its reads lock what they see.
                continue;
            }
            let mut writer = db.session();
            let theirs = writer.require::<User>(1).await?;
            writer[theirs].visits = 5;
            writer.commit().await?;
            reader.refresh(ada).await?;
            assert_eq!(reader[ada].visits, seen, "{isolation:?}");
            reader.commit().await?;
            reader.refresh(ada).await?;
            assert_eq!(reader[ada].visits, 5);
        }
    }
}
