//! Work on the session's connection that is never left half-way: beginning, flushing, committing
//! and rolling back, also of savepoints.
//!
//! Each is a [`Job`] that owns the connection. The session's future polls it; if that future is
//! dropped, the job goes on in a task, stops at the next statement (a COMMIT and the RELEASE of a
//! savepoint don't) and rolls back, and the session's next call awaits it. Inside a savepoint it
//! leaves the rollback to the session.

use std::time::Duration;

use super::Session;
use crate::driver::{Connection, Job, StopFlag};
use crate::error::{Error, Result};
use crate::flush::{self, Batched, Failure, Outcome};

/// What a session has under way.
pub(super) enum Underway {
    Begin(Job<Stepped>),
    /// A savepoint is set or undone.
    Step(Job<Stepped>),
    /// A flush, inside so many savepoints.
    Flush(Job<Flushed>, usize),
    /// The savepoint with this number is released.
    Release(Job<Stepped>, usize),
    Commit(Job<Result<()>>),
    Rollback(Job<()>),
}

/// A connection after a step of its transaction; none if nobody awaited the step and no
/// transaction is open, since others may wait for it.
pub(super) struct Stepped {
    connection: Option<Connection>,
    outcome: Result<()>,
}

/// What became of a flush. The connection is as [`Stepped`]'s.
pub(super) struct Flushed {
    connection: Option<Connection>,
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
            Stepped { connection: kept(connection, &stop), outcome }
        });
        self.step(Underway::Begin(job)).await
    }

    /// Takes a step of the transaction and keeps the connection.
    async fn step(&mut self, step: Underway) -> Result<()> {
        let (Underway::Begin(job) | Underway::Step(job)) = self.underway.insert(step) else {
            return Err(lost());
        };
        let stepped = job.finish().await;
        self.underway = None;
        let Stepped { connection, outcome } = stepped.ok_or_else(lost)?;
        self.connection = connection;
        self.check(outcome)
    }

    /// Sets a savepoint in the database. If nobody awaits the end of that, the next call undoes it.
    pub(super) async fn set_savepoint(&mut self) -> Result<()> {
        let mut connection = self.take_connection().await?;
        let job = Job::new(|_| async move {
            let outcome = connection.set_savepoint().await;
            Stepped { connection: Some(connection), outcome }
        });
        self.step(Underway::Step(job)).await
    }

    /// Undoes, in the database, the savepoints that the session has left already.
    pub(super) async fn leave_savepoints(&mut self) -> Result<()> {
        let remaining = self.store.savepoints();
        let Some(mut connection) = self.connection.take_if(|it| it.savepoints() > remaining) else {
            return Ok(());
        };
        let job = Job::new(|_| async move {
            let outcome = connection.leave_savepoints(remaining).await;
            Stepped { connection: Some(connection), outcome }
        });
        self.step(Underway::Step(job)).await
    }

    /// Releases the innermost savepoint, then settles the outcome.
    pub(super) async fn release_savepoint(&mut self) -> Result<()> {
        let mut connection = self.take_connection().await?;
        let job = Job::new(|_| async move {
            let outcome = connection.release_savepoint().await;
            Stepped { connection: Some(connection), outcome }
        });
        self.underway = Some(Underway::Release(job, self.store.savepoints()));
        self.finish_underway().await
    }

    /// Runs a planned flush in the transaction, which begins if it has to. If it fails, the
    /// transaction has been rolled back, unless there is a savepoint to return to.
    ///
    /// # Errors
    /// If the transaction can't begin: nothing is lost by that.
    pub(super) async fn run(&mut self, mut batched: Batched) -> Result<Flushed> {
        self.begin().await?;
        let mut connection = self.take_connection().await?;
        let job = Job::new(|stop| async move {
            let outcome = flush::execute(&mut connection, &mut batched, &stop).await;
            let can_return = connection.savepoints() > 0 && connection.failed_at() != Some(0);
            if (outcome.is_err() || stop.is_set()) && !can_return {
                connection.rollback().await;
            }
            Flushed { connection: kept(connection, &stop), batched, outcome }
        });
        let underway = Underway::Flush(job, self.store.savepoints());
        let Underway::Flush(job, _) = self.underway.insert(underway) else {
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
        self.connection = flushed.connection;
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
            Some(Underway::Step(job)) => {
                let stepped = job.finish().await;
                self.underway = None;
                match stepped {
                    Some(Stepped { connection, outcome }) => {
                        self.connection = connection;
                        // It was not awaited: what it means for the next call is all that counts.
                        let _ = self.check(outcome);
                    }
                    None => self.fail(lost().to_string(), 0),
                }
                self.forget_left_failure();
                Ok(())
            }
            Some(Underway::Flush(job, savepoint)) => {
                let savepoint = *savepoint;
                let flushed = job.finish().await;
                self.underway = None;
                let connection = flushed.and_then(|flushed| flushed.connection);
                self.connection = connection.filter(Connection::in_transaction);
                let lost = self.connection.as_ref().map_or(Some(0), Connection::failed_at);
                let savepoint = lost.unwrap_or(savepoint).min(savepoint);
                self.fail(INTERRUPTED.to_owned(), savepoint);
                self.forget_left_failure();
                Ok(())
            }
            Some(Underway::Release(job, number)) => {
                let number = *number;
                let stepped = job.finish().await;
                self.underway = None;
                let outcome = match stepped {
                    Some(Stepped { connection, outcome }) => {
                        self.connection = connection;
                        outcome
                    }
                    None => Err(lost()),
                };
                self.settle_release(outcome, number)
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
                self.run_after_commit();
                Ok(())
            }
            Err(error) => {
                if matches!(error, Error::CommitOutcomeUnknown(_)) {
                    self.store.taint_changed();
                }
                self.doubt_memory(&error);
                self.fail(error.to_string(), 0);
                Err(error)
            }
        }
    }

    /// The savepoint was released, or could not be: then it is undone. If nobody awaited that, one
    /// around it may have been left meanwhile, which took it along in memory; the database follows.
    fn settle_release(&mut self, outcome: Result<()>, number: usize) -> Result<()> {
        let is_left = self.store.savepoints() < number;
        if outcome.is_ok() {
            if !is_left {
                self.store.release_savepoint();
            }
            return Ok(());
        }
        if self.connection.is_none() {
            self.fail(lost().to_string(), 0);
        }
        let outcome = self.check(outcome);
        self.undo_savepoint(number);
        if is_left { Ok(()) } else { outcome }
    }

    /// Whether a COMMIT, or the end of a savepoint, is under way whose outcome isn't known.
    pub(super) fn is_committing(&self) -> bool {
        match &self.underway {
            Some(Underway::Commit(_)) => true,
            // One that has been left is undone, whatever becomes of it.
            Some(Underway::Release(_, number)) => *number <= self.store.savepoints(),
            _ => false,
        }
    }

    async fn take_connection(&mut self) -> Result<Connection> {
        match self.connection.take() {
            Some(connection) => Ok(connection),
            None => self.engine.connection().await,
        }
    }
}

/// The connection, unless nobody awaits it any more and no transaction is open on it.
fn kept(connection: Connection, stop: &StopFlag) -> Option<Connection> {
    Some(connection).filter(|connection| !stop.is_set() || connection.in_transaction())
}

/// The work panicked, which was reported where it happened.
fn lost() -> Error {
    Error::Connection("the connection was lost with the task that used it".to_owned())
}
