//! Views in a session.

use super::Session;
use super::engine_queries::fill;
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
