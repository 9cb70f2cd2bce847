//! Relationships loaded by a statement of their own: selectin, subquery and lazy loads.

use std::collections::{HashMap, HashSet};

use futures_util::future::BoxFuture;

use super::entities::{Entities, EntityQuery, OwnerKey, load_entities};
use super::members::{keys_of_query, members_by_key, members_of_owners};
use super::plan::{How, LoadNode, plan_loads};
use super::tree::load_tree;
use super::{KEYS_PER_STATEMENT, Loader, PEERS};
use crate::error::Result;
use crate::model::{Link, Relationship, RelationshipKind, Table};
use crate::query::{Criteria, Ends};
use crate::sql::{Owners, Select};
use crate::tracking::{EditedLinks, ObjectId, Parent, State};
use crate::value::Value;

/// Owners with the members that a load found for them.
pub(crate) type Found = Vec<(ObjectId, Vec<ObjectId>)>;

/// The query that found the owners of what is to be loaded, to be embedded: the table's rows are
/// those of its scope.
#[derive(Clone, Copy)]
pub(super) struct OwnerQuery<'q> {
    pub(super) select: &'q Select,
    pub(super) table: &'static Table,
}

/// Loads what the nodes ask for below these objects; what is joined was loaded already.
pub(super) fn load_below<'l>(
    loader: &'l mut Loader<'_>,
    owners: &'l [ObjectId],
    nodes: &'l [LoadNode],
    query: Option<OwnerQuery<'l>>,
) -> BoxFuture<'l, Result<()>> {
    Box::pin(async move {
        for node in nodes.iter().filter(|node| !node.is_joined()) {
            load_node(loader, owners, node, query).await?;
        }
        Ok(())
    })
}

/// Loads relationships of objects that are in the store already, by their keys.
pub(super) async fn load_nodes(
    loader: &mut Loader<'_>,
    owners: &[ObjectId],
    nodes: &[LoadNode],
) -> Result<()> {
    for node in nodes {
        load_node(loader, owners, node, None).await?;
    }
    Ok(())
}

/// Loads a relationship of an object and, in the same statement, of its peers.
pub(crate) async fn load_for_peers(
    loader: &mut Loader<'_>,
    object: ObjectId,
    relationship: &'static Relationship,
    alone: bool,
) -> Result<()> {
    let limit = if alone { 1 } else { PEERS };
    let store = &*loader.store;
    let owners = store.peers(object, limit, |peer| {
        !store.header(peer).expired
            && !store.storage(peer).relation(peer.slot, relationship.index()).is_loaded()
    });
    let children = plan_loads(relationship.target(), &[])?;
    load_node(loader, &owners, &LoadNode::of(relationship, children), None).await
}

/// Loads a relationship of these objects, as far as it isn't loaded, and what is below it.
pub(super) async fn load_node(
    loader: &mut Loader<'_>,
    owners: &[ObjectId],
    node: &LoadNode,
    query: Option<OwnerQuery<'_>>,
) -> Result<()> {
    let store = &mut *loader.store;
    let mut seen = HashSet::with_capacity(owners.len());
    let owners: Vec<ObjectId> = owners
        .iter()
        .copied()
        .filter(|owner| store.header(*owner).state == State::Persistent && seen.insert(*owner))
        .collect();
    for &owner in &owners {
        store.unload_stale(owner, node.relationship);
    }
    if node.how == How::Tree {
        return load_tree(loader, &owners, node).await;
    }
    let (known, missing): (Vec<ObjectId>, Vec<ObjectId>) =
        owners.into_iter().partition(|owner| !node.is_narrowed() && loader.has(*owner, node));
    let query = query.filter(|_| node.how == How::Query);
    let found = match node.relationship.kind() {
        RelationshipKind::BelongsTo => find_parents(loader, &missing, node, query).await?,
        _ => find_members(loader, &missing, node, query).await?,
    };
    show(loader, node, found).await?;
    // What was loaded already may still lack what is to be loaded below it.
    if !node.children.is_empty() && !known.is_empty() {
        let store = &*loader.store;
        let mut members: Vec<ObjectId> = known
            .iter()
            .flat_map(|owner| store.members(*owner, node.relationship).unwrap_or_default())
            .collect();
        members.retain(|member| store.is_in_session(*member));
        Box::pin(load_nodes(loader, &members, &node.children)).await?;
    }
    Ok(())
}

