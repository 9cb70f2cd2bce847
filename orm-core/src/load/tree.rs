//! A relationship of a model to itself, followed to its end by one statement.

use std::collections::{HashMap, HashSet};

use super::entities::{EntityQuery, load_entities};
use super::members::members_of_owners;
use super::plan::LoadNode;
use super::related::{Found, show};
use super::{KEYS_PER_STATEMENT, Loader};
use crate::error::Result;
use crate::model::{Link, RelationshipKind, Table};
use crate::query::{Ends, reaches};
use crate::sql::{Alias, BinaryOp, ColumnRef, Expr, From, Join, JoinKind, Owners, Select, Source};
use crate::tracking::{ObjectId, Parent};
use crate::value::Value;

/// Loads everything that the relationship leads to from these objects, and shows it level by level.
pub(super) async fn load_tree(
    loader: &mut Loader<'_>,
    roots: &[ObjectId],
    node: &LoadNode,
) -> Result<()> {
    let ends = Ends::of(node.relationship)?;
    let table = node.relationship.target();
    let mut objects = roots.to_vec();
    let mut members: HashMap<Vec<Value>, Vec<ObjectId>> = HashMap::new();
    let keys = distinct_keys(loader, roots, ends.owner);
    for chunk in keys.chunks(KEYS_PER_STATEMENT) {
        let closure = closure(node, &ends, chunk);
        let (select, owner_key) = members_of_owners(node, &ends, closure);
        let (undeferred, nodes, at_most_one) = (node.undeferred.clone(), &node.children[..], false);
        let query = EntityQuery { table, select, undeferred, nodes, at_most_one, owner_key };
        let entities = load_entities(loader, query).await?;
        // Two trees may share a part: what a former statement found is the same.
        let mut found: HashMap<Vec<Value>, Vec<ObjectId>> = HashMap::new();
        for owner in entities.childless {
            found.entry(owner).or_default();
        }
        for loaded in entities.loaded {
            objects.push(loaded.object);
            found.entry(loaded.owner).or_default().push(loaded.object);
        }
        members.extend(found);
    }
    let reached: HashSet<ObjectId> = objects[roots.len()..].iter().copied().collect();
    let mut seen = HashSet::with_capacity(objects.len());
    objects.retain(|object| seen.insert(*object));
    let found = match (node.relationship.kind(), *node.relationship.link()?) {
        (RelationshipKind::BelongsTo, Link::Direct { foreign_key, .. }) => objects
            .into_iter()
            .filter_map(|object| match loader.store.parent_of(object, foreign_key) {
                Parent::Nowhere => Some((object, Vec::new())),
                Parent::Known(parent) if node.filter.is_none() || reached.contains(&parent) => {
                    loader.admits(parent).then(|| (object, vec![parent]))
                }
                _ => None,
            })
            .collect(),
        _ => objects
            .into_iter()
            .filter_map(|object| {
                let key = loader.store.database_values(object, ends.owner);
                Some((object, members.get(&key)?.clone()))
            })
            .collect::<Found>(),
    };
    show(loader, node, found).await
}

/// The keys by which the relationship is followed from these objects, each once.
fn distinct_keys(loader: &Loader<'_>, objects: &[ObjectId], columns: &[usize]) -> Vec<Vec<Value>> {
    let mut seen = HashSet::with_capacity(objects.len());
    let keys = objects.iter().map(|object| loader.store.database_values(*object, columns));
    keys.filter(|key| !key.iter().any(Value::is_null) && seen.insert(key.clone())).collect()
}

/// These keys and those of everything that is reached from them.
fn closure(node: &LoadNode, ends: &Ends, keys: &[Vec<Value>]) -> Owners {
    let table = node.relationship.target();
    let own: Vec<ColumnRef> =
        ends.owner.iter().map(|&column| ColumnRef::scoped(table, column)).collect();
    let mut from = Select::from(table);
    from.select_owner_keys(own.iter().copied().map(Expr::Column));
    from.filter = Some(Expr::Keys { columns: own.clone(), keys: keys.to_vec() });

    let mut step = Select::new(From::Owners(Owners::Reached));
    let is_reached = |of: &'static Table, source: Source| {
        let parts = ends.far.iter().enumerate().map(|(at, &column)| {
            let column = ColumnRef { table: of, column, source };
            Expr::binary(Expr::Column(column), BinaryOp::Equal, Expr::OwnerKey(at, column))
        });
        Expr::All(parts.collect())
    };
    let kind = JoinKind::Inner;
    match ends.through {
        Some((association, key)) => {
            let source = Source::Alias(Alias(1));
            let on = is_reached(association, source);
            step.joins.push(Join::table(kind, association, source, on));
            let on = reaches(association, source, key, Source::Scope);
            step.joins.push(Join::table(kind, table, Source::Scope, on));
        }
        None => {
            let on = is_reached(table, Source::Scope);
            step.joins.push(Join::table(kind, table, Source::Scope, on));
        }
    }
    step.select_owner_keys(own.iter().copied().map(Expr::Column));
    step.filter = node.filter.clone();
    for column in own.iter().filter(|column| table.columns()[column.column].facts.nullable) {
        let operand = Box::new(Expr::Column(*column));
        step.and_filter(Expr::IsNull { operand, negated: true });
    }
    Owners::Closure { from: Box::new(from), step: Box::new(step) }
}
