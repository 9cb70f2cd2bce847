//! Tables and types, created, changed and dropped, and the keys that they generate.

use super::*;

#[tokio::test]
async fn types_may_be_made_anew() {
    in_schema(async |database| {
        let engine = database.builder().max_connections(1).connect().await.unwrap();
        for _ in 0..3 {
            engine.create_all(&sample()).await.unwrap();
            let mut connection = engine.connection().await.unwrap();
            connection.begin().await.unwrap();
            let mood = vec![Value::Text("ada@example.org".into()), Value::Label("it's ok")];
            let insert = insert_into(users(), &["email", "mood"], mood, &["mood"]);
            let read = values(&mut connection, insert, &[SqlType::Text]).await;
            assert_eq!(read, [Value::Text("it's ok".into())]);
            connection.commit().await.unwrap();
            let select = Statement::plain(r#"SELECT "mood" FROM "users""#);
            assert_eq!(values(&mut connection, select, &[SqlType::Text]).await.len(), 1);
            drop(connection);
            engine.drop_all(&sample()).await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn schemas_are_created_by_several_at_once() {
    in_schema(async |database| {
        let mut engines = Vec::new();
        for _ in 0..6 {
            engines.push(database.engine().await);
        }
        for _ in 0..5 {
            let schema = sample();
            let all = engines.iter().map(|engine| engine.create_all(&schema));
            for outcome in futures_util::future::join_all(all).await {
                outcome.unwrap();
            }
            let all = engines.iter().map(|engine| engine.drop_all(&schema));
            for outcome in futures_util::future::join_all(all).await {
                outcome.unwrap();
            }
        }
        let mut connection = engines[0].connection().await.unwrap();
        let left = "SELECT count(*) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace \
                    WHERE nspname = current_schema()";
        assert_eq!(number(&mut connection, left).await, 0);
        assert_eq!(
            number(
                &mut connection,
                &left.replace("pg_class", "pg_type").replace("relnamespace", "typnamespace")
            )
            .await,
            0
        );
    })
    .await;
}

/// A table of one column of a type with these labels.
fn moody(labels: &'static [&'static str]) -> Table {
    let mood = Box::leak(Box::new(EnumType { name: "mood", labels }));
    let id = ColumnDef::new::<i64>("id", "id").primary_key();
    let mood = ColumnDef::with_facts("mood", "mood", Facts::new(SqlType::Enum(mood)));
    TableBuilder::plain("moods", "Mood").column(id).column(mood).build()
}

fn labels_of_old() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| moody(&["b", "d"]))
}

fn labels_of_new() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| moody(&["a", "b", "c'\\", "d", "e", "f"]))
}

#[tokio::test]
async fn a_type_gets_the_labels_that_it_lacks_and_stays_while_it_is_used() {
    in_schema(async |database| {
        let engine = database.engine().await;
        engine.create_all(&Schema::new([labels_of_old as TableFn])).await.unwrap();
        for _ in 0..2 {
            engine.create_all(&Schema::new([labels_of_new as TableFn])).await.unwrap();
        }
        let mut connection = engine.connection().await.unwrap();
        let labels = "SELECT array_agg(enumlabel::text ORDER BY enumsortorder) FROM pg_enum \
                      WHERE enumtypid = 'mood'::regtype";
        let array = SqlType::Array(&SqlType::Text);
        let read = values(&mut connection, Statement::plain(labels), &[array]).await;
        let expected = ["a", "b", "c'\\", "d", "e", "f"].map(|label| Value::Text(label.into()));
        assert_eq!(read, [Value::Array(expected.to_vec())]);
        words(&mut connection, "CREATE TABLE outside (mood mood)").await;
        engine.drop_all(&Schema::new([labels_of_new as TableFn])).await.unwrap();
        let known = "SELECT count(*) FROM pg_type WHERE oid = to_regtype('mood')";
        assert_eq!(number(&mut connection, known).await, 1);
        words(&mut connection, "DROP TABLE outside").await;
        engine.drop_all(&Schema::new([labels_of_new as TableFn])).await.unwrap();
        assert_eq!(number(&mut connection, known).await, 0);
    })
    .await;
}

fn left() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        TableBuilder::plain("left", "Left")
            .comment("it's \\ commented")
            .column(ColumnDef::new::<i32>("id", "id").primary_key().autoincrement())
            .column(ColumnDef::new::<Option<i32>>("right_id", "right_id").comment("the other"))
            .column(ColumnDef::new::<u8>("small", "small").server_default("1"))
            .foreign_key(&["right_id"], Target::PrimaryKey(right), Action::Cascade, Action::SetNull)
            .build()
    })
}

fn right() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        TableBuilder::plain("right", "Right")
            .column(ColumnDef::new::<i32>("id", "id").primary_key().autoincrement())
            .column(ColumnDef::new::<Option<i32>>("left_id", "left_id"))
            .foreign_key(&["left_id"], Target::PrimaryKey(left), Action::NoAction, Action::NoAction)
            .build()
    })
}

