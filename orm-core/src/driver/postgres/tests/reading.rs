//! What is read of columns that others made.

use super::*;

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
