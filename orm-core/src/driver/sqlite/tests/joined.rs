//! Connections of rusqlite's that are handed in.

use rusqlite::Connection;

use super::{engine, folder};
use crate::driver::JoinedConnection;
use crate::error::Error;
use crate::sql::Statement;

/// SEMANTICS 9.5: what is done on it is its owner's to commit, and it comes back as it was given.
#[tokio::test]
async fn rule_9_5_a_connection_is_joined_inside_its_transaction() {
    let (folder, url) = folder();
    let engine = engine(&url, 2).await;
    let owner = Connection::open(folder.path().join("a.db")).unwrap();
    owner.execute_batch("CREATE TABLE t (v INTEGER); BEGIN; INSERT INTO t VALUES (1)").unwrap();
    let inside = engine.join(owner.__hand_in()).await.unwrap();
    let mut connection = inside.connection().await.unwrap();
    let insert = |value| Statement::plain(format!("INSERT INTO t VALUES ({value})"));
    connection.begin().await.unwrap();
    connection.run(insert(2), &mut ()).await.unwrap();
    connection.commit().await.unwrap();
    connection.begin().await.unwrap();
    connection.run(insert(3), &mut ()).await.unwrap();
    connection.rollback().await;
    drop(connection);
    let mut others = engine.connection().await.unwrap();
    let values = || Statement::plain("SELECT v FROM t");
    assert_eq!(others.run(values(), &mut ()).await.unwrap().rows, 0);
    let owner: Connection = inside.give_back().await.unwrap();
    owner.execute_batch("COMMIT").unwrap();
    assert_eq!(others.run(values(), &mut ()).await.unwrap().rows, 2);
}

/// SEMANTICS 9.5: without a transaction there is nothing to join.
#[tokio::test]
async fn rule_9_5_a_connection_without_a_transaction_is_refused() {
    let (folder, url) = folder();
    let engine = engine(&url, 1).await;
    let owner = Connection::open(folder.path().join("a.db")).unwrap();
    let error = engine.join(owner.__hand_in()).await.expect_err("there is no transaction");
    assert!(matches!(error, Error::Misuse(_)), "{error}");
}
