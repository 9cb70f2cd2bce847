//! Writes of many rows, with and without RETURNING.

use super::*;

/// Both ways to speak to MariaDB: with RETURNING, and as to MySQL without.
async fn both(url: &str) -> [Engine; 2] {
    [
        Engine::connect(url).await.unwrap(),
        Engine::builder(url).returning(false).connect().await.unwrap(),
    ]
}

#[tokio::test]
async fn generated_keys_come_in_the_order_of_the_rows() {
    in_database(|url| async move {
        for engine in both(&url).await {
            engine.create_all(&Schema::new([users as TableFn, posts])).await.unwrap();
            let mut connection = engine.connection().await.unwrap();
            run(
                &mut connection,
                "INSERT INTO users (id, email) VALUES (0, 'nil@x'), (41, 'old@x')",
            )
            .await;
            assert_eq!(number(&mut connection, "SELECT min(id) FROM users").await, 0);
            let emails = |from: i64| (from..from + 500).map(|n| words(&format!("{n}@x"))).collect();
            let mut rows = insert_rows(users(), &["email"], emails(0));
            rows.returning = vec![0];
            let insert = render_insert(engine.dialect(), rows).unwrap();
            let mut keys = Rows(vec![SqlType::I64], vec![]);
            let done = connection.run(insert, &mut keys).await.unwrap();
            assert_eq!(done.rows, 500);
            assert_eq!(
                done.first_key.filter(|_| !engine.dialect().capabilities().returning_on_insert),
                (!engine.dialect().capabilities().returning_on_insert).then_some(42)
            );
            let expected: Vec<_> = (42..542).map(|key| vec![Value::Int(key)]).collect();
            if engine.dialect().capabilities().returning_on_insert {
                assert_eq!(keys.1, expected);
            } else {
                assert!(keys.1.is_empty());
                let sql = "SELECT count(*) FROM users WHERE email = concat(id - 42, '@x')";
                assert_eq!(number(&mut connection, sql).await, 500);
            }
            // All columns left to the server.
            run(
                &mut connection,
                "CREATE TABLE d (id BIGINT AUTO_INCREMENT PRIMARY KEY, n INT DEFAULT 7)",
            )
            .await;
            let table = table(
                TableBuilder::plain("d", "D")
                    .column(id())
                    .column(ColumnDef::new::<i32>("n", "n").server_default("7")),
            );
            let rows = InsertRows {
                table,
                columns: vec![],
                rows: 3,
                values: vec![],
                returning: vec![0, 1],
                on_conflict: OnConflict::Fail,
            };
            let mut returned = Rows(vec![SqlType::I64, SqlType::I32], vec![]);
            let insert = render_insert(engine.dialect(), rows).unwrap();
            assert_eq!(connection.run(insert, &mut returned).await.unwrap().rows, 3);
            assert_eq!(number(&mut connection, "SELECT sum(n) + sum(id) FROM d").await, 27);
            drop(connection);
            engine.drop_all(&Schema::new([users as TableFn, posts])).await.unwrap();
            run(&mut engine.connection().await.unwrap(), "DROP TABLE d").await;
        }
    })
    .await;
}

