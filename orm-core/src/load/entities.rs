//! One SELECT of entities: its rows into the store, with what is joined to them.

use std::collections::HashSet;

use super::Loader;
use super::joined::{JoinedLoad, break_ties, join_loads, multiplies, wrap_if_counted};
use super::members::members_of_query;
use super::plan::{LoadNode, embed_their_query};
use super::related::{OwnerQuery, load_below, load_nodes, show};
use crate::driver::RowSink;
use crate::error::{Error, Result};
use crate::model::{ColumnSet, RowLayout, Table};
use crate::query::Criteria;
use crate::sql::{Expr, Select, Source};
use crate::tracking::{ObjectId, ObjectMap, Place, Store};
use crate::value::{Cells, SqlType, Value};

/// A SELECT whose rows are objects of one table.
pub(crate) struct EntityQuery<'q> {
    pub(crate) table: &'static Table,
    /// The query, with nothing selected yet.
    pub(crate) select: Select,
    /// The deferred columns that are selected all the same.
    pub(crate) undeferred: ColumnSet,
    pub(crate) nodes: &'q [LoadNode],
    /// Whether at most one object can be found, as by its key.
    pub(crate) at_most_one: bool,
    pub(crate) owner_key: OwnerKey,
}

/// What says whose member a row's object is.
pub(crate) enum OwnerKey {
    /// Nothing: they are nobody's.
    None,
    /// These columns of the object itself.
    Own(Vec<usize>),
    /// These, which are selected before the object's columns. A row may have no object: its owner
    /// is childless.
    Beside(Vec<(Expr, SqlType)>),
    /// No key of an owner, but the values of the query's order, which have these types.
    Order(Vec<SqlType>),
}

/// What an [`EntityQuery`] found. Objects come in the order of the rows; where a join multiplied the
/// rows, each comes once.
#[derive(Debug, Default)]
pub(crate) struct Entities {
    pub(crate) loaded: Vec<Loaded>,
    /// The keys of owners whose rows have no object.
    pub(crate) childless: Vec<Vec<Value>>,
}

/// A row of an [`EntityQuery`].
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) object: ObjectId,
    /// The values of `owner_key`.
    pub(crate) owner: Vec<Value>,
}

/// A query of entities as one SELECT, and where the cells of its rows are.
struct EntitySelect<'n> {
    select: Select,
    /// The query itself, where what is loaded below it embeds it.
    embedded: Option<Select>,
    loads: Vec<JoinedLoad<'n>>,
    /// Where the object's own cells are.
    layout: RowLayout,
    /// The cells that say whose member the object is.
    owner_cells: Vec<(usize, SqlType)>,
    /// Whether the rows of the query's own objects are locked.
    locks: bool,
}

impl<'n> EntitySelect<'n> {
    /// Selects the objects, what says whose members they are and what is joined to them, as far as
    /// the criteria show it.
    fn new(
        table: &'static Table,
        mut select: Select,
        undeferred: &ColumnSet,
        nodes: &'n [LoadNode],
        owner_key: &OwnerKey,
        criteria: &Criteria,
    ) -> Result<Self> {
        let embedded = embed_their_query(nodes).then(|| {
            break_ties(&mut select, table);
            select.clone()
        });
        let mut select = wrap_if_counted(select, table, undeferred, nodes);
        let mut owner_cells = Vec::new();
        select.columns.clear();
        match owner_key {
            OwnerKey::Beside(key) => {
                select.columns.extend(key.iter().map(|(expr, _)| (expr.clone(), None)));
                owner_cells.extend(key.iter().map(|(_, sql_type)| *sql_type).enumerate());
            }
            OwnerKey::Order(types) => {
                select.select_order();
                owner_cells.extend(types.iter().copied().enumerate());
            }
            OwnerKey::None | OwnerKey::Own(_) => {}
        }
        let layout = RowLayout::new(table, select.columns.len(), undeferred);
        if let OwnerKey::Own(columns) = owner_key {
            let cell =
                |column: &usize| (layout.place(*column), table.columns()[*column].logical_type());
            owner_cells.extend(columns.iter().map(cell));
        }
        select.select_columns(table, Source::Scope, table.selected(undeferred));
        let locks = select.is_locking();
        let loads = join_loads(&mut select, table, nodes)?;
        criteria.restrict(&mut select);
        Ok(Self { select, embedded, loads, layout, owner_cells, locks })
    }
}

