//! Queries without a session: owned rows, tuples, views, or a read-only graph.

use std::fmt;

use super::Graph;
use super::queries::{at_most_one, decode_count, decode_row, first_of, limit_to, no_row};
use crate::driver::{Connection, EachRow, Engine};
use crate::error::{Error, Result};
use crate::load::{EntityQuery, KEYS_PER_STATEMENT, OwnerKey, load_entities, plan_loads};
use crate::model::{Entity, HookContext, HookOperation, Info, Model};
use crate::query::{Page, Query, Rows, Select, View, Views};
use crate::sql::{self, Source, render_select};
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
    /// The same query without a session: owned entities, or a [`Graph`] with relationships.
    pub fn on(self, engine: &Engine) -> OnEngine<'_, Self> {
        OnEngine { query: self, engine }
    }
}

impl<R, Scope> Rows<R, Scope> {
    /// The same query without a session.
    pub fn on(self, engine: &Engine) -> OnEngine<'_, Self> {
        OnEngine { query: self, engine }
    }
}

impl<V: View, Scope> Views<V, Scope> {
    /// The query on an engine.
    pub fn on(self, engine: &Engine) -> OnEngine<'_, Self> {
        OnEngine { query: self, engine }
    }
}

impl<M: Model, Scope> OnEngine<'_, Select<M, Scope>> {
    /// All rows as owned entities, in the query's order. Their relationship fields are not
    /// loaded: [`graph`](Self::graph) loads relationships.
    ///
    /// # Errors
    /// The database's.
    pub async fn all(self) -> Result<Vec<Entity<M>>> {
        let query = &self.query.query;
        query.check()?;
        let mut tree = query.tree.clone();
        tree.select_all(query.table, Source::Scope);
        let mut entities = Vec::new();
        run(self.engine, &tree, |cells| {
            let mut entity = Entity::<M>::decode(cells, 0)
                .map_err(|error| query.table.decode_error(cells, 0, error))?;
            if let Some(hooks) = query.table.hooks() {
                let (load, info) = (HookOperation::Load, Info::default());
                let context = HookContext::new(load, None, query.table, &[], &info);
                hooks.run(&mut *entity, &context)?;
            }
            entities.push(entity);
            Ok(())
        })
        .await?;
        Ok(entities)
    }

    /// The only row.
    ///
    /// # Errors
    /// [`Error::NotFound`] without one, [`Error::MultipleFound`] with several; the database's.
    pub async fn one(self) -> Result<Entity<M>> {
        self.one_or_none().await?.ok_or_else(|| no_row::<M>("the query found none"))
    }

    /// The only row, or `None`.
    ///
    /// # Errors
    /// [`Error::MultipleFound`] with several; the database's.
    pub async fn one_or_none(mut self) -> Result<Option<Entity<M>>> {
        limit_to(&mut self.query.query, 2);
        at_most_one(M::__table(), self.all().await?)
    }

    /// The first row, or `None`.
    ///
    /// # Errors
    /// The database's.
    pub async fn first(mut self) -> Result<Option<Entity<M>>> {
        limit_to(&mut self.query.query, 1);
        Ok(self.all().await?.into_iter().next())
    }

    /// How many rows the query has.
    ///
    /// # Errors
    /// The database's.
    pub async fn count(self) -> Result<u64> {
        count(self.engine, &self.query.query).await
    }

    /// Whether the query has any rows.
    ///
    /// # Errors
    /// The database's.
    pub async fn exists(self) -> Result<bool> {
        exists(self.engine, &self.query.query).await
    }

    /// One page of the rows, the first page being number 1, and how many there are.
    ///
    /// # Errors
    /// [`Error::Misuse`] for a page or a size of zero; the database's.
    pub async fn page(mut self, number: u64, size: u64) -> Result<Page<Entity<M>>> {
        let total = turn_to(self.engine, &mut self.query.query, number, size).await?;
        Ok(Page::new(self.all().await?, total, size))
    }

    /// The rows as a read-only graph, with the relationships that the query and the models ask
    /// for.
    ///
    /// # Errors
    /// The database's.
    pub async fn graph(self) -> Result<Graph<M>> {
        let Query { tree, table, options, .. } = {
            self.query.query.check()?;
            self.query.query
        };
        let mut store = Store::default();
        let mut connection: Connection = self.engine.reader().await?;
        let nodes = plan_loads(table, &options);
        let at_most_one = tree.limit == Some(1);
        let query = EntityQuery {
            table,
            select: tree,
            nodes: &nodes,
            populate_existing: false,
            at_most_one,
            owner_key: OwnerKey::None,
        };
        let loaded = load_entities(&mut connection, &mut store, query).await?;
        let roots = loaded.into_iter().map(|loaded| store.handle(loaded.object)).collect();
        Ok(Graph { store, roots })
    }
}

