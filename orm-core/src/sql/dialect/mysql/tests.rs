//! The texts of both servers.

use super::*;
use crate::model::{Action, TableBuilder, Target};
use crate::sql::ddl::{create_table, drop_table};
use crate::sql::testing::{at, post_tags, posts, tags, users};
use crate::sql::{
    Aggregate, ColumnRef, RowLock, Select, Statement, max_rows, render_delete, render_insert,
    render_select, render_update,
};
use crate::value::EnumType;

fn mariadb() -> &'static MySql {
    configured(&MARIADB, true, true, Naming::AsDeclared)
}

fn mysql() -> &'static MySql {
    configured(&MYSQL, true, true, Naming::AsDeclared)
}

#[track_caller]
fn check(statement: Result<Statement>, expected: &str, binds: &[i64]) {
    let statement = statement.unwrap();
    assert_eq!(&*statement.text, expected);
    let values: Vec<_> = statement.binds.into_iter().map(|bind| bind.value).collect();
    assert_eq!(values, ints(binds));
}

fn ints(values: &[i64]) -> Vec<Value> {
    values.iter().copied().map(Value::Int).collect()
}

fn column(name: &str) -> Expr {
    Expr::Column(ColumnRef::scoped(users(), at(users(), name)))
}

fn int(value: i64) -> Expr {
    Expr::bind(Value::Int(value), SqlType::I64)
}

#[test]
fn every_configuration_is_another_dialect() {
    for server in [&MARIADB, &MYSQL] {
        for (returning, keys) in [(true, true), (true, false), (false, true), (false, false)] {
            for naming in [Naming::AsDeclared, Naming::SnakeCase] {
                let dialect = configured(server, returning, keys, naming);
                let able = dialect.capabilities();
                let gives_back = returning && server.name == "MariaDB";
                assert_eq!(dialect.server.name, server.name);
                assert_eq!(dialect.naming(), naming);
                assert_eq!(able.returning_on_insert, gives_back);
                assert_eq!(able.returning_on_delete, gives_back);
                assert!(!able.returning_on_update);
                assert_eq!(able.ordered_keys, gives_back || keys);
            }
        }
    }
}

fn rows(columns: &[&str], rows: usize, values: &[i64], returning: Vec<usize>) -> InsertRows {
    let columns = columns.iter().map(|name| at(users(), name)).collect();
    let values = ints(values);
    InsertRows { table: users(), columns, rows, values, returning, skip_existing: vec![] }
}

#[test]
fn inserts() {
    let two = || rows(&["email", "age"], 2, &[1, 2, 3, 4], vec![0, 1]);
    check(
        render_insert(mariadb(), two()),
        "INSERT INTO `users` (`email`, `age`) VALUES (?, ?), (?, ?) RETURNING `id`, `created_at`",
        &[1, 2, 3, 4],
    );
    let without = configured(&MARIADB, false, true, Naming::AsDeclared);
    for dialect in [without, mysql()] {
        check(
            render_insert(dialect, two()),
            "INSERT INTO `users` (`email`, `age`) VALUES (?, ?), (?, ?)",
            &[1, 2, 3, 4],
        );
    }
    check(
        render_insert(mariadb(), rows(&[], 1, &[], vec![0])),
        "INSERT INTO `users` () VALUES () RETURNING `id`",
        &[],
    );
    check(
        render_insert(mysql(), rows(&[], 3, &[], vec![0])),
        "INSERT INTO `users` () VALUES (), (), ()",
        &[],
    );
    assert!(render_insert(mariadb(), rows(&["email"], 2, &[1], vec![])).is_err());
    assert_eq!(max_rows(mariadb(), 5), 500);
    assert_eq!(max_rows(mariadb(), 1_000), 65);
}

