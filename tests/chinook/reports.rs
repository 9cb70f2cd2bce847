//! The report says the same of both databases.

use orm_examples::chinook::{Error, Report};

use super::data;

#[tokio::test]
async fn both_databases_give_the_same_report() -> Result<(), Error> {
    let Some(directory) = data::directory() else { return Ok(()) };
    let scratch = data::scratch();
    let (loaded, _) = data::loaded(&directory, scratch.path()).await?;
    let ready_made = data::ready_made(&directory, scratch.path()).await?;
    let report = Report::read(&loaded).await?;
    assert_eq!(report, Report::read(&ready_made).await?);

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
    Ok(())
}
