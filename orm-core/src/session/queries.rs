//! The verbs of queries on a session, and loading by key.

use std::collections::HashSet;
use std::sync::Arc;

use super::Session;
use super::verbs::no_row;
use crate::driver::EachRow;
use crate::error::{Error, Result};
use crate::load::{
    EachTuple, EntityQuery, Loaded, Loader, OwnerKey, TupleQuery, load_entities, load_tuples,
    plan_loads,
};
use crate::model::{ColumnSet, Handle, Model, PrimaryKey, Table};
use crate::query::{Arrivals, Criteria, Lifted, Query, Rows, Select};
use crate::sql::{self, BinaryOp, ColumnRef, Expr};
use crate::tracking::{ObjectId, State};
use crate::value::{Cells, SqlType, Value};

impl<M: Model, Scope> Select<M, Scope> {
    /// All objects that the query finds, in its order. Flushes first.
    ///
    /// # Errors
    /// The database's, and those of the flush.
    pub async fn all(self, session: &mut Session) -> Result<Vec<Handle<M>>> {
        let objects = session.load_query(self.query).await?;
        Ok(objects.into_iter().map(|object| session.store.handle(object)).collect())
    }
}

impl<R: Send, Scope, Owned> Rows<R, Scope, Owned> {
    /// All rows, in the order of the query. Flushes first. [Entities](crate::query::entity) among
    /// the columns are objects of the session.
    ///
    /// # Errors
    /// The database's, and those of the flush.
    pub async fn all(self, session: &mut Session) -> Result<Vec<R>> {
        let absorb = self.decoder.absorb;
        let mut rows = Vec::new();
        let mut each = |arrivals: &mut Arrivals<'_>, cells: &dyn Cells| {
            rows.push(absorb(arrivals, cells)?);
            Ok(())
        };
        session.load_tuples(self.query, &mut each).await?;
        Ok(rows)
    }
}

/// Reads the one number of a count.
pub(super) fn decode_count(cells: &dyn Cells) -> Result<u64> {
    let count = cells.int(0).map_err(|error| Error::Type { place: "COUNT(*)".into(), error })?;
    Ok(u64::try_from(count).unwrap_or(0))
}

impl Session {
    /// The object with this key: from the identity map, else from the database. An object that the
    /// factory's [criteria](crate::SessionFactory::with_criteria) hide is not found.
    ///
    /// # Errors
    /// The database's, and those of the flush that runs before a statement.
    pub async fn get<M: Model>(&mut self, id: M::Id) -> Result<Option<Handle<M>>> {
        self.ready().await?;
        if let Some(object) = self.hit::<M>(&id) {
            return Ok(Some(self.store.handle(object)));
        }
        if self.needs_flush::<M>(&id) {
            self.autoflush_changes().await?;
            if let Some(object) = self.hit::<M>(&id) {
                return Ok(Some(self.store.handle(object)));
            }
        }
        let loaded = self.load_by_key::<M>(std::slice::from_ref(&id)).await?;
        Ok(self.found_or_evicted(&id, &loaded))
    }

    /// The object with this key, which must exist.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is none; as [`get`](Self::get).
    pub async fn require<M: Model>(&mut self, id: M::Id) -> Result<Handle<M>> {
        self.get(id).await?.ok_or_else(|| no_row(M::__table(), "there is no row with this key"))
    }

