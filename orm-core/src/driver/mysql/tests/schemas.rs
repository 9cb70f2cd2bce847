//! What a table declares, on the server.

use super::*;

/// Two tables whose foreign keys lead to each other, and one that leads to both.
mod circle {
    use super::*;

    macro_rules! table {
        ($name:ident = $build:expr) => {
            pub(super) fn $name() -> &'static Table {
                static TABLE: std::sync::OnceLock<Table> = std::sync::OnceLock::new();
                TABLE.get_or_init(|| $build.build())
            }
        };
    }

    table!(
        teams = TableBuilder::plain("teams", "Team")
            .column(ColumnDef::new::<String>("code", "code").primary_key())
            .column(ColumnDef::new::<Option<i64>>("captain_id", "captain_id"))
            .foreign_key(
                &["captain_id"],
                Target::PrimaryKey(players),
                Action::SetNull,
                Action::Cascade
            )
    );
    table!(
        players = TableBuilder::plain("players", "Player")
            .column(id())
            .column(ColumnDef::new::<Option<String>>("team", "team"))
            .foreign_key(&["team"], Target::PrimaryKey(teams), Action::Cascade, Action::Restrict)
    );
}

#[tokio::test]
async fn tables_in_a_circle_are_created_and_dropped() {
    in_database(|url| async move {
        let engine = Engine::connect(url).await.unwrap();
        let schema = Schema::new([circle::teams as TableFn, circle::players]);
        engine.create_all(&schema).await.unwrap();
        engine.create_all(&schema).await.unwrap();
        let mut connection = engine.connection().await.unwrap();
        assert_eq!(number(&mut connection, "SELECT @@foreign_key_checks").await, 1);
        let error = fails(&mut connection, "INSERT INTO players (team) VALUES ('x')").await;
        assert!(matches!(error, Error::ForeignKeyViolation(_)), "{error}");
        let error = fails(&mut connection, "INSERT INTO teams VALUES ('x', 1)").await;
        assert!(matches!(error, Error::ForeignKeyViolation(_)), "{error}");
        run(&mut connection, "INSERT INTO teams VALUES ('x', NULL)").await;
        run(&mut connection, "INSERT INTO players (team) VALUES ('x')").await;
        run(&mut connection, "UPDATE teams SET captain_id = (SELECT max(id) FROM players)").await;
        run(&mut connection, "CREATE TABLE stays (id BIGINT PRIMARY KEY, FOREIGN KEY (id) REFERENCES players (id) ON DELETE CASCADE)").await;
        run(&mut connection, "INSERT INTO stays SELECT id FROM players").await;
        drop(connection);
        engine.drop_all(&schema).await.unwrap();
        let mut connection = engine.connection().await.unwrap();
        assert_eq!(text(&mut connection, "SELECT group_concat(table_name) FROM information_schema.tables WHERE table_schema = database()").await, "stays");
        assert_eq!(number(&mut connection, "SELECT count(*) FROM stays").await, 1);
    })
    .await;
}

