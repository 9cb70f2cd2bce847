//! The report says the same of all databases.

use orm_core::{Engine, Result};
use orm_examples::chinook::Report;
use orm_tests::backend_tests;

use super::data::{self, ReadyMade};

/// Compares the report on a database with that on the ready-made SQLite file.
pub(crate) async fn expect_equal(database: &Engine, original: &Engine) -> Result<()> {
    let report = Report::read(database).await?;
    expect_what_is_known(&report);
    assert_eq!(report, Report::read(original).await?);
    Ok(())
}

backend_tests! {
    /// What is loaded is reported on where it is loaded.
    async fn the_ready_made_form_gives_the_same_report(db) {
        let Some(directory) = data::directory() else { return Ok(()) };
        let scratch = data::scratch();
        let original = data::original(&directory, scratch.path()).await;
        let ready_made = ReadyMade::new(&db, &directory, scratch.path()).await;
        expect_equal(&ready_made.engine, &original).await?;
    }
}

fn expect_what_is_known(report: &Report) {
    let artists: Vec<_> =
        report.artists.iter().map(|(name, sold)| (name.as_str(), *sold)).collect();
    assert_eq!(artists.len(), 10);
    assert_eq!(artists[..3], [("Iron Maiden", 140), ("U2", 107), ("Metallica", 91)]);

    let first = &report.playlists[0];
    assert_eq!((first.name.as_str(), first.tracks), ("Music", 3290));
    let lengths: Vec<i64> = report.playlists.iter().map(|line| line.milliseconds).collect();
    assert!(lengths.is_sorted_by(|a, b| a >= b), "{lengths:?}");

    let tree = report.to_string();
    let (_, tree) = tree.split_once("Employees\n").expect("the tree comes last");
    assert_eq!(
        tree,
        "  \
  Andrew Adams, General Manager
      Nancy Edwards, Sales Manager
          Jane Peacock, Sales Support Agent
          Margaret Park, Sales Support Agent
          Steve Johnson, Sales Support Agent
      Michael Mitchell, IT Manager
          Robert King, IT Staff
          Laura Callahan, IT Staff
"
    );
}
