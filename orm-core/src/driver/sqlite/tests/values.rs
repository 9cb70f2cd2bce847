//! Values on their way into SQLite and back.

use std::sync::{Arc, Mutex};

use crate::driver::{EachRow, Engine};
use crate::error::Error;
use crate::sql::{Bind, Statement};
use crate::value::{Cells, SqlType, Value};

fn statement(sql: &str, binds: Vec<(Value, SqlType)>) -> Statement {
    let binds = binds.into_iter().map(|(value, sql_type)| Bind::one(value, sql_type)).collect();
    Statement { binds, ..Statement::plain(sql) }
}

#[tokio::test]
async fn like_goes_by_case() {
    let engine = Engine::connect("sqlite::memory:").await.unwrap();
    let mut connection = engine.connection().await.unwrap();
    let mut sink = EachRow(|cells: &dyn Cells| {
        assert_eq!(cells.bool(0), Ok(false));
        Ok(())
    });
    connection.run(Statement::plain("SELECT 'a' LIKE 'A'"), &mut sink).await.unwrap();
}

/// Binds each value into a column of its type and expects it back.
async fn round_trip(column_type: &str, sql_type: SqlType, values: Vec<Value>) {
    let engine = Engine::connect("sqlite::memory:").await.unwrap();
    let mut connection = engine.connection().await.unwrap();
    let create = format!("CREATE TABLE t (v {column_type})");
    connection.run(Statement::plain(create), &mut ()).await.unwrap();
    for value in values {
        let binds = vec![(value.clone(), sql_type)];
        let insert = statement("INSERT INTO t VALUES (?) RETURNING v", binds);
        let read = Arc::new(Mutex::new(None));
        let mut sink = EachRow(|cells: &dyn Cells| {
            let cell = Value::read(cells, 0, &sql_type);
            *read.lock().unwrap() = Some(cell.map_err(|error| Error::at_column("t", "v", error))?);
            Ok(())
        });
        connection.run(insert, &mut sink).await.unwrap();
        assert_eq!(read.lock().unwrap().take(), Some(value));
    }
}

#[tokio::test]
async fn every_type_makes_the_round_trip() {
    use chrono::{NaiveDate, NaiveTime};
    let day = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).unwrap();
    let last = NaiveTime::from_hms_micro_opt(23, 59, 59, 999_999).unwrap();
    let days = [day(0, 1, 1), day(1969, 12, 31), day(2024, 2, 29), day(9999, 12, 31)];
    let ints = [i64::MIN, -1, 0, i64::MAX];
    let singles = [f32::MIN, f32::MAX, f32::MIN_POSITIVE, f32::from_bits(1), 0.1, f32::INFINITY];
    let doubles =
        [f64::MIN, f64::MAX, f64::MIN_POSITIVE, f64::from_bits(1), 0.1, f64::NEG_INFINITY, 1e15];
    let texts = ["", "nul \0 inside", "😀é", "'\"`;--", "123"];
    let json = |text: &str| Value::Json(Box::new(serde_json::from_str(text).unwrap()));
    round_trip("BOOLEAN", SqlType::Bool, vec![Value::Bool(true), Value::Bool(false)]).await;
    round_trip("BIGINT", SqlType::I64, ints.map(Value::Int).to_vec()).await;
    round_trip("REAL", SqlType::F32, singles.map(Value::Float).to_vec()).await;
    round_trip("REAL", SqlType::F64, doubles.map(Value::Double).to_vec()).await;
    round_trip("VARCHAR(9)", SqlType::Text, texts.map(|text| Value::Text(text.into())).to_vec())
        .await;
    let bytes = [vec![], vec![0], vec![0xff, 0, 0xfe], b"text".to_vec()];
    round_trip("BLOB", SqlType::Bytes, bytes.map(Value::Bytes).to_vec()).await;
    round_trip("TEXT", SqlType::Date, days.map(Value::Date).to_vec()).await;
    round_trip("TEXT", SqlType::Time, [NaiveTime::MIN, last].map(Value::Time).to_vec()).await;
    let times = days.map(|day| day.and_time(last));
    round_trip("TEXT", SqlType::DateTime, times.map(Value::DateTime).to_vec()).await;
    round_trip(
        "TEXT",
        SqlType::Timestamp,
        times.map(|time| Value::Timestamp(time.and_utc())).to_vec(),
    )
    .await;
    let documents = [
        "null",
        "{}",
        "[]",
        "[[],{\"a\":[null,1.5,\"\\u0000\"]}]",
        "\"x\"",
        "18446744073709551615",
    ];
    round_trip("TEXT", SqlType::Json, documents.map(json).to_vec()).await;
    let array =
        |element, values| round_trip("TEXT", SqlType::Array(element), vec![Value::Array(values)]);
    array(&SqlType::I64, vec![Value::Int(i64::MIN), Value::Null, Value::Int(i64::MAX)]).await;
    array(&SqlType::F32, vec![Value::Float(0.1), Value::Float(-0.0), Value::Float(f32::MAX)]).await;
    array(
        &SqlType::F64,
        vec![Value::Double(0.1), Value::Double(f64::from_bits(1)), Value::Double(f64::MAX)],
    )
    .await;
    array(&SqlType::Bool, vec![]).await;
    array(&SqlType::Text, texts.map(|text| Value::Text(text.into())).to_vec()).await;
    array(&SqlType::Date, days.map(Value::Date).to_vec()).await;
    array(&SqlType::Time, vec![Value::Time(last)]).await;
    array(&SqlType::DateTime, times.map(Value::DateTime).to_vec()).await;
    array(&SqlType::Timestamp, times.map(|time| Value::Timestamp(time.and_utc())).to_vec()).await;
    #[cfg(feature = "uuid")]
    {
        let uuids = [uuid::Uuid::nil(), uuid::Uuid::max()].map(Value::Uuid).to_vec();
        round_trip("BLOB", SqlType::Uuid, uuids.clone()).await;
        array(&SqlType::Uuid, uuids).await;
    }
    #[cfg(feature = "decimal")]
    {
        use rust_decimal::Decimal;
        let decimals = [Decimal::MAX, Decimal::MIN, Decimal::new(100, 2), Decimal::new(1, 28)];
        round_trip("TEXT", SqlType::Decimal, decimals.map(Value::Decimal).to_vec()).await;
        array(&SqlType::Decimal, decimals.map(Value::Decimal).to_vec()).await;
    }
}

