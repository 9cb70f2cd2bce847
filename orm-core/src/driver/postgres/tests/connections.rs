//! How connections are opened and set up.

use super::*;

#[tokio::test]
async fn connections_are_set_up() {
    in_schema(async |database| {
        let settings = "SELECT current_setting('default_transaction_isolation'), \
                        current_setting('TimeZone'), current_setting('statement_timeout')";
        let expected = ["read committed", "UTC", "1234ms"].map(|text| Value::Text(text.into()));
        let url = format!("{}&options[default_transaction_isolation]=serializable", database.url);
        let timeout = Duration::from_millis(1_234);
        let engine = Engine::builder(&url).statement_timeout(timeout).connect().await.unwrap();
        let mut connection = engine.connection().await.unwrap();
        let read = values(&mut connection, Statement::plain(settings), &[SqlType::Text; 3]).await;
        assert_eq!(read, expected);
        // A pool that somebody else made, with habits of its own.
        let theirs = format!("{url}&options[TimeZone]=Asia/Tokyo");
        let pool = PgPool::connect(&theirs).await.unwrap();
        let engine = Engine::with_pool(pool.clone()).statement_timeout(timeout).connect().await;
        let engine = engine.unwrap();
        let mut connection = engine.connection().await.unwrap();
        let read = values(&mut connection, Statement::plain(settings), &[SqlType::Text; 3]).await;
        assert_eq!(read, expected);
        connection.begin().await.unwrap();
        connection.prepare_to_lend::<PgConnection>().await.unwrap();
        let live: &mut PgConnection = connection.live().unwrap();
        sqlx::raw_sql("CREATE TABLE lent (id int)").execute(live).await.unwrap();
        connection.commit().await.unwrap();
        assert_eq!(number(&mut connection, "SELECT count(*) FROM lent").await, 0);
        // Through a pooler, settings hold for a transaction.
        let builder = database.builder().statement_timeout(timeout).transaction_pooling(true);
        let engine = builder.connect().await.unwrap();
        let mut connection = engine.connection().await.unwrap();
        connection.begin().await.unwrap();
        let read = values(&mut connection, Statement::plain(settings), &[SqlType::Text; 3]).await;
        assert_eq!(read[2], expected[2]);
        connection.commit().await.unwrap();
        let prepared = "SELECT count(*) FROM pg_prepared_statements WHERE name <> ''";
        assert_eq!(number(&mut connection, prepared).await, 0);
    })
    .await;
}

#[tokio::test]
async fn urls_that_lead_nowhere_say_so_without_the_password() {
    for (url, expected) in [
        ("postgres://me:secret@127.0.0.1:1/x", "Connection"),
        ("postgres://me:secret@127.0.0.1:99999/x", "Misuse"),
        ("postgres://me:secret@127.0.0.1/x?sslmode=odd", "Misuse"),
        ("postgres://me:secret@no-such-host.invalid/x", "Connection"),
    ] {
        let started = std::time::Instant::now();
        let error = Engine::connect(url).await.unwrap_err();
        assert!(format!("{error:?}").starts_with(expected), "{url}: {error:?}");
        assert!(!format!("{error:?} {error}").contains("secret"), "{error:?}");
        assert!(started.elapsed() < Duration::from_secs(5), "{url}");
    }
    in_schema(async |database| {
        let wrong = database.url.replace("/test?", "/no_such_database?");
        let error = Engine::connect(wrong).await.unwrap_err();
        assert!(matches!(error, Error::Connection(_)), "{error:?}");
        let encrypted = Engine::connect(format!("{}&sslmode=require", database.url)).await;
        match encrypted {
            Ok(_) if cfg!(not(feature = "tls")) => panic!("encrypted without the feature"),
            Ok(engine) => {
                let mut connection = engine.connection().await.unwrap();
                let used = "SELECT count(*) FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl";
                assert_eq!(number(&mut connection, used).await, 1, "it is encrypted");
            }
            // Whether the server has a certificate is its own affair.
            Err(error) if cfg!(feature = "tls") => {
                let mut connection = database.engine().await.connection().await.unwrap();
                let has_one =
                    "SELECT count(*) FROM pg_settings WHERE name = 'ssl' AND setting = 'on'";
                assert_eq!(number(&mut connection, has_one).await, 0, "{error}");
            }
            Err(error) => {
                assert!(matches!(error, Error::Connection(_)), "{error:?}");
                assert!(error.to_string().contains("feature `tls`"), "{error}");
            }
        }
        let preferred = format!("{}&sslmode=prefer", database.url);
        Engine::connect(preferred).await.unwrap();
    })
    .await;
}
