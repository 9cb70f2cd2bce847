//! Functions of numbers, against what Rust makes of the same numbers.

use orm_core::query::{Expression, Rows};
use orm_core::value::ColumnType;
use orm_core::{Model, Result, schema};
use orm_tests::{Database, backend_tests};
use rust_decimal::{Decimal, RoundingStrategy};

#[derive(Model)]
struct Sample {
    float: f64,
    single: f32,
    decimal: Decimal,
    integer: i64,
    small: Option<i16>,
}

const FLOATS: [f64; 16] = [
    0.0,
    0.5,
    -0.5,
    1.5,
    2.5,
    -2.5,
    2.675,
    0.49999999999999994,
    -1e-9,
    1e15,
    4503599627370497.5,
    -9007199254740993.0,
    1e200,
    123456.789,
    -0.05,
    3.0,
];
const DECIMALS: [&str; 4] = ["2.5", "-2.5", "1234.5678", "0"];

fn decimal(at: usize) -> Decimal {
    DECIMALS[at % DECIMALS.len()].parse().expect("a decimal")
}

fn integer(at: usize) -> i64 {
    [0, 1, -1, 7, -7, i64::from(i32::MAX)][at % 6]
}

async fn samples(db: &Database) -> Result<()> {
    db.create(&schema![Sample]).await?;
    let mut session = db.session();
    for (at, float) in FLOATS.into_iter().enumerate() {
        let draft = Sample::draft()
            .float(float)
            .single(at as f32 - 3.25)
            .decimal(decimal(at))
            .integer(integer(at));
        let sample = session.add(draft);
        session[sample].small = at.is_multiple_of(2).then_some(at as i16 - 4);
    }
    session.commit().await
}

fn by_key<T: ColumnType>(expression: Expression<Sample, T>) -> Rows<T, (Sample, ())> {
    Sample::select().order_by(Sample::id.asc()).columns(expression)
}

async fn check<T: ColumnType + PartialEq + std::fmt::Debug>(
    db: &Database,
    expression: Expression<Sample, T>,
    expected: impl Fn(usize) -> T,
) -> Result<()> {
    let found = by_key(expression).on(&db.engine).all().await?;
    let expected: Vec<T> = (0..FLOATS.len()).map(expected).collect();
    assert_eq!(found, expected);
    Ok(())
}

fn close(left: Option<f64>, right: Option<f64>) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => (left - right).abs() <= right.abs() * 1e-14,
        (left, right) => left == right,
    }
}

