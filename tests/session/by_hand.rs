//! Hand-written statements on the session's own connection.

use orm_core::{Error, Result, Session};
use orm_tests::{Database, backend_tests};
use sqlx::{PgConnection, SqliteConnection};

use super::models::*;

async fn visits(db: &Database) -> Result<i64> {
    User::select().columns(User::visits).on(&db.engine).one().await
}

/// What failed by hand is told by the next call, and a rollback makes good.
async fn expect_failed(session: &mut Session, words: &str) -> Result<()> {
    let error = session.commit().await.expect_err("the transaction can't go on");
    assert!(error.to_string().contains(words), "{error}");
    assert!(matches!(session.commit().await, Err(Error::RollbackRequired { .. })));
    session.rollback().await
}

backend_tests! {
    /// DESIGN 5: `connection()` is inside the session's transaction, behind what was changed.
    async fn statements_by_hand_are_committed_and_rolled_back(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        session[ada].visits = 5;
        db.run_in(&mut session, "UPDATE users SET visits = visits * 10").await?;
        assert_eq!(visits(&db).await?, 0, "not committed yet");
        assert_eq!(session[ada].visits, 5, "the session knows nothing of it");
        session.refresh(ada).await?;
        assert_eq!(session[ada].visits, 50);
        session.rollback().await?;
        assert_eq!(visits(&db).await?, 0);

        db.run_in(&mut session, "UPDATE users SET visits = 7").await?;
        db.run_in(&mut session, "UPDATE users SET visits = visits + 1").await?;
        session.commit().await?;
        assert_eq!(visits(&db).await?, 8);
    }

    /// SEMANTICS 1.4: a rollback expires everything that a statement by hand may have changed.
    async fn rule_1_4_a_raw_write_expires_all(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        db.run_in(&mut session, "UPDATE users SET visits = 5").await?;
        session.refresh(ada).await?;
        session.rollback().await?;
        assert!(matches!(session.try_get(ada), Err(Error::NotLoaded { .. })));
        session.refresh(ada).await?;
        assert_eq!(session[ada].visits, 0);
    }

    /// SEMANTICS 9.2: an error that the application has swallowed is not committed over.
    async fn rule_9_2_a_failure_by_hand_is_noticed(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        session[ada].visits = 5;
        let nonsense = db.run_in(&mut session, "SELECT nothing_of_this_name FROM users").await;
        assert!(nonsense.is_err());
        if db.capabilities.fails_as_a_whole {
            expect_failed(&mut session, "hand-written").await?;
            assert_eq!(visits(&db).await?, 0);
        } else {
            // Only the statement was lost.
            session.commit().await?;
            assert_eq!(visits(&db).await?, 5);
        }
    }

    /// SEMANTICS 9.2: neither is a transaction that somebody else has ended.
    async fn rule_9_2_a_transaction_that_was_ended_by_hand_is_noticed(db) {
        committed(&db, &["ada"]).await?;
        for end in ["COMMIT", "ROLLBACK"] {
            let mut session = db.session();
            let ada = session.require::<User>(1).await?;
            session[ada].nickname = Some("the countess".into());
            db.run_in(&mut session, end).await?;
            session[ada].visits += 1;
            expect_failed(&mut session, "ended it").await?;
            assert_eq!(visits(&db).await?, 0);
        }
    }

    /// DESIGN 5
    async fn a_connection_of_another_database_is_an_error(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let wrong = match session.connection::<SqliteConnection>().await {
            Ok(_) => session.connection::<PgConnection>().await.map(drop),
            Err(error) => Err(error),
        };
        assert!(matches!(wrong, Err(Error::Misuse(_))), "{wrong:?}");
        let ada = session.require::<User>(1).await?;
        session[ada].visits = 1;
        session.commit().await?;
        assert_eq!(visits(&db).await?, 1);
    }
}
