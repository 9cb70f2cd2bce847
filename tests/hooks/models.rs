//! The models of this area, and what its tests share.

use orm_core::{BelongsTo, HasMany, HasOne, ManyToMany, Model, Result, Schema, Session, schema};
use orm_tests::Database;

/// A key that the database makes, a secret, a lock, and one relationship of each kind.
#[derive(Debug, Model)]
pub struct Author {
    #[orm(unique, length = 64)]
    pub name: String,
    #[orm(default = 0)]
    pub visits: i64,
    pub nickname: Option<String>,
    #[orm(serialize = "never", default)]
    pub password: String,
    #[orm(server_default = "7")]
    pub rank: i64,
    #[orm(back_populates = author, cascade = "all, delete-orphan")]
    pub books: HasMany<Book>,
    #[orm(back_populates = author)]
    pub desk: HasOne<Desk>,
}

#[derive(Debug, Model)]
pub struct Book {
    pub title: String,
    #[orm(version)]
    pub revision: i32,
    #[orm(foreign_key = Author)]
    pub author_id: i64,
    #[orm(back_populates = books)]
    pub author: BelongsTo<Author>,
    #[orm(secondary = "book_tags", back_populates = books)]
    pub tags: ManyToMany<Tag>,
}

#[derive(Debug, Model)]
pub struct Tag {
    pub name: String,
    #[orm(secondary = "book_tags", back_populates = tags)]
    pub books: ManyToMany<Book>,
}

/// Its author may go and leave it.
#[derive(Debug, Model)]
pub struct Desk {
    pub room: String,
    #[orm(foreign_key = Author)]
    pub author_id: Option<i64>,
    #[orm(back_populates = desk)]
    pub author: BelongsTo<Author>,
}

/// A key of two columns that the user gives.
#[derive(Debug, Model)]
#[orm(base = none, table = "seats")]
pub struct Seat {
    #[orm(primary_key)]
    pub hall: String,
    #[orm(primary_key)]
    pub number: i64,
    pub taken_by: Option<String>,
}

pub(crate) fn library() -> Schema {
    schema![Author, Book, Tag, Desk]
}

/// The tables of the library, with Ada, who has written two books, the first of which is tagged.
pub(crate) async fn committed(db: &Database) -> Result<()> {
    db.create(&library()).await?;
    let mut session = db.session();
    let tag = session.add(Tag::draft().name("math"));
    let ada = session.add(Author::draft().name("ada"));
    let notes = session.add(Book::draft().title("Notes").author(ada));
    session.add(Book::draft().title("Letters").author(ada));
    session.add(Desk::draft().room("attic").author(ada));
    session.link(notes, Book::tags, tag);
    session.commit().await
}

/// What a flush that has nothing to do emits: nothing.
pub(crate) async fn assert_clean(db: &Database, session: &mut Session) -> Result<()> {
    let log = db.log();
    session.flush().await?;
    assert_eq!(log.emitted(), [""; 0], "a second flush has nothing to do");
    Ok(())
}
