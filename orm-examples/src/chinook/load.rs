//! Loading the JSON file: one session, one commit.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use orm_core::{Engine, Session, SessionFactory};
use serde::Deserialize;
use tempfile::TempPath;

use super::target::{Place, file_url};
use super::{
    Album, Artist, Customer, Employee, Error, Genre, Invoice, InvoiceLine, MediaType, Playlist,
    PlaylistTrack, Target, Totals, Track, tables,
};

/// What a load is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It reads the file, counted in bytes.
    Reading,
    /// It adds objects to the session.
    Adding,
    /// It writes rows to the database.
    Writing,
}

/// How far a load has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What it is doing.
    pub phase: Phase,
    /// How much of that is done.
    pub done: u64,
    /// How much there is.
    pub total: u64,
}

/// How often the progress of the commit is told.
const TICK: Duration = Duration::from_millis(50);

/// What SQLite appends to a database's name for its journals.
const JOURNALS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Makes a database of the JSON file and gives its totals.
///
/// A file is written in a directory of its own beside the target and moved there when it is
/// complete: the target exists whole or not at all, whenever the program ends. On a server the
/// tables are made where they are missing and must have no rows; they have all of them in the end,
/// or none.
///
/// # Errors
/// If the JSON file can't be read or is not the Chinook data, if the target exists, has rows or
/// can't be written.
pub async fn load(
    source: &Path,
    target: &Target,
    progress: impl FnMut(Progress),
) -> Result<Totals, Error> {
    match &target.place {
        Place::File(path) => make_file(source, target, path, progress).await,
        Place::Server(_) => {
            let engine = target.open().await?;
            let outcome = async {
                if Totals::any_rows(&engine).await {
                    return Err(Error::Filled { target: target.to_string() });
                }
                fill(&engine, source, progress).await
            };
            let outcome = outcome.await;
            engine.close().await;
            outcome
        }
    }
}

async fn make_file(
    source: &Path,
    target: &Target,
    path: &Path,
    progress: impl FnMut(Progress),
) -> Result<Totals, Error> {
    expect_absent(path)?;
    let failed = |reason: String| Error::Write { path: path.to_owned(), reason };

    let parent = directory_of(path);
    let directory = tempfile::Builder::new()
        .prefix(".chinook-")
        .tempdir_in(parent)
        .map_err(|error| failed(reason_of(&error, parent)))?;
    let unfinished = directory.path().join("chinook.db");
    let engine =
        target.connect(&file_url(&unfinished)?).await.map_err(|error| failed(error.to_string()))?;
    let written = fill(&engine, source, progress).await;
    // Closing the last connection removes the journals.
    engine.close().await;
    let totals = written?;

    TempPath::try_from_path(unfinished)
        .map_err(|error| failed(error.to_string()))?
        .persist_noclobber(path)
        .map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => Error::Exists { path: path.to_owned() },
            _ => failed(reason_of(&error.error, parent)),
        })?;
    Ok(totals)
}

/// Fills the tables of a database, which are made where they are missing, from the JSON file: by
/// one session and one commit. Gives the totals.
///
/// # Errors
/// As [`load`].
pub async fn fill(
    engine: &Engine,
    source: &Path,
    mut progress: impl FnMut(Progress),
) -> Result<Totals, Error> {
    let document = read(source, &mut progress)?;
    let mut session = SessionFactory::new(engine.clone()).session();
    add(&mut session, document, &mut progress).map_err(|reason| malformed(source, reason))?;
    engine.create_all(&tables()).await?;
    commit(&mut session, &mut progress).await?;
    Ok(Totals::read(engine).await?)
}

/// The file: its tables by name, its rows as the models themselves.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    genre: Vec<Genre>,
    media_type: Vec<MediaType>,
    artist: Vec<Artist>,
    album: Vec<Album>,
    track: Vec<Track>,
    employee: Vec<Employee>,
    customer: Vec<Customer>,
    invoice: Vec<Invoice>,
    invoice_line: Vec<InvoiceLine>,
    playlist: Vec<Playlist>,
    playlist_track: Vec<PlaylistTrack>,
}

