//! What the database refuses, and how it is told.

use super::*;

#[tokio::test]
async fn violations_name_what_was_violated() {
    in_schema(async |database| {
        let engine = database.engine().await;
        engine.create_all(&sample()).await.unwrap();
        let mut connection = engine.connection().await.unwrap();
        let c = &mut connection;
        c.run(user("ada@example.org"), &mut ()).await.unwrap();
        let secret = |values| insert_into(users(), &["email", "age"], values, &[]);
        let text = |text: &str| Value::Text(text.into());
        let post =
            |user| insert_into(posts(), &["title", "user_id"], vec![text("secret"), user], &[]);
        let post_of_one = post(Value::Int(1));
        c.run(post_of_one, &mut ()).await.unwrap();
        let mut check =
            async |table, statement, kind: fn(&Error) -> bool, constraint, columns: &[&str]| {
                let error = c.run_on(table, statement, &mut ()).await.unwrap_err();
                assert!(kind(&error), "{error:?}");
                let violation = error.violation().unwrap();
                assert_eq!(violation.constraint.as_deref(), constraint);
                assert_eq!(violation.columns, columns, "{error}");
                assert!(!error.to_string().contains("secret"), "{error}");
                violation.table.clone()
            };
        let unique: fn(&Error) -> bool = |error| matches!(error, Error::UniqueViolation(_));
        let of_key: fn(&Error) -> bool = |error| matches!(error, Error::ForeignKeyViolation(_));
        let not_null: fn(&Error) -> bool = |error| matches!(error, Error::NotNullViolation(_));
        let of_check: fn(&Error) -> bool = |error| matches!(error, Error::CheckViolation(_));
        let email = user("ada@example.org");
        let table = check(users(), email, unique, Some("uq_users_email"), &["email"]).await;
        assert_eq!(table.as_deref(), Some("users"));
        let key = insert_into(users(), &["id", "email"], vec![Value::Int(1), text("secret")], &[]);
        check(users(), key, unique, Some("pk_users"), &["id"]).await;
        let orphan = post(Value::Int(99));
        check(posts(), orphan, of_key, Some("fk_posts_user_id"), &["user_id"]).await;
        let missing = secret(vec![Value::Null, Value::Null]);
        check(users(), missing, not_null, None, &["email"]).await;
        let age = secret(vec![text("secret"), Value::Int(-1)]);
        check(users(), age, of_check, Some("ck_users_age"), &["age"]).await;
        check(users(), user("x"), of_check, Some("ck_users_1"), &[]).await;
        // A parent that is still referenced.
        let tables = "CREATE TABLE parent (id int PRIMARY KEY, a int, b int, UNIQUE (a, b));
             CREATE TABLE child (id int REFERENCES parent);
             INSERT INTO parent VALUES (1, 2, 3); INSERT INTO child VALUES (1)";
        words(c, tables).await;
        let error = try_run(c, "DELETE FROM parent").await.unwrap_err();
        assert!(matches!(error, Error::ForeignKeyViolation(_)));
        // A constraint whose name says nothing to us.
        let error = try_run(c, "INSERT INTO parent VALUES (2, 2, 3)").await.unwrap_err();
        let violation = error.violation().unwrap();
        assert_eq!(violation.columns, ["a", "b"]);
        assert_eq!(violation.table.as_deref(), Some("parent"));
    })
    .await;
}

#[tokio::test]
async fn errors_are_told_apart_and_hold_no_value() {
    in_schema(async |database| {
        let mut connection = database.connection().await;
        let c = &mut connection;
        for (sql, code) in [
            ("SELECT 'secret'::int4", "22P02"),
            ("SELECT 'secret'::date", "22007"),
            ("SELECT '2024-02-99'::date", "22008"),
            ("SELECT 99999999999::int4", "22003"),
            ("SELECT 1 / 0", "22012"),
            ("SELECT '{secret'::int4[]", "22P02"),
            ("SELECT '{secret'::jsonb", "22P02"),
            ("SELECT * FROM no_such_table", "42P01"),
        ] {
            let error = try_run(c, sql).await.unwrap_err();
            assert!(matches!(&error, Error::Database { code: Some(is), .. } if is == code), "{error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        words(c, "SET statement_timeout = 50").await;
        let error = try_run(c, "SELECT pg_sleep(5)").await.unwrap_err();
        assert!(matches!(error, Error::Timeout(_)), "{error}");
        words(c, "SET statement_timeout = 0; CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 0), (2, 0)").await;
        words(c, "BEGIN READ ONLY").await;
        let error = try_run(c, "UPDATE t SET n = 1").await.unwrap_err();
        assert!(matches!(error, Error::Database { code: Some(code), .. } if code == "25006"));
        words(c, "ROLLBACK").await;

        // Locks of another connection.
        let mut other = database.connection().await;
        words(c, "BEGIN").await;
        run(c, "UPDATE t SET n = 1 WHERE id = 1").await;
        let locked = "SELECT n FROM t WHERE id = 1 FOR UPDATE NOWAIT";
        let error = try_run(&mut other, locked).await.unwrap_err();
        assert!(matches!(error, Error::Serialization(_)), "{error}");
        words(&mut other, "SET deadlock_timeout = 50; BEGIN").await;
        run(&mut other, "UPDATE t SET n = 2 WHERE id = 2").await;
        let (one, two) = futures_util::join!(
            try_run(c, "UPDATE t SET n = 1 WHERE id = 2"),
            try_run(&mut other, "UPDATE t SET n = 2 WHERE id = 1"),
        );
        let error = one.err().or(two.err()).unwrap();
        assert!(error.is_retryable(), "{error}");
        words(c, "ROLLBACK").await;
        words(&mut other, "ROLLBACK; BEGIN ISOLATION LEVEL REPEATABLE READ").await;
        run(&mut other, "SELECT n FROM t").await;
        run(c, "UPDATE t SET n = 7").await;
        let error = try_run(&mut other, "UPDATE t SET n = 8").await.unwrap_err();
        assert!(error.is_retryable(), "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_the_server_ends_is_lost() {
    in_schema(async |database| {
        let mut connection = database.connection().await;
        let process = number(&mut connection, "SELECT pg_backend_pid()").await;
        let mut other = database.connection().await;
        run(&mut other, &format!("SELECT pg_terminate_backend({process})")).await;
        let error = try_run(&mut connection, "SELECT 1").await.unwrap_err();
        assert!(matches!(error, Error::Connection(_)), "{error}");
        assert!(connection.is_spoilt());
    })
    .await;
}

#[tokio::test]
async fn a_changed_schema_is_noticed() {
    in_schema(async |database| {
        let mut connection = database.connection().await;
        let c = &mut connection;
        words(c, "CREATE TABLE t (id int, v int); INSERT INTO t VALUES (1, 2)").await;
        let select = "SELECT v FROM t";
        assert_eq!(number(c, select).await, 2);
        words(c, "ALTER TABLE t ALTER v TYPE bigint").await;
        assert_eq!(number(c, select).await, 2);
        words(c, "DEALLOCATE ALL").await;
        assert_eq!(number(c, select).await, 2);
        // In a transaction the statement has failed, but the next transaction goes well.
        c.begin().await.unwrap();
        words(c, "ALTER TABLE t ALTER v TYPE int").await;
        assert!(try_run(c, select).await.is_err());
        c.rollback().await;
        words(c, "ALTER TABLE t ALTER v TYPE int").await;
        c.begin().await.unwrap();
        assert_eq!(number(c, select).await, 2);
        c.commit().await.unwrap();
    })
    .await;
}
