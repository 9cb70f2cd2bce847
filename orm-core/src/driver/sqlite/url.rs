//! What a `sqlite:` URL asks for.

use std::path::Path;

use rusqlite::OpenFlags;

use crate::error::{Error, Result};

/// A parsed URL.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A database of the engine's own instead of a file.
    Memory,
    /// A file, by the name that SQLite reads as an URI: <https://www.sqlite.org/uri.html>.
    File { uri: String, read_only: bool },
}

/// What a parameter may be. SQLite itself would pass over what it doesn't know.
const PARAMETERS: [(&str, &[&str]); 4] = [
    ("mode", &["ro", "rw", "rwc", "memory"]),
    ("cache", &["private", "shared"]),
    ("immutable", &["true", "false", "1", "0"]),
    ("vfs", &[]),
];

/// The flags that a connection is opened with; the URI says the rest.
pub(super) fn flags() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI
}

/// The name of the file at this path.
///
/// # Errors
/// [`Error::Misuse`] for a path that is no Unicode.
pub(super) fn of_path(path: &Path) -> Result<String> {
    let path = path.to_str().ok_or_else(|| {
        Error::misuse(format!("the path of the database is no Unicode: {}", path.display()))
    })?;
    let path = path.replace('%', "%25").replace('#', "%23").replace('?', "%3f");
    Ok(format!("file:{path}"))
}

/// Parses `sqlite::memory:`, `sqlite://path`, `sqlite:path?mode=ro`.
///
/// # Errors
/// [`Error::Misuse`] for an URL that names no database, or asks for what there isn't.
pub(super) fn parse(url: &str) -> Result<Target> {
    let rest = url.strip_prefix("sqlite:").unwrap_or(url);
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let (path, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let (mut mode, mut immutable) = (None, false);
    for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
        let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let known = PARAMETERS.iter().find(|(known, _)| *known == key);
        if !known.is_some_and(|(_, values)| values.is_empty() || values.contains(&value)) {
            return Err(Error::misuse(format!(
                "the SQLite URL can't be read: there is no parameter `{key}={value}`"
            )));
        }
        match key {
            "mode" => mode = Some(value),
            "immutable" => immutable = matches!(value, "true" | "1"),
            _ => {}
        }
    }
    if path == ":memory:" || mode == Some("memory") {
        return Ok(Target::Memory);
    }
    if path.is_empty() {
        return Err(Error::misuse(
            "the URL names no database: write `sqlite::memory:` or `sqlite://path/to/file.db`",
        ));
    }
    if path.contains('\0') || path.contains("%00") {
        return Err(Error::misuse("the SQLite URL can't be read: its path contains NUL"));
    }
    // Two slashes at the start would be read as the beginning of a host.
    let slashes = if path.starts_with("//") { "//" } else { "" };
    let path = path.replace('#', "%23");
    let mark = if parameters.is_empty() { "" } else { "?" };
    // A missing file is made, unless the URL says how the database is to be opened.
    Ok(Target::File {
        uri: format!("file:{slashes}{path}{mark}{parameters}"),
        read_only: mode == Some("ro") || immutable,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_what_it_is() {
        for (url, uri) in [
            ("sqlite:a.db", "file:a.db"),
            ("sqlite://dir/a.db", "file:dir/a.db"),
            ("sqlite:///tmp/a%20b%3F.db?mode=rw", "file:/tmp/a%20b%3F.db?mode=rw"),
            ("sqlite:c#.db", "file:c%23.db"),
        ] {
            let target = Target::File { uri: uri.to_owned(), read_only: false };
            assert_eq!(parse(url).unwrap(), target);
        }
        for url in ["sqlite:a.db?mode=ro", "sqlite:a.db?immutable=1"] {
            assert!(matches!(parse(url), Ok(Target::File { read_only: true, .. })));
        }
        for url in ["sqlite::memory:", "sqlite://:memory:", "sqlite:a?mode=memory&cache=shared"] {
            assert_eq!(parse(url).unwrap(), Target::Memory);
        }
    }

    #[test]
    fn what_there_is_not_is_refused() {
        for url in ["sqlite:", "sqlite:a.db?mod=ro", "sqlite:a.db?mode=r", "sqlite:a%00.db"] {
            assert!(matches!(parse(url), Err(Error::Misuse(_))), "{url}");
        }
    }
}
