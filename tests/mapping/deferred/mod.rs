//! `Deferred<T>` columns: what queries leave out, what loads them, and what is written.

mod loading;
mod queries;
mod results;
mod undoing;
mod writing;

use orm_core::{BelongsTo, Deferred, Error, HasMany, Model, Result, Schema, schema};
use orm_tests::Database;

/// Facts come from the type, however it is spelled.
type Long = Deferred<String>;

#[derive(Debug, Model)]
struct Author {
    name: String,
    biography: Long,
    #[orm(default = 0)]
    visits: i64,
    portrait: Deferred<Option<Vec<u8>>>,
    #[orm(server_default = "'none'")]
    motto: Deferred<String>,
    #[orm(back_populates = author)]
    books: HasMany<Book>,
}

#[derive(Debug, Model)]
struct Book {
    title: String,
    #[orm(default = "none yet")]
    blurb: Deferred<String>,
    #[orm(foreign_key = Author)]
    author_id: i64,
    #[orm(back_populates = books)]
    author: BelongsTo<Author>,
}

#[derive(Debug, Model)]
struct Page {
    text: Deferred<String>,
    #[orm(version)]
    version: i64,
    rank: i64,
}

fn tables() -> Schema {
    schema![Author, Book, Page]
}

/// The names, biographies and books of two authors, committed.
async fn committed(db: &Database) -> Result<()> {
    db.create(&tables()).await?;
    let mut session = db.session();
    for name in ["ada", "bob"] {
        let book = Book::draft().title(format!("{name}'s")).blurb(format!("{name} wrote it"));
        session.add(
            Author::draft()
                .name(name)
                .biography(format!("{name} was born"))
                .portrait(vec![1, 2])
                .motto("write")
                .books([book]),
        );
    }
    session.commit().await
}

/// The field that an error says is not loaded.
#[track_caller]
fn unloaded<T>(outcome: Result<T>) -> &'static str {
    match outcome {
        Err(Error::NotLoaded { field, .. }) => field,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it is loaded"),
    }
}