impl Document {
    fn rows(&self) -> usize {
        self.genre.len()
            + self.media_type.len()
            + self.artist.len()
            + self.album.len()
            + self.track.len()
            + self.employee.len()
            + self.customer.len()
            + self.invoice.len()
            + self.invoice_line.len()
            + self.playlist.len()
            + self.playlist_track.len()
    }
}

fn read(source: &Path, progress: &mut impl FnMut(Progress)) -> Result<Document, Error> {
    let text =
        fs::read(source).map_err(|error| Error::Read { path: source.to_owned(), source: error })?;
    let total = text.len() as u64;
    progress(Progress { phase: Phase::Reading, done: 0, total });
    let document =
        serde_json::from_slice(&text).map_err(|error| malformed(source, error.to_string()))?;
    progress(Progress { phase: Phase::Reading, done: total, total });
    Ok(document)
}

/// Adds the rows. Objects are related by the keys that they bring along, and the unit of work
/// finds the order of the tables by itself; only the pairs of playlists and tracks are handed
/// over as what they mean.
fn add(
    session: &mut Session,
    document: Document,
    progress: &mut impl FnMut(Progress),
) -> Result<(), String> {
    let total = document.rows() as u64;
    let mut done = 0;
    let mut added = |rows: usize| {
        done += rows as u64;
        progress(Progress { phase: Phase::Adding, done, total });
    };
    added(session.add_all(document.genre).len());
    added(session.add_all(document.media_type).len());
    added(session.add_all(document.artist).len());
    added(session.add_all(document.album).len());
    added(session.add_all(document.employee).len());
    added(session.add_all(document.customer).len());
    added(session.add_all(document.invoice).len());
    added(session.add_all(document.invoice_line).len());

    let tracks = session.add_all(document.track).into_iter();
    let tracks: HashMap<i64, _> = tracks.map(|track| (session[track].track_id, track)).collect();
    added(tracks.len());
    let playlists = session.add_all(document.playlist).into_iter();
    let playlists: HashMap<i64, _> =
        playlists.map(|playlist| (session[playlist].playlist_id, playlist)).collect();
    added(playlists.len());
    let pairs = document.playlist_track.len();
    for PlaylistTrack { playlist_id, track_id } in document.playlist_track {
        let playlist = *playlists
            .get(&playlist_id)
            .ok_or_else(|| format!("there is no playlist {playlist_id} for track {track_id}"))?;
        let track = *tracks.get(&track_id).ok_or_else(|| {
            format!("playlist {playlist_id} has a track {track_id} that isn't there")
        })?;
        session.push(playlist, Playlist::tracks, track);
    }
    added(pairs);
    Ok(())
}

/// Commits, and tells meanwhile how many of the planned rows are written.
async fn commit(
    session: &mut Session,
    progress: &mut impl FnMut(Progress),
) -> Result<(), orm_core::Error> {
    let total = session.plan()?.steps().iter().map(|step| step.rows as u64).sum();
    let log = session.engine().log();
    let mut done = 0;
    let mut tell = || {
        done += log.take().iter().map(|statement| statement.rows).sum::<u64>();
        progress(Progress { phase: Phase::Writing, done, total });
    };
    tell();
    let mut ticks = tokio::time::interval(TICK);
    let mut commit = pin!(session.commit());
    loop {
        tokio::select! {
            outcome = &mut commit => {
                tell();
                return outcome;
            }
            _ = ticks.tick() => tell(),
        }
    }
}

/// The target must not exist. Neither may journals of an earlier database of that name: SQLite
/// would take them for the new one's.
fn expect_absent(target: &Path) -> Result<(), Error> {
    let journals = JOURNALS.map(|suffix| {
        let mut name = target.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    });
    for path in [target.to_owned()].into_iter().chain(journals) {
        if path.symlink_metadata().is_ok() {
            return Err(Error::Exists { path });
        }
    }
    Ok(())
}

/// The directory that a file is in, or will be.
fn directory_of(file: &Path) -> &Path {
    match file.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// Why a file can't be made there, without the temporary name, which says nothing to the user.
fn reason_of(error: &io::Error, directory: &Path) -> String {
    if directory.is_dir() { error.kind().to_string() } else { "there is no such directory".into() }
}

fn malformed(source: &Path, reason: String) -> Error {
    Error::Malformed { path: source.to_owned(), reason }
}
