//! The connections of an engine: how many there are, where they wait, and who may write.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;

use super::connection::{Lease, NativeConnection};
use super::database::Database;
use super::errors::{from_rusqlite, is_busy};
use super::ground::Refusals;
use super::memory::TemporaryDatabase;
use super::url::{self, Target};
#[cfg(not(feature = "sqlx-sqlite"))]
use crate::driver::joined::of_another_database;
use crate::driver::joined::{HandedIn, without_transaction};
use crate::driver::target::Opened;
use crate::driver::{Driver, DriverConnection, Options};
use crate::error::{Error, Result};
use crate::sql::dialect::sqlite::named;

/// Opens the database and one connection to it, so that a wrong URL is an error here.
pub(in crate::driver) async fn open(url: &str, options: &Options) -> Result<Opened> {
    let target = url::parse(url)?;
    let is_writable = !matches!(target, Target::File { read_only: true, .. });
    let pool = Pool(Arc::new(Shared::new(target, options)?));
    if is_writable {
        let shared = Arc::clone(&pool.0);
        on_blocking_pool(move || shared.switch_to_wal()).await?;
    }
    pool.acquire().await?.release();
    Ok(Opened::new(pool, named(options.naming)))
}

/// Every connection of the pool stayed in use.
pub(super) fn timed_out() -> Error {
    Error::Timeout("every connection of the pool stayed in use".to_owned())
}

/// A pool of connections to one database.
pub(super) struct Pool(Arc<Shared>);

/// What the pool and its connections share.
pub(super) struct Shared {
    /// Connections that wait for their next use, last in, first out.
    parked: Mutex<Vec<Database>>,
    /// One for each connection that there may be.
    places: Arc<Semaphore>,
    acquire_timeout: Duration,
    /// How long a statement waits for a lock.
    pub(super) busy_timeout: Duration,
    /// Whose turn it is to write. SQLite has one writer at a time, and lets whoever asks in the
    /// right moment be the next; here they come in the order in which they asked.
    pub(super) turns: Arc<tokio::sync::Mutex<()>>,
    pub(super) refusals: Refusals,
    /// What is opened.
    uri: String,
    synchronous: &'static str,
    /// Kept until the last connection is gone.
    _files: Option<TemporaryDatabase>,
}

impl Shared {
    fn new(target: Target, options: &Options) -> Result<Self> {
        let (uri, synchronous, files) = match target {
            Target::File { uri, .. } => (uri, "NORMAL", None),
            Target::Memory => {
                let files = TemporaryDatabase::new()?;
                // Nothing of it survives the process: there is no crash to be safe from.
                (url::of_path(files.path())?, "OFF", Some(files))
            }
        };
        Ok(Self {
            parked: Mutex::default(),
            places: Arc::new(Semaphore::new(options.max_connections as usize)),
            acquire_timeout: options.acquire_timeout,
            busy_timeout: options.busy_timeout,
            turns: Arc::default(),
            refusals: Refusals::default(),
            uri,
            synchronous,
            _files: files,
        })
    }

    fn parked(&self) -> MutexGuard<'_, Vec<Database>> {
        self.parked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connect(&self) -> Result<Database> {
        let connection = Connection::open_with_flags(&self.uri, url::flags());
        let database = connection.and_then(|open| Database::new(open, self.synchronous));
        database.map_err(from_rusqlite)
    }

    /// Write-ahead logging lets readers go on while others write. It is a lasting property of the
    /// file, and the switch can't wait for its lock: it is made once, before anything else.
    fn switch_to_wal(&self) -> Result<()> {
        let database = self.connect()?;
        match database.connection.execute_batch("PRAGMA journal_mode = WAL") {
            // Somebody else uses the database: they have made the switch, or will be asked again.
            Err(error) if !is_busy(&error) => Err(from_rusqlite(error)),
            _ => {
                self.parked().push(database);
                Ok(())
            }
        }
    }

    async fn lease(self: &Arc<Self>) -> Result<Lease> {
        let place = self.place().await?;
        let parked = self.parked().pop();
        let pool = Arc::clone(self);
        let database = match parked {
            Some(database) => database,
            None => {
                let pool = Arc::clone(self);
                on_blocking_pool(move || pool.connect()).await?
            }
        };
        Ok(Lease { database, turn: None, place: Some(place), pool })
    }

    async fn place(&self) -> Result<OwnedSemaphorePermit> {
        // Mostly there is one, and no timer is needed.
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Ok(place);
        }
        let place = Arc::clone(&self.places).acquire_owned();
        let place = tokio::time::timeout(self.acquire_timeout, place).await;
        let place = place.map_err(|_| timed_out())?;
        place.map_err(|_| Error::Connection("the engine is closed".to_owned()))
    }

    /// Lets a connection that nobody uses any more wait for its next use.
    pub(super) fn take_back(lease: Lease) {
        let Lease { database, turn, place, pool } = lease;
        let is_idle = database.connection.is_autocommit();
        if place.is_some() && is_idle && !pool.places.is_closed() {
            pool.parked().push(database);
        } else {
            drop(database);
        }
        drop((turn, place));
    }
}

/// Runs what opens or closes files.
async fn on_blocking_pool<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let ended = spawn_blocking(work).await;
    ended.unwrap_or_else(|_| Err(Error::Connection("the runtime has ended".to_owned())))
}

impl Driver for Pool {
    fn acquire(&self) -> BoxFuture<'_, Result<Box<dyn DriverConnection>>> {
        Box::pin(async move {
            let connection = NativeConnection::new(self.0.lease().await?);
            let connection: Box<dyn DriverConnection> = Box::new(connection);
            Ok(connection)
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.0.places.close();
            let parked = std::mem::take(&mut *self.0.parked());
            let closed = on_blocking_pool(move || {
                drop(parked);
                Ok(())
            });
            // A connection that can't be closed in order is gone all the same.
            let _ = closed.await;
        })
    }

    fn join(&self, connection: HandedIn) -> BoxFuture<'_, Result<Box<dyn DriverConnection>>> {
        Box::pin(async move {
            let connection = match connection.0.downcast::<Connection>() {
                Ok(connection) => connection,
                Err(other) => return join_other(HandedIn(other)).await,
            };
            if connection.is_autocommit() {
                return Err(without_transaction());
            }
            let database = Database::handed_in(*connection).map_err(from_rusqlite)?;
            let pool = Arc::clone(&self.0);
            let connection =
                NativeConnection::new(Lease { database, turn: None, place: None, pool });
            let connection: Box<dyn DriverConnection> = Box::new(connection);
            Ok(connection)
        })
    }
}

/// Takes over a connection that isn't rusqlite's.
async fn join_other(connection: HandedIn) -> Result<Box<dyn DriverConnection>> {
    #[cfg(feature = "sqlx-sqlite")]
    return super::sqlx_pool::join(connection).await;
    #[cfg(not(feature = "sqlx-sqlite"))]
    {
        drop(connection);
        Err(of_another_database())
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("uri", &self.0.uri).finish_non_exhaustive()
    }
}
