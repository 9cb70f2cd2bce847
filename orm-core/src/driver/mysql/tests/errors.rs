//! What the server says, and what becomes of it.

use super::*;

#[tokio::test]
async fn violations_name_table_columns_and_constraint() {
    in_database(|url| async move {
        let engine = Engine::connect(url).await.unwrap();
        engine.create_all(&Schema::new([users as TableFn, posts, tags])).await.unwrap();
        let mut connection = engine.connection().await.unwrap();
        let connection = &mut connection;
        connection.run(user("ada@example.org"), &mut ()).await.unwrap();
        let post = insert(posts(), &["title", "user_id"], vec![words("t"), Value::Int(1)]);
        connection.run(post, &mut ()).await.unwrap();
        let negative = vec![words("bob@example.org"), Value::Int(-1)];
        let orphan = vec![words("t"), Value::Int(99)];
        let pair = insert(post_tags(), &["post_id", "tag_id"], vec![Value::Int(1), Value::Int(99)]);
        let twice = vec![Value::Int(1), words("bob@example.org")];
        let hostile = words("x' for key 'uq_users_age'@example.org");
        let hostiles = insert(users(), &["email"], vec![hostile.clone(), hostile]);
        let delete = DeleteRows {
            table: users(),
            key: vec![0],
            rows: 1,
            values: vec![Value::Int(1)],
            returning: vec![],
        };
        let delete = render_delete(connection.dialect(), delete).unwrap();
        for (table, of, statement, columns, constraint) in [
            (users(), "users", user("ada@example.org"), vec!["email"], Some("uq_users_email")),
            (users(), "users", hostiles, vec!["email"], Some("uq_users_email")),
            (users(), "users", insert(users(), &["id", "email"], twice), vec!["id"], Some("pk_users")),
            (users(), "users", user("a"), vec![], Some("ck_users_1")),
            (users(), "users", insert(users(), &["email", "age"], negative), vec!["age"], Some("ck_users_age")),
            (users(), "users", insert(users(), &["email"], vec![Value::Null]), vec!["email"], None),
            (users(), "users", insert(users(), &["age"], vec![Value::Int(1)]), vec!["email"], None),
            (posts(), "posts", insert(posts(), &["title", "user_id"], orphan), vec!["user_id"], Some("fk_posts_user_id")),
            (post_tags(), "post_tags", pair, vec!["tag_id"], Some("fk_post_tags_tag_id")),
        ] {
            let error = connection.run_on(table, statement, &mut ()).await.unwrap_err();
            let violation = error.violation().unwrap_or_else(|| panic!("{error}"));
            assert_eq!(violation.table.as_deref(), Some(of), "{error}");
            assert_eq!(violation.columns, columns, "{error}");
            assert_eq!(violation.constraint.as_deref(), constraint, "{error}");
            assert!(!error.to_string().contains("example"), "{error}");
        }
        // The row can go as soon as no post leads to it.
        run(connection, "ALTER TABLE posts DROP FOREIGN KEY fk_posts_user_id, ADD CONSTRAINT `od``d (` FOREIGN KEY (user_id) REFERENCES users (id)").await;
        let error = connection.run_on(users(), delete, &mut ()).await.unwrap_err();
        let Error::ForeignKeyViolation(violation) = &error else { panic!("{error}") };
        assert_eq!(violation.table.as_deref(), Some("posts"), "{error}");
        // The row that still points to it is of another table, which its relationships lead to.
        assert_eq!(violation.columns, ["user_id"], "{error}");
        assert_eq!(violation.constraint.as_deref(), Some("od`d ("), "{error}");
    })
    .await;
}

