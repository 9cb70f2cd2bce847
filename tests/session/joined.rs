//! Sessions inside a transaction that somebody else began, on a connection that they take over.

use std::time::Duration;

use orm_core::session::ObjectState;
use orm_core::{Error, Result};
use orm_tests::{Database, backend_tests};
use sqlx::pool::PoolConnection;
use sqlx::{Connection, Executor, MySqlPool, PgPool, SqlitePool, Transaction};

use super::models::*;

/// Runs a body with a pool of the application's own to the database, which `Sqlx` names.
macro_rules! with_own_pool {
    ($db:ident, $pool:ident, $body:block) => {{
        let patience =
            |engine: orm_tests::EngineOptions| engine.acquire_timeout(Duration::from_millis(300));
        if $db.url().starts_with("sqlite") {
            #[allow(dead_code, reason = "not every body names it")]
            type Sqlx = sqlx::Sqlite;
            let folder = tempfile::tempdir().expect("a folder");
            let url = format!("sqlite://{}?mode=rwc", folder.path().join("own.db").display());
            let $db = $db.by_way_of(&url, patience).await?;
            let $pool = SqlitePool::connect(&url).await.expect("opens");
            $body
        } else if $db.url().starts_with("postgres") {
            #[allow(dead_code, reason = "not every body names it")]
            type Sqlx = sqlx::Postgres;
            let url = $db.url().to_owned();
            let $db = $db.by_way_of(&url, patience).await?;
            let $pool = PgPool::connect(&url).await.expect("connects");
            $body
        } else {
            #[allow(dead_code, reason = "not every body names it")]
            type Sqlx = sqlx::MySql;
            let url = $db.url().to_owned();
            let $db = $db.by_way_of(&url, patience).await?;
            let $pool = MySqlPool::connect(&url).await.expect("connects");
            $body
        }
    }};
}

/// The visits of a user, as others see them.
async fn visits(db: &Database) -> Result<i64> {
    let mut session = db.session();
    let ada = session.require::<User>(1).await?;
    Ok(session[ada].visits)
}

