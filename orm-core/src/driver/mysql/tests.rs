//! Values, errors and connections of a real MySQL or MariaDB: of the URL in
//! `ORM_TEST_MYSQL_URL`, else of this machine.

use std::future::Future;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::{NaiveDate, NaiveTime};
use futures_util::FutureExt;

use crate::driver::{Connection, Done, EachRow, Engine, EngineBuilder, RowSink, Schema};
use crate::error::{Error, Result};
use crate::model::{Action, ColumnDef, Table, TableBuilder, TableFn, Target};
use crate::sql::dialect::mysql::{MARIADB, MYSQL, configured};
use crate::sql::testing::{at, post_tags, posts, tags, users};
use crate::sql::*;
use crate::value::{Cells, EnumType, Facts, SqlType, Value, ValueError};

/// The server's URL without the database, and what follows the database.
fn server() -> (String, String) {
    let url = std::env::var("ORM_TEST_MYSQL_URL")
        .unwrap_or_else(|_| "mysql://root@127.0.0.1:3306/test".to_owned());
    let (url, options) = match url.split_once('?') {
        Some((url, options)) => (url.to_owned(), format!("?{options}")),
        None => (url, String::new()),
    };
    let (scheme, rest) = url.split_once("://").expect("a URL");
    let host = rest.split_once('/').map_or(rest, |(host, _)| host);
    (format!("{scheme}://{host}"), options)
}

/// Runs a test in a database of its own, given its URL, and drops it afterwards, come what may.
async fn in_database<F: Future<Output = ()>>(test: impl FnOnce(String) -> F) {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    static NOTICE: Once = Once::new();
    let (server, options) = server();
    let admin = match Engine::connect(format!("{server}/{options}")).await {
        Ok(admin) => admin,
        Err(error) if std::env::var("CI").is_ok_and(|ci| ci == "true") => panic!("{error}"),
        Err(error) => {
            NOTICE.call_once(|| eprintln!("no MySQL or MariaDB to test with: {error}"));
            return;
        }
    };
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("orm_core_{}_{number}", std::process::id());
    let mut connection = admin.connection().await.unwrap();
    run(&mut connection, &format!("CREATE DATABASE {name}")).await;
    let outcome = AssertUnwindSafe(test(format!("{server}/{name}{options}"))).catch_unwind().await;
    run(&mut connection, &format!("DROP DATABASE {name}")).await;
    outcome.unwrap_or_else(|panic| resume_unwind(panic));
}

async fn run(connection: &mut Connection, sql: &str) {
    let done = connection.run(Statement::words(sql), &mut ()).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// Runs a query that fails or reads every row.
async fn read(
    connection: &mut Connection,
    sql: &str,
    row: impl FnMut(&dyn Cells) + Send,
) -> Result<Done> {
    let mut row = row;
    let mut sink = EachRow(|cells: &dyn Cells| {
        row(cells);
        Ok(())
    });
    connection.run(Statement::plain(sql), &mut sink).await
}

async fn number(connection: &mut Connection, sql: &str) -> i64 {
    let mut number = 0;
    read(connection, sql, |cells| number = cells.int(0).unwrap()).await.unwrap();
    number
}

async fn text(connection: &mut Connection, sql: &str) -> String {
    let mut text = String::new();
    read(connection, sql, |cells| cells.text(0).unwrap().clone_into(&mut text)).await.unwrap();
    text
}

/// Keeps the columns of these types of every row.
struct Rows(Vec<SqlType>, Vec<Vec<Value>>);

impl RowSink for Rows {
    fn row(&mut self, cells: &dyn Cells) -> Result<()> {
        let values = self.0.iter().enumerate().map(|(at, sql_type)| {
            Value::read(cells, at, sql_type)
                .map_err(|error| Error::at_column("rows", &at.to_string(), error))
        });
        self.1.push(values.collect::<Result<_>>()?);
        Ok(())
    }
}

/// A table for the rest of the program.
fn table(builder: TableBuilder) -> &'static Table {
    Box::leak(Box::new(builder.build()))
}

fn id() -> ColumnDef {
    ColumnDef::new::<i64>("id", "id").primary_key().autoincrement()
}

fn of_type(name: &'static str, sql_type: SqlType) -> ColumnDef {
    ColumnDef::with_facts(name, name, Facts::new(sql_type).nullable())
}

async fn create(connection: &mut Connection, table: &'static Table) {
    for statement in ddl::create_table(connection.dialect(), table, &[]) {
        connection.run(statement, &mut ()).await.unwrap();
    }
}

fn insert_rows(table: &'static Table, columns: &[&str], values: Vec<Value>) -> InsertRows {
    let columns: Vec<usize> = columns.iter().map(|name| at(table, name)).collect();
    let rows = values.len() / columns.len();
    InsertRows { table, columns, rows, values, returning: vec![], skip_existing: vec![] }
}

fn insert(table: &'static Table, columns: &[&str], values: Vec<Value>) -> Statement {
    let dialect = configured(&MARIADB, true, true, Naming::AsDeclared);
    render_insert(dialect, insert_rows(table, columns, values)).unwrap()
}

fn words(text: &str) -> Value {
    Value::Text(text.into())
}

