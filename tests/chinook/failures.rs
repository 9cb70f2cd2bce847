//! What goes wrong is one clear line, and leaves nothing behind.

use std::path::{Path, PathBuf};

use orm_core::engine::Naming;
use orm_examples::chinook::{self, Error, Report, Target, Totals};
use orm_tests::{Database, backend_tests};
use tempfile::TempDir;

use super::data::{self, document};

/// A JSON file of the test's own, and a place for a database made of it.
struct Files {
    input: TempDir,
    output: TempDir,
}

impl Files {
    fn new(text: &str) -> Self {
        let files = Self { input: data::scratch(), output: data::scratch() };
        std::fs::write(files.source(), text).expect("the file can be written");
        files
    }

    fn source(&self) -> PathBuf {
        self.input.path().join("data.json")
    }

    fn target(&self) -> Target {
        Target::file(self.output.path().join("chinook.db"))
    }

    async fn load(&self) -> Result<Totals, Error> {
        chinook::load(&self.source(), &self.target(), |_| {}).await
    }

    /// Nothing was made.
    fn expect_none(&self) {
        assert_eq!(data::files(self.output.path()), [""; 0]);
    }
}

/// Loads a text that can't be loaded into a file. Gives the message, and checks that nothing is
/// left.
async fn refused(text: &str) -> String {
    let files = Files::new(text);
    let outcome = files.load().await;
    files.expect_none();
    one_line(outcome.expect_err("the text is wrong"))
}

/// The same in a test's database.
async fn refused_by(db: &Database, naming: Naming, text: &str) -> String {
    let files = Files::new(text);
    let target = data::target(db, files.output.path()).naming(naming);
    let outcome = chinook::load(&files.source(), &target, |_| {}).await;
    let message = one_line(outcome.expect_err("the text is wrong"));
    files.expect_none();
    // Nothing stands in the way of the next one.
    std::fs::write(files.source(), document(&[])).expect("the file can be written");
    let totals = chinook::load(&files.source(), &target, |_| {}).await;
    assert_eq!(totals.expect("the target is free").all_rows(), 0);
    message
}

fn one_line(error: Error) -> String {
    let message = error.to_string();
    assert!(!message.contains('\n'), "{message}");
    message
}