    /// The objects with these keys, in their order, `None` where there is no row. One statement
    /// for all that the identity map doesn't have.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn get_many<M: Model>(
        &mut self,
        ids: impl IntoIterator<Item = M::Id>,
    ) -> Result<Vec<Option<Handle<M>>>> {
        self.ready().await?;
        let ids: Vec<M::Id> = ids.into_iter().collect();
        if ids.iter().any(|id| self.needs_flush::<M>(id)) {
            self.autoflush_changes().await?;
        }
        let mut seen = HashSet::new();
        let missing: Vec<M::Id> = ids
            .iter()
            .filter(|id| self.hit::<M>(id).is_none() && seen.insert((*id).clone()))
            .cloned()
            .collect();
        let loaded = self.load_by_key::<M>(&missing).await?;
        Ok(ids.iter().map(|id| self.found_or_evicted(id, &loaded)).collect())
    }

    /// Discards an object's unflushed changes and loads it again, with the relationships that its
    /// model loads eagerly; the others are unloaded. What else was changed is flushed first.
    ///
    /// The loaded members of its relationships that cascade `refresh-expire`, at any depth, are
    /// [expired](Self::expire) with it: those that are not loaded eagerly are loaded by the next
    /// query that meets them. The object itself is loaded even if the factory's
    /// [criteria](crate::SessionFactory::with_criteria) hide its row by now.
    ///
    /// SQLAlchemy's `Session.refresh`.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the row is gone; [`Error::Misuse`] for a pending object; as
    /// [`get`](Self::get).
    pub async fn refresh<M: Model>(&mut self, handle: Handle<M>) -> Result<()> {
        self.ready().await?;
        let object = self.store.object(handle)?;
        if self.store.header(object).state == State::Pending {
            return Err(Error::misuse(format!(
                "this `{}` is pending and has no row to be refreshed from: flush first",
                M::__table().model(),
            )));
        }
        let refreshed = self.discard_with_followers(object);
        self.autoflush_changes().await?;
        let object = self.store.object(handle)?;
        self.store.expire_all(&refreshed);
        let positions = M::__table().primary_key();
        let key: Vec<Value> =
            positions.iter().map(|&column| self.store.database_value(object, column)).collect();
        self.load_keys(M::__table(), vec![key], true).await?;
        if self.store.header(object).expired {
            return Err(no_row(M::__table(), "the refreshed row is gone"));
        }
        Ok(())
    }

    fn known<M: Model>(&self, id: &M::Id) -> Option<ObjectId> {
        let slot = self.store.entities::<M>()?.find_key(id)?;
        Some(ObjectId { arena: self.store.find_arena::<M>()?, slot })
    }

    /// The object with this key, if memory may answer for the row.
    fn hit<M: Model>(&self, id: &M::Id) -> Option<ObjectId> {
        let object = self.known::<M>(id)?;
        let is_hit = !self.store.header(object).expired && self.admits(object);
        is_hit.then_some(object)
    }

    /// Whether what the database says of a key may depend on what is not flushed yet.
    fn needs_flush<M: Model>(&self, id: &M::Id) -> bool {
        match self.known::<M>(id) {
            Some(object) => !self.store.header(object).expired && !self.admits(object),
            None => true,
        }
    }

    /// Whether the session's criteria are known to admit an object as memory shows it.
    pub(super) fn admits(&self, object: ObjectId) -> bool {
        self.criteria.of(self.store.table(object)).is_none() || self.store.is_admitted(object)
    }

    /// The object with this key after a load: one that is still expired has no row any more and
    /// leaves the session, unless the criteria may have hidden it.
    fn found_or_evicted<M: Model>(
        &mut self,
        id: &M::Id,
        loaded: &HashSet<ObjectId>,
    ) -> Option<Handle<M>> {
        let object = self.known::<M>(id)?;
        if self.criteria.of(M::__table()).is_some() {
            let is_found = loaded.contains(&object) || self.hit::<M>(id).is_some();
            return is_found.then(|| self.store.handle(object));
        }
        if self.store.header(object).expired {
            self.store.release(&[object]);
            return None;
        }
        Some(self.store.handle(object))
    }

    async fn load_by_key<M: Model>(&mut self, ids: &[M::Id]) -> Result<HashSet<ObjectId>> {
        let keys = ids.iter().map(PrimaryKey::__encode).collect();
        let criteria = Arc::clone(&self.criteria);
        let loaded = self.load_keys_under(&criteria, M::__table(), keys, false).await?;
        Ok(loaded.into_iter().collect())
    }

    /// Loads the rows with these keys, whatever the session's criteria are: they are known to be
    /// meant.
    pub(super) async fn load_keys(
        &mut self,
        table: &'static Table,
        keys: Vec<Vec<Value>>,
        populate_existing: bool,
    ) -> Result<()> {
        let mut lifted = Lifted::Nothing;
        lifted.lift(table);
        let criteria = self.criteria.without(&lifted).into_owned();
        self.load_keys_under(&criteria, table, keys, populate_existing).await?;
        Ok(())
    }

    async fn load_keys_under(
        &mut self,
        criteria: &Criteria,
        table: &'static Table,
        keys: Vec<Vec<Value>>,
        populate_existing: bool,
    ) -> Result<Vec<ObjectId>> {
        let mut loaded = Vec::with_capacity(keys.len());
        if keys.is_empty() {
            return Ok(loaded);
        }
        let columns: Vec<ColumnRef> =
            table.primary_key().iter().map(|&column| ColumnRef::scoped(table, column)).collect();
        let nodes = plan_loads(table, &[])?;
        // As few statements as binds allow: these keys were asked for together.
        let per_statement = (self.engine.dialect().max_binds() / columns.len().max(1)).max(1);
        for chunk in keys.chunks(per_statement) {
            let mut select = sql::Select::from(table);
            select.filter = Some(match chunk {
                [key] => Expr::All(
                    columns
                        .iter()
                        .zip(key)
                        .map(|(column, value)| {
                            let value = Expr::bind(value.clone(), column.sql_type());
                            Expr::binary(Expr::Column(*column), BinaryOp::Equal, value)
                        })
                        .collect(),
                ),
                _ => Expr::Keys { columns: columns.clone(), keys: chunk.to_vec() },
            });
            let (nodes, at_most_one) = (&nodes[..], chunk.len() == 1);
            let (undeferred, owner_key) = (ColumnSet::default(), OwnerKey::None);
            let query = EntityQuery { table, select, undeferred, nodes, at_most_one, owner_key };
            let found = self.load_tree(query, criteria, populate_existing).await?;
            loaded.extend(found.into_iter().map(|loaded| loaded.object));
        }
        Ok(loaded)
    }

    /// Runs a query of entities.
    pub(super) async fn load_query(&mut self, query: Query) -> Result<Vec<ObjectId>> {
        let loaded = self.load_with(query, OwnerKey::None).await?;
        Ok(loaded.into_iter().map(|loaded| loaded.object).collect())
    }

    /// Runs a query of entities, and reads what it is ordered by, which has these types.
    pub(super) async fn load_with_places(
        &mut self,
        query: Query,
        order: Vec<SqlType>,
    ) -> Result<Vec<(ObjectId, Vec<Value>)>> {
        let loaded = self.load_with(query, OwnerKey::Order(order)).await?;
        Ok(loaded.into_iter().map(|loaded| (loaded.object, loaded.owner)).collect())
    }

    async fn load_with(&mut self, mut query: Query, owner_key: OwnerKey) -> Result<Vec<Loaded>> {
        query.check_and_lock()?;
        query = query.under(&self.criteria);
        let nodes = plan_loads(query.table, &query.options)?;
        self.ready().await?;
        if !query.populate_existing {
            self.autoflush_changes().await?;
        }
        if query.tree.is_locking() {
            self.begin().await?;
        }
        let undeferred = query.undeferred();
        let Query { tree: select, table, populate_existing, criteria, .. } = query;
        let (nodes, at_most_one) = (&nodes[..], select.limit == Some(1));
        let query = EntityQuery { table, select, undeferred, nodes, at_most_one, owner_key };
        self.load_tree(query, &criteria, populate_existing).await
    }

    async fn load_tree(
        &mut self,
        query: EntityQuery<'_>,
        criteria: &Criteria,
        populate_existing: bool,
    ) -> Result<Vec<Loaded>> {
        self.connect().await?;
        let Some(connection) = &mut self.connection else { return Ok(Vec::new()) };
        let store = &mut self.store;
        let mut loader = Loader { connection, store, criteria, populate_existing };
        let loaded = load_entities(&mut loader, query).await;
        Ok(self.check(loaded)?.loaded)
    }

    pub(super) async fn count(&mut self, query: &Query) -> Result<u64> {
        query.check()?;
        let mut count = 0;
        let tree = query.clone().under(&self.criteria).count_tree();
        self.each_row(&tree, |cells| {
            count = query.counted(decode_count(cells)?);
            Ok(())
        })
        .await?;
        Ok(count)
    }

    pub(super) async fn exists(&mut self, query: &Query) -> Result<bool> {
        if query.tree.offset.is_some() {
            return Ok(self.count(&query.first()).await? > 0);
        }
        query.check()?;
        let mut exists = false;
        let tree = query.clone().under(&self.criteria).exists_tree();
        self.each_row(&tree, |_| {
            exists = true;
            Ok(())
        })
        .await?;
        Ok(exists)
    }

    /// Runs a query of columns, whose rows go where this puts them.
    pub(super) async fn load_tuples(&mut self, query: Query, each: EachTuple<'_>) -> Result<()> {
        query.check()?;
        let query = query.under(&self.criteria);
        let (criteria, has_entities) = (Arc::clone(&query.criteria), !query.wholes.is_empty());
        let populate_existing = query.populate_existing && has_entities;
        let tuples = TupleQuery::new(query)?;
        self.ready().await?;
        if !populate_existing {
            self.autoflush_changes().await?;
        }
        self.connect().await?;
        let Some(connection) = &mut self.connection else { return Ok(()) };
        let (store, criteria) = (&mut self.store, &*criteria);
        let mut loader = Loader { connection, store, criteria, populate_existing };
        let loaded = load_tuples(&mut loader, tuples, each).await;
        self.check(loaded)
    }

    /// Flushes, and sees to it that there is a connection.
    pub(super) async fn prepare_to_read(&mut self) -> Result<()> {
        self.ready().await?;
        self.autoflush_changes().await?;
        self.connect().await
    }

    async fn each_row(
        &mut self,
        tree: &sql::Select,
        row: impl FnMut(&dyn Cells) -> Result<()> + Send,
    ) -> Result<()> {
        self.prepare_to_read().await?;
        let Some(connection) = &mut self.connection else { return Ok(()) };
        let statement = connection.render(tree)?;
        let run = connection.run(statement, &mut EachRow(row)).await;
        self.check(run)?;
        Ok(())
    }
}
