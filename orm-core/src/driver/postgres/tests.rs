//! PostgreSQL as it is: values on their way there and back, errors, schemas and connections.
//!
//! Each test has a schema of its own on the server that `ORM_TEST_POSTGRES_URL` names, which is
//! dropped afterwards.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Once, OnceLock};
use std::time::Duration;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use futures_util::FutureExt;

use super::*;
use crate::driver::{Connection as Ours, EachRow, Engine, EngineBuilder, Schema};
use crate::model::{Action, ColumnDef, Table, TableBuilder, TableFn, Target};
use crate::sql::dialect::Dialect;
use crate::sql::dialect::postgres::POSTGRES;
use crate::sql::testing::{at, post_tags, posts, tags, users};
use crate::sql::{
    ColumnRef, DeleteRows, Expr, InsertRows, Naming, OrderTerm, Select, Statement, UpdateRows, ddl,
    render_delete, render_insert, render_select, render_update,
};
use crate::value::{Cells, EnumType, Facts, SqlType, Value};

/// A schema of a test's own.
struct Database {
    url: String,
}

impl Database {
    fn builder(&self) -> EngineBuilder {
        Engine::builder(&self.url)
    }

    async fn engine(&self) -> Engine {
        self.builder().connect().await.unwrap()
    }

    async fn connection(&self) -> Ours {
        self.engine().await.connection().await.unwrap()
    }
}

fn server() -> String {
    let default = "postgres://postgres@127.0.0.1:5432/test".to_owned();
    std::env::var("ORM_TEST_POSTGRES_URL").unwrap_or(default)
}

/// Runs a test in a schema of its own; without a server, only says so.
async fn in_schema(test: impl AsyncFnOnce(&Database)) {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    static NOTICE: Once = Once::new();
    let server = server();
    let outside = match Engine::connect(&server).await {
        Ok(engine) => engine,
        Err(error) if std::env::var("CI").is_ok_and(|ci| ci == "true" || ci == "1") => {
            panic!("no PostgreSQL at ORM_TEST_POSTGRES_URL: {error}")
        }
        Err(error) => {
            NOTICE.call_once(|| eprintln!("skipped, set ORM_TEST_POSTGRES_URL: {error}"));
            return;
        }
    };
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let schema = format!("orm_unit_{}_{number}", std::process::id());
    let mut connection = outside.connection().await.unwrap();
    run(&mut connection, &format!("CREATE SCHEMA {schema}")).await;
    let separator = if server.contains('?') { '&' } else { '?' };
    let database = Database { url: format!("{server}{separator}options[search_path]={schema}") };
    let outcome = AssertUnwindSafe(test(&database)).catch_unwind().await;
    run(&mut connection, &format!("DROP SCHEMA {schema} CASCADE")).await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

/// Runs a statement without binds, prepared.
async fn run(connection: &mut Ours, sql: &str) {
    try_run(connection, sql).await.unwrap();
}

async fn try_run(connection: &mut Ours, sql: &str) -> Result<Done> {
    connection.run(Statement::plain(sql), &mut ()).await
}

/// Runs statements as they are.
async fn words(connection: &mut Ours, sql: &str) {
    connection.run(Statement::words(sql), &mut ()).await.unwrap();
}

/// What a statement gives back, as values of these types, row after row.
async fn values(connection: &mut Ours, statement: Statement, types: &[SqlType]) -> Vec<Value> {
    let mut values = Vec::new();
    let mut sink = EachRow(|cells: &dyn Cells| {
        for (at, sql_type) in types.iter().enumerate() {
            let value = Value::read(cells, at, sql_type);
            values.push(value.map_err(|error| Error::at_column("t", "v", error))?);
        }
        Ok(())
    });
    connection.run(statement, &mut sink).await.unwrap();
    values
}

async fn number(connection: &mut Ours, sql: &str) -> i64 {
    match values(connection, Statement::plain(sql), &[SqlType::I64]).await.as_slice() {
        [Value::Int(number)] => *number,
        other => panic!("{other:?}"),
    }
}

fn insert_into(
    table: &'static Table,
    columns: &[&str],
    values: Vec<Value>,
    returning: &[&str],
) -> Statement {
    let columns: Vec<usize> = columns.iter().map(|name| at(table, name)).collect();
    let returning = returning.iter().map(|name| at(table, name)).collect();
    let rows = values.len() / columns.len();
    let rows = InsertRows { table, columns, rows, values, returning, skip_existing: vec![] };
    render_insert(&POSTGRES, rows).unwrap()
}

fn user(email: &str) -> Statement {
    insert_into(users(), &["email"], vec![Value::Text(email.into())], &["id"])
}

fn sample() -> Schema {
    Schema::new([users as TableFn, posts, tags, post_tags])
}

/// A table of a key and one column.
fn table_of(column: ColumnDef) -> &'static Table {
    let id = ColumnDef::new::<i64>("id", "id").primary_key().autoincrement();
    Box::leak(Box::new(TableBuilder::plain("t", "T").column(id).column(column).build()))
}