#[test]
fn existing_rows_are_skipped() {
    let pairs = InsertRows {
        table: post_tags(),
        columns: vec![0, 1],
        rows: 2,
        values: ints(&[1, 2, 3, 4]),
        returning: vec![],
        skip_existing: vec![0, 1],
    };
    check(
        render_insert(mariadb(), pairs.clone()),
        "INSERT INTO `post_tags` (`post_id`, `tag_id`) VALUES (?, ?), (?, ?) \
             ON DUPLICATE KEY UPDATE `post_id` = `post_tags`.`post_id`",
        &[1, 2, 3, 4],
    );
    // Another unique key could be the duplicate one.
    let email = at(users(), "email");
    let rows =
        InsertRows { table: users(), columns: vec![0, email], skip_existing: vec![email], ..pairs };
    check(
        render_insert(mariadb(), rows.clone()),
        "INSERT INTO `users` (`id`, `email`) SELECT `orm_given`.`orm_c0`, `orm_given`.`orm_c1` \
             FROM (SELECT ? AS `orm_c0`, CAST(? AS CHAR) AS `orm_c1` UNION ALL \
             SELECT ?, CAST(? AS CHAR)) AS `orm_given` WHERE NOT EXISTS (SELECT 1 FROM `users` \
             WHERE `users`.`email` = `orm_given`.`orm_c1`)",
        &[1, 2, 3, 4],
    );
    // A generated key is no duplicate.
    let rows = InsertRows { columns: vec![email], values: ints(&[1, 2]), ..rows };
    check(
        render_insert(mariadb(), rows),
        "INSERT INTO `users` (`email`) VALUES (?), (?) \
             ON DUPLICATE KEY UPDATE `email` = `users`.`email`",
        &[1, 2],
    );
}

#[test]
fn updates() {
    let age = at(users(), "age");
    let update = |dialect: &MySql, rows: usize, values: &[i64]| {
        let older = Expr::binary(column("age"), BinaryOp::Add, Expr::Integer(1));
        let update = UpdateRows {
            table: users(),
            key: vec![0, age],
            set: vec![at(users(), "boss_id"), at(users(), "email")],
            expressions: vec![(2, Expr::Authored("CURRENT_TIMESTAMP")), (age, older)],
            rows,
            values: ints(values),
            returning: vec![0, 2],
        };
        render_update(dialect, update)
    };
    let one = "UPDATE `users` SET `updated_at` = utc_timestamp(6), `age` = `users`.`age` + 1, \
                   `boss_id` = ?, `email` = ? WHERE `id` = ? AND `age` = ?";
    check(update(mariadb(), 1, &[1, 2, 3, 4]), one, &[3, 4, 1, 2]);
    check(update(mysql(), 1, &[1, 2, 3, 4]), one, &[3, 4, 1, 2]);
    let eight = [1, 2, 3, 4, 5, 6, 7, 8];
    let rest = " AS `orm_given` ON `users`.`id` = `orm_given`.`orm_k0` AND \
                    `users`.`age` = `orm_given`.`orm_k1` SET `updated_at` = utc_timestamp(6), \
                    `age` = `users`.`age` + 1, `boss_id` = `orm_given`.`orm_s0`, \
                    `email` = `orm_given`.`orm_s1`";
    let given = "UPDATE `users` JOIN (SELECT ? AS `orm_k0`, ? AS `orm_k1`, ? AS `orm_s0`, \
                     CAST(? AS CHAR) AS `orm_s1` UNION ALL SELECT ?, ?, ?, CAST(? AS CHAR))";
    check(update(mariadb(), 2, &eight), &format!("{given}{rest}"), &eight);
    let given = "UPDATE `users` JOIN (SELECT CAST(? AS SIGNED) AS `orm_k0`, \
                     CAST(? AS SIGNED) AS `orm_k1`, CAST(? AS SIGNED) AS `orm_s0`, \
                     CAST(? AS CHAR) AS `orm_s1` UNION ALL SELECT CAST(? AS SIGNED), \
                     CAST(? AS SIGNED), CAST(? AS SIGNED), CAST(? AS CHAR))";
    check(update(mysql(), 2, &eight), &format!("{given}{rest}"), &eight);
    assert!(update(mariadb(), 1, &[1]).is_err());
    assert!(update(mariadb(), 2, &[1]).is_err());
}

