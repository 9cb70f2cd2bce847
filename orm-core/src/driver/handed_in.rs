//! Connections of sqlx that were handed in, with a transaction open on them, and go back as the
//! type that they came as.

use std::any::{Any, TypeId};

use futures_util::future::BoxFuture;
use sqlx::pool::PoolConnection;
use sqlx::{Executor, IntoArguments, Transaction};

use super::joined::{HandedIn, JoinedConnection, of_another_database, without_transaction};
use super::pooled::{Backend, close};
use super::statements::Statements;
use super::{Done, DriverConnection, RowSink};
use crate::error::{Error, Result};
use crate::sql::Statement;

/// What holds a connection of one database.
pub(super) trait Holder<B: Backend>: Send + 'static {
    /// The connection.
    fn connection(&mut self) -> &mut B::Connection;
    /// The type that was handed in.
    fn handed_in(&self) -> TypeId {
        TypeId::of::<Self>()
    }
    /// What was handed in.
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send>;
    /// Closes the connection, as far as its owner lets us.
    fn close(self: Box<Self>);
}

/// Erases the type of what was handed in, but not its database.
pub(super) fn hand_in<B: Backend>(holder: impl Holder<B>) -> HandedIn {
    let holder: Box<dyn Holder<B>> = Box::new(holder);
    HandedIn(Box::new(holder))
}

impl<B: Backend> Holder<B> for PoolConnection<B> {
    fn connection(&mut self) -> &mut B::Connection {
        self
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
    /// In the pool it would still be inside its transaction.
    fn close(self: Box<Self>) {
        close(*self);
    }
}

impl<B: Backend> Holder<B> for Transaction<'static, B> {
    fn connection(&mut self) -> &mut B::Connection {
        self
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
    /// sqlx rolls it back.
    fn close(self: Box<Self>) {}
}

impl<B: Backend> JoinedConnection for PoolConnection<B> {
    fn __hand_in(self) -> HandedIn {
        hand_in(self)
    }
}

impl<B: Backend> JoinedConnection for Transaction<'static, B> {
    fn __hand_in(self) -> HandedIn {
        hand_in(self)
    }
}

/// Takes a connection over, once it is known to be inside a transaction: there a savepoint can be
/// released again.
pub(super) async fn join<B>(
    connection: HandedIn,
    statements: Statements,
    settings: &str,
) -> Result<Box<dyn DriverConnection>>
where
    B: Backend,
    for<'c> &'c mut B::Connection: Executor<'c, Database = B>,
    B::Arguments: IntoArguments<B> + Clone,
{
    let holder = connection.0.downcast::<Box<dyn Holder<B>>>();
    let holder = *holder.map_err(|_| of_another_database())?;
    let mut joined = JoinedByUs { holder: Some(holder), statements };
    for words in ["SAVEPOINT orm_0", "RELEASE SAVEPOINT orm_0"] {
        let outcome = joined.run(Statement::words(words), false, &mut ()).await;
        outcome.map_err(|error| match error {
            Error::Database { .. } => without_transaction(),
            error => error,
        })?;
    }
    if let Some(holder) = &mut joined.holder {
        B::set_up(holder.connection(), settings).await?;
    }
    Ok(Box::new(joined))
}

/// A connection that was handed in, in use.
struct JoinedByUs<B: Backend> {
    /// There until it is given back or closed.
    holder: Option<Box<dyn Holder<B>>>,
    statements: Statements,
}

impl<B> DriverConnection for JoinedByUs<B>
where
    B: Backend,
    for<'c> &'c mut B::Connection: Executor<'c, Database = B>,
    B::Arguments: IntoArguments<B> + Clone,
{
    fn run<'a>(
        &'a mut self,
        statement: Statement,
        may_repeat: bool,
        rows: &'a mut dyn RowSink,
    ) -> BoxFuture<'a, Result<Done>> {
        Box::pin(async move {
            let Some(holder) = &mut self.holder else {
                return Err(Error::Connection("the connection is closed".to_owned()));
            };
            self.statements.run::<B>(holder.connection(), statement, may_repeat, rows).await
        })
    }

    fn live(&mut self) -> Option<&mut dyn Any> {
        self.holder.as_mut().map(|holder| holder.connection() as &mut dyn Any)
    }

    fn release(self: Box<Self>) {}

    fn discard(self: Box<Self>) {}

    fn into_handed_in(mut self: Box<Self>, handed_in: TypeId) -> Option<Box<dyn Any + Send>> {
        self.holder.take_if(|holder| holder.handed_in() == handed_in).map(Holder::into_any)
    }
}

impl<B: Backend> Drop for JoinedByUs<B> {
    fn drop(&mut self) {
        if let Some(holder) = self.holder.take() {
            holder.close();
        }
    }
}