fn user(email: &str) -> Statement {
    insert(users(), &["email"], vec![words(email)])
}

/// The column `v` of all rows.
async fn stored(connection: &mut Connection, table: &'static Table) -> Vec<Value> {
    let column = ColumnRef::scoped(table, at(table, "v"));
    let mut select = Select::from(table);
    select.columns = vec![(Expr::Column(column), None)];
    select.order_by.push(OrderTerm::new(Expr::Column(ColumnRef::scoped(table, 0)), false));
    let mut rows = Rows(vec![column.sql_type()], Vec::new());
    let select = render_select(connection.dialect(), &select).unwrap();
    connection.run(select, &mut rows).await.unwrap();
    rows.1.into_iter().flatten().collect()
}

#[track_caller]
fn same(found: &[Value], expected: &[Value], column: &ColumnDef) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        let cut = |value: &Value| format!("{:.200} ({} bytes)", format!("{value:?}"), value.size());
        assert!(found == expected, "{:?}: {}, not {}", column.facts, cut(found), cut(expected));
    }
}

/// Stores each value in a column, by one INSERT and by one UPDATE with a NULL in its first row,
/// and looks for it; expects what the dialect says that reads back.
async fn round_trip(connection: &mut Connection, column: ColumnDef, values: Vec<Value>) {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let name = format!("t{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let table = table(TableBuilder::plain(name.leak(), "T").column(id()).column(column.clone()));
    let dialect = connection.dialect();
    create(connection, table).await;
    let read_back = |value: &Value| {
        assert_eq!(dialect.refusal(value), None, "{value:?}");
        dialect.stored(&column, value).unwrap_or_else(|| value.clone())
    };
    let expected: Vec<Value> = values.iter().map(read_back).collect();

    let rows = insert_rows(table, &["v"], values.clone());
    connection.run(render_insert(dialect, rows).unwrap(), &mut ()).await.unwrap();
    same(&stored(connection, table).await, &expected, &column);

    for (at, value) in values.iter().enumerate() {
        let column = ColumnRef::scoped(table, 1);
        let mut select = Select::from(table);
        select.columns = vec![(Expr::Column(ColumnRef::scoped(table, 0)), None)];
        let bind = Expr::bind(value.clone(), column.sql_type());
        select.and_filter(Expr::binary(Expr::Column(column), BinaryOp::Equal, bind));
        let mut rows = Rows(vec![SqlType::I64], Vec::new());
        connection.run(render_select(dialect, &select).unwrap(), &mut rows).await.unwrap();
        let same = expected.iter().filter(|other| **other == expected[at]).count();
        assert_eq!(rows.1.len(), same, "{value:?}");
    }

    // MySQL's way of an UPDATE, with a cast for each bind, means the same; but MariaDB has no
    // cast to JSON.
    let mut dialects = vec![dialect];
    if !matches!(column.logical_type(), SqlType::Json | SqlType::Array(_)) {
        dialects.push(configured(&MYSQL, false, true, Naming::AsDeclared));
    }
    for dialect in dialects {
        // No value may be given away before it is free.
        let free = || Statement::words(format!("UPDATE {} SET v = NULL", table.name()));
        connection.run(free(), &mut ()).await.unwrap();
        // Every value moves one row on, and the first one goes.
        let mut moved = vec![Value::Null];
        moved.extend(values.iter().take(values.len() - 1).cloned());
        let mut after = vec![Value::Null];
        after.extend(expected.iter().take(values.len() - 1).cloned());
        let ids = (1..).map(Value::Int);
        let update = UpdateRows {
            table,
            key: vec![0],
            set: vec![1],
            expressions: vec![],
            rows: moved.len(),
            values: ids.zip(moved).flat_map(|(id, value)| [id, value]).collect(),
            returning: vec![],
        };
        let statement = render_update(dialect, update).unwrap();
        let done = connection.run(statement.clone(), &mut ()).await;
        let done = done.unwrap_or_else(|error| panic!("{}: {error}", statement.text));
        assert_eq!(done.rows, values.len() as u64);
        same(&stored(connection, table).await, &after, &column);
        for backwards in [false, true] {
            connection.run(free(), &mut ()).await.unwrap();
            let mut back: Vec<_> = (1..).map(Value::Int).zip(values.iter().cloned()).collect();
            if backwards {
                back.reverse();
            }
            let update = UpdateRows {
                table,
                key: vec![0],
                set: vec![1],
                expressions: vec![],
                rows: values.len(),
                values: back.into_iter().flat_map(|(id, value)| [id, value]).collect(),
                returning: vec![],
            };
            connection.run(render_update(dialect, update).unwrap(), &mut ()).await.unwrap();
            same(&stored(connection, table).await, &expected, &column);
        }
    }
}

static MOOD: EnumType = EnumType {
    name: "mood",
    labels: &["happy", "it's ok", "HAPPY", "", "a,b", r"back\slash", "é😀", " x"],
};

#[tokio::test]
async fn every_type_makes_the_round_trip() {
    in_database(|url| async move {
        let engine = Engine::connect(url).await.unwrap();
        let mut connection = engine.connection().await.unwrap();
        let connection = &mut connection;
        let day = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).unwrap();
        let last = NaiveTime::from_hms_micro_opt(23, 59, 59, 999_999).unwrap();
        let days = [
            day(0, 1, 1),
            day(1, 1, 1),
            day(999, 12, 31),
            day(1000, 1, 1),
            day(1969, 12, 31),
            day(2024, 2, 29),
            day(9999, 12, 31),
        ];
        let ints = |values: &[i64]| values.iter().copied().map(Value::Int).collect::<Vec<_>>();
        let bools = vec![Value::Bool(true), Value::Bool(false)];
        round_trip(connection, of_type("v", SqlType::Bool), bools).await;
        for (sql_type, extremes) in [
            (SqlType::I16, [i16::MIN.into(), -1, 0, i16::MAX.into()]),
            (SqlType::I32, [i32::MIN.into(), -1, 0, i32::MAX.into()]),
            (SqlType::I64, [i64::MIN, -1, 0, i64::MAX]),
            (SqlType::U8, [0, 1, 2, u8::MAX.into()]),
            (SqlType::U16, [0, 1, 2, u16::MAX.into()]),
            (SqlType::U32, [0, 1, 2, u32::MAX.into()]),
        ] {
            round_trip(connection, of_type("v", sql_type), ints(&extremes)).await;
        }
        let singles =
            [f32::MIN, f32::MAX, f32::MIN_POSITIVE, f32::from_bits(1), 0.1, 1.0 / 3.0, 0.0];
        round_trip(connection, of_type("v", SqlType::F32), singles.map(Value::Float).to_vec())
            .await;
        let doubles =
            [f64::MIN, f64::MAX, f64::MIN_POSITIVE, f64::from_bits(1), 0.1, 1.0 / 3.0, 1e15, 0.0];
        round_trip(connection, of_type("v", SqlType::F64), doubles.map(Value::Double).to_vec())
            .await;

        let long = "é😀x".repeat(40_000);
        let texts = [
            "",
            "a",
            "A",
            "a ",
            "nul \0 inside",
            "😀é",
            "'\"`;--\\",
            "123",
            "1",
            "\u{10ffff}",
            &long,
        ];
        let texts = texts.map(words).to_vec();
        round_trip(connection, of_type("v", SqlType::Text), texts.clone()).await;
        round_trip(connection, of_type("v", SqlType::Text).unique(), texts[..10].to_vec()).await;
        round_trip(connection, of_type("v", SqlType::Text).length(20_000), texts[..10].to_vec())
            .await;
        let bytes = [
            vec![],
            vec![0],
            vec![0xff, 0, 0xfe],
            b"text".to_vec(),
            b"text ".to_vec(),
            vec![0x80; 1 << 20],
        ];
        let bytes = bytes.map(Value::Bytes).to_vec();
        round_trip(connection, of_type("v", SqlType::Bytes), bytes.clone()).await;
        round_trip(connection, of_type("v", SqlType::Bytes).unique(), bytes[..5].to_vec()).await;
        let labels = MOOD.labels.iter().map(|label| Value::Label(label)).collect();
        round_trip(connection, of_type("v", SqlType::Enum(&MOOD)), labels).await;

        round_trip(connection, of_type("v", SqlType::Date), days.map(Value::Date).to_vec()).await;
        let moments = [NaiveTime::MIN, NaiveTime::from_hms_opt(12, 0, 0).unwrap(), last];
        round_trip(connection, of_type("v", SqlType::Time), moments.map(Value::Time).to_vec())
            .await;
        let mut times = days.map(|day| day.and_time(last)).to_vec();
        times.push(days[5].and_time(NaiveTime::MIN));
        times.push(days[5].and_time(moments[1]));
        let date_times = times.iter().copied().map(Value::DateTime).collect();
        round_trip(connection, of_type("v", SqlType::DateTime), date_times).await;
        let instants = times.iter().map(|time| Value::Timestamp(time.and_utc())).collect();
        round_trip(connection, of_type("v", SqlType::Timestamp), instants).await;

        let json = |text: &str| Value::Json(Box::new(serde_json::from_str(text).unwrap()));
        let deep = format!("{}1.5{}", "[".repeat(31), "]".repeat(31));
        let documents = [
            "null",
            "{}",
            "[]",
            "[[],{\"a\":[null,1.5,\"\\u0000\"],\"\":0.1}]",
            "\"x\"",
            "\"\"",
            "18446744073709551615",
            "-9223372036854775808",
            "1.7976931348623157e308",
            &deep,
        ];
        round_trip(connection, of_type("v", SqlType::Json), documents.map(json).to_vec()).await;

        let array = |values| vec![Value::Array(vec![]), Value::Array(values)];
        let element = |element| of_type("v", SqlType::Array(element));
        let numbers = vec![Value::Int(i64::MIN), Value::Null, Value::Int(i64::MAX)];
        round_trip(connection, element(&SqlType::I64), array(numbers)).await;
        let floats = vec![Value::Float(0.1), Value::Float(f32::MAX)];
        round_trip(connection, element(&SqlType::F32), array(floats)).await;
        let floats =
            vec![Value::Double(0.1), Value::Double(f64::from_bits(1)), Value::Double(f64::MAX)];
        round_trip(connection, element(&SqlType::F64), array(floats)).await;
        round_trip(connection, element(&SqlType::Text), array(texts)).await;
        let bools = vec![Value::Bool(true), Value::Null];
        round_trip(connection, element(&SqlType::Bool), array(bools)).await;
        let instants = times.iter().map(|time| Value::Timestamp(time.and_utc())).collect();
        round_trip(connection, element(&SqlType::Timestamp), array(instants)).await;
        #[cfg(feature = "uuid")]
        {
            let uuids =
                [uuid::Uuid::nil(), uuid::Uuid::max(), uuid::Uuid::from_u128(0x2020_2020_2020)];
            let uuids = uuids.map(Value::Uuid).to_vec();
            round_trip(connection, of_type("v", SqlType::Uuid), uuids.clone()).await;
            round_trip(connection, of_type("v", SqlType::Uuid).unique(), uuids.clone()).await;
            round_trip(connection, element(&SqlType::Uuid), array(uuids)).await;
        }
        #[cfg(feature = "decimal")]
        {
            use rust_decimal::Decimal;
            let decimals = [
                Decimal::MAX,
                Decimal::MIN,
                Decimal::new(100, 2),
                Decimal::new(1, 28),
                Decimal::new(-15, 1),
                Decimal::ZERO,
                Decimal::new(0, 5),
            ];
            let decimals = decimals.map(Value::Decimal).to_vec();
            round_trip(connection, of_type("v", SqlType::Decimal), decimals.clone()).await;
            round_trip(connection, element(&SqlType::Decimal), array(decimals)).await;
            let prices = [
                Decimal::new(100, 2),
                Decimal::new(15, 1),
                Decimal::new(-7, 0),
                Decimal::new(99_999_999, 2),
            ];
            let prices = prices.map(Value::Decimal).to_vec();
            round_trip(connection, of_type("v", SqlType::Decimal).precision(10).scale(2), prices)
                .await;
            let whole = vec![Value::Decimal(Decimal::new(7, 0))];
            round_trip(connection, of_type("v", SqlType::Decimal).precision(3), whole).await;
        }
    })
    .await;
}

