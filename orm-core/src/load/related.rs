//! Relationships loaded by a statement of their own: selectin loads and lazy loads.

use std::collections::{HashMap, HashSet};

use futures_util::future::BoxFuture;

use super::entities::{EntityQuery, OwnerKey, load_entities};
use super::plan::{LoadNode, plan_loads};
use super::{KEYS_PER_STATEMENT, PEERS};
use crate::driver::Connection;
use crate::error::Result;
use crate::model::{Association, ForeignKey, Link, Relationship, RelationshipKind, Table};
use crate::query::{member_order, reaches};
use crate::sql::{ColumnRef, Expr, Join, JoinKind, Select, Source};
use crate::tracking::{EditedLinks, ObjectId, Parent, State, Store};
use crate::value::Value;

/// Owners with the members that a load found for them.
pub(crate) type Found = Vec<(ObjectId, Vec<ObjectId>)>;

/// Loads what the nodes ask for below these objects; what is joined was loaded already.
pub(crate) fn load_below<'l>(
    connection: &'l mut Connection,
    store: &'l mut Store,
    owners: &'l [ObjectId],
    nodes: &'l [LoadNode],
    populate_existing: bool,
) -> BoxFuture<'l, Result<()>> {
    Box::pin(async move {
        for node in nodes.iter().filter(|node| !node.joined) {
            load_node(connection, store, owners, node, populate_existing).await?;
        }
        Ok(())
    })
}

/// Loads relationships of objects that are in the store already.
pub(crate) async fn load_nodes(
    connection: &mut Connection,
    store: &mut Store,
    owners: &[ObjectId],
    nodes: &[LoadNode],
) -> Result<()> {
    for node in nodes {
        load_node(connection, store, owners, node, false).await?;
    }
    Ok(())
}

/// Loads a relationship of an object and, in the same statement, of its peers.
pub(crate) async fn load_for_peers(
    connection: &mut Connection,
    store: &mut Store,
    object: ObjectId,
    relationship: &'static Relationship,
    alone: bool,
) -> Result<()> {
    let limit = if alone { 1 } else { PEERS };
    let owners = store.peers(object, limit, |peer| {
        !store.header(peer).expired
            && !store.storage(peer).relation(peer.slot, relationship.index()).is_loaded()
    });
    let children = plan_loads(relationship.target(), &[]);
    load_with(connection, store, &owners, relationship, children).await
}

/// Loads a relationship of these objects, for the flush: not what its members load by default.
pub(crate) async fn load_members(
    connection: &mut Connection,
    store: &mut Store,
    owners: &[ObjectId],
    relationship: &'static Relationship,
) -> Result<()> {
    load_with(connection, store, owners, relationship, Vec::new()).await
}

async fn load_with(
    connection: &mut Connection,
    store: &mut Store,
    owners: &[ObjectId],
    relationship: &'static Relationship,
    children: Vec<LoadNode>,
) -> Result<()> {
    let node = LoadNode {
        relationship,
        joined: false,
        filter: None,
        order: Vec::new(),
        limit: None,
        children,
    };
    load_node(connection, store, owners, &node, false).await
}

async fn load_node(
    connection: &mut Connection,
    store: &mut Store,
    owners: &[ObjectId],
    node: &LoadNode,
    populate_existing: bool,
) -> Result<()> {
    let relation = node.relationship.index();
    let mut seen = HashSet::with_capacity(owners.len());
    let owners: Vec<ObjectId> = owners
        .iter()
        .copied()
        .filter(|owner| store.header(*owner).state == State::Persistent && seen.insert(*owner))
        .collect();
    for &owner in &owners {
        store.unload_stale(owner, node.relationship);
    }
    let (known, missing): (Vec<ObjectId>, Vec<ObjectId>) = owners.into_iter().partition(|owner| {
        !node.is_narrowed()
            && !populate_existing
            && store.storage(*owner).relation(owner.slot, relation).is_loaded()
    });
    let found = match node.relationship.kind() {
        RelationshipKind::BelongsTo => {
            find_parents(connection, store, &missing, node, populate_existing).await?
        }
        _ => find_members(connection, store, &missing, node, populate_existing).await?,
    };
    show(store, node, found, populate_existing)?;
    // What was loaded already may still lack what is to be loaded below it.
    if !node.children.is_empty() && !known.is_empty() {
        let mut members: Vec<ObjectId> = known
            .iter()
            .flat_map(|owner| store.members(*owner, node.relationship).unwrap_or_default())
            .collect();
        members.retain(|member| store.is_in_session(*member));
        Box::pin(load_nodes(connection, store, &members, &node.children)).await?;
    }
    Ok(())
}

/// The members that the database has for these owners, whatever their views show. For a replaced
/// collection that was never loaded.
pub(crate) async fn read_members(
    connection: &mut Connection,
    store: &mut Store,
    owners: &[ObjectId],
    relationship: &'static Relationship,
) -> Result<Found> {
    let node = LoadNode {
        relationship,
        joined: false,
        filter: None,
        order: Vec::new(),
        limit: None,
        children: Vec::new(),
    };
    find_members(connection, store, owners, &node, false).await
}