#[tokio::test]
async fn existing_pairs_are_left_alone_and_other_errors_are_not() {
    in_database(|url| async move {
        let engine = Engine::connect(url).await.unwrap();
        let schema = Schema::new([users as TableFn, posts, tags]);
        engine.create_all(&schema).await.unwrap();
        let mut connection = engine.connection().await.unwrap();
        let connection = &mut connection;
        run(connection, "INSERT INTO users (email) VALUES ('ada@x')").await;
        run(connection, "INSERT INTO posts (title, user_id) VALUES ('a', 1), ('b', 1)").await;
        run(connection, "INSERT INTO tags (name) VALUES ('x'), ('y')").await;
        // The same pairs with a key of their own, and with a further unique column.
        run(connection, "CREATE TABLE keyed (id BIGINT AUTO_INCREMENT PRIMARY KEY, post_id BIGINT, tag_id BIGINT, UNIQUE (post_id, tag_id))").await;
        run(connection, "CREATE TABLE unique_too (post_id BIGINT, tag_id BIGINT, rank INT UNIQUE DEFAULT 1, PRIMARY KEY (post_id, tag_id))").await;
        let pair = |name: &'static str| {
            TableBuilder::plain(name, "Pair")
                .column(ColumnDef::new::<i64>("post_id", "post_id"))
                .column(ColumnDef::new::<i64>("tag_id", "tag_id"))
        };
        let keyed = table(pair("keyed").column(id()).unique(&["post_id", "tag_id"], None));
        let mut unique_too = pair("unique_too")
            .column(ColumnDef::new::<i32>("rank", "rank").unique().server_default("1"));
        unique_too = unique_too.unique(&["post_id", "tag_id"], None);
        // Its primary key is as good as any other.
        let unique_too = table(unique_too.column(ColumnDef::new::<i64>("id", "post_id_too").primary_key()));
        for (table, hidden) in [(post_tags(), false), (keyed, false), (unique_too, true)] {
            let insert = |connection: &Connection, pairs: &[(i64, i64)]| {
                let values = pairs.iter().flat_map(|(a, b)| [Value::Int(*a), Value::Int(*b)]).collect();
                let mut rows = insert_rows(table, &["post_id", "tag_id"], values);
                rows.on_conflict = OnConflict::Skip(rows.columns.clone());
                render_insert(connection.dialect(), rows).unwrap()
            };
            let name = table.name();
            let first = insert(connection, &[(1, 1)]);
            connection.run(first, &mut ()).await.unwrap();
            let again = insert(connection, &[(1, 1)]);
            connection.run(again, &mut ()).await.unwrap();
            assert_eq!(number(connection, &format!("SELECT count(*) FROM {name}")).await, 1);
            let more = insert(connection, &[(1, 1), (2, 2)]);
            let outcome = connection.run(more, &mut ()).await;
            if hidden {
                // The other unique key has a duplicate, which is no pair that exists.
                assert!(matches!(outcome, Err(Error::UniqueViolation(_))), "{outcome:?}");
            } else {
                outcome.unwrap();
                assert_eq!(number(connection, &format!("SELECT count(*) FROM {name}")).await, 2);
            }
        }
        // Other violations stay errors.
        let rows = insert_rows(post_tags(), &["post_id", "tag_id"], vec![Value::Int(1), Value::Int(99)]);
        let rows = InsertRows { on_conflict: OnConflict::Skip(rows.columns.clone()), ..rows };
        let insert = render_insert(connection.dialect(), rows).unwrap();
        let error = connection.run(insert, &mut ()).await.unwrap_err();
        assert!(matches!(error, Error::ForeignKeyViolation(_)), "{error}");
    })
    .await;
}