/// The first cell of a query, read in some way.
async fn cell<T: Send>(
    connection: &mut Connection,
    expression: &str,
    mut take: impl FnMut(&dyn Cells) -> std::result::Result<T, ValueError> + Send,
) -> std::result::Result<T, ValueError> {
    let mut taken = None;
    let sql = format!("SELECT {expression}");
    let mut sink = EachRow(|cells: &dyn Cells| {
        taken = Some(take(cells));
        Ok(())
    });
    let done = connection.run(Statement::plain(sql), &mut sink).await;
    done.unwrap_or_else(|error| panic!("{expression}: {error}"));
    taken.expect("a row")
}

/// Columns of ready-made databases are of other widths than fields.
#[tokio::test]
async fn columns_of_other_types_are_read_if_they_fit() {
    in_database(|url| async move {
        let engine = Engine::connect(url).await.unwrap();
        let mut connection = engine.connection().await.unwrap();
        let connection = &mut connection;
        run(
            connection,
            "CREATE TABLE t (tiny TINYINT, tinyu TINYINT UNSIGNED, medium MEDIUMINT, bigu BIGINT UNSIGNED, \
             y YEAR, b BIT(1), flags BIT(10), f FLOAT, d DOUBLE, money DECIMAL(10, 2), huge DECIMAL(38, 30), \
             ts TIMESTAMP(6) NULL, dt DATETIME, day DATE, span TIME, c CHAR(5), latin VARCHAR(9) CHARACTER SET latin1, \
             bin VARBINARY(9), fixed BINARY(4), u UUID, cu CHAR(36), doc JSON, kind SET('a', 'b'), zero DATE, tt TINYTEXT)",
        )
        .await;
        run(
            connection,
            "INSERT INTO t VALUES (-128, 255, -8388608, 9223372036854775807, 2024, b'1', b'1000000001', 0.1, 0.1, \
             12.50, 0.123456789012345678901234567891, '2024-02-29 12:00:00.5', '2024-02-29 12:00:00', '2024-02-29', \
             '-01:00:00', 'é', 'é', 'x', 'x', '00000000-0000-0000-0000-00000000002a', \
             '00000000-0000-0000-0000-00000000002A', '[1]', 'a,b', '2024-01-01', 'tiny')",
        )
        .await;
        for (column, expected) in [
            ("tiny", -128),
            ("tinyu", 255),
            ("medium", -8_388_608),
            ("bigu", i64::MAX),
            ("y", 2024),
            ("flags", 513),
            ("sum(tiny)", -128),
            ("sum(bigu)", i64::MAX),
            ("count(*)", 1),
            ("tinyu - 256", -1),
            ("7 DIV 2", 3),
        ] {
            let found = cell(connection, &format!("{column} FROM t"), |cells| cells.int(0)).await;
            assert_eq!(found, Ok(expected), "{column}");
        }
        for column in ["bigu + 1", "sum(bigu) + 1", "money", "d", "c", "day", "doc", "NULL", "bin"] {
            let sql = format!("{column} FROM t");
            assert!(cell(connection, &sql, |cells| cells.int(0)).await.is_err(), "{column}");
        }
        assert_eq!(cell(connection, "b FROM t", |cells| cells.bool(0)).await, Ok(true));
        assert_eq!(cell(connection, "tiny = -128 FROM t", |cells| cells.bool(0)).await, Ok(true));
        assert!(cell(connection, "tinyu FROM t", |cells| cells.bool(0)).await.is_err());
        assert!(cell(connection, "c FROM t", |cells| cells.bool(0)).await.is_err());
        assert_eq!(cell(connection, "f FROM t", |cells| cells.float(0)).await, Ok(0.1));
        assert_eq!(cell(connection, "d FROM t", |cells| cells.float(0)).await, Ok(0.1));
        assert_eq!(cell(connection, "d FROM t", |cells| cells.double(0)).await, Ok(0.1));
        assert_eq!(cell(connection, "money FROM t", |cells| cells.double(0)).await, Ok(12.5));
        assert_eq!(cell(connection, "tiny FROM t", |cells| cells.double(0)).await, Ok(-128.0));
        assert!(cell(connection, "c FROM t", |cells| cells.double(0)).await.is_err());
        for (column, expected) in
            [("c", "é"), ("latin", "é"), ("kind", "a,b"), ("doc", "[1]"), ("cu", "00000000-0000-0000-0000-00000000002A"), ("tt", "tiny"), ("'x'", "x"), ("concat('a', 1)", "a1")]
        {
            let found = cell(connection, &format!("{column} FROM t"), |cells| cells.text(0).map(str::to_owned)).await;
            assert_eq!(found.as_deref(), Ok(expected), "{column}");
        }
        for column in ["bin", "fixed", "tiny", "day", "NULL", "b"] {
            let found = cell(connection, &format!("{column} FROM t"), |cells| cells.text(0).map(str::to_owned)).await;
            assert!(found.is_err(), "{column}");
        }
        let found = cell(connection, "fixed FROM t", |cells| cells.bytes(0).map(<[u8]>::to_vec)).await;
        assert_eq!(found, Ok(b"x\0\0\0".to_vec()));
        let found = cell(connection, "c FROM t", |cells| cells.bytes(0).map(<[u8]>::to_vec)).await;
        assert_eq!(found, Ok("é".as_bytes().to_vec()));
        assert!(cell(connection, "tiny FROM t", |cells| cells.bytes(0).map(drop)).await.is_err());
        let noon = NaiveDate::from_ymd_opt(2024, 2, 29).unwrap().and_hms_opt(12, 0, 0).unwrap();
        assert_eq!(cell(connection, "dt FROM t", |cells| cells.date_time(0)).await, Ok(noon));
        assert_eq!(cell(connection, "dt FROM t", |cells| cells.timestamp(0)).await, Ok(noon.and_utc()));
        let later = noon + Duration::from_millis(500);
        assert_eq!(cell(connection, "ts FROM t", |cells| cells.timestamp(0)).await, Ok(later.and_utc()));
        let midnight = noon.date().and_time(NaiveTime::MIN);
        assert_eq!(cell(connection, "day FROM t", |cells| cells.date_time(0)).await, Ok(midnight));
        assert_eq!(cell(connection, "day FROM t", |cells| cells.date(0)).await, Ok(noon.date()));
        assert!(cell(connection, "dt FROM t", |cells| cells.date(0)).await.is_err());
        assert!(cell(connection, "c FROM t", |cells| cells.timestamp(0)).await.is_err());
        assert!(cell(connection, "span FROM t", |cells| cells.time(0)).await.is_err());
        assert!(cell(connection, "CAST('25:00:00' AS TIME) FROM t", |cells| cells.time(0)).await.is_err());
        assert_eq!(cell(connection, "CAST('00:00:00' AS TIME) FROM t", |cells| cells.time(0)).await, Ok(NaiveTime::MIN));
        assert!(cell(connection, "dt FROM t", |cells| cells.time(0)).await.is_err());
        assert_eq!(cell(connection, "doc FROM t", |cells| cells.json(0)).await, Ok(serde_json::json!([1])));
        assert!(cell(connection, "c FROM t", |cells| cells.json(0)).await.is_err());
        assert!(cell(connection, "tiny FROM t", |cells| cells.json(0)).await.is_err());
        // There is no such column.
        assert!(cell(connection, "1", |cells| cells.int(1)).await.is_err());
        assert_eq!(cell(connection, "1", |cells| Ok(cells.is_null(1))).await, Ok(false));
        #[cfg(feature = "uuid")]
        for column in ["u", "cu", "unhex('0000000000000000000000000000002a')"] {
            let found = cell(connection, &format!("{column} FROM t"), |cells| cells.uuid(0)).await;
            assert_eq!(found, Ok(uuid::Uuid::from_u128(42)), "{column}");
        }
        #[cfg(feature = "decimal")]
        {
            use rust_decimal::Decimal;
            for (column, expected) in [
                ("money", Some("12.50")),
                ("tiny", Some("-128")),
                ("bigu", Some("9223372036854775807")),
                ("CAST(1.5 AS DECIMAL(57, 28))", Some("1.5")),
                ("CAST(100 AS DECIMAL(57, 28))", Some("100")),
                ("CAST(1 AS DECIMAL(57, 28)) / 3", Some("0.3333333333333333333333333333")),
                ("money / 3", Some("4.166666666666666666")),
                ("CAST(1e28 AS DECIMAL(65, 0)) * 100", None),
                ("huge", None),
                ("d", None),
                ("c", None),
            ] {
                let found = cell(connection, &format!("{column} FROM t"), |cells| cells.decimal(0)).await;
                let found = found.map(|decimal: Decimal| decimal.to_string()).ok();
                assert_eq!(found.as_deref(), expected, "{column}");
            }
        }
        // MariaDB's own UUID type takes what a BINARY(16) takes.
        #[cfg(feature = "uuid")]
        {
            let binds = vec![Bind::one(Value::Uuid(uuid::Uuid::from_u128(42)), SqlType::Uuid)];
            let select = Statement { binds, ..Statement::plain("SELECT count(*) FROM t WHERE u = ?") };
            let mut rows = Rows(vec![SqlType::I64], vec![]);
            connection.run(select, &mut rows).await.unwrap();
            assert_eq!(rows.1, [[Value::Int(1)]]);
        }
    })
    .await;
}

