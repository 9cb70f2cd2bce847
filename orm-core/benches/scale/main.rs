//! How the time of a flush grows with the number of its rows, and what part of it is planning.
//! Prints, per size, the median of the whole (from the first `add` to the end of the commit), the
//! time per row, how that compares with the smallest size, and the share of `session.plan()`;
//! on SQLite also the time per row, and its growth, of the same work by hand. Asserts nothing.
//!
//! ```text
//! cargo bench -p orm-core --bench scale                          # SQLite in memory
//! cargo bench -p orm-core --features postgres,mysql --bench scale
//! cargo bench -p orm-core … --bench scale -- postgres trees      # one database, what contains a word
//! ```
//!
//! The servers are those of the tests: `ORM_TEST_POSTGRES_URL` and `ORM_TEST_MYSQL_URL`.

mod by_hand;

use std::time::{Duration, Instant};

use orm_core::{BelongsTo, Engine, HasMany, Model, Session, SessionFactory, schema};

#[derive(Model)]
#[orm(table = "scale_authors")]
struct Author {
    name: String,
    age: i32,
    #[orm(back_populates = author, cascade = "all, delete-orphan")]
    books: HasMany<Book>,
}

#[derive(Model)]
#[orm(table = "scale_books")]
struct Book {
    #[orm(unique, length = 64)]
    title: String,
    pages: i64,
    #[orm(foreign_key = Author, index)]
    author_id: i64,
    #[orm(back_populates = books)]
    author: BelongsTo<Author>,
}

#[derive(Model)]
#[orm(table = "scale_folders")]
struct Folder {
    name: String,
    #[orm(foreign_key = Folder, index)]
    parent_id: Option<i64>,
    #[orm(back_populates = children)]
    parent: BelongsTo<Folder>,
    #[orm(back_populates = parent, cascade = "all")]
    children: HasMany<Folder>,
}

/// What one session adds or changes.
#[derive(Clone, Copy)]
enum Work {
    /// So many authors, each with five books.
    Graphs(usize),
    /// So many trees that are ten deep, every folder with two below it but for the last ones.
    Trees(usize),
    /// The same number of authors loaded with their books, each row changed.
    Updates(usize),
    /// The same, deleted.
    Deletes(usize),
}

const BOOKS: usize = 5;
const DEPTH: u32 = 10;

impl Work {
    fn name(self) -> String {
        match self {
            Self::Graphs(n) => format!("graphs: add {n} x {BOOKS}"),
            Self::Trees(n) => format!("trees: add {n}, {DEPTH} deep"),
            Self::Updates(n) => format!("updates: change {n} x {BOOKS}"),
            Self::Deletes(n) => format!("deletes: delete {n} x {BOOKS}"),
        }
    }

    fn rows(self) -> usize {
        match self {
            Self::Trees(n) => n * (2_usize.pow(DEPTH) - 1),
            Self::Graphs(n) | Self::Updates(n) | Self::Deletes(n) => n * (1 + BOOKS),
        }
    }

    /// About as many rows in all for every size, so that small ones are not mere noise.
    fn rounds(self) -> usize {
        (60_000 / self.rows().max(1)).clamp(5, 60)
    }

    /// What is done in memory, before the flush.
    async fn edit(self, session: &mut Session) {
        match self {
            Self::Graphs(n) => {
                for at in 0..n {
                    let books = (0..BOOKS)
                        .map(|book| Book::draft().title(format!("book {at} {book}")).pages(7));
                    session.add(
                        Author::draft()
                            .name(format!("author {at}"))
                            .age((at % 90) as i32)
                            .books(books),
                    );
                }
            }
            Self::Trees(n) => {
                for at in 0..n {
                    let mut level = vec![session.add(Folder::draft().name(format!("root {at}")))];
                    for _ in 1..DEPTH {
                        let mut below = Vec::with_capacity(level.len() * 2);
                        for parent in level {
                            for name in ["left", "right"] {
                                let folder = Folder::draft().name(name).parent(parent);
                                below.push(session.add(folder));
                            }
                        }
                        level = below;
                    }
                }
            }
            Self::Updates(_) => {
                let authors = Author::select().with(Author::books);
                for author in authors.all(session).await.expect("loads") {
                    session[author].age += 1;
                    for book in author.books(session).await.expect("is loaded") {
                        session[book].title.push('!');
                    }
                }
            }
            Self::Deletes(_) => {
                let authors = Author::select().with(Author::books);
                for author in authors.all(session).await.expect("loads") {
                    session.delete(author);
                }
            }
        }
    }

