//! Batches: a session going through more objects than fit into memory.

use std::fmt;
use std::marker::PhantomData;

use super::Session;
use super::walk::Walk;
use crate::error::Result;
use crate::model::{Handle, Model};
use crate::query::{Cursor, Query, Select};

impl<M: Model, Scope> Select<M, Scope> {
    /// Goes through all objects of the query, so many at a time. Between two batches nothing is
    /// borrowed and nothing is open: the session may edit, commit and forget.
    ///
    /// ```
    /// # use orm_core::{Engine, Model, SessionFactory, schema};
    /// # #[derive(Model)] struct User { email: String, #[orm(default = 0)] visits: i64 }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::connect("sqlite::memory:").await?;
    /// # engine.create_all(&schema![User]).await?;
    /// # let mut session = SessionFactory::new(engine).session();
    /// # session.add_all((0..5).map(|n| User::draft().email(format!("{n}@example.org"))));
    /// # session.commit().await?;
    /// let mut batches = User::select().filter(User::visits.eq(0)).batches(2);
    /// while let Some(users) = batches.next(&mut session).await? {
    ///     for user in users {
    ///         session[user].visits = 1;
    ///     }
    ///     session.commit().await?;
    ///     session.expunge_all();
    /// }
    /// # assert_eq!(User::select().filter(User::visits.eq(1)).count(&mut session).await?, 5);
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    ///
    /// Each batch is one statement, and as many again as relationships are loaded with it. It begins
    /// behind the last row of the batch before, as [`after`](Self::after) does: others that come or
    /// go meanwhile shift nothing, and an object is met twice, or not at all, only if a change of
    /// what it is ordered by moves it past that row. A limit of the query's own counts all batches
    /// together.
    ///
    /// The concept is Rails' `find_in_batches`, and `yield_per` of SQLAlchemy without an open result.
    pub fn batches(self, size: u64) -> Batches<M> {
        Batches { query: self.query, size, position: None, walk: None, of: PhantomData }
    }
}

/// A query that is gone through in batches: what [`Select::batches`] gives.
#[must_use = "nothing is read until `next` is called"]
pub struct Batches<M> {
    query: Query,
    size: u64,
    position: Option<Cursor>,
    /// Once it has begun, on a database whose habits are known then.
    walk: Option<Walk>,
    of: PhantomData<fn() -> M>,
}

impl<M: Model> Batches<M> {
    /// Begins behind a place where [another run](Self::position) had come to. A query with an offset
    /// doesn't skip rows again.
    pub fn resume(mut self, from: Cursor) -> Self {
        self.position = Some(from);
        self.walk = None;
        self
    }

    /// The next objects, at most so many as was asked for; `None` when all have been met. Flushes
    /// first.
    ///
    /// After an error, and after a call that was dropped, the next call tries the same batch.
    ///
    /// # Errors
    /// [`Error::InvalidCursor`](crate::Error::InvalidCursor) if it was to resume from a place in
    /// another order; [`Error::Misuse`](crate::Error::Misuse) for batches of nothing and for an
    /// order by which rows have no places; the database's, and those of the flush.
    pub async fn next(&mut self, session: &mut Session) -> Result<Option<Vec<Handle<M>>>> {
        let walk = match &mut self.walk {
            Some(walk) => walk,
            None => {
                let (query, position) = (self.query.clone(), self.position.clone());
                let dialect = session.engine.dialect();
                self.walk.insert(Walk::new(query, self.size, position, dialect)?)
            }
        };
        let Some(part) = walk.next()? else { return Ok(None) };
        let placed = session.load_with_places(part.query.clone(), part.order.clone()).await?;
        walk.advance(&part, placed.len(), placed.last().map(|(_, place)| &place[..]));
        if placed.is_empty() {
            return Ok(None);
        }
        Ok(Some(placed.into_iter().map(|(object, _)| session.store.handle(object)).collect()))
    }

    /// The place of the last object that was met, where another run can [resume](Self::resume),
    /// also in another process.
    pub fn position(&self) -> Option<&Cursor> {
        match &self.walk {
            Some(walk) => walk.position(),
            None => self.position.as_ref(),
        }
    }
}

impl<M> fmt::Debug for Batches<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { query, size, .. } = self;
        f.debug_struct("Batches").field("query", query).field("size", size).finish_non_exhaustive()
    }
}
