//! Casts mean the same everywhere.

use orm_core::query::Expression;
use orm_core::value::ColumnType;
use orm_core::{Model, Result, schema};
use orm_tests::{Database, backend_tests};
use rust_decimal::Decimal;

#[derive(Model)]
struct Cell {
    text: Option<String>,
    #[orm(default = 0.0)]
    float: f64,
    #[orm(default = 0)]
    integer: i64,
    #[orm(default = false)]
    boolean: bool,
    #[orm(default = Decimal::ZERO)]
    decimal: Decimal,
}

async fn read<T: ColumnType>(db: &Database, expression: Expression<Cell, T>) -> Result<Vec<T>> {
    Cell::select().order_by(Cell::id.asc()).columns(expression).on(&db.engine).all().await
}

backend_tests! {
    /// Issue 5: a float or decimal becomes an integer by cutting, towards zero.
    async fn numbers_become_integers_by_cutting(db) {
        db.create(&schema![Cell]).await?;
        const FLOATS: [f64; 8] = [0.0, 2.5, -2.5, 0.9, -0.9, 3.5, 1e15, -7.0];
        let mut session = db.session();
        session.add_all(FLOATS.map(|float| {
            Cell::draft().float(float).decimal(Decimal::try_from(float).expect("a decimal"))
        }));
        session.commit().await?;
        let expected = FLOATS.map(|float| float as i64);
        assert_eq!(read(&db, Cell::float.cast::<i64>()).await?, expected);
        assert_eq!(read(&db, Cell::decimal.cast::<i64>()).await?, expected);
        assert_eq!(read(&db, Cell::decimal.cast::<f64>()).await?, FLOATS);
        let small = Cell::select().filter(Cell::float.lt(1e9)).columns(Cell::float.cast::<i32>());
        assert_eq!(small.on(&db.engine).all().await?.iter().sum::<i32>(), -4);
        assert_eq!(read(&db, (Cell::float.cast::<i64>() / 2) * 2).await?[1..3], [2, -2]);
    }

    /// Issue 5: integers and booleans become floats, decimals, texts and each other.
    async fn integers_and_booleans_become_others(db) {
        db.create(&schema![Cell]).await?;
        const INTEGERS: [i64; 5] = [0, 1, -1, 42, i64::MIN];
        let mut session = db.session();
        session.add_all(INTEGERS.map(|integer| Cell::draft().integer(integer).boolean(integer > 0)));
        session.commit().await?;
        assert_eq!(read(&db, Cell::integer.cast::<f64>()).await?, INTEGERS.map(|integer| integer as f64));
        assert_eq!(read(&db, Cell::integer.cast::<Decimal>()).await?, INTEGERS.map(Decimal::from));
        assert_eq!(read(&db, Cell::integer.cast::<String>()).await?, INTEGERS.map(|integer| integer.to_string()));
        assert_eq!(read(&db, Cell::integer.cast::<bool>()).await?, INTEGERS.map(|integer| integer != 0));
        assert_eq!(read(&db, Cell::boolean.cast::<i64>()).await?, INTEGERS.map(|integer| i64::from(integer > 0)));
        assert_eq!(read(&db, Cell::boolean.cast::<String>()).await?, INTEGERS.map(|integer| (integer > 0).to_string()));
        assert_eq!(read(&db, Cell::integer.cast::<f64>() / 2.0).await?[1], 0.5);
        let labels = read(&db, Cell::integer.cast::<String>().concat("!")).await?;
        assert_eq!(labels[3], "42!");
        let trues = Cell::select().filter(Cell::integer.cast::<bool>().eq(true));
        assert_eq!(trues.on(&db.engine).count().await?, 4);
        let error = read(&db, Cell::integer.cast::<i16>()).await.unwrap_err();
        assert!(error.to_string().contains("out of range"), "{error}");
    }

    /// Issue 5: a text becomes a number if it is one, and else NULL, never an error or a part.
    async fn texts_become_numbers_or_null(db) {
        db.create(&schema![Cell]).await?;
        const TEXTS: [&str; 24] = [
            "0", "12", "-7", "+5", "007", "999999999999999999", "1000000000000000000", "1.5", "-0.25",
            "1e5", ".5", "1.", "--1", "-", "+", "", " 1", "1 ", "1\n", "0x10", "abc", "１", "1a", "-12.50",
        ];
        let mut session = db.session();
        session.add_all(TEXTS.map(|text| Cell::draft().text(text)));
        session.add(Cell::draft());
        session.commit().await?;
        let integer = |text: &str| -> Option<i64> {
            let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
            let is_one = (1..=18).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
            is_one.then(|| text.parse().expect("an integer"))
        };
        let mut expected: Vec<Option<i64>> = TEXTS.iter().map(|text| integer(text)).collect();
        expected.push(None);
        assert_eq!(read(&db, Cell::text.cast::<i64>()).await?, expected);
        let float = |text: &str| -> Option<f64> {
            let is_one = !text.contains(['e', '\n', ' ']) && serde_json::from_str::<serde_json::Number>(text).is_ok();
            is_one.then(|| text.parse().expect("a number"))
        };
        let mut expected: Vec<Option<f64>> = TEXTS.iter().map(|text| float(text)).collect();
        expected.push(None);
        assert_eq!(read(&db, Cell::text.cast::<f64>()).await?, expected);
        let sum = Cell::select().filter(Cell::text.cast::<i64>().lt(100)).columns(Cell::text.cast::<i64>().sum());
        assert_eq!(sum.on(&db.engine).one().await?, Some(12 - 7 + 5 + 7));
    }
}