async fn fails(connection: &mut Connection, sql: &str) -> Error {
    let done = connection.run(Statement::plain(sql), &mut ()).await;
    done.err().unwrap_or_else(|| panic!("{sql} passed"))
}

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

#[tokio::test]
async fn what_cannot_be_stored_is_refused() {
    in_database(|url| async move {
        let engine = Engine::connect(url).await.unwrap();
        let mut connection = engine.connection().await.unwrap();
        let day = |year| NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
        let leap = NaiveTime::from_hms_nano_opt(23, 59, 59, 1_500_000_000).unwrap();
        for value in [
            Value::Double(f64::NAN),
            Value::Double(f64::INFINITY),
            Value::Float(f32::NEG_INFINITY),
            Value::Date(day(10_000)),
            Value::Date(day(-1)),
            Value::DateTime(day(10_000).and_time(NaiveTime::MIN)),
            Value::Timestamp(day(-1).and_time(NaiveTime::MIN).and_utc()),
            Value::Time(leap),
            Value::DateTime(day(2024).and_time(leap)),
            Value::Array(vec![Value::Double(f64::INFINITY)]),
            Value::Array(vec![Value::Array(vec![])]),
            Value::Refused("it is secret".into()),
        ] {
            let binds = vec![Bind::one(value, SqlType::Text)];
            let select = Statement { binds, ..Statement::plain("SELECT ?") };
            let error = connection.run(select, &mut ()).await.unwrap_err();
            assert!(matches!(error, Error::Type { .. }), "{error}");
        }
        // The depth of documents is the server's.
        let deep = |depth| {
            let text = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
            Value::Json(Box::new(serde_json::from_str(&text).unwrap()))
        };
        assert_eq!(engine.dialect().refusal(&deep(31)), None);
        assert!(engine.dialect().refusal(&deep(32)).is_some());
        run(&mut connection, "CREATE TABLE t (v JSON)").await;
        let binds = vec![Bind::one(deep(32), SqlType::Json)];
        let insert = Statement { binds, ..Statement::plain("INSERT INTO t VALUES (?)") };
        let error = connection.run(insert, &mut ()).await.unwrap_err();
        assert!(matches!(error, Error::CheckViolation(_)), "{error}");
    })
    .await;
}

