//! Columns as other programs declare them.

use super::*;

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