#[tokio::test]
async fn what_cannot_be_stored_or_read_is_refused() {
    let engine = Engine::connect("sqlite::memory:").await.unwrap();
    let mut connection = engine.connection().await.unwrap();
    let year = chrono::NaiveDate::from_ymd_opt(10_000, 1, 1).unwrap();
    for value in [
        Value::Double(f64::NAN),
        Value::Float(f32::NAN),
        Value::Date(year),
        Value::Array(vec![Value::Double(f64::INFINITY)]),
        Value::Refused("it is secret".into()),
    ] {
        let bind = statement("SELECT ?", vec![(value, SqlType::Text)]);
        let error = connection.run(bind, &mut ()).await.unwrap_err();
        assert!(matches!(error, Error::Type { .. }), "{error}");
    }
    let mut sink = EachRow(|cells: &dyn Cells| {
        assert!(cells.is_null(0) && !cells.is_null(1));
        assert!(cells.int(0).is_err() && cells.text(0).is_err() && cells.json(0).is_err());
        assert!(cells.int(1).is_err() && cells.double(1).is_err() && cells.timestamp(1).is_err());
        assert!(cells.int(2).is_err(), "there is no such column");
        Ok(())
    });
    connection.run(Statement::plain("SELECT NULL, 'x'"), &mut sink).await.unwrap();
}

/// Other programs store decimals as numbers: in a NUMERIC column SQLite makes floats and integers
/// of them.
#[cfg(feature = "decimal")]
#[tokio::test]
async fn decimals_that_other_programs_stored_as_numbers_are_read_exactly() {
    use rust_decimal::Decimal;
    let engine = Engine::connect("sqlite::memory:").await.unwrap();
    let mut connection = engine.connection().await.unwrap();
    let mut sink = EachRow(|cells: &dyn Cells| {
        for (at, hundredths) in [99, 1_386, -5, 1_234_567_890_123].into_iter().enumerate() {
            assert_eq!(cells.decimal(at), Ok(Decimal::new(hundredths, 2)));
        }
        assert_eq!(cells.decimal(4), Ok(Decimal::from(i64::MIN)));
        for at in 5..=7 {
            assert!(cells.decimal(at).is_err());
        }
        Ok(())
    });
    let numbers =
        "SELECT 0.99, 13.86, -0.05, 12345678901.23, -9223372036854775808, 9e999, 1e30, ''";
    connection.run(Statement::plain(numbers), &mut sink).await.unwrap();
}