#[tokio::test]
async fn everything_that_a_table_declares_is_created() {
    in_database(|url| async move {
        let database = url.rsplit_once('/').unwrap().1.to_owned();
        let schema: &'static str = format!("{database}_shop").leak();
        let declared = table(
            TableBuilder::plain("bills", "Bill")
                .schema(schema)
                .comment(r"It's a bill \ of the shop")
                .column(id())
                .column(ColumnDef::new::<String>("no", "no").unique().comment(r"The number's \ place"))
                .column(ColumnDef::new::<String>("note", "note").server_default("'it''s'"))
                .column(ColumnDef::new::<Vec<u8>>("seal", "seal").server_default("'x'"))
                .column(ColumnDef::new::<serde_json::Value>("doc", "doc").server_default("'{}'"))
                .column(ColumnDef::new::<bool>("paid", "paid").server_default("false"))
                .column(of_type("mood", SqlType::Enum(&MOOD)).server_default(r"'back\\slash'"))
                .column(
                    ColumnDef::new::<chrono::DateTime<chrono::Utc>>("at", "at")
                        .server_default("CURRENT_TIMESTAMP")
                        .index(),
                )
                .column(ColumnDef::new::<i32>("cents", "cents").check("{column} > 0").server_default("40 + 2"))
                .column(ColumnDef::new::<String>("hash", "hash").length(64).index())
                .column(ColumnDef::new::<Vec<u8>>("key", "key").index())
                .column(ColumnDef::new::<Option<String>>("long1", "long1").length(10_000))
                .column(ColumnDef::new::<Option<String>>("long2", "long2").length(10_000))
                .column(ColumnDef::new::<Option<String>>("longer", "longer").length(20_000))
                .column(ColumnDef::new::<Option<String>>("longest", "longest").length(16_383))
                .column(ColumnDef::new::<i64>("parent_id", "parent_id"))
                .unique(&["hash", "key"], Some("by_hash"))
                .check("cents < 1000"),
        );
        let engine = Engine::connect(url).await.unwrap();
        let mut connection = engine.connection().await.unwrap();
        let connection = &mut connection;
        for statement in engine.dialect().create_types(&[declared, declared]) {
            run(connection, &statement).await;
            run(connection, &statement).await;
        }
        create(connection, declared).await;
        create(connection, declared).await;
        let insert = insert_rows(declared, &["no", "hash", "key", "parent_id"], vec![words("1"), words("h"), Value::Bytes(vec![1]), Value::Int(1)]);
        connection.run(render_insert(engine.dialect(), insert).unwrap(), &mut ()).await.unwrap();
        let mut rows = Rows(
            vec![SqlType::Text, SqlType::Bytes, SqlType::Json, SqlType::Bool, SqlType::Text, SqlType::I32],
            vec![],
        );
        let sql = format!("SELECT note, seal, doc, paid, mood, cents FROM {schema}.bills WHERE abs(timestampdiff(SECOND, at, utc_timestamp())) < 60");
        connection.run(Statement::plain(sql), &mut rows).await.unwrap();
        let document = Value::Json(Box::new(serde_json::json!({})));
        assert_eq!(rows.1, [[words("it's"), Value::Bytes(b"x".to_vec()), document, Value::Bool(false), words(r"back\slash"), Value::Int(42)]]);
        let sql = format!("SELECT table_comment FROM information_schema.tables WHERE table_schema = '{schema}'");
        assert_eq!(text(connection, &sql).await, r"It's a bill \ of the shop");
        let sql = format!("SELECT column_comment FROM information_schema.columns WHERE table_schema = '{schema}' AND column_name = 'no'");
        assert_eq!(text(connection, &sql).await, r"The number's \ place");
        let sql = format!("SELECT group_concat(DISTINCT index_name ORDER BY index_name) FROM information_schema.statistics WHERE table_schema = '{schema}'");
        assert_eq!(text(connection, &sql).await, "by_hash,ix_bills_at,ix_bills_hash,ix_bills_key,PRIMARY,uq_bills_no");
        for (set, constraint) in [
            ("cents = 0", "ck_bills_cents"),
            ("cents = 1000", "ck_bills_1"),
            ("longer = repeat('x', 20001)", "ck_bills_longer"),
            ("long1 = repeat('x', 10001)", "ck_bills_long1"),
        ] {
            let error = fails(connection, &format!("UPDATE {schema}.bills SET {set}")).await;
            let Error::CheckViolation(violation) = &error else { panic!("{error}") };
            assert_eq!(violation.constraint.as_deref(), Some(constraint));
            assert_eq!(violation.table.as_deref(), Some("bills"));
        }
        run(connection, &format!("UPDATE {schema}.bills SET longer = repeat('😀', 20000), long1 = repeat('😀', 10000), long2 = repeat('😀', 10000)")).await;
        let select = {
            let mut select = Select::from(declared);
            select.columns = vec![(Expr::Column(ColumnRef::scoped(declared, 0)), None)];
            render_select(engine.dialect(), &select).unwrap()
        };
        let mut rows = Rows(vec![SqlType::I64], vec![]);
        connection.run(select, &mut rows).await.unwrap();
        assert_eq!(rows.1, [[Value::Int(1)]]);
    })
    .await;
}

#[tokio::test]
async fn labels_that_cannot_be_stored_are_refused_before_any_table() {
    static NUMBERS: EnumType = EnumType { name: "numbers", labels: &["one", "2"] };
    static SPACES: EnumType = EnumType { name: "spaces", labels: &["one", "one "] };
    fn numbers() -> &'static Table {
        static TABLE: std::sync::OnceLock<Table> = std::sync::OnceLock::new();
        TABLE.get_or_init(|| {
            TableBuilder::plain("t", "T")
                .column(id())
                .column(of_type("v", SqlType::Enum(&NUMBERS)))
                .build()
        })
    }
    fn spaces() -> &'static Table {
        static TABLE: std::sync::OnceLock<Table> = std::sync::OnceLock::new();
        TABLE.get_or_init(|| {
            TableBuilder::plain("t", "T")
                .column(id())
                .column(of_type("v", SqlType::Enum(&SPACES)))
                .build()
        })
    }
    in_database(|url| async move {
        let engine = Engine::connect(url).await.unwrap();
        for table in [numbers as TableFn, spaces] {
            let error =
                engine.create_all(&Schema::new([users as TableFn, table])).await.unwrap_err();
            assert!(matches!(error, Error::Misuse(_)), "{error}");
            assert!(error.to_string().contains("`t.v`"), "{error}");
        }
        let mut connection = engine.connection().await.unwrap();
        let sql = "SELECT count(*) FROM information_schema.tables WHERE table_schema = database()";
        assert_eq!(number(&mut connection, sql).await, 0);
    })
    .await;
}
