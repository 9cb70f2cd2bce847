//! Where transactions begin and end, and what two sessions see of each other.

use orm_core::session::ObjectState;
use orm_core::{BelongsTo, Error, HasMany, Model, schema};
use orm_tests::backend_tests;

use super::models::*;

/// Its foreign key is checked by COMMIT.
#[derive(Debug, Model)]
struct Pledge {
    #[orm(sql_type = "BIGINT REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED")]
    giver: i64,
}

/// What the server gives it fits no variant.
#[derive(Debug, Model)]
struct Oddity {
    name: String,
    #[orm(server_default = "'platinum'", sql_type = "TEXT")]
    level: Option<Level>,
}

/// Its books can't be without one.
#[derive(Debug, Model)]
struct Shelf {
    #[orm(back_populates = shelf)]
    books: HasMany<Book>,
}

#[derive(Debug, Model)]
struct Book {
    #[orm(foreign_key = Shelf)]
    shelf_id: i64,
    #[orm(back_populates = books)]
    shelf: BelongsTo<Shelf>,
}

backend_tests! {
    /// SEMANTICS 9.1
    async fn rule_9_1_reads_before_the_first_write_run_outside_a_transaction(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let log = db.log();
        let ada = session.require::<User>(1).await?;
        ada.posts(&mut session).await?;
        User::select().count(&mut session).await?;
        session.commit().await?;
        assert_eq!(log.all(), ["SELECT users", "SELECT posts", "SELECT users"]);
    }

    /// SEMANTICS 9.1
    async fn rule_9_1_the_first_flush_with_work_begins(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let log = db.log();
        let ada = session.require::<User>(1).await?;
        session.flush().await?;
        session[ada].visits = 1;
        session[ada].visits = 0;
        session.flush().await?;
        assert_eq!(log.all(), ["SELECT users"], "a change that was undone is no work");
        session[ada].visits = 1;
        session.flush().await?;
        session[ada].visits = 2;
        session.flush().await?;
        session.commit().await?;
        assert_eq!(log.all(), ["BEGIN", "UPDATE users", "UPDATE users", "COMMIT"]);
        session.commit().await?;
        assert_eq!(log.all(), [""; 0]);
    }

    /// SEMANTICS 9.1: so does a lock, a statement by hand or a savepoint, without work to flush.
    async fn rule_9_1_locks_statements_by_hand_and_savepoints_begin(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        session.require::<User>(1).await?;
        let log = db.log();
        User::select().for_update().all(&mut session).await?;
        session.commit().await?;
        assert_eq!(log.all(), ["BEGIN", "SELECT users", "COMMIT"]);
        db.borrow_from(&mut session).await?;
        assert_eq!(log.all()[0], "BEGIN");
        session.rollback().await?;
        log.all();
        session.savepoint().await?.commit().await?;
        assert_eq!(log.all()[0], "BEGIN");
        session.rollback().await?;
        assert_eq!(log.all(), ["ROLLBACK"]);
    }

    /// SEMANTICS 9.1, 4.8: what a flush must read before it can plan, it reads in the transaction.
    async fn rule_9_1_what_a_flush_reads_is_in_its_transaction(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        session.delete(ada);
        let log = db.log();
        session.commit().await?;
        let expected = ["BEGIN", "SELECT posts", "DELETE posts", "DELETE users", "COMMIT"];
        assert_eq!(log.all(), expected);
    }

    /// SEMANTICS 9.1: what was read before the write may have changed meanwhile.
    async fn rule_9_1_each_read_outside_a_transaction_sees_the_last_commit(db) {
        committed(&db, &["ada"]).await?;
        let (mut session, mut other) = (db.session(), db.session());
        assert_eq!(usernames_in(&mut session).await?, ["ada"]);
        other.add(user("bob"));
        other.flush().await?;
        assert_eq!(usernames_in(&mut session).await?, ["ada"], "it isn't committed");
        other.commit().await?;
        assert_eq!(usernames_in(&mut session).await?, ["ada", "bob"]);
    }

    /// SEMANTICS 9.1: where one transaction writes at a time, BEGIN takes the turn. One that only
    /// the first write took would fail there, half-way, without a chance to wait.
    async fn rule_9_1_begin_takes_the_turn_to_write(db) {
        if !db.capabilities.single_writer {
            return Ok(());
        }
        let db = db.with_engine(|engine| engine.busy_timeout(std::time::Duration::ZERO)).await?;
        committed(&db, &["ada"]).await?;
        let (mut session, mut other) = (db.session(), db.session());
        let ada = session.require::<User>(1).await?;
        let theirs = other.require::<User>(1).await?;
        session[ada].visits = 1;
        session.flush().await?;
        other[theirs].nickname = Some("the countess".into());
        let log = db.log();
        let error = other.flush().await.unwrap_err();
        assert!(error.is_retryable(), "{error}");
        assert_eq!(log.all(), ["BEGIN"], "not even a statement was tried");
        assert_eq!(other[theirs].nickname.as_deref(), Some("the countess"), "and nothing is lost");
        session.commit().await?;
        other.commit().await?;
        session.refresh(ada).await?;
        assert_eq!(session[ada].visits, 1);
        assert_eq!(session[ada].nickname.as_deref(), Some("the countess"));
    }

    /// SEMANTICS 9.1: behind a pooler that lends connections by transaction, every statement is
    /// inside of one.
    async fn rule_9_1_behind_a_pooler_reads_are_in_transactions_too(db) {
        committed(&db, &["ada"]).await?;
        let db = db.with_engine(|engine| engine.transaction_pooling(true).max_connections(1)).await?;
        committed(&db, &["ada"]).await?;
        let log = db.log();
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        session[ada].visits = 5;
        session.add(user("bob"));
        session.commit().await?;
        assert_eq!(
            log.all(),
            ["BEGIN", "SELECT users", "UPDATE users", "INSERT users", "COMMIT"]
        );
        assert_eq!(User::select().on(&db.engine).count().await?, 2);
        assert_eq!(log.all()[..2], ["BEGIN", "SELECT users"]);
        session.refresh(ada).await?;
        session[ada].visits = 6;
        session.rollback().await?;
        assert_eq!(session[ada].visits, 5);
        let visits = db.sessions.retry(async |mut session| {
            let ada = session.require::<User>(1).await?;
            session[ada].visits += 1;
            Ok(session[ada].visits)
        });
        assert_eq!(visits.await?, 6);
    }

    /// SEMANTICS 9.2
    async fn rule_9_2_commit_keeps_memory_and_gives_the_connection_back(db) {
        let db = db.with_engine(|engine| engine.max_connections(1)).await?;
        db.create(&user_tables()).await?;
        let mut session = db.session();
        let ada = session.add(user("ada"));
        session.commit().await?;
        let log = db.log();
        assert_eq!((session[ada].id(), session[ada].username.as_str()), (1, "ada"));
        assert_eq!(log.all(), [""; 0]);
        // There is one connection, and it is free.
        assert_eq!(usernames(&db).await?, ["ada"]);
        session.require::<User>(1).await?;
        User::select().count(&mut session).await?;
        session.rollback().await?;
        assert_eq!(usernames(&db).await?, ["ada"], "rollback gives it back too");
    }

    /// SEMANTICS 9.2: sessions take no connection before their first statement.
    async fn rule_9_2_an_idle_session_holds_no_connection(db) {
        let db = db.with_engine(|engine| engine.max_connections(1)).await?;
        db.create(&user_tables()).await?;
        let mut idle = db.session();
        let ada = idle.add(user("ada"));
        assert_eq!(usernames(&db).await?, [""; 0]);
        idle.commit().await?;
        assert_eq!(idle[ada].id(), 1);
    }

    /// SEMANTICS 9.2
    async fn rule_9_2_a_failed_flush_rolls_back_and_the_session_waits_for_rollback(db) {
        let db = db.with_engine(|engine| engine.max_connections(1)).await?;
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let bob = session.add(user("bob"));
        session.flush().await?;
        let twin = session.add(user("ada"));
        let log = db.log();
        let error = session.flush().await.unwrap_err();
        assert!(matches!(error, Error::UniqueViolation(_)), "{error}");
        assert_eq!(log.all(), ["INSERT users", "ROLLBACK"]);
        assert_eq!(session.state(twin), ObjectState::Pending, "memory keeps its edits");
        assert_eq!(session[twin].username, "ada");
        assert_eq!(usernames(&db).await?, ["ada"], "and the connection is free");
        assert!(matches!(session.commit().await, Err(Error::RollbackRequired { .. })));
        session.rollback().await?;
        for handle in [bob, twin] {
            assert_eq!(session.state(handle), ObjectState::Detached);
        }
        session.add(user("eve"));
        session.commit().await?;
        assert_eq!(usernames(&db).await?, ["ada", "eve"]);
    }

    /// SEMANTICS 9.2: what the plan finds wrong needs no rollback.
    async fn rule_9_2_an_error_before_any_sql_leaves_everything_as_it_was(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        let post = session.add(Post::draft().title("Third"));
        let log = db.log();
        let error = session.commit().await.unwrap_err();
        assert!(matches!(error, Error::MissingForeignKey { .. }), "{error}");
        assert_eq!(log.all(), [""; 0]);
        post.user(&mut session).set(ada);
        session.commit().await?;
        assert_eq!(session[post].user_id, 1);
    }

    /// SEMANTICS 9.2
    async fn rule_9_2_a_commit_that_fails_rolls_back(db) {
        if !db.capabilities.deferrable {
            return Ok(());
        }
        let db = db.with_engine(|engine| engine.max_connections(1)).await?;
        db.create(&schema![User, Post, Pledge]).await?;
        let mut session = db.session();
        let ada = session.add(user("ada"));
        let pledge = session.add(Pledge::draft().giver(77));
        let log = db.log();
        let error = session.commit().await.unwrap_err();
        assert!(matches!(error, Error::ForeignKeyViolation(_)), "{error}");
        let mut sent = log.all();
        sent[1..3].sort();
        assert_eq!(sent, ["BEGIN", "INSERT pledges", "INSERT users", "COMMIT", "ROLLBACK"]);
        match session.flush().await {
            Err(Error::RollbackRequired { first }) => assert_eq!(first, error.to_string()),
            other => panic!("{other:?}"),
        }
        assert_eq!(usernames(&db).await?, [""; 0]);
        session.rollback().await?;
        assert_eq!(session.state(ada), ObjectState::Detached);
        assert_eq!(session.take(pledge)?.giver, 77);
    }

    /// SEMANTICS 9.2, 9.3: the end of a savepoint checks nothing, and the COMMIT all of it.
    async fn rule_9_2_a_commit_that_fails_takes_its_savepoints_along(db) {
        if !db.capabilities.deferrable {
            return Ok(());
        }
        db.create(&schema![User, Post, Pledge]).await?;
        let mut session = db.session();
        let ada = session.add(user("ada"));
        session.commit().await?;
        let mut savepoint = session.savepoint().await?;
        savepoint[ada].visits = 1;
        let pledge = savepoint.add(Pledge::draft().giver(77));
        savepoint.commit().await?;
        let log = db.log();
        let error = session.commit().await.unwrap_err();
        assert!(matches!(error, Error::ForeignKeyViolation(_)), "{error}");
        assert_eq!(log.all(), ["COMMIT", "ROLLBACK"]);
        assert!(matches!(session.savepoint().await, Err(Error::RollbackRequired { .. })));
        session.rollback().await?;
        assert_eq!(session[ada].visits, 0);
        assert_eq!(session.state(pledge), ObjectState::Detached);
        let mut savepoint = session.savepoint().await?;
        savepoint[ada].visits = 2;
        savepoint.commit().await?;
        session.commit().await?;
        let mut other = db.session();
        let ada = other.require::<User>(1).await?;
        assert_eq!(other[ada].visits, 2);
    }

    /// SEMANTICS 9.2: an answer that can't be read fails the flush like an error of the database.
    async fn rule_9_2_a_value_that_memory_can_not_hold_fails_the_whole_flush(db) {
        db.create(&schema![Oddity]).await?;
        let mut session = db.session();
        let good = session.add(Oddity::draft().name("good").level(Level::Gold));
        session.commit().await?;
        session[good].name = "better".into();
        let odd = session.add(Oddity::draft().name("odd"));
        let error = session.flush().await.unwrap_err();
        assert!(matches!(error, Error::Type { .. }), "{error}");
        assert!(error.to_string().contains("`odditys.level`"), "{error}");
        assert!(matches!(session.commit().await, Err(Error::RollbackRequired { .. })));
        session.rollback().await?;
        assert_eq!(session.state(odd), ObjectState::Detached);
        assert_eq!(session[good].name, "good");
        session[good].name = "best".into();
        session.commit().await?;
        let names = Oddity::select().columns(Oddity::name).all(&mut session).await?;
        assert_eq!(names, ["best"]);
    }

    /// SEMANTICS 9.2: an error of a read inside the transaction has lost it.
    async fn rule_9_2_an_error_of_a_read_in_the_transaction_requires_a_rollback(db) {
        db.create(&schema![Oddity, User, Post]).await?;
        let mut session = db.session();
        session.add(user("ada"));
        session.flush().await?;
        // A table that was never created.
        let error = session.get::<Country>("FR".into()).await.unwrap_err();
        assert!(matches!(error, Error::Database { .. }), "{error}");
        assert!(matches!(session.commit().await, Err(Error::RollbackRequired { .. })));
        session.rollback().await?;
        assert_eq!(usernames(&db).await?, [""; 0]);
    }

    /// SEMANTICS 9.2: outside of one nothing is lost.
    async fn rule_9_2_an_error_of_a_read_outside_a_transaction_loses_nothing(db) {
        db.create(&schema![User, Post]).await?;
        let mut session = db.session();
        session.autoflush(false);
        session.add(user("ada"));
        assert!(session.get::<Country>("FR".into()).await.is_err());
        session.commit().await?;
        assert_eq!(usernames(&db).await?, ["ada"]);
    }

    /// SEMANTICS 9.1: who comes second waits for its turn.
    async fn rule_9_1_two_writers_take_turns(db) {
        committed(&db, &["ada", "bob"]).await?;
        let (mut session, mut other) = (db.session(), db.session());
        let ada = session.require::<User>(1).await?;
        let bob = other.require::<User>(2).await?;
        session[ada].visits = 1;
        session.flush().await?;
        other[bob].visits = 2;
        let (theirs, ours) = tokio::join!(other.commit(), session.commit());
        theirs?;
        ours?;
        let visits = User::select().order_by(User::id.asc()).columns(User::visits);
        assert_eq!(visits.all(&mut db.session()).await?, [1, 2]);
    }

    /// SEMANTICS 9.2, 7.3: an error that needed a look at the database is one before any write.
    async fn rule_9_2_a_plan_that_fails_after_reading_loses_nothing(db) {
        committed(&db, &["ada"]).await?;
        db.create(&schema![Shelf, Book]).await?;
        let mut session = db.session();
        let shelf = session.add(Shelf::draft().books([Book::draft()]));
        session.commit().await?;
        let book = session[shelf].books.loaded().expect("new")[0];
        session.expire(shelf);
        session.add(user("bob"));
        session.delete(shelf);
        let log = db.log();
        let error = session.commit().await.unwrap_err();
        assert!(matches!(error, Error::Misuse(_)), "{error}");
        assert_eq!(log.emitted(), ["SELECT books"]);
        // The way out that the error names.
        session.delete(book);
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT users", "DELETE books", "DELETE shelfs"]);
        assert_eq!(usernames(&db).await?, ["ada", "bob"]);
    }
}
