//! Reading one column of an object: as memory has it, or loaded on demand.

use std::fmt;
use std::future::IntoFuture;
use std::pin::Pin;

use super::Session;
use crate::error::{Error, Result};
use crate::load::load_column;
use crate::model::{Column, Handle, Model};
use crate::tracking::{ObjectId, State, Store, column_not_loaded};
use crate::value::ColumnType;

impl Session {
    /// The value of a column, as memory has it: what `session[handle].biography` holds, with an
    /// error where a [`Deferred`](crate::Deferred) column is not loaded.
    ///
    /// ```
    /// # use orm_core::{Deferred, Engine, Error, Model, SessionFactory, schema};
    /// # #[derive(Model)] struct Author { name: String, biography: Deferred<String> }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::connect("sqlite::memory:").await?;
    /// # engine.create_all(&schema![Author]).await?;
    /// # let sessions = SessionFactory::new(engine);
    /// # let mut session = sessions.session();
    /// # session.add(Author::draft().name("Ada").biography("Born in London."));
    /// # session.commit().await?;
    /// # let mut session = sessions.session();
    /// let ada = session.require::<Author>(1).await?;
    /// let unread = session.value(ada, Author::biography);
    /// assert!(matches!(unread, Err(Error::NotLoaded { field: "biography", .. })));
    /// session.load(ada, Author::biography).await?;
    /// assert_eq!(session.value(ada, Author::biography)?, "Born in London.");
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`Error::NotLoaded`] if the column is not loaded, if only the database can tell its value, or
    /// if the object is expired; [`Error::Detached`] if it is not in this session.
    pub fn value<M: Model, T: ColumnType>(
        &self,
        handle: Handle<M>,
        column: Column<M, T>,
    ) -> Result<&T> {
        self.expect_no_commit()?;
        value(&self.store, self.store.readable(handle)?, column)
    }

    /// The value of a column, which is loaded if it is [`Deferred`](crate::Deferred) and not loaded
    /// yet: in one statement for the object and those of its peers that lack it too, up to a hundred
    /// in all. Peers are the objects that the same query or flush brought in; `.alone()` leaves them
    /// out. Any other column is there already, and so is one that was assigned.
    ///
    /// ```
    /// # use orm_core::{Deferred, Engine, Model, SessionFactory, schema};
    /// # #[derive(Model)] struct Author { name: String, biography: Deferred<String> }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::connect("sqlite::memory:").await?;
    /// # engine.create_all(&schema![Author]).await?;
    /// # let sessions = SessionFactory::new(engine);
    /// # let mut session = sessions.session();
    /// # session.add(Author::draft().name("Ada").biography("Born in London."));
    /// # session.commit().await?;
    /// # let mut session = sessions.session();
    /// for author in Author::select().all(&mut session).await? {
    ///     // One statement, the first time.
    ///     let biography = session.load(author, Author::biography).await?;
    ///     println!("{}", biography.len());
    /// }
    /// let ada = session.require::<Author>(1).await?;
    /// assert_eq!(session.load(ada, Author::biography).alone().await?, "Born in London.");
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    ///
    /// A statement is preceded by a flush, and finds the rows whatever the session's criteria are.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the row is gone; [`Error::NotLoaded`] if the object is expired or
    /// pending, or if [`strict_loading`](crate::SessionFactory::strict_loading) forbids the
    /// statement; [`Error::Detached`] if the object is not in this session. The database's, and those
    /// of the flush.
    pub fn load<M: Model, T: ColumnType>(
        &mut self,
        handle: Handle<M>,
        column: Column<M, T>,
    ) -> LoadColumn<'_, M, T> {
        LoadColumn { session: self, handle, column, alone: false }
    }

    async fn load_column<M: Model>(
        &mut self,
        handle: Handle<M>,
        column: usize,
        alone: bool,
    ) -> Result<()> {
        self.ready().await?;
        let object = self.store.readable(handle)?;
        if self.store.is_column_loaded(object, column) {
            return Ok(());
        }
        let def = &M::__table().columns()[column];
        if self.strict_loading && self.store.header(object).state != State::Pending {
            return Err(Error::NotLoaded {
                model: M::__table().model(),
                field: def.field,
                hint: "`strict_loading` forbids to load it on demand: load it with the query by \
                       `.undefer(…)`",
            });
        }
        self.autoflush_changes().await?;
        // The flush may have told it, or deleted the object.
        let object = self.store.readable(handle)?;
        if !self.store.lacks_column(object, column) {
            return Ok(());
        }
        self.connect().await?;
        if let Some(connection) = &mut self.connection {
            let loaded = load_column(connection, &mut self.store, object, column, alone).await;
            self.check(loaded)?;
        }
        if self.store.lacks_column(object, column) {
            return Err(Error::NotFound {
                table: M::__table().name().into(),
                reason: format!("the row whose `{}` is to be loaded is gone", def.field).into(),
            });
        }
        Ok(())
    }
}

/// The value of a column of an object that may be read.
///
/// # Errors
/// `NotLoaded` if it is not loaded, or only the database can tell it.
pub(super) fn value<M: Model, T: ColumnType>(
    store: &Store,
    object: ObjectId,
    column: Column<M, T>,
) -> Result<&T> {
    let at = column.__index();
    let content = store.storage(object).column(object.slot, at).content();
    let content = content.filter(|_| !store.is_left_to_database(object, at));
    let value = content.and_then(|content| content.downcast_ref());
    value.ok_or_else(|| column_not_loaded(store, object, at))
}

/// A column of an object that is about to be read: what [`Session::load`] gives. Awaits to the value.
#[must_use = "a column is not loaded until this is awaited"]
pub struct LoadColumn<'s, M: Model, T> {
    session: &'s mut Session,
    handle: Handle<M>,
    column: Column<M, T>,
    alone: bool,
}

impl<M: Model, T> LoadColumn<'_, M, T> {
    /// Limits the load to this object, without its peers.
    pub fn alone(mut self) -> Self {
        self.alone = true;
        self
    }
}

impl<'s, M: Model, T: ColumnType> IntoFuture for LoadColumn<'s, M, T> {
    type Output = Result<&'s T>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 's>>;
    fn into_future(self) -> Self::IntoFuture {
        let Self { session, handle, column, alone } = self;
        Box::pin(async move {
            session.load_column(handle, column.__index(), alone).await?;
            session.value(handle, column)
        })
    }
}

impl<M: Model, T> fmt::Debug for LoadColumn<'_, M, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadColumn").field("column", &self.column).finish_non_exhaustive()
    }
}
