//! One connection in use: where each of its statements runs, and what it waits for.

use std::any::{Any, TypeId};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use rusqlite::{Connection, InterruptHandle, Row};
use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, mpsc};
use tokio::task::{spawn_blocking, yield_now};

use super::batch::Batch;
use super::cells::SqliteCells;
use super::database::{Database, Failure};
use super::ground::Ground;
use super::pace::{BRIEF, Pace};
use super::pool::Shared;
use super::text::Verb;
use crate::driver::{Done, DriverConnection, RowSink};
use crate::error::{Error, Result};
use crate::sql::Statement;

/// How many rows are read before the clock is looked at.
const ROWS_PER_LOOK: u64 = 32;

/// How many batches of rows may wait for their reader.
const BATCHES: usize = 2;

/// The longest that is slept between two attempts to get a lock of another process.
const LONGEST_SLEEP: Duration = Duration::from_millis(25);

/// A connection, with what it holds of its engine: others get that once it is closed.
pub(super) struct Lease {
    pub(super) database: Database,
    /// The turn to write, while a transaction that writes is open.
    pub(super) turn: Option<OwnedMutexGuard<()>>,
    /// The place in the pool. A connection that was handed in has none.
    pub(super) place: Option<OwnedSemaphorePermit>,
    pub(super) pool: Arc<Shared>,
}

/// A connection in use.
pub(super) struct NativeConnection {
    /// Missing while a statement runs on the blocking pool. If its future is dropped, it is closed
    /// there.
    lease: Option<Lease>,
    /// When others were last let run on the caller's thread.
    paused: Instant,
}

impl NativeConnection {
    pub(super) fn new(lease: Lease) -> Self {
        Self { lease: Some(lease), paused: Instant::now() }
    }

    fn lease(&mut self) -> Result<&mut Lease> {
        self.lease.as_mut().ok_or_else(closed)
    }

    async fn run_patiently(
        &mut self,
        mut statement: Statement,
        rows: &mut dyn RowSink,
    ) -> Result<Done> {
        let verb = Verb::of(&statement.text);
        let lease = self.lease()?;
        let ground = Ground::of_caller(&lease.pool.refusals);
        let mut patience = Patience::new(lease.pool.busy_timeout);
        if ground != Ground::Free && self.paused.elapsed() > BRIEF {
            yield_now().await;
            self.paused = Instant::now();
        }
        self.lease()?.await_turn(verb, &mut patience).await?;
        let outcome = loop {
            let outcome = match self.lease()?.run_here(&statement, verb, ground, rows) {
                Some(outcome) => outcome,
                None => self.run_aside(&mut statement, verb, rows).await,
            };
            match outcome {
                Err(failure) if failure.is_busy() && patience.sleep().await => {}
                outcome => break outcome,
            }
        };
        if let Some(lease) = &mut self.lease
            && lease.database.connection.is_autocommit()
        {
            lease.turn = None;
        }
        outcome.map_err(Failure::into_error)
    }

    /// Runs a statement on the blocking pool, and reads its rows here.
    async fn run_aside(
        &mut self,
        statement: &mut Statement,
        verb: Verb,
        rows: &mut dyn RowSink,
    ) -> Result<Done, Failure> {
        let mut lease = self.lease.take().ok_or_else(closed)?;
        let moved = std::mem::replace(statement, Statement::plain(""));
        let interrupt = Interrupt(Some(lease.database.interrupt()));
        let (sender, batches) = mpsc::channel(BATCHES);
        let work = spawn_blocking(move || {
            let outcome = lease.run_into(&moved, verb, &sender);
            (lease, moved, outcome)
        });
        let read = read_batches(batches, rows).await;
        if read.is_err() {
            // What is still under way would be for nothing.
            drop(interrupt);
        } else {
            interrupt.disarm();
        }
        let ended = work.await;
        let (lease, moved, outcome) =
            ended.map_err(|_| Error::Connection("a statement's thread ended".to_owned()))?;
        self.lease = Some(lease);
        *statement = moved;
        self.paused = Instant::now();
        read?;
        outcome
    }
}

fn closed() -> Error {
    Error::Connection("the connection is closed".to_owned())
}