/// Creates a table, without types.
async fn create(connection: &mut Ours, table: &'static Table) {
    for statement in ddl::create_table(&POSTGRES, table, &[]) {
        connection.run(statement, &mut ()).await.unwrap();
    }
}

/// Stores each value in a column of its type, one by one and then all together, by INSERT and by
/// UPDATE, and expects it back.
async fn round_trip(connection: &mut Ours, sql_type: SqlType, values_in: Vec<Value>) {
    let facts = Facts::new(sql_type).nullable();
    let table = table_of(ColumnDef::with_facts("v", "v", facts));
    create(connection, table).await;
    let mut given = values_in;
    given.push(Value::Null);
    for value in &given {
        let insert = insert_into(table, &["v"], vec![value.clone()], &["v"]);
        assert_eq!(values(connection, insert, &[sql_type]).await, std::slice::from_ref(value));
    }
    let insert = insert_into(table, &["v"], given.clone(), &["v"]);
    assert_eq!(values(connection, insert, &[sql_type]).await, given, "{sql_type:?}");
    // The values change places.
    let count = given.len();
    given.reverse();
    let keys = (1..).map(Value::Int);
    let mut update = UpdateRows {
        table,
        key: vec![0],
        set: vec![1],
        expressions: vec![],
        rows: count,
        values: keys.zip(&given).flat_map(|(key, value)| [key, value.clone()]).collect(),
        returning: vec![],
    };
    connection.run(render_update(&POSTGRES, update.clone()).unwrap(), &mut ()).await.unwrap();
    let column = |at| Expr::Column(ColumnRef::scoped(table, at));
    let mut select = Select::from(table);
    select.columns = vec![(column(1), None)];
    select.order_by = vec![OrderTerm::new(column(0), false)];
    select.limit = u64::try_from(count).ok();
    let select = render_select(&POSTGRES, &select).unwrap();
    let read = values(connection, select, &[sql_type]).await;
    assert_eq!(read, given, "{sql_type:?}");
    update.rows = 1;
    update.values.truncate(2);
    update.returning = vec![1];
    let update = render_update(&POSTGRES, update).unwrap();
    assert_eq!(values(connection, update, &[sql_type]).await, given[..1]);
    run(connection, r#"DROP TABLE "t""#).await;
}

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

fn last_moment() -> NaiveTime {
    NaiveTime::from_hms_micro_opt(23, 59, 59, 999_999).unwrap()
}

/// From the first day of PostgreSQL to the last one of chrono.
fn days() -> Vec<NaiveDate> {
    vec![
        day(-4713, 11, 24),
        day(-1, 12, 31),
        day(0, 1, 1),
        day(1, 1, 1),
        day(1969, 12, 31),
        day(2000, 1, 1),
        day(2024, 2, 29),
        day(9999, 12, 31),
        day(10_000, 1, 1),
        NaiveDate::MAX,
    ]
}

fn moments() -> Vec<NaiveDateTime> {
    let days = days().into_iter();
    days.flat_map(|day| [day.and_time(NaiveTime::MIN), day.and_time(last_moment())]).collect()
}

fn json(text: &str) -> Value {
    Value::Json(Box::new(serde_json::from_str(text).unwrap()))
}

fn texts() -> Vec<Value> {
    let long = "é😀".repeat(100_000);
    ["", " ", "NULL", "😀é", "'\"`;--\\", "{a,\"b\"}", "123", &long]
        .map(|text| Value::Text(text.into()))
        .to_vec()
}

#[tokio::test]
async fn every_scalar_makes_the_round_trip() {
    in_schema(async |database| {
        let mut connection = database.connection().await;
        let c = &mut connection;
        let ints = |values: [i64; 4]| values.map(Value::Int).to_vec();
        round_trip(c, SqlType::Bool, vec![Value::Bool(true), Value::Bool(false)]).await;
        round_trip(c, SqlType::I16, ints([i16::MIN.into(), -1, 0, i16::MAX.into()])).await;
        round_trip(c, SqlType::I32, ints([i32::MIN.into(), -1, 0, i32::MAX.into()])).await;
        round_trip(c, SqlType::I64, ints([i64::MIN, -1, 0, i64::MAX])).await;
        round_trip(c, SqlType::U8, ints([0, 1, 127, u8::MAX.into()])).await;
        round_trip(c, SqlType::U16, ints([0, 1, 32_768, u16::MAX.into()])).await;
        round_trip(c, SqlType::U32, ints([0, 1, 1 << 31, u32::MAX.into()])).await;
        round_trip(c, SqlType::F32, singles()).await;
        round_trip(c, SqlType::F64, doubles()).await;
        round_trip(c, SqlType::Text, texts()).await;
        let bytes = [vec![], vec![0], vec![0xff, 0, 0xfe], vec![7; 1 << 20], b"\\x00".to_vec()];
        round_trip(c, SqlType::Bytes, bytes.map(Value::Bytes).to_vec()).await;
        round_trip(c, SqlType::Date, days().into_iter().map(Value::Date).collect()).await;
        let times = [NaiveTime::MIN, last_moment()].map(Value::Time).to_vec();
        round_trip(c, SqlType::Time, times).await;
        let moments = moments();
        round_trip(c, SqlType::DateTime, moments.iter().copied().map(Value::DateTime).collect())
            .await;
        let instants = moments.iter().map(|time| Value::Timestamp(time.and_utc())).collect();
        round_trip(c, SqlType::Timestamp, instants).await;
        #[cfg(feature = "uuid")]
        {
            let uuids = [uuid::Uuid::nil(), uuid::Uuid::max(), uuid::Uuid::from_u128(1 << 70)];
            round_trip(c, SqlType::Uuid, uuids.map(Value::Uuid).to_vec()).await;
        }
        #[cfg(feature = "decimal")]
        round_trip(c, SqlType::Decimal, decimals()).await;
    })
    .await;
}

fn singles() -> Vec<Value> {
    [f32::MIN, f32::MAX, f32::MIN_POSITIVE, f32::from_bits(1), 0.1, f32::INFINITY, f32::NAN, 1e10]
        .map(Value::Float)
        .to_vec()
}

fn doubles() -> Vec<Value> {
    [
        f64::MIN,
        f64::MAX,
        f64::MIN_POSITIVE,
        f64::from_bits(1),
        0.1,
        f64::NEG_INFINITY,
        f64::NAN,
        1e15,
    ]
    .map(Value::Double)
    .to_vec()
}

#[cfg(feature = "decimal")]
fn decimals() -> Vec<Value> {
    use rust_decimal::Decimal;
    [
        Decimal::MAX,
        Decimal::MIN,
        Decimal::ZERO,
        Decimal::new(0, 2),
        Decimal::new(0, 28),
        Decimal::new(100, 2),
        Decimal::new(-1, 28),
        Decimal::new(12_345_678, 4),
        Decimal::new(10_000, 0),
        Decimal::new(100_000_000, 5),
        Decimal::from_i128_with_scale(79_228_162_514_264_337_593_543_950_335, 28),
        Decimal::from_i128_with_scale(-79_228_162_514_264_337_593_543_950_335, 13),
    ]
    .map(Value::Decimal)
    .to_vec()
}

#[tokio::test]
async fn documents_make_the_round_trip() {
    in_schema(async |database| {
        let mut connection = database.connection().await;
        let deep = format!("{}1.5{}", "[".repeat(127), "]".repeat(127));
        let long = format!("{:?}", "x".repeat(1 << 20));
        let documents = [
            "null",
            "true",
            "{}",
            "[]",
            "\"\"",
            r#"[[],{"a":[null,1.5,"\u0001😀\\u0000"],"":{"b":{}}}]"#,
            "18446744073709551615",
            "-9223372036854775808",
            "0",
            "1.0",
            "-1.0",
            "0.1",
            "1e16",
            "1e300",
            "-1.7976931348623157e308",
            "5e-324",
            "2.2250738585072014e-308",
            "1e-7",
            "123456789.123456789",
            &deep,
            &long,
        ];
        round_trip(&mut connection, SqlType::Json, documents.map(json).to_vec()).await;
    })
    .await;
}

static ODD: EnumType = EnumType { name: "Odd \"type\"", labels: &["a", "it's", "{,}", "NULL", ""] };

#[tokio::test]
async fn arrays_and_enums_make_the_round_trip() {
    in_schema(async |database| {
        let mut connection = database.connection().await;
        let c = &mut connection;
        let odd = table_of(ColumnDef::with_facts("v", "v", Facts::new(SqlType::Enum(&ODD))));
        for statement in POSTGRES.create_types(&[odd]) {
            words(c, &statement).await;
        }
        let labels: Vec<Value> = ODD.labels.iter().map(|label| Value::Label(label)).collect();
        round_trip(c, SqlType::Enum(&ODD), labels.clone()).await;
        let array = async |c: &mut Ours, element: &'static SqlType, values: Vec<Value>| {
            let mut with_null = values.clone();
            with_null.push(Value::Null);
            let arrays = vec![
                Value::Array(values),
                Value::Array(with_null),
                Value::Array(vec![]),
                Value::Array(vec![Value::Null]),
            ];
            round_trip(c, SqlType::Array(element), arrays).await;
        };
        static ENUM: SqlType = SqlType::Enum(&ODD);
        array(c, &ENUM, labels).await;
        array(c, &SqlType::Bool, vec![Value::Bool(true), Value::Bool(false)]).await;
        array(c, &SqlType::I16, vec![Value::Int(-5), Value::Int(5)]).await;
        array(c, &SqlType::I32, vec![Value::Int(i32::MIN.into())]).await;
        array(c, &SqlType::I64, vec![Value::Int(i64::MIN), Value::Int(i64::MAX)]).await;
        array(c, &SqlType::U16, vec![Value::Int(u16::MAX.into())]).await;
        array(c, &SqlType::U32, vec![Value::Int(u32::MAX.into())]).await;
        array(c, &SqlType::F32, singles()).await;
        array(c, &SqlType::F64, doubles()).await;
        array(c, &SqlType::Text, texts()).await;
        array(c, &SqlType::Date, days().into_iter().map(Value::Date).collect()).await;
        array(c, &SqlType::Time, [NaiveTime::MIN, last_moment()].map(Value::Time).to_vec()).await;
        let moments = moments();
        array(c, &SqlType::DateTime, moments.iter().copied().map(Value::DateTime).collect()).await;
        let instants = moments.iter().map(|time| Value::Timestamp(time.and_utc())).collect();
        array(c, &SqlType::Timestamp, instants).await;
        #[cfg(feature = "uuid")]
        array(c, &SqlType::Uuid, vec![Value::Uuid(uuid::Uuid::max())]).await;
        #[cfg(feature = "decimal")]
        array(c, &SqlType::Decimal, decimals()).await;
    })
    .await;
}