impl Loader<'_> {
    /// Whether nothing needs to be loaded into this relationship of an object.
    fn has(&self, owner: ObjectId, node: &LoadNode) -> bool {
        let field = self.store.storage(owner).relation(owner.slot, node.relationship.index());
        let is_whole = !field.is_partial() || self.criteria.concern(node.relationship);
        field.is_loaded() && is_whole && !self.populate_existing
    }
}

/// Shows what a load found, in views that are not loaded.
pub(super) async fn show(loader: &mut Loader<'_>, node: &LoadNode, found: Found) -> Result<()> {
    let relationship = node.relationship;
    let edited = match *relationship.link()? {
        Link::Direct { child, foreign_key } => loader.store.edited_links(child, foreign_key),
        Link::Through(_) => EditedLinks::default(),
    };
    let is_to_many = relationship.kind().is_to_many();
    let is_partial = loader.criteria.concern(relationship);
    let mut nobody = Vec::new();
    for (owner, members) in found {
        if is_to_many && node.is_narrowed() {
            let store = &mut *loader.store;
            let owner_key = store.key_of(owner);
            let keys: Vec<_> = members.iter().map(|member| store.key_of(*member)).collect();
            store
                .storage_mut(owner)
                .relation_mut(owner.slot, relationship.index())
                .load_narrowed(owner_key, &keys);
        } else if !is_to_many && members.is_empty() && (node.filter.is_some() || is_partial) {
            // Whether it leads nowhere, or to what is not to be seen, isn't known.
            nobody.push(owner);
        } else if !loader.has(owner, node) {
            let store = &mut *loader.store;
            store.show_loaded(owner, relationship, members, &edited);
            store
                .storage_mut(owner)
                .relation_mut(owner.slot, relationship.index())
                .set_partial(is_partial);
        }
    }
    for owner in lead_nowhere(loader, node, nobody).await? {
        loader.store.show_loaded(owner, relationship, Vec::new(), &edited);
    }
    Ok(())
}

/// Those of the owners whose reference leads nowhere, and not only to a row that the load was not
/// to see: a reference to such a row is not loaded, which is not the same as `None`.
async fn lead_nowhere(
    loader: &mut Loader<'_>,
    node: &LoadNode,
    mut owners: Vec<ObjectId>,
) -> Result<Vec<ObjectId>> {
    let relationship = node.relationship;
    let Link::Direct { foreign_key, .. } = *relationship.link()? else { return Ok(Vec::new()) };
    owners.retain(|owner| !loader.has(*owner, node));
    if relationship.kind() == RelationshipKind::BelongsTo {
        owners.retain(|owner| loader.store.parent_of(*owner, foreign_key) == Parent::Nowhere);
        return Ok(owners);
    }
    // The key is on the other side: only the database knows.
    let all = LoadNode::of(relationship, Vec::new());
    let criteria = std::mem::replace(&mut loader.criteria, Criteria::NONE);
    let found = Box::pin(find_members(loader, &owners, &all, None)).await;
    loader.criteria = criteria;
    let found = found?;
    Ok(found
        .into_iter()
        .filter(|(_, members)| members.is_empty())
        .map(|(owner, _)| owner)
        .collect())
}

// ---------------------------------------------------------------- the key is here

