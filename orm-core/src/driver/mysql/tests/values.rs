//! Values on their way there and back.

use super::*;

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
