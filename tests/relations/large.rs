//! Many objects at once. No step may walk over all of them for each of them: with so many, a test
//! that does would take minutes.

use orm_core::session::ObjectState;
use orm_core::{Handle, Session};
use orm_tests::{Database, backend_tests};

use crate::models::*;

/// So many that never reach the database.
const MANY: usize = 20_000;

/// So many rows.
const SOME: usize = 3_000;

fn posts(session: &mut Session, user: Handle<User>) -> Vec<Handle<Post>> {
    let titles = (0..MANY).map(|at| Post::draft().title(format!("post {at}")).user(user));
    session.add_all(titles)
}

/// A student who takes so many courses, all of them committed.
async fn student(db: &Database) -> orm_core::Result<(Session, Handle<Student>)> {
    let mut session = db.session();
    let courses = (0..SOME).map(|at| Course::draft().title(format!("course {at}")));
    let student = session.add(Student::draft().name("Ada").courses(courses));
    session.commit().await?;
    let id = session[student].id();
    let mut session = db.session();
    let student = session.require::<Student>(id).await?;
    Ok((session, student))
}

backend_tests! {
    /// SEMANTICS 7.4: who is deleted before it is a row leaves at once, and takes its own along.
    async fn rule_7_4_many_pending_objects_are_deleted_with_their_parent(db) {
        let mut session = db.session();
        let user = session.add(User::draft().name("Ada"));
        let posts = posts(&mut session, user);
        session.delete(user);
        assert!(session.pending().is_empty());
        assert_eq!(session.state(posts[MANY / 2]), ObjectState::Detached);
    }

    /// SEMANTICS 7.4
    async fn rule_7_4_many_pending_orphans_leave_together(db) {
        let mut session = db.session();
        let user = session.add(User::draft().name("Ada"));
        let posts = posts(&mut session, user);
        session.replace(user, User::posts, [posts[7]]);
        assert_eq!(session.pending().len(), 2);
        session.expunge(user);
        assert_eq!(session.pending().len(), 0, "`all` cascades expunge");
    }

    /// SEMANTICS 7.4
    async fn rule_7_4_a_long_chain_of_pending_objects_leaves(db) {
        let mut session = db.session();
        let root = session.add(Node::draft().name("root"));
        let mut last = root;
        for at in 0..MANY {
            last = session.add(Node::draft().name(format!("node {at}")).parent(last));
        }
        session.delete(root);
        assert!(session.pending().is_empty());
        assert_eq!(session.state(last), ObjectState::Detached);
    }

    /// SEMANTICS 8.4
    async fn rule_8_4_a_large_collection_is_emptied_and_filled_again(db) {
        let mut session = db.session();
        let author = session.add(Author::draft().name("Ada"));
        let titles = (0..MANY).map(|at| Book::draft().title(format!("book {at}")).author(author));
        let books = session.add_all(titles);
        for book in &books {
            // Each is a member already.
            session.push(author, Author::books, *book);
        }
        assert_eq!(session[author].books.loaded(), Some(books.as_slice()));
        author.books(&mut session).clear();
        assert_eq!(session[author].books.loaded(), Some(&[][..]));
        assert_eq!(session[books[MANY - 1]].author.loaded(), Some(None));
        session.replace(author, Author::books, books.clone());
        assert_eq!(session[author].books.loaded(), Some(books.as_slice()));
        assert_eq!(session.pending().len(), 1 + MANY);
    }

    async fn many_new_objects_with_assigned_fields(db) {
        let mut session = db.session();
        let authors = (0..MANY).map(|_| Author {
            name: "Ada".into(),
            books: [].into(),
            shelf: Default::default(),
        });
        let authors = session.add_all(authors);
        assert_eq!(session[authors[MANY - 1]].books.loaded(), Some(&[][..]));
    }

    /// SEMANTICS 8.6
    async fn rule_8_6_many_edited_pairs_are_looked_at(db) {
        db.create(&school_tables()).await?;
        let (mut session, student) = student(&db).await?;
        let courses = student.courses(&mut session).await?;
        for course in &courses {
            session.unlink(student, Student::courses, *course);
        }
        assert!(courses.iter().all(|course| session.is_modified(*course)));
        assert_eq!(session.dirty().len(), 1 + SOME);
        session.replace(student, Student::courses, courses.clone());
        assert!(!session.is_modified(courses[SOME / 2]), "it is as it was");
        student.courses(&mut session).clear();
        let log = db.log();
        session.commit().await?;
        assert!(log.emitted().iter().all(|statement| statement == "DELETE enrolments"));
        assert_eq!(student.courses(&mut session).await?, []);
    }

    /// SEMANTICS 7.4
    async fn rule_7_4_many_members_leave_the_only_one_who_had_them(db) {
        db.create(&carton_tables()).await?;
        let mut session = db.session();
        let labels = (0..SOME).map(|at| Label::draft().text(format!("label {at}")));
        let carton = session.add(Carton::draft().name("A").labels(labels));
        session.commit().await?;
        let labels = carton.labels(&mut session).await?;
        carton.labels(&mut session).clear();
        session.commit().await?;
        assert_eq!(session.state(labels[0]), ObjectState::Detached);
        assert_eq!(Label::select().count(&mut session).await?, 0);
    }

    /// SEMANTICS 8.1: where a foreign key leads that isn't to a primary key is found as fast.
    async fn rule_8_1_many_foreign_keys_to_a_unique_column(db) {
        db.create(&account_tables()).await?;
        let mut session = db.session();
        let currencies = (0..SOME).map(|at| Currency::draft().code(format!("c{at}")));
        for currency in session.add_all(currencies) {
            session.add(Account::draft().name("account").currency(currency));
        }
        session.commit().await?;

        let mut session = db.session();
        let currencies = Currency::select().order_by(Currency::id.asc()).all(&mut session).await?;
        let accounts = Account::select().order_by(Account::id.asc()).all(&mut session).await?;
        let log = db.log();
        for (account, currency) in accounts.iter().zip(&currencies) {
            assert_eq!(account.currency(&mut session).await?, Some(*currency));
        }
        assert_eq!(log.emitted(), [""; 0], "all of them are in memory");
        // Everybody moves on to the next one.
        for (account, currency) in accounts.iter().zip(currencies.iter().cycle().skip(1)) {
            session.set_one(*account, Account::currency, *currency);
        }
        session.commit().await?;
        assert_eq!(session[accounts[SOME - 1]].currency_code.as_deref(), Some("c0"));
        assert_eq!(accounts[SOME - 1].currency(&mut session).await?, Some(currencies[0]));

        // A value that has changed since it was loaded is found, and the former one isn't.
        let spare = session.add(Currency::draft().code("spare"));
        session.commit().await?;
        session[spare].code = "other".into();
        session.commit().await?;
        session[accounts[0]].currency_code = Some("other".into());
        session.commit().await?;
        let log = db.log();
        assert_eq!(accounts[0].currency(&mut session).await?, Some(spare));
        assert_eq!(log.emitted(), [""; 0]);
    }
}