#[test]
fn assignments_read_the_old_row_where_they_follow_each_other() {
    let columns = ["age", "boss_id"].map(|name| at(users(), name));
    let update = |dialect: &MySql, expressions| {
        let update = UpdateRows {
            table: users(),
            key: vec![0],
            set: vec![],
            expressions,
            rows: 1,
            values: ints(&[1]),
            returning: vec![],
        };
        render_update(dialect, update)
    };
    let chain = || vec![(columns[0], int(0)), (columns[1], column("age"))];
    let [age, boss] = ["`age` = ?", "`boss_id` = `users`.`age`"];
    check(
        update(mariadb(), chain()),
        &format!("UPDATE `users` SET {age}, {boss} WHERE `id` = ?"),
        &[0, 1],
    );
    check(
        update(mysql(), chain()),
        &format!("UPDATE `users` SET {boss}, {age} WHERE `id` = ?"),
        &[0, 1],
    );
    let swap = || vec![(columns[0], column("boss_id")), (columns[1], column("age"))];
    assert!(update(mariadb(), swap()).is_ok());
    let error = update(mysql(), swap()).unwrap_err();
    assert!(error.to_string().contains("`users`"), "{error}");
}

#[test]
fn deletes() {
    let delete = |dialect: &MySql, table, key: &[usize], rows, values: &[i64]| {
        let (key, values) = (key.to_vec(), ints(values));
        render_delete(dialect, DeleteRows { table, key, rows, values, returning: vec![0] })
    };
    check(
        delete(mariadb(), users(), &[0], 1, &[1]),
        "DELETE FROM `users` WHERE `id` = ? RETURNING `id`",
        &[1],
    );
    check(
        delete(mysql(), users(), &[0], 3, &[1, 2, 3]),
        "DELETE FROM `users` WHERE `id` IN (?, ?, ?, ?)",
        &[1, 2, 3, 3],
    );
    check(
        delete(mariadb(), post_tags(), &[0, 1], 2, &[1, 2, 3, 4]),
        "DELETE FROM `post_tags` WHERE (`post_id`, `tag_id`) IN ((?, ?), (?, ?)) \
             RETURNING `post_id`",
        &[1, 2, 3, 4],
    );
    check(
        delete(mysql(), post_tags(), &[0, 1], 1, &[1, 2]),
        "DELETE FROM `post_tags` WHERE `post_id` = ? AND `tag_id` = ?",
        &[1, 2],
    );
}

/// Checks an expression as the only column of a query on users.
#[track_caller]
fn check_expr(expr: Expr, expected: &str) {
    let mut select = Select::from(users());
    select.columns = vec![(expr, None)];
    let statement = render_select(mariadb(), &select).unwrap();
    assert_eq!(&*statement.text, format!("SELECT {expected} FROM `users`"));
}

#[test]
fn expressions() {
    let age = "`users`.`age`";
    let divided = |by| Expr::binary(column("age"), BinaryOp::Divide, by);
    check_expr(divided(int(2)), &format!("{age} DIV ?"));
    let half = Expr::bind(Value::Double(0.5), SqlType::F64);
    check_expr(divided(half), &format!("{age} / ?"));
    let greeting = Expr::bind(Value::Text("hi ".into()), SqlType::Text);
    check_expr(
        Expr::binary(greeting.clone(), BinaryOp::Concat, column("email")),
        "concat(?, `users`.`email`)",
    );
    check_expr(
        Expr::Function(Function::Length, vec![column("email")]),
        "char_length(`users`.`email`)",
    );
    let aggregate = |function, distinct| {
        let of_age = Aggregation::new(function, Some(column("age")));
        Expr::from(Aggregation { distinct, ..of_age })
    };
    check_expr(aggregate(Aggregate::Sum, false), &format!("sum({age})"));
    check_expr(aggregate(Aggregate::Avg, false), &format!("avg(CAST({age} AS DOUBLE))"));
    check_expr(aggregate(Aggregate::Count, true), &format!("count(DISTINCT {age})"));
    check_expr(Aggregation::new(Aggregate::Count, None).into(), "count(*)");
    let like = Expr::Like { operand: Box::new(column("email")), pattern: Box::new(greeting) };
    check_expr(like, "`users`.`email` LIKE ? ESCAPE '!'");
    let keys = |columns: &[usize], keys: &[&[i64]]| Expr::Keys {
        columns: columns.iter().map(|&column| ColumnRef::scoped(users(), column)).collect(),
        keys: keys.iter().map(|key| ints(key)).collect(),
    };
    check_expr(keys(&[0], &[]), "1 = 0");
    check_expr(keys(&[0], &[&[1], &[2], &[3]]), "`users`.`id` IN (?, ?, ?, ?)");
    check_expr(
        keys(&[0, 4], &[&[1, 2], &[3, 4]]),
        "(`users`.`id`, `users`.`age`) IN ((?, ?), (?, ?))",
    );
}

