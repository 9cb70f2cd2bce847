//! What errors say: the constraint, the table and columns, and never a value.

use orm_core::{Error, Model, Session, schema};
use orm_tests::backend_tests;

use super::models::*;

/// The table as it is.
#[derive(Model)]
#[orm(table = "strict")]
struct Strict {
    name: String,
}

/// The same table, as a model describes it that has not followed a change.
#[derive(Model)]
#[orm(table = "strict")]
struct Lax {
    name: Option<String>,
}

/// The flush fails; the message has no value in it, and the way on is a rollback.
async fn failed_flush(session: &mut Session, secret: &str) -> Error {
    let error = session.flush().await.expect_err("a constraint refuses this");
    for text in [error.to_string(), format!("{error:?}")] {
        assert!(!text.contains(secret), "{text}");
    }
    let first = error.to_string();
    match session.flush().await {
        Err(Error::RollbackRequired { first: told }) => assert_eq!(told, first),
        other => panic!("{other:?}"),
    }
    session.rollback().await.expect("a rollback is possible always");
    error
}

backend_tests! {
    /// SEMANTICS 9.6
    async fn rule_9_6_a_unique_violation_names_its_column(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        session.add(User::draft().username("other").email("ada@example.org"));
        let error = failed_flush(&mut session, "ada@example.org").await;
        assert!(matches!(error, Error::UniqueViolation(_)), "{error}");
        assert!(error.violates(User::email));
        assert!(!error.violates(User::username));
        assert!(!error.violates(Post::title), "columns of other tables");
        let violation = error.violation().expect("one of the four");
        assert_eq!(violation.table.as_deref(), Some("users"));
        assert_eq!(violation.columns, ["email"]);
        assert!(violation.constraint.is_some(), "by the naming convention");
        assert!(!violation.autoflush);
    }

    /// SEMANTICS 9.6: an UPDATE tells as much as an INSERT.
    async fn rule_9_6_an_update_that_takes_a_value_names_its_column(db) {
        committed(&db, &["ada", "bob"]).await?;
        let mut session = db.session();
        let bob = session.require::<User>(2).await?;
        session[bob].username = "ada".into();
        let error = failed_flush(&mut session, "ada").await;
        assert!(matches!(error, Error::UniqueViolation(_)), "{error}");
        assert!(error.violates(User::username));
        assert_eq!(session[bob].username, "bob", "after the rollback");
    }

    /// SEMANTICS 9.6
    async fn rule_9_6_a_repeated_primary_key_is_a_unique_violation(db) {
        db.create(&country_tables()).await?;
        let mut session = db.session();
        session.add(Country::draft().code("FR").name("France"));
        session.commit().await?;
        session.expunge_all();
        session.add(Country::draft().code("FR").name("Secretland"));
        let error = failed_flush(&mut session, "Secretland").await;
        assert!(matches!(error, Error::UniqueViolation(_)), "{error}");
        assert!(error.violates(Country::code));
    }

    /// SEMANTICS 9.6
    async fn rule_9_6_a_foreign_key_violation_names_its_table(db) {
        db.create(&user_tables()).await?;
        let mut session = db.session();
        session.add(Post::draft().title("Notes").user_id(7_654_321));
        let error = failed_flush(&mut session, "7654321").await;
        assert!(matches!(error, Error::ForeignKeyViolation(_)), "{error}");
        assert_eq!(error.violation().and_then(|it| it.table.as_deref()), Some("posts"));
    }

    /// SEMANTICS 9.6: a row that others still point to, deleted behind the session's back: the
    /// violated key is theirs.
    async fn rule_9_6_a_row_that_is_pointed_to_names_the_key_of_the_others(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        let posts = ada.posts(&mut session).await?;
        let mut other = db.session();
        let theirs = other.require::<User>(1).await?;
        other.commit().await?;
        let added = other.add(Post::draft().title("Another").user(theirs));
        other.commit().await?;
        for post in posts {
            session.delete(post);
        }
        session.delete(ada);
        let error = session.commit().await.expect_err("there is another post");
        assert!(matches!(error, Error::ForeignKeyViolation(_)), "{error}");
        assert_eq!(error.violates(Post::user_id), db.capabilities.tells_foreign_keys);
        session.rollback().await?;
        other.refresh(added).await?;
    }

    /// SEMANTICS 9.6
    async fn rule_9_6_a_check_violation_names_its_table(db) {
        db.create(&user_tables()).await?;
        let mut session = db.session();
        session.add(User::draft().username("ada").email("ada@example.org").age(-777_777));
        let error = failed_flush(&mut session, "777777").await;
        assert!(matches!(error, Error::CheckViolation(_)), "{error}");
        let violation = error.violation().expect("one of the four");
        assert_eq!(violation.table.as_deref(), Some("users"));
        assert!(violation.constraint.as_deref().is_some_and(|name| name.contains("age")));
    }

    /// SEMANTICS 9.6: a stricter table than the model says.
    async fn rule_9_6_a_not_null_violation_names_its_column(db) {
        db.create(&schema![Strict]).await?;
        let mut session = db.session();
        session.add(Lax::draft().name(None));
        let error = failed_flush(&mut session, "secret").await;
        assert!(matches!(error, Error::NotNullViolation(_)), "{error}");
        assert!(error.violates(Lax::name) && error.violates(Strict::name));
        assert_eq!(error.violation().and_then(|it| it.table.as_deref()), Some("strict"));
    }

    /// SEMANTICS 9.2
    async fn rule_9_2_the_first_failure_is_named_by_everything_that_follows(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        session.add(user("ada"));
        let first = session.commit().await.unwrap_err().to_string();
        let outcomes = [
            session.flush().await,
            session.commit().await,
            session.get::<User>(1).await.map(drop),
            session.get_many::<User>([1]).await.map(drop),
            session.require::<User>(1).await.map(drop),
            User::select().all(&mut session).await.map(drop),
            User::select().count(&mut session).await.map(drop),
            User::select().columns(User::id).all(&mut session).await.map(drop),
        ];
        for outcome in outcomes {
            match outcome {
                Err(Error::RollbackRequired { first: named }) => assert_eq!(named, first),
                other => panic!("{other:?}"),
            }
        }
        session.rollback().await?;
        assert_eq!(usernames_in(&mut session).await?, ["ada"]);
    }

    /// SEMANTICS 9.6: a group of columns.
    async fn rule_9_6_a_violated_group_names_its_columns(db) {
        db.create(&country_tables()).await?;
        let mut session = db.session();
        session.add(Country::draft().code("FR").name("France"));
        for number in [1, 2] {
            let seat = Seat::draft().country_code("FR").number(number);
            session.add(seat.hall("Olympia").place(7));
        }
        let error = failed_flush(&mut session, "Olympia").await;
        assert!(matches!(error, Error::UniqueViolation(_)), "{error}");
        assert!(error.violates(Seat::hall) && error.violates(Seat::place));
        assert!(!error.violates(Seat::number));
        assert_eq!(error.violation().map(|it| it.columns.len()), Some(2));
    }

    /// SEMANTICS 9.6: a row that others still point to.
    async fn rule_9_6_deleting_a_referenced_row_is_a_foreign_key_violation(db) {
        committed(&db, &["ada"]).await?;
        let (mut session, mut other) = (db.session(), db.session());
        let ada = session.require::<User>(1).await?;
        ada.posts(&mut session).await?;
        other.add(Post::draft().title("Meanwhile").user_id(1));
        other.commit().await?;
        session.delete(ada);
        let error = failed_flush(&mut session, "Meanwhile").await;
        assert!(matches!(error, Error::ForeignKeyViolation(_)), "{error}");
        assert_eq!(session[ada].posts.loaded().map(<[_]>::len), Some(2), "as before");
        session.refresh(ada).await?;
        session.delete(ada);
        session.commit().await?;
        assert_eq!(usernames_in(&mut session).await?, [""; 0]);
    }
}