    /// What has to be there before.
    async fn prepare(self, sessions: &SessionFactory) {
        if let Self::Updates(n) | Self::Deletes(n) = self {
            let mut session = sessions.session();
            Self::Graphs(n).edit(&mut session).await;
            session.commit().await.expect("commits");
        }
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let (databases, wanted): (Vec<String>, Vec<String>) =
        words.into_iter().partition(|word| ["sqlite", "postgres", "mariadb"].contains(&&**word));
    let mut urls = vec![("sqlite", "sqlite::memory:".to_owned())];
    if cfg!(feature = "postgres") {
        urls.push(("postgres", url("ORM_TEST_POSTGRES_URL", "postgres://root@127.0.0.1/test")));
    }
    if cfg!(feature = "mysql") {
        urls.push(("mariadb", url("ORM_TEST_MYSQL_URL", "mysql://root@127.0.0.1/test")));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime can be built");
    runtime.block_on(async {
        for (name, url) in urls {
            if databases.is_empty() || databases.iter().any(|word| word == name) {
                run(name, &url, &wanted).await;
            }
        }
    });
}

fn url(variable: &str, usual: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| usual.to_owned())
}

async fn run(database: &str, url: &str, wanted: &[String]) {
    print!("{database:<30} {:>7} {:>11} {:>8}", "rows", "whole", "a row");
    println!(" {:>7} {:>9} {:>9} {:>7}", "growth", "planning", "by hand", "growth");
    type Sized = fn(usize) -> Work;
    let all: [(Sized, [usize; 3]); 4] = [
        (Work::Graphs, [100, 1_000, 10_000]),
        (Work::Trees, [1, 10, 50]),
        (Work::Updates, [100, 1_000, 10_000]),
        (Work::Deletes, [100, 1_000, 10_000]),
    ];
    for (work, sizes) in all {
        if !wanted.is_empty() && !wanted.iter().any(|word| work(0).name().contains(word.as_str())) {
            continue;
        }
        let (mut first, mut first_by_hand) = (None, None);
        for size in sizes {
            let work = work(size);
            let per_row = |time: Duration| time.as_secs_f64() * 1e6 / work.rows() as f64;
            let Measured { whole, planning, flush } = measure(url, work).await;
            let a_row = per_row(whole);
            print!(
                "{:<30} {:>7} {:>9.2}ms {a_row:>6.2}us {:>7.2} {:>8.0}%",
                work.name(),
                work.rows(),
                whole.as_secs_f64() * 1e3,
                a_row / *first.get_or_insert(a_row),
                100.0 * planning.as_secs_f64() / flush.as_secs_f64(),
            );
            if database == "sqlite" {
                let a_row = per_row(by_hand::measure(work).await);
                let growth = a_row / *first_by_hand.get_or_insert(a_row);
                print!(" {a_row:>7.2}us {growth:>7.2}");
            }
            println!();
        }
    }
}

/// Medians of a few rounds.
struct Measured {
    /// From the first edit to the end of the commit, without what `plan()` took.
    whole: Duration,
    /// Planning alone.
    planning: Duration,
    /// The commit, which plans too.
    flush: Duration,
}

async fn measure(url: &str, work: Work) -> Measured {
    let engine = Engine::connect(url).await.expect("the database is there");
    let schema = schema![Author, Book, Folder];
    engine.drop_all(&schema).await.expect("drops what was left");
    engine.create_all(&schema).await.expect("creates");
    let sessions = SessionFactory::new(engine.clone());
    let (mut whole, mut planning, mut flush) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..=work.rounds() {
        empty(&sessions).await;
        work.prepare(&sessions).await;
        let mut session = sessions.session();
        let started = Instant::now();
        work.edit(&mut session).await;
        let edited = started.elapsed();
        let started = Instant::now();
        let plan = session.plan().expect("plans");
        planning.push(started.elapsed());
        assert!(!plan.is_empty());
        drop(plan);
        let started = Instant::now();
        session.commit().await.expect("commits");
        flush.push(started.elapsed());
        whole.push(edited + started.elapsed());
    }
    engine.drop_all(&schema).await.expect("drops");
    Measured { whole: median(whole), planning: median(planning), flush: median(flush) }
}

/// Takes every row away, by the fewest means.
async fn empty(sessions: &SessionFactory) {
    let mut session = sessions.session();
    for author in Author::select().with(Author::books).all(&mut session).await.expect("loads") {
        session.delete(author);
    }
    for folder in Folder::select().all(&mut session).await.expect("loads") {
        session.delete(folder);
    }
    session.commit().await.expect("deletes");
}

/// The median of all but the first round, which warms up.
fn median(times: Vec<Duration>) -> Duration {
    let mut times = times[1..].to_vec();
    times.sort_unstable();
    times[times.len() / 2]
}