#[tokio::test]
async fn tables_that_reference_each_other_and_their_comments() {
    in_schema(async |database| {
        let engine = database.engine().await;
        let schema = Schema::new([left as TableFn, right]);
        engine.create_all(&schema).await.unwrap();
        engine.create_all(&schema).await.unwrap();
        let mut connection = engine.connection().await.unwrap();
        let keys = "SELECT count(*) FROM pg_constraint \
                    WHERE contype = 'f' AND connamespace = current_schema()::regnamespace";
        assert_eq!(number(&mut connection, keys).await, 2);
        let comments = r#"SELECT obj_description('"left"'::regclass), col_description('"left"'::regclass, 2)"#;
        let read = values(&mut connection, Statement::plain(comments), &[SqlType::Text; 2]).await;
        assert_eq!(read, ["it's \\ commented", "the other"].map(|text| Value::Text(text.into())));
        let outside = r#"CREATE TABLE outside (id int REFERENCES "left"); INSERT INTO "left" DEFAULT VALUES; INSERT INTO outside VALUES (1)"#;
        words(&mut connection, outside).await;
        engine.drop_all(&schema).await.unwrap();
        engine.drop_all(&schema).await.unwrap();
        assert_eq!(number(&mut connection, "SELECT count(*) FROM outside").await, 1);
    })
    .await;
}

#[tokio::test]
async fn generated_keys_go_on_behind_given_ones() {
    in_schema(async |database| {
        let engine = database.engine().await;
        engine.create_all(&sample()).await.unwrap();
        let mut connection = engine.connection().await.unwrap();
        let c = &mut connection;
        let with_key = |key| {
            let values = vec![Value::Int(key), Value::Text(format!("{key}@given"))];
            insert_into(users(), &["id", "email"], values, &[])
        };
        let mut generated = 0;
        let mut next = async |c: &mut Ours| {
            generated += 1;
            let insert = user(&format!("{generated}@generated"));
            values(c, insert, &[SqlType::I64]).await
        };
        assert_eq!(next(c).await, [Value::Int(1)]);
        for key in [5, 100] {
            c.run(with_key(key), &mut ()).await.unwrap();
            assert_eq!(next(c).await, [Value::Int(key + 1)]);
        }
        // It isn't behind: nothing moves.
        for key in [-7, 50] {
            c.run(with_key(key), &mut ()).await.unwrap();
        }
        assert_eq!(next(c).await, [Value::Int(102)]);
    })
    .await;
}

#[tokio::test]
async fn generated_keys_come_in_the_order_of_the_rows() {
    in_schema(async |database| {
        let engine = database.engine().await;
        engine.create_all(&sample()).await.unwrap();
        let mut connection = engine.connection().await.unwrap();
        let emails: Vec<String> =
            (0..1_000).map(|row| format!("{}@x", (row * 617) % 1_000)).collect();
        let given = emails.iter().map(|email| Value::Text(email.clone())).collect();
        let insert = insert_into(users(), &["email"], given, &["id", "email"]);
        let types = [SqlType::I64, SqlType::Text];
        let mut rows: Vec<(i64, String)> = values(&mut connection, insert, &types)
            .await
            .chunks(2)
            .map(|row| match row {
                [Value::Int(id), Value::Text(email)] => (*id, email.clone()),
                other => panic!("{other:?}"),
            })
            .collect();
        rows.sort();
        let sorted: Vec<String> = rows.into_iter().map(|(_, email)| email).collect();
        assert_eq!(sorted, emails);
        let defaults = InsertRows {
            table: left(),
            columns: vec![],
            rows: 3,
            values: vec![],
            returning: vec![0],
            on_conflict: OnConflict::Fail,
        };
        engine.create_all(&Schema::new([left as TableFn, right])).await.unwrap();
        let defaults = render_insert(&POSTGRES, defaults).unwrap();
        let keys = values(&mut connection, defaults, &[SqlType::I32]).await;
        assert_eq!(keys, [1, 2, 3].map(Value::Int));
    })
    .await;
}

#[tokio::test]
async fn names_in_snake_case() {
    in_schema(async |database| {
        let engine = database.builder().naming(Naming::SnakeCase).connect().await.unwrap();
        let mut connection = engine.connection().await.unwrap();
        let id = ColumnDef::new::<i64>("id", "TrackId").primary_key();
        let title = ColumnDef::new::<String>("title", "Title").unique().comment("its name");
        let table = TableBuilder::plain("MediaTrack", "Track").column(id).column(title).build();
        let table: &'static Table = Box::leak(Box::new(table));
        for statement in ddl::create_table(engine.dialect(), table, &[]) {
            connection.run(statement, &mut ()).await.unwrap();
        }
        let row = || vec![Value::Int(1), Value::Text("secret".into())];
        let columns = vec![0, 1];
        let rows = |values| InsertRows {
            table,
            columns: columns.clone(),
            rows: 1,
            values,
            returning: vec![1],
            on_conflict: OnConflict::Fail,
        };
        let insert = render_insert(engine.dialect(), rows(row())).unwrap();
        connection.run_on(table, insert, &mut ()).await.unwrap();
        let again = vec![Value::Int(2), Value::Text("secret".into())];
        let insert = render_insert(engine.dialect(), rows(again)).unwrap();
        let error = connection.run_on(table, insert, &mut ()).await.unwrap_err();
        assert_eq!(error.violation().unwrap().columns, ["Title"]);
        assert_eq!(number(&mut connection, "SELECT count(track_id) FROM media_track").await, 1);
    })
    .await;
}
