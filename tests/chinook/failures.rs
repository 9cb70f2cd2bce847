//! What goes wrong is one clear line, and leaves nothing behind.

use std::path::Path;

use orm_examples::chinook::{self, Error};

use super::data;

/// Loads a text that can't be loaded. Gives the message, and checks that nothing is left.
async fn refused(text: &str) -> String {
    let (input, output) = (data::scratch(), data::scratch());
    let source = input.path().join("data.json");
    std::fs::write(&source, text).expect("the file can be written");
    let outcome = chinook::load(&source, &output.path().join("chinook.db"), |_| {}).await;
    assert_eq!(data::files(output.path()), [""; 0]);
    one_line(outcome.expect_err("the text is wrong"))
}

fn one_line(error: Error) -> String {
    let message = error.to_string();
    assert!(!message.contains('\n'), "{message}");
    message
}

/// The whole data, with some of its rows.
fn document(rows: &[(&str, &str)]) -> String {
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

#[tokio::test]
async fn a_missing_file() {
    let output = data::scratch();
    let outcome =
        chinook::load(Path::new("no/such.json"), &output.path().join("chinook.db"), |_| {}).await;
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
async fn rows_that_the_database_refuses() {
    let orphan = document(&[("Album", r#"{ "AlbumId": 1, "Title": "Lost", "ArtistId": 7 }"#)]);
    let message = refused(&orphan).await;
    assert!(message.contains("`Album`") && message.contains("doesn't exist"), "{message}");
    let long = "x".repeat(121);
    let genre = format!(r#"{{ "GenreId": 1, "Name": "{long}" }}"#);
    let message = refused(&document(&[("Genre", &genre)])).await;
    assert!(message.contains("refused by a check") && !message.contains(&long), "{message}");
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
async fn an_existing_target_stays_as_it_is() {
    let scratch = data::scratch();
    let (source, target) = (scratch.path().join("data.json"), scratch.path().join("chinook.db"));
    std::fs::write(&source, document(&[])).expect("the file can be written");
    std::fs::write(&target, "precious").expect("the file can be written");
    let outcome = chinook::load(&source, &target, |_| {}).await;
    let message = one_line(outcome.expect_err("the target exists"));
    assert!(message.ends_with("chinook.db exists already: remove it or choose another name"));
    assert_eq!(std::fs::read(&target).expect("it is there"), b"precious");
    assert_eq!(data::files(scratch.path()), ["chinook.db", "data.json"]);
}

/// SQLite would play an old journal back into the new database.
#[tokio::test]
async fn a_journal_without_its_database_is_no_free_target() {
    let scratch = data::scratch();
    let (source, target) = (scratch.path().join("data.json"), scratch.path().join("chinook.db"));
    std::fs::write(&source, document(&[])).expect("the file can be written");
    std::fs::write(scratch.path().join("chinook.db-wal"), "").expect("the file can be written");
    let outcome = chinook::load(&source, &target, |_| {}).await;
    let message = one_line(outcome.expect_err("there is a journal"));
    assert!(message.contains("chinook.db-wal exists already"), "{message}");
}

#[tokio::test]
async fn an_unwritable_target() {
    let scratch = data::scratch();
    let source = scratch.path().join("data.json");
    std::fs::write(&source, document(&[])).expect("the file can be written");
    let outcome = chinook::load(&source, &scratch.path().join("no/chinook.db"), |_| {}).await;
    let message = one_line(outcome.expect_err("there is no such directory"));
    assert!(message.ends_with("no/chinook.db: there is no such directory"), "{message}");
    // A file is no directory.
    let outcome = chinook::load(&source, &source.join("chinook.db"), |_| {}).await;
    let message = one_line(outcome.expect_err("a file is no directory"));
    assert!(message.starts_with("can't write "), "{message}");
}

#[tokio::test]
async fn a_name_full_of_special_characters_is_a_name() -> Result<(), Error> {
    let scratch = data::scratch();
    let source = scratch.path().join("data.json");
    let target = scratch.path().join("a b?mode=ro&100%25#é.db");
    std::fs::write(&source, document(&[])).expect("the file can be written");
    let totals = chinook::load(&source, &target, |_| {}).await?;
    assert_eq!(totals.all_rows(), 0);
    let engine = chinook::open(&target).await?;
    assert_eq!(chinook::Totals::read(&engine).await?, totals);
    engine.close().await;
    assert_eq!(data::files(scratch.path()), ["a b?mode=ro&100%25#é.db", "data.json"]);
    Ok(())
}

#[tokio::test]
async fn opening_makes_no_database() {
    let scratch = data::scratch();
    let outcome = chinook::open(&scratch.path().join("chinook.db")).await;
    let message = one_line(outcome.expect_err("there is no database"));
    assert!(message.starts_with("can't open "), "{message}");
    assert_eq!(data::files(scratch.path()), [""; 0]);
    let text = scratch.path().join("text.db");
    std::fs::write(&text, "this is no database, but it is long enough".repeat(40))
        .expect("the file can be written");
    let outcome = chinook::open(&text).await;
    one_line(outcome.expect_err("it is a text"));
}