#[tokio::test]
async fn names_are_declared_ones_in_errors_whatever_their_spelling() {
    static TABLE: std::sync::OnceLock<Table> = std::sync::OnceLock::new();
    let table: &'static Table = TABLE.get_or_init(|| {
        TableBuilder::plain("InvoiceLine", "InvoiceLine")
            .column(id())
            .column(ColumnDef::new::<String>("track_name", "TrackName").unique())
            .build()
    });
    in_database(|url| async move {
        let engine = Engine::builder(url).naming(Naming::SnakeCase).connect().await.unwrap();
        engine.create_all(&Schema::new([|| TABLE.get().unwrap()] as [TableFn; 1])).await.unwrap();
        let mut connection = engine.connection().await.unwrap();
        let columns = text(
            &mut connection,
            "SELECT concat(table_name, '.', column_name) FROM information_schema.columns \
             WHERE table_schema = database() AND ordinal_position = 2",
        );
        assert_eq!(columns.await, "invoice_line.track_name");
        let dialect = engine.dialect();
        let rows = insert_rows(table, &["TrackName"], vec![words("secret"), words("secret")]);
        let insert = render_insert(dialect, rows).unwrap();
        let error = connection.run_on(table, insert, &mut ()).await.unwrap_err();
        let Error::UniqueViolation(violation) = &error else { panic!("{error}") };
        assert_eq!(violation.table.as_deref(), Some("InvoiceLine"));
        assert_eq!(violation.columns, ["TrackName"]);
        assert_eq!(violation.constraint.as_deref(), Some("uq_InvoiceLine_TrackName"));
        let rows = insert_rows(table, &["TrackName"], vec![Value::Null]);
        let insert = render_insert(dialect, rows).unwrap();
        let error = connection.run_on(table, insert, &mut ()).await.unwrap_err();
        let Error::NotNullViolation(violation) = &error else { panic!("{error}") };
        assert_eq!(violation.columns, ["TrackName"]);
    })
    .await;
}

/// What is wrong with a value is said, and where, without the value.
#[tokio::test]
async fn messages_keep_values_to_themselves() {
    in_database(|url| async move {
        let engine = Engine::connect(url).await.unwrap();
        let mut connection = engine.connection().await.unwrap();
        let connection = &mut connection;
        run(connection, "CREATE TABLE t (id INT PRIMARY KEY, s VARCHAR(3), n TINYINT, d DATE, e ENUM('a'), j JSON, u INT UNSIGNED, m DECIMAL(4, 2), c CHAR(3) CHARACTER SET latin1)").await;
        for (column, value, place) in [
            ("s", "'secret'", Some("s")),
            ("n", "'secret'", Some("n")),
            ("n", "12345", Some("n")),
            ("m", "12345", Some("m")),
            ("d", "'secret'", Some("d")),
            ("d", "'2024-02-30'", Some("d")),
            ("d", "'0000-00-00'", Some("d")),
            ("e", "'secret'", Some("e")),
            ("e", "''", Some("e")),
            ("c", "'😀'", Some("c")),
            ("u", "-12345", Some("u")),
            ("id", "1 / 0", None),
            ("n", "9223372036854775807 + 12345", None),
            ("j", "json_extract('{}', 'secret')", None),
            ("j", "'{secret'", None),
            ("s", "unhex('ff')", Some("s")),
            ("d", "str_to_date('secret', '%Y')", None),
            ("s", "regexp_substr('x', '(secret')", None),
        ] {
            let columns = if column == "id" { "id".to_owned() } else { format!("id, {column}") };
            let values = if column == "id" { value.to_owned() } else { format!("1, {value}") };
            let error = connection
                .run(Statement::plain(format!("INSERT INTO t ({columns}) VALUES ({values})")), &mut ())
                .await;
            let Err(error) = error else {
                run(connection, "DELETE FROM t").await;
                assert!(value.starts_with("json_extract"), "{column}: {value}");
                continue;
            };
            let message = error.to_string();
            for secret in ["secret", "12345", "2024", "0000", "😀"] {
                assert!(!message.contains(secret), "{message}");
            }
            if let Some(place) = place {
                let Error::Type { place: found, .. } = &error else { panic!("{value}: {error:?}") };
                assert!(found.ends_with(&format!("{place}`")), "{message}");
            }
        }
        // Names of the schema are said, though.
        for (sql, named) in [
            ("SELECT * FROM nowhere", "nowhere"),
            ("SELECT nothing FROM t", "nothing"),
            ("SELECT FROM WHERE", "WHERE"),
            ("SELECT no_such_function(1)", "no_such_function"),
        ] {
            let error = fails(connection, sql).await;
            assert!(matches!(&error, Error::Database { code: Some(_), .. }), "{error:?}");
            assert!(error.to_string().contains(named), "{error}");
        }
        // Also where a value is in the statement's binds.
        run(connection, "INSERT INTO t (id) VALUES (1)").await;
        let binds = vec![Bind::one(words("secret"), SqlType::Text)];
        let update = Statement { binds, ..Statement::plain("UPDATE t SET n = n + ?") };
        let error = connection.run(update, &mut ()).await;
        assert!(error.is_err_and(|error| !error.to_string().contains("secret")));
    })
    .await;
}
