//! Running statements on a connection of sqlx: what is prepared, what is kept, and what is tried
//! once more.

use std::sync::Arc;

use futures_util::TryStreamExt;
use sqlx::{Arguments, AssertSqlSafe, Connection, Either, Executor, IntoArguments};

use super::pooled::Backend;
use super::{Done, RowSink};
use crate::error::{Error, Result};
use crate::sql::Statement;

/// What one connection has prepared.
#[derive(Debug)]
pub(super) struct Statements {
    /// Whether texts are prepared once and kept.
    keeps: bool,
    /// How many binds the statements have that are kept although they won't come again. What
    /// sqlx's pool had in between is not counted: there the size of the cache is the limit.
    kept_binds: usize,
}

impl Statements {
    pub(super) fn new(keeps: bool) -> Self {
        Self { keeps, kept_binds: 0 }
    }

    /// Runs a statement, as [`DriverConnection::run`](super::DriverConnection::run) has it.
    pub(super) async fn run<B>(
        &mut self,
        connection: &mut B::Connection,
        statement: Statement,
        may_repeat: bool,
        rows: &mut dyn RowSink,
    ) -> Result<Done>
    where
        B: Backend,
        for<'c> &'c mut B::Connection: Executor<'c, Database = B>,
        B::Arguments: IntoArguments<B> + Clone,
    {
        let Statement { text, binds, persistent, single_row, words } = statement;
        let binds_count = binds.len();
        // No single one of them takes all the room.
        let is_small = B::KEPT_BINDS > 0 && binds_count <= B::KEPT_BINDS / 8;
        let is_kept = is_small && !persistent && !words;
        if is_kept && self.kept_binds > B::KEPT_BINDS {
            self.kept_binds = 0;
            connection.clear_cached_statements().await.map_err(B::error)?;
        }
        let cached = connection.cached_statements_size();
        let arguments = B::encode(binds)?;
        let again = (may_repeat && B::HAS_SERVER).then(|| arguments.clone());
        let prepared = Prepared {
            text: Arc::clone(&text),
            arguments: (!(words && B::HAS_SERVER)).then_some(arguments),
            persistent: (persistent || is_kept) && self.keeps,
            single_row,
        };
        let error = match prepared.run::<B>(connection, rows).await {
            Ok(done) => {
                if is_kept && connection.cached_statements_size() > cached {
                    self.kept_binds += binds_count;
                }
                return Ok(done);
            }
            Err(Failure::Ours(error)) => return Err(error),
            Err(Failure::Sqlx(error)) => error,
        };
        if !B::is_outdated(&error) {
            return Err(B::error(error));
        }
        // Nothing prepared earlier may be trusted any more.
        connection.clear_cached_statements().await.map_err(B::error)?;
        let Some(arguments) = again else { return Err(B::error(error)) };
        let arguments = Some(arguments);
        // Under a name: what sqlx asks the server meanwhile would undo one without.
        let persistent = self.keeps;
        let prepared = Prepared { text, arguments, persistent, single_row };
        prepared.run::<B>(connection, rows).await.map_err(|failure| match failure {
            Failure::Ours(error) => error,
            Failure::Sqlx(error) => B::error(error),
        })
    }
}

/// A statement as sqlx takes it.
struct Prepared<A> {
    text: Arc<str>,
    /// None for words that the server takes as they are.
    arguments: Option<A>,
    persistent: bool,
    single_row: bool,
}

/// Who found something wrong.
enum Failure {
    Ours(Error),
    Sqlx(sqlx::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Sqlx(error)
    }
}

impl<A> Prepared<A> {
    async fn run<B>(
        self,
        connection: &mut B::Connection,
        rows: &mut dyn RowSink,
    ) -> std::result::Result<Done, Failure>
    where
        B: Backend<Arguments = A>,
        for<'c> &'c mut B::Connection: Executor<'c, Database = B>,
        A: IntoArguments<B> + Arguments<Database = B>,
    {
        // The one place where runtime SQL reaches sqlx. Its text comes from `crate::sql`, where
        // identifiers are quoted and values are binds, or from a user's raw query.
        let safe = AssertSqlSafe(Arc::clone(&self.text));
        let Some(arguments) = self.arguments else {
            let result = Executor::execute(connection, sqlx::raw_sql(safe)).await?;
            return Ok(B::done(&self.text, 0, &result));
        };
        let query = sqlx::query_with(safe, arguments).persistent(self.persistent);
        if self.single_row && B::ENDS_EARLY {
            // Not awaiting the end saves a change of threads.
            return match Executor::fetch_optional(connection, query).await? {
                Some(row) => {
                    B::read(&row, rows)?;
                    Ok(Done { rows: 1, first_key: None })
                }
                None => Ok(Done::default()),
            };
        }
        let mut steps = Executor::fetch_many(connection, query);
        let (mut returned, mut result) = (0, B::QueryResult::default());
        while let Some(step) = steps.try_next().await? {
            match step {
                Either::Left(end) => {
                    result.extend([end]);
                    if B::ENDS_EARLY {
                        // A text is one statement: its end needn't be awaited once more.
                        break;
                    }
                }
                Either::Right(row) => {
                    returned += 1;
                    B::read(&row, rows)?;
                    if rows.is_full() {
                        tokio::task::yield_now().await;
                    }
                }
            }
        }
        Ok(B::done(&self.text, returned, &result))
    }
}