/// The SELECT that [`load_entities`] begins with.
///
/// # Errors
/// `Misuse` for a relationship that leads nowhere.
pub(crate) fn entity_select(
    table: &'static Table,
    select: Select,
    undeferred: &ColumnSet,
    nodes: &[LoadNode],
    criteria: &Criteria,
) -> Result<Select> {
    Ok(EntitySelect::new(table, select, undeferred, nodes, &OwnerKey::None, criteria)?.select)
}

/// Runs a query and everything that is to be loaded below it.
pub(crate) async fn load_entities(
    loader: &mut Loader<'_>,
    query: EntityQuery<'_>,
) -> Result<Entities> {
    let EntityQuery { table, select, undeferred, nodes, at_most_one, owner_key } = query;
    let select = EntitySelect::new(table, select, &undeferred, nodes, &owner_key, loader.criteria)?;
    let EntitySelect { select, embedded, loads, layout, owner_cells, locks } = select;
    let mut statement = loader.connection.render(&select)?;
    statement.single_row = at_most_one && !multiplies(nodes);

    let store = &mut *loader.store;
    let mut place = |table: &'static Table| {
        let is_restricted = loader.criteria.of(table).is_some();
        store.place_of(table, is_restricted)
    };
    let own = place(table)?;
    let targets = loads.iter().map(|load| place(load.node.relationship.target()));
    let targets = targets.collect::<Result<_>>()?;
    let mut rows = EntityRows {
        own,
        targets,
        layout,
        owner_cells,
        may_be_childless: matches!(owner_key, OwnerKey::Beside(_)),
        populate_existing: loader.populate_existing,
        locks,
        once: multiplies(nodes),
        seen: HashSet::new(),
        entities: Entities::default(),
        current: vec![None; loads.len()],
        members: loads.iter().map(|_| Members::default()).collect(),
        loads,
        store,
    };
    loader.connection.run_on(table, statement, &mut rows).await?;
    let EntityRows { entities, loads, members, .. } = rows;

    let objects: Vec<ObjectId> = entities.loaded.iter().map(|loaded| loaded.object).collect();
    make_peers(loader.store, &objects);
    if nodes.is_empty() {
        return Ok(entities);
    }
    // A query of rows alone would be as large as all that can be loaded below them.
    Box::pin(async {
        let joined = settle_joined(loader, &loads, members).await?;
        let query = embedded.as_ref().map(|select| OwnerQuery { select, table });
        load_below(loader, &objects, nodes, query).await?;
        load_below_joined(loader, &loads, &joined, query).await
    })
    .await?;
    Ok(entities)
}

/// Objects of one table that came together become each other's peers.
pub(crate) fn make_peers(store: &mut Store, objects: &[ObjectId]) {
    if let Some(first) = objects.first() {
        let mut seen: HashSet<u32, foldhash::fast::RandomState> = HashSet::default();
        seen.reserve(objects.len());
        let slots = objects.iter().map(|object| object.slot).filter(|slot| seen.insert(*slot));
        store.make_peers(first.arena, slots.collect());
    }
}

/// The members that the rows of one joined relationship brought, by owner.
#[derive(Default)]
struct Members {
    by_owner: ObjectMap<Vec<ObjectId>>,
    seen: HashSet<(ObjectId, ObjectId), foldhash::fast::RandomState>,
    all: Vec<ObjectId>,
}

