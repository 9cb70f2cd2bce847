//! Random edits, flushes, savepoints and rollbacks against a model that is too simple to be wrong.

use std::ops::DerefMut;

use orm_core::error::Result;
use orm_core::session::Savepoint;
use orm_core::{Handle, Session};
use orm_tests::{Database, backend_properties};
use proptest::prelude::*;

use crate::models::*;

const AUTHORS: usize = 3;
const BOOKS: usize = 4;
const COURSES: usize = 3;

#[derive(Clone, Debug)]
enum Edit {
    Push(usize, usize),
    Remove(usize, usize),
    Set(usize, Option<usize>),
    Replace(usize, Vec<bool>),
    Assign(usize, Vec<bool>),
    LoadBooks(usize),
    LoadAuthor(usize),
    Link(usize, usize),
    Unlink(usize, usize),
    LinkBack(usize, usize),
    UnlinkBack(usize, usize),
    ReplaceCourses(usize, Vec<bool>),
    LoadCourses(usize),
    LoadStudents(usize),
    Flush,
    /// What is done inside a savepoint, and how that ends.
    Inside(Vec<Edit>, End),
    Commit,
    Rollback,
    Forget,
}

#[derive(Clone, Copy, Debug)]
enum End {
    Commit,
    Rollback,
    Drop,
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let (author, book, course) = (0..AUTHORS, 0..BOOKS, 0..COURSES);
    let books = prop::collection::vec(any::<bool>(), BOOKS);
    let courses = prop::collection::vec(any::<bool>(), COURSES);
    // Students are the authors' number too.
    let edit = prop_oneof![
        3 => (author.clone(), book.clone()).prop_map(|(a, b)| Edit::Push(a, b)),
        3 => (author.clone(), book.clone()).prop_map(|(a, b)| Edit::Remove(a, b)),
        3 => (book.clone(), prop::option::of(author.clone())).prop_map(|(b, a)| Edit::Set(b, a)),
        2 => (author.clone(), books.clone()).prop_map(|(a, b)| Edit::Replace(a, b)),
        1 => (author.clone(), books).prop_map(|(a, b)| Edit::Assign(a, b)),
        2 => author.clone().prop_map(Edit::LoadBooks),
        2 => book.prop_map(Edit::LoadAuthor),
        2 => (author.clone(), course.clone()).prop_map(|(s, c)| Edit::Link(s, c)),
        2 => (author.clone(), course.clone()).prop_map(|(s, c)| Edit::Unlink(s, c)),
        2 => (author.clone(), course.clone()).prop_map(|(s, c)| Edit::LinkBack(s, c)),
        2 => (author.clone(), course.clone()).prop_map(|(s, c)| Edit::UnlinkBack(s, c)),
        2 => (author.clone(), courses).prop_map(|(s, c)| Edit::ReplaceCourses(s, c)),
        1 => author.prop_map(Edit::LoadCourses),
        1 => course.prop_map(Edit::LoadStudents),
        2 => Just(Edit::Flush),
    ];
    let end = prop_oneof![Just(End::Commit), Just(End::Rollback), Just(End::Drop)];
    let edit = edit.prop_recursive(3, 16, 8, move |edit| {
        let inside = prop::collection::vec(edit, 0..8);
        (inside, end.clone()).prop_map(|(edits, end)| Edit::Inside(edits, end))
    });
    let edit = prop_oneof![
        12 => edit,
        1 => Just(Edit::Commit),
        1 => Just(Edit::Rollback),
        1 => Just(Edit::Forget),
    ];
    prop::collection::vec(edit, 1..24)
}

/// What is true: which author a book has, which student takes which course.
#[derive(Clone, Debug, Default, PartialEq)]
struct Truth {
    author: [Option<usize>; BOOKS],
    takes: [[bool; COURSES]; AUTHORS],
}

/// The session, or a savepoint of it, and what it is to show.
struct World<S> {
    session: S,
    authors: Vec<Handle<Author>>,
    books: Vec<Handle<Book>>,
    students: Vec<Handle<Student>>,
    courses: Vec<Handle<Course>>,
    truth: Truth,
    committed: Truth,
    /// Whether a collection was replaced without being loaded: who left it is known to its own
    /// side only after the flush.
    replaced: bool,
}