#[tokio::test]
async fn updates_see_the_old_row_and_count_what_they_match() {
    in_database(|url| async move {
        let engine = Engine::connect(url).await.unwrap();
        let mut connection = engine.connection().await.unwrap();
        let connection = &mut connection;
        let table = table(
            TableBuilder::plain("t", "T")
                .column(ColumnDef::new::<String>("code", "code").primary_key())
                .column(ColumnDef::new::<i32>("a", "a"))
                .column(ColumnDef::new::<i32>("b", "b"))
                .column(ColumnDef::new::<i32>("c", "c")),
        );
        create(connection, table).await;
        run(connection, "INSERT INTO t VALUES ('x', 1, 2, 3), ('y', 10, 20, 30), ('x ', 0, 0, 0)")
            .await;
        let column = |name| Expr::Column(ColumnRef::scoped(table, at(table, name)));
        let plus_one = |name| Expr::binary(column(name), BinaryOp::Add, Expr::Integer(1));
        let update =
            |connection: &Connection, keys: &[&str], c: i64, expressions: Vec<(usize, Expr)>| {
                let values = keys.iter().flat_map(|key| [words(key), Value::Int(c)]).collect();
                let rows = UpdateRows {
                    table,
                    key: vec![0],
                    set: vec![3],
                    expressions,
                    rows: keys.len(),
                    values,
                    returning: vec![0, 3],
                };
                render_update(connection.dialect(), rows).unwrap()
            };
        let all =
            "SELECT group_concat(code, ':', a, ',', b, ',', c ORDER BY code SEPARATOR ' ') FROM t";
        // A swap, and an expression of a column that gets a value.
        let swap = || vec![(1, column("b")), (2, column("a"))];
        let one = update(connection, &["x"], 7, swap());
        assert_eq!(connection.run(one, &mut ()).await.unwrap().rows, 1);
        assert_eq!(text(connection, all).await, "x:2,1,7 x :0,0,0 y:10,20,30");
        let two = update(connection, &["x", "y", "z"], 8, swap());
        assert_eq!(connection.run(two, &mut ()).await.unwrap().rows, 2);
        assert_eq!(text(connection, all).await, "x:1,2,8 x :0,0,0 y:20,10,8");
        let two = update(connection, &["x", "y"], 0, vec![(1, plus_one("c"))]);
        connection.run(two, &mut ()).await.unwrap();
        assert_eq!(text(connection, all).await, "x:9,2,0 x :0,0,0 y:9,10,0");
        // What is as it should be already is matched all the same.
        for keys in [&["x"][..], &["x", "y"]] {
            let same = update(connection, keys, 0, vec![]);
            assert_eq!(connection.run(same, &mut ()).await.unwrap().rows, keys.len() as u64);
        }
        // As MySQL, which assigns one after the other.
        let mysql = configured(&MYSQL, false, true, Naming::AsDeclared);
        run(connection, "SET sql_mode = replace(@@sql_mode, 'SIMULTANEOUS_ASSIGNMENT', '')").await;
        for keys in [&["x"][..], &["x", "y"]] {
            let values = keys.iter().flat_map(|key| [words(key), Value::Int(5)]).collect();
            let rows = UpdateRows {
                table,
                key: vec![0],
                set: vec![3],
                expressions: vec![(2, plus_one("c")), (1, column("b"))],
                rows: keys.len(),
                values,
                returning: vec![],
            };
            run(connection, "UPDATE t SET a = 0, b = 20, c = 30").await;
            connection.run(render_update(mysql, rows).unwrap(), &mut ()).await.unwrap();
            assert!(text(connection, all).await.starts_with("x:20,31,5 "));
        }
        // Keys change, and the rows are found by the old ones.
        let rows = UpdateRows {
            table,
            key: vec![0],
            set: vec![0],
            expressions: vec![],
            rows: 2,
            values: ["x", "X", "y", "Y"].map(words).to_vec(),
            returning: vec![],
        };
        let rekey = render_update(connection.dialect(), rows).unwrap();
        assert_eq!(connection.run(rekey, &mut ()).await.unwrap().rows, 2);
        assert_eq!(
            text(connection, "SELECT group_concat(code ORDER BY code) FROM t").await,
            "X,Y,x "
        );
    })
    .await;
}

#[tokio::test]
async fn long_lists_of_keys_find_their_rows() {
    in_database(|url| async move {
        for engine in both(&url).await {
            let mut connection = engine.connection().await.unwrap();
            let connection = &mut connection;
            let table = table(
                TableBuilder::plain("t", "T")
                    .column(ColumnDef::new::<i64>("a", "a").primary_key())
                    .column(ColumnDef::new::<String>("b", "b").primary_key()),
            );
            create(connection, table).await;
            run(connection, "INSERT INTO t SELECT seq, concat('k', seq) FROM seq_1_to_5000").await;
            let keys = [0, 1].map(|column| ColumnRef::scoped(table, column));
            for count in [1, 3, 999, 1_000, 1_001, 2_000, 4_999] {
                for width in [1, 2] {
                    let key = |n: i64| [Value::Int(n), words(&format!("k{n}"))][..width].to_vec();
                    let found = (1..=count).map(key).collect();
                    let mut select = Select::from(table);
                    select.columns = vec![(Expr::Column(keys[0]), None)];
                    select.and_filter(Expr::Keys { columns: keys[..width].to_vec(), keys: found });
                    let mut rows = Rows(vec![SqlType::I64], vec![]);
                    let select = render_select(connection.dialect(), &select).unwrap();
                    connection.run(select, &mut rows).await.unwrap();
                    assert_eq!(rows.1.len(), usize::try_from(count).unwrap(), "{width}");
                }
            }
            let delete = DeleteRows {
                table,
                key: vec![0, 1],
                rows: 4_000,
                values: (1..=4_000)
                    .flat_map(|n| [Value::Int(n), words(&format!("k{n}"))])
                    .collect(),
                returning: vec![0],
            };
            let delete = render_delete(connection.dialect(), delete).unwrap();
            let mut rows = Rows(vec![SqlType::I64], vec![]);
            assert_eq!(connection.run(delete, &mut rows).await.unwrap().rows, 4_000);
            let returned = connection.dialect().capabilities().returning_on_delete;
            assert_eq!(rows.1.len(), if returned { 4_000 } else { 0 });
            assert_eq!(number(connection, "SELECT count(*) FROM t").await, 1_000);
            run(connection, "DROP TABLE t").await;
        }
    })
    .await;
}