backend_tests! {
    /// SEMANTICS 9.5
    async fn rule_9_5_a_session_joins_sqlx_transaction_and_gives_it_back(db) {
        with_own_pool!(db, pool, {
            committed(&db, &["ada"]).await?;
            let mut transaction = pool.begin().await.expect("begins");
            transaction.execute("UPDATE users SET visits = 1").await.expect("runs");

            let mut session = db.sessions.join(transaction).await?;
            let ada = session.require::<User>(1).await?;
            assert_eq!(session[ada].visits, 1, "it sees what the owner wrote");
            let log = db.log();
            session[ada].visits = 2;
            let bob = session.add(user("bob"));
            session.commit().await?;
            assert_eq!(
                log.all(),
                ["SAVEPOINT orm_0", "UPDATE users", "INSERT users", "RELEASE SAVEPOINT orm_0"],
            );
            session.delete(bob);
            session[ada].visits = 3;
            session.flush().await?;
            session.rollback().await?;
            assert_eq!(session.state(bob), ObjectState::Persistent);
            assert_eq!(session[ada].visits, 2);
            if !db.capabilities.single_writer {
                assert_eq!(usernames(&db).await?, ["ada"], "others see nothing of it");
            }

            // What was not committed is not the owner's.
            session[ada].visits = 4;
            session.flush().await?;
            let mut transaction: Transaction<'static, Sqlx> = session.into_connection().await?;
            let others = "UPDATE users SET nickname = 'by hand' WHERE visits = 2";
            transaction.execute(others).await.expect("runs");
            transaction.commit().await.expect("commits");
            assert_eq!(usernames(&db).await?, ["ada", "bob"]);
            assert_eq!(visits(&db).await?, 2);
            let mut session = db.session();
            let ada = session.require::<User>(1).await?;
            assert_eq!(session[ada].nickname.as_deref(), Some("by hand"));
        });
    }

    /// SEMANTICS 9.5: what the owner rolls back is gone, whatever the session committed.
    async fn rule_9_5_the_owner_has_the_last_word(db) {
        with_own_pool!(db, pool, {
            committed(&db, &["ada"]).await?;
            let mut connection = pool.acquire().await.expect("connects");
            connection.execute("BEGIN").await.expect("begins");
            let mut session = db.sessions.join(connection).await?;
            session.add(user("bob"));
            session.commit().await?;
            let mut connection: PoolConnection<Sqlx> = session.into_connection().await?;
            connection.execute("ROLLBACK").await.expect("rolls back");
            drop(connection);
            assert_eq!(usernames(&db).await?, ["ada"]);

            // A connection that belongs to no pool.
            let mut connection = pool.acquire().await.expect("connects").detach();
            connection.execute("BEGIN").await.expect("begins");
            let mut session = db.sessions.join(connection).await?;
            session.add(user("bob"));
            session.commit().await?;
            let mut connection: <Sqlx as sqlx::Database>::Connection =
                session.into_connection().await?;
            connection.execute("COMMIT").await.expect("commits");
            connection.close().await.expect("closes");
            assert_eq!(usernames(&db).await?, ["ada", "bob"]);
        });
    }

    /// SEMANTICS 9.5: failures are the session's own.
    async fn rule_9_5_a_failure_leaves_the_owners_work_alone(db) {
        with_own_pool!(db, pool, {
            committed(&db, &["ada"]).await?;
            let mut transaction = pool.begin().await.expect("begins");
            transaction.execute("UPDATE users SET visits = 1").await.expect("runs");
            let mut session = db.sessions.join(transaction).await?;
            let missing = Country::select().count(&mut session).await;
            assert!(matches!(missing, Err(Error::Database { .. })), "{missing:?}");
            session.add(user("ada"));
            assert!(matches!(session.flush().await, Err(Error::UniqueViolation(_))));
            assert!(matches!(session.flush().await, Err(Error::RollbackRequired { .. })));
            session.rollback().await?;
            let mut savepoint = session.savepoint().await?;
            savepoint.add(user("ada"));
            assert!(savepoint.commit().await.is_err());
            session.add(user("eve"));
            session.commit().await?;
            // Even one that has failed gives it back.
            session.add(user("eve"));
            assert!(session.flush().await.is_err());
            let transaction: Transaction<'static, Sqlx> = session.into_connection().await?;
            transaction.commit().await.expect("commits");
            assert_eq!(usernames(&db).await?, ["ada", "eve"]);
            assert_eq!(visits(&db).await?, 1);
        });
    }

    /// SEMANTICS 9.5: without its owner, the transaction is undone.
    async fn rule_9_5_a_session_that_is_dropped_takes_the_transaction_along(db) {
        with_own_pool!(db, pool, {
            committed(&db, &["ada"]).await?;
            let mut connection = pool.acquire().await.expect("connects");
            connection.execute("BEGIN").await.expect("begins");
            connection.execute("UPDATE users SET visits = 1").await.expect("runs");
            let mut session = db.sessions.join(connection).await?;
            session.add(user("bob"));
            session.commit().await?;
            drop(session);
            let mut transaction = pool.begin().await.expect("begins");
            transaction.execute("UPDATE users SET visits = visits + 2").await.expect("it waits");
            let mut session = db.sessions.join(transaction).await?;
            session.add(user("eve"));
            session.flush().await?;
            drop(session);
            db.expect_no_transaction().await;
            // The pool has all its connections, and none of them is inside a transaction.
            let mut transaction = pool.begin().await.expect("begins");
            transaction.execute("UPDATE users SET visits = visits + 4").await.expect("it waits");
            transaction.commit().await.expect("commits");
            assert_eq!(visits(&db).await?, 4);
            assert_eq!(usernames(&db).await?, ["ada"]);
        });
    }

    /// SEMANTICS 9.5, 9.4: nobody knows what the connection still says.
    async fn rule_9_5_a_statement_that_is_interrupted_closes_the_connection(db) {
        if db.capabilities.single_writer {
            // Without a network it may not be interrupted.
            return Ok(());
        }
        with_own_pool!(db, pool, {
            committed(&db, &["ada"]).await?;
            let mut transaction = pool.begin().await.expect("begins");
            transaction.execute("UPDATE users SET visits = 1").await.expect("runs");
            let mut session = db.sessions.join(transaction).await?;
            // A server on this machine may answer before the first poll returns.
            while dropped_after(1, User::select().all(&mut session)).await.is_some() {}
            let outcome = User::select().count(&mut session).await;
            let Err(Error::Connection(message)) = outcome else { panic!("{outcome:?}") };
            assert!(message.contains("interrupted"), "{message}");
            let outcome = session.into_connection::<Transaction<'static, Sqlx>>().await;
            assert!(matches!(outcome, Err(Error::Connection(_))), "{:?}", outcome.map(drop));
            db.expect_no_transaction().await;
            assert_eq!(visits(&db).await?, 0);
        });
    }

    /// SEMANTICS 9.5
    async fn rule_9_5_what_can_not_be_joined_is_refused(db) {
        with_own_pool!(db, pool, {
            committed(&db, &["ada"]).await?;
            if !db.capabilities.single_writer {
                let connection = pool.acquire().await.expect("connects");
                let outcome = db.sessions.join(connection).await.map(drop);
                let Err(Error::Misuse(message)) = outcome else { panic!("{outcome:?}") };
                assert!(message.contains("no transaction open"), "{message}");
            }
            // Of another database.
            let memory = SqlitePool::connect("sqlite::memory:").await.expect("opens");
            if !db.url().starts_with("sqlite") {
                let transaction = memory.begin().await.expect("begins");
                let outcome = db.sessions.join(transaction).await.map(drop);
                assert!(matches!(outcome, Err(Error::Misuse(_))), "{outcome:?}");
            }
            // As another type than it came.
            let transaction = pool.begin().await.expect("begins");
            let session = db.sessions.join(transaction).await?;
            let outcome = session.into_connection::<PoolConnection<Sqlx>>().await.map(drop);
            assert!(matches!(outcome, Err(Error::Misuse(_))), "{outcome:?}");
            // One of the pool is closed then: in the pool it would be inside its transaction.
            let mut connection = pool.acquire().await.expect("connects");
            connection.execute("BEGIN").await.expect("begins");
            connection.execute("UPDATE users SET visits = 9").await.expect("runs");
            let mut session = db.sessions.join(connection).await?;
            session.add(user("bob"));
            session.commit().await?;
            let outcome = session.into_connection::<Transaction<'static, Sqlx>>().await.map(drop);
            let Err(Error::Misuse(message)) = outcome else { panic!("{outcome:?}") };
            assert!(message.contains("Transaction"), "{message}");
            db.expect_no_transaction().await;
            let mut transaction = pool.begin().await.expect("none is open");
            transaction.execute("UPDATE users SET visits = visits + 1").await.expect("it waits");
            transaction.commit().await.expect("commits");
            assert_eq!(visits(&db).await?, 1);
            assert_eq!(usernames(&db).await?, ["ada"]);
            // Of a session that has joined none.
            let outcome = db.session().into_connection::<PoolConnection<Sqlx>>().await.map(drop);
            assert!(matches!(outcome, Err(Error::Misuse(_))), "{outcome:?}");
            db.expect_no_transaction().await;
        });
    }

    /// SEMANTICS 9.5: the connection is set up as those of our own pools are.
    async fn rule_9_5_joined_connections_are_set_up(db) {
        with_own_pool!(db, pool, {
            committed(&db, &["ada"]).await?;
            let transaction = pool.begin().await.expect("begins");
            let mut session = db.sessions.join(transaction).await?;
            let by_case = User::select().filter(User::username.like("ADA"));
            assert_eq!(by_case.count(&mut session).await?, 0);
            let ada = session.require::<User>(1).await?;
            session[ada].visits = 1;
            session.flush().await?;
            let updated = session[ada].updated_at();
            session.commit().await?;
            let transaction: Transaction<'static, Sqlx> = session.into_connection().await?;
            transaction.commit().await.expect("commits");
            let mut session = db.session();
            let ada = session.require::<User>(1).await?;
            assert_eq!(session[ada].updated_at(), updated, "times are in UTC");
        });
    }
}
