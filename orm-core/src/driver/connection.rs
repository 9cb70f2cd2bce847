//! One connection in use: what state its transaction is in, and what becomes of it when it is
//! dropped.
//!
//! sqlx's own transactions are not used. On some databases they lose count after an error or a
//! dropped future, and the pool then lends out a connection with an open transaction. Here a
//! connection goes back only if nothing is under way on it and no transaction is open; every
//! other one is closed.

mod savepoints;

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use super::log::{LogHub, StatementKind};
use super::{Done, DriverConnection, EachRow, LiveConnection, RowSink, resolve};
use crate::error::{Error, Result};
use crate::model::Table;
use crate::sql::{Dialect, Isolation, Renderer, Select, Statement, render_echo};
use crate::value::Cells;

/// How long the end of a transaction, or anything else that nobody awaits any more, may take before
/// the connection is closed.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// The savepoint that stands while the connection is lent.
const LENT: &str = "orm_lent";

/// A connection taken from an engine's pool, given back when it is dropped.
pub(crate) struct Connection {
    /// Always there, but while it is being dropped.
    inner: Option<Box<dyn DriverConnection>>,
    renderer: Arc<Renderer>,
    /// Settings that each transaction begins with.
    of_transactions: Option<Arc<str>>,
    log: Arc<LogHub>,
    /// Whether the connection is inside a transaction of somebody else's. Ours are savepoints of
    /// it then, and so is each statement outside of one: its failure must not reach the owner.
    is_joined: bool,
    /// Whether the transaction that is open is that of a single statement.
    is_alone: bool,
    transaction: Transaction,
    /// How many savepoints are open in it.
    savepoints: usize,
    /// Whether someone else may have run statements since ours.
    lent: bool,
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
        /// The innermost savepoint then: returning to it repairs the transaction. 0 if only a
        /// rollback of everything does.
        savepoint: usize,
    },
}

impl Connection {
    pub(super) fn new(
        inner: Box<dyn DriverConnection>,
        renderer: Arc<Renderer>,
        of_transactions: Option<Arc<str>>,
        log: Arc<LogHub>,
    ) -> Self {
        Self {
            inner: Some(inner),
            renderer,
            of_transactions,
            log,
            is_joined: false,
            is_alone: false,
            transaction: Transaction::Idle,
            savepoints: 0,
            lent: false,
            in_flight: false,
            spoilt: false,
        }
    }

    /// The same connection, inside a transaction of somebody else's.
    pub(super) fn joined(mut self, is_joined: bool) -> Self {
        self.is_joined = is_joined;
        self
    }

