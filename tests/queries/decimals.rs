//! Decimals are compared and ordered as numbers, however they are stored.

use orm_core::{Model, schema};
use orm_tests::{Database, backend_tests};
use rust_decimal::Decimal;

#[derive(Model)]
struct Price {
    amount: Decimal,
    discount: Option<Decimal>,
    kind: String,
}

fn dec(text: &str) -> Decimal {
    text.parse().expect("a decimal")
}

const AMOUNTS: [&str; 7] = [
    "9",
    "10.00",
    "-3.5",
    "0.1",
    "10",
    "79228162514264337593543950334",
    "79228162514264337593543950335",
];

async fn prices(db: &Database) -> orm_core::Result<()> {
    db.create(&schema![Price]).await?;
    let mut session = db.session();
    for (at, amount) in AMOUNTS.into_iter().enumerate() {
        let kind = if at < 5 { "small" } else { "large" };
        session.add(Price::draft().amount(dec(amount)).kind(kind));
    }
    session.commit().await
}

async fn found(
    db: &Database,
    condition: orm_core::query::Condition<Price>,
) -> orm_core::Result<Vec<i64>> {
    let query = Price::select().filter(condition).order_by(Price::id.asc());
    query.columns(Price::id).on(&db.engine).all().await
}

backend_tests! {
    /// DESIGN 4: comparisons go by the number, exactly, whatever its scale.
    async fn decimals_compare_as_numbers(db) {
        prices(&db).await?;
        assert_eq!(found(&db, Price::amount.lt(dec("9.5"))).await?, [1, 3, 4]);
        assert_eq!(found(&db, Price::amount.ge(dec("10"))).await?, [2, 5, 6, 7]);
        assert_eq!(found(&db, Price::amount.eq(dec("10.0"))).await?, [2, 5]);
        assert_eq!(found(&db, Price::amount.ne(dec("10.0"))).await?, [1, 3, 4, 6, 7]);
        assert_eq!(found(&db, Price::amount.eq(Decimal::MAX)).await?, [7]);
        assert_eq!(found(&db, Price::amount.between(dec("-4"), dec("9.0"))).await?, [1, 3, 4]);
        assert_eq!(found(&db, Price::amount.in_([dec("9.00"), dec("0.10")])).await?, [1, 4]);
        assert_eq!(found(&db, Price::amount.not_in([dec("10"), Decimal::MAX])).await?, [1, 3, 4, 6]);
        assert_eq!(found(&db, Price::discount.coalesce(dec("2")).gt(dec("10"))).await?, [0; 0]);
    }

    /// DESIGN 4: arithmetic and aggregates of decimals compare as numbers too.
    async fn calculated_decimals_compare_as_numbers(db) {
        prices(&db).await?;
        let small = || Price::kind.eq("small");
        let twice = (Price::amount * dec("2")).gt(dec("9.5"));
        assert_eq!(found(&db, small() & twice).await?, [1, 2, 5]);
        assert_eq!(found(&db, small() & (Price::amount / dec("2")).eq(dec("4.5"))).await?, [1]);
        assert_eq!(found(&db, small() & (-Price::amount).gt(dec("3"))).await?, [3]);
        assert_eq!(found(&db, small() & Price::amount.abs().lt(dec("3.50001"))).await?, [3, 4]);
        let sums = Price::select()
            .filter(small())
            .group_by(Price::kind)
            .having(Price::amount.sum().gt(dec("3")))
            .columns((Price::amount.sum(), Price::amount.min(), Price::amount.max(), Price::amount.count()));
        let (sum, least, most, count) = sums.on(&db.engine).one().await?;
        assert_eq!((sum, least, count), (Some(dec("25.6")), Some(dec("-3.5")), 5));
        assert_eq!(most, Some(dec("10")));
    }

    /// DESIGN 4: orders, groups and distinct values go by the number.
    async fn decimals_order_as_numbers(db) {
        prices(&db).await?;
        let by = Price::select().order_by((Price::amount.desc(), Price::id.asc())).columns(Price::id);
        assert_eq!(by.on(&db.engine).all().await?, [7, 6, 2, 5, 1, 4, 3]);
        let groups = Price::select()
            .filter(Price::kind.eq("small"))
            .group_by(Price::amount)
            .order_by(Price::amount.asc())
            .columns((Price::amount, Price::id.count()));
        let counts: Vec<i64> =
            groups.on(&db.engine).all().await?.into_iter().map(|(_, count)| count).collect();
        assert_eq!(counts, [1, 1, 1, 2]);
        let distinct = Price::select().columns(Price::amount.count_distinct());
        assert_eq!(distinct.on(&db.engine).one().await?, 6);
    }
}
