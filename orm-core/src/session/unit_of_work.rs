//! Flush, commit and rollback, and what a dropped future of theirs leaves.

use super::{Phase, Session};
use crate::driver::{Connection, LiveConnection};
use crate::error::{Error, Result};
use crate::flush::{self, Plan, SkipExisting};
use crate::sql::Isolation;

impl Session {
    /// Writes every change to the database, inside the transaction: what was added, edited,
    /// linked or deleted since the last flush, in an order that the keys allow and in the fewest
    /// statements. A second flush has nothing to do.
    ///
    /// A unique value that one row gives up, be it changed or deleted, can be taken by another in
    /// the same flush; rows can also swap values, where a column of the key can be `NULL` for a
    /// moment. A row that is deleted and added again with the same primary key is updated
    /// (SQLAlchemy's *row switch*): columns that nobody set keep what the row has.
    ///
    /// # Errors
    /// What the plan finds wrong before any write ([`Error::MissingForeignKey`], [`Error::Cycle`],
    /// [`Error::Type`], [`Error::Misuse`]) leaves everything as it was, to be mended and flushed
    /// again. Any error of a statement, and a verb that could not do what it was told, rolls the
    /// transaction back; memory keeps its edits until [`rollback`](Self::rollback), the only
    /// thing that is possible then. Inside a [savepoint](Self::savepoint) no more than that is
    /// lost, unless the database ended the transaction.
    pub async fn flush(&mut self) -> Result<()> {
        self.ready().await?;
        self.flush_changes().await
    }

    /// Flushes, commits and gives the connection back. Memory keeps its values.
    ///
    /// # Errors
    /// As [`flush`](Self::flush); the database's, for constraints that it checks at the end;
    /// [`Error::CommitOutcomeUnknown`] if the connection is lost meanwhile; [`Error::Misuse`]
    /// inside a savepoint, which ends first.
    pub async fn commit(&mut self) -> Result<()> {
        self.ready().await?;
        self.expect_no_savepoint("commit")?;
        self.flush_everything().await?;
        match self.connection.take() {
            Some(connection) if connection.in_transaction() => {
                self.commit_transaction(connection).await
            }
            connection => {
                drop(connection);
                self.store.commit_unit();
                self.run_after_commit();
                Ok(())
            }
        }
    }

    /// Ends the unit of work and undoes it: in the database, and in memory, where new objects
    /// leave the session, deleted ones return and the others get back what they were at its
    /// start. Unflushed changes are discarded.
    ///
    /// # Errors
    /// [`Error::CommitOutcomeUnknown`] if the connection was lost in a COMMIT that was under way;
    /// the session is usable again all the same. [`Error::Misuse`] inside a savepoint, which ends
    /// first.
    pub async fn rollback(&mut self) -> Result<()> {
        self.expect_no_hook()?;
        let outcome = self.finish_underway().await;
        self.expect_no_savepoint("rollback")?;
        self.roll_back_unit(outcome).await
    }

    /// Rolls everything back, savepoints that were forgotten too.
    async fn roll_back_unit(&mut self, outcome: Result<()>) -> Result<()> {
        if self.connection.as_ref().is_some_and(Connection::in_transaction) {
            // A future that is dropped in here must not leave the session as if nothing had
            // happened.
            self.fail("a rollback was interrupted before its end".to_owned(), 0);
        }
        self.roll_back_transaction().await;
        self.store.roll_back();
        self.phase = Phase::Active;
        self.mistake = None;
        self.run_after_rollback();
        match outcome {
            Err(error @ Error::CommitOutcomeUnknown(_)) => Err(error),
            _ => Ok(()),
        }
    }

    /// What the next flush would run, without running it. Prints as numbered steps. Hooks, which
    /// may change what there is to write, are not run.
    ///
    /// # Errors
    /// What the flush's plan would find wrong; [`Error::Misuse`] where planning has to read the
    /// database first, for collections of deleted parents that are not loaded and rows that refer to
    /// keys which change.
    pub fn plan(&mut self) -> Result<Plan> {
        self.expect_no_commit()?;
        self.expect_no_failure()?;
        if let Some(mistake) = &self.mistake {
            return Err(Error::misuse(mistake.to_string()));
        }
        self.store.adopt_assignments()?;
        let cascaded = flush::cascade(&self.store, self.engine.dialect().capabilities())?;
        let batched = flush::plan(&self.store, cascaded, self.engine.dialect())?;
        Ok(Plan::new(&batched))
    }

