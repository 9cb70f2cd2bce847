//! What a `sqlite:` URL asks for.

use std::str::FromStr;

use sqlx::sqlite::SqliteConnectOptions;

use crate::error::{Error, Result};

/// A parsed URL.
pub(super) struct Target {
    pub(super) options: SqliteConnectOptions,
    /// A database of the engine's own instead of a file.
    pub(super) in_memory: bool,
    pub(super) read_only: bool,
}

/// Parses `sqlite::memory:`, `sqlite://path`, `sqlite:path?mode=ro`.
pub(super) fn parse(url: &str) -> Result<Target> {
    let rest = url.strip_prefix("sqlite:").unwrap_or(url);
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let (path, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let mode = parameters.split('&').find_map(|parameter| parameter.strip_prefix("mode="));
    if path == ":memory:" || mode == Some("memory") {
        return Ok(Target {
            options: SqliteConnectOptions::new(),
            in_memory: true,
            read_only: false,
        });
    }
    if path.is_empty() {
        return Err(Error::misuse(
            "the URL names no database: write `sqlite::memory:` or `sqlite://path/to/file.db`",
        ));
    }
    let options = SqliteConnectOptions::from_str(url)
        .map_err(|error| Error::misuse(format!("the SQLite URL can't be read: {error}")))?;
    // A missing file is made, unless the URL says how the database is to be opened.
    let options = if mode.is_none() { options.create_if_missing(true) } else { options };
    let read_only = mode == Some("ro") || parameters.contains("immutable=");
    Ok(Target { options, in_memory: false, read_only })
}
