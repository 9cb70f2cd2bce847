//! Chinook: a shop for digital music in eleven tables.
//!
//! A [`Target`] names a database: an SQLite file, or one on a PostgreSQL, MySQL or MariaDB server.
//! [`load()`] reads the whole JSON file into one session and writes it to the target by one commit.
//! [`Report`] and [`Totals`] read what was loaded, or a ready-made form of the data.

mod error;
mod load;
mod models;
mod report;
mod target;
mod totals;

pub use error::Error;
pub use load::{Phase, Progress, fill, load};
pub use models::*;
pub use report::{EmployeeLine, PlaylistLine, Report};
pub use target::Target;
pub use totals::Totals;

use orm_core::{Schema, schema};

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
