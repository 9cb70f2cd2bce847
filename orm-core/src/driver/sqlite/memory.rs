//! `sqlite::memory:` as a temporary file.
//!
//! All sessions of an engine share its memory database, and none may block another longer than
//! with a file. SQLite's own memory databases can't do that: with the `memdb` VFS a reader gets
//! `SQLITE_BUSY` for as long as another connection is in a write transaction, and with a shared
//! cache it gets `SQLITE_LOCKED`, or reads uncommitted rows. Only write-ahead logging has readers
//! that see the last commit meanwhile, and it needs files. They are never synchronised to the
//! disk, so that they live in the system's page cache, and go with the engine.
//!
//! A process that is killed leaves its files. Each directory therefore has a lock file, whose
//! lock ends with the process, and the first engine of a later process clears away what is
//! unlocked.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::{Error, Result};

/// How the names of our directories begin, in the system's directory for temporary files.
const PREFIX: &str = "orm-memory-";

/// What the name of a directory's lock file ends with.
const LOCK: &str = ".lock";

/// A directory for one database, removed when it is dropped.
pub(super) struct TemporaryDatabase {
    directory: PathBuf,
    database: PathBuf,
    lock_path: PathBuf,
    /// Locked, as long as it is open.
    _lock: File,
}

impl TemporaryDatabase {
    /// A directory that nobody else uses, readable by this user alone.
    pub(super) fn new() -> Result<Self> {
        static SWEPT: Once = Once::new();
        let parent = std::env::temp_dir();
        SWEPT.call_once(|| sweep(&parent));
        Self::within(&parent).map_err(|error| {
            Error::Connection(format!(
                "a memory database needs the directory for temporary files, {}: {error}",
                parent.display()
            ))
        })
    }

    /// Its file. It doesn't exist yet.
    pub(super) fn path(&self) -> &Path {
        &self.database
    }

    fn within(parent: &Path) -> io::Result<Self> {
        let name = unique_name();
        let lock_path = parent.join(format!("{name}{LOCK}"));
        let lock = private(OpenOptions::new().write(true).create_new(true)).open(&lock_path)?;
        lock.lock()?;
        let directory = parent.join(name);
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&directory)?;
        let database = directory.join("memory.db");
        Ok(Self { directory, database, lock_path, _lock: lock })
    }
}

impl Drop for TemporaryDatabase {
    fn drop(&mut self) {
        // What can't be removed now is swept away later.
        if fs::remove_dir_all(&self.directory).is_ok() {
            let _ = fs::remove_file(&self.lock_path);
        }
    }
}

/// A name that no other process has, and no other engine of this one.
fn unique_name() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_nanos());
    format!("{PREFIX}{}-{now:x}-{count}", std::process::id())
}

/// Removes the directories of processes that are gone.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else { continue };
        let Some(directory) = name.strip_suffix(LOCK) else { continue };
        let Ok(lock) = private(OpenOptions::new().write(true)).open(entry.path()) else { continue };
        let directory = parent.join(directory);
        if lock.try_lock().is_ok()
            && (fs::remove_dir_all(&directory).is_ok() || !directory.exists())
        {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Readable by this user alone.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unlocked_is_swept() {
        let parent = std::env::temp_dir().join(unique_name().replace(PREFIX, "orm-sweep-"));
        fs::create_dir(&parent).unwrap();
        let live = TemporaryDatabase::within(&parent).unwrap();
        fs::create_dir(parent.join("orm-memory-dead")).unwrap();
        fs::write(parent.join("orm-memory-dead/memory.db"), "").unwrap();
        fs::write(parent.join("orm-memory-dead.lock"), "").unwrap();
        sweep(&parent);
        assert!(live.directory.exists());
        assert!(!parent.join("orm-memory-dead").exists());
        assert!(!parent.join("orm-memory-dead.lock").exists());
        drop(live);
        fs::remove_dir(&parent).expect("nothing is left");
    }
}
