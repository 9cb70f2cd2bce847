//! `before_flush` and `after_flush` of a factory's sessions.

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use orm_core::session::{ObjectState, Written};
use orm_core::{Error, Model, Result, Schema, Session, SessionFactory, schema};
use orm_tests::{Database, backend_tests};
use serde_json::json;

use super::models::*;

/// Who changed what, written by a hook.
#[derive(Debug, Model)]
struct Entry {
    what: String,
    change: serde_json::Value,
}

fn audited_library() -> Schema {
    schema![Author, Book, Tag, Desk, Entry]
}

/// Sessions that write an entry for every object that a flush has written.
fn audited(db: &Database) -> SessionFactory {
    db.sessions.clone().after_flush(|session, written| {
        for object in written.iter().filter(|object| !object.is::<Entry>()) {
            let changes = written.changes(session, object)?;
            let key = changes.key().cloned().unwrap_or_default();
            let draft = Entry::draft().what(format!("{} {key}", object.table()));
            session.add(draft.change(changes.to_json()));
        }
        Ok(())
    })
}

async fn entries(db: &Database) -> Result<Vec<(String, serde_json::Value)>> {
    let entries = Entry::select().order_by(Entry::id.asc()).columns((Entry::what, Entry::change));
    entries.all(&mut db.session()).await
}

/// What was noted, shared with hooks.
type Notes = Arc<Mutex<Vec<String>>>;

fn note(notes: &Notes, note: impl Into<String>) {
    notes.lock().expect("nobody panics with the lock").push(note.into());
}

fn taken(notes: &Notes) -> Vec<String> {
    std::mem::take(&mut *notes.lock().expect("nobody panics with the lock"))
}