async fn is_set_up(connection: &mut Connection) {
    for (variable, expected) in [
        ("@@time_zone", "+00:00"),
        ("@@collation_connection", "utf8mb4_nopad_bin"),
        ("@@character_set_results", "utf8mb4"),
        ("@@tx_isolation", "READ-COMMITTED"),
        ("'a' = 'a '", "0"),
        ("'a' || 'b'", "ab"),
        ("@@autocommit + 0", "1"),
        ("@@foreign_key_checks + 0", "1"),
    ] {
        let sql = format!("SELECT CAST({variable} AS CHAR)");
        assert_eq!(text(connection, &sql).await, expected, "{variable}");
    }
    let modes = text(connection, "SELECT @@sql_mode").await;
    for mode in [
        "STRICT_TRANS_TABLES",
        "STRICT_ALL_TABLES",
        "NO_AUTO_VALUE_ON_ZERO",
        "NO_ENGINE_SUBSTITUTION",
        "NO_ZERO_DATE",
        "NO_ZERO_IN_DATE",
        "PIPES_AS_CONCAT",
        "NO_UNSIGNED_SUBTRACTION",
        "SIMULTANEOUS_ASSIGNMENT",
    ] {
        assert!(modes.split(',').any(|other| other == mode), "{mode} in {modes}");
    }
}

