//! Chinook: a shop for digital music in eleven tables.
//!
//! [`load()`] reads the whole JSON file into one session and writes it by one commit, [`open`]
//! opens a database that was loaded or the ready-made one, [`Report`] and [`Totals`] read either.

mod error;
mod load;
mod models;
mod report;
mod totals;

pub use error::Error;
pub use load::{Phase, Progress, load};
pub use models::*;
pub use report::{EmployeeLine, PlaylistLine, Report};
pub use totals::Totals;

use std::path::Path;

use orm_core::{Engine, Schema, schema};

/// The eleven tables.
pub fn tables() -> Schema {
    schema![
        Album,
        Artist,
        Customer,
        Employee,
        Genre,
        Invoice,
        InvoiceLine,
        MediaType,
        Playlist,
        PlaylistTrack,
        Track,
    ]
}

/// Opens an existing database; a write-protected one, such as the ready-made file, read-only.
///
/// # Errors
/// [`Error::Open`] if there is no such file, or it can't be opened.
pub async fn open(path: &Path) -> Result<Engine, Error> {
    let failed = |reason: String| Error::Open { path: path.to_owned(), reason };
    let metadata = std::fs::metadata(path).map_err(|error| failed(error.to_string()))?;
    let mode = if metadata.permissions().readonly() { "ro" } else { "rw" };
    let url = format!("{}?mode={mode}", database_url(path)?);
    Engine::connect(url).await.map_err(|error| failed(error.to_string()))
}

/// The URL of a database file. What has a meaning in a URL is escaped.
fn database_url(path: &Path) -> Result<String, Error> {
    let path = path.to_str().ok_or_else(|| Error::Open {
        path: path.to_owned(),
        reason: "a database's path must be valid UTF-8".to_owned(),
    })?;
    let escaped = path.replace('%', "%25").replace('?', "%3F").replace('#', "%23");
    Ok(format!("sqlite://{escaped}"))
}