/// Whose labels are in a column of texts, as ready-made databases have them.
#[tokio::test]
async fn the_authors_spelling_of_an_enums_column_is_respected() {
    in_schema(async |database| {
        let mut connection = database.connection().await;
        let c = &mut connection;
        let facts = Facts::new(SqlType::Enum(&ODD)).nullable();
        let table = table_of(ColumnDef::with_facts("v", "v", facts).sql_type("VARCHAR(3)"));
        create(c, table).await;
        let label = |label| Value::Label(label);
        for rows in [vec![label("a")], vec![label("{,}"), label("a"), Value::Null]] {
            let insert = insert_into(table, &["v"], rows.clone(), &["v"]);
            assert_eq!(values(c, insert, &[SqlType::Enum(&ODD)]).await, rows);
        }
        for rows in [vec![label("it's")], vec![label("it's"), label("NULL")]] {
            let too_long = insert_into(table, &["v"], rows, &[]);
            let error = c.run(too_long, &mut ()).await.unwrap_err();
            assert!(matches!(error, Error::Database { code: Some(code), .. } if code == "22001"));
        }
        let delete = |values: Vec<Value>| {
            let rows = values.len();
            render_delete(
                &POSTGRES,
                DeleteRows { table, key: vec![1], rows, values, returning: vec![] },
            )
        };
        let one = delete(vec![label("{,}")]).unwrap();
        assert_eq!(c.run(one, &mut ()).await.unwrap().rows, 1);
        let many = delete(vec![label("a"), label("")]).unwrap();
        assert_eq!(c.run(many, &mut ()).await.unwrap().rows, 2);
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_stored_is_refused() {
    in_schema(async |database| {
        let mut connection = database.connection().await;
        let leap = NaiveTime::from_hms_micro_opt(23, 59, 59, 1_500_000).unwrap();
        let cases = [
            (Value::Text("nul \0 inside".into()), SqlType::Text),
            (json(r#"{"a":["\u0000"]}"#), SqlType::Json),
            (json(r#"{"\u0000":1}"#), SqlType::Json),
            (Value::Date(day(-4713, 11, 23)), SqlType::Date),
            (Value::Date(NaiveDate::MIN), SqlType::Date),
            (Value::DateTime(NaiveDateTime::MIN), SqlType::DateTime),
            (Value::Timestamp(NaiveDateTime::MIN.and_utc()), SqlType::Timestamp),
            (Value::Time(leap), SqlType::Time),
            (Value::DateTime(day(2016, 12, 31).and_time(leap)), SqlType::DateTime),
            (Value::Int(i64::from(i16::MAX) + 1), SqlType::I16),
            (Value::Int(i64::MAX), SqlType::I32),
            (Value::Int(-1), SqlType::U8),
            (Value::Int(65_536), SqlType::U16),
            (Value::Int(1 << 32), SqlType::U32),
            (Value::Double(1.0), SqlType::F32),
            (Value::Text("1".into()), SqlType::I64),
            (Value::Array(vec![Value::Text("\0".into())]), SqlType::Array(&SqlType::Text)),
            (Value::Array(vec![Value::Int(40_000)]), SqlType::Array(&SqlType::I16)),
            (Value::Array(vec![Value::Bytes(vec![])]), SqlType::Array(&SqlType::Bytes)),
            (Value::Array(vec![Value::Array(vec![])]), SqlType::Array(&SqlType::I64)),
            (Value::Refused("it is secret".into()), SqlType::Text),
        ];
        for (value, sql_type) in cases {
            let facts = Facts::new(sql_type).nullable();
            let table = table_of(ColumnDef::with_facts("v", "v", facts));
            // As one value and as one of several.
            for values in [vec![value.clone()], vec![Value::Null, value.clone()]] {
                let insert = insert_into(table, &["v"], values, &[]);
                let error = connection.run(insert, &mut ()).await.unwrap_err();
                assert!(matches!(error, Error::Type { .. }), "{value:?}: {error}");
            }
        }
    })
    .await;
}

/// Reads the one row of a statement.
async fn with_row(connection: &mut Ours, sql: &str, mut check: impl FnMut(&dyn Cells) + Send) {
    let mut rows = 0;
    let mut sink = EachRow(|cells: &dyn Cells| {
        rows += 1;
        check(cells);
        Ok(())
    });
    connection.run(Statement::plain(sql), &mut sink).await.unwrap();
    assert_eq!(rows, 1);
}

#[tokio::test]
async fn a_field_may_be_of_another_width_than_its_column_but_not_of_another_kind() {
    in_schema(async |database| {
        let mut connection = database.connection().await;
        let c = &mut connection;
        let numbers = "SELECT 1::int2, 2::int4, 3::int8, 4::float4, 5::float8, 'x'::varchar(3), \
                       'y'::char(3), 'z'::name, sum(6::int8), 1.5::numeric, NULL::int4, 'q'";
        with_row(c, numbers, |cells| {
            assert_eq!((cells.int(0), cells.int(1), cells.int(2)), (Ok(1), Ok(2), Ok(3)));
            assert_eq!(
                (cells.float(3), cells.double(3), cells.double(4)),
                (Ok(4.0), Ok(4.0), Ok(5.0))
            );
            assert_eq!(
                (cells.text(5), cells.text(6), cells.text(7)),
                (Ok("x"), Ok("y  "), Ok("z"))
            );
            assert_eq!(cells.text(11), Ok("q"));
            assert!(cells.int(3).is_err() && cells.float(1).is_err() && cells.float(4).is_err());
            assert!(cells.text(0).is_err() && cells.bool(0).is_err() && cells.bytes(5).is_err());
            assert!(cells.double(2).is_err() && cells.json(5).is_err() && cells.date(0).is_err());
            assert!(cells.array(0, &SqlType::I16).is_err());
            assert!(cells.is_null(10) && !cells.is_null(0));
            assert!(cells.int(10).is_err() && cells.text(10).is_err());
            assert!(cells.int(12).is_err() && !cells.is_null(12), "there is no such column");
            #[cfg(feature = "decimal")]
            {
                use rust_decimal::Decimal;
                assert_eq!((cells.int(8), cells.decimal(8)), (Ok(6), Ok(Decimal::from(6))));
                assert!(cells.int(9).is_err());
                assert_eq!(cells.decimal(2), Ok(Decimal::from(3)));
            }
        })
        .await;
        let times = "SELECT 'infinity'::date, '-infinity'::timestamp, 'infinity'::timestamptz, \
                     '24:00'::time, '5874897-12-31'::date, '294276-12-31'::timestamp, \
                     now()::timestamp, now()";
        with_row(c, times, |cells| {
            assert!(cells.date(0).is_err() && cells.date_time(1).is_err());
            assert!(cells.timestamp(2).is_err() && cells.time(3).is_err());
            assert!(cells.date(4).is_err() && cells.date_time(5).is_err());
            assert!(cells.timestamp(6).is_err() && cells.date_time(7).is_err());
        })
        .await;
        let arrays = "SELECT '{{1,2},{3,4}}'::int4[], '[3:4]={1,NULL}'::int4[], '{1}'::int8[], \
                      '{a}'::text[], '{}'::float8[], '{b}'::varchar(3)[], '{\"{}\"}'::jsonb[]";
        with_row(c, arrays, |cells| {
            assert!(cells.array(0, &SqlType::I32).is_err());
            assert_eq!(cells.array(1, &SqlType::I32), Ok(vec![Value::Int(1), Value::Null]));
            assert_eq!(cells.array(2, &SqlType::I32), Ok(vec![Value::Int(1)]));
            assert!(cells.array(3, &SqlType::I32).is_err());
            assert_eq!(cells.array(4, &SqlType::F64), Ok(vec![]));
            assert_eq!(cells.array(5, &SqlType::Text), Ok(vec![Value::Text("b".into())]));
            assert!(cells.array(6, &SqlType::Json).is_err());
        })
        .await;
        with_row(c, r#"SELECT '{"a":1.0}'::json, '{"a":1.0}'::jsonb"#, |cells| {
            assert_eq!(cells.json(0), cells.json(1));
        })
        .await;
    })
    .await;
}

#[cfg(feature = "decimal")]
#[tokio::test]
async fn decimals_are_read_with_all_their_digits_or_not_at_all() {
    use rust_decimal::Decimal;
    in_schema(async |database| {
        let mut connection = database.connection().await;
        let numbers = "SELECT 'NaN'::numeric, 'Infinity'::numeric, 1e29::numeric, \
                       1e-29::numeric, 1.5::numeric(60, 40), 0::numeric(40, 35), \
                       123456.5::numeric(60, 28), 10::numeric / 3, 1e40::numeric, \
                       0.5::numeric(1000, 1000), 1e28::numeric";
        with_row(&mut connection, numbers, |cells| {
            for at in [0, 1, 2, 3, 8] {
                assert!(cells.decimal(at).is_err(), "{at}");
            }
            assert_eq!(cells.decimal(4), Ok(Decimal::new(15, 1)));
            assert_eq!(cells.decimal(5), Ok(Decimal::ZERO));
            assert_eq!(cells.decimal(6), Ok(Decimal::new(1_234_565, 1)));
            assert_eq!(cells.decimal(7), Ok("3.3333333333333333".parse().unwrap()));
            assert_eq!(cells.decimal(9), Ok(Decimal::new(5, 1)));
            assert_eq!(cells.decimal(10), Ok("10000000000000000000000000000".parse().unwrap()));
        })
        .await;
        // Digits that a column adds are known without asking.
        let column = ColumnDef::new::<Decimal>("v", "v").precision(10).scale(3);
        let table = table_of(column);
        create(&mut connection, table).await;
        for decimal in [Decimal::new(15, 1), Decimal::new(0, 0), Decimal::new(-1_500, 3)] {
            let given = Value::Decimal(decimal);
            let insert = insert_into(table, &["v"], vec![given.clone()], &["v"]);
            let stored = POSTGRES.stored(&table.columns()[1], &given).unwrap_or(given);
            assert_eq!(values(&mut connection, insert, &[SqlType::Decimal]).await, [stored]);
        }
    })
    .await;
}

#[tokio::test]
async fn violations_name_what_was_violated() {
    in_schema(async |database| {
        let engine = database.engine().await;
        engine.create_all(&sample()).await.unwrap();
        let mut connection = engine.connection().await.unwrap();
        let c = &mut connection;
        c.run(user("ada@example.org"), &mut ()).await.unwrap();
        let secret = |values| insert_into(users(), &["email", "age"], values, &[]);
        let text = |text: &str| Value::Text(text.into());
        let post =
            |user| insert_into(posts(), &["title", "user_id"], vec![text("secret"), user], &[]);
        let post_of_one = post(Value::Int(1));
        c.run(post_of_one, &mut ()).await.unwrap();
        let mut check =
            async |table, statement, kind: fn(&Error) -> bool, constraint, columns: &[&str]| {
                let error = c.run_on(table, statement, &mut ()).await.unwrap_err();
                assert!(kind(&error), "{error:?}");
                let violation = error.violation().unwrap();
                assert_eq!(violation.constraint.as_deref(), constraint);
                assert_eq!(violation.columns, columns, "{error}");
                assert!(!error.to_string().contains("secret"), "{error}");
                violation.table.clone()
            };
        let unique: fn(&Error) -> bool = |error| matches!(error, Error::UniqueViolation(_));
        let of_key: fn(&Error) -> bool = |error| matches!(error, Error::ForeignKeyViolation(_));
        let not_null: fn(&Error) -> bool = |error| matches!(error, Error::NotNullViolation(_));
        let of_check: fn(&Error) -> bool = |error| matches!(error, Error::CheckViolation(_));
        let email = user("ada@example.org");
        let table = check(users(), email, unique, Some("uq_users_email"), &["email"]).await;
        assert_eq!(table.as_deref(), Some("users"));
        let key = insert_into(users(), &["id", "email"], vec![Value::Int(1), text("secret")], &[]);
        check(users(), key, unique, Some("pk_users"), &["id"]).await;
        let orphan = post(Value::Int(99));
        check(posts(), orphan, of_key, Some("fk_posts_user_id"), &["user_id"]).await;
        let missing = secret(vec![Value::Null, Value::Null]);
        check(users(), missing, not_null, None, &["email"]).await;
        let age = secret(vec![text("secret"), Value::Int(-1)]);
        check(users(), age, of_check, Some("ck_users_age"), &["age"]).await;
        check(users(), user("x"), of_check, Some("ck_users_1"), &[]).await;
        // A parent that is still referenced.
        let tables = "CREATE TABLE parent (id int PRIMARY KEY, a int, b int, UNIQUE (a, b));
             CREATE TABLE child (id int REFERENCES parent);
             INSERT INTO parent VALUES (1, 2, 3); INSERT INTO child VALUES (1)";
        words(c, tables).await;
        let error = try_run(c, "DELETE FROM parent").await.unwrap_err();
        assert!(matches!(error, Error::ForeignKeyViolation(_)));
        // A constraint whose name says nothing to us.
        let error = try_run(c, "INSERT INTO parent VALUES (2, 2, 3)").await.unwrap_err();
        let violation = error.violation().unwrap();
        assert_eq!(violation.columns, ["a", "b"]);
        assert_eq!(violation.table.as_deref(), Some("parent"));
    })
    .await;
}

#[tokio::test]
async fn errors_are_told_apart_and_hold_no_value() {
    in_schema(async |database| {
        let mut connection = database.connection().await;
        let c = &mut connection;
        for (sql, code) in [
            ("SELECT 'secret'::int4", "22P02"),
            ("SELECT 'secret'::date", "22007"),
            ("SELECT '2024-02-99'::date", "22008"),
            ("SELECT 99999999999::int4", "22003"),
            ("SELECT 1 / 0", "22012"),
            ("SELECT '{secret'::int4[]", "22P02"),
            ("SELECT '{secret'::jsonb", "22P02"),
            ("SELECT * FROM no_such_table", "42P01"),
        ] {
            let error = try_run(c, sql).await.unwrap_err();
            assert!(matches!(&error, Error::Database { code: Some(is), .. } if is == code), "{error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        words(c, "SET statement_timeout = 50").await;
        let error = try_run(c, "SELECT pg_sleep(5)").await.unwrap_err();
        assert!(matches!(error, Error::Timeout(_)), "{error}");
        words(c, "SET statement_timeout = 0; CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 0), (2, 0)").await;
        words(c, "BEGIN READ ONLY").await;
        let error = try_run(c, "UPDATE t SET n = 1").await.unwrap_err();
        assert!(matches!(error, Error::Database { code: Some(code), .. } if code == "25006"));
        words(c, "ROLLBACK").await;

        // Locks of another connection.
        let mut other = database.connection().await;
        words(c, "BEGIN").await;
        run(c, "UPDATE t SET n = 1 WHERE id = 1").await;
        let locked = "SELECT n FROM t WHERE id = 1 FOR UPDATE NOWAIT";
        let error = try_run(&mut other, locked).await.unwrap_err();
        assert!(matches!(error, Error::Timeout(_)), "{error}");
        words(&mut other, "SET deadlock_timeout = 50; BEGIN").await;
        run(&mut other, "UPDATE t SET n = 2 WHERE id = 2").await;
        let (one, two) = futures_util::join!(
            try_run(c, "UPDATE t SET n = 1 WHERE id = 2"),
            try_run(&mut other, "UPDATE t SET n = 2 WHERE id = 1"),
        );
        let error = one.err().or(two.err()).unwrap();
        assert!(error.is_retryable(), "{error}");
        words(c, "ROLLBACK").await;
        words(&mut other, "ROLLBACK; BEGIN ISOLATION LEVEL REPEATABLE READ").await;
        run(&mut other, "SELECT n FROM t").await;
        run(c, "UPDATE t SET n = 7").await;
        let error = try_run(&mut other, "UPDATE t SET n = 8").await.unwrap_err();
        assert!(error.is_retryable(), "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_the_server_ends_is_lost() {
    in_schema(async |database| {
        let mut connection = database.connection().await;
        let process = number(&mut connection, "SELECT pg_backend_pid()").await;
        let mut other = database.connection().await;
        run(&mut other, &format!("SELECT pg_terminate_backend({process})")).await;
        let error = try_run(&mut connection, "SELECT 1").await.unwrap_err();
        assert!(matches!(error, Error::Connection(_)), "{error}");
        assert!(connection.is_spoilt());
    })
    .await;
}

#[tokio::test]
async fn a_changed_schema_is_noticed() {
    in_schema(async |database| {
        let mut connection = database.connection().await;
        let c = &mut connection;
        words(c, "CREATE TABLE t (id int, v int); INSERT INTO t VALUES (1, 2)").await;
        let select = "SELECT v FROM t";
        assert_eq!(number(c, select).await, 2);
        words(c, "ALTER TABLE t ALTER v TYPE bigint").await;
        assert_eq!(number(c, select).await, 2);
        words(c, "DEALLOCATE ALL").await;
        assert_eq!(number(c, select).await, 2);
        // In a transaction the statement has failed, but the next transaction goes well.
        c.begin().await.unwrap();
        words(c, "ALTER TABLE t ALTER v TYPE int").await;
        assert!(try_run(c, select).await.is_err());
        c.rollback().await;
        words(c, "ALTER TABLE t ALTER v TYPE int").await;
        c.begin().await.unwrap();
        assert_eq!(number(c, select).await, 2);
        c.commit().await.unwrap();
    })
    .await;
}

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
            skip_existing: vec![],
        };
        engine.create_all(&Schema::new([left as TableFn, right])).await.unwrap();
        let defaults = render_insert(&POSTGRES, defaults).unwrap();
        let keys = values(&mut connection, defaults, &[SqlType::I32]).await;
        assert_eq!(keys, [1, 2, 3].map(Value::Int));
    })
    .await;
}

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
        let live: &mut PgConnection = connection.lend().await.unwrap();
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
            skip_existing: vec![],
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
        if !cfg!(feature = "tls") {
            let encrypted = format!("{}&sslmode=require", database.url);
            let error = Engine::connect(encrypted).await.unwrap_err();
            assert!(matches!(error, Error::Connection(_)), "{error:?}");
            assert!(error.to_string().contains("feature `tls`"), "{error}");
        }
        let preferred = format!("{}&sslmode=prefer", database.url);
        Engine::connect(preferred).await.unwrap();
    })
    .await;
}
