//! Who writes when.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{SOON, engine, folder};
use crate::driver::Engine;
use crate::error::Error;
use crate::sql::Statement;

/// Those who want to write do so in the order in which they asked, however long each takes.
#[tokio::test]
async fn writers_come_in_the_order_in_which_they_asked() {
    let engine = engine("sqlite::memory:", 20).await;
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut first = engine.connection().await.unwrap();
    first.begin().await.unwrap();
    let mut writers = Vec::new();
    for number in 0..10 {
        let (engine, order) = (engine.clone(), Arc::clone(&order));
        writers.push(tokio::spawn(async move {
            let mut connection = engine.connection().await.unwrap();
            connection.begin().await.unwrap();
            order.lock().unwrap().push(number);
            tokio::time::sleep(Duration::from_millis(2)).await;
            connection.commit().await.unwrap();
        }));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    first.commit().await.unwrap();
    for writer in writers {
        tokio::time::timeout(SOON, writer).await.unwrap().unwrap();
    }
    assert_eq!(*order.lock().unwrap(), (0..10).collect::<Vec<_>>());
}

/// A lock of another engine is waited for, as one of another process would be.
#[tokio::test]
async fn the_lock_of_another_engine_is_waited_for() {
    let (_folder, url) = folder();
    let (one, other) = (engine(&url, 2).await, engine(&url, 2).await);
    let mut writer = one.connection().await.unwrap();
    writer.begin().await.unwrap();
    let waiting = tokio::spawn(async move {
        let mut connection = other.connection().await.unwrap();
        connection.begin().await.unwrap();
        connection.commit().await
    });
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert!(!waiting.is_finished());
    writer.commit().await.unwrap();
    tokio::time::timeout(SOON, waiting).await.unwrap().unwrap().unwrap();
}

/// Waiting has an end, whoever has the lock.
#[tokio::test]
async fn a_lock_that_stays_is_an_error_that_can_be_tried_again() {
    let (_folder, url) = folder();
    let impatient = Engine::builder(&url).busy_timeout(Duration::from_millis(20));
    let (one, other) = (impatient.clone().connect().await, impatient.connect().await);
    let (one, other) = (one.unwrap(), other.unwrap());
    let mut writer = one.connection().await.unwrap();
    writer.begin().await.unwrap();
    for engine in [&one, &other] {
        let mut connection = engine.connection().await.unwrap();
        let error = connection.begin().await.unwrap_err();
        assert!(matches!(error, Error::Serialization(_)), "{error}");
        // Outside of a transaction, too.
        let write = Statement::plain("CREATE TABLE t (v INTEGER)");
        let error = connection.run(write, &mut ()).await.unwrap_err();
        assert!(matches!(error, Error::Serialization(_)), "{error}");
    }
    writer.rollback().await;
    let mut connection = other.connection().await.unwrap();
    connection.begin().await.unwrap();
}

/// Readers see the last commit while somebody writes.
#[tokio::test]
async fn readers_go_on_while_others_write() {
    let (_folder, file) = folder();
    for url in ["sqlite::memory:".to_owned(), file] {
        let engine = engine(&url, 2).await;
        let mut writer = engine.connection().await.unwrap();
        let mut reader = engine.connection().await.unwrap();
        let create = Statement::plain("CREATE TABLE t (v INTEGER)");
        writer.run(create, &mut ()).await.unwrap();
        writer.begin().await.unwrap();
        writer.run(Statement::plain("INSERT INTO t VALUES (1)"), &mut ()).await.unwrap();
        let count = || Statement::plain("SELECT v FROM t");
        assert_eq!(reader.run(count(), &mut ()).await.unwrap().rows, 0);
        writer.commit().await.unwrap();
        assert_eq!(reader.run(count(), &mut ()).await.unwrap().rows, 1);
    }
}