/// A document is bound as one where that is a type of its own.
#[test]
fn documents_are_cast_on_mysql() {
    let documents = TableBuilder::plain("documents", "Document")
        .column(ColumnDef::new::<i64>("id", "id").primary_key())
        .column(ColumnDef::new::<serde_json::Value>("body", "body"))
        .build();
    let table: &'static Table = Box::leak(Box::new(documents));
    let insert = |dialect| {
        let columns = vec![0, 1];
        let (values, returning) = (ints(&[1, 2]), vec![]);
        let skip_existing = vec![];
        let rows = InsertRows { table, columns, rows: 1, values, returning, skip_existing };
        render_insert(dialect, rows)
    };
    let start = "INSERT INTO `documents` (`id`, `body`) VALUES ";
    check(insert(mariadb()), &format!("{start}(?, ?)"), &[1, 2]);
    check(insert(mysql()), &format!("{start}(?, CAST(? AS JSON))"), &[1, 2]);
    let update = |dialect| {
        let (key, set, expressions) = (vec![0], vec![1], vec![]);
        let (values, returning) = (ints(&[1, 2, 3, 4]), vec![]);
        let rows = UpdateRows { table, key, set, expressions, rows: 2, values, returning };
        render_update(dialect, rows).unwrap().text
    };
    let cast = "SELECT CAST(? AS SIGNED), CAST(? AS JSON)) AS";
    assert!(update(mysql()).contains(cast), "{}", update(mysql()));
    assert!(update(mariadb()).contains("SELECT ?, CAST(? AS CHAR)) AS"));
}

#[test]
fn orders_and_pages() {
    let mut select = Select::from(users());
    for (descending, nulls_first, expected) in [
        (false, None, "`users`.`age` ASC"),
        (true, None, "`users`.`age` DESC"),
        // The server's own habit.
        (false, Some(true), "`users`.`age` ASC"),
        (true, Some(false), "`users`.`age` DESC"),
        (false, Some(false), "`users`.`age` IS NULL ASC, `users`.`age` ASC"),
        (true, Some(true), "`users`.`age` IS NULL DESC, `users`.`age` DESC"),
    ] {
        select.order_by = vec![OrderTerm { expr: column("age"), descending, nulls_first }];
        let statement = render_select(mariadb(), &select).unwrap();
        assert_eq!(&*statement.text, format!("SELECT 1 FROM `users` ORDER BY {expected}"));
    }
    select.order_by.clear();
    select.limit = Some(20);
    check(render_select(mariadb(), &select), "SELECT 1 FROM `users` LIMIT ?", &[20]);
    select.offset = Some(40);
    let both = "SELECT 1 FROM `users` LIMIT ? OFFSET ?";
    check(render_select(mariadb(), &select), both, &[20, 40]);
    select.limit = None;
    check(
        render_select(mariadb(), &select),
        "SELECT 1 FROM `users` LIMIT 18446744073709551615 OFFSET ?",
        &[40],
    );
}

#[test]
fn locks_name_no_table() {
    let mut select = Select::from(users());
    select.limit = Some(20);
    for (lock, words) in [
        (RowLock::Wait, "FOR UPDATE"),
        (RowLock::NoWait, "FOR UPDATE NOWAIT"),
        (RowLock::SkipLocked, "FOR UPDATE SKIP LOCKED"),
    ] {
        select.lock = Some(lock);
        let text = format!("SELECT 1 FROM `users` LIMIT ? {words}");
        check(render_select(mariadb(), &select), &text, &[20]);
    }
}

