//! `is_modified`, `history`, `pending`, `dirty`, `deleted` and `changes`.

use orm_core::Error;
use orm_core::model::AnyHandle;
use orm_tests::backend_tests;
use serde_json::json;

use super::models::*;

backend_tests! {
    /// SEMANTICS 6.1: an object is dirty when a flush would write it, and only then.
    async fn rule_6_1_is_modified_by_value_and_emits_nothing(db) {
        committed(&db).await?;
        let mut session = db.session();
        let ada = session.require::<Author>(1).await?;
        let log = db.log();
        assert!(!session.is_modified(ada));
        session[ada].visits += 0;
        assert!(!session.is_modified(ada), "a mutable access alone is no change");
        assert!(session.dirty().is_empty());
        session[ada].visits = 5;
        assert!(session.is_modified(ada));
        assert_eq!(session.dirty().of::<Author>(), [ada]);
        session[ada].visits = 0;
        assert!(!session.is_modified(ada), "put back");
        session.set(ada, Author::visits, Author::visits + 1);
        assert!(session.is_modified(ada), "an expression is a change");
        assert_eq!(log.emitted(), [""; 0]);
        session.flush().await?;
        assert_eq!(log.emitted(), ["UPDATE authors"]);
        assert!(!session.is_modified(ada));
        assert!(session.dirty().is_empty());
        assert_clean(&db, &mut session).await?;
    }

    /// A foreign key is the child's, a pair is both sides'.
    async fn links_count_for_the_side_that_has_the_key_and_pairs_for_both(db) {
        committed(&db).await?;
        let mut session = db.session();
        let ada = session.require::<Author>(1).await?;
        let bob = session.add(Author::draft().name("bob"));
        session.flush().await?;
        let [notes, letters] = ada.books(&mut session).await?[..] else { panic!("two books") };
        session.set_one(letters, Book::author, bob);
        assert!(session.is_modified(letters));
        assert!(!session.is_modified(ada) && !session.is_modified(bob));
        session.set_one(letters, Book::author, ada);
        assert!(!session.is_modified(letters), "moved back");

        let tag = session.require::<Tag>(1).await?;
        session.unlink(notes, Book::tags, tag);
        assert!(session.is_modified(notes) && session.is_modified(tag));
        assert_eq!(session.dirty(), session.dirty());
        assert_eq!(session.dirty().len(), 2);
        session.link(notes, Book::tags, tag);
        session.flush().await?;
        assert!(!session.is_modified(notes) && !session.is_modified(tag));
    }

    /// All models together, in order, and one model alone.
    async fn pending_dirty_and_deleted_list_all_models(db) {
        committed(&db).await?;
        let mut session = db.session();
        let ada = session.require::<Author>(1).await?;
        let [notes, letters] = ada.books(&mut session).await?[..] else { panic!("two books") };
        let log = db.log();
        let bob = session.add(Author::draft().name("bob").books([Book::draft().title("Logs")]));
        let tag = session.add(Tag::draft().name("prose"));
        session[notes].title = "Annotations".into();
        session.delete(letters);
        session[letters].title = "it goes all the same".into();

        let pending = session.pending();
        assert_eq!(pending.len(), 3);
        assert_eq!((pending.of::<Author>(), pending.of::<Tag>()), (vec![bob], vec![tag]));
        let models: Vec<_> = pending.iter().map(AnyHandle::model).collect();
        assert_eq!(models, ["Author", "Book", "Tag"]);
        assert!(pending.contains(bob) && !pending.contains(ada));
        assert_eq!(session.dirty().of::<Book>(), [notes]);
        assert_eq!(session.dirty().len(), 1);
        assert_eq!(session.deleted().of::<Book>(), [letters]);
        assert_eq!(format!("{:?}", session.deleted()), format!("[{letters:?}]"));
        assert_eq!(log.emitted(), [""; 0]);

        session.flush().await?;
        assert!(session.pending().is_empty() && session.dirty().is_empty());
        assert!(session.deleted().is_empty());
        assert_clean(&db, &mut session).await?;
    }

    /// A rollback leaves nothing to be listed.
    async fn a_rollback_empties_the_lists(db) {
        committed(&db).await?;
        let mut session = db.session();
        let ada = session.require::<Author>(1).await?;
        session[ada].visits = 5;
        session.add(Tag::draft().name("prose"));
        session.rollback().await?;
        assert!(session.pending().is_empty() && session.dirty().is_empty());
        assert!(!session.is_modified(ada));
    }

    /// The database's value beside the one that will be written.
    async fn history_of_columns(db) {
        committed(&db).await?;
        let mut session = db.session();
        let ada = session.require::<Author>(1).await?;
        let log = db.log();
        let visits = session.history(ada, Author::visits);
        assert_eq!((visits.old(), visits.new(), visits.is_changed()), (Some(&0), Some(&0), false));
        session[ada].nickname = Some("Countess".into());
        session.set(ada, Author::visits, Author::visits + 1);
        let nickname = session.history(ada, Author::nickname);
        assert!(nickname.is_changed());
        assert_eq!(nickname.old(), Some(&None));
        assert_eq!(nickname.new(), Some(&Some("Countess".to_owned())));
        let visits = session.history(ada, Author::visits);
        assert_eq!((visits.old(), visits.new(), visits.is_changed()), (Some(&0), None, true));

        // Nobody knows a new object's key, nor what the server will fill in.
        let bob = session.add(Author::draft().name("bob"));
        let logs = session.add(Book::draft().title("Logs").author(bob));
        let name = session.history(bob, Author::name);
        assert_eq!((name.old(), name.new()), (None, Some(&"bob".to_owned())));
        assert_eq!(session.history(bob, Author::rank).new(), None);
        assert_eq!(session.history(logs, Book::author_id).new(), None);
        session.set_one(logs, Book::author, ada);
        assert_eq!(session.history(logs, Book::author_id).new(), Some(&1));
        assert_eq!(log.emitted(), [""; 0]);

        session.flush().await?;
        let visits = session.history(ada, Author::visits);
        assert_eq!((visits.old(), visits.new(), visits.is_changed()), (Some(&1), Some(&1), false));
        assert_eq!(session.history(bob, Author::rank).old(), Some(&7));
    }

    /// A foreign key that is written by a relationship has a history as well.
    async fn history_of_a_key_that_a_relationship_sets(db) {
        committed(&db).await?;
        let mut session = db.session();
        let desk = session.require::<Desk>(1).await?;
        session.set_one(desk, Desk::author, None);
        let key = session.history(desk, Desk::author_id);
        assert_eq!((key.old(), key.new(), key.is_changed()), (Some(&Some(1)), Some(&None), true));
        assert_eq!(session.changes(desk)?.to_string(), "author_id: 1 → null");
    }

    /// Who enters and who leaves, from whichever side it was edited.
    async fn history_of_relationships(db) {
        committed(&db).await?;
        let mut session = db.session();
        let ada = session.require::<Author>(1).await?;
        let bob = session.add(Author::draft().name("bob"));
        session.flush().await?;
        let [notes, letters] = ada.books(&mut session).await?[..] else { panic!("two books") };
        assert!(!session.history(ada, Author::books).is_changed());
        session.set_one(letters, Book::author, bob);
        let logs = session.add(Book::draft().title("Logs").author(ada));
        let books = session.history(ada, Author::books);
        assert_eq!((books.added(), books.removed()), (&[logs][..], &[letters][..]));
        let author = session.history(letters, Book::author);
        assert_eq!((author.added(), author.removed()), (&[bob][..], &[ada][..]));
        let author = session.history(logs, Book::author);
        assert_eq!((author.added(), author.removed()), (&[ada][..], &[][..]));

        let tag = session.require::<Tag>(1).await?;
        let prose = session.add(Tag::draft().name("prose"));
        session.unlink(notes, Book::tags, tag);
        session.link(notes, Book::tags, prose);
        let tags = session.history(notes, Book::tags);
        assert_eq!((tags.added(), tags.removed()), (&[prose][..], &[tag][..]));
        assert_eq!(session.history(tag, Tag::books).removed(), [notes]);

        let desk = session.require::<Desk>(1).await?;
        session.set_one(bob, Author::desk, desk);
        assert_eq!(session.history(bob, Author::desk).added(), [desk]);
        assert_eq!(session.history(ada, Author::desk).removed(), [desk]);
        session.flush().await?;
        assert!(!session.history(ada, Author::books).is_changed());
        assert_clean(&db, &mut session).await?;
    }

    /// For auditing: names and JSON, and never what must not be shown.
    async fn changes_are_told_without_types_and_secrets(db) {
        committed(&db).await?;
        let mut session = db.session();
        let ada = session.require::<Author>(1).await?;
        assert!(session.changes(ada)?.is_empty());
        session[ada].name = "augusta".into();
        session[ada].password = "secret".into();
        let changes = session.changes(ada)?;
        assert_eq!(changes.object(), AnyHandle::from(ada));
        assert_eq!(changes.key(), Some(&json!(1)));
        let fields: Vec<_> = changes.columns().iter().map(|change| change.field()).collect();
        assert_eq!(fields, ["name", "password"]);
        let password = changes.column("password").expect("it changed");
        assert!(password.is_hidden() && password.old().is_none() && password.new().is_none());
        assert_eq!(
            changes.to_json(),
            json!({"name": {"old": "ada", "new": "augusta"}, "password": {}}),
        );
        assert!(!format!("{changes:?} {changes}").contains("secret"));

        let bob = session.add(Author::draft().name("bob").password("secret"));
        let changes = session.changes(bob)?;
        assert_eq!(changes.key(), None);
        assert_eq!(
            changes.to_json(),
            json!({"name": {"new": "bob"}, "visits": {"new": 0}, "nickname": {"new": null},
                "password": {}}),
        );
        session.delete(ada);
        let changes = session.changes(ada)?;
        assert_eq!(changes.column("name").and_then(|change| change.old()), Some(&json!("ada")));
        assert!(changes.columns().iter().all(|change| change.new().is_none()));
    }

    /// A key of several columns is an array.
    async fn changes_of_a_composite_key(db) {
        db.create(&orm_core::schema![Seat]).await?;
        let mut session = db.session();
        let seat = session.add(Seat::draft().hall("north").number(4));
        assert_eq!(session.changes(seat)?.key(), Some(&json!(["north", 4])));
        session.flush().await?;
        session[seat].taken_by = Some("ada".into());
        assert_eq!(session.changes(seat)?.key(), Some(&json!(["north", 4])));
        assert_eq!(session.changes(seat)?.to_string(), r#"taken_by: null → "ada""#);
    }

    /// What is gone, or to be loaded again, can't be looked at.
    async fn changes_of_what_is_not_there(db) {
        committed(&db).await?;
        let mut session = db.session();
        let ada = session.require::<Author>(1).await?;
        assert!(matches!(db.session().changes(ada), Err(Error::Detached { .. })));
        session.expire(ada);
        assert!(matches!(session.changes(ada), Err(Error::NotLoaded { .. })));
        session.expunge(ada);
        assert!(matches!(session.changes(ada), Err(Error::Detached { .. })));
    }
}