    /// Ends the session: gives the connection back and detaches every object. Unsaved changes are
    /// rolled back.
    ///
    /// # Errors
    /// As [`rollback`](Self::rollback).
    pub async fn close(mut self) -> Result<()> {
        let outcome = self.finish_underway().await;
        self.roll_back_unit(outcome).await
    }

    /// Makes sure that the session can go on: awaits a COMMIT that was left under way, notices a
    /// statement whose future was dropped, and returns to before a savepoint whose guard was.
    pub(super) async fn ready(&mut self) -> Result<()> {
        self.expect_no_hook()?;
        self.finish_underway().await?;
        if self.connection.as_ref().is_some_and(Connection::is_interrupted) {
            let lost = self.connection.take().is_some_and(|lost| lost.in_transaction());
            if lost {
                // Dropping the connection rolls back what earlier statements wrote.
                self.fail("a statement of the transaction was interrupted".into(), 0);
            }
        }
        if self.connection.as_ref().is_some_and(|lost| lost.is_spoilt() && !lost.in_transaction()) {
            // A read lost it, and nothing with it: the next statement takes another.
            self.connection = None;
        }
        self.expect_no_failure()?;
        self.leave_savepoints().await
    }

    pub(super) fn expect_no_failure(&self) -> Result<()> {
        match &self.phase {
            Phase::Active => Ok(()),
            Phase::Failed { first, .. } => Err(Error::RollbackRequired { first: first.clone() }),
        }
    }

    /// The connection, taken from the pool at the first statement.
    pub(super) async fn connect(&mut self) -> Result<()> {
        if self.begins_with_reads() {
            return self.begin().await;
        }
        if self.connection.is_none() {
            self.connection = Some(self.engine.connection().await?);
        }
        Ok(())
    }

    /// Whether the first statement begins the transaction, even if it only reads.
    pub(super) fn begins_with_reads(&self) -> bool {
        self.isolation != Isolation::ReadCommitted || self.engine.reads_in_transactions()
    }

    /// Lends the driver's own connection, inside the session's transaction, for statements that are
    /// written by hand. What was changed so far is flushed first (unless autoflush is off), so that
    /// they see it, and they are committed or rolled back with it.
    ///
    /// The session knows nothing of what they do: objects in memory stay as they are until they
    /// are refreshed, and a rollback expires all of them. A transaction that they ended, or that is
    /// lost by one that failed (on PostgreSQL by each that fails), is noticed by the session's
    /// next statement, after which only [`rollback`](Self::rollback) goes on. Where the database
    /// loses only the statement that failed, its error is yours to heed.
    ///
    /// ```
    /// # use orm_core::{Engine, Model, SessionFactory, schema};
    /// # #[derive(Model)] struct User { name: String }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::connect("sqlite::memory:").await?;
    /// # engine.create_all(&schema![User]).await?;
    /// # #[cfg(feature = "sqlite")] {
    /// use orm_core::rusqlite::Connection;
    ///
    /// let mut session = SessionFactory::new(engine).session();
    /// let ada = session.add(User::draft().name("Ada"));
    /// let connection = session.connection::<Connection>().await?; // on servers, sqlx's
    /// connection.execute("UPDATE users SET name = upper(name)", []).unwrap();
    /// session.refresh(ada).await?;
    /// assert_eq!(session[ada].name, "ADA");
    /// session.commit().await?;
    /// # }
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// As [`flush`](Self::flush); [`Error::Misuse`] if the session's database is another.
    pub async fn connection<C: LiveConnection>(&mut self) -> Result<&mut C> {
        self.ready().await?;
        self.autoflush_changes().await?;
        self.begin().await?;
        self.store.taint_everything();
        if let Some(connection) = &mut self.connection {
            let prepared = connection.prepare_to_lend::<C>().await;
            self.check(prepared)?;
        }
        match &mut self.connection {
            Some(connection) => connection.live(),
            None => Err(Error::Connection("the connection is closed".to_owned())),
        }
    }

    /// Flushes before a query, if the session does that.
    pub(super) async fn autoflush_changes(&mut self) -> Result<()> {
        if !self.autoflush {
            return Ok(());
        }
        self.flush_changes().await.map_err(Error::in_autoflush)
    }