#[track_caller]
fn check_table(dialect: &MySql, table: &Table, expected: &str) {
    let statements = create_table(dialect, table, &[]);
    let texts: Vec<_> = statements.iter().map(|statement| &*statement.text).collect();
    assert_eq!(texts, [expected]);
}

#[test]
fn a_table_with_everything() {
    check_table(
            mariadb(),
            users(),
            "CREATE TABLE IF NOT EXISTS `users` (
    `id` BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    `created_at` DATETIME(6) NOT NULL DEFAULT (utc_timestamp(6)),
    `updated_at` DATETIME(6) NOT NULL DEFAULT (utc_timestamp(6)),
    `email` VARCHAR(64) NOT NULL,
    `age` INT,
    `mood` ENUM('happy', 'it''s ok') NOT NULL DEFAULT 'happy',
    `boss_id` BIGINT,
    CONSTRAINT `uq_users_email` UNIQUE (`email`),
    CONSTRAINT `fk_users_boss_id` FOREIGN KEY (`boss_id`) REFERENCES `users` (`id`) ON DELETE SET NULL,
    CONSTRAINT `ck_users_age` CHECK (`age` >= 0),
    CONSTRAINT `ck_users_1` CHECK (length(email) > 2)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin",
        );
    check_table(
        mysql(),
        tags(),
        "CREATE TABLE IF NOT EXISTS `tags` (
    `id` BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    `created_at` DATETIME(6) NOT NULL DEFAULT (utc_timestamp(6)),
    `updated_at` DATETIME(6) NOT NULL DEFAULT (utc_timestamp(6)),
    `name` VARCHAR(255) NOT NULL,
    CONSTRAINT `uq_tags_name` UNIQUE (`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin",
    );
    check_table(
            mariadb(),
            posts(),
            "CREATE TABLE IF NOT EXISTS `posts` (
    `id` BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    `created_at` DATETIME(6) NOT NULL DEFAULT (utc_timestamp(6)),
    `updated_at` DATETIME(6) NOT NULL DEFAULT (utc_timestamp(6)),
    `title` LONGTEXT NOT NULL,
    `user_id` BIGINT NOT NULL,
    CONSTRAINT `fk_posts_user_id` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE CASCADE,
    INDEX `ix_posts_user_id` (`user_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin",
        );
    let drop = drop_table(mariadb(), posts()).text;
    assert_eq!(&*drop, "DROP TABLE IF EXISTS `posts`");
}

static MARKS: EnumType = EnumType { name: "marks", labels: &[r"a\b", "it's"] };

#[test]
fn literals_are_escaped() {
    let mut mark = ColumnDef::new::<String>("mark", "mark").comment(r"it's \ here");
    mark.facts.sql_type = SqlType::Enum(&MARKS);
    let number = ColumnDef::new::<i32>("no", "no").primary_key().autoincrement();
    let table = TableBuilder::plain("b`ills", "Bill")
        .schema("shop")
        .comment(r"\'")
        .column(number.sql_type("INT UNSIGNED"))
        .column(mark)
        .column(ColumnDef::new::<String>("note", "note").server_default("'x'"))
        .build();
    check_table(
        mariadb(),
        &table,
        r"CREATE TABLE IF NOT EXISTS `shop`.`b``ills` (
    `no` INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    `mark` ENUM('a\\b', 'it''s') NOT NULL COMMENT 'it''s \\ here',
    `note` LONGTEXT NOT NULL DEFAULT ('x')
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin COMMENT='\\'''",
    );
    let table: &'static Table = Box::leak(Box::new(table));
    assert_eq!(
        mysql().create_types(&[table, users(), table]),
        ["CREATE DATABASE IF NOT EXISTS `shop` CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin"],
    );
}

fn parents() -> &'static Table {
    static TABLE: std::sync::OnceLock<Table> = std::sync::OnceLock::new();
    TABLE.get_or_init(|| {
        TableBuilder::plain("parents", "Parent")
            .column(ColumnDef::new::<String>("code", "code").primary_key().length(40))
            .build()
    })
}

