//! Connections, transactions and schemas on a real SQLite.

use std::time::Duration;

use super::*;
use crate::error::Error;
use crate::model::{Table, TableFn};
use crate::sql::testing::{at, posts, tags, users};
use crate::sql::{
    DeleteRows, InsertRows, OnConflict, UpdateRows, render_delete, render_insert, render_update,
};
use crate::value::Value;

async fn engine() -> Engine {
    let engine = Engine::connect("sqlite::memory:").await.unwrap();
    engine.create_all(&Schema::new([users as TableFn, posts])).await.unwrap();
    engine
}

fn insert(table: &'static Table, columns: &[&str], values: Vec<Value>) -> Statement {
    let columns: Vec<usize> = columns.iter().map(|name| at(table, name)).collect();
    let rows = values.len() / columns.len();
    let rows = InsertRows {
        table,
        columns,
        rows,
        values,
        returning: vec![0],
        on_conflict: OnConflict::Fail,
    };
    render_insert(&crate::sql::dialect::sqlite::SQLITE, rows).unwrap()
}

fn user(email: &str) -> Statement {
    insert(users(), &["email"], vec![Value::Text(email.into())])
}

async fn run(connection: &mut Connection, sql: &'static str) {
    connection.run(Statement::plain(sql), &mut ()).await.unwrap();
}

async fn number(connection: &mut Connection, sql: &str) -> i64 {
    let mut number = 0;
    let mut sink = EachRow(|cells: &dyn Cells| {
        number = cells.int(0).unwrap();
        Ok(())
    });
    connection.run(Statement::plain(sql), &mut sink).await.unwrap();
    number
}

async fn count(connection: &mut Connection) -> i64 {
    number(connection, "SELECT count(*) FROM users").await
}

#[tokio::test]
async fn create_all_twice_is_harmless_and_drop_all_drops() {
    let engine = engine().await;
    let schema = Schema::new([posts as TableFn, tags, users, posts]);
    engine.create_all(&schema).await.unwrap();
    let tables = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'";
    let mut connection = engine.connection().await.unwrap();
    // Posts and tags bring their association table with them.
    assert_eq!(number(&mut connection, tables).await, 4);
    connection.run(user("ada@example.org"), &mut ()).await.unwrap();
    drop(connection);
    engine.drop_all(&schema).await.unwrap();
    let mut connection = engine.connection().await.unwrap();
    assert_eq!(number(&mut connection, tables).await, 0);
    assert_eq!(number(&mut connection, "PRAGMA foreign_keys").await, 1);
}

#[tokio::test]
async fn readers_see_the_last_commit_and_do_not_wait() {
    let engine = engine().await;
    let mut writer = engine.connection().await.unwrap();
    let mut reader = engine.connection().await.unwrap();
    writer.begin().await.unwrap();
    writer.run(user("ada@example.org"), &mut ()).await.unwrap();
    let started = std::time::Instant::now();
    assert_eq!(count(&mut reader).await, 0);
    assert!(started.elapsed() < Duration::from_secs(1));
    writer.commit().await.unwrap();
    assert_eq!(count(&mut reader).await, 1);
    // A file's readers are no different, and neither do they keep writers waiting.
    run(&mut reader, "BEGIN").await;
    assert_eq!(count(&mut reader).await, 1);
    writer.run(user("bob@example.org"), &mut ()).await.unwrap();
    assert_eq!(count(&mut reader).await, 1);
    run(&mut reader, "COMMIT").await;
    assert_eq!(count(&mut reader).await, 2);
}

#[tokio::test]
async fn writers_wait_for_their_turn_and_then_give_up() {
    let engine = Engine::builder("sqlite::memory:")
        .busy_timeout(Duration::from_millis(50))
        .connect()
        .await
        .unwrap();
    let mut first = engine.connection().await.unwrap();
    let mut second = engine.connection().await.unwrap();
    first.begin().await.unwrap();
    let error = second.begin().await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert!(!second.in_transaction());
    first.commit().await.unwrap();
    second.begin().await.unwrap();
}

