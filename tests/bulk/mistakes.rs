//! What a bulk statement refuses, and what the database does: SEMANTICS 12.1, 9.2, 9.6.

use orm_core::{Error, schema};
use orm_tests::backend_tests;

use crate::models::*;

backend_tests! {
    /// Keys, the version, nothing at all, values that don't fit: before any SQL, and the session
    /// goes on.
    async fn mistakes_are_found_before_any_sql(db) {
        members(&db, &["ada"]).await?;
        let mut session = db.session();
        let log = db.log();
        let key = Member::update().set(Member::id, 7).all_rows().execute(&mut session).await;
        let key = key.unwrap_err().to_string();
        assert!(key.contains("`members.id`") && key.contains("primary key"), "{key}");
        let version = Task::update().set(Task::revision, 7).all_rows();
        let version = version.execute(&mut session).await.unwrap_err().to_string();
        assert!(version.contains("`tasks.revision`"), "{version}");
        let nothing = Member::update().all_rows().execute(&mut session).await.unwrap_err();
        assert!(matches!(&nothing, Error::Misuse(words) if words.contains("Member::update()")));
        let long = Member::update().set(Member::name, "x".repeat(41)).all_rows();
        let error = long.clone().execute(&mut session).await.unwrap_err();
        assert!(error.violates(Member::name), "{error}");
        assert!(long.on(&db.engine).execute().await.unwrap_err().violates(Member::name));
        assert_eq!(log.all(), [""; 0]);
        Member::update().set(Member::name, "countess").all_rows().execute(&mut session).await?;
        session.commit().await?;
    }

    /// SEMANTICS 9.6, 9.2: a violated constraint is told, and only a rollback goes on.
    async fn rule_9_6_violations_are_told(db) {
        members(&db, &["ada", "bob"]).await?;
        let mut session = db.session();
        let ada = session.require::<Member>(1).await?;
        let update = Member::update().set(Member::name, "eve").all_rows();
        let error = update.execute(&mut session).await.unwrap_err();
        assert!(matches!(error, Error::UniqueViolation(_)) && error.violates(Member::name));
        assert_eq!(session[ada].name, "ada");
        let error = session.commit().await.unwrap_err();
        assert!(matches!(error, Error::RollbackRequired { .. }), "{error}");
        session.rollback().await?;
        assert_eq!(session[ada].name, "ada");
        let update = Member::update().set(Member::team_id, 99).filter(Member::id.eq(1));
        let error = update.clone().execute(&mut session).await.unwrap_err();
        assert!(matches!(error, Error::ForeignKeyViolation(_)), "{error}");
        session.rollback().await?;
        let error = update.on(&db.engine).execute().await.unwrap_err();
        assert!(matches!(error, Error::ForeignKeyViolation(_)), "{error}");
        assert_eq!(session[ada].team_id, None);
        assert_eq!(scores(&db).await?.len(), 2);
    }

    /// SEMANTICS 9.2: a row that others still point to.
    async fn rule_9_2_a_delete_that_the_database_refuses(db) {
        db.create(&schema![Wheel, Axle]).await?;
        let mut session = db.session();
        session.add(Axle::draft().wheels([Wheel::draft().spokes(8)]));
        session.commit().await?;
        let delete = Axle::delete().all_rows();
        let error = delete.execute(&mut session).await.unwrap_err();
        assert!(matches!(error, Error::ForeignKeyViolation(_)), "{error}");
        session.rollback().await?;
        assert_eq!(Axle::select().count(&mut session).await?, 1);
    }

    /// SEMANTICS 9.4: a future that is dropped leaves memory as before, and the session usable
    /// after a rollback.
    async fn rule_9_4_a_dropped_statement_leaves_nothing(db) {
        members(&db, &["ada"]).await?;
        for polls in 0..12 {
            let mut session = db.session();
            let ada = session.require::<Member>(1).await?;
            let update = Member::update().set(Member::score, Member::score + 1).all_rows();
            let ran = orm_tests::dropped_after(polls, update.execute(&mut session)).await;
            if ran.is_none() {
                assert_eq!(session[ada].score, 1, "after {polls} polls");
            }
            session.rollback().await?;
            assert_eq!(session[ada].score, 1);
            session.commit().await?;
        }
        assert_eq!(scores(&db).await?, [("ada".into(), 1)]);
    }
}