/// Reads what the blocking pool has copied. To stop here stops it there.
async fn read_batches(mut batches: mpsc::Receiver<Batch>, rows: &mut dyn RowSink) -> Result<()> {
    while let Some(batch) = batches.recv().await {
        for row in batch.rows() {
            rows.row(&SqliteCells(&row))?;
            if rows.is_full() {
                yield_now().await;
            }
        }
        yield_now().await;
    }
    Ok(())
}

impl Lease {
    /// Waits until nobody else of this engine is writing, if the statement begins to.
    async fn await_turn(&mut self, verb: Verb, patience: &mut Patience) -> Result<()> {
        let begins = match verb {
            Verb::BeginToWrite => true,
            Verb::Write => self.database.connection.is_autocommit(),
            Verb::Read | Verb::Mark | Verb::Other => false,
        };
        if begins && self.turn.is_none() {
            let turns = Arc::clone(&self.pool.turns);
            self.turn = Some(match Arc::clone(&turns).try_lock_owned() {
                Ok(turn) => turn,
                Err(_) => patience.until(turns.lock_owned()).await?,
            });
        }
        Ok(())
    }

    /// Runs a statement on the caller's thread, or has done nothing if it belongs elsewhere.
    fn run_here(
        &mut self,
        statement: &Statement,
        verb: Verb,
        ground: Ground,
        rows: &mut dyn RowSink,
    ) -> Option<Result<Done, Failure>> {
        if ground != Ground::Free && rows.pauses() {
            return None;
        }
        let started = Instant::now();
        let pace = self.pace_of(statement, verb);
        let is_brief = match verb {
            Verb::Mark | Verb::BeginToWrite => true,
            Verb::Other => false,
            // Outside of a transaction it commits.
            Verb::Write => pace == Pace::Brief && !self.database.connection.is_autocommit(),
            Verb::Read => {
                pace != Pace::Long && (self.database.has_deadline() || statement.single_row)
            }
        };
        let mut outcome = None;
        if is_brief || ground == Ground::Free {
            outcome = match ground {
                Ground::Free => Some(self.run_directly(statement, verb, rows)),
                Ground::Only if verb == Verb::Read && !statement.single_row => {
                    self.read_at_once(statement, started, rows)
                }
                Ground::Worker | Ground::Only => self.run_briefly(statement, verb, started, rows),
            };
        }
        if outcome.is_none() && ground == Ground::Worker {
            let refusals = &self.pool.refusals;
            outcome = refusals.block_in_place(|| self.run_directly(statement, verb, rows));
        }
        if outcome.is_some() {
            self.note_pace(statement, verb, pace, started);
        }
        outcome
    }

    /// Runs a statement to its end, however long it takes.
    fn run_directly(
        &self,
        statement: &Statement,
        verb: Verb,
        rows: &mut dyn RowSink,
    ) -> Result<Done, Failure> {
        self.database.run(statement, verb, |row| Ok(rows.row(&SqliteCells(row))?))
    }

