//! The texts of bulk statements, where the rules speak of them: SEMANTICS 12.1.

use orm_core::{Engine, Result, Session};
use orm_tests::backend_tests;

use crate::models::*;

fn is_send<T: Send>(value: T) -> T {
    value
}

/// Never run: that it compiles is the test.
#[expect(dead_code, reason = "that it compiles is the test")]
async fn every_future_is_send(session: &mut Session, engine: &Engine) -> Result<()> {
    is_send(Member::update().set(Member::score, 1).all_rows().execute(session)).await?;
    is_send(Member::delete().all_rows().execute(session)).await?;
    is_send(session.execute(Member::delete().all_rows())).await?;
    is_send(Member::delete().all_rows().on(engine).execute()).await?;
    Ok(())
}

backend_tests! {
    /// Values are binds, names are quoted, and one text serves all values.
    async fn values_travel_as_binds(db) {
        members(&db, &["ada"]).await?;
        let mut session = db.session();
        let log = db.log();
        for name in ["x'; DROP TABLE members; --", "y"] {
            let update = Member::update().set(Member::name, name).filter(Member::name.ne(name));
            assert_eq!(update.execute(&mut session).await?, 1);
        }
        let texts = log.texts();
        assert_eq!(texts.len(), 2);
        assert_eq!(texts[0], texts[1]);
        assert!(!texts[0].contains("DROP"));
    }

    /// What is printed of a statement has none of its values.
    async fn debug_shows_columns_and_no_values(_db) {
        let update = Member::update().set(Member::name, "secret").filter(Member::name.eq("hidden"));
        let shown = format!("{update:?}");
        assert_eq!(shown, r#"Update { table: "members", sets: ["name"], is_filtered: true }"#);
        let delete = Member::delete().all_rows();
        assert_eq!(format!("{delete:?}"), r#"Delete { table: "members", is_filtered: false }"#);
    }

    /// Where the rows are locked before, the statement finds them by their keys: exactly those.
    async fn rule_12_1_locked_rows_are_found_by_their_keys(db) {
        members(&db, &["ada", "bob"]).await?;
        let mut session = db.session();
        session.require::<Member>(1).await?;
        let log = db.log();
        let update = Member::update().set(Member::bonus, 1).filter(Member::score.lt(9));
        update.execute(&mut session).await?;
        let texts = log.texts();
        if db.capabilities.returning_on_update {
            assert_eq!(texts.len(), 1);
            assert!(texts[0].contains("RETURNING"));
        } else {
            assert!(texts[0].ends_with("FOR UPDATE"), "{}", texts[0]);
            assert!(!texts[1].contains("WHERE `members`.`score`"), "{}", texts[1]);
        }
    }

    /// Where the rows are locked before and there are none, that is all.
    async fn rule_12_1_no_rows_no_statement(db) {
        members(&db, &["ada"]).await?;
        let mut session = db.session();
        session.require::<Member>(1).await?;
        let log = db.log();
        let update = Member::update().set(Member::bonus, 1).filter(Member::score.gt(9));
        assert_eq!(update.execute(&mut session).await?, 0);
        assert_eq!(log.emitted().len(), 1);
    }
}
