//! The same rows by hand: what a careful user of sqlx would write on SQLite, in the fewest
//! statements, and so how much of the growth is the database's own.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use orm_core::{Engine, schema};
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{Arguments, AssertSqlSafe, ConnectOptions, Connection, Executor, Row};

use super::{Author, BOOKS, Book, DEPTH, Folder, Work, median};

/// The most rows in one statement.
const CHUNK: usize = 500;

/// The median of a few rounds on a database of its own, from the first row to the end of the
/// commit, with the settings of `sqlite::memory:`.
pub(super) async fn measure(work: Work) -> Duration {
    let mut database = Database::open().await;
    let mut times = Vec::new();
    for _ in 0..=work.rounds() {
        database.empty().await;
        if let Work::Updates(n) | Work::Deletes(n) = work {
            database.add_graphs(n).await;
        }
        let started = Instant::now();
        match work {
            Work::Graphs(n) => database.add_graphs(n).await,
            Work::Trees(n) => database.add_trees(n).await,
            Work::Updates(_) => database.update().await,
            Work::Deletes(_) => database.delete().await,
        }
        times.push(started.elapsed());
    }
    median(times)
}

struct Database {
    connection: SqliteConnection,
    path: PathBuf,
}

/// What a user would keep of a row: its key, and when it was written.
struct Stamps {
    id: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

struct AuthorRow {
    stamps: Stamps,
    name: String,
    age: i64,
}

struct BookRow {
    stamps: Stamps,
    title: String,
    pages: i64,
    author_id: i64,
}

fn stamps(row: &SqliteRow) -> Stamps {
    Stamps { id: row.get(0), created_at: row.get(1), updated_at: row.get(2) }
}

impl Database {
    async fn open() -> Self {
        let path = std::env::temp_dir().join(format!("orm_scale_{}.db", std::process::id()));
        let url = format!("sqlite://{}", path.display());
        let engine = Engine::connect(&url).await.expect("opens");
        engine.create_all(&schema![Author, Book, Folder]).await.expect("creates");
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Off)
            .foreign_keys(true)
            .statement_cache_capacity(512)
            .row_buffer_size(500);
        let connection = options.connect().await.expect("opens");
        Self { connection, path }
    }

    async fn empty(&mut self) {
        for table in ["scale_books", "scale_authors", "scale_folders"] {
            let sql = format!("DELETE FROM {table}");
            self.connection.execute(AssertSqlSafe(sql)).await.expect("deletes");
        }
    }

    async fn add_graphs(&mut self, authors: usize) {
        let names: Vec<(String, i64)> =
            (0..authors).map(|at| (format!("author {at}"), (at % 90) as i64)).collect();
        let mut transaction = self.connection.begin().await.expect("begins");
        let stamped = insert(
            &mut transaction,
            "INSERT INTO scale_authors (name, age)",
            &names,
            |arguments, (name, age)| {
                bind(arguments, name.as_str());
                bind(arguments, *age);
            },
        )
        .await;
        let books = stamped.iter().enumerate().flat_map(|(at, author)| {
            (0..BOOKS).map(move |book| (format!("book {at} {book}"), 7, author.id))
        });
        let books: Vec<(String, i64, i64)> = books.collect();
        insert(
            &mut transaction,
            "INSERT INTO scale_books (title, pages, author_id)",
            &books,
            |arguments, (title, pages, author)| {
                bind(arguments, title.as_str());
                bind(arguments, *pages);
                bind(arguments, *author);
            },
        )
        .await;
        transaction.commit().await.expect("commits");
    }

    async fn add_trees(&mut self, trees: usize) {
        let mut transaction = self.connection.begin().await.expect("begins");
        let mut level: Vec<(String, Option<i64>)> =
            (0..trees).map(|at| (format!("root {at}"), None)).collect();
        for _ in 0..DEPTH {
            let stamped = insert(
                &mut transaction,
                "INSERT INTO scale_folders (name, parent_id)",
                &level,
                |arguments, (name, parent)| {
                    bind(arguments, name.as_str());
                    bind(arguments, *parent);
                },
            )
            .await;
            let below =
                |folder: &Stamps| ["left", "right"].map(|name| (name.to_owned(), Some(folder.id)));
            level = stamped.iter().flat_map(below).collect();
        }
        transaction.commit().await.expect("commits");
    }

    /// Every row, as the objects of a session have them.
    async fn load(connection: &mut SqliteConnection) -> (Vec<AuthorRow>, Vec<BookRow>) {
        let rows = "SELECT id, created_at, updated_at, name, age FROM scale_authors ORDER BY id";
        let rows = sqlx::query(rows).fetch_all(&mut *connection).await.expect("loads");
        let author = |row| AuthorRow { stamps: stamps(row), name: row.get(3), age: row.get(4) };
        let authors: Vec<AuthorRow> = rows.iter().map(author).collect();
        let mut books = Vec::new();
        for chunk in authors.chunks(CHUNK) {
            let sql = format!(
                "SELECT id, created_at, updated_at, title, pages, author_id FROM scale_books WHERE author_id IN ({})",
                vec!["?"; chunk.len()].join(", "),
            );
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for author in chunk {
                query = query.bind(author.stamps.id);
            }
            let rows = query.fetch_all(&mut *connection).await.expect("loads");
            books.extend(rows.iter().map(|row| BookRow {
                stamps: stamps(row),
                title: row.get(3),
                pages: row.get(4),
                author_id: row.get(5),
            }));
        }
        (authors, books)
    }