#[tokio::test]
async fn a_log_makes_the_statement_fail_that_it_is_told_of() {
    let engine = engine().await;
    let mut connection = engine.connection().await.unwrap();
    let log = engine.log();
    log.fail_after(1);
    connection.begin().await.unwrap();
    let error = connection.run(user("ada@example.org"), &mut ()).await.unwrap_err();
    assert!(error.to_string().contains("orm_missing_on_purpose"), "{error}");
    assert_eq!(connection.failed_at(), Some(0));
    connection.rollback().await;
    log.fail_after(2);
    connection.begin().await.unwrap();
    connection.run(user("ada@example.org"), &mut ()).await.unwrap();
    connection.commit().await.unwrap_err();
    let texts: Vec<_> = log.take().into_iter().map(|logged| logged.sql).collect();
    assert_eq!(
        texts[4..].iter().map(|sql| &sql[..6]).collect::<Vec<_>>(),
        ["INSERT", "COMMIT", "ROLLBA"]
    );
    log.fail_after(0);
    drop(log);
    assert_eq!(count(&mut connection).await, 0);
}

#[tokio::test]
async fn engines_do_not_share_their_memory() {
    let (one, other) = (engine().await, engine().await);
    one.connection().await.unwrap().run(user("ada@example.org"), &mut ()).await.unwrap();
    assert_eq!(count(&mut other.connection().await.unwrap()).await, 0);
}

#[tokio::test]
async fn rows_go_in_change_and_go_out() {
    let dialect = &crate::sql::dialect::sqlite::SQLITE;
    let engine = engine().await;
    let mut connection = engine.connection().await.unwrap();
    let texts =
        |prefix: &str| (0..3).map(|n| Value::Text(format!("{prefix}{n}@x"))).collect::<Vec<_>>();
    let mut keys = Vec::new();
    let mut sink = EachRow(|cells: &dyn Cells| {
        keys.push(cells.int(0).unwrap());
        Ok(())
    });
    let inserted =
        connection.run(insert(users(), &["email"], texts("a")), &mut sink).await.unwrap();
    assert_eq!((inserted.rows, keys), (3, vec![1, 2, 3]));
    let values = (1..=3).zip(texts("b")).flat_map(|(id, text)| [Value::Int(id), text]).collect();
    let update = UpdateRows {
        table: users(),
        key: vec![0],
        set: vec![at(users(), "email")],
        expressions: vec![(2, crate::sql::Expr::Authored("CURRENT_TIMESTAMP"))],
        rows: 3,
        values,
        returning: vec![0, 2],
    };
    let mut seen = 0;
    let mut sink = EachRow(|cells: &dyn Cells| {
        seen += 1;
        cells.timestamp(1).map(drop).map_err(|error| Error::at_column("users", "updated_at", error))
    });
    let update = render_update(dialect, update).unwrap();
    assert_eq!(connection.run(update, &mut sink).await.unwrap().rows, 3);
    assert_eq!(seen, 3);
    let delete = DeleteRows {
        table: users(),
        key: vec![0],
        rows: 3,
        values: vec![Value::Int(1), Value::Int(3), Value::Int(9)],
        returning: Vec::new(),
    };
    let delete = render_delete(dialect, delete).unwrap();
    assert_eq!(connection.run(delete, &mut ()).await.unwrap().rows, 2);
    // SQLite repeats the count of the last write after a query; we don't.
    let none = "SELECT id FROM users WHERE id = 9";
    assert_eq!(connection.run(Statement::plain(none), &mut ()).await.unwrap().rows, 0);
}

#[tokio::test]
async fn violations_name_table_columns_and_constraint() {
    let engine = engine().await;
    let mut connection = engine.connection().await.unwrap();
    connection.run(user("ada@example.org"), &mut ()).await.unwrap();
    let negative = vec![Value::Text("bob@example.org".into()), Value::Int(-1)];
    let orphan = vec![Value::Text("t".into()), Value::Int(99)];
    let long = Value::Text("x".repeat(65));
    for (table, statement, columns, constraint) in [
        (users(), user("ada@example.org"), vec!["email"], Some("uq_users_email")),
        (users(), user("a"), vec![], Some("ck_users_1")),
        (users(), insert(users(), &["email"], vec![long]), vec!["email"], Some("ck_users_email")),
        (users(), insert(users(), &["email", "age"], negative), vec!["age"], Some("ck_users_age")),
        (users(), insert(users(), &["email"], vec![Value::Null]), vec!["email"], None),
        (posts(), insert(posts(), &["title", "user_id"], orphan), vec![], None),
    ] {
        let error = connection.run_on(table, statement, &mut ()).await.unwrap_err();
        let violation = error.violation().unwrap_or_else(|| panic!("{error}"));
        assert_eq!(violation.table.as_deref(), Some(table.name()), "{error}");
        assert_eq!(violation.columns, columns, "{error}");
        assert_eq!(violation.constraint.as_deref(), constraint, "{error}");
        assert!(!error.to_string().contains("example"), "{error}");
    }
}

