//! Work on the session's connection that is never left half-way: beginning, flushing, committing
//! and rolling back.
//!
//! Each is a [`Job`] that owns the connection. The session's future polls it; if that future is
//! dropped, the job goes on in a task, stops at the next statement (a COMMIT doesn't) and rolls
//! back, and the session's next call awaits it.

use std::time::Duration;

use super::Session;
use crate::driver::{Connection, Job};
use crate::error::{Error, Result};
use crate::flush::{self, Batched, Failure, Outcome};

/// What a session has under way.
pub(super) enum Underway {
    Begin(Job<Begun>),
    Flush(Job<Flushed>),
    Commit(Job<Result<()>>),
    Rollback(Job<()>),
}

/// A connection on which a transaction was to begin.
pub(super) struct Begun {
    connection: Connection,
    outcome: Result<()>,
}

/// What became of a flush.
pub(super) struct Flushed {
    connection: Connection,
    pub(super) batched: Batched,
    pub(super) outcome: Result<Outcome, Failure>,
}

/// How long a COMMIT may take that nobody awaits any more: a silent server must not keep the
/// connection for ever. After that nobody knows whether it has committed.
const COMMIT_PATIENCE: Duration = Duration::from_secs(10);

/// The reason of a failure whose cause is that nobody awaited the work.
const INTERRUPTED: &str = "a flush was interrupted before its end";

impl Session {
    /// The transaction, begun by the first write.
    pub(super) async fn begin(&mut self) -> Result<()> {
        if self.connection.as_ref().is_some_and(Connection::in_transaction) {
            return Ok(());
        }
        let mut connection = self.take_connection().await?;
        let isolation = self.isolation;
        let job = Job::new(move |stop| async move {
            let outcome = connection.begin_at(isolation).await;
            if stop.is_set() {
                connection.rollback().await;
            }
            Begun { connection, outcome }
        });
        let Underway::Begin(job) = self.underway.insert(Underway::Begin(job)) else {
            return Ok(());
        };
        let begun = job.finish().await;
        self.underway = None;
        let Begun { connection, outcome } = begun.ok_or_else(lost)?;
        self.connection = Some(connection);
        outcome
    }

    /// Runs a planned flush in the transaction, which begins if it has to. If it fails, the
    /// transaction has been rolled back.
    ///
    /// # Errors
    /// If the transaction can't begin: nothing is lost by that.
    pub(super) async fn run(&mut self, mut batched: Batched) -> Result<Flushed> {
        self.begin().await?;
        let mut connection = self.take_connection().await?;
        let job = Job::new(|stop| async move {
            let outcome = flush::execute(&mut connection, &mut batched, &stop).await;
            if outcome.is_err() || stop.is_set() {
                connection.rollback().await;
            }
            Flushed { connection, batched, outcome }
        });
        let Underway::Flush(job) = self.underway.insert(Underway::Flush(job)) else {
            return Err(lost());
        };
        let flushed = job.finish().await;
        self.underway = None;
        flushed.ok_or_else(lost)
    }

    /// Keeps the connection of a flush that was awaited.
    pub(super) fn keep_connection(
        &mut self,
        flushed: Flushed,
    ) -> (Batched, Result<Outcome, Failure>) {
        self.connection = Some(flushed.connection);
        (flushed.batched, flushed.outcome)
    }

    /// Commits the open transaction and gives the connection back, then settles the outcome.
    pub(super) async fn commit_transaction(&mut self, mut connection: Connection) -> Result<()> {
        let job = Job::new(|_| async move { connection.commit().await });
        self.underway = Some(Underway::Commit(job.patient_for(COMMIT_PATIENCE)));
        self.finish_underway().await
    }

    /// Rolls back in the database and gives the connection back.
    pub(super) async fn roll_back_transaction(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        if connection.is_interrupted() || !connection.in_transaction() {
            return;
        }
        let job = Job::new(|_| async move { connection.rollback().await });
        if let Underway::Rollback(job) = self.underway.insert(Underway::Rollback(job)) {
            job.finish().await;
            self.underway = None;
        }
    }

    /// Awaits what an earlier call left under way, and draws the consequences in memory.
    pub(super) async fn finish_underway(&mut self) -> Result<()> {
        match &mut self.underway {
            None => Ok(()),
            Some(Underway::Begin(job)) => {
                // Nothing had been written: it is as if it had not begun.
                job.finish().await;
                self.underway = None;
                Ok(())
            }
            Some(Underway::Flush(job)) => {
                job.finish().await;
                self.underway = None;
                self.fail(INTERRUPTED.to_owned());
                Ok(())
            }
            Some(Underway::Rollback(job)) => {
                job.finish().await;
                self.underway = None;
                Ok(())
            }
            Some(Underway::Commit(job)) => {
                let finished = job.finish().await;
                self.underway = None;
                self.settle_commit(finished.unwrap_or_else(|| {
                    Err(Error::CommitOutcomeUnknown("its task ended before it".to_owned()))
                }))
            }
        }
    }

    fn settle_commit(&mut self, outcome: Result<()>) -> Result<()> {
        match outcome {
            Ok(()) => {
                self.store.commit_unit();
                Ok(())
            }
            Err(error) => {
                if matches!(error, Error::CommitOutcomeUnknown(_)) {
                    self.store.taint_changed();
                }
                self.doubt_memory(&error);
                self.fail(error.to_string());
                Err(error)
            }
        }
    }

    /// Whether a COMMIT is under way whose outcome isn't known.
    pub(super) fn is_committing(&self) -> bool {
        matches!(self.underway, Some(Underway::Commit(_)))
    }

    async fn take_connection(&mut self) -> Result<Connection> {
        match self.connection.take() {
            Some(connection) => Ok(connection),
            None => self.engine.connection().await,
        }
    }
}

/// The work panicked, which was reported where it happened.
fn lost() -> Error {
    Error::Connection("the connection was lost with the task that used it".to_owned())
}
