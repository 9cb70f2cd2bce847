//! Bulk statements: on a session, whose objects follow, and on an engine.

use super::insert::{Wanted, Written};
use super::target::{QueryTarget, Target};
use super::{OnEngine, Session};
use crate::driver::Connection;
use crate::error::Result;
use crate::flush::bulk;
use crate::model::{ColumnSet, Model, RowLayout};
use crate::query::{Bulk, BulkStatement, Delete, Update};

impl Session {
    /// Runs an UPDATE or a DELETE of the rows that a condition finds, and gives their number.
    /// Flushes first, begins the transaction, and lets the objects of the session follow:
    /// [`Update`] and [`Delete`] say how. The verb is
    /// [`statement.execute(&mut session)`](Update::execute) too.
    ///
    /// Where the database gives back what such a statement wrote, it runs alone. Elsewhere, and if
    /// the session holds objects of the table, a SELECT locks the rows before it and, if anything
    /// was computed for such objects, another reads that.
    ///
    /// ```
    /// # use orm_core::{Engine, Model, SessionFactory, schema};
    /// # #[derive(Model)] struct User { email: String, #[orm(default = true)] active: bool }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::connect("sqlite::memory:").await?;
    /// # engine.create_all(&schema![User]).await?;
    /// let mut session = SessionFactory::new(engine).session();
    /// let ada = session.add(User::draft().email("ada@example.com"));
    /// let expired = User::update().set(User::active, false).filter(User::email.ends_with(".com"));
    /// assert_eq!(session.execute(expired).await?, 1);
    /// assert!(!session[ada].active);
    /// session.commit().await?;
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// Before any SQL: [`Error::Misuse`](crate::Error::Misuse) if the statement sets nothing, a
    /// column of the primary key or the version, [`Error::Type`](crate::Error::Type) for a value
    /// that its column can't hold. Those of the flush, and the database's, which roll back as those
    /// of a flush do.
    pub async fn execute(&mut self, statement: impl Bulk) -> Result<u64> {
        Ok(self.write_rows(statement, Wanted::Number).await?.rows)
    }

    pub(super) async fn write_rows(
        &mut self,
        statement: impl Bulk,
        wanted: Wanted,
    ) -> Result<Written> {
        let BulkStatement(mut write) = statement.__bulk();
        let table = write.table;
        bulk::check(&write, self.engine.dialect())?;
        write.restrict(&self.criteria);
        write.returning = match &wanted {
            Wanted::Number => Vec::new(),
            Wanted::Objects => table.selected(&ColumnSet::default()).collect(),
            Wanted::Columns(columns) => columns.clone(),
        };
        self.ready().await?;
        self.autoflush_changes().await?;
        self.begin().await?;
        let Some(connection) = &mut self.connection else { return Ok(Written::default()) };
        let mut outcome = match bulk::run(connection, &self.store, write.clone()).await {
            Ok(outcome) => outcome,
            Err(error) if self.connection.as_ref().and_then(Connection::failed_at).is_some() => {
                return self.fail_flush(error).await;
            }
            // It was found before the database was asked.
            Err(error) => return Err(error),
        };
        let (rows, values) = (outcome.rows, std::mem::take(&mut outcome.returned));
        let settled = bulk::settle(&mut self.store, write, outcome, self.engine.dialect());
        let objects = settled.and_then(|()| match wanted {
            Wanted::Objects => {
                let layout = RowLayout::new(table, 0, &ColumnSet::default());
                bulk::settle_rows(&mut self.store, table, &values, &layout, true)
            }
            Wanted::Number | Wanted::Columns(_) => Ok(Vec::new()),
        });
        match objects {
            Ok(objects) => Ok(Written { rows, objects, values }),
            Err(error) => self.fail_flush(error).await,
        }
    }
}

/// The verbs of both statements.
macro_rules! verbs {
    ($type:ident) => {
        impl<M: Model, Rows> $type<M, Rows> {
            /// Runs the statement, after a flush, and gives the number of rows that it found. The
            /// objects of the session follow.
            ///
            /// # Errors
            /// As [`Session::execute`], which is this verb's other form.
            pub async fn execute(self, session: &mut Session) -> Result<u64>
            where
                Self: Bulk,
            {
                session.execute(self).await
            }

            /// The same statement without a session, in a transaction of its own: on an engine or,
            /// under its criteria, on a factory.
            pub fn on(self, target: &(impl QueryTarget + ?Sized)) -> OnEngine<'_, Self> {
                let Target { engine, criteria } = target.__target();
                OnEngine { query: self.under(&criteria), engine }
            }
        }
    };
}

verbs!(Update);
verbs!(Delete);

impl<B: Bulk> OnEngine<'_, B> {
    /// Runs the statement and commits; gives the number of rows that it found.
    ///
    /// ```
    /// # use orm_core::{Engine, Model, SessionFactory, schema};
    /// # #[derive(Model)] struct User { email: String, #[orm(default = true)] active: bool }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::connect("sqlite::memory:").await?;
    /// # engine.create_all(&schema![User]).await?;
    /// let deleted = User::delete().filter(User::active.eq(false)).on(&engine).execute().await?;
    /// assert_eq!(deleted, 0);
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// As [`Session::execute`], without a flush.
    pub async fn execute(self) -> Result<u64> {
        let BulkStatement(write) = self.query.__bulk();
        bulk::check(&write, self.engine.dialect())?;
        let mut connection = self.engine.connection().await?;
        connection.begin().await?;
        let rows = bulk::run_alone(&mut connection, write).await?;
        connection.commit().await?;
        Ok(rows)
    }
}
