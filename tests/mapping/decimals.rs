//! Decimals whose columns keep a number of digits.

use orm_core::{Error, Model, schema};
use orm_tests::backend_tests;
use rust_decimal::Decimal;

/// A key that reads back with other digits than it was written with, beside what the server fills
/// in.
#[derive(Debug, Model)]
#[orm(base = none)]
struct Price {
    #[orm(primary_key, precision = 10, scale = 2)]
    amount: Decimal,
    #[orm(server_default = "7")]
    rank: i64,
}

#[derive(Debug, Model)]
struct Spelled {
    #[orm(sql_type = "NUMERIC(10, 2)")]
    amount: Decimal,
}

fn decimal(text: &str) -> Decimal {
    text.parse().expect("a decimal")
}

backend_tests! {
    /// SEMANTICS 5.2, 5.4
    async fn rule_5_2_keys_with_other_digits_reach_their_objects(db) {
        db.create(&schema![Price]).await?;
        let mut session = db.session();
        let texts = ["1.5", "2", "0.25"];
        let prices = session.add_all(texts.map(|text| Price::draft().amount(decimal(text))));
        session.commit().await?;
        for (text, price) in texts.into_iter().zip(&prices) {
            assert_eq!((session[*price].amount, session[*price].rank), (decimal(text), 7));
        }
        for price in &prices {
            session[*price].rank = 8;
        }
        session.commit().await?;
        let mut other = db.session();
        let read = Price::select().order_by(Price::amount.asc()).all(&mut other).await?;
        let amounts: Vec<String> = read.iter().map(|it| other[*it].amount.to_string()).collect();
        let mut ours: Vec<Decimal> = prices.iter().map(|it| session[*it].amount).collect();
        ours.sort();
        let ours: Vec<String> = ours.iter().map(ToString::to_string).collect();
        assert_eq!(ours, amounts, "memory has the digits of the rows");
    }

    /// SEMANTICS 5.4: the author's own spelling says how many digits are kept, too.
    async fn rule_5_4_spelled_types_keep_their_digits(db) {
        db.create(&schema![Spelled]).await?;
        let mut session = db.session();
        let kept = session.add(Spelled::draft().amount(decimal("1.5")));
        session.commit().await?;
        let row = Spelled::select().on(&db.engine).one().await?;
        assert_eq!(session[kept].amount.to_string(), row.amount.to_string());
        session.add(Spelled::draft().amount(decimal("1.555")));
        let error = session.commit().await.expect_err("it would be rounded");
        assert!(matches!(error, Error::Type { .. }) && error.violates(Spelled::amount), "{error}");
    }
}
