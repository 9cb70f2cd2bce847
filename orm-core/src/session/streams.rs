//! Streams: results that are never in memory as a whole.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, Stream, StreamExt};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::engine_queries::{fill, load_graph};
use super::listing::Listing;
use super::walk::Walk;
use super::{Graph, OnEngine};
use crate::driver::{Engine, RowSink};
use crate::error::{Error, Result};
use crate::load::{KEYS_PER_STATEMENT, OwnerKey};
use crate::model::{Entity, Model};
use crate::query::{Rows, Select, View, Views};
use crate::value::Cells;

/// How many rows are decoded before whoever reads them goes on.
const ROWS_AT_ONCE: usize = 64;

/// The items of a query as they come from the database: what `stream()` on an engine gives.
///
/// It is a `futures::Stream`, and has [`next`](Self::next) for whoever needs no more. Memory stays
/// bounded however many items there are: the database is read no further than items are taken. It
/// holds a connection of the pool from the first item to the last; dropping it before ends that, and
/// closes a connection on which rows are still under way.
///
/// ```
/// # use orm_core::{Engine, Model, SessionFactory, schema};
/// # #[derive(Model)] struct User { name: String }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let engine = Engine::connect("sqlite::memory:").await?;
/// # engine.create_all(&schema![User]).await?;
/// # let mut session = SessionFactory::new(engine.clone()).session();
/// # session.add_all(["ada", "bob"].map(|name| User::draft().name(name)));
/// # session.commit().await?;
/// let mut users = User::select().order_by(User::name.asc()).on(&engine).stream();
/// # let mut names = Vec::new();
/// while let Some(user) = users.next().await {
///     println!("{}", user?.name);
///     # names.push(());
/// }
/// # assert_eq!(names.len(), 2);
/// # Ok::<(), orm_core::Error>(()) }).unwrap();
/// ```
///
/// An error is the last item.
#[must_use = "a stream reads nothing until it is polled"]
pub struct RowStream<T> {
    /// Reads, and sends what it read; gone once it is over.
    reading: Option<BoxFuture<'static, Result<()>>>,
    items: UnboundedReceiver<T>,
    /// The error that comes behind the items that were read before it.
    error: Option<Error>,
}

impl<T: Send + 'static> RowStream<T> {
    /// A stream of what a future sends. It is polled only when all that it sent has been taken, so
    /// that it decides by its pauses how much waits.
    fn of<F>(read: impl FnOnce(UnboundedSender<T>) -> F) -> Self
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let (sender, items) = unbounded_channel();
        Self { reading: Some(read(sender).boxed()), items, error: None }
    }

    /// The rows of one statement.
    fn of_statement<D>(engine: Engine, listing: Result<Listing<D>>) -> Self
    where
        D: FnMut(&dyn Cells) -> Result<T> + Send + 'static,
    {
        Self::of(|sender| async move {
            let listing = listing?;
            let mut connection = engine.reader().await?;
            let (statement, decode) = listing.render(&connection)?;
            let mut rows = Sending { decode, sender, sent: 0 };
            connection.run(statement, &mut rows).await.map(drop)
        })
    }

    /// The next item, or `None` behind the last.
    pub async fn next(&mut self) -> Option<Result<T>> {
        StreamExt::next(self).await
    }
}

impl<T: Send + 'static> Stream for RowStream<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        loop {
            if let Ok(item) = self.items.try_recv() {
                return Poll::Ready(Some(Ok(item)));
            }
            let Some(reading) = &mut self.reading else {
                return Poll::Ready(self.error.take().map(Err));
            };
            let polled = reading.poll_unpin(context);
            if polled.is_pending()
                && let Ok(item) = self.items.try_recv()
            {
                return Poll::Ready(Some(Ok(item)));
            }
            self.error = ready!(polled).err();
            self.reading = None;
        }
    }
}

impl<T> fmt::Debug for RowStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_over = self.reading.is_none();
        f.debug_struct("RowStream").field("is_over", &is_over).finish_non_exhaustive()
    }
}

/// Decodes rows, and pauses after some.
struct Sending<T, D> {
    decode: D,
    sender: UnboundedSender<T>,
    sent: usize,
}

impl<T, D> RowSink for Sending<T, D>
where
    T: Send,
    D: FnMut(&dyn Cells) -> Result<T> + Send,
{
    fn row(&mut self, cells: &dyn Cells) -> Result<()> {
        self.sent += 1;
        send(&self.sender, (self.decode)(cells)?)
    }

    fn pauses(&self) -> bool {
        true
    }

    fn is_full(&self) -> bool {
        self.sent.is_multiple_of(ROWS_AT_ONCE)
    }
}