    /// Runs a statement that is expected to be brief. One that reads is given up if its first row
    /// takes long; if the others do, another thread stands in for this one meanwhile.
    fn run_briefly(
        &self,
        statement: &Statement,
        verb: Verb,
        started: Instant,
        rows: &mut dyn RowSink,
    ) -> Option<Result<Done, Failure>> {
        let limit = (verb == Verb::Read).then(|| self.database.until(started, BRIEF));
        let mut returned = 0_u64;
        let outcome = self.database.run_by(statement, verb, |answer| {
            let mut take = |row: &Row<'_>| {
                limit.iter().for_each(super::database::Limit::lift);
                returned += 1;
                Ok(rows.row(&SqliteCells(row))?)
            };
            let mut count = 0_u64;
            while answer.next(&mut take)? {
                count += 1;
                if count.is_multiple_of(ROWS_PER_LOOK) && started.elapsed() > BRIEF {
                    let mut rest = || {
                        while answer.next(&mut take)? {}
                        Ok(())
                    };
                    return self.pool.refusals.block_in_place(&mut rest).unwrap_or_else(rest);
                }
            }
            Ok(())
        });
        match outcome {
            Err(failure) if failure.is_interrupted() && returned == 0 => None,
            outcome => Some(outcome),
        }
    }

    /// Reads all rows before the first is handed on, or gives up if that takes long.
    fn read_at_once(
        &self,
        statement: &Statement,
        started: Instant,
        rows: &mut dyn RowSink,
    ) -> Option<Result<Done, Failure>> {
        let limit = self.database.until(started, BRIEF);
        let mut batch = Batch::default();
        let outcome = self.database.run(statement, Verb::Read, |row| Ok(batch.push(row)?));
        drop(limit);
        match outcome {
            Err(failure) if failure.is_interrupted() => None,
            Err(failure) => Some(Err(failure)),
            Ok(done) => {
                let read = batch.rows().try_for_each(|row| rows.row(&SqliteCells(&row)));
                Some(read.map(|()| done).map_err(Failure::Ours))
            }
        }
    }

    /// Runs a statement on the blocking pool, and sends its rows in batches.
    fn run_into(
        &mut self,
        statement: &Statement,
        verb: Verb,
        sender: &mpsc::Sender<Batch>,
    ) -> Result<Done, Failure> {
        let started = Instant::now();
        let pace = self.pace_of(statement, verb);
        let mut batch = Batch::default();
        let send = |batch| sender.blocking_send(batch).map_err(|_| Failure::Ours(closed()));
        let done = self.database.run(statement, verb, |row| {
            batch.push(row)?;
            if batch.is_full() {
                let next = batch.next();
                send(std::mem::replace(&mut batch, next))?;
            }
            Ok(())
        })?;
        if !batch.is_empty() {
            send(batch)?;
        }
        self.note_pace(statement, verb, pace, started);
        Ok(done)
    }

    fn pace_of(&self, statement: &Statement, verb: Verb) -> Pace {
        match verb {
            Verb::Read | Verb::Write => self.database.paces.of(&statement.text),
            Verb::Mark | Verb::BeginToWrite | Verb::Other => Pace::Unknown,
        }
    }

    fn note_pace(&mut self, statement: &Statement, verb: Verb, pace: Pace, started: Instant) {
        let comes_again = statement.persistent && matches!(verb, Verb::Read | Verb::Write);
        if comes_again {
            self.database.paces.note(&statement.text, pace, started.elapsed());
        }
    }
}

impl DriverConnection for NativeConnection {
    fn run<'a>(
        &'a mut self,
        statement: Statement,
        _may_repeat: bool,
        rows: &'a mut dyn RowSink,
    ) -> BoxFuture<'a, Result<Done>> {
        Box::pin(self.run_patiently(statement, rows))
    }

    fn live(&mut self) -> Option<&mut dyn Any> {
        self.lease.as_mut().map(|lease| &mut lease.database.connection as &mut dyn Any)
    }

    fn release(mut self: Box<Self>) {
        self.lease.take().into_iter().for_each(Shared::take_back);
    }

    fn discard(self: Box<Self>) {}

    fn into_handed_in(mut self: Box<Self>, handed_in: TypeId) -> Option<Box<dyn Any + Send>> {
        if handed_in != TypeId::of::<Connection>() {
            return None;
        }
        self.lease.take().map(|lease| Box::new(lease.database.connection) as Box<dyn Any + Send>)
    }
}

/// How long a statement may still wait for locks.
struct Patience {
    left: Duration,
    next: Duration,
}

impl Patience {
    fn new(left: Duration) -> Self {
        Self { left, next: Duration::from_millis(1) }
    }

    /// Waits for one's turn.
    async fn until<T>(&mut self, turn: impl Future<Output = T>) -> Result<T> {
        let began = Instant::now();
        let turn = tokio::time::timeout(self.left, turn).await;
        self.left = self.left.saturating_sub(began.elapsed());
        turn.map_err(|_| Error::Serialization("database is locked".to_owned()))
    }

    /// Waits a little, each time longer; false if there is no time left.
    async fn sleep(&mut self) -> bool {
        if self.left.is_zero() {
            return false;
        }
        let time = self.next.min(self.left);
        self.left -= time;
        self.next = (self.next * 2).min(LONGEST_SLEEP);
        tokio::time::sleep(time).await;
        true
    }
}

/// Stops the statement that is under way when it is dropped.
struct Interrupt(Option<InterruptHandle>);

impl Interrupt {
    fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        if let Some(handle) = &self.0 {
            handle.interrupt();
        }
    }
}