const GENRE: (&str, &str) = ("Genre", r#"{ "GenreId": 1, "Name": "Rock" }"#);
const LOST_ALBUM: (&str, &str) = ("Album", r#"{ "AlbumId": 1, "Title": "Lost", "ArtistId": 7 }"#);

backend_tests! {
    async fn rows_that_the_database_refuses(db) {
        for naming in [Naming::AsDeclared, Naming::SnakeCase] {
            let db = db.with_engine(|engine| engine).await?;
            let message = refused_by(&db, naming, &document(&[GENRE, LOST_ALBUM])).await;
            assert!(message.contains("`Album`") && message.contains("doesn't exist"), "{message}");
            let twice = format!("{0}, {0}", GENRE.1);
            let message = refused_by(&db, naming, &document(&[("Genre", &twice)])).await;
            assert!(message.contains("`Genre`") && message.contains("exists already"), "{message}");
        }
    }

    async fn a_text_that_is_too_long(db) {
        let long = "x".repeat(121);
        let genre = format!(r#"{{ "GenreId": 1, "Name": "{long}" }}"#);
        let message = refused_by(&db, Naming::AsDeclared, &document(&[("Genre", &genre)])).await;
        assert!(message.contains("`Genre.Name`") && message.contains("121"), "{message}");
        assert!(!message.contains(&long), "{message}");
    }

    async fn a_database_with_rows_stays_as_it_is(db) {
        let files = Files::new(&document(&[GENRE]));
        let target = data::target(&db, files.output.path());
        let load = async || chinook::load(&files.source(), &target, |_| {}).await;
        let totals = load().await.expect("the target is free");
        assert_eq!(totals.all_rows(), 1);
        let message = one_line(load().await.expect_err("there are rows"));
        assert!(message.contains(&target.to_string()) && message.contains(" already: "), "{message}");
        let engine = target.open().await.expect("it is there");
        assert_eq!(Totals::read(&engine).await?, totals);
        engine.close().await;
    }

    async fn a_report_on_a_database_of_something_else(db) {
        let outcome = Report::read(&db.engine).await;
        one_line(outcome.expect_err("there are no such tables").into());
    }

    /// The names that the program writes are those that it reads.
    async fn names_in_snake_case(db) {
        let files = Files::new(&document(&[
            ("Employee", r#"{ "EmployeeId": 1, "FirstName": "Ada", "LastName": "Lovelace",
                "Title": "Programmer", "ReportsTo": null, "BirthDate": "1815-12-10T00:00:00",
                "HireDate": null, "Address": null, "City": null, "State": null, "Country": null,
                "PostalCode": null, "Phone": null, "Fax": null, "Email": null }"#),
            GENRE,
        ]));
        let target = data::target(&db, files.output.path());
        let snake = target.clone().naming(Naming::SnakeCase);
        let totals = chinook::load(&files.source(), &snake, |_| {}).await;
        let totals = totals.expect("the target is free");
        let engine = snake.open().await.expect("it is there");
        assert_eq!(Totals::read(&engine).await?, totals);
        let report = Report::read(&engine).await?;
        assert_eq!(report.employees[0].name, "Ada Lovelace");
        engine.close().await;
        let engine = target.open().await.expect("it is there");
        let outcome = Report::read(&engine).await;
        one_line(outcome.expect_err("there are no such names").into());
        engine.close().await;
    }
}

#[tokio::test]
async fn a_missing_file() {
    let output = data::scratch();
    let target = Target::file(output.path().join("chinook.db"));
    let outcome = chinook::load(Path::new("no/such.json"), &target, |_| {}).await;
    let message = one_line(outcome.expect_err("the file is missing"));
    assert!(message.starts_with("can't read no/such.json: "), "{message}");
    assert_eq!(data::files(output.path()), [""; 0]);
}

#[tokio::test]
async fn malformed_json() {
    let cut_off = refused("{ \"Genre\": [").await;
    assert!(cut_off.contains("data.json is not the Chinook data: EOF"), "{cut_off}");
    assert!(cut_off.contains("line 1 column"), "{cut_off}");
    let table_missing = refused("{ \"Genre\": [] }").await;
    assert!(table_missing.contains("missing field"), "{table_missing}");
    let genre = ("Genre", r#"{ "GenreId": "one", "Name": "Rock" }"#);
    let another_type = refused(&document(&[genre])).await;
    assert!(another_type.contains("invalid type: string \"one\", expected i64"), "{another_type}");
}

#[tokio::test]
async fn a_pair_of_nothing() {
    let pair = ("PlaylistTrack", r#"{ "PlaylistId": 1, "TrackId": 2 }"#);
    let message = refused(&document(&[pair])).await;
    assert!(message.ends_with("there is no playlist 1 for track 2"), "{message}");
    let playlist = ("Playlist", r#"{ "PlaylistId": 1, "Name": "Music" }"#);
    let message = refused(&document(&[playlist, pair])).await;
    assert!(message.ends_with("playlist 1 has a track 2 that isn't there"), "{message}");
}

#[tokio::test]
async fn an_existing_file_stays_as_it_is() {
    let files = Files::new(&document(&[]));
    let target = files.output.path().join("chinook.db");
    std::fs::write(&target, "precious").expect("the file can be written");
    let message = one_line(files.load().await.expect_err("the target exists"));
    assert!(message.ends_with("chinook.db exists already: remove it or choose another name"));
    assert_eq!(std::fs::read(&target).expect("it is there"), b"precious");
    assert_eq!(data::files(files.output.path()), ["chinook.db"]);
}

/// SQLite would play an old journal back into the new database.
#[tokio::test]
async fn a_journal_without_its_database_is_no_free_target() {
    let files = Files::new(&document(&[]));
    let journal = files.output.path().join("chinook.db-wal");
    std::fs::write(journal, "").expect("the file can be written");
    let message = one_line(files.load().await.expect_err("there is a journal"));
    assert!(message.contains("chinook.db-wal exists already"), "{message}");
}

#[tokio::test]
async fn an_unwritable_target() {
    let files = Files::new(&document(&[]));
    let target = Target::file(files.output.path().join("no/chinook.db"));
    let outcome = chinook::load(&files.source(), &target, |_| {}).await;
    let message = one_line(outcome.expect_err("there is no such directory"));
    assert!(message.ends_with("no/chinook.db: there is no such directory"), "{message}");
    // A file is no directory.
    let target = Target::file(files.source().join("chinook.db"));
    let outcome = chinook::load(&files.source(), &target, |_| {}).await;
    let message = one_line(outcome.expect_err("a file is no directory"));
    assert!(message.starts_with("can't write "), "{message}");
}

#[tokio::test]
async fn a_name_full_of_special_characters_is_a_name() {
    let files = Files::new(&document(&[]));
    let name = "a b?mode=ro&100%25#é.db";
    let target = Target::file(files.output.path().join(name));
    let totals = chinook::load(&files.source(), &target, |_| {}).await.expect("it is a name");
    assert_eq!(totals.all_rows(), 0);
    let engine = target.open().await.expect("it is there");
    assert_eq!(Totals::read(&engine).await.expect("it has the tables"), totals);
    engine.close().await;
    assert_eq!(data::files(files.output.path()), [name]);
}

#[tokio::test]
async fn opening_makes_no_database() {
    let scratch = data::scratch();
    let outcome = Target::file(scratch.path().join("chinook.db")).open().await;
    let message = one_line(outcome.expect_err("there is no database"));
    assert!(message.starts_with("can't open "), "{message}");
    assert_eq!(data::files(scratch.path()), [""; 0]);
    let text = scratch.path().join("text.db");
    std::fs::write(&text, "this is no database, but it is long enough".repeat(40))
        .expect("the file can be written");
    let outcome = Target::file(text).open().await;
    one_line(outcome.expect_err("it is a text"));
}

/// Nobody listens at the port 1.
#[tokio::test]
async fn a_server_that_is_not_there() {
    let files = Files::new(&document(&[]));
    for scheme in ["postgres", "mysql"] {
        let url = format!("{scheme}://user:secret@127.0.0.1:1/shop?a=b");
        let target = Target::parse(url.as_ref()).expect("it is a URL");
        let outcome = chinook::load(&files.source(), &target, |_| {}).await;
        let message = one_line(outcome.expect_err("there is no server"));
        let start = format!("can't open {scheme}://127.0.0.1:1/shop: no connection");
        assert!(message.starts_with(&start), "{message}");
        assert!(!message.contains("secret"), "{message}");
    }
    let target = Target::parse("mssql://host/shop".as_ref()).expect("it is a URL");
    let message = one_line(target.open().await.expect_err("there is no such driver"));
    assert!(message.contains("`mssql`") && message.contains("`postgres:`"), "{message}");
}