#[test]
fn types_of_texts_and_bytes() {
    let text = |name| ColumnDef::new::<String>(name, name);
    let bytes = |name| ColumnDef::new::<Vec<u8>>(name, name);
    let (target, no_action) = (Target::PrimaryKey(parents), Action::NoAction);
    let table = TableBuilder::plain("t", "T")
        .column(text("key").primary_key())
        .column(text("unique").unique())
        .column(text("indexed").index())
        .column(text("parent"))
        .column(text("free"))
        .column(text("short").length(100))
        .column(text("long").length(9_000))
        .column(text("endless").length(16_384))
        .column(bytes("bytes"))
        .column(bytes("bytes_key").unique())
        .column(bytes("few").length(20))
        .column(bytes("few_key").length(20).index())
        .foreign_key(&["parent"], target, no_action, no_action)
        .build();
    for (name, expected) in [
        ("key", "VARCHAR(255)"),
        ("unique", "VARCHAR(255)"),
        ("indexed", "VARCHAR(255)"),
        ("parent", "VARCHAR(40)"),
        ("free", "LONGTEXT"),
        ("short", "VARCHAR(100)"),
        ("long", "VARCHAR(9000)"),
        ("endless", "LONGTEXT"),
        ("bytes", "LONGBLOB"),
        ("bytes_key", "VARBINARY(255)"),
        ("few", "LONGBLOB"),
        ("few_key", "VARBINARY(20)"),
    ] {
        assert_eq!(mariadb().column_type(&table, at(&table, name)), expected, "{name}");
    }
    // Two long ones don't fit into one row; keys stay in it.
    let table = TableBuilder::plain("t", "T")
        .column(text("key").primary_key().length(700))
        .column(text("one").length(9_000))
        .column(text("two").length(9_000))
        .build();
    let types = [0, 1, 2].map(|column| mariadb().column_type(&table, column));
    assert_eq!(types, ["VARCHAR(700)", "LONGTEXT", "LONGTEXT"]);
    // Nor does the longest one beside the key.
    let table = TableBuilder::plain("t", "T")
        .column(ColumnDef::new::<i64>("id", "id").primary_key())
        .column(text("long").length(16_383))
        .column(text("name").length(40))
        .build();
    let types = [1, 2].map(|column| mariadb().column_type(&table, column));
    assert_eq!(types, ["LONGTEXT", "VARCHAR(40)"]);
}

#[cfg(feature = "decimal")]
#[test]
fn decimals_read_back_with_the_digits_of_their_column() {
    use rust_decimal::Decimal;
    let column = || ColumnDef::new::<Decimal>("v", "v");
    let stored = |column: &ColumnDef, digits, scale| {
        mariadb().stored(column, &Value::Decimal(Decimal::new(digits, scale)))
    };
    let read = |digits, scale| Some(Value::Decimal(Decimal::new(digits, scale)));
    assert_eq!(stored(&column(), 150, 2), read(15, 1));
    assert_eq!(stored(&column(), 15, 1), None);
    let two = column().precision(10).scale(2);
    assert_eq!(stored(&two, 15, 1), read(150, 2));
    assert_eq!(stored(&two, 150, 2), None);
    assert_eq!(stored(&column().precision(10), 7, 0), None);
    assert_eq!(stored(&column().sql_type("NUMERIC(8, 3)"), 15, 1), read(1_500, 3));
    assert_eq!(stored(&column().sql_type("DECIMAL"), 7, 0), None);
    let types = [column(), two, column().precision(5), column().scale(3)].map(|column| {
        let key = ColumnDef::new::<i64>("id", "id").primary_key();
        let table = TableBuilder::plain("t", "T").column(key).column(column).build();
        mariadb().column_type(&table, 1)
    });
    assert_eq!(types, [ANY_DECIMAL, "DECIMAL(10, 2)", "DECIMAL(5, 0)", "DECIMAL(32, 3)"]);
}