#[tokio::test]
async fn a_failed_transaction_only_rolls_back() {
    let engine = engine().await;
    let mut connection = engine.connection().await.unwrap();
    connection.begin().await.unwrap();
    connection.run(user("ada@example.org"), &mut ()).await.unwrap();
    let first = connection.run(user("ada@example.org"), &mut ()).await.unwrap_err();
    for error in [
        connection.run(user("bob@example.org"), &mut ()).await.unwrap_err(),
        connection.commit().await.unwrap_err(),
    ] {
        let Error::RollbackRequired { first: named } = error else { panic!("{error}") };
        assert_eq!(named, first.to_string());
    }
    connection.rollback().await;
    assert_eq!(count(&mut connection).await, 0);
}

#[tokio::test]
async fn a_failed_commit_leaves_no_transaction_behind() {
    let engine = engine().await;
    let mut connection = engine.connection().await.unwrap();
    connection.begin().await.unwrap();
    run(&mut connection, "PRAGMA defer_foreign_keys = ON").await;
    let orphan = vec![Value::Text("t".into()), Value::Int(99)];
    connection.run(insert(posts(), &["title", "user_id"], orphan), &mut ()).await.unwrap();
    let error = connection.commit().await.unwrap_err();
    assert!(matches!(error, Error::ForeignKeyViolation(_)), "{error}");
    assert!(!connection.in_transaction());
    connection.begin().await.unwrap();
    connection.commit().await.unwrap();
    assert_eq!(number(&mut connection, "SELECT count(*) FROM posts").await, 0);
}

#[tokio::test]
async fn a_dropped_connection_rolls_back() {
    let engine = Engine::builder("sqlite::memory:").max_connections(1).connect().await.unwrap();
    engine.create_all(&Schema::new([users as TableFn, posts])).await.unwrap();
    let mut connection = engine.connection().await.unwrap();
    connection.begin().await.unwrap();
    connection.run(user("ada@example.org"), &mut ()).await.unwrap();
    drop(connection);
    let mut connection = engine.connection().await.unwrap();
    connection.begin().await.unwrap();
    assert_eq!(count(&mut connection).await, 0);
}

#[tokio::test]
async fn a_dropped_future_closes_its_connection() {
    let engine = Engine::builder("sqlite::memory:").max_connections(1).connect().await.unwrap();
    engine.create_all(&Schema::new([users as TableFn, posts])).await.unwrap();
    let mut connection = engine.connection().await.unwrap();
    connection.begin().await.unwrap();
    let slow = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) \
                SELECT count(*) FROM n";
    let mut no_rows = ();
    let run = connection.run(Statement::plain(slow), &mut no_rows);
    tokio::time::timeout(Duration::from_millis(5), run).await.expect_err("it takes longer");
    assert!(connection.is_interrupted());
    let error = connection.run(user("ada@example.org"), &mut ()).await.unwrap_err();
    assert!(matches!(error, Error::Connection(_)), "{error}");
    drop(connection);
    // The slot is free again, and the transaction is gone.
    let mut connection = engine.connection().await.unwrap();
    connection.begin().await.unwrap();
    connection.run(user("ada@example.org"), &mut ()).await.unwrap();
    connection.commit().await.unwrap();
}

#[test]
fn nothing_panics_outside_a_runtime() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let engine = runtime.block_on(engine());
    let idle = runtime.block_on(engine.connection()).unwrap();
    let mut open = runtime.block_on(engine.connection()).unwrap();
    runtime.block_on(open.begin()).unwrap();
    runtime.block_on(open.run(user("ada@example.org"), &mut ())).unwrap();
    drop(idle);
    drop(open);
    let mut connection = runtime.block_on(engine.connection()).unwrap();
    assert_eq!(runtime.block_on(count(&mut connection)), 0);
    drop(runtime);
    drop(connection);
    drop(engine);
}

