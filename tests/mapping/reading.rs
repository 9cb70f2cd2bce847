//! Rows that other programs wrote: what a field can't be read from is an error that names the
//! column and not the value.

use orm_core::{Error, Json, Model, schema};
use orm_tests::backend_tests;

/// The table as another program sees it.
#[derive(Model)]
#[orm(table = "rows")]
struct Loose {
    label: Option<String>,
    #[orm(column = "the_count")]
    count: i64,
    document: serde_json::Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, orm_core::Enum)]
enum Label {
    Known,
}

/// The same table with the types of this one.
#[derive(Model)]
#[orm(table = "rows")]
struct Strict {
    label: Label,
    #[orm(column = "the_count")]
    count: i16,
    document: Json<Vec<i64>>,
}

backend_tests! {
    /// DESIGN 7: reading fails by column, on sessions and engines alike.
    async fn what_can_not_be_read_is_named(db) {
        db.create(&schema![Loose]).await?;
        let document = serde_json::json!([1]);
        for (label, count, document, column) in [
            (Some("s3cret"), 1, document.clone(), "label"),
            (None, 1, document.clone(), "label"),
            (Some("Known"), 99_999, document, "the_count"),
            (Some("Known"), 1, serde_json::json!({ "s3cret": 1 }), "document"),
        ] {
            let mut session = db.session();
            let row = session.add(Loose::draft().label(label.map(str::to_owned)).count(count).document(document));
            session.commit().await?;
            let id = session[row].id();
            let mut other = db.session();
            for error in [
                other.get::<Strict>(id).await.err(),
                Strict::select().on(&db.engine).all().await.err(),
                Strict::select().on(&db.engine).graph().await.err(),
            ] {
                let error = error.expect("an error");
                assert!(matches!(&error, Error::Type { .. }), "{error}");
                assert!(error.to_string().starts_with(&format!("`rows.{column}`: ")), "{error}");
                assert!(!error.to_string().contains("s3cret"), "{error}");
                assert!(!error.to_string().contains("99999"), "{error}");
            }
            // What can't be read is not half there.
            assert!(Strict::select().count(&mut other).await? == 1);
            session.delete(row);
            session.commit().await?;
        }
        let mut session = db.session();
        session.add(Loose::draft().label("Known").count(7).document(serde_json::json!([1, 2])));
        session.commit().await?;
        let row = Strict::select().on(&db.engine).one().await?;
        assert_eq!((row.label, row.count, &row.document.0), (Label::Known, 7, &vec![1, 2]));
    }
}
