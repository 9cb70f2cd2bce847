//! The life of a schema: created, created again, dropped; in files and in memory.

use orm_core::{
    BelongsTo, Engine, Error, HasMany, ManyToMany, Model, Result, SessionFactory, schema,
};
use orm_tests::backend_tests;

#[derive(Model)]
struct Team {
    name: String,
    #[orm(foreign_key = Player)]
    captain_id: Option<i64>,
    captain: BelongsTo<Player>,
    #[orm(back_populates = team)]
    players: HasMany<Player>,
}

#[derive(Model)]
struct Player {
    name: String,
    #[orm(foreign_key = Team)]
    team_id: Option<i64>,
    #[orm(back_populates = players)]
    team: BelongsTo<Team>,
    #[orm(secondary = "player_badges")]
    badges: ManyToMany<Badge>,
}

#[derive(Model)]
struct Badge {
    name: String,
}

#[derive(Model)]
struct Fan {
    #[orm(foreign_key(Team, on_delete = "cascade"))]
    team_id: i64,
}

#[derive(Model)]
#[orm(table = "broken")]
struct Broken {
    #[orm(sql_type = "NO SUCH TYPE (")]
    value: i64,
}

/// A model as it was.
mod before {
    use orm_core::Model;

    #[derive(Debug, Clone, Copy, PartialEq, Eq, orm_core::Enum)]
    pub(super) enum Stage {
        Draft,
        Done,
    }

    #[derive(Model)]
    #[orm(table = "papers")]
    pub(super) struct Paper {
        pub(super) stage: Stage,
    }
}

/// The same model with a label more, between the others.
mod after {
    use orm_core::Model;

    #[derive(Debug, Clone, Copy, PartialEq, Eq, orm_core::Enum)]
    pub(super) enum Stage {
        Draft,
        Review,
        Done,
    }

    #[derive(Model)]
    #[orm(table = "papers")]
    pub(super) struct Paper {
        pub(super) stage: Stage,
    }
}

backend_tests! {
    /// Issue 2, item 3: a schema that can't be created leaves nothing behind, where the database
    /// can undo the creation of a table; elsewhere what came before it stays.
    async fn a_schema_is_created_as_a_whole(db) {
        let error = db.create(&schema![Badge, Broken]).await.expect_err("no such type");
        assert!(matches!(error, Error::Database { .. }), "{error}");
        let badges = Badge::select().count(&mut db.session()).await;
        assert_eq!(badges.is_err(), db.capabilities.transactional_ddl, "{badges:?}");
    }

    /// Issue 3, item 2: an enum type lives and goes with the schema, and learns new labels when the
    /// schema is created again.
    async fn an_enum_type_lives_with_its_schema(db) {
        let (old, new) = (schema![before::Paper], schema![after::Paper]);
        db.create(&old).await?;
        let mut session = db.session();
        session.add_all([
            before::Paper { stage: before::Stage::Done },
            before::Paper { stage: before::Stage::Draft },
        ]);
        session.commit().await?;
        db.create(&new).await?;
        let mut session = db.session();
        session.add(after::Paper { stage: after::Stage::Review });
        let added = session.commit().await;
        assert_eq!(added.is_ok(), db.capabilities.native_enum, "{added:?}");
        if added.is_ok() {
            let stages = after::Paper::select().order_by(after::Paper::stage.asc());
            let stages = stages.columns(after::Paper::stage).all(&mut session).await?;
            use after::Stage::{Done, Draft, Review};
            assert_eq!(stages, [Draft, Review, Done], "in the order of the declaration");
        }
        session.rollback().await?;
        session.close().await?;
        db.engine.drop_all(&new).await?;
        db.create(&new).await?;
        let mut session = db.session();
        session.add(after::Paper { stage: after::Stage::Review });
        session.commit().await?;
    }

    /// DESIGN 6 (issue 2, item 3): creating twice is harmless, rows stay.
    async fn creating_twice_is_harmless(db) {
        let schema = schema![Player, Team, Badge, Fan];
        db.create(&schema).await?;
        let mut session = db.session();
        session.add(Team::draft().name("a"));
        session.commit().await?;
        db.create(&schema).await?;
        assert_eq!(Team::select().count(&mut session).await?, 1);
    }

    /// Issue 2, item 3: tables that reference each other in a circle are created, used, dropped.
    async fn circles_are_created_and_dropped(db) {
        let schema = schema![Fan, Team, Badge, Player];
        db.create(&schema).await?;
        let mut session = db.session();
        let team = session.add(Team::draft().name("a"));
        let player = session.add(Player::draft().name("p").team(team).badges([Badge::draft().name("b")]));
        session.set_one(team, Team::captain, player);
        session.commit().await?;
        let captain = Team::select().filter(Team::captain.has(Player::name.eq("p")));
        assert_eq!(captain.count(&mut session).await?, 1);
        session.add(Fan::draft().team_id(session[team].id()));
        session.commit().await?;
        session.close().await?;

        let log = db.log();
        db.engine.drop_all(&schema).await?;
        let dropped: Vec<String> =
            log.texts().into_iter().filter(|sql| sql.contains("DROP TABLE")).collect();
        assert_eq!(dropped.len(), 5, "{dropped:?}");
        let at = |table: &str| dropped.iter().position(|sql| sql.contains(table)).expect(table);
        assert!(at("fans") < at("teams") && at("player_badges") < at("players"));
        assert!(Team::select().count(&mut db.session()).await.is_err());
        // Dropping what isn't there is harmless, and everything can be created again.
        db.engine.drop_all(&schema).await?;
        db.create(&schema).await?;
        assert_eq!(Team::select().count(&mut db.session()).await?, 0);
    }

    /// Issue 2, item 3: foreign keys are enforced again behind a `drop_all`.
    async fn dropping_leaves_foreign_keys_enforced(db) {
        let schema = schema![Team, Player, Badge, Fan];
        db.create(&schema).await?;
        db.engine.drop_all(&schema![Fan]).await?;
        db.create(&schema).await?;
        let mut session = db.session();
        session.add(Fan::draft().team_id(99));
        assert!(matches!(session.commit().await, Err(Error::ForeignKeyViolation(_))));
    }

    /// Issue 2, item 3: a database in memory is one for all sessions of its engine, clones too.
    async fn sessions_of_an_engine_share_its_database(db) {
        db.create(&schema![Badge]).await?;
        let mut one = db.session();
        let mut other = SessionFactory::new(db.engine.clone()).session();
        one.add(Badge::draft().name("b"));
        one.commit().await?;
        assert_eq!(Badge::select().count(&mut other).await?, 1);
        assert_eq!(Badge::select().on(&db.engine).count().await?, 1);
    }
}