backend_tests! {
    /// Issue 5: halves are rounded away from zero, whatever the database would do by itself.
    async fn floats_are_rounded_away_from_zero(db) {
        samples(&db).await?;
        check(&db, Sample::float.round(0), |at| FLOATS[at].round()).await?;
        for digits in [1, 2, 5] {
            let power = 10_f64.powi(digits.into());
            check(&db, Sample::float.round(digits), |at| (FLOATS[at] * power).round() / power).await?;
        }
        check(&db, Sample::single.round(1), |at| ((at as f64 - 3.25) * 10.0).round() / 10.0).await?;
        check(&db, (Sample::float + Sample::float).round(0), |at| (FLOATS[at] * 2.0).round()).await?;
        let count = Sample::select().filter(Sample::float.round(0).eq(3.0)).on(&db.engine).count().await?;
        assert_eq!(count, FLOATS.iter().filter(|float| float.round() == 3.0).count() as u64);
    }

    /// Issue 5: `floor` and `ceil`.
    async fn floats_are_cut(db) {
        samples(&db).await?;
        check(&db, Sample::float.floor(), |at| FLOATS[at].floor()).await?;
        check(&db, Sample::float.ceil(), |at| FLOATS[at].ceil()).await?;
        check(&db, Sample::single.floor(), |at| (at as f64 - 3.25).floor()).await?;
        // Still a float: dividing it goes on behind the point.
        check(&db, Sample::single.ceil() / 2.0, |at| (at as f64 - 3.25).ceil() / 2.0).await?;
    }

    /// Issue 5: the same of decimals.
    async fn decimals_are_rounded(db) {
        samples(&db).await?;
        check(&db, Sample::decimal.floor(), |at| decimal(at).floor()).await?;
        check(&db, Sample::decimal.ceil(), |at| decimal(at).ceil()).await?;
        for digits in [0, 1, 2] {
            check(&db, Sample::decimal.round(digits), |at| {
                decimal(at).round_dp_with_strategy(digits.into(), RoundingStrategy::MidpointAwayFromZero)
            })
            .await?;
        }
        let large = Sample::decimal.round(1).gt("1000".parse::<Decimal>().expect("a decimal"));
        assert_eq!(Sample::select().filter(large).on(&db.engine).count().await?, 4);
    }

    /// Issue 5: `abs`, `sign` of every kind of number, NULL staying NULL.
    async fn signs(db) {
        samples(&db).await?;
        let sign = |float: f64| if float == 0.0 { 0 } else { float.signum() as i64 };
        check(&db, Sample::float.sign(), |at| sign(FLOATS[at])).await?;
        check(&db, Sample::integer.sign(), |at| integer(at).signum()).await?;
        check(&db, Sample::decimal.sign(), |at| if decimal(at).is_zero() { 0 } else if decimal(at).is_sign_negative() { -1 } else { 1 }).await?;
        check(&db, Sample::small.sign(), |at| at.is_multiple_of(2).then(|| (at as i64 - 4).signum())).await?;
        check(&db, Sample::integer.abs(), |at| integer(at).abs()).await?;
        check(&db, Sample::small.abs(), |at| at.is_multiple_of(2).then(|| (at as i16 - 4).abs())).await?;
    }

    /// Issue 5: powers and roots, to the last digits.
    async fn powers_and_roots(db) {
        samples(&db).await?;
        for exponent in [0, 1, 2, 3, 10] {
            let found = by_key(Sample::single.power(exponent)).on(&db.engine).all().await?;
            for (at, found) in found.into_iter().enumerate() {
                assert!(close(Some(found), Some((at as f64 - 3.25).powi(exponent))), "{at} {exponent}");
            }
        }
        check(&db, Sample::single.power(-1), |at| 1.0 / (at as f64 - 3.25)).await?;
        check(&db, Sample::integer.power(2), |at| (integer(at) as f64).powi(2)).await?;
        let roots = by_key(Sample::float.sqrt()).on(&db.engine).all().await?;
        for (at, root) in roots.into_iter().enumerate() {
            let expected = (FLOATS[at] >= 0.0).then(|| FLOATS[at].sqrt());
            assert!(close(root, expected), "{}: {root:?}", FLOATS[at]);
        }
        let roots = by_key(Sample::integer.sqrt()).on(&db.engine).all().await?;
        assert!(close(roots[3], Some(7_f64.sqrt())) && roots[4].is_none());
        let grouped = Sample::select().columns((Sample::small.sum().sqrt(), Sample::small.max().power(2)));
        let (root, square) = grouped.on(&db.engine).one().await?;
        let sum: i64 = (0..16).step_by(2).map(|at| at - 4).sum();
        assert!(close(root, Some((sum as f64).sqrt())));
        assert_eq!(square, Some(100.0));
    }

    /// Issue 5: `greatest` and `least` are NULL where one of the two is; `nullif`, `coalesce`.
    async fn choices(db) {
        samples(&db).await?;
        let small = |at: usize| at.is_multiple_of(2).then(|| at as i16 - 4);
        check(&db, Sample::integer.greatest(0), |at| integer(at).max(0)).await?;
        check(&db, Sample::integer.least(Sample::id), |at| integer(at).min(at as i64 + 1)).await?;
        check(&db, Sample::small.greatest(3), |at| small(at).map(|small| small.max(3))).await?;
        check(&db, Sample::small.least(Sample::small), small).await?;
        check(&db, Sample::integer.cast::<i16>().least(Sample::small).is_null().as_expression(), |at| Some(at % 2 == 1)).await.ok();
        let two = "2".parse::<Decimal>().expect("a decimal");
        check(&db, Sample::decimal.greatest(two), |at| decimal(at).max(two)).await?;
        check(&db, Sample::decimal.least("1000".parse::<Decimal>().expect("a decimal")), |at| decimal(at).min(Decimal::from(1000))).await?;
        check(&db, Sample::integer.nullif(7), |at| (integer(at) != 7).then(|| integer(at))).await?;
        check(&db, Sample::decimal.nullif("2.50".parse::<Decimal>().expect("a decimal")), |at| {
            (decimal(at) != Decimal::new(25, 1)).then(|| decimal(at))
        })
        .await?;
        check(&db, Sample::small.coalesce(9), |at| small(at).unwrap_or(9)).await?;
        check(&db, Sample::small.coalesce(Sample::small.coalesce(1)), |at| small(at).unwrap_or(1)).await?;
        check(&db, Sample::small.nullif(0).coalesce(Sample::small), small).await?;
    }
}
