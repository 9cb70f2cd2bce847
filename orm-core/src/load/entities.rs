//! One SELECT of entities: its rows into the store, with what is joined to them.

use std::collections::HashSet;

use super::joined::{JoinedLoad, join_loads, multiplies, wrap_if_counted};
use super::plan::LoadNode;
use super::related::load_below;
use crate::driver::{Connection, RowSink};
use crate::error::{Error, Result};
use crate::model::Table;
use crate::sql::{Expr, Select, Source, render_select};
use crate::tracking::{Met, ObjectId, ObjectMap, Store};
use crate::value::{Cells, SqlType, Value};

/// A SELECT whose rows are objects of one table.
pub(crate) struct EntityQuery<'q> {
    pub(crate) table: &'static Table,
    /// The query, with nothing selected yet.
    pub(crate) select: Select,
    pub(crate) nodes: &'q [LoadNode],
    /// Fill known objects again, their unflushed changes being gone already.
    pub(crate) populate_existing: bool,
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
    /// These, which are selected before the object's columns.
    Beside(Vec<(Expr, SqlType)>),
    /// No key of an owner, but the values of the query's order, which have these types.
    Order(Vec<SqlType>),
}

/// A row of an [`EntityQuery`].
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) object: ObjectId,
    /// The values of `owner_key`.
    pub(crate) owner: Vec<Value>,
}

/// Runs a query and everything that is to be loaded below it. Objects come in the order of the
/// rows; where a join multiplied the rows, each comes once.
pub(crate) async fn load_entities(
    connection: &mut Connection,
    store: &mut Store,
    query: EntityQuery<'_>,
) -> Result<Vec<Loaded>> {
    let EntityQuery { table, select, nodes, populate_existing, at_most_one, owner_key } = query;
    let mut select = wrap_if_counted(select, table, nodes);
    let mut owner_cells = Vec::new();
    select.columns.clear();
    match &owner_key {
        OwnerKey::Beside(key) => {
            select.columns.extend(key.iter().map(|(expr, _)| (expr.clone(), None)));
            owner_cells.extend(key.iter().map(|(_, sql_type)| *sql_type).enumerate());
        }
        OwnerKey::Order(types) => {
            let order = select.order_by.iter().map(|term| (term.expr.clone(), None));
            select.columns.extend(order);
            owner_cells.extend(types.iter().copied().enumerate());
        }
        OwnerKey::None | OwnerKey::Own(_) => {}
    }
    let first = select.columns.len();
    if let OwnerKey::Own(columns) = &owner_key {
        let cell = |column: &usize| (first + column, table.columns()[*column].logical_type());
        owner_cells.extend(columns.iter().map(cell));
    }
    select.select_all(table, Source::Scope);
    let locks = select.is_locking();
    let loads = join_loads(&mut select, table, nodes, first + table.columns().len())?;
    let mut statement = render_select(connection.dialect(), &select)?;
    statement.single_row = at_most_one && !multiplies(nodes);

    let arena = store.arena_of(table)?;
    let mut arenas = Vec::with_capacity(loads.len());
    for load in &loads {
        arenas.push(store.arena_of(load.node.relationship.target())?);
    }
    let mut rows = EntityRows {
        arena,
        arenas,
        first,
        owner_cells,
        populate_existing,
        locks,
        once: multiplies(nodes),
        seen: HashSet::new(),
        loaded: Vec::new(),
        current: vec![None; loads.len()],
        members: loads.iter().map(|_| Members::default()).collect(),
        loads,
        store,
    };
    connection.run_on(table, statement, &mut rows).await?;
    let EntityRows { loaded, loads, members, .. } = rows;

    let objects: Vec<ObjectId> = loaded.iter().map(|loaded| loaded.object).collect();
    make_peers(store, &objects);
    let joined = settle_joined(store, &loads, members, populate_existing)?;
    load_below(connection, store, &objects, nodes, populate_existing).await?;
    for (load, objects) in loads.iter().zip(joined) {
        load_below(connection, store, &objects, &load.node.children, populate_existing).await?;
    }
    Ok(loaded)
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
fn settle_joined(
    store: &mut Store,
    loads: &[JoinedLoad<'_>],
    members: Vec<Members>,
    populate_existing: bool,
) -> Result<Vec<Vec<ObjectId>>> {
    let mut objects = Vec::with_capacity(loads.len());
    for (load, members) in loads.iter().zip(members) {
        super::related::show(
            store,
            load.node,
            members.by_owner.into_iter().collect(),
            populate_existing,
        )?;
        let mut seen = HashSet::new();
        let all: Vec<_> = members.all.into_iter().filter(|object| seen.insert(*object)).collect();
        make_peers(store, &all);
        objects.push(all);
    }
    Ok(objects)
}

/// Decodes the rows of an entity query where they are.
struct EntityRows<'s, 'n> {
    store: &'s mut Store,
    arena: u32,
    /// The arenas of the joined relationships.
    arenas: Vec<u32>,
    /// Where the object's own first cell is.
    first: usize,
    /// The cells that say whose member the object is.
    owner_cells: Vec<(usize, SqlType)>,
    populate_existing: bool,
    /// Whether the rows of the query's own objects are locked.
    locks: bool,
    /// Whether an object may come in several rows and is wanted once.
    once: bool,
    seen: HashSet<(ObjectId, Vec<Value>)>,
    loaded: Vec<Loaded>,
    loads: Vec<JoinedLoad<'n>>,
    /// The current row's object of each joined relationship.
    current: Vec<Option<ObjectId>>,
    members: Vec<Members>,
}

impl EntityRows<'_, '_> {
    fn absorb(&mut self, arena: u32, cells: &dyn Cells, at: usize) -> Result<ObjectId> {
        let (object, met) = self.store.absorb(arena, cells, at, self.populate_existing)?;
        debug_assert!(met != Met::New || self.store.is_in_session(object));
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
        let object = match self.locks && !self.populate_existing {
            true => self.store.absorb_locked(self.arena, cells, self.first)?.0,
            false => self.absorb(self.arena, cells, self.first)?,
        };
        let owner = self.owner(cells)?;
        if !self.once || self.seen.insert((object, owner.clone())) {
            self.loaded.push(Loaded { object, owner });
        }
        for at in 0..self.loads.len() {
            let load = &self.loads[at];
            let owner = match load.owner {
                None => Some(object),
                Some(above) => self.current[above],
            };
            let (first, target) = (load.at, load.node.relationship.target());
            let is_there = owner.is_some()
                && !target.primary_key().iter().any(|column| cells.is_null(first + column));
            self.current[at] = None;
            let Some(owner) = owner else { continue };
            let member = match is_there {
                true => Some(self.absorb(self.arenas[at], cells, first)?),
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
