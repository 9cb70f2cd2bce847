//! What writes give back of their rows: objects, or columns.

use std::fmt;

use super::insert::{Insert, Wanted};
use super::target::Target;
use super::{OnEngine, QueryTarget, Session, SessionFactory};
use crate::error::Result;
use crate::model::{Entity, Handle, Model};
use crate::query::{Delete, Projection, ReturnedColumns, Update};

/// A write that gives the objects of its rows: what `returning()` of an [`Insert`] or an [`Update`]
/// gives.
#[must_use = "a statement does nothing until `all` runs it"]
pub struct Returning<S>(S);

/// A write that gives columns of its rows, as an `R` each: what `returning_columns(…)` of an
/// [`Insert`], an [`Update`] or a [`Delete`] gives.
#[must_use = "a statement does nothing until `all` runs it"]
pub struct ReturningColumns<S, R> {
    statement: S,
    columns: ReturnedColumns<R>,
}

/// The verbs of a write that gives columns.
macro_rules! columns {
    ([$($generics:tt)*] $statement:ty, $write:ident) => {
        impl<$($generics)*> $statement {
            /// Gives columns of the rows that were written: one, or a tuple of columns. An INSERT
            /// gives them in the order of its rows, skipping those that were left as they are; the
            /// others in no particular order, an UPDATE as they are afterwards.
            ///
            /// Where the database has no RETURNING for the statement, they are read in the same
            /// transaction, with the rows locked.
            ///
            /// ```
            /// # use orm_core::{Engine, Model, SessionFactory, schema};
            /// # #[derive(Model)] struct User { #[orm(unique, length = 80)] email: String, name: String }
            /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            /// # let engine = Engine::connect("sqlite::memory:").await?;
            /// # engine.create_all(&schema![User]).await?;
            /// # let mut session = SessionFactory::new(engine.clone()).session();
            /// let ids: Vec<(i64, String)> = User::insert([User::draft().email("a@x.org").name("ada")])
            ///     .returning_columns((User::id, User::email))
            ///     .all(&mut session)
            ///     .await?;
            /// # session.commit().await?;
            /// let gone: Vec<String> = User::delete()
            ///     .filter(User::id.eq(ids[0].0))
            ///     .returning_columns(User::email)
            ///     .on(&engine)
            ///     .all()
            ///     .await?;
            /// assert_eq!(gone, ["a@x.org"]);
            /// # Ok::<(), orm_core::Error>(()) }).unwrap();
            /// ```
            pub fn returning_columns<P, At, R>(self, columns: P) -> ReturningColumns<Self, R>
            where
                P: Projection<(M, ()), At, Row = R, Owned = R>,
            {
                ReturningColumns { statement: self, columns: ReturnedColumns::new(columns) }
            }
        }

        impl<R, $($generics)*> ReturningColumns<$statement, R> {
            /// Runs the statement, after a flush, and gives the columns of its rows.
            ///
            /// # Errors
            /// [`Error::Misuse`](crate::Error::Misuse) if anything but columns was asked for; those
            /// of the statement.
            pub async fn all(self, session: &mut Session) -> Result<Vec<R>> {
                let columns = self.columns.positions()?.to_vec();
                let written = session.$write(self.statement, Wanted::Columns(columns)).await?;
                written.values.iter().map(|row| self.columns.decode(row)).collect()
            }

            /// The same statement without a session, in a transaction of its own: on an engine or,
            /// under its criteria, on a factory.
            pub fn on(self, target: &(impl QueryTarget + ?Sized)) -> OnEngine<'_, Self> {
                let Target { engine, criteria } = target.__target();
                let query = Self { statement: self.statement.under(&criteria), ..self };
                OnEngine { query, engine }
            }
        }

        impl<R, $($generics)*> OnEngine<'_, ReturningColumns<$statement, R>> {
            /// Runs the statement and commits; gives the columns of its rows.
            ///
            /// # Errors
            /// As on a session, without a flush.
            pub async fn all(self) -> Result<Vec<R>> {
                let mut session = SessionFactory::new(self.engine.clone()).session();
                let rows = self.query.all(&mut session).await?;
                session.commit().await?;
                Ok(rows)
            }
        }
    };
}

/// The verbs of a write that gives objects.
macro_rules! objects {
    ([$($generics:tt)*] $statement:ty, $write:ident) => {
        impl<$($generics)*> $statement {
            /// Gives the objects of the rows that were written. An INSERT gives them in the order
            /// of its rows, skipping those that were left as they are, an UPDATE in no particular
            /// order.
            ///
            /// Where the database has no RETURNING for the statement, the rows are read in the same
            /// transaction, locked.
            pub fn returning(self) -> Returning<Self> {
                Returning(self)
            }
        }

        impl<$($generics)*> Returning<$statement> {
            /// Runs the statement, after a flush, and gives the objects of its rows.
            ///
            /// # Errors
            /// Those of the statement.
            pub async fn all(self, session: &mut Session) -> Result<Vec<Handle<M>>> {
                let written = session.$write(self.0, Wanted::Objects).await?;
                let handle = |object| session.store.handle(object);
                Ok(written.objects.into_iter().map(handle).collect())
            }

            /// The same statement without a session, in a transaction of its own: on an engine or,
            /// under its criteria, on a factory.
            pub fn on(self, target: &(impl QueryTarget + ?Sized)) -> OnEngine<'_, Self> {
                let Target { engine, criteria } = target.__target();
                OnEngine { query: Self(self.0.under(&criteria)), engine }
            }
        }

        impl<$($generics)*> OnEngine<'_, Returning<$statement>> {
            /// Runs the statement and commits; gives its rows as owned entities.
            ///
            /// # Errors
            /// As on a session, without a flush.
            pub async fn all(self) -> Result<Vec<Entity<M>>> {
                let mut session = SessionFactory::new(self.engine.clone()).session();
                let objects = self.query.all(&mut session).await?;
                session.commit().await?;
                objects.into_iter().map(|object| session.take(object)).collect()
            }
        }
    };
}

columns!([M: Model, Existing] Insert<M, Existing>, insert_rows);
columns!([M: Model] Update<M>, write_rows);
columns!([M: Model] Delete<M>, write_rows);
objects!([M: Model, Existing] Insert<M, Existing>, insert_rows);
objects!([M: Model] Update<M>, write_rows);

impl<S: fmt::Debug> fmt::Debug for Returning<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Returning").field(&self.0).finish()
    }
}

impl<S: fmt::Debug, R> fmt::Debug for ReturningColumns<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReturningColumns").field(&self.statement).finish()
    }
}