#[tokio::test]
async fn a_closed_engine_refuses() {
    let engine = engine().await;
    engine.close().await;
    let error = engine.connection().await.unwrap_err();
    assert!(matches!(error, Error::Connection(_)), "{error}");
}

#[tokio::test]
async fn waiting_for_a_connection_ends() {
    let engine = Engine::builder("sqlite::memory:")
        .max_connections(1)
        .acquire_timeout(Duration::from_millis(50))
        .connect()
        .await
        .unwrap();
    let held = engine.connection().await.unwrap();
    let error = engine.connection().await.unwrap_err();
    assert!(matches!(error, Error::Timeout(_)), "{error}");
    drop(held);
    engine.connection().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn many_tasks_share_few_connections() {
    let engine = Engine::builder("sqlite::memory:").max_connections(3).connect().await.unwrap();
    engine.create_all(&Schema::new([users as TableFn, posts])).await.unwrap();
    let tasks: Vec<_> = (0..40)
        .map(|task| {
            let engine = engine.clone();
            tokio::spawn(async move {
                for round in 0..5 {
                    let mut connection = engine.connection().await.unwrap();
                    connection.begin().await.unwrap();
                    connection.run(user(&format!("{task}-{round}@x")), &mut ()).await.unwrap();
                    if task % 4 == 0 {
                        drop(connection);
                    } else {
                        connection.commit().await.unwrap();
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(count(&mut engine.connection().await.unwrap()).await, 150);
}

#[tokio::test]
async fn the_log_records_from_then_on_without_values() {
    let engine = engine().await;
    let log = engine.log();
    let second = engine.log();
    let mut connection = engine.connection().await.unwrap();
    connection.begin().await.unwrap();
    connection.run(user("ada@example.org"), &mut ()).await.unwrap();
    connection.commit().await.unwrap();
    drop(second);
    let kinds: Vec<_> = log.take().iter().map(|logged| (logged.kind, logged.rows)).collect();
    let kind = |kind| (kind, 0);
    assert_eq!(
        kinds,
        [kind(StatementKind::Begin), (StatementKind::Statement, 1), kind(StatementKind::Commit)]
    );
    connection.run(user("bob@example.org"), &mut ()).await.unwrap();
    assert_eq!(log.statements().len(), 1);
    assert!(!log.statements()[0].contains("bob"));
}

#[tokio::test]
async fn files_are_kept_and_opened_as_the_url_says() {
    let directory = std::env::temp_dir().join(format!("orm-file-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let url = format!("sqlite://{}", directory.join("app.db").display());
    let missing = Engine::connect(format!("{url}?mode=ro")).await.unwrap_err();
    assert!(matches!(missing, Error::Connection(_)), "{missing}");
    let engine = Engine::connect(&url).await.unwrap();
    engine.create_all(&Schema::new([users as TableFn, posts])).await.unwrap();
    engine.connection().await.unwrap().run(user("ada@example.org"), &mut ()).await.unwrap();
    engine.close().await;
    let engine = Engine::connect(format!("{url}?mode=ro")).await.unwrap();
    let mut connection = engine.connection().await.unwrap();
    assert_eq!(count(&mut connection).await, 1);
    assert!(connection.run(user("bob@example.org"), &mut ()).await.is_err());
    drop(connection);
    engine.close().await;
    std::fs::remove_dir_all(&directory).unwrap();
}

#[tokio::test]
async fn extreme_options_are_cut() {
    let engine = Engine::builder("sqlite::memory:")
        .max_connections(u32::MAX)
        .acquire_timeout(Duration::MAX)
        .busy_timeout(Duration::MAX)
        .connect();
    engine.await.unwrap();
}

#[tokio::test]
async fn unknown_urls_say_what_there_is() {
    for url in ["oracle://x", "postgres://localhost/x", "users.db", "sqlite:"] {
        if cfg!(feature = "postgres") && url.starts_with("postgres:") {
            continue;
        }
        let error = Engine::connect(url).await.unwrap_err();
        assert!(matches!(error, Error::Misuse(_)), "{url}: {error}");
    }
}