impl World<Box<Session>> {
    async fn open(db: &Database, truth: Truth) -> Result<Self> {
        let mut session = db.session();
        // With autoflush off, loads meet unflushed edits.
        session.autoflush(false);
        Ok(Self {
            authors: Author::select().order_by(Author::id.asc()).all(&mut session).await?,
            books: Book::select().order_by(Book::id.asc()).all(&mut session).await?,
            students: Student::select().order_by(Student::id.asc()).all(&mut session).await?,
            courses: Course::select().order_by(Course::id.asc()).all(&mut session).await?,
            session: Box::new(session),
            committed: truth.clone(),
            truth,
            replaced: false,
        })
    }

    /// An edit, or an end of the unit of work.
    async fn go_on(&mut self, db: &Database, edit: &Edit) -> Result<()> {
        match edit {
            Edit::Commit => {
                self.session.commit().await?;
                self.replaced = false;
                self.committed = self.truth.clone();
            }
            Edit::Rollback => {
                self.session.rollback().await?;
                self.replaced = false;
                self.truth = self.committed.clone();
            }
            Edit::Forget => {
                self.session.commit().await?;
                *self = Self::open(db, self.truth.clone()).await?;
            }
            edit => self.apply(edit).await?,
        }
        Ok(())
    }
}

impl World<Savepoint<'_>> {
    /// Gives what is true behind its end.
    async fn end(self, end: End) -> Result<Truth> {
        match end {
            End::Commit => {
                self.session.commit().await?;
                return Ok(self.truth);
            }
            End::Rollback => self.session.rollback().await?,
            End::Drop => drop(self.session),
        }
        Ok(self.committed)
    }
}

impl<S: DerefMut<Target = Session>> World<S> {
    /// A savepoint in which this is done.
    async fn inside(&mut self, edits: &[Edit], end: End) -> Result<()> {
        let mut inside = World {
            session: self.session.savepoint().await?,
            authors: self.authors.clone(),
            books: self.books.clone(),
            students: self.students.clone(),
            courses: self.courses.clone(),
            truth: self.truth.clone(),
            committed: self.truth.clone(),
            replaced: false,
        };
        for edit in edits {
            inside.apply(edit).await?;
            inside.check(edit);
        }
        let truth = inside.end(end).await?;
        self.truth = truth;
        self.replaced = false;
        Ok(())
    }

    fn chosen<T: Copy>(of: &[T], chosen: &[bool]) -> Vec<T> {
        of.iter().zip(chosen).filter(|(_, chosen)| **chosen).map(|(one, _)| *one).collect()
    }

    fn replace_books(&mut self, author: usize, chosen: &[bool]) {
        for (book, chosen) in chosen.iter().enumerate() {
            if *chosen {
                self.truth.author[book] = Some(author);
            } else if self.truth.author[book] == Some(author) {
                self.truth.author[book] = None;
            }
        }
    }

    /// Linking without knowing the row would insert it twice: the model has no answer to that.
    fn can_link(&self, student: usize, course: usize) -> bool {
        !self.truth.takes[student][course]
            || self.session[self.students[student]].courses.loaded().is_some()
            || self.session[self.courses[course]].students.loaded().is_some()
    }

    async fn apply(&mut self, edit: &Edit) -> Result<()> {
        if let Edit::Link(s, c) | Edit::LinkBack(s, c) = *edit
            && !self.can_link(s, c)
        {
            return Ok(());
        }
        let session = &mut *self.session;
        match *edit {
            Edit::Push(a, b) => {
                session.push(self.authors[a], Author::books, self.books[b]);
                self.truth.author[b] = Some(a);
            }
            Edit::Remove(a, b) => {
                session.remove(self.authors[a], Author::books, self.books[b]);
                if self.truth.author[b] == Some(a) {
                    self.truth.author[b] = None;
                }
            }
            Edit::Set(b, author) => {
                let author_handle = author.map(|author| self.authors[author]);
                session.set_one(self.books[b], Book::author, author_handle);
                self.truth.author[b] = author;
            }
            Edit::Replace(a, ref chosen) => {
                self.replaced |= session[self.authors[a]].books.loaded().is_none();
                let members = Self::chosen(&self.books, chosen);
                session.replace(self.authors[a], Author::books, members);
                self.replace_books(a, chosen);
            }
            Edit::Assign(a, ref chosen) => {
                session[self.authors[a]].books = Self::chosen(&self.books, chosen).into();
                session.flush().await?;
                self.replace_books(a, chosen);
                self.replaced = false;
            }
            Edit::LoadBooks(a) => {
                self.authors[a].books(session).await?;
            }
            Edit::LoadAuthor(b) => {
                self.books[b].author(session).await?;
            }
            Edit::Link(s, c) => {
                session.link(self.students[s], Student::courses, self.courses[c]);
                self.truth.takes[s][c] = true;
            }
            Edit::Unlink(s, c) => {
                session.unlink(self.students[s], Student::courses, self.courses[c]);
                self.truth.takes[s][c] = false;
            }
            Edit::LinkBack(s, c) => {
                session.link(self.courses[c], Course::students, self.students[s]);
                self.truth.takes[s][c] = true;
            }
            Edit::UnlinkBack(s, c) => {
                session.unlink(self.courses[c], Course::students, self.students[s]);
                self.truth.takes[s][c] = false;
            }
            Edit::ReplaceCourses(s, ref chosen) => {
                self.replaced |= session[self.students[s]].courses.loaded().is_none();
                let members = Self::chosen(&self.courses, chosen);
                session.replace(self.students[s], Student::courses, members);
                self.truth.takes[s].copy_from_slice(chosen);
            }
            Edit::LoadCourses(s) => {
                self.students[s].courses(session).await?;
            }
            Edit::LoadStudents(c) => {
                self.courses[c].students(session).await?;
            }
            Edit::Flush => {
                session.flush().await?;
                self.replaced = false;
            }
            Edit::Inside(ref edits, end) => Box::pin(self.inside(edits, end)).await?,
            Edit::Commit | Edit::Rollback | Edit::Forget => {}
        }
        Ok(())
    }

