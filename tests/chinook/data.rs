//! Where the data is, what is known of it, and the databases that are made of it.

use std::fmt::Debug;
use std::path::{Path, PathBuf};

use orm_core::engine::Naming;
use orm_core::{Engine, Entity, Model};
use orm_examples::chinook::{self, Target, Totals};
use orm_tests::Database;
use tempfile::TempDir;

/// The tables in the order of their names, and how many rows each of them has.
const ROWS: [(&str, u64); 11] = [
    ("Album", 347),
    ("Artist", 275),
    ("Customer", 59),
    ("Employee", 8),
    ("Genre", 25),
    ("Invoice", 412),
    ("InvoiceLine", 2240),
    ("MediaType", 5),
    ("Playlist", 18),
    ("PlaylistTrack", 8715),
    ("Track", 3503),
];

/// What all databases of the data have in common.
pub(crate) fn totals() -> Totals {
    Totals { rows: ROWS.to_vec(), revenue: "2328.60".parse().expect("it is a decimal") }
}

/// The directory of the data; `None`, with a word to the reader, where there is none.
pub(crate) fn directory() -> Option<PathBuf> {
    let directory = std::env::var_os("ORM_CHINOOK_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/chinook"),
        PathBuf::from,
    );
    if directory.join("ChinookData.json").is_file() {
        return Some(directory);
    }
    let absent = format!("the Chinook data is not in {}", directory.display());
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{absent}");
    eprintln!("{absent}: nothing is tested here");
    None
}

/// A directory in which databases are made.
pub(crate) fn scratch() -> TempDir {
    tempfile::tempdir().expect("a temporary directory can be made")
}

/// How the program is told of a test's database. Without a server it makes its own: a file in the
/// directory.
pub(crate) fn target(db: &Database, scratch: &Path) -> Target {
    if db.url().starts_with("sqlite:") {
        return Target::file(scratch.join("chinook.db"));
    }
    Target::parse(db.url().as_ref()).expect("a server's URL is a target")
}

/// Loads the JSON file into a test's database.
pub(crate) async fn fill(db: &Database, data: &Path) -> Totals {
    let totals = chinook::fill(&db.engine, &data.join("ChinookData.json"), |_| {}).await;
    totals.expect("the data can be loaded")
}

/// The ready-made SQLite file, which the other databases are compared with: a copy that is
/// write-protected, so that it is read-only whatever the permissions of the original are.
pub(crate) async fn original(data: &Path, scratch: &Path) -> Engine {
    let copy = copy(data, scratch, "original.sqlite");
    let mut permissions = copy.metadata().expect("the copy is there").permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&copy, permissions).expect("the copy is ours");
    Target::file(copy).open().await.expect("the ready-made file can be opened")
}

fn copy(data: &Path, scratch: &Path, name: &str) -> PathBuf {
    let copy = scratch.join(name);
    // The contents alone: permissions would be copied too.
    let contents = std::fs::read(data.join("Chinook_Sqlite.sqlite")).expect("it can be read");
    std::fs::write(&copy, contents).expect("a copy can be written");
    copy
}

/// A script that makes the ready-made database of a kind of server.
struct Script {
    /// What the URLs of such servers begin with.
    schemes: &'static [&'static str],
    /// Its name.
    file: &'static str,
    /// How the names in it are spelled.
    naming: Naming,
    /// What the server has to be told first.
    settings: &'static str,
    /// What it calls the foreign key of albums.
    album_key: &'static str,
    /// Its literals, `N'…'`, lose the blanks at their ends.
    trims: bool,
}

const SCRIPTS: [Script; 2] = [
    Script {
        schemes: &["postgres:", "postgresql:"],
        file: "Chinook_PostgreSql.sql",
        naming: Naming::SnakeCase,
        settings: "",
        album_key: "album_artist_id_fkey",
        trims: true,
    },
    Script {
        schemes: &["mysql:", "mariadb:"],
        file: "Chinook_MySql.sql",
        naming: Naming::AsDeclared,
        // The names of four tracks have backslashes, which stand for themselves.
        settings: "SET sql_mode = concat(@@sql_mode, ',NO_BACKSLASH_ESCAPES');\n",
        album_key: "FK_AlbumArtistId",
        trims: false,
    },
];

/// The ready-made form of the data, in a database that may be changed.
pub(crate) struct ReadyMade {
    pub(crate) engine: Engine,
    /// The database makes keys for rows that bring none along.
    pub(crate) makes_keys: bool,
    /// What the foreign key of albums is called; nothing if it has no name.
    pub(crate) album_key: Option<&'static str>,
    trims: bool,
}

impl ReadyMade {
    /// The form of the server that the test runs on, made by its script; without a server a copy
    /// of the SQLite file.
    pub(crate) async fn new(db: &Database, data: &Path, scratch: &Path) -> Self {
        let is_for = |script: &&Script| script.schemes.iter().any(|at| db.url().starts_with(at));
        let Some(script) = SCRIPTS.iter().find(is_for) else {
            let copy = Target::file(copy(data, scratch, "ready-made.sqlite"));
            let engine = copy.open().await.expect("the copy can be opened");
            return Self { engine, makes_keys: true, album_key: None, trims: false };
        };
        let text = std::fs::read_to_string(data.join(script.file)).expect("it can be read");
        // It begins by making a database of its own name and going there.
        let tables = text.find("CREATE TABLE").expect("the script makes tables");
        let sql = format!("{}{}", script.settings, &text[tables..]);
        let db = db
            .with_engine(|engine| engine.naming(script.naming))
            .await
            .expect("the test can have another database");
        db.run(&sql).await.expect("the script runs");
        Self {
            engine: db.engine,
            makes_keys: false,
            album_key: Some(script.album_key),
            trims: script.trims,
        }
    }

    /// The text of a row as it is in this form, from that of the original.
    pub(crate) fn expected(&self, original: String) -> String {
        // There is one such text in all of the data, the city of a customer in Scotland.
        if self.trims { original.replace("\"Edinburgh \"", "\"Edinburgh\"") } else { original }
    }
}

/// A JSON file as that of the data, with these rows in its tables.
pub(crate) fn document(rows: &[(&str, &str)]) -> String {
    const TABLES: [&str; 11] = [
        "Genre",
        "MediaType",
        "Artist",
        "Album",
        "Track",
        "Employee",
        "Customer",
        "Invoice",
        "InvoiceLine",
        "Playlist",
        "PlaylistTrack",
    ];
    let rows_of = |table| rows.iter().find(|(name, _)| *name == table).map_or("", |(_, rows)| rows);
    let tables = TABLES.map(|table| format!("\"{table}\": [{}]", rows_of(table)));
    format!("{{ {} }}", tables.join(", "))
}

/// Rows as texts. The relationships of an owned entity are not loaded, so that they say nothing.
pub(crate) fn texts<M: Model + Debug>(entities: Vec<Entity<M>>) -> Vec<String> {
    entities.into_iter().map(|entity| format!("{:?}", *entity)).collect()
}

/// The names of the files in a directory.
pub(crate) fn files(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).expect("the directory can be read");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("the entry can be read").file_name().display().to_string())
        .collect();
    names.sort();
    names
}