/// Hands an item to the stream, which is there as long as the future is that calls this.
fn send<T>(sender: &UnboundedSender<T>, item: T) -> Result<()> {
    sender.send(item).map_err(|_| Error::misuse("nobody takes the items of this stream"))
}

impl<M: Model, Scope: 'static> OnEngine<'_, Select<M, Scope>> {
    /// The rows as a stream of owned entities, by one statement. Their relationship fields are not
    /// loaded: [`graphs`](Self::graphs) loads relationships.
    ///
    /// # Errors
    /// The stream gives the database's, as its last item.
    pub fn stream(self) -> RowStream<Entity<M>> {
        RowStream::of_statement(self.engine.clone(), self.query.into_listing())
    }

    /// The rows as a stream of graphs of so many roots each, with the relationships that the query
    /// and the models ask for.
    ///
    /// Each graph is read by statements of its own, and begins behind the last row of the one
    /// before, as [`after`](Self::after) does: rows that come, change or go meanwhile shift nothing.
    ///
    /// ```
    /// # use orm_core::{BelongsTo, Engine, HasMany, Model, SessionFactory, schema};
    /// # #[derive(Model)] struct User { name: String, #[orm(back_populates = user)] posts: HasMany<Post> }
    /// # #[derive(Model)] struct Post { title: String, #[orm(foreign_key = User)] user_id: i64,
    /// #   #[orm(back_populates = posts)] user: BelongsTo<User> }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::connect("sqlite::memory:").await?;
    /// # engine.create_all(&schema![User, Post]).await?;
    /// let mut graphs = User::select().with(User::posts).on(&engine).graphs(500);
    /// while let Some(graph) = graphs.next().await {
    ///     let graph = graph?;
    ///     for user in graph.roots() {
    ///         println!("{} {}", graph[user].name, graph.members(user, User::posts)?.len());
    ///     }
    /// }
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// The stream gives the database's, as its last item, and [`Error::Misuse`] for an order by
    /// which rows have no places.
    pub fn graphs(self, size: u64) -> RowStream<Graph<M>> {
        let (engine, query) = (self.engine.clone(), self.query.query);
        RowStream::of(move |sender| async move {
            let mut walk = Walk::new(query, size, None, engine.dialect())?;
            let mut connection = engine.reader().await?;
            while let Some(part) = walk.next()? {
                let order = OwnerKey::Order(part.order.clone());
                let query = part.query.clone();
                let (store, loaded) = load_graph(&mut connection, query, order).await?;
                walk.advance(&part, loaded.len(), loaded.last().map(|last| &last.owner[..]));
                if !loaded.is_empty() {
                    let roots = loaded.iter().map(|loaded| store.handle(loaded.object)).collect();
                    send(&sender, Graph { store, roots })?;
                    tokio::task::yield_now().await;
                }
            }
            Ok(())
        })
    }
}

impl<R: 'static, Scope: 'static, Owned: Send + 'static> OnEngine<'_, Rows<R, Scope, Owned>> {
    /// The rows as a stream, by one statement.
    ///
    /// # Errors
    /// The stream gives the database's, as its last item.
    pub fn stream(self) -> RowStream<Owned> {
        RowStream::of_statement(self.engine.clone(), self.query.into_listing())
    }
}

impl<V: View, Scope: Send + 'static> OnEngine<'_, Views<V, Scope>> {
    /// The views as a stream. They are read a thousand at a time, with one statement for each
    /// relationship and level below them, and each time from behind the last view on, as
    /// [`after`](Self::after) does.
    ///
    /// # Errors
    /// The stream gives the database's, as its last item, and [`Error::Misuse`] for an order by
    /// which views have no places.
    pub fn stream(self) -> RowStream<V> {
        /// How many views are read at a time.
        const VIEWS_AT_ONCE: u64 = 1_000;
        let (engine, views) = (self.engine.clone(), self.query);
        RowStream::of(move |sender| async move {
            views.query.check()?;
            let mut walk = Walk::new(views.query, VIEWS_AT_ONCE, None, engine.dialect())?;
            let mut connection = engine.reader().await?;
            while let Some(part) = walk.next()? {
                let views = Views::<V, Scope>::new(part.query.clone());
                let mut loading =
                    views.loading_with_places(part.order.clone(), KEYS_PER_STATEMENT)?;
                fill(&mut connection, &mut loading).await?;
                let placed = loading.finish_with_places::<V>()?;
                walk.advance(&part, placed.len(), placed.last().map(|(_, place)| &place[..]));
                for (view, _) in placed {
                    send(&sender, view)?;
                }
                tokio::task::yield_now().await;
            }
            Ok(())
        })
    }
}
