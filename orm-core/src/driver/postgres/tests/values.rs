//! Values on their way into the database and back, and those that are refused.

use super::*;

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
