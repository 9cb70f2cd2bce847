//! What can be read of an object that is no row yet, and what its INSERT leaves out.

use orm_core::{BelongsTo, HasMany};
use orm_tests::backend_tests;

use super::models::*;

/// The one INSERT among these texts.
#[track_caller]
fn insert(texts: &[String]) -> &str {
    let [text] = texts else { panic!("one statement was expected: {texts:?}") };
    assert!(text.starts_with("INSERT"), "{text}");
    text
}

backend_tests! {
    /// DESIGN 2, pending objects: readable at once, but for what only the database can tell.
    async fn a_pending_object_reads_what_it_was_given_and_placeholders(db) {
        db.create(&user_tables()).await?;
        let mut session = db.session();
        let ada = session.add(User::draft().username("ada").email("ada@example.org").age(36));
        assert_eq!(session[ada].username, "ada");
        assert_eq!((session[ada].visits, session[ada].age), (0, Some(36)));
        assert_eq!(session[ada].level, Level::Bronze, "its literal server default");
        assert_eq!(session.key(ada), None);
        assert_eq!(session[ada].posts.loaded(), Some(&[][..]), "nobody else knows it");
        for message in [
            panic_message(|| session[ada].id()),
            panic_message(|| session[ada].created_at()),
            panic_message(|| session[ada].updated_at()),
            panic_message(|| session[ada].base().id),
        ] {
            assert!(message.contains("flush first"), "{message}");
        }
        session.commit().await?;
        assert_eq!(session.key(ada), Some(1));
        assert_eq!(session[ada].id(), 1);
        assert!(session[ada].created_at() <= session[ada].updated_at());
    }

    /// DESIGN 2, pending objects: a placeholder is not a value.
    async fn an_unset_column_is_left_to_the_server_and_read_back(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let post = session.add(Post::draft().title("Third").user_id(1));
        assert_eq!(session[post].rank, 0, "a placeholder");
        let log = db.log();
        session.commit().await?;
        let texts = log.texts();
        let values = insert(&texts).split("RETURNING").next().unwrap_or_default();
        assert!(!values.contains("rank"), "{values}");
        assert_eq!(session[post].rank, 7);
    }

    /// DESIGN 2, pending objects: each way of giving a value counts.
    async fn a_value_that_was_given_is_written_whatever_it_is(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let by_draft = session.add(Post::draft().title("Draft").user_id(1).rank(0));
        let by_set = session.add(Post::draft().title("Set").user_id(1));
        session.set(by_set, Post::rank, 0);
        let by_change = session.add(Post::draft().title("Change").user_id(1));
        session[by_change].rank = 3;
        let untouched = session.add(Post::draft().title("Same").user_id(1));
        session[untouched].rank = 0;
        session.commit().await?;
        let ranks = [by_draft, by_set, by_change, untouched].map(|post| session[post].rank);
        assert_eq!(ranks, [0, 0, 3, 7], "assigning the placeholder itself changes nothing");
    }

    /// DESIGN 2, pending objects: a key that is copied from a parent that is pending too.
    async fn a_foreign_key_reads_as_a_placeholder_until_its_parent_is_a_row(db) {
        db.create(&user_tables()).await?;
        let mut session = db.session();
        let ada = session.add(user("ada"));
        let post = session.add(Post::draft().title("Notes").user(ada));
        assert_eq!(session[post].user_id, 0);
        assert_eq!(session.follow(post, Post::user)?.username, "ada");
        session.flush().await?;
        assert_eq!(session[post].user_id, session[ada].id());
    }

    /// The key of a pending object is known where the user gave it.
    async fn the_key_of_a_pending_object_is_known_if_it_was_given(db) {
        db.create(&country_tables()).await?;
        let mut session = db.session();
        let france = session.add(Country::draft().code("FR").name("France"));
        assert_eq!(session.key(france).as_deref(), Some("FR"));
        session[france].code = "FX".into();
        assert_eq!(session.key(france).as_deref(), Some("FX"));
        session.commit().await?;
        assert_eq!(session.key(france).as_deref(), Some("FX"));
    }

    /// Assigning the generated key of a pending object gives it.
    async fn a_generated_key_can_be_given(db) {
        db.create(&user_tables()).await?;
        let mut session = db.session();
        let ada = session.add(user("ada"));
        session.set(ada, User::id, 41);
        assert_eq!(session.key(ada), Some(41));
        session.commit().await?;
        assert_eq!(session[ada].id(), 41);
        assert_eq!(session.get::<User>(41).await?, Some(ada));
    }

    /// DESIGN 2, drafts: a whole struct is given in every column.
    async fn a_whole_struct_is_written_in_every_column(db) {
        db.create(&user_tables()).await?;
        let mut session = db.session();
        let ada = session.add(User {
            username: "ada".into(),
            email: "ada@example.org".into(),
            visits: 0,
            level: Level::Gold,
            nickname: None,
            age: None,
            posts: HasMany::default(),
        });
        let post = session.add(Post {
            title: "Notes".into(),
            rank: 0,
            user_id: 0,
            user: BelongsTo::from(ada),
        });
        assert_eq!(session[ada].posts.loaded(), Some(&[post][..]), "both sides know");
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT users", "INSERT posts"]);
        assert_eq!(session[post].rank, 0, "given, not left to the server");
        assert_eq!(session[post].user_id, 1, "the relationship beats the column");
        assert_eq!(session[ada].level, Level::Gold);
    }

    /// DESIGN 2, what lives where: handles of another session in a struct are no silent loss.
    async fn a_whole_struct_with_another_session_s_handles_is_refused_by_the_flush(db) {
        committed(&db, &["ada"]).await?;
        let (mut session, mut other) = (db.session(), db.session());
        let theirs = other.require::<User>(1).await?;
        session.add(Post { title: "Notes".into(), rank: 0, user_id: 1, user: theirs.into() });
        let log = db.log();
        let error = session.flush().await.unwrap_err();
        assert!(error.to_string().contains("another session"), "{error}");
        assert_eq!(log.emitted(), [""; 0]);
    }

    /// SQL expressions need a row: the mistake is told by the flush, which writes nothing.
    async fn an_expression_on_a_pending_object_is_an_error_of_the_flush(db) {
        db.create(&user_tables()).await?;
        let mut session = db.session();
        let ada = session.add(user("ada"));
        session.set(ada, User::visits, User::visits + 1);
        let log = db.log();
        let error = session.flush().await.unwrap_err();
        assert!(error.to_string().contains("users.visits"), "{error}");
        assert!(error.to_string().contains("flush first"), "{error}");
        assert_eq!(log.emitted(), [""; 0]);
    }

    /// A generated key in a field of the user's own is given by assigning it, too.
    async fn a_generated_key_of_the_struct_can_be_assigned(db) {
        db.create(&ticket_tables()).await?;
        let mut session = db.session();
        let (given, left) =
            (session.add(Ticket::draft().holder("ada")), session.add(Ticket::draft().holder("bob")));
        assert_eq!((session.key(given), session[given].number), (None, 0));
        session[given].number = 41;
        assert_eq!((session.key(given), session.key(left)), (Some(41), None));
        session.commit().await?;
        assert_eq!(session.key(given), Some(41));
        assert_eq!(session.key(left), Some(session[left].number));
        assert_ne!(session.key(left), Some(0));
        assert_eq!(session.get::<Ticket>(41).await?, Some(given));
    }
}
