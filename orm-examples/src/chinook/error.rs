//! What can go wrong, each in one line.

use std::io;
use std::path::PathBuf;

/// Why the program failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The JSON file can't be read.
    #[error("can't read {}: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The JSON file is not what it should be.
    #[error("{} is not the Chinook data: {reason}", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        reason: String,
    },
    /// The database to be made exists, or something of an earlier one does.
    #[error("{} exists already: remove it or choose another name", .path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The database to be filled has rows.
    #[error("{target} has rows in the tables of Chinook already: name another database")]
    Filled {
        /// The database.
        target: String,
    },
    /// The database can't be made.
    #[error("can't write {}: {reason}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The database can't be opened.
    #[error("can't open {target}: {reason}")]
    Open {
        /// The database.
        target: String,
        /// Why.
        reason: String,
    },
    /// A query failed.
    #[error(transparent)]
    Database(#[from] orm_core::Error),
}
