//! `plan()`: what the next flush would run.

use orm_core::Error;
use orm_tests::backend_tests;

use super::models::*;

backend_tests! {
    /// DESIGN 5: printable, in the order of the flush, and nothing runs.
    async fn a_plan_is_what_the_flush_then_runs(db) {
        committed(&db, &["ada", "bob"]).await?;
        let mut session = db.session();
        let (ada, bob) = (session.require::<User>(1).await?, session.require::<User>(2).await?);
        let posts = bob.posts(&mut session).alone().await?;
        let eve = session.add(user("eve"));
        session.push(eve, User::posts, Post::draft().title("Diary"));
        session[ada].visits = 3;
        session.delete(posts[0]);

        let log = db.log();
        let plan = session.plan()?;
        assert_eq!(plan, session.plan()?, "planning changes nothing");
        assert_eq!(log.all(), [""; 0]);
        let steps: Vec<String> = plan
            .steps()
            .iter()
            .map(|step| format!("{} {}", step.operation, step.table))
            .collect();
        session.flush().await?;
        assert_eq!(log.emitted(), steps);
        assert!(session.plan()?.is_empty());
        assert_eq!(session.plan()?.to_string(), "nothing to flush");
    }

    /// DESIGN 5: a plan names rows and columns, and never values.
    async fn a_plan_prints_steps_with_rows_and_columns(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        session[ada].nickname = Some("secret".into());
        session[ada].visits = 2;
        let plan = session.plan()?;
        let [step] = plan.steps() else { panic!("one step was expected: {plan}") };
        assert_eq!((step.rows, &step.columns[..2]), (1, &["visits".into(), "nickname".into()][..]));
        let printed = plan.to_string();
        assert!(printed.starts_with("1. UPDATE users: 1 row (visits, nickname"), "{printed}");
        assert!(!printed.contains("secret"), "{printed}");
    }

    /// DESIGN 5
    async fn a_plan_says_what_the_flush_would_refuse(db) {
        db.create(&user_tables()).await?;
        let mut session = db.session();
        session.add(Post::draft().title("Notes"));
        let error = session.plan().unwrap_err();
        assert!(matches!(error, Error::MissingForeignKey { .. }), "{error}");
    }

    /// DESIGN 5: planning never reads, so a plan that needs a collection says so.
    async fn a_plan_that_needs_the_database_says_so(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        session.delete(ada);
        let log = db.log();
        let error = session.plan().unwrap_err();
        assert!(matches!(error, Error::Misuse(_)), "{error}");
        assert_eq!(log.emitted(), [""; 0]);
        session.commit().await?;
        assert_eq!(usernames(&db).await?, [""; 0]);
    }
}
