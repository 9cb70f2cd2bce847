//! Connections: how they are set up, lost, and prepared.

use super::*;

async fn is_set_up(connection: &mut Connection) {
    for (variable, expected) in [
        ("@@time_zone", "+00:00"),
        ("@@collation_connection", "utf8mb4_nopad_bin"),
        ("@@character_set_results", "utf8mb4"),
        ("@@tx_isolation", "READ-COMMITTED"),
        ("'a' = 'a '", "0"),
        ("'a' || 'b'", "ab"),
        ("@@autocommit + 0", "1"),
        ("@@foreign_key_checks + 0", "1"),
    ] {
        let sql = format!("SELECT CAST({variable} AS CHAR)");
        assert_eq!(text(connection, &sql).await, expected, "{variable}");
    }
    let modes = text(connection, "SELECT @@sql_mode").await;
    for mode in [
        "STRICT_TRANS_TABLES",
        "STRICT_ALL_TABLES",
        "NO_AUTO_VALUE_ON_ZERO",
        "NO_ENGINE_SUBSTITUTION",
        "NO_ZERO_DATE",
        "NO_ZERO_IN_DATE",
        "PIPES_AS_CONCAT",
        "NO_UNSIGNED_SUBTRACTION",
        "SIMULTANEOUS_ASSIGNMENT",
    ] {
        assert!(modes.split(',').any(|other| other == mode), "{mode} in {modes}");
    }
}

