//! Engines on pools that the application has already.

use std::time::Duration;

use orm_core::SessionFactory;
use orm_core::engine::{Engine, SqlxPool};
use orm_tests::{Database, backend_tests};
use sqlx::mysql::MySqlPoolOptions;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{Executor, MySqlPool, PgPool, SqlitePool};

use super::models::*;

/// A pool of the application's own, of one connection.
enum Own {
    Sqlite(SqlitePool, #[expect(dead_code, reason = "kept until the end")] tempfile::TempDir),
    Postgres(PgPool),
    MySql(MySqlPool),
}

const PATIENCE: Duration = Duration::from_secs(5);

impl Own {
    async fn open(db: &Database) -> Self {
        if db.url().starts_with("sqlite") {
            let folder = tempfile::tempdir().expect("a folder");
            let url = format!("sqlite://{}?mode=rwc", folder.path().join("own.db").display());
            let options = SqlitePoolOptions::new().max_connections(1).acquire_timeout(PATIENCE);
            Self::Sqlite(options.connect(&url).await.expect("opens"), folder)
        } else if db.url().starts_with("postgres") {
            let options = PgPoolOptions::new().max_connections(1).acquire_timeout(PATIENCE);
            Self::Postgres(options.connect(db.url()).await.expect("connects"))
        } else {
            let options = MySqlPoolOptions::new().max_connections(1).acquire_timeout(PATIENCE);
            Self::MySql(options.connect(db.url()).await.expect("connects"))
        }
    }

    fn pool(&self) -> SqlxPool {
        match self {
            Self::Sqlite(pool, _) => pool.clone().into(),
            Self::Postgres(pool) => pool.clone().into(),
            Self::MySql(pool) => pool.clone().into(),
        }
    }

    /// A statement of the application's own, beside the engine.
    async fn run(&self, sql: &'static str) -> u64 {
        match self {
            Self::Sqlite(pool, _) => pool.execute(sql).await.expect("runs").rows_affected(),
            Self::Postgres(pool) => pool.execute(sql).await.expect("runs").rows_affected(),
            Self::MySql(pool) => pool.execute(sql).await.expect("runs").rows_affected(),
        }
    }
}

backend_tests! {
    /// DESIGN 5: everything works, and the pool's only connection is free whenever no session
    /// has it.
    async fn an_existing_pool_is_shared(db) {
        let own = Own::open(&db).await;
        let engine = Engine::with_pool(own.pool()).connect().await?;
        engine.create_all(&user_tables()).await?;
        let mut session = SessionFactory::new(engine.clone()).session();
        let ada = session.add(user("ada"));
        ada.posts(&mut session).push(Post::draft().title("Notes"));
        session.commit().await?;
        assert_eq!(own.run("UPDATE users SET visits = 3").await, 1);
        session.refresh(ada).await?;
        assert_eq!(session[ada].visits, 3);
        session.commit().await?;
        assert_eq!(own.run("UPDATE users SET visits = 4").await, 1);

        // The connections are set up as those of our own pools are.
        let by_case = User::select().filter(User::username.like("ADA")).on(&engine);
        assert_eq!(by_case.count().await?, 0);
        session.add(Post::draft().title("Nobody's").user_id(77));
        let error = session.commit().await.unwrap_err();
        assert!(error.violation().is_some(), "{error}");
        session.rollback().await?;

        engine.close().await;
        assert_eq!(own.run("UPDATE users SET visits = 5").await, 1, "the pool stays open");
    }
}