    /// The database's dialect.
    pub(crate) fn dialect(&self) -> &'static dyn Dialect {
        self.renderer.dialect()
    }

    /// A SELECT in the words of the database.
    ///
    /// # Errors
    /// As [`Renderer::select`].
    pub(crate) fn render(&self, select: &Select) -> Result<Statement> {
        self.renderer.select(select)
    }

    /// What renders for it.
    pub(super) fn renderer(&self) -> &Arc<Renderer> {
        &self.renderer
    }

    /// Whether a transaction is open, failed or not, that is to have more than one statement.
    pub(crate) fn in_transaction(&self) -> bool {
        !self.is_idle() && !self.is_alone
    }

    fn is_idle(&self) -> bool {
        self.transaction == Transaction::Idle
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

    /// Runs a statement and feeds its rows to the sink.
    ///
    /// # Errors
    /// The database's, the sink's, or [`Error::RollbackRequired`] after an earlier one in this
    /// transaction.
    pub(crate) async fn run(
        &mut self,
        statement: Statement,
        rows: &mut dyn RowSink,
    ) -> Result<Done> {
        self.end_alone().await;
        self.expect_no_failure()?;
        self.take_back().await?;
        if self.is_joined && self.is_idle() {
            return self.run_alone(statement, rows).await;
        }
        let outcome = self.send(StatementKind::Statement, statement, rows).await;
        outcome.map_err(|error| self.note_failure(error))
    }

    /// Runs a statement in a transaction of its own.
    async fn run_alone(&mut self, statement: Statement, rows: &mut dyn RowSink) -> Result<Done> {
        self.is_alone = true;
        let begun = self.begin().await;
        let outcome = match begun {
            Ok(()) => self.send(StatementKind::Statement, statement, rows).await,
            Err(error) => Err(error),
        };
        let ended = match outcome.map_err(|error| self.note_failure(error)) {
            Ok(done) => self.commit().await.map(|()| done),
            Err(error) => {
                self.rollback().await;
                Err(error)
            }
        };
        self.is_alone = false;
        ended
    }

    /// Ends what a statement left that ran alone and whose future was dropped between two steps.
    async fn end_alone(&mut self) {
        if self.is_alone && !self.is_idle() {
            self.rollback().await;
        }
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
    ) -> Result<Done> {
        self.run(statement, rows).await.map_err(|error| resolve(error, self.dialect(), table))
    }

    /// As [`run_on`](Self::run_on), of a statement that a violated unique key may refuse, on a
    /// database where it then undoes itself alone: the transaction goes on, and the inner error is
    /// the refusal.
    ///
    /// # Errors
    /// As [`run`](Self::run), but for that refusal.
    pub(crate) async fn attempt_on(
        &mut self,
        table: &'static Table,
        statement: Statement,
        rows: &mut dyn RowSink,
    ) -> Result<Result<Done>> {
        self.expect_no_failure()?;
        self.take_back().await?;
        match self.send(StatementKind::Statement, statement, rows).await {
            Ok(done) => Ok(Ok(done)),
            Err(refusal @ Error::UniqueViolation(_)) => {
                Ok(Err(resolve(refusal, self.dialect(), table)))
            }
            Err(error) => Err(resolve(self.note_failure(error), self.dialect(), table)),
        }
    }

    /// Begins a transaction that is going to write.
    ///
    /// # Errors
    /// The database's; [`Error::Misuse`] if one is open.
    pub(crate) async fn begin(&mut self) -> Result<()> {
        self.begin_at(Isolation::ReadCommitted).await
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub(crate) async fn begin_at(&mut self, isolation: Isolation) -> Result<()> {
        self.end_alone().await;
        if !self.is_idle() {
            return Err(Error::misuse("a transaction is open already"));
        }
        let (kind, begin) = match (self.is_joined, &self.of_transactions) {
            (true, _) => (StatementKind::Savepoint, savepoints::set(0).into()),
            (false, Some(settings)) => {
                let begin = self.dialect().begin(isolation);
                (StatementKind::Begin, format!("{begin}; {settings}").into())
            }
            (false, None) => {
                (StatementKind::Begin, Arc::<str>::from(self.dialect().begin(isolation)))
            }
        };
        let is_several = begin.contains(';');
        let outcome = self.control(kind, begin).await;
        if outcome.is_err() && is_several {
            // Some of them may have worked.
            self.spoilt = true;
        }
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
        self.expect_no_failure()?;
        if self.is_idle() {
            return Ok(());
        }
        if let Err(error) = self.take_back().await {
            self.rollback().await;
            return Err(error);
        }
        let committed = match self.is_joined {
            true => self.control(StatementKind::Savepoint, savepoints::release(0)).await,
            false => self.control(StatementKind::Commit, "COMMIT").await,
        };
        match committed {
            Ok(()) => {
                self.end();
                Ok(())
            }
            Err(Error::Connection(lost)) => {
                self.spoilt = true;
                self.end();
                Err(match self.is_joined {
                    // The owner's transaction is lost, and that with it.
                    true => Error::Connection(lost),
                    false => Error::CommitOutcomeUnknown(lost),
                })
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
        if self.is_idle() {
            return;
        }
        for (kind, words) in words_of_rollback(self.is_joined) {
            let rollback = self.control(kind, words);
            if !matches!(tokio::time::timeout(PATIENCE, rollback).await, Ok(Ok(()))) {
                self.spoilt = true;
                break;
            }
        }
        self.end();
    }

    /// Prepares to lend the driver's own connection, inside the open transaction. What is done with it is
    /// unknown: before the next statement of ours it is made sure that the transaction is still
    /// the same and can go on.
    ///
    /// # Errors
    /// As [`run`](Self::run); [`Error::Misuse`] outside of a transaction, or if the database is
    /// another.
    pub(crate) async fn prepare_to_lend<C: LiveConnection>(&mut self) -> Result<()> {
        self.expect_no_failure()?;
        self.take_back().await?;
        if !self.in_transaction() {
            return Err(Error::misuse("a connection is lent inside of a transaction only"));
        }
        self.live::<C>()?;
        // A savepoint can be released only in the transaction that it was set in, and only if no
        // statement has failed since.
        let set = self.control(StatementKind::Savepoint, format!("SAVEPOINT {LENT}")).await;
        set.map_err(|error| self.note_failure(error))?;
        self.lent = true;
        Ok(())
    }

    /// The driver's own connection.
    ///
    /// # Errors
    /// [`Error::Misuse`] if the database is another.
    pub(crate) fn live<C: LiveConnection>(&mut self) -> Result<&mut C> {
        let live = self.inner.as_mut().and_then(|inner| inner.live()?.downcast_mut::<C>());
        live.ok_or_else(|| {
            Error::misuse(format!(
                "the session's database is not {}: ask for its own connection type",
                C::DATABASE,
            ))
        })
    }

    /// Makes sure, after the connection was lent, that the transaction is as it was.
    async fn take_back(&mut self) -> Result<()> {
        if !std::mem::take(&mut self.lent) {
            return Ok(());
        }
        let error = match self.after_lending(format!("RELEASE SAVEPOINT {LENT}")).await {
            Ok(()) => return Ok(()),
            Err(error @ (Error::Connection(_) | Error::Serialization(_))) => error,
            Err(_) => Error::misuse(
                "a hand-written statement failed inside the session's transaction, or ended it",
            ),
        };
        Err(self.note_failure(error))
    }

    /// Runs the first words of ours after the connection was lent. A hand-written statement whose
    /// future was dropped may have left it dead, or with answers that nobody has read.
    async fn after_lending(&mut self, words: String) -> Result<()> {
        let answered = tokio::time::timeout(PATIENCE, self.run_and_compare(words)).await;
        answered.unwrap_or_else(|_| {
            self.spoilt = true;
            Err(Error::Connection("it did not answer after a hand-written statement".to_owned()))
        })
    }

    /// Runs words, and makes sure that what answers next is what is asked next.
    async fn run_and_compare(&mut self, words: String) -> Result<()> {
        self.control(StatementKind::Savepoint, words).await?;
        let number = i64::from(RandomState::new().hash_one(LENT) as u32);
        let mut answer = None;
        let mut sink = EachRow(|cells: &dyn Cells| {
            answer = cells.int(0).ok();
            Ok(())
        });
        let echo = render_echo(self.dialect(), number);
        self.send(StatementKind::Savepoint, echo, &mut sink).await?;
        if answer == Some(number) {
            return Ok(());
        }
        self.spoilt = true;
        Err(Error::Connection("it answers another statement than the last".to_owned()))
    }

    fn expect_no_failure(&self) -> Result<()> {
        match &self.transaction {
            Transaction::Failed { first, .. } => {
                Err(Error::RollbackRequired { first: first.clone() })
            }
            _ => Ok(()),
        }
    }

    /// The driver's connection, with the transaction that is open on it, and the log that it
    /// writes to.
    pub(super) fn into_parts(mut self) -> (Option<Box<dyn DriverConnection>>, Arc<LogHub>) {
        (self.inner.take(), Arc::clone(&self.log))
    }

    /// A connection on which a transaction of ours is open.
    pub(super) fn begun(
        inner: Box<dyn DriverConnection>,
        renderer: Arc<Renderer>,
        log: Arc<LogHub>,
    ) -> Self {
        let mut connection = Self::new(inner, renderer, None, log);
        connection.transaction = Transaction::Begun;
        connection
    }

    /// Says that the connection is to be closed and not lent out again.
    pub(super) fn spoil(&mut self) {
        self.spoilt = true;
    }

    fn end(&mut self) {
        self.transaction = Transaction::Idle;
        self.is_alone = false;
        self.savepoints = 0;
        self.lent = false;
    }

    /// Notes that a statement failed, and what that means for the transaction.
    fn note_failure(&mut self, error: Error) -> Error {
        if matches!(error, Error::Connection(_)) {
            self.spoilt = true;
        }
        if self.transaction == Transaction::Begun {
            // After these the server may have rolled back everything by itself.
            let is_whole = matches!(error, Error::Connection(_) | Error::Serialization(_));
            let savepoint = if is_whole { 0 } else { self.savepoints };
            self.transaction = Transaction::Failed { first: error.to_string(), savepoint };
        }
        error
    }

    async fn control(&mut self, kind: StatementKind, sql: impl Into<Arc<str>>) -> Result<()> {
        self.send(kind, Statement::words(sql), &mut ()).await.map(drop)
    }

    async fn send(
        &mut self,
        kind: StatementKind,
        mut statement: Statement,
        rows: &mut dyn RowSink,
    ) -> Result<Done> {
        let may_repeat = kind == StatementKind::Statement && self.is_idle();
        let inner = match &mut self.inner {
            Some(inner) if !self.in_flight => inner,
            _ => return Err(Error::Connection("an earlier statement was interrupted".to_owned())),
        };
        let started = self.log.start(kind, &mut statement);
        self.in_flight = true;
        let outcome = inner.run(statement, may_repeat, rows).await;
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
        if self.is_idle() {
            return inner.release();
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return inner.discard();
        };
        let log = Arc::clone(&self.log);
        let words = words_of_rollback(self.is_joined);
        runtime.spawn(async move {
            for (kind, words) in words {
                let mut rollback = Statement::words(words);
                let started = log.start(kind, &mut rollback);
                let mut no_rows = ();
                let run = inner.run(rollback, false, &mut no_rows);
                let Ok(outcome) = tokio::time::timeout(PATIENCE, run).await else {
                    return inner.discard();
                };
                log.finish(started, &outcome);
                if outcome.is_err() {
                    return inner.discard();
                }
            }
            inner.release();
        });
    }
}

/// What rolls everything back that is ours.
fn words_of_rollback(is_joined: bool) -> Vec<(StatementKind, Arc<str>)> {
    if !is_joined {
        return vec![(StatementKind::Rollback, "ROLLBACK".into())];
    }
    let words = [savepoints::back_to(0), savepoints::release(0)];
    words.into_iter().map(|words| (StatementKind::Savepoint, words.into())).collect()
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("dialect", &self.dialect())
            .field("transaction", &self.transaction)
            .field("savepoints", &self.savepoints)
            .field("in_flight", &self.in_flight)
            .finish_non_exhaustive()
    }
}