    pub(super) fn has_unflushed_changes(&self) -> bool {
        !self.store.touched.is_empty() || self.store.pairs.has_edits()
    }

    pub(super) async fn flush_changes(&mut self) -> Result<()> {
        self.flush_skipping(None).await.map(drop)
    }

    /// Flushes; new rows whose unique values exist already may be skipped, and their objects leave.
    /// Gives the refusal of a statement that was skipped as a whole.
    pub(super) async fn flush_skipping(
        &mut self,
        skip_existing: Option<SkipExisting>,
    ) -> Result<Option<Error>> {
        if let Some(mistake) = self.mistake.take() {
            // What the verb was to do is missing: going on without it would lose a write.
            return self.fail_flush(mistake).await;
        }
        if !self.has_unflushed_changes() {
            return Ok(None);
        }
        // Every verb that flushes first would be as large as a flush.
        Box::pin(self.write_changes(skip_existing)).await
    }

    async fn write_changes(
        &mut self,
        skip_existing: Option<SkipExisting>,
    ) -> Result<Option<Error>> {
        self.run_before_flush().await?;
        if let Some(mistake) = self.mistake.take() {
            return self.fail_flush(mistake).await;
        }
        let cascaded = self.follow_cascade().await?;
        let mut batched = flush::plan(&self.store, cascaded, self.engine.dialect())?;
        batched.skip_existing = skip_existing;
        if batched.batches.is_empty() {
            flush::settle(&mut self.store, batched, flush::Outcome::default())?;
            return Ok(None);
        }
        let flushed = self.run(batched).await?;
        let (batched, outcome) = self.keep_connection(flushed);
        match outcome {
            Ok(mut outcome) => {
                let refusal = outcome.refusal.take();
                let written = self.witness(&batched, &outcome);
                let settled = flush::settle(&mut self.store, batched, outcome);
                match settled.and_then(|()| self.run_after_flush(&written)) {
                    Ok(()) => Ok(refusal),
                    Err(error) => self.fail_flush(error).await,
                }
            }
            Err(mut failure) => {
                if let Error::StaleData(stale) = &mut failure.error {
                    let named = failure.stale.iter().map(|object| self.store.name_of(*object));
                    stale.objects = named.collect();
                }
                for object in failure.stale {
                    self.store.taint(object);
                }
                self.fail_flush(failure.error).await
            }
        }
    }

    /// Passes the result of what ran statements on. One that failed inside the transaction has
    /// lost it.
    pub(super) fn check<T>(&mut self, result: Result<T>) -> Result<T> {
        let failed_at = self.connection.as_ref().and_then(Connection::failed_at);
        if let (Err(error), Some(savepoint)) = (&result, failed_at) {
            self.doubt_memory(error);
            self.fail(error.to_string(), savepoint);
        }
        if self.engine.is_joined() {
            // Others wait for the one connection: who is in no transaction gives it back.
            self.connection = self.connection.take().filter(Connection::in_transaction);
        }
        result
    }

    /// Who lost a collision has read what others have changed since: the rollback expires it, so
    /// that another try in this session reads anew.
    pub(super) fn doubt_memory(&mut self, error: &Error) {
        if error.is_retryable() {
            self.store.taint_everything();
        }
    }

    /// Rolls the transaction of a failed flush back; inside a savepoint its guard is to do that.
    /// The session has failed before anything is awaited: a future that is dropped there must not
    /// leave it as if nothing had happened.
    pub(super) async fn fail_flush<T>(&mut self, error: Error) -> Result<T> {
        self.doubt_memory(&error);
        let savepoint = match &self.connection {
            Some(connection) => connection.failed_at().unwrap_or(connection.savepoints()),
            None => 0,
        };
        self.fail(error.to_string(), savepoint);
        if savepoint == 0 {
            self.roll_back_transaction().await;
        }
        Err(error)
    }

    /// Nothing is possible any more but a rollback: of this savepoint, or, if it is 0, of
    /// everything.
    pub(super) fn fail(&mut self, first: String, savepoint: usize) {
        match &mut self.phase {
            Phase::Active => self.phase = Phase::Failed { first, savepoint },
            Phase::Failed { savepoint: lost, .. } => *lost = savepoint.min(*lost),
        }
    }
}
