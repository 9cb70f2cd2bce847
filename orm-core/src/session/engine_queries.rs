//! Queries without a session: owned rows, tuples, views, or a read-only graph.

use std::fmt;

use super::Graph;
use super::queries::decode_count;
use super::target::{QueryTarget, Target};
use crate::driver::{Connection, EachRow, Engine};
use crate::error::Result;
use crate::load::{
    EntityQuery, KEYS_PER_STATEMENT, Loaded, Loader, OwnerKey, load_entities, plan_loads,
};
use crate::model::{Entity, Model};
use crate::query::{Loading, Query, Rows, Select, View, Views};
use crate::sql;
use crate::tracking::Store;
use crate::value::Cells;

/// A query that runs on an engine, each statement on a connection of the pool, without a session:
/// for the reads that most requests are.
#[must_use = "a query does nothing until a verb such as `all` runs it"]
pub struct OnEngine<'e, Q> {
    pub(super) query: Q,
    pub(super) engine: &'e Engine,
}

impl<Q> fmt::Debug for OnEngine<'_, Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnEngine").field("engine", self.engine).finish_non_exhaustive()
    }
}

impl<M: Model, Scope> Select<M, Scope> {
    /// The same query without a session: owned entities, or a [`Graph`] with relationships. On a
    /// [`SessionFactory`](super::SessionFactory) it keeps to the factory's
    /// [criteria](super::SessionFactory::with_criteria); an engine shows every row.
    pub fn on(self, target: &(impl QueryTarget + ?Sized)) -> OnEngine<'_, Self> {
        let Target { engine, criteria } = target.__target();
        OnEngine { query: self.under(&criteria), engine }
    }
}

impl<R, Scope, Owned> Rows<R, Scope, Owned> {
    /// The same query without a session, on an engine or, under its criteria, on a factory.
    /// [Entities](crate::query::entity) among the columns are owned, without relationships.
    pub fn on(self, target: &(impl QueryTarget + ?Sized)) -> OnEngine<'_, Self> {
        let Target { engine, criteria } = target.__target();
        OnEngine { query: self.under(&criteria), engine }
    }
}

impl<V: View, Scope> Views<V, Scope> {
    /// The query on an engine or, under its criteria, on a factory.
    pub fn on(self, target: &(impl QueryTarget + ?Sized)) -> OnEngine<'_, Self> {
        let Target { engine, criteria } = target.__target();
        OnEngine { query: self.under(&criteria), engine }
    }
}

impl<M: Model, Scope> OnEngine<'_, Select<M, Scope>> {
    /// All rows as owned entities, in the query's order. Their relationship fields are not
    /// loaded: [`graph`](Self::graph) loads relationships.
    ///
    /// # Errors
    /// The database's.
    pub async fn all(self) -> Result<Vec<Entity<M>>> {
        let listing = self.query.into_listing()?;
        listing.read(&mut self.engine.reader().await?).await
    }

    /// The rows as a read-only graph, with the relationships that the query and the models ask
    /// for.
    ///
    /// # Errors
    /// The database's.
    pub async fn graph(self) -> Result<Graph<M>> {
        self.query.query.check()?;
        let mut connection = self.engine.reader().await?;
        let (store, loaded) = load_graph(&mut connection, self.query.query, OwnerKey::None).await?;
        let roots = loaded.into_iter().map(|loaded| store.handle(loaded.object)).collect();
        Ok(Graph { store, roots })
    }
}

impl<R, Scope, Owned: Send> OnEngine<'_, Rows<R, Scope, Owned>> {
    /// All rows, in the query's order.
    ///
    /// # Errors
    /// The database's.
    pub async fn all(self) -> Result<Vec<Owned>> {
        let listing = self.query.into_listing()?;
        listing.read(&mut self.engine.reader().await?).await
    }
}

impl<V: View, Scope> OnEngine<'_, Views<V, Scope>> {
    /// All views, in the query's order.
    ///
    /// # Errors
    /// The database's.
    pub async fn all(self) -> Result<Vec<V>> {
        let mut loading = self.query.loading(KEYS_PER_STATEMENT)?;
        let mut connection = self.engine.reader().await?;
        fill(&mut connection, &mut loading).await?;
        loading.finish()
    }
}

/// Loads a query's objects, with the relationships that it and the models ask for, into a store of
/// their own.
pub(super) async fn load_graph(
    connection: &mut Connection,
    query: Query,
    owner_key: OwnerKey,
) -> Result<(Store, Vec<Loaded>)> {
    query.check()?;
    let mut store = Store::default();
    let undeferred = query.undeferred();
    let Query { tree: select, table, options, criteria, .. } = query;
    let nodes = plan_loads(table, &options)?;
    let mut loader =
        Loader { connection, store: &mut store, criteria: &criteria, populate_existing: false };
    let (nodes, at_most_one) = (&nodes[..], select.limit == Some(1));
    let query = EntityQuery { table, select, undeferred, nodes, at_most_one, owner_key };
    let loaded = load_entities(&mut loader, query).await?.loaded;
    Ok((store, loaded))
}

/// Runs the statements that fill views.
pub(super) async fn fill(connection: &mut Connection, loading: &mut Loading) -> Result<()> {
    while let Some(tree) = loading.next_statement()? {
        let statement = connection.render(&tree)?;
        let mut rows = EachRow(|cells: &dyn Cells| loading.accept(cells));
        connection.run(statement, &mut rows).await?;
    }
    Ok(())
}

pub(super) async fn exists(engine: &Engine, query: &Query) -> Result<bool> {
    if query.tree.offset.is_some() {
        return Ok(count(engine, &query.first()).await? > 0);
    }
    query.check()?;
    let mut exists = false;
    run(engine, &query.exists_tree(), |_| {
        exists = true;
        Ok(())
    })
    .await?;
    Ok(exists)
}

pub(super) async fn count(engine: &Engine, query: &Query) -> Result<u64> {
    query.check()?;
    let mut total = 0;
    run(engine, &query.count_tree(), |cells| {
        total = query.counted(decode_count(cells)?);
        Ok(())
    })
    .await?;
    Ok(total)
}

async fn run(
    engine: &Engine,
    tree: &sql::Select,
    row: impl FnMut(&dyn Cells) -> Result<()> + Send,
) -> Result<()> {
    let mut connection = engine.reader().await?;
    let mut statement = connection.render(tree)?;
    statement.single_row = tree.limit == Some(1);
    connection.run(statement, &mut EachRow(row)).await?;
    Ok(())
}
