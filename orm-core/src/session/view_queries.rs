//! The verbs of views on a session.

use super::Session;
use super::engine_queries::fill;
use super::queries::{at_most_one, limit_to, no_row};
use crate::error::Result;
use crate::load::KEYS_PER_STATEMENT;
use crate::query::{Loading, View, Views};

impl<V: View, Scope> Views<V, Scope> {
    /// All views, in the order of the query, as the database has them. Flushes first.
    ///
    /// # Errors
    /// The database's, and those of the flush.
    pub async fn all(self, session: &mut Session) -> Result<Vec<V>> {
        let mut loading = self.under(&session.criteria).loading(KEYS_PER_STATEMENT)?;
        session.fill(&mut loading).await?;
        loading.finish()
    }

    /// The only view.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) without one,
    /// [`Error::MultipleFound`](crate::Error::MultipleFound) with several; the database's, and
    /// those of the flush.
    pub async fn one(self, session: &mut Session) -> Result<V> {
        self.one_or_none(session).await?.ok_or_else(|| no_row::<V::Of>("the query found none"))
    }

    /// The only view, or `None`.
    ///
    /// # Errors
    /// [`Error::MultipleFound`](crate::Error::MultipleFound) with several; the database's, and
    /// those of the flush.
    pub async fn one_or_none(mut self, session: &mut Session) -> Result<Option<V>> {
        limit_to(&mut self.query, 2);
        let table = self.query.table;
        at_most_one(table, self.all(session).await?)
    }

    /// The first view, or `None`.
    ///
    /// # Errors
    /// The database's, and those of the flush.
    pub async fn first(mut self, session: &mut Session) -> Result<Option<V>> {
        limit_to(&mut self.query, 1);
        Ok(self.all(session).await?.into_iter().next())
    }

    /// How many views there are. Flushes first.
    ///
    /// # Errors
    /// The database's, and those of the flush.
    pub async fn count(self, session: &mut Session) -> Result<u64> {
        session.count(&self.query).await
    }

    /// Whether there are any. Flushes first.
    ///
    /// # Errors
    /// The database's, and those of the flush.
    pub async fn exists(self, session: &mut Session) -> Result<bool> {
        session.exists(&self.query).await
    }
}

impl Session {
    /// Runs the statements that fill views.
    pub(super) async fn fill(&mut self, loading: &mut Loading) -> Result<()> {
        self.prepare_to_read().await?;
        let Some(connection) = &mut self.connection else { return Ok(()) };
        let filled = fill(connection, loading).await;
        self.check(filled)
    }
}