/// Shows what was joined in the views that were not loaded yet; gives each relationship's objects.
async fn settle_joined(
    loader: &mut Loader<'_>,
    loads: &[JoinedLoad<'_>],
    members: Vec<Members>,
) -> Result<Vec<Vec<ObjectId>>> {
    let mut objects = Vec::with_capacity(loads.len());
    for (load, members) in loads.iter().zip(members) {
        let Members { by_owner, all, .. } = members;
        let owners: Vec<ObjectId> = by_owner.keys().copied().collect();
        show(loader, load.node, by_owner.into_iter().collect()).await?;
        let mut seen = HashSet::new();
        let all: Vec<_> = all.into_iter().filter(|object| seen.insert(*object)).collect();
        make_peers(loader.store, &all);
        if !load.node.children.is_empty() {
            // Who is a member by an unflushed edit came in no row, nor did what is below.
            let store = &*loader.store;
            let members = owners.into_iter();
            let members = members
                .flat_map(|owner| store.members(owner, load.node.relationship).unwrap_or_default());
            let others: Vec<ObjectId> =
                members.filter(|it| store.is_in_session(*it) && seen.insert(*it)).collect();
            Box::pin(load_nodes(loader, &others, &load.node.children)).await?;
        }
        objects.push(all);
    }
    Ok(objects)
}

/// Loads what isn't joined below what is.
async fn load_below_joined(
    loader: &mut Loader<'_>,
    loads: &[JoinedLoad<'_>],
    objects: &[Vec<ObjectId>],
    query: Option<OwnerQuery<'_>>,
) -> Result<()> {
    let mut queries: Vec<Option<Select>> = Vec::with_capacity(loads.len());
    for (load, objects) in loads.iter().zip(objects) {
        let above = match load.owner {
            None => query,
            Some(at) => {
                let (select, table) = (queries[at].as_ref(), load.node.relationship.source());
                select.map(|select| OwnerQuery { select, table })
            }
        };
        let own = match above.filter(|_| embed_their_query(&load.node.children)) {
            Some(above) => Some(members_of_query(above.select, above.table, load.node)?),
            None => None,
        };
        let table = load.node.relationship.target();
        let query = own.as_ref().map(|select| OwnerQuery { select, table });
        load_below(loader, objects, &load.node.children, query).await?;
        queries.push(own);
    }
    Ok(())
}

/// Decodes the rows of an entity query where they are.
struct EntityRows<'s, 'n> {
    store: &'s mut Store,
    /// Where the rows' own objects go.
    own: Place,
    /// Where those of the joined relationships go.
    targets: Vec<Place>,
    /// Where the object's own cells are.
    layout: RowLayout,
    /// The cells that say whose member the object is.
    owner_cells: Vec<(usize, SqlType)>,
    may_be_childless: bool,
    populate_existing: bool,
    /// Whether the rows of the query's own objects are locked.
    locks: bool,
    /// Whether an object may come in several rows and is wanted once.
    once: bool,
    seen: HashSet<(ObjectId, Vec<Value>)>,
    entities: Entities,
    loads: Vec<JoinedLoad<'n>>,
    /// The current row's object of each joined relationship.
    current: Vec<Option<ObjectId>>,
    members: Vec<Members>,
}

impl EntityRows<'_, '_> {
    /// Takes in the row's own object.
    fn absorb(&mut self, cells: &dyn Cells) -> Result<ObjectId> {
        let Self { store, own, populate_existing, .. } = self;
        self.layout.read(cells, |cells, at| store.absorb_into(*own, cells, at, *populate_existing))
    }

    /// Takes in the row's own object, whose row is locked.
    fn absorb_locked(&mut self, cells: &dyn Cells) -> Result<ObjectId> {
        let Self { store, own, .. } = self;
        let absorb = |cells: &dyn Cells, at| store.absorb_locked(own.arena, cells, at);
        let (object, _) = self.layout.read(cells, absorb)?;
        if self.own.is_restricted {
            self.store.admit(object);
        }
        Ok(object)
    }

    /// The values that say whose member the row's object is.
    fn owner(&self, cells: &dyn Cells) -> Result<Vec<Value>> {
        let values = self.owner_cells.iter();
        values
            .map(|(at, sql_type)| {
                Value::read(cells, *at, sql_type)
                    .map_err(|error| Error::Type { place: "the key of an owner".into(), error })
            })
            .collect()
    }
}

impl RowSink for EntityRows<'_, '_> {
    fn row(&mut self, cells: &dyn Cells) -> Result<()> {
        let owner = self.owner(cells)?;
        if self.may_be_childless && !self.layout.has(self.own.table, cells) {
            self.entities.childless.push(owner);
            return Ok(());
        }
        let object = match self.locks && !self.populate_existing {
            true => self.absorb_locked(cells)?,
            false => self.absorb(cells)?,
        };
        if !self.once || self.seen.insert((object, owner.clone())) {
            self.entities.loaded.push(Loaded { object, owner });
        }
        for at in 0..self.loads.len() {
            let load = &self.loads[at];
            let owner = match load.owner {
                None => Some(object),
                Some(above) => self.current[above],
            };
            let target = self.targets[at];
            let is_there = owner.is_some() && load.layout.has(target.table, cells);
            self.current[at] = None;
            let Some(owner) = owner else { continue };
            let member = match is_there {
                true => Some(load.layout.read(cells, |cells, at| {
                    self.store.absorb_into(target, cells, at, self.populate_existing)
                })?),
                false => None,
            };
            self.current[at] = member;
            let members = &mut self.members[at];
            let of_owner = members.by_owner.entry(owner).or_default();
            if let Some(member) = member
                && members.seen.insert((owner, member))
            {
                of_owner.push(member);
                members.all.push(member);
            }
        }
        Ok(())
    }
}
