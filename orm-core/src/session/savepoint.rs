//! Savepoints: parts of a unit of work that can be undone alone.

use std::ops::{Deref, DerefMut};

use super::{Phase, Session};
use crate::error::{Error, Result};

/// A savepoint of a session's transaction, and the session itself while it is open: what
/// [`Session::savepoint`] gives.
///
/// It ends by [`commit`](Self::commit) or [`rollback`](Self::rollback). One that is dropped
/// without either, because `?` returned early or a future was cancelled, is undone: at once in
/// memory, and in the database before the session's next statement.
///
/// ```
/// # use orm_core::{Engine, Model, SessionFactory, schema};
/// # #[derive(Model)] struct User { #[orm(unique)] name: String }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let engine = Engine::connect("sqlite::memory:").await?;
/// # engine.create_all(&schema![User]).await?;
/// let mut session = SessionFactory::new(engine).session();
/// session.add(User::draft().name("Ada"));
/// for name in ["Grace", "Ada"] {
///     let mut savepoint = session.savepoint().await?;
///     savepoint.add(User::draft().name(name));
///     match savepoint.flush().await {
///         Ok(()) => savepoint.commit().await?,
///         Err(_taken) => savepoint.rollback().await?,
///     }
/// }
/// session.commit().await?;
/// assert_eq!(User::select().count(&mut session).await?, 2);
/// # Ok::<(), orm_core::Error>(()) }).unwrap();
/// ```
///
/// SQLAlchemy's `begin_nested`.
#[derive(Debug)]
#[must_use = "a savepoint that is dropped is undone"]
pub struct Savepoint<'s> {
    session: &'s mut Session,
    /// Its number, from 1 for the outermost one.
    number: usize,
    /// Whether the session itself ends it, or has.
    is_over: bool,
}

impl Session {
    /// Sets a savepoint, to which everything that is done from here on can be undone, in the
    /// database and in memory, while what was done before stays. They nest to any depth.
    ///
    /// Flushes first, also with autoflush off, and begins the transaction if there is none. While
    /// it is open, [`commit`](Self::commit) and [`rollback`](Self::rollback) of the session are
    /// refused.
    ///
    /// # Errors
    /// As [`flush`](Self::flush); the database's.
    pub async fn savepoint(&mut self) -> Result<Savepoint<'_>> {
        self.ready().await?;
        self.flush_everything().await?;
        self.begin().await?;
        self.set_savepoint().await?;
        self.store.set_savepoint();
        let number = self.store.savepoints();
        Ok(Savepoint { session: self, number, is_over: false })
    }

    pub(super) fn expect_no_savepoint(&self, verb: &str) -> Result<()> {
        if self.store.savepoints() == 0 {
            return Ok(());
        }
        Err(Error::misuse(format!(
            "`{verb}` of the session inside a savepoint: end the savepoint first, by its own \
             `commit` or `rollback`",
        )))
    }

    /// Undoes, in memory, a savepoint and those inside it. The database follows before the next
    /// statement.
    pub(super) fn undo_savepoint(&mut self, number: usize) {
        while self.store.savepoints() >= number.max(1) {
            self.store.undo_savepoint();
            self.mistake = None;
        }
        self.forget_left_failure();
    }

    /// What failed inside a savepoint that the session has left is gone with it.
    pub(super) fn forget_left_failure(&mut self) {
        let remaining = self.store.savepoints();
        if matches!(self.phase, Phase::Failed { savepoint, .. } if savepoint > remaining) {
            self.phase = Phase::Active;
        }
    }
}

impl Savepoint<'_> {
    /// Flushes and ends the savepoint: what was done in it belongs to what is around it, and is
    /// committed or undone with that.
    ///
    /// # Errors
    /// As [`Session::flush`]; the savepoint is undone then, and what is around it goes on, unless
    /// the database ended the transaction. To mend what a plan finds wrong, flush before.
    /// [`Error::Misuse`] if a savepoint inside it is open, because its guard was forgotten by
    /// [`std::mem::forget`].
    pub async fn commit(mut self) -> Result<()> {
        match self.release().await {
            Ok(()) => Ok(()),
            Err(error) => {
                // Should the database have lost more than the savepoint, the next call says so.
                let _ = self.rollback().await;
                Err(error)
            }
        }
    }

    async fn release(&mut self) -> Result<()> {
        self.session.ready().await?;
        if self.session.store.savepoints() != self.number {
            return Err(Error::misuse("a savepoint inside this one is still open"));
        }
        self.session.flush_everything().await?;
        // From here on it is the session that ends it: once the RELEASE is sent it counts, also
        // if nobody awaits it.
        self.is_over = true;
        self.session.release_savepoint().await
    }

    /// Undoes what was done since the savepoint was set, in the database and in memory: values,
    /// states, links and collections are as they were, deleted objects return under their
    /// handles, new ones leave the session, and unflushed changes are discarded. What was first
    /// loaded, or loaded again, after a write in the savepoint is expired.
    ///
    /// # Errors
    /// [`Error::RollbackRequired`] if more than the savepoint is lost, because the database ended
    /// the transaction (a deadlock) or the connection broke: only the session's rollback goes on.
    pub async fn rollback(mut self) -> Result<()> {
        let outcome = self.session.finish_underway().await;
        self.undo();
        outcome?;
        self.session.ready().await
    }

    fn undo(&mut self) {
        if !std::mem::replace(&mut self.is_over, true) {
            self.session.undo_savepoint(self.number);
        }
    }
}

impl Drop for Savepoint<'_> {
    fn drop(&mut self) {
        self.undo();
    }
}

impl Deref for Savepoint<'_> {
    type Target = Session;
    fn deref(&self) -> &Session {
        self.session
    }
}

impl DerefMut for Savepoint<'_> {
    fn deref_mut(&mut self) -> &mut Session {
        self.session
    }
}