    /// Whatever is loaded shows the truth, on both sides.
    fn check(&self, after: &Edit) {
        if self.replaced {
            return;
        }
        for (a, author) in self.authors.iter().enumerate() {
            let Some(shown) = self.session[*author].books.loaded() else { continue };
            for (b, book) in self.books.iter().enumerate() {
                let count = shown.iter().filter(|other| *other == book).count();
                let expected = usize::from(self.truth.author[b] == Some(a));
                assert_eq!(count, expected, "author {a}, book {b}, after {after:?}");
            }
        }
        for (b, book) in self.books.iter().enumerate() {
            let expected = self.truth.author[b].map(|author| self.authors[author]);
            if let Some(shown) = self.session[*book].author.loaded() {
                assert_eq!(shown, expected, "book {b}, after {after:?}");
            }
        }
        for (s, student) in self.students.iter().enumerate() {
            for (c, course) in self.courses.iter().enumerate() {
                let expected = usize::from(self.truth.takes[s][c]);
                if let Some(shown) = self.session[*student].courses.loaded() {
                    let count = shown.iter().filter(|other| *other == course).count();
                    assert_eq!(count, expected, "student {s}, course {c}, after {after:?}");
                }
                if let Some(shown) = self.session[*course].students.loaded() {
                    let count = shown.iter().filter(|other| *other == student).count();
                    assert_eq!(count, expected, "course {c}, student {s}, after {after:?}");
                }
            }
        }
    }
}

async fn live(db: Database, edits: Vec<Edit>) -> Result<()> {
    db.create(&book_tables()).await?;
    db.create(&school_tables()).await?;
    let mut session = db.session();
    session.add_all((0..AUTHORS).map(|at| Author::draft().name(at.to_string())));
    session.add_all((0..BOOKS).map(|at| Book::draft().title(at.to_string())));
    session.add_all((0..AUTHORS).map(|at| Student::draft().name(at.to_string())));
    session.add_all((0..COURSES).map(|at| Course::draft().title(at.to_string())));
    session.commit().await?;
    let mut world = World::open(&db, Truth::default()).await?;
    for edit in &edits {
        world.go_on(&db, edit).await?;
        world.check(edit);
    }
    world.session.commit().await?;
    let log = db.log();
    world.session.flush().await?;
    assert!(log.emitted().is_empty(), "a second flush has nothing to do");
    // What another session reads is what was meant.
    let mut read = World::open(&db, world.truth.clone()).await?;
    let mut written = Truth::default();
    for (b, book) in read.books.clone().into_iter().enumerate() {
        let author = book.author(&mut read.session).await?;
        written.author[b] =
            author.and_then(|author| read.authors.iter().position(|other| *other == author));
    }
    for (s, student) in read.students.clone().into_iter().enumerate() {
        for course in student.courses(&mut read.session).await? {
            if let Some(c) = read.courses.iter().position(|other| *other == course) {
                written.takes[s][c] = true;
            }
        }
    }
    assert_eq!(written, world.truth);
    Ok(())
}

backend_properties! {
    /// SEMANTICS 8.1–8.6, 1.3, 9.3: memory and database follow any sequence of edits.
    async fn rule_8_1_random_edits_keep_every_view_true(db, edits in edits(), cases = 64) {
        live(db, edits).await?;
    }
}
