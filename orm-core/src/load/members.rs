//! The statements that find the members of owners: by the owners' keys, or by a query for them.

use super::entities::OwnerKey;
use super::plan::LoadNode;
use crate::error::Result;
use crate::model::Table;
use crate::query::{Ends, member_order, reaches};
use crate::sql::{
    Alias, BinaryOp, ColumnRef, Expr, From, Join, JoinKind, OrderTerm, Owners, Select, Source,
    owner_key,
};
use crate::value::{SqlType, Value};

/// The occurrence of an association table in these statements.
const ASSOCIATION: Alias = Alias(1);

/// The members of the owners with these keys, whose columns are `ends.owner`.
pub(super) fn members_by_key(
    node: &LoadNode,
    ends: &Ends,
    keys: &[Vec<Value>],
) -> (Select, OwnerKey) {
    let target = node.relationship.target();
    let mut select = Select::from(target);
    let far = far_columns(target, ends);
    if let Some((table, key)) = ends.through {
        let (kind, source) = (JoinKind::Inner, Source::Alias(ASSOCIATION));
        let on = reaches(table, source, key, Source::Scope);
        select.joins.push(Join::table(kind, table, source, on));
    }
    select.filter = Some(Expr::Keys { columns: far.clone(), keys: keys.to_vec() });
    if let Some(filter) = &node.filter {
        select.and_filter(filter.clone());
    }
    order_members(&mut select, node);
    let owner = match ends.through {
        Some(_) => {
            OwnerKey::Beside(typed(far.iter().map(|column| (Expr::Column(*column), column))))
        }
        None => OwnerKey::Own(ends.far.to_vec()),
    };
    match node.limit {
        Some(limit) => limited(select, node, &far, |at| Expr::Column(far[at]), limit),
        None => (select, owner),
    }
}

/// The members of the owners that are asked for by other means than their keys. An owner without
/// any comes in a row of its own, without a member.
pub(super) fn members_of_owners(
    node: &LoadNode,
    ends: &Ends,
    owners: Owners,
) -> (Select, OwnerKey) {
    let target = node.relationship.target();
    let far = far_columns(target, ends);
    let key = |at: usize| Expr::OwnerKey(at, far[at]);
    let mut select = Select::new(From::Owners(owners));
    let is_owners = Expr::All(
        (0..far.len())
            .map(|at| Expr::binary(Expr::Column(far[at]), BinaryOp::Equal, key(at)))
            .collect(),
    );
    match ends.through {
        Some((table, foreign_key)) => {
            let source = Source::Alias(ASSOCIATION);
            select.joins.push(Join::table(JoinKind::Left, table, source, is_owners));
            let on = reaches(table, source, foreign_key, Source::Scope);
            let (kind, source) = (JoinKind::Left, Source::Scope);
            select.joins.push(Join::table(kind, target, source, on));
        }
        None => {
            let (kind, source) = (JoinKind::Left, Source::Scope);
            select.joins.push(Join::table(kind, target, source, is_owners));
        }
    }
    if let (Some(filter), Some(join)) = (&node.filter, select.joins.last_mut()) {
        join.on = std::mem::replace(&mut join.on, Expr::All(Vec::new())).and(filter.clone());
    }
    order_members(&mut select, node);
    let Some(limit) = node.limit else {
        let key = (0..far.len()).map(|at| (key(at), &far[at]));
        return (select, OwnerKey::Beside(typed(key)));
    };
    // What the association leads to without a member must not count.
    let is_missing = target.primary_key().first().map(|&column| Expr::IsNull {
        operand: Box::new(Expr::Column(ColumnRef::scoped(target, column))),
        negated: false,
    });
    let missing_last = is_missing.map(|is_missing| OrderTerm::new(is_missing, false));
    select.order_by.splice(0..0, missing_last);
    limited(select, node, &far, key, limit)
}

/// The keys, in these columns, of the objects that a query finds, each once.
pub(super) fn keys_of_query(query: &Select, table: &'static Table, columns: &[usize]) -> Select {
    let mut inner = query.clone();
    inner.lock = None;
    inner.columns.clear();
    let scoped = columns.iter().map(|&column| ColumnRef::scoped(table, column));
    inner.select_owner_keys(scoped.clone().map(Expr::Column));
    if inner.limit.is_none() && inner.offset.is_none() {
        inner.order_by.clear();
    }
    if inner.distinct {
        // Distinct rows are ordered by what they show.
        let order = inner.order_by.iter().enumerate();
        let order = order.map(|(at, term)| (term.expr.clone(), Some(format!("order {at}"))));
        let order: Vec<_> = order.collect();
        inner.columns.extend(order);
    }
    // Members may be those of several owners.
    let reads_one_table = inner.joins.is_empty() && matches!(inner.from, From::Table(..));
    if reads_one_table && table.is_unique(columns) && !inner.distinct {
        return inner;
    }
    let mut keys = Select::new(From::Owners(Owners::Query(Box::new(inner))));
    keys.select_owner_keys(scoped.enumerate().map(|(at, column)| Expr::OwnerKey(at, column)));
    keys.distinct = true;
    keys
}

/// The query for the members of the objects that another query finds, for queries around it.
pub(super) fn members_of_query(
    query: &Select,
    table: &'static Table,
    node: &LoadNode,
) -> Result<Select> {
    let ends = Ends::of(node.relationship)?;
    let owners = Owners::Query(Box::new(keys_of_query(query, table, ends.owner)));
    Ok(members_of_owners(node, &ends, owners).0)
}

/// At most `limit` members of each owner, in the order of the query.
fn limited(
    mut inner: Select,
    node: &LoadNode,
    far: &[ColumnRef],
    key: impl Fn(usize) -> Expr,
    limit: u64,
) -> (Select, OwnerKey) {
    let table = node.relationship.target();
    inner.select_columns(table, Source::Scope, table.selected(&node.undeferred));
    inner.select_owner_keys((0..far.len()).map(&key));
    let partition = (0..far.len()).map(key).collect();
    let select = inner.at_most_per(table, partition, limit);
    let of_inner = |column: String| Expr::Derived { table, column, shows: None };
    let key = far.iter().enumerate().map(|(at, column)| (of_inner(owner_key(at)), column));
    (select, OwnerKey::Beside(typed(key)))
}

/// The columns that hold the owner's key: of the target, or of the association table.
fn far_columns(target: &'static Table, ends: &Ends) -> Vec<ColumnRef> {
    let of = |&column: &usize| match ends.through {
        Some((table, _)) => ColumnRef::aliased(table, column, ASSOCIATION),
        None => ColumnRef::scoped(target, column),
    };
    ends.far.iter().map(of).collect()
}

fn order_members(select: &mut Select, node: &LoadNode) {
    if node.leads_to_several() {
        select.order_by = member_order(node.relationship, node.order.clone());
    }
}

fn typed<'c>(key: impl Iterator<Item = (Expr, &'c ColumnRef)>) -> Vec<(Expr, SqlType)> {
    key.map(|(expr, column)| (expr, column.sql_type())).collect()
}