#[tokio::test]
async fn connections_are_set_up_whoever_opened_them() {
    in_database(|url| async move {
        let engine = Engine::connect(&url).await.unwrap();
        is_set_up(&mut engine.connection().await.unwrap()).await;
        let mut both = [engine.connection().await.unwrap(), engine.connection().await.unwrap()];
        is_set_up(&mut both[1]).await;

        let pool =
            sqlx::mysql::MySqlPoolOptions::new().max_connections(1).connect(&url).await.unwrap();
        let spoil = "SET NAMES latin1, time_zone = '+05:00', sql_mode = '', autocommit = 0, \
                     foreign_key_checks = 0; SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE";
        sqlx::raw_sql(spoil).execute(&pool).await.unwrap();
        let adopted = Engine::with_pool(pool.clone()).connect().await.unwrap();
        is_set_up(&mut adopted.connection().await.unwrap()).await;
        sqlx::raw_sql(spoil).execute(&pool).await.unwrap();
        is_set_up(&mut adopted.connection().await.unwrap()).await;
        adopted.close().await;
        sqlx::raw_sql("SELECT 1").execute(&pool).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn urls_and_what_is_wrong_with_them() {
    in_database(|url| async move {
        // Where the server can't, or this build can't, there is no encryption.
        let (base, rest) = url.split_once("://").unwrap();
        assert_eq!(base, "mysql");
        Engine::connect(format!("mariadb://{rest}?ssl-mode=PREFERRED")).await.unwrap();
        Engine::connect(format!("{url}?ssl-mode=DISABLED")).await.unwrap();
        for mode in ["REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY"] {
            let error = Engine::connect(format!("{url}?ssl-mode={mode}")).await.unwrap_err();
            if cfg!(feature = "tls") {
                assert!(matches!(error, Error::Connection(_)), "{error}");
            } else {
                assert!(matches!(error, Error::Misuse(_)), "{error}");
                assert!(error.to_string().contains("feature `tls`"), "{error}");
            }
        }
        let (server, name) = url.rsplit_once('/').unwrap();
        for (wrong, said) in [
            (format!("{server}/no_such_{name}"), "no_such_"),
            (
                format!("mysql://nobody:secret@{}/{name}", server.rsplit_once('@').unwrap().1),
                "denied",
            ),
            ("mysql://root@127.0.0.1:1/test".to_owned(), "refused"),
        ] {
            let error = Engine::connect(wrong).await.unwrap_err();
            assert!(matches!(error, Error::Connection(_)), "{error}");
            let message = error.to_string();
            assert!(message.contains(said) && !message.contains("secret"), "{error}");
        }
        for wrong in ["mysql://root@127.0.0.1:x/test", "mysql://h/x?ssl-mode=maybe"] {
            let error = Engine::connect(wrong).await.unwrap_err();
            assert!(matches!(error, Error::Misuse(_)), "{wrong}: {error}");
        }
    })
    .await;
}

#[tokio::test]
async fn collisions_can_be_tried_again() {
    in_database(|url| async move {
        let engine = Engine::connect(url).await.unwrap();
        let mut one = engine.connection().await.unwrap();
        let mut other = engine.connection().await.unwrap();
        run(&mut one, "CREATE TABLE t (id INT PRIMARY KEY, n INT)").await;
        run(&mut one, "INSERT INTO t VALUES (1, 0), (2, 0)").await;
        for connection in [&mut one, &mut other] {
            run(connection, "SET innodb_lock_wait_timeout = 1").await;
            connection.begin().await.unwrap();
        }
        run(&mut one, "UPDATE t SET n = 1 WHERE id = 1").await;
        run(&mut other, "UPDATE t SET n = 1 WHERE id = 2").await;
        // Each waits for the other: the server ends one of the transactions.
        let second = async {
            let waits = Statement::plain("UPDATE t SET n = 2 WHERE id = 1");
            let done = other.run(waits, &mut ()).await.map(drop);
            (done, other)
        };
        let first = async {
            let waits = Statement::plain("UPDATE t SET n = 2 WHERE id = 2");
            let done = one.run(waits, &mut ()).await.map(drop);
            (done, one)
        };
        let ((one_done, mut one), (other_done, mut other)) = futures_util::join!(first, second);
        let (error, victim, winner) = match (one_done, other_done) {
            (Err(error), Ok(())) => (error, &mut one, &mut other),
            (Ok(()), Err(error)) => (error, &mut other, &mut one),
            both => panic!("{both:?}"),
        };
        assert!(error.is_retryable(), "{error}");
        // The transaction is gone, and what would follow it must not run on its own.
        let error = victim.run(Statement::plain("UPDATE t SET n = 9"), &mut ()).await.unwrap_err();
        assert!(matches!(error, Error::RollbackRequired { .. }), "{error}");
        winner.commit().await.unwrap();
        victim.rollback().await;
        assert_eq!(number(victim, "SELECT sum(n) FROM t").await, 3);

        winner.begin().await.unwrap();
        run(winner, "UPDATE t SET n = 5").await;
        // Readers see the last commit and don't wait.
        assert_eq!(number(victim, "SELECT sum(n) FROM t").await, 3);
        let error = fails(victim, "UPDATE t SET n = 6").await;
        assert!(error.is_retryable(), "{error}");
        let error = fails(victim, "SELECT * FROM t FOR UPDATE NOWAIT").await;
        assert!(error.is_retryable(), "{error}");
        winner.commit().await.unwrap();
        assert_eq!(number(victim, "SELECT sum(n) FROM t").await, 10);
    })
    .await;
}

#[tokio::test]
async fn slow_statements_are_stopped_and_lost_connections_told() {
    in_database(|url| async move {
        let limit = |builder: EngineBuilder| builder.statement_timeout(Duration::from_millis(100));
        let engine = limit(Engine::builder(&url)).connect().await.unwrap();
        let mut connection = engine.connection().await.unwrap();
        let started = std::time::Instant::now();
        let error = fails(&mut connection, "SELECT SLEEP(30)").await;
        assert!(matches!(error, Error::Timeout(_)), "{error}");
        assert!(started.elapsed() < Duration::from_secs(10));
        assert_eq!(number(&mut connection, "SELECT 1").await, 1);

        // A statement that is killed is not a connection that is lost.
        let mut other = engine.connection().await.unwrap();
        let own = number(&mut connection, "SELECT connection_id()").await;
        run(&mut other, &format!("KILL {own}")).await;
        let error = fails(&mut connection, "SELECT 1").await;
        assert!(matches!(error, Error::Connection(_)), "{error}");
        assert!(connection.is_spoilt());
        drop(connection);
        let mut connection = engine.connection().await.unwrap();
        assert_ne!(number(&mut connection, "SELECT connection_id()").await, own);

        // What is larger than a packet may be ends the connection too.
        let most = number(&mut connection, "SELECT @@max_allowed_packet").await;
        let large = Value::Bytes(vec![0; usize::try_from(most).unwrap() + 1]);
        let binds = vec![Bind::one(large, SqlType::Bytes)];
        let select = Statement { binds, ..Statement::plain("SELECT octet_length(?)") };
        let error = connection.run(select, &mut ()).await.unwrap_err();
        assert!(matches!(error, Error::Connection(_)), "{error}");
        assert!(connection.is_spoilt());
    })
    .await;
}

/// What was prepared goes on when the schema changes, and reads the new columns.
#[tokio::test]
async fn prepared_statements_outlive_changes_of_the_schema() {
    in_database(|url| async move {
        let engine = Engine::connect(url).await.unwrap();
        let mut connection = engine.connection().await.unwrap();
        let mut other = engine.connection().await.unwrap();
        run(&mut connection, "CREATE TABLE t (a INT)").await;
        run(&mut connection, "INSERT INTO t VALUES (1)").await;
        assert_eq!(number(&mut connection, "SELECT a FROM t").await, 1);
        run(&mut other, "ALTER TABLE t MODIFY a BIGINT UNSIGNED").await;
        run(&mut other, "UPDATE t SET a = 9223372036854775807").await;
        assert_eq!(number(&mut connection, "SELECT a FROM t").await, i64::MAX);
        run(&mut other, "DROP TABLE t").await;
        run(&mut other, "CREATE TABLE t (a VARCHAR(9))").await;
        run(&mut other, "INSERT INTO t VALUES ('7')").await;
        assert_eq!(text(&mut connection, "SELECT a FROM t").await, "7");
    })
    .await;
}

/// Statements that won't come again are kept for a while, since closing one holds up the next one
/// by 40 milliseconds; not all of them for ever.
#[tokio::test]
async fn statements_of_odd_lengths_do_not_hold_up_the_next() {
    in_database(|url| async move {
        let engine = Engine::connect(url).await.unwrap();
        let mut connection = engine.connection().await.unwrap();
        let table = table(
            TableBuilder::plain("t", "T").column(id()).column(ColumnDef::new::<i64>("n", "n")),
        );
        create(&mut connection, table).await;
        let prepared = "SHOW SESSION STATUS LIKE 'Com_stmt_close'";
        let mut closed = Vec::new();
        for rounds in 0..2 {
            connection.begin().await.unwrap();
            for rows in 9..300 {
                let values = (0..rows).map(Value::Int).collect();
                let insert = insert(table, &["n"], values);
                assert_eq!(insert.persistent, i64::count_ones(rows) == 1, "{rows}");
                connection.run(insert, &mut ()).await.unwrap();
                if rounds == 0 && rows == 150 {
                    // The connection waits elsewhere in between, and is the same.
                    connection.commit().await.unwrap();
                    drop(connection);
                    connection = engine.connection().await.unwrap();
                    connection.begin().await.unwrap();
                }
            }
            connection.commit().await.unwrap();
            let mut count = Rows(vec![SqlType::Text, SqlType::Text], vec![]);
            connection.run(Statement::plain(prepared), &mut count).await.unwrap();
            let Value::Text(count) = &count.1[0][1] else { panic!("{:?}", count.1) };
            closed.push(count.parse::<u32>().unwrap());
        }
        assert!(closed[0] < 300 && closed[1] > 0 && closed[1] < 600, "{closed:?}");
    })
    .await;
}
