//! Constraints of the schema, as those who violate them see them.

use orm_core::{Error, Model, Result, Session, schema};
use orm_tests::backend_tests;

#[derive(Model)]
#[orm(check = "low <= high", check = "low >= 0", unique(low, high, name = "one_range"))]
struct Range {
    low: i32,
    high: i32,
    #[orm(unique)]
    label: Option<String>,
    #[orm(length = 5, default)]
    short: String,
    #[orm(check = "{column} <> 'bad'", column = "the mood", default = "good")]
    mood: String,
    #[orm(default = 0)]
    tiny: u8,
}

async fn fail(session: &mut Session) -> Result<Error> {
    let error = session.commit().await.expect_err("a violation");
    session.rollback().await?;
    assert_eq!(Range::select().count(session).await?, 1, "nothing was written");
    Ok(error)
}

backend_tests! {
    /// SEMANTICS 9.6: each kind of violation, with the columns that it is about.
    async fn rule_9_6_violations_name_their_columns(db) {
        db.create(&schema![Range]).await?;
        let mut session = db.session();
        session.add(Range::draft().low(1).high(2).label("a"));
        session.commit().await?;

        session.add(Range::draft().low(3).high(4).label("a"));
        let error = fail(&mut session).await?;
        assert!(matches!(error, Error::UniqueViolation(_)) && error.violates(Range::label));
        session.add(Range::draft().low(1).high(2).label("b"));
        let error = fail(&mut session).await?;
        assert!(matches!(error, Error::UniqueViolation(_)), "{error}");
        assert!(error.violates(Range::low) && error.violates(Range::high));
        assert!(!error.violates(Range::label));
        assert_eq!(error.violation().and_then(|v| v.constraint.as_deref()), Some("one_range"));

        session.add(Range::draft().low(3).high(2));
        let error = fail(&mut session).await?;
        assert!(matches!(error, Error::CheckViolation(_)), "{error}");
        assert_eq!(error.violation().and_then(|v| v.table.as_deref()), Some("ranges"));
        session.add(Range::draft().low(3).high(4).mood("bad"));
        let error = fail(&mut session).await?;
        assert!(matches!(error, Error::CheckViolation(_)) && error.violates(Range::mood));
        assert!(!error.to_string().contains("bad"), "{error}");
    }

    /// DESIGN 4: a length is kept, in characters and not in bytes.
    async fn lengths_count_characters(db) {
        db.create(&schema![Range]).await?;
        let mut session = db.session();
        let range = session.add(Range::draft().low(1).high(2).short("äöü€😀"));
        session.commit().await?;
        session[range].short = "äöü€😀x".to_owned();
        let error = fail(&mut session).await?;
        assert!(matches!(error, Error::Type { .. }) && error.violates(Range::short), "{error}");
        assert!(!error.violates(Range::mood));
        assert_eq!(session[range].short, "äöü€😀");
        assert_eq!(Range::select().on(&db.engine).one().await?.short, "äöü€😀");
    }

    /// SEMANTICS 9.6: unique columns take several NULLs.
    async fn nulls_are_no_duplicates(db) {
        db.create(&schema![Range]).await?;
        let mut session = db.session();
        session.add_all([Range::draft().low(1).high(2), Range::draft().low(1).high(3)]);
        session.commit().await?;
        assert_eq!(Range::select().filter(Range::label.is_null()).count(&mut session).await?, 2);
    }

    /// DESIGN 4: an expression can't take a column out of the range of its type.
    async fn expressions_stay_in_range(db) {
        db.create(&schema![Range]).await?;
        let mut session = db.session();
        let range = session.add(Range::draft().low(1).high(2).tiny(255));
        session.commit().await?;
        session.set(range, Range::tiny, Range::tiny + 1);
        fail(&mut session).await?;
        assert_eq!(session[range].tiny, 255);
        session.set(range, Range::tiny, Range::tiny - 255);
        session.commit().await?;
        assert_eq!(session[range].tiny, 0);
    }
}