#[tokio::test]
async fn connections_are_set_up_whoever_opened_them() {
    in_database(|url| async move {
        let engine = Engine::connect(&url).await.unwrap();
        is_set_up(&mut engine.connection().await.unwrap()).await;
        let mut both = [engine.connection().await.unwrap(), engine.connection().await.unwrap()];
        is_set_up(&mut both[1]).await;

        let pool =
            sqlx::mysql::MySqlPoolOptions::new().max_connections(1).connect(&url).await.unwrap();
        let spoil = "SET NAMES latin1, time_zone = '+05:00', sql_mode = '', autocommit = 0, \
                     foreign_key_checks = 0; SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE";
        sqlx::raw_sql(spoil).execute(&pool).await.unwrap();
        let adopted = Engine::with_pool(pool.clone()).connect().await.unwrap();
        is_set_up(&mut adopted.connection().await.unwrap()).await;
        sqlx::raw_sql(spoil).execute(&pool).await.unwrap();
        is_set_up(&mut adopted.connection().await.unwrap()).await;
        adopted.close().await;
        sqlx::raw_sql("SELECT 1").execute(&pool).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn urls_and_what_is_wrong_with_them() {
    in_database(|url| async move {
        // Where the server can't, or this build can't, there is no encryption.
        let (base, rest) = url.split_once("://").unwrap();
        assert_eq!(base, "mysql");
        Engine::connect(format!("mariadb://{rest}?ssl-mode=PREFERRED")).await.unwrap();
        Engine::connect(format!("{url}?ssl-mode=DISABLED")).await.unwrap();
        for mode in ["REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY"] {
            let error = Engine::connect(format!("{url}?ssl-mode={mode}")).await.unwrap_err();
            if cfg!(feature = "tls") {
                assert!(matches!(error, Error::Connection(_)), "{error}");
            } else {
                assert!(matches!(error, Error::Misuse(_)), "{error}");
                assert!(error.to_string().contains("feature `tls`"), "{error}");
            }
        }
        let (server, name) = url.rsplit_once('/').unwrap();
        for (wrong, said) in [
            (format!("{server}/no_such_{name}"), "no_such_"),
            (
                format!("mysql://nobody:secret@{}/{name}", server.rsplit_once('@').unwrap().1),
                "denied",
            ),
            ("mysql://root@127.0.0.1:1/test".to_owned(), "refused"),
        ] {
            let error = Engine::connect(wrong).await.unwrap_err();
            assert!(matches!(error, Error::Connection(_)), "{error}");
            let message = error.to_string();
            assert!(message.contains(said) && !message.contains("secret"), "{error}");
        }
        for wrong in ["mysql://root@127.0.0.1:x/test", "mysql://h/x?ssl-mode=maybe"] {
            let error = Engine::connect(wrong).await.unwrap_err();
            assert!(matches!(error, Error::Misuse(_)), "{wrong}: {error}");
        }
    })
    .await;
}

#[tokio::test]
async fn collisions_can_be_tried_again() {
    in_database(|url| async move {
        let engine = Engine::connect(url).await.unwrap();
        let mut one = engine.connection().await.unwrap();
        let mut other = engine.connection().await.unwrap();
        run(&mut one, "CREATE TABLE t (id INT PRIMARY KEY, n INT)").await;
        run(&mut one, "INSERT INTO t VALUES (1, 0), (2, 0)").await;
        for connection in [&mut one, &mut other] {
            run(connection, "SET innodb_lock_wait_timeout = 1").await;
            connection.begin().await.unwrap();
        }
        run(&mut one, "UPDATE t SET n = 1 WHERE id = 1").await;
        run(&mut other, "UPDATE t SET n = 1 WHERE id = 2").await;
        // Each waits for the other: the server ends one of the transactions.
        let second = async {
            let waits = Statement::plain("UPDATE t SET n = 2 WHERE id = 1");
            let done = other.run(waits, &mut ()).await.map(drop);
            (done, other)
        };
        let first = async {
            let waits = Statement::plain("UPDATE t SET n = 2 WHERE id = 2");
            let done = one.run(waits, &mut ()).await.map(drop);
            (done, one)
        };
        let ((one_done, mut one), (other_done, mut other)) = futures_util::join!(first, second);
        let (error, victim, winner) = match (one_done, other_done) {
            (Err(error), Ok(())) => (error, &mut one, &mut other),
            (Ok(()), Err(error)) => (error, &mut other, &mut one),
            both => panic!("{both:?}"),
        };
        assert!(error.is_retryable(), "{error}");
        // The transaction is gone, and what would follow it must not run on its own.
        let error = victim.run(Statement::plain("UPDATE t SET n = 9"), &mut ()).await.unwrap_err();
        assert!(matches!(error, Error::RollbackRequired { .. }), "{error}");
        winner.commit().await.unwrap();
        victim.rollback().await;
        assert_eq!(number(victim, "SELECT sum(n) FROM t").await, 3);

        winner.begin().await.unwrap();
        run(winner, "UPDATE t SET n = 5").await;
        // Readers see the last commit and don't wait.
        assert_eq!(number(victim, "SELECT sum(n) FROM t").await, 3);
        let error = fails(victim, "UPDATE t SET n = 6").await;
        assert!(error.is_retryable(), "{error}");
        let error = fails(victim, "SELECT * FROM t FOR UPDATE NOWAIT").await;
        assert!(error.is_retryable(), "{error}");
        winner.commit().await.unwrap();
        assert_eq!(number(victim, "SELECT sum(n) FROM t").await, 10);
    })
    .await;
}

#[tokio::test]
async fn slow_statements_are_stopped_and_lost_connections_told() {
    in_database(|url| async move {
        let limit = |builder: EngineBuilder| builder.statement_timeout(Duration::from_millis(100));
        let engine = limit(Engine::builder(&url)).connect().await.unwrap();
        let mut connection = engine.connection().await.unwrap();
        let started = std::time::Instant::now();
        let error = fails(&mut connection, "SELECT SLEEP(30)").await;
        assert!(matches!(error, Error::Timeout(_)), "{error}");
        assert!(started.elapsed() < Duration::from_secs(10));
        assert_eq!(number(&mut connection, "SELECT 1").await, 1);

        // A statement that is killed is not a connection that is lost.
        let mut other = engine.connection().await.unwrap();
        let own = number(&mut connection, "SELECT connection_id()").await;
        run(&mut other, &format!("KILL {own}")).await;
        let error = fails(&mut connection, "SELECT 1").await;
        assert!(matches!(error, Error::Connection(_)), "{error}");
        assert!(connection.is_spoilt());
        drop(connection);
        let mut connection = engine.connection().await.unwrap();
        assert_ne!(number(&mut connection, "SELECT connection_id()").await, own);

        // What is larger than a packet may be ends the connection too.
        let most = number(&mut connection, "SELECT @@max_allowed_packet").await;
        let large = Value::Bytes(vec![0; usize::try_from(most).unwrap() + 1]);
        let binds = vec![Bind::one(large, SqlType::Bytes)];
        let select = Statement { binds, ..Statement::plain("SELECT octet_length(?)") };
        let error = connection.run(select, &mut ()).await.unwrap_err();
        assert!(matches!(error, Error::Connection(_)), "{error}");
        assert!(connection.is_spoilt());
    })
    .await;
}

/// What was prepared goes on when the schema changes, and reads the new columns.
#[tokio::test]
async fn prepared_statements_outlive_changes_of_the_schema() {
    in_database(|url| async move {
        let engine = Engine::connect(url).await.unwrap();
        let mut connection = engine.connection().await.unwrap();
        let mut other = engine.connection().await.unwrap();
        run(&mut connection, "CREATE TABLE t (a INT)").await;
        run(&mut connection, "INSERT INTO t VALUES (1)").await;
        assert_eq!(number(&mut connection, "SELECT a FROM t").await, 1);
        run(&mut other, "ALTER TABLE t MODIFY a BIGINT UNSIGNED").await;
        run(&mut other, "UPDATE t SET a = 9223372036854775807").await;
        assert_eq!(number(&mut connection, "SELECT a FROM t").await, i64::MAX);
        run(&mut other, "DROP TABLE t").await;
        run(&mut other, "CREATE TABLE t (a VARCHAR(9))").await;
        run(&mut other, "INSERT INTO t VALUES ('7')").await;
        assert_eq!(text(&mut connection, "SELECT a FROM t").await, "7");
    })
    .await;
}

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
                skip_existing: vec![],
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
                rows.skip_existing = rows.columns.clone();
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
        let rows = InsertRows { skip_existing: rows.columns.clone(), ..rows };
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
        run(connection, &format!("DROP DATABASE {schema}")).await;
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

/// Statements that won't come again are kept for a while, since closing one holds up the next one
/// by 40 milliseconds; not all of them for ever.
#[tokio::test]
async fn statements_of_odd_lengths_do_not_hold_up_the_next() {
    in_database(|url| async move {
        let engine = Engine::connect(url).await.unwrap();
        let mut connection = engine.connection().await.unwrap();
        let table = table(
            TableBuilder::plain("t", "T").column(id()).column(ColumnDef::new::<i64>("n", "n")),
        );
        create(&mut connection, table).await;
        let prepared = "SHOW SESSION STATUS LIKE 'Com_stmt_close'";
        let mut closed = Vec::new();
        for rounds in 0..2 {
            connection.begin().await.unwrap();
            for rows in 9..300 {
                let values = (0..rows).map(Value::Int).collect();
                let insert = insert(table, &["n"], values);
                assert_eq!(insert.persistent, i64::count_ones(rows) == 1, "{rows}");
                connection.run(insert, &mut ()).await.unwrap();
                if rounds == 0 && rows == 150 {
                    // The connection waits elsewhere in between, and is the same.
                    connection.commit().await.unwrap();
                    drop(connection);
                    connection = engine.connection().await.unwrap();
                    connection.begin().await.unwrap();
                }
            }
            connection.commit().await.unwrap();
            let mut count = Rows(vec![SqlType::Text, SqlType::Text], vec![]);
            connection.run(Statement::plain(prepared), &mut count).await.unwrap();
            let Value::Text(count) = &count.1[0][1] else { panic!("{:?}", count.1) };
            closed.push(count.parse::<u32>().unwrap());
        }
        assert!(closed[0] < 300 && closed[1] > 0 && closed[1] < 600, "{closed:?}");
    })
    .await;
}