/// Brings the rows that these references lead to into the store.
pub(crate) async fn load_parents(
    connection: &mut Connection,
    store: &mut Store,
    foreign_key: &'static ForeignKey,
    keys: &[Vec<Value>],
) -> Result<()> {
    load_rows(connection, store, foreign_key.target(), foreign_key.referenced(), keys).await
}

/// Brings the rows with these values in these columns into the store.
pub(crate) async fn load_rows(
    connection: &mut Connection,
    store: &mut Store,
    table: &'static Table,
    columns: &[usize],
    keys: &[Vec<Value>],
) -> Result<()> {
    for chunk in keys.chunks(KEYS_PER_STATEMENT) {
        let mut select = Select::from(table);
        let columns = scoped(table, columns);
        select.filter = Some(Expr::Keys { columns, keys: chunk.to_vec() });
        let query = EntityQuery {
            table,
            select,
            nodes: &[],
            populate_existing: false,
            at_most_one: false,
            owner_key: OwnerKey::None,
        };
        load_entities(connection, store, query).await?;
    }
    Ok(())
}

/// Brings the rows that refer to these keys into the store, or the first of them.
pub(crate) async fn load_referrers(
    connection: &mut Connection,
    store: &mut Store,
    child: &'static Table,
    foreign_key: &'static ForeignKey,
    keys: &[Vec<Value>],
    first: bool,
) -> Result<()> {
    for chunk in keys.chunks(KEYS_PER_STATEMENT) {
        let mut select = Select::from(child);
        let columns = scoped(child, foreign_key.columns());
        select.filter = Some(Expr::Keys { columns, keys: chunk.to_vec() });
        select.limit = first.then_some(1);
        let query = EntityQuery {
            table: child,
            select,
            nodes: &[],
            populate_existing: false,
            at_most_one: false,
            owner_key: OwnerKey::None,
        };
        load_entities(connection, store, query).await?;
    }
    Ok(())
}

/// Shows what a load found, in views that are not loaded.
pub(crate) fn show(
    store: &mut Store,
    node: &LoadNode,
    found: Found,
    populate_existing: bool,
) -> Result<()> {
    let relationship = node.relationship;
    let edited = match *relationship.link()? {
        Link::Direct { child, foreign_key } => store.edited_links(child, foreign_key),
        Link::Through(_) => EditedLinks::default(),
    };
    for (owner, members) in found {
        // A reference that was found is the whole reference, whatever was asked of it; one that
        // the criteria refuse is not loaded.
        let is_whole = !relationship.kind().is_to_many() && !members.is_empty();
        if node.is_narrowed() && !is_whole {
            let owner_key = store.key_of(owner);
            let keys: Vec<_> = members.iter().map(|member| store.key_of(*member)).collect();
            store
                .storage_mut(owner)
                .relation_mut(owner.slot, relationship.index())
                .load_narrowed(owner_key, &keys);
            continue;
        }
        let is_loaded = store.storage(owner).relation(owner.slot, relationship.index()).is_loaded();
        if !is_loaded || populate_existing {
            store.show_loaded(owner, relationship, members, &edited);
        }
    }
    Ok(())
}

// ---------------------------------------------------------------- the key is here

/// Where the references of these objects lead: the identity map first, then one statement for
/// the distinct keys that it doesn't know.
async fn find_parents(
    connection: &mut Connection,
    store: &mut Store,
    owners: &[ObjectId],
    node: &LoadNode,
    populate_existing: bool,
) -> Result<Found> {
    let Link::Direct { foreign_key, .. } = *node.relationship.link()? else {
        return Ok(Vec::new());
    };
    let target = foreign_key.target();
    let mut found = Vec::with_capacity(owners.len());
    let mut known = Vec::new();
    let mut by_key: HashMap<Vec<Value>, Vec<ObjectId>> = HashMap::new();
    let mut keys: Vec<Vec<Value>> = Vec::new();
    for &owner in owners {
        match store.parent_of(owner, foreign_key) {
            Parent::Nowhere => found.push((owner, Vec::new())),
            Parent::Known(parent)
                if node.filter.is_none() && !populate_existing && !store.header(parent).expired =>
            {
                found.push((owner, vec![parent]));
                known.push(parent);
            }
            Parent::Known(parent) if store.header(parent).state == State::Pending => {
                found.push((owner, vec![parent]));
            }
            parent => {
                let key = match parent {
                    Parent::Unloaded(key) => key,
                    Parent::Known(parent) => {
                        store.database_values(parent, foreign_key.referenced())
                    }
                    Parent::Nowhere => continue,
                };
                let waiting = by_key.entry(key.clone()).or_default();
                if waiting.is_empty() {
                    keys.push(key);
                }
                waiting.push(owner);
            }
        }
    }
    for chunk in keys.chunks(KEYS_PER_STATEMENT) {
        let columns = foreign_key.referenced();
        let select = members_by_key(target, scoped(target, columns), chunk, node);
        let loaded = load_entities(
            connection,
            store,
            EntityQuery {
                table: target,
                select,
                nodes: &node.children,
                populate_existing,
                at_most_one: false,
                owner_key: OwnerKey::Own(columns.to_vec()),
            },
        )
        .await?;
        for loaded in loaded {
            for owner in by_key.remove(&loaded.owner).unwrap_or_default() {
                found.push((owner, vec![loaded.object]));
            }
        }
    }
    // What is left leads to a row that isn't there, or that the criteria refuse: not loaded.
    if !known.is_empty() && !node.children.is_empty() {
        Box::pin(load_nodes(connection, store, &known, &node.children)).await?;
    }
    Ok(found)
}

