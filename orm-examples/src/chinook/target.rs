//! Where the data is, or goes.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};

use orm_core::Engine;
use orm_core::engine::Naming;
use sqlx::sqlite::SqliteConnectOptions;

use super::Error;

/// A database: an SQLite file, or one on a server, with the spelling of its names.
#[derive(Clone)]
pub struct Target {
    pub(super) place: Place,
    naming: Naming,
}

/// What a target names.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// An SQLite file.
    File(PathBuf),
    /// A database on a server, which must exist.
    Server(String),
}

impl Target {
    /// An SQLite file.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self { place: Place::File(path.into()), naming: Naming::default() }
    }

    /// A target as a command line names it: a URL (`postgres://…`, `mysql://…`, `sqlite:…`), or the
    /// path of an SQLite file.
    ///
    /// # Errors
    /// [`Error::Open`] if it is an `sqlite:` URL that names more or less than a file.
    pub fn parse(text: &OsStr) -> Result<Self, Error> {
        let place = match text.to_str() {
            Some(url) if url.starts_with("sqlite:") => Place::File(file_of(url)?),
            Some(url) if url.contains("://") => Place::Server(url.to_owned()),
            _ => Place::File(text.into()),
        };
        Ok(Self { place, naming: Naming::default() })
    }

    /// Sets how names are spelled there: the ready-made PostgreSQL form has them in snake_case.
    #[must_use]
    pub fn naming(mut self, naming: Naming) -> Self {
        self.naming = naming;
        self
    }

    /// Opens an existing database; a write-protected file, such as the ready-made one, read-only.
    ///
    /// # Errors
    /// [`Error::Open`] if there is no such file, or the database can't be opened.
    pub async fn open(&self) -> Result<Engine, Error> {
        let url = match &self.place {
            Place::File(path) => {
                let metadata = std::fs::metadata(path).map_err(|error| self.unopened(error))?;
                let mode = if metadata.permissions().readonly() { "ro" } else { "rw" };
                format!("{}?mode={mode}", file_url(path)?)
            }
            Place::Server(url) => url.clone(),
        };
        self.connect(&url).await.map_err(|error| self.unopened(error))
    }

    /// Connects to a database of the target's naming.
    pub(super) async fn connect(&self, url: &str) -> orm_core::Result<Engine> {
        Engine::builder(url).naming(self.naming).connect().await
    }

    fn unopened(&self, reason: impl fmt::Display) -> Error {
        Error::Open { target: self.to_string(), reason: reason.to_string() }
    }
}

/// What a message may show of it: not who logs in, and how.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = match &self.place {
            Place::File(path) => return path.display().fmt(f),
            Place::Server(url) => url,
        };
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        let address = rest.rsplit_once('@').map_or(rest, |(_, address)| address);
        let (address, _) = address.split_once('?').unwrap_or((address, ""));
        write!(f, "{scheme}://{address}")
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({self}, {:?})", self.naming)
    }
}

/// The file that an `sqlite:` URL names. Such a file is opened and made as one named by its path,
/// so that the URL has nothing else to say.
fn file_of(url: &str) -> Result<PathBuf, Error> {
    let refused = |reason: &str| Error::Open { target: url.to_owned(), reason: reason.to_owned() };
    if url.ends_with(":memory:") {
        return Err(refused("a database in memory is gone with the program"));
    }
    if url.contains('?') {
        return Err(refused("the URL of a file has no parameters here"));
    }
    let options: SqliteConnectOptions = url.parse().map_err(|_| refused("it names no file"))?;
    let path = options.get_filename();
    if path == Path::new("") {
        return Err(refused("it names no file"));
    }
    Ok(path.to_owned())
}

/// The URL of a database file. What has a meaning in a URL is escaped.
pub(super) fn file_url(path: &Path) -> Result<String, Error> {
    let path = path.to_str().ok_or_else(|| Error::Open {
        target: path.display().to_string(),
        reason: "a database's path must be valid UTF-8".to_owned(),
    })?;
    let escaped = path.replace('%', "%25").replace('?', "%3F").replace('#', "%23");
    Ok(format!("sqlite://{escaped}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Place {
        Target::parse(text.as_ref()).unwrap_or_else(|error| panic!("{text}: {error}")).place
    }

    #[test]
    fn a_url_of_a_server_is_one() {
        for url in ["postgres://h/d", "postgresql://u:p@h:1/d?a=b", "mysql://h/d", "mariadb://h/d"]
        {
            assert!(parsed(url) == Place::Server(url.to_owned()), "{url}");
        }
    }

    #[test]
    fn anything_else_is_a_file() {
        for (text, path) in [
            ("chinook.db", "chinook.db"),
            ("/tmp/a b?mode=ro&100%25#é.db", "/tmp/a b?mode=ro&100%25#é.db"),
            ("postgres", "postgres"),
            ("sqlite:chinook.db", "chinook.db"),
            ("sqlite://dir/chinook.db", "dir/chinook.db"),
            ("sqlite:///tmp/a%20b%3F.db", "/tmp/a b?.db"),
        ] {
            assert!(parsed(text) == Place::File(path.into()), "{text}");
        }
    }

    #[test]
    fn sqlite_urls_that_name_no_file_are_refused() {
        for (url, reason) in [
            ("sqlite::memory:", "in memory"),
            ("sqlite://:memory:", "in memory"),
            ("sqlite:chinook.db?mode=ro", "no parameters"),
            ("sqlite:", "no file"),
        ] {
            let error = Target::parse(url.as_ref()).expect_err(url).to_string();
            assert!(error.contains(url) && error.contains(reason), "{error}");
        }
    }

    #[test]
    fn the_url_of_a_file_leads_back_to_it() {
        let path = "a b?mode=ro&100%25#é.db";
        let url = file_url(Path::new(path)).expect("it is UTF-8");
        assert!(parsed(&url) == Place::File(path.into()), "{url}");
    }

    #[test]
    fn messages_show_no_password() {
        for (url, shown) in [
            ("postgres://u:p@h:1/d?password=p", "postgres://h:1/d"),
            ("postgres://u:p?p@h/d", "postgres://h/d"),
            ("mysql://h/d", "mysql://h/d"),
        ] {
            let target = Target::parse(url.as_ref()).expect(url);
            assert_eq!(target.to_string(), shown);
            assert_eq!(format!("{target:?}"), format!("Target({shown}, AsDeclared)"));
        }
    }
}
