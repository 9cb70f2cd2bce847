//! One connection in use: what state its transaction is in, and what becomes of it when it is
//! dropped.
//!
//! sqlx's own transactions are not used. On some databases they lose count after an error or a
//! dropped future, and the pool then lends out a connection with an open transaction. Here a
//! connection goes back only if nothing is under way on it and no transaction is open; every
//! other one is closed.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::log::{LogHub, StatementKind};
use super::{DriverConnection, RowSink, resolve};
use crate::error::{Error, Result};
use crate::model::Table;
use crate::sql::{Dialect, Statement};

/// How long the rollback behind a dropped connection may take before the connection is closed.
const ROLLBACK_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection taken from an engine's pool, given back when it is dropped.
pub(crate) struct Connection {
    /// Always there, but while it is being dropped.
    inner: Option<Box<dyn DriverConnection>>,
    dialect: &'static dyn Dialect,
    log: Arc<LogHub>,
    transaction: Transaction,
    /// Up while a statement is under way. If its future is dropped it stays up: nobody knows
    /// what the database still sends.
    in_flight: bool,
    /// Whether the connection must not be lent out again.
    spoilt: bool,
}

/// The state of the transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Transaction {
    /// None is open.
    Idle,
    /// One is open and can go on.
    Begun,
    /// A statement failed; only a rollback is possible.
    Failed {
        /// The message of the first failure.
        first: String,
    },
}

impl Connection {
    pub(super) fn new(
        inner: Box<dyn DriverConnection>,
        dialect: &'static dyn Dialect,
        log: Arc<LogHub>,
    ) -> Self {
        Self {
            inner: Some(inner),
            dialect,
            log,
            transaction: Transaction::Idle,
            in_flight: false,
            spoilt: false,
        }
    }

    /// The database's dialect.
    pub(crate) fn dialect(&self) -> &'static dyn Dialect {
        self.dialect
    }

    /// Whether a transaction is open, failed or not.
    pub(crate) fn in_transaction(&self) -> bool {
        self.transaction != Transaction::Idle
    }

    /// Whether a statement of the open transaction failed, so that it can't go on.
    pub(crate) fn has_failed(&self) -> bool {
        matches!(self.transaction, Transaction::Failed { .. })
    }

    /// Whether a statement's future was dropped, so that nothing can be run any more and
    /// dropping the connection is what rolls back.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.in_flight
    }

    /// Whether the connection was lost or is not to be lent out again.
    pub(crate) fn is_spoilt(&self) -> bool {
        self.spoilt
    }

    /// Runs a statement and feeds its rows to the sink. Gives the number of rows that a write
    /// affected or a query returned.
    ///
    /// # Errors
    /// The database's, the sink's, or [`Error::RollbackRequired`] after an earlier one in this
    /// transaction.
    pub(crate) async fn run(
        &mut self,
        statement: Statement,
        rows: &mut dyn RowSink,
    ) -> Result<u64> {
        if let Transaction::Failed { first } = &self.transaction {
            return Err(Error::RollbackRequired { first: first.clone() });
        }
        let outcome = self.send(StatementKind::Statement, statement, rows).await;
        outcome.map_err(|error| self.note_failure(error))
    }

    /// Runs a statement on a table, which the error of a violated constraint then names.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub(crate) async fn run_on(
        &mut self,
        table: &'static Table,
        statement: Statement,
        rows: &mut dyn RowSink,
    ) -> Result<u64> {
        self.run(statement, rows).await.map_err(|error| resolve(error, &[table]))
    }

    /// Begins a transaction that is going to write.
    ///
    /// # Errors
    /// The database's; [`Error::Misuse`] if one is open.
    pub(crate) async fn begin(&mut self) -> Result<()> {
        if self.in_transaction() {
            return Err(Error::misuse("a transaction is open already"));
        }
        let outcome = self.control(StatementKind::Begin, self.dialect.begin()).await;
        outcome.map_err(|error| self.note_failure(error))?;
        self.transaction = Transaction::Begun;
        Ok(())
    }

    /// Commits; without a transaction, does nothing. A COMMIT that fails is followed by a
    /// ROLLBACK, since some databases stay in the transaction.
    ///
    /// # Errors
    /// The database's; [`Error::RollbackRequired`] if the transaction has failed;
    /// [`Error::CommitOutcomeUnknown`] if the connection was lost meanwhile.
    pub(crate) async fn commit(&mut self) -> Result<()> {
        match &self.transaction {
            Transaction::Idle => return Ok(()),
            Transaction::Failed { first } => {
                return Err(Error::RollbackRequired { first: first.clone() });
            }
            Transaction::Begun => {}
        }
        match self.control(StatementKind::Commit, "COMMIT").await {
            Ok(()) => {
                self.end();
                Ok(())
            }
            Err(Error::Connection(lost)) => {
                self.spoilt = true;
                self.end();
                Err(Error::CommitOutcomeUnknown(lost))
            }
            Err(error) => {
                self.rollback().await;
                Err(error)
            }
        }
    }

    /// Rolls back everything; without a transaction, does nothing. It can't fail: where the
    /// database doesn't confirm it, the connection is closed, which rolls back too.
    pub(crate) async fn rollback(&mut self) {
        if self.transaction == Transaction::Idle {
            return;
        }
        if self.control(StatementKind::Rollback, "ROLLBACK").await.is_err() {
            self.spoilt = true;
        }
        self.end();
    }

    /// Says that the connection is to be closed and not lent out again.
    pub(super) fn spoil(&mut self) {
        self.spoilt = true;
    }

    fn end(&mut self) {
        self.transaction = Transaction::Idle;
    }

    /// Notes that a statement failed, and what that means for the transaction.
    fn note_failure(&mut self, error: Error) -> Error {
        if matches!(error, Error::Connection(_)) {
            self.spoilt = true;
        }
        if self.transaction == Transaction::Begun {
            self.transaction = Transaction::Failed { first: error.to_string() };
        }
        error
    }

    async fn control(&mut self, kind: StatementKind, sql: impl Into<Arc<str>>) -> Result<()> {
        self.send(kind, Statement::plain(sql), &mut ()).await.map(drop)
    }

    async fn send(
        &mut self,
        kind: StatementKind,
        statement: Statement,
        rows: &mut dyn RowSink,
    ) -> Result<u64> {
        let inner = match &mut self.inner {
            Some(inner) if !self.in_flight => inner,
            _ => return Err(Error::Connection("an earlier statement was interrupted".to_owned())),
        };
        let started = self.log.start(kind, &statement.text);
        self.in_flight = true;
        let outcome = inner.run(statement, rows).await;
        self.in_flight = false;
        self.log.finish(started, &outcome);
        outcome
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Some(mut inner) = self.inner.take() else { return };
        if self.in_flight || self.spoilt {
            return inner.discard();
        }
        if !self.in_transaction() {
            return inner.release();
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return inner.discard();
        };
        let log = Arc::clone(&self.log);
        runtime.spawn(async move {
            let rollback = Statement::plain("ROLLBACK");
            let started = log.start(StatementKind::Rollback, &rollback.text);
            let mut no_rows = ();
            let run = inner.run(rollback, &mut no_rows);
            match tokio::time::timeout(ROLLBACK_TIMEOUT, run).await {
                Ok(outcome) => {
                    log.finish(started, &outcome);
                    if outcome.is_ok() { inner.release() } else { inner.discard() }
                }
                Err(_) => inner.discard(),
            }
        });
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("dialect", &self.dialect)
            .field("transaction", &self.transaction)
            .field("in_flight", &self.in_flight)
            .finish_non_exhaustive()
    }
}