// ---------------------------------------------------------------- the key is there

/// The members of these owners, a statement per chunk of keys.
async fn find_members(
    connection: &mut Connection,
    store: &mut Store,
    owners: &[ObjectId],
    node: &LoadNode,
    populate_existing: bool,
) -> Result<Found> {
    let target = node.relationship.target();
    let link = *node.relationship.link()?;
    let referenced = match &link {
        Link::Direct { foreign_key, .. } => foreign_key.referenced(),
        Link::Through(association) => association.source.referenced(),
    };
    let mut found: Found = Vec::with_capacity(owners.len());
    for chunk in owners.chunks(KEYS_PER_STATEMENT) {
        let keys: Vec<Vec<Value>> =
            chunk.iter().map(|owner| store.database_values(*owner, referenced)).collect();
        let mut place: HashMap<&[Value], usize> = HashMap::with_capacity(chunk.len());
        for (key, owner) in keys.iter().zip(chunk) {
            place.insert(key, found.len());
            found.push((*owner, Vec::new()));
        }
        let (select, owner_key) = match &link {
            Link::Direct { foreign_key, .. } => direct_members(target, foreign_key, &keys, node),
            Link::Through(association) => through_members(target, association, &keys, node),
        };
        let query = EntityQuery {
            table: target,
            select,
            nodes: &node.children,
            populate_existing,
            at_most_one: false,
            owner_key,
        };
        for loaded in load_entities(connection, store, query).await? {
            if let Some(&at) = place.get(loaded.owner.as_slice()) {
                found[at].1.push(loaded.object);
            }
        }
    }
    Ok(found)
}

fn direct_members(
    target: &'static Table,
    foreign_key: &'static ForeignKey,
    keys: &[Vec<Value>],
    node: &LoadNode,
) -> (Select, OwnerKey) {
    let columns = foreign_key.columns();
    let select = members_by_key(target, scoped(target, columns), keys, node);
    let Some(limit) = node.limit else {
        return (select, OwnerKey::Own(columns.to_vec()));
    };
    let mut inner = select;
    inner.select_all(target, Source::Scope);
    let partition = scoped(target, columns).into_iter().map(Expr::Column).collect();
    let select = inner.at_most_per(target, partition, limit);
    (select, OwnerKey::Own(columns.to_vec()))
}

fn through_members(
    target: &'static Table,
    association: &Association,
    keys: &[Vec<Value>],
    node: &LoadNode,
) -> (Select, OwnerKey) {
    let mut select = Select::from(target);
    let through = select.next_alias();
    let source = Source::Alias(through);
    select.joins.push(Join {
        kind: JoinKind::Inner,
        table: association.table,
        source,
        on: reaches(association.table, source, association.target, Source::Scope),
    });
    let columns = association.source.columns();
    let owners: Vec<ColumnRef> = columns
        .iter()
        .map(|&column| ColumnRef::aliased(association.table, column, through))
        .collect();
    select.and_filter(Expr::Keys { columns: owners.clone(), keys: keys.to_vec() });
    if let Some(filter) = &node.filter {
        select.and_filter(filter.clone());
    }
    select.order_by = member_order(node.relationship, node.order.clone());
    let Some(limit) = node.limit else {
        let key = owners.iter().map(|owner| (Expr::Column(*owner), owner.sql_type()));
        return (select, OwnerKey::Beside(key.collect()));
    };
    let mut inner = select;
    inner.select_all(target, Source::Scope);
    let mut key = Vec::new();
    for (at, owner) in owners.iter().enumerate() {
        let name = format!("k{at}");
        inner.columns.push((Expr::Column(*owner), Some(name.clone())));
        key.push((Expr::Derived { table: target.name(), column: name }, owner.sql_type()));
    }
    let partition = owners.into_iter().map(Expr::Column).collect();
    (inner.at_most_per(target, partition, limit), OwnerKey::Beside(key))
}

fn members_by_key(
    target: &'static Table,
    columns: Vec<ColumnRef>,
    keys: &[Vec<Value>],
    node: &LoadNode,
) -> Select {
    let mut select = Select::from(target);
    select.filter = Some(Expr::Keys { columns, keys: keys.to_vec() });
    if let Some(filter) = &node.filter {
        select.and_filter(filter.clone());
    }
    if node.relationship.kind().is_to_many() {
        select.order_by = member_order(node.relationship, node.order.clone());
    }
    select
}

fn scoped(table: &'static Table, columns: &[usize]) -> Vec<ColumnRef> {
    columns.iter().map(|&column| ColumnRef::scoped(table, column)).collect()
}
