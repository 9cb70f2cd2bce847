//! Where sessions come from, and transactions as closures.

use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Isolation, Session};
use crate::driver::Engine;
use crate::error::{Error, Result};

/// Makes sessions on an engine. Cheap to clone; keep one in the state of a web application.
///
/// What `sessionmaker` is in SQLAlchemy.
#[derive(Clone, Debug)]
pub struct SessionFactory {
    engine: Engine,
    autoflush: bool,
    isolation: Isolation,
}

impl SessionFactory {
    /// A factory of sessions that flush before queries.
    pub fn new(engine: Engine) -> Self {
        Self { engine, autoflush: true, isolation: Isolation::default() }
    }

    /// Whether its sessions flush before queries.
    pub fn autoflush(mut self, on: bool) -> Self {
        self.autoflush = on;
        self
    }

    /// How far its sessions' transactions are kept apart from others;
    /// [read committed](Isolation::ReadCommitted) unless said otherwise.
    pub fn isolation(mut self, isolation: Isolation) -> Self {
        self.isolation = isolation;
        self
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// A new session. Takes no connection before its first statement.
    pub fn session(&self) -> Session {
        Session::new(self.engine.clone(), self.autoflush, self.isolation)
    }

    /// Runs a closure in a session, commits if it gives `Ok` and rolls back if it gives `Err`.
    ///
    /// ```
    /// # use orm_core::{Engine, Model, SessionFactory, schema};
    /// # #[derive(Model)] struct User { name: String }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::connect("sqlite::memory:").await?;
    /// # engine.create_all(&schema![User]).await?;
    /// # let sessions = SessionFactory::new(engine);
    /// let id = sessions
    ///     .transaction(async |mut session| {
    ///         let user = session.add(User::draft().name("Ada"));
    ///         session.flush().await?;
    ///         Ok(session[user].id())
    ///     })
    ///     .await?;
    /// # assert_eq!(id, 1);
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// The closure's, those of the commit, and [`Error::Misuse`] if the closure lets the session
    /// outlive it.
    pub async fn transaction<T, F>(&self, work: impl FnOnce(Lent) -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let slot = Arc::new(Mutex::new(None));
        let lent = Lent { session: Some(self.session()), slot: Arc::clone(&slot) };
        let outcome = work(lent).await;
        let returned = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut session = returned.ok_or_else(|| {
            Error::misuse("the closure of `transaction` kept its session: it must end with it")
        })?;
        match outcome {
            Ok(value) => {
                session.commit().await?;
                Ok(value)
            }
            Err(error) => {
                session.rollback().await?;
                Err(error)
            }
        }
    }
}

/// A session that is lent, by value, to a closure; it returns when it is dropped, so that the
/// factory can commit it.
#[derive(Debug)]
pub struct Lent {
    /// There until it is dropped.
    session: Option<Session>,
    slot: Arc<Mutex<Option<Session>>>,
}

impl Deref for Lent {
    type Target = Session;
    fn deref(&self) -> &Session {
        self.session.as_ref().expect("a lent session is there until it is dropped")
    }
}

impl DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut Session {
        self.session.as_mut().expect("a lent session is there until it is dropped")
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = self.session.take();
    }
}