/// Runs a test that is about one kind of database only.
fn run(test: impl Future<Output = Result<()>>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    if let Err(error) = runtime.expect("a runtime").block_on(test) {
        panic!("{error}");
    }
}

/// Two engines in memory are two databases, and nothing of them is left behind.
#[test]
fn memory_is_an_engines_own() {
    run(async {
        let (one, other) =
            (Engine::connect("sqlite::memory:").await?, Engine::connect("sqlite::memory:").await?);
        one.create_all(&schema![Badge]).await?;
        assert!(Badge::select().on(&one).all().await?.is_empty());
        assert!(matches!(Badge::select().on(&other).count().await, Err(Error::Database { .. })));
        one.close().await;
        assert!(matches!(Badge::select().on(&one).count().await, Err(Error::Connection(_))));
        Ok(())
    });
}

/// A file keeps its rows, by write-ahead logging, and is made where it is missing.
#[test]
fn a_file_persists_and_reopens() {
    let path = std::env::temp_dir().join(format!("orm-{}.db", uuid::Uuid::new_v4()));
    let url = format!("sqlite://{}", path.display());
    run(async {
        let engine = Engine::connect(&url).await?;
        engine.create_all(&schema![Badge]).await?;
        let mut session = SessionFactory::new(engine.clone()).session();
        session.add(Badge::draft().name("kept"));
        session.commit().await?;
        let wal = path.with_extension("db-wal");
        assert!(wal.exists(), "the log is beside the file while it is open");
        session.add(Badge::draft().name("lost"));
        session.flush().await?;
        session.close().await?;
        engine.close().await;
        assert!(!wal.exists(), "the log is gone behind the last connection");

        let engine = Engine::connect(&url).await?;
        engine.create_all(&schema![Badge]).await?;
        let names: Vec<String> = Badge::select().columns(Badge::name).on(&engine).all().await?;
        assert_eq!(names, ["kept"]);
        engine.close().await;
        Ok(())
    });
    std::fs::remove_file(path).expect("the file is there");
}

/// A URL that leads nowhere is an error of `connect`.
#[test]
fn a_wrong_url_is_an_error_at_once() {
    run(async {
        let nowhere = Engine::connect("sqlite:///no/such/folder/file.db").await;
        assert!(matches!(nowhere, Err(Error::Connection(_))), "{nowhere:?}");
        let unknown = Engine::connect("oracle://host/db").await;
        assert!(matches!(&unknown, Err(Error::Misuse(_))), "{unknown:?}");
        Ok(())
    });
}