backend_tests! {
    /// What hooks add, edit and delete is part of the flush, and later hooks see it.
    async fn before_flush_takes_part_in_the_flush(db) {
        committed(&db).await?;
        let notes = Notes::default();
        let seen = Arc::clone(&notes);
        let sessions = db.sessions.clone()
            .before_flush(|session| {
                for book in session.deleted().of::<Book>() {
                    session.undelete(book);
                    session[book].title = "kept".into();
                }
                for author in session.dirty().of::<Author>() {
                    session[author].visits += 1;
                    session.push(author, Author::books, Book::draft().title("by the hook"));
                }
                let tags = session.pending().of::<Tag>();
                for tag in tags {
                    session.delete(tag);
                }
                Ok(())
            })
            .before_flush(move |session| {
                note(&seen, format!("{} {}", session.pending().len(), session.deleted().len()));
                Ok(())
            });
        let mut session = sessions.session();
        let ada = session.require::<Author>(1).await?;
        let book = session.require::<Book>(1).await?;
        let log = db.log();
        session[ada].nickname = Some("Countess".into());
        session.delete(book);
        let tag = session.add(Tag::draft().name("prose"));
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE authors", "UPDATE books", "INSERT books"]);
        assert_eq!(taken(&notes), ["1 0"], "once, and after the first hook");
        assert_eq!(session.state(book), ObjectState::Persistent);
        assert_eq!(session.state(tag), ObjectState::Detached);
        assert_eq!((session[ada].visits, &*session[book].title), (1, "kept"));
        assert_clean(&db, &mut session).await?;
        let titles = Book::select().order_by(Book::id.asc()).columns(Book::title);
        assert_eq!(titles.all(&mut db.session()).await?, ["kept", "Letters", "by the hook"]);
    }

    /// SEMANTICS 10.1: a deleted object whose memory is expired is loaded before hooks see it, and
    /// one whose row is gone is an error of the hook's, not a panic.
    async fn rule_10_1_deleted_objects_are_loaded_before_hooks_see_them(db) {
        committed(&db).await?;
        let sessions = db.sessions.clone().before_flush(|session| {
            for book in session.deleted().of::<Book>() {
                session.undelete(book);
                session.try_get_mut(book)?.title += ", kept";
            }
            Ok(())
        });
        let mut session = sessions.session();
        let book = session.require::<Book>(1).await?;
        let title = session[book].title.clone();
        session.expire(book);
        session.delete(book);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["SELECT books", "UPDATE books"]);
        assert_eq!(session[book].title, format!("{title}, kept"));
        assert_clean(&db, &mut session).await?;
        Book::delete().filter(Book::id.eq(1)).on(&db.engine).execute().await?;
        session.expire(book);
        session.delete(book);
        let error = session.commit().await.unwrap_err();
        assert!(matches!(error, Error::NotLoaded { .. }), "{error}");
        session.rollback().await?;
    }

    /// SEMANTICS 6.1: no hook where there is nothing to write. SEMANTICS 3.1: autoflushes run them.
    async fn before_flush_runs_if_there_is_something_to_write(db) {
        committed(&db).await?;
        let notes = Notes::default();
        let seen = Arc::clone(&notes);
        let sessions = db.sessions.clone().before_flush(move |_| {
            note(&seen, "flush");
            Ok(())
        });
        let mut session = sessions.session();
        let ada = session.require::<Author>(1).await?;
        session[ada].visits += 0;
        session.flush().await?;
        session.commit().await?;
        assert_eq!(taken(&notes), [""; 0]);
        session[ada].visits = 1;
        assert!(session.plan()?.steps().len() == 1);
        assert_eq!(taken(&notes), [""; 0], "a plan runs none");
        Author::select().count(&mut session).await?;
        assert_eq!(taken(&notes), ["flush"]);
        let [book, _] = ada.books(&mut session).await?[..] else { panic!("two books") };
        session[ada].books = [book].into();
        session.flush().await?;
        assert_eq!(taken(&notes), ["flush"], "an assigned collection is an edit");
        session.commit().await?;
        assert_eq!(taken(&notes), [""; 0]);
    }

    /// A field that was assigned is an edit by the time hooks look.
    async fn before_flush_sees_assigned_fields(db) {
        committed(&db).await?;
        let notes = Notes::default();
        let seen = Arc::clone(&notes);
        let sessions = db.sessions.clone().before_flush(move |session| {
            for book in session.dirty().of::<Book>() {
                let author = session.history(book, Book::author);
                let names = [author.added(), author.removed()].map(|it| &session[it[0]].name);
                note(&seen, format!("{} for {}", names[0], names[1]));
            }
            Ok(())
        });
        let mut session = sessions.session();
        let ada = session.require::<Author>(1).await?;
        let bob = session.add(Author::draft().name("bob"));
        session.flush().await?;
        let [book, _] = ada.books(&mut session).await?[..] else { panic!("two books") };
        session[book].author = bob.into();
        session.flush().await?;
        assert_eq!(taken(&notes), ["bob for ada"]);
    }

    /// An error stops the flush before any SQL, and the next one asks again.
    async fn an_error_of_before_flush_emits_nothing(db) {
        committed(&db).await?;
        let sessions = db.sessions.clone().before_flush(|session| {
            let authors = session.dirty().of::<Author>();
            match authors.iter().any(|author| session[*author].visits < 0) {
                true => Err(Error::refused("fewer than no visits")),
                false => Ok(()),
            }
        });
        let mut session = sessions.session();
        let ada = session.require::<Author>(1).await?;
        let log = db.log();
        session[ada].visits = -1;
        let error = session.commit().await.unwrap_err();
        assert_eq!(error.to_string(), "fewer than no visits");
        let error = Author::select().count(&mut session).await.unwrap_err();
        assert!(error.to_string().contains("autoflush"), "{error}");
        assert_eq!(log.all(), [""; 0]);
        session[ada].visits = 1;
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE authors"]);
    }

    /// A verb that couldn't do what a hook told it is the flush's error.
    async fn a_mistake_in_a_hook_fails_the_flush(db) {
        committed(&db).await?;
        let sessions = db.sessions.clone().before_flush(|session| {
            let book = session.add(Book::draft().title("new"));
            session.set(book, Book::author_id, Book::author_id + 1);
            Ok(())
        });
        let mut session = sessions.session();
        session.add(Tag::draft().name("prose"));
        let log = db.log();
        let error = session.flush().await.unwrap_err();
        assert!(matches!(error, Error::Misuse(_)), "{error}");
        assert_eq!(log.emitted(), [""; 0]);
        assert!(matches!(session.flush().await, Err(Error::RollbackRequired { .. })));
        session.rollback().await?;
    }

    /// A statement in a hook would be in the middle of another.
    async fn a_hook_can_t_run_statements(db) {
        committed(&db).await?;
        let notes = Notes::default();
        let seen = Arc::clone(&notes);
        let sessions = db.sessions.clone().before_flush(move |session| {
            fn polled<T>(future: impl Future<Output = Result<T>>) -> String {
                let outcome = pin!(future).poll(&mut Context::from_waker(Waker::noop()));
                let Poll::Ready(Err(Error::Misuse(why))) = outcome else { panic!("an error") };
                why
            }
            note(&seen, polled(session.flush()));
            note(&seen, polled(session.commit()));
            note(&seen, polled(session.rollback()));
            note(&seen, polled(Author::select().all(session)));
            Ok(())
        });
        let mut session = sessions.session();
        let tag = session.add(Tag::draft().name("prose"));
        session.commit().await?;
        let refusals = taken(&notes);
        assert_eq!(refusals.len(), 4);
        assert!(refusals.iter().all(|why| why.contains("a hook can't run statements")));
        assert_eq!(session.state(tag), ObjectState::Persistent);
        session.flush().await?;
    }

    /// What was written, with generated keys and what the database computed.
    async fn after_flush_tells_what_was_written(db) {
        committed(&db).await?;
        db.create(&schema![Entry]).await?;
        let mut session = audited(&db).session();
        let ada = session.require::<Author>(1).await?;
        let [notes, letters] = ada.books(&mut session).await?[..] else { panic!("two books") };
        let log = db.log();
        session[notes].title = "Annotations".into();
        session[ada].password = "secret".into();
        session.delete(letters);
        session.add(Author::draft().name("bob").password("secret"));
        session.commit().await?;
        assert_eq!(log.emitted().last().map(String::as_str), Some("INSERT entrys"));
        assert_eq!(log.emitted(), [""; 0]);
        let entries = entries(&db).await?;
        let whats: Vec<_> = entries.iter().map(|(what, _)| &**what).collect();
        assert_eq!(whats, ["authors 2", "authors 1", "books 1", "books 2"]);
        let change = |at: usize, field: &str| entries[at].1[field].clone();
        assert_eq!(change(0, "name"), json!({"new": "bob"}));
        assert_eq!(change(0, "rank"), json!({"new": 7}), "what the server filled in");
        assert_eq!(change(1, "password"), json!({}));
        assert_eq!(change(1, "name"), json!(null), "it did not change");
        assert_eq!(change(2, "title"), json!({"old": "Notes", "new": "Annotations"}));
        assert_eq!(change(2, "revision"), json!({"old": 1, "new": 2}));
        assert_eq!(change(3, "title"), json!({"old": "Letters"}));
        assert!(!entries.iter().any(|(_, change)| change.to_string().contains("secret")));
        assert_clean(&db, &mut session).await?;
    }

    /// SEMANTICS 4.7: one row, of which one object is gone and the other is new.
    async fn rule_4_7_a_row_switch_is_a_deletion_and_an_insertion(db) {
        db.create(&schema![Seat, Entry]).await?;
        let mut session = audited(&db).session();
        let old = session.add(Seat::draft().hall("north").number(4).taken_by("ada"));
        session.commit().await?;
        let log = db.log();
        session.delete(old);
        session.add(Seat::draft().hall("north").number(4).taken_by("bob"));
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE seats", "INSERT entrys"]);
        let entries = entries(&db).await?;
        assert_eq!(entries.len(), 3);
        assert_eq!(entries[1].1["taken_by"], json!({"new": "bob"}));
        assert_eq!(entries[2].1["taken_by"], json!({"old": "ada"}));
        assert_clean(&db, &mut session).await?;
    }

    /// A flush alone leaves what its hooks have added to the next; all is one transaction.
    async fn what_after_flush_adds_is_flushed_next_and_rolled_back_along(db) {
        db.create(&audited_library()).await?;
        let mut session = audited(&db).session();
        session.add(Tag::draft().name("prose"));
        let log = db.log();
        session.flush().await?;
        assert_eq!(log.emitted(), ["INSERT tags"]);
        assert_eq!(session.pending().of::<Entry>().len(), 1);
        session.flush().await?;
        assert_eq!(log.emitted(), ["INSERT entrys"]);
        session.flush().await?;
        assert_eq!(log.emitted(), [""; 0]);
        session.rollback().await?;
        assert_eq!(entries(&db).await?, []);
        session.add(Tag::draft().name("prose"));
        session.commit().await?;
        assert_eq!(entries(&db).await?.len(), 1);
    }

    /// SEMANTICS 9.3: what hooks add is inside of the savepoint whose flush it was.
    async fn rule_9_3_what_after_flush_adds_belongs_to_its_savepoint(db) {
        db.create(&audited_library()).await?;
        let mut session = audited(&db).session();
        session.add(Tag::draft().name("outside"));
        let mut savepoint = session.savepoint().await?;
        savepoint.add(Tag::draft().name("undone"));
        savepoint.flush().await?;
        savepoint.rollback().await?;
        assert!(session.pending().is_empty());
        let mut savepoint = session.savepoint().await?;
        savepoint.add(Tag::draft().name("kept"));
        savepoint.commit().await?;
        assert!(session.pending().is_empty(), "its commit has written the entries too");
        session.commit().await?;
        let names: Vec<_> =
            entries(&db).await?.into_iter().map(|(_, change)| change["name"].clone()).collect();
        assert_eq!(names, [json!({"new": "outside"}), json!({"new": "kept"})]);
        assert_clean(&db, &mut session).await?;
    }

    /// A hook that never has enough is stopped.
    async fn a_commit_flushes_a_hundred_times_at_most(db) {
        db.create(&schema![Tag, Book, Author, Desk]).await?;
        let sessions = db.sessions.clone().after_flush(|session, _| {
            session.add(Tag::draft().name("one more"));
            Ok(())
        });
        let mut session = sessions.session();
        let tag = session.add(Tag::draft().name("first"));
        let log = db.log();
        let error = session.commit().await.unwrap_err();
        assert!(matches!(error, Error::Misuse(_)), "{error}");
        assert!(error.to_string().contains("after 100 flushes"), "{error}");
        assert_eq!(log.emitted(), vec!["INSERT tags"; 100]);
        assert!(matches!(session.flush().await, Err(Error::RollbackRequired { .. })));
        session.rollback().await?;
        assert_eq!(session.state(tag), ObjectState::Detached);
        assert_eq!(Tag::select().count(&mut db.session()).await?, 0);
    }

    /// SEMANTICS 9.2: what has been written when a hook fails is rolled back.
    async fn rule_9_2_an_error_of_after_flush_rolls_back(db) {
        committed(&db).await?;
        let refuse = |session: &mut Session, written: &Written| {
            match written.updated().of::<Author>().iter().any(|it| session[*it].visits > 9) {
                true => Err(Error::refused("too many visits")),
                false => Ok(()),
            }
        };
        let mut session = db.sessions.clone().after_flush(refuse).session();
        let ada = session.require::<Author>(1).await?;
        session[ada].visits = 10;
        let error = session.commit().await.unwrap_err();
        assert_eq!(error.to_string(), "too many visits");
        let error = session.flush().await.unwrap_err();
        assert!(error.to_string().contains("too many visits"), "{error}");
        session.rollback().await?;
        assert_eq!(session[ada].visits, 0);
        session[ada].visits = 9;
        session.commit().await?;
        assert_clean(&db, &mut session).await?;
    }

    /// What isn't of this flush has no changes to tell.
    async fn after_flush_knows_its_own_objects(db) {
        committed(&db).await?;
        let sessions = db.sessions.clone().after_flush(|session, written| {
            let ada = session.info().get::<orm_core::Handle<Author>>().copied();
            written.changes(session, ada.expect("it was told")).map(drop)
        });
        let mut session = sessions.session();
        let ada = session.require::<Author>(1).await?;
        session.info_mut().insert(ada);
        session.add(Tag::draft().name("prose"));
        let error = session.flush().await.unwrap_err();
        assert_eq!(error.to_string(), format!("this flush has not written {ada:?}"));
        session.rollback().await?;
    }

    /// Factories are values: hooks that one registers, the one it was cloned from hasn't.
    async fn hooks_belong_to_the_factory_that_registered_them(db) {
        committed(&db).await?;
        let notes = Notes::default();
        let (first, second) = (Arc::clone(&notes), Arc::clone(&notes));
        let one = db.sessions.clone().before_flush(move |_| {
            note(&first, "first");
            Ok(())
        });
        let two = one.clone().before_flush(move |_| {
            note(&second, "second");
            Ok(())
        });
        let flushed = async |sessions: &SessionFactory| -> Result<Vec<String>> {
            let mut session = sessions.session();
            session.add(Tag::draft().name("prose"));
            session.flush().await?;
            session.rollback().await?;
            Ok(taken(&notes))
        };
        assert_eq!(flushed(&one).await?, ["first"]);
        assert_eq!(flushed(&two).await?, ["first", "second"]);
        assert_eq!(flushed(&db.sessions).await?, [""; 0]);
        two.transaction(async |mut session| {
            session.add(Tag::draft().name("prose"));
            Ok(())
        }).await?;
        assert_eq!(taken(&notes), ["first", "second"]);
    }

    /// A panic passes through and leaves what was edited to be edited.
    async fn a_panic_in_before_flush_leaves_everything_editable(db) {
        committed(&db).await?;
        let sessions = db.sessions.clone().before_flush(|session| {
            let loud = session.pending().of::<Tag>().iter().any(|tag| session[*tag].name == "loud");
            assert!(!loud, "too loud");
            Ok(())
        });
        let session = Arc::new(tokio::sync::Mutex::new(sessions.session()));
        let tag = session.lock().await.add(Tag::draft().name("loud"));
        let lent = Arc::clone(&session);
        let panicked = tokio::spawn(async move { lent.lock().await.commit().await }).await;
        assert!(panicked.is_err_and(|error| error.is_panic()));
        let mut session = session.lock().await;
        assert_eq!(session.state(tag), ObjectState::Pending);
        session[tag].name = "calm".into();
        session.commit().await?;
        assert_clean(&db, &mut session).await?;
    }
}