impl<R: Send, Scope> OnEngine<'_, Rows<R, Scope>> {
    /// All rows, in the query's order.
    ///
    /// # Errors
    /// The database's.
    pub async fn all(self) -> Result<Vec<R>> {
        self.query.query.check()?;
        let decode = self.query.decode;
        let mut rows = Vec::new();
        run(self.engine, &self.query.query.tree, |cells| {
            rows.push(decode_row(decode, cells)?);
            Ok(())
        })
        .await?;
        Ok(rows)
    }

    /// The only row.
    ///
    /// # Errors
    /// [`Error::NotFound`] without one, [`Error::MultipleFound`] with several; the database's.
    pub async fn one(self) -> Result<R> {
        let table = self.query.query.table.name();
        self.one_or_none().await?.ok_or_else(|| Error::NotFound {
            table: table.into(),
            reason: "the query found none".into(),
        })
    }

    /// The only row, or `None`.
    ///
    /// # Errors
    /// [`Error::MultipleFound`] with several; the database's.
    pub async fn one_or_none(mut self) -> Result<Option<R>> {
        limit_to(&mut self.query.query, 2);
        let table = self.query.query.table;
        at_most_one(table, self.all().await?)
    }

    /// Whether there are any rows.
    ///
    /// # Errors
    /// The database's.
    pub async fn exists(self) -> Result<bool> {
        exists(self.engine, &self.query.query).await
    }

    /// The first row, or `None`.
    ///
    /// # Errors
    /// The database's.
    pub async fn first(mut self) -> Result<Option<R>> {
        limit_to(&mut self.query.query, 1);
        Ok(self.all().await?.into_iter().next())
    }

    /// How many rows there are.
    ///
    /// # Errors
    /// The database's.
    pub async fn count(self) -> Result<u64> {
        count(self.engine, &self.query.query).await
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
        while let Some(tree) = loading.next_statement()? {
            let statement = render_select(connection.dialect(), &tree)?;
            connection
                .run(statement, &mut EachRow(|cells: &dyn Cells| loading.accept(cells)))
                .await?;
        }
        loading.finish()
    }

    /// The first view, or `None`.
    ///
    /// # Errors
    /// The database's.
    pub async fn first(mut self) -> Result<Option<V>> {
        limit_to(&mut self.query.query, 1);
        Ok(self.all().await?.into_iter().next())
    }

    /// The only view.
    ///
    /// # Errors
    /// [`Error::NotFound`] without one, [`Error::MultipleFound`] with several; the database's.
    pub async fn one(self) -> Result<V> {
        self.one_or_none().await?.ok_or_else(|| no_row::<V::Of>("the query found none"))
    }

    /// The only view, or `None`.
    ///
    /// # Errors
    /// [`Error::MultipleFound`] with several; the database's.
    pub async fn one_or_none(mut self) -> Result<Option<V>> {
        limit_to(&mut self.query.query, 2);
        let table = self.query.query.table;
        at_most_one(table, self.all().await?)
    }

    /// How many views there are.
    ///
    /// # Errors
    /// The database's.
    pub async fn count(self) -> Result<u64> {
        count(self.engine, &self.query.query).await
    }

    /// Whether there are any.
    ///
    /// # Errors
    /// The database's.
    pub async fn exists(self) -> Result<bool> {
        exists(self.engine, &self.query.query).await
    }

    /// One page of the views, the first page being number 1, and how many there are.
    ///
    /// # Errors
    /// [`Error::Misuse`] for a page or a size of zero; the database's.
    pub async fn page(mut self, number: u64, size: u64) -> Result<Page<V>> {
        let total = turn_to(self.engine, &mut self.query.query, number, size).await?;
        Ok(Page::new(self.all().await?, total, size))
    }
}

/// Limits a query to one page, in a total order; gives the number of its rows on all pages.
async fn turn_to(engine: &Engine, query: &mut Query, number: u64, size: u64) -> Result<u64> {
    if number == 0 || size == 0 {
        return Err(Error::misuse("pages are counted from 1 and have at least one item"));
    }
    let total = count(engine, query).await?;
    query.break_ties();
    query.tree.limit = Some(size);
    query.tree.offset = Some((number - 1).saturating_mul(size));
    Ok(total)
}

async fn exists(engine: &Engine, query: &Query) -> Result<bool> {
    if query.tree.offset.is_some() {
        return Ok(count(engine, &first_of(query)).await? > 0);
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

async fn count(engine: &Engine, query: &Query) -> Result<u64> {
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
    let mut statement = render_select(connection.dialect(), tree)?;
    statement.single_row = tree.limit == Some(1);
    connection.run(statement, &mut EachRow(row)).await?;
    Ok(())
}
