//! What flushes first, what doesn't, and whose error it is.

use orm_core::Error;
use orm_tests::backend_tests;

use super::models::*;

backend_tests! {
    /// SEMANTICS 3.1
    async fn rule_3_1_every_kind_of_query_flushes_first(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        let log = db.log();
        let written = ["UPDATE users", "SELECT users"];

        session[ada].visits = 1;
        User::select().filter(User::visits.eq(1)).one(&mut session).await?;
        assert_eq!(log.emitted(), written);
        session[ada].visits = 2;
        assert_eq!(User::select().filter(User::visits.eq(2)).count(&mut session).await?, 1);
        assert_eq!(log.emitted(), written);
        session[ada].visits = 3;
        assert!(User::select().filter(User::visits.eq(3)).exists(&mut session).await?);
        assert_eq!(log.texts().len(), 2);
        session[ada].visits = 4;
        let visits = User::select().columns(User::visits).one(&mut session).await?;
        assert_eq!(visits, 4);
        assert_eq!(log.emitted(), written);
        session[ada].visits = 5;
        assert!(User::select().first(&mut session).await?.is_some());
        assert_eq!(log.emitted(), written);
    }

    /// SEMANTICS 3.1
    async fn rule_3_1_a_lazy_load_flushes_only_if_it_emits(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        let log = db.log();
        session[ada].visits = 1;
        let posts = ada.posts(&mut session).await?;
        assert_eq!(log.emitted(), ["UPDATE users", "SELECT posts"]);
        session[ada].visits = 2;
        ada.posts(&mut session).await?;
        posts[0].user(&mut session).await?;
        assert_eq!(log.emitted(), [""; 0], "both are known");
    }

    /// SEMANTICS 3.1
    async fn rule_3_1_a_query_on_a_relationship_flushes_first(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        session.push(ada, User::posts, Post::draft().title("Third"));
        let log = db.log();
        assert_eq!(ada.posts(&mut session).query().count().await?, 3);
        assert_eq!(log.emitted(), ["INSERT posts", "SELECT posts"]);
    }

    /// SEMANTICS 3.1
    async fn rule_3_1_refresh_discards_its_object_s_changes_and_flushes_the_others(db) {
        committed(&db, &["ada", "bob"]).await?;
        let mut session = db.session();
        let (ada, bob) = (session.require::<User>(1).await?, session.require::<User>(2).await?);
        session[ada].visits = 1;
        session[bob].visits = 2;
        let log = db.log();
        session.refresh(ada).await?;
        assert_eq!(log.emitted(), ["UPDATE users", "SELECT users"]);
        assert_eq!((session[ada].visits, session[bob].visits), (0, 2));
        session.commit().await?;
        assert_eq!(log.emitted(), [""; 0]);
    }

    /// SEMANTICS 3.1
    async fn rule_3_1_without_autoflush_queries_see_the_database_alone(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        session.autoflush(false);
        let bob = session.add(user("bob"));
        let log = db.log();
        assert_eq!(User::select().count(&mut session).await?, 1);
        assert_eq!(session.get::<User>(2).await?, None);
        assert_eq!(log.emitted(), ["SELECT users", "SELECT users"]);
        session.autoflush(true);
        assert_eq!(User::select().count(&mut session).await?, 2);
        assert_eq!(log.emitted(), ["INSERT users", "SELECT users"]);
        assert_eq!(session[bob].id(), 2);
    }

    /// SEMANTICS 3.1
    async fn rule_3_1_commit_flushes_with_autoflush_off(db) {
        db.create(&user_tables()).await?;
        let mut session = db.sessions.clone().autoflush(false).session();
        session.add(user("ada"));
        session.commit().await?;
        assert_eq!(usernames(&db).await?, ["ada"]);
    }

    /// SEMANTICS 3.2
    async fn rule_3_2_an_error_in_an_autoflush_keeps_its_type_and_says_so(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        session.add(user("ada"));
        let error = User::select().count(&mut session).await.unwrap_err();
        assert!(matches!(error, Error::UniqueViolation(_)), "{error}");
        assert!(error.violates(User::username) || error.violates(User::email));
        assert!(error.to_string().contains("autoflush"), "{error}");

        session.rollback().await?;
        session.add(user("ada"));
        let error = session.flush().await.unwrap_err();
        assert!(!error.to_string().contains("autoflush"), "{error}");
    }

    /// SEMANTICS 3.2: errors that the plan finds are marked too.
    async fn rule_3_2_a_plan_that_fails_in_an_autoflush_says_so(db) {
        db.create(&user_tables()).await?;
        let mut session = db.session();
        session.add(Post::draft().title("Notes"));
        let error = session.get::<User>(1).await.unwrap_err();
        assert!(matches!(error, Error::MissingForeignKey { .. }), "{error}");
        assert!(error.to_string().contains("autoflush"), "{error}");
        let error = session.flush().await.unwrap_err();
        assert!(matches!(error, Error::MissingForeignKey { .. }), "{error}");
        assert!(!error.to_string().contains("autoflush"), "{error}");
    }
}
