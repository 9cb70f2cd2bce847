//! Where the data is, and databases made of it.

use std::path::{Path, PathBuf};

use orm_core::Engine;
use orm_examples::chinook::{self, Error, Totals};
use tempfile::TempDir;

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

/// The ready-made database, read-only whatever its permissions: a copy that is write-protected.
pub(crate) async fn ready_made(data: &Path, scratch: &Path) -> Result<Engine, Error> {
    let copy = scratch.join("ready-made.sqlite");
    std::fs::copy(data.join("Chinook_Sqlite.sqlite"), &copy).expect("the database can be copied");
    let mut permissions = copy.metadata().expect("the copy is there").permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&copy, permissions).expect("the copy is ours");
    chinook::open(&copy).await
}

/// The JSON file, loaded and opened.
pub(crate) async fn loaded(data: &Path, scratch: &Path) -> Result<(Engine, Totals), Error> {
    let target = scratch.join("chinook.db");
    let totals = chinook::load(&data.join("ChinookData.json"), &target, |_| {}).await?;
    Ok((chinook::open(&target).await?, totals))
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