    async fn update(&mut self) {
        let mut transaction = self.connection.begin().await.expect("begins");
        let (mut authors, mut books) = Self::load(&mut transaction).await;
        for chunk in authors.chunks_mut(CHUNK) {
            let mut query = sqlx::query(AssertSqlSafe(update("scale_authors", "age", chunk.len())));
            for author in chunk.iter_mut() {
                author.age += 1;
                query = query.bind(author.stamps.id).bind(author.age);
            }
            let rows = query.fetch_all(&mut *transaction).await.expect("updates");
            learn(&rows, chunk.iter_mut().map(|author| &mut author.stamps));
        }
        for chunk in books.chunks_mut(CHUNK) {
            let mut query = sqlx::query(AssertSqlSafe(update("scale_books", "title", chunk.len())));
            for book in chunk.iter_mut() {
                book.title.push('!');
                query = query.bind(book.stamps.id).bind(book.title.clone());
            }
            let rows = query.fetch_all(&mut *transaction).await.expect("updates");
            learn(&rows, chunk.iter_mut().map(|book| &mut book.stamps));
        }
        std::hint::black_box(authors.iter().map(|it| (&it.name, it.stamps.created_at)).max());
        std::hint::black_box(books.iter().map(|it| (it.pages, it.author_id)).max());
        transaction.commit().await.expect("commits");
    }

    async fn delete(&mut self) {
        let mut transaction = self.connection.begin().await.expect("begins");
        let (authors, books) = Self::load(&mut transaction).await;
        let books: Vec<i64> = books.iter().map(|book| book.stamps.id).collect();
        let authors: Vec<i64> = authors.iter().map(|author| author.stamps.id).collect();
        for (table, ids) in [("scale_books", books), ("scale_authors", authors)] {
            for chunk in ids.chunks(CHUNK) {
                let sql = format!(
                    "DELETE FROM {table} WHERE id IN ({}) RETURNING id",
                    vec!["?"; chunk.len()].join(", "),
                );
                let mut query = sqlx::query(AssertSqlSafe(sql));
                for id in chunk {
                    query = query.bind(*id);
                }
                query.fetch_all(&mut *transaction).await.expect("deletes");
            }
        }
        transaction.commit().await.expect("commits");
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", self.path.display()));
        }
    }
}

/// Updates one column of so many rows.
fn update(table: &str, column: &str, rows: usize) -> String {
    format!(
        "WITH v(id, new) AS (VALUES {}) UPDATE {table} SET {column} = v.new, \
         updated_at = strftime('%Y-%m-%d %H:%M:%f000', 'now') FROM v \
         WHERE {table}.id = v.id RETURNING id, updated_at",
        tuples(2, rows),
    )
}

/// Matches what the database computed to the rows.
fn learn<'r>(returned: &[SqliteRow], rows: impl Iterator<Item = &'r mut Stamps>) {
    let returned: HashMap<i64, DateTime<Utc>> =
        returned.iter().map(|row| (row.get(0), row.get(1))).collect();
    for row in rows {
        row.updated_at = returned[&row.id];
    }
}

/// Inserts rows in as few statements as a careful user would; gives their keys and times.
async fn insert<T>(
    connection: &mut SqliteConnection,
    into: &str,
    rows: &[T],
    add: impl Fn(&mut SqliteArguments, &T),
) -> Vec<Stamps> {
    let columns = into.matches(',').count() + 1;
    let mut stamped = Vec::with_capacity(rows.len());
    for chunk in rows.chunks(CHUNK) {
        let sql = format!(
            "{into} VALUES {} RETURNING id, created_at, updated_at",
            tuples(columns, chunk.len())
        );
        let mut arguments = SqliteArguments::default();
        chunk.iter().for_each(|row| add(&mut arguments, row));
        let query = sqlx::query_with(AssertSqlSafe(sql), arguments);
        let rows = query.fetch_all(&mut *connection).await.expect("inserts");
        stamped.extend(rows.iter().map(stamps));
    }
    stamped.sort_unstable_by_key(|row| row.id);
    stamped
}

fn bind<'v, T>(arguments: &mut SqliteArguments, value: T)
where
    T: sqlx::Encode<'v, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite> + 'v,
{
    arguments.add(value).expect("binds");
}

/// `(?, ?), (?, ?)`.
fn tuples(columns: usize, rows: usize) -> String {
    let row = format!("({})", vec!["?"; columns].join(", "));
    vec![row; rows].join(", ")
}