/// Where the references of these objects lead: the identity map first, then one statement for
/// the distinct keys that it doesn't know.
async fn find_parents(
    loader: &mut Loader<'_>,
    owners: &[ObjectId],
    node: &LoadNode,
    query: Option<OwnerQuery<'_>>,
) -> Result<Found> {
    let Link::Direct { foreign_key, .. } = *node.relationship.link()? else {
        return Ok(Vec::new());
    };
    let ends = Ends::of(node.relationship)?;
    let mut found = Vec::with_capacity(owners.len());
    let mut known = Vec::new();
    let mut by_key: HashMap<Vec<Value>, Vec<ObjectId>> = HashMap::new();
    let mut keys: Vec<Vec<Value>> = Vec::new();
    for &owner in owners {
        let parent = loader.store.parent_of(owner, foreign_key);
        let key = match parent {
            Parent::Nowhere => {
                found.push((owner, Vec::new()));
                continue;
            }
            Parent::Unloaded(key) => key,
            Parent::Known(parent) => {
                let header = loader.store.header(parent);
                let is_current = node.filter.is_none()
                    && !loader.populate_existing
                    && !header.expired
                    && loader.admits(parent);
                if is_current || header.state == State::Pending {
                    found.push((owner, vec![parent]));
                    known.extend(is_current.then_some(parent));
                    continue;
                }
                loader.store.database_values(parent, foreign_key.referenced())
            }
        };
        let waiting = by_key.entry(key.clone()).or_default();
        if waiting.is_empty() {
            keys.push(key);
        }
        waiting.push(owner);
    }
    let mut statements: Vec<(Select, OwnerKey)> = Vec::new();
    match query {
        Some(query) if !keys.is_empty() => {
            let owners = keys_of_query(query.select, query.table, ends.owner);
            statements.push(members_of_owners(node, &ends, Owners::Query(Box::new(owners))));
        }
        _ => {
            let chunks = keys.chunks(KEYS_PER_STATEMENT);
            statements.extend(chunks.map(|keys| members_by_key(node, &ends, keys)));
        }
    }
    for (select, owner_key) in statements {
        for loaded in load_members_by(loader, node, select, owner_key).await?.loaded {
            for owner in by_key.remove(&loaded.owner).unwrap_or_default() {
                found.push((owner, vec![loaded.object]));
            }
        }
    }
    // What is left leads to a row that isn't there, or that is not to be seen: not loaded.
    if !known.is_empty() && !node.children.is_empty() {
        Box::pin(load_nodes(loader, &known, &node.children)).await?;
    }
    Ok(found)
}

// ---------------------------------------------------------------- the key is there

/// The members of these owners: by the query that found them, and what that doesn't find any more
/// by a statement per chunk of keys.
pub(super) async fn find_members(
    loader: &mut Loader<'_>,
    owners: &[ObjectId],
    node: &LoadNode,
    query: Option<OwnerQuery<'_>>,
) -> Result<Found> {
    let ends = Ends::of(node.relationship)?;
    let mut found = Vec::with_capacity(owners.len());
    let mut rest = owners.to_vec();
    if let Some(query) = query
        && !owners.is_empty()
    {
        let keys = keys_of_query(query.select, query.table, ends.owner);
        let (select, owner_key) = members_of_owners(node, &ends, Owners::Query(Box::new(keys)));
        let entities = load_members_by(loader, node, select, owner_key).await?;
        let mut by_key: HashMap<Vec<Value>, Vec<ObjectId>> = HashMap::new();
        for key in entities.childless {
            by_key.entry(key).or_default();
        }
        for loaded in entities.loaded {
            push_once(by_key.entry(loaded.owner).or_default(), loaded.object);
        }
        rest.retain(|owner| {
            let members = by_key.remove(&loader.store.database_values(*owner, ends.owner));
            let is_missing = members.is_none();
            found.extend(members.map(|members| (*owner, members)));
            is_missing
        });
    }
    for chunk in rest.chunks(KEYS_PER_STATEMENT) {
        let keys: Vec<Vec<Value>> =
            chunk.iter().map(|owner| loader.store.database_values(*owner, ends.owner)).collect();
        let mut place: HashMap<&[Value], usize> = HashMap::with_capacity(chunk.len());
        for (key, owner) in keys.iter().zip(chunk) {
            place.insert(key, found.len());
            found.push((*owner, Vec::new()));
        }
        let (select, owner_key) = members_by_key(node, &ends, &keys);
        for loaded in load_members_by(loader, node, select, owner_key).await?.loaded {
            if let Some(&at) = place.get(loaded.owner.as_slice()) {
                push_once(&mut found[at].1, loaded.object);
            }
        }
    }
    Ok(found)
}

/// Adds a member. Nothing need keep the rows of an association from being there twice; in the
/// members' order they follow each other.
fn push_once(members: &mut Vec<ObjectId>, member: ObjectId) {
    if members.last() != Some(&member) {
        members.push(member);
    }
}

/// Runs a statement for the members of a relationship, and what is to be loaded below them.
async fn load_members_by(
    loader: &mut Loader<'_>,
    node: &LoadNode,
    select: Select,
    owner_key: OwnerKey,
) -> Result<Entities> {
    let table = node.relationship.target();
    let (undeferred, nodes, at_most_one) = (node.undeferred.clone(), &node.children[..], false);
    let query = EntityQuery { table, select, undeferred, nodes, at_most_one, owner_key };
    load_entities(loader, query).await
}
