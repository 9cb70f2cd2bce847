//! A rollback gives collections and references back exactly as they were.

use orm_core::error::Result;
use orm_core::session::ObjectState;
use orm_core::{Handle, Session};
use orm_tests::{Database, backend_tests};

use crate::models::*;

struct Library {
    session: Session,
    ada: Handle<Author>,
    bob: Handle<Author>,
    a: Handle<Book>,
    b: Handle<Book>,
}

/// Ada has two books and Bob none; all of it is committed and loaded.
async fn library(db: &Database) -> Result<Library> {
    db.create(&book_tables()).await?;
    let mut session = db.session();
    let books = ["A", "B"].map(|title| Book::draft().title(title));
    let ada = session.add(Author::draft().name("Ada").books(books));
    let bob = session.add(Author::draft().name("Bob"));
    session.commit().await?;
    let [a, b] = session[ada].books.loaded().expect("loaded")[..] else { panic!("two books") };
    Ok(Library { session, ada, bob, a, b })
}

/// What the views of the library show.
fn views(library: &Library) -> String {
    let Library { session, ada, bob, a, b } = library;
    format!(
        "{:?} {:?} {:?} {:?}",
        session[*ada].books, session[*bob].books, session[*a].author, session[*b].author,
    )
}

backend_tests! {
    /// SEMANTICS 1.3: links, moves, new members and deletes, with and without a flush.
    async fn rule_1_3_rollback_restores_views(db) {
        let mut library = library(&db).await?;
        let before = views(&library);
        for flushed in [false, true] {
            let Library { session, ada, bob, a, b } = &mut library;
            session.push(*bob, Author::books, *a);
            session.push(*bob, Author::books, Book::draft().title("new"));
            session.delete(*b);
            if flushed {
                session.flush().await?;
                session.delete(*ada);
                session.flush().await?;
            }
            session.rollback().await?;
            assert_eq!(views(&library), before, "flushed: {flushed}");
            let Library { session, ada, a, b, .. } = &mut library;
            let log = db.log();
            session.commit().await?;
            assert!(log.emitted().is_empty());
            assert_eq!(ada.books(session).await?, [*a, *b]);
        }
    }

    /// SEMANTICS 1.3: the order of a collection is part of what it was.
    async fn rule_1_3_rollback_restores_the_order(db) {
        let mut library = library(&db).await?;
        let before = views(&library);
        let Library { session, ada, a, b, .. } = &mut library;
        session.remove(*ada, Author::books, *a);
        session.push(*ada, Author::books, *a);
        session.replace(*ada, Author::books, [*b, *a]);
        session.flush().await?;
        session.rollback().await?;
        assert_eq!(views(&library), before);
    }

    /// SEMANTICS 1.3: an unloaded view is unloaded again, and the queue is gone.
    async fn rule_1_3_rollback_discards_the_queue(db) {
        library(&db).await?;
        let mut session = db.session();
        let ada = session.require::<Author>(1).await?;
        let new = session.add(Book::draft().title("new"));
        session.push(ada, Author::books, new);
        session.replace(ada, Author::books, [new]);
        session.rollback().await?;
        assert_eq!(session[ada].books.loaded(), None);
        assert_eq!(session.state(new), ObjectState::Detached);
        assert_eq!(ada.books(&mut session).await?.len(), 2);
    }

    /// SEMANTICS 1.3: what was loaded amid edits, or after a flush, is not kept.
    async fn rule_1_3_views_loaded_after_a_write_are_not_kept(db) {
        library(&db).await?;
        let mut session = db.session();
        let ada = session.require::<Author>(1).await?;
        let book = session.add(Book::draft().title("by key").author_id(1));
        assert_eq!(ada.books(&mut session).await?.len(), 3);
        session.rollback().await?;
        assert_eq!(session.state(book), ObjectState::Detached);
        assert_eq!(ada.books(&mut session).await?.len(), 2);

        let mut session = db.session();
        session.autoflush(false);
        let book = session.require::<Book>(1).await?;
        book.author(&mut session).clear();
        // Its former author comes in after the edit.
        let ada = session.require::<Author>(1).await?;
        assert_eq!(ada.books(&mut session).await?.len(), 1);
        session.rollback().await?;
        assert_eq!(ada.books(&mut session).await?.len(), 2);
        assert_eq!(book.author(&mut session).await?, Some(ada));
    }

    /// SEMANTICS 1.3: many-to-many, both sides.
    async fn rule_1_3_rollback_restores_pairs(db) {
        db.create(&school_tables()).await?;
        let mut session = db.session();
        let maths = session.add(Course::draft().title("Maths"));
        let ada = session.add(Student::draft().name("Ada").courses([maths]));
        let bob = session.add(Student::draft().name("Bob"));
        session.commit().await?;
        for flushed in [false, true] {
            session.unlink(maths, Course::students, ada);
            session.link(bob, Student::courses, maths);
            session.link(bob, Student::courses, Course::draft().title("new"));
            if flushed {
                session.flush().await?;
            }
            session.rollback().await?;
            assert_eq!(session[maths].students.loaded(), Some(&[ada][..]), "flushed: {flushed}");
            assert_eq!(session[ada].courses.loaded(), Some(&[maths][..]));
            assert_eq!(session[bob].courses.loaded(), Some(&[][..]));
        }
        session.delete(maths);
        session.flush().await?;
        assert_eq!(session[ada].courses.loaded(), Some(&[][..]));
        session.rollback().await?;
        assert_eq!(session[ada].courses.loaded(), Some(&[maths][..]));
        let log = db.log();
        session.commit().await?;
        assert!(log.emitted().is_empty());
        let mut other = db.session();
        let maths = other.require::<Course>(1).await?;
        assert_eq!(maths.students(&mut other).await?.len(), 1);
    }

    /// SEMANTICS 1.3: one-to-one.
    async fn rule_1_3_rollback_restores_one_to_one(db) {
        db.create(&person_tables()).await?;
        let mut session = db.session();
        let ada = session.add(Person::draft().name("Ada").passport(Passport::draft().number("1")));
        session.commit().await?;
        let old = session[ada].passport.loaded().flatten().expect("loaded");
        for flushed in [false, true] {
            ada.passport(&mut session).set(Passport::draft().number("2"));
            if flushed {
                session.flush().await?;
                assert_eq!(session.state(old), ObjectState::Deleted);
            }
            session.rollback().await?;
            assert_eq!(session[ada].passport.loaded(), Some(Some(old)));
            assert_eq!(session[old].person.loaded(), Some(Some(ada)));
            assert_eq!(session.state(old), ObjectState::Persistent);
        }
    }

    /// SEMANTICS 1.3: fields that were assigned, taken or swapped.
    async fn rule_1_3_rollback_restores_assigned_fields(db) {
        let mut library = library(&db).await?;
        let before = views(&library);
        for flushed in [false, true] {
            let Library { session, ada, bob, a, b } = &mut library;
            session[*bob].books = [*a].into();
            session[*ada].books = [*b].into();
            session[*b].author = None.into();
            if flushed {
                session.flush().await?;
            }
            session.rollback().await?;
            assert_eq!(views(&library), before, "flushed: {flushed}");
        }
        let Library { session, ada, bob, .. } = &mut library;
        let [left, right] = session.get_disjoint_mut([*ada, *bob]);
        std::mem::swap(&mut left.books, &mut right.books);
        session.rollback().await?;
        assert_eq!(views(&library), before);
    }

    /// SEMANTICS 8.7, 1.3: views that an assigned key unloaded come back.
    async fn rule_1_3_rollback_restores_what_a_key_unloaded(db) {
        let mut library = library(&db).await?;
        let before = views(&library);
        let Library { session, bob, a, .. } = &mut library;
        session[*a].author_id = Some(session[*bob].id());
        session.flush().await?;
        assert_eq!(session[*a].author.loaded(), None);
        session.rollback().await?;
        assert_eq!(views(&library), before);
    }

    /// SEMANTICS 1.3, 7.3: children that were cut off lead to their parent again.
    async fn rule_1_3_rollback_restores_cut_children(db) {
        let mut library = library(&db).await?;
        let before = views(&library);
        let Library { session, ada, a, .. } = &mut library;
        session.delete(*ada);
        session.flush().await?;
        assert_eq!(session[*a].author.loaded(), Some(None));
        session.rollback().await?;
        assert_eq!(views(&library), before);
        assert_eq!(library.session[library.a].author_id, Some(1));
    }
}
