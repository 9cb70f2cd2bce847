//! Relationships loaded by the query itself, through LEFT JOINs under aliases of their own.

use crate::error::Result;
use crate::model::{ColumnSet, Link, RowLayout, Table};
use crate::query::{joins, key_order, member_order};
use crate::sql::{Alias, Expr, From, JoinKind, OrderTerm, Select, Source};

use super::plan::LoadNode;

/// A joined relationship and where its cells are in a row.
#[derive(Debug)]
pub(crate) struct JoinedLoad<'n> {
    pub(crate) node: &'n LoadNode,
    /// The joined relationship that its owner came from; `None` for the query's own objects.
    pub(crate) owner: Option<usize>,
    /// Where its cells are.
    pub(crate) layout: RowLayout,
}

/// Whether any joined relationship multiplies the rows of the query's own objects.
pub(crate) fn multiplies(nodes: &[LoadNode]) -> bool {
    nodes
        .iter()
        .any(|node| node.is_joined() && (node.leads_to_several() || multiplies(&node.children)))
}

/// Lets a limit always cut at the same row, where the order leaves rows equal, unless they are
/// folded.
pub(crate) fn break_ties(select: &mut Select, table: &'static Table) {
    let is_cut = select.limit.is_some() || select.offset.is_some();
    if !is_cut || select.distinct || !select.group_by.is_empty() {
        return;
    }
    for tie in key_order(table, Source::Scope) {
        if !select.order_by.iter().any(|term| term.is_of_column(&tie)) {
            select.order_by.push(tie);
        }
    }
}

/// Lets a limit, offset, distinct or grouping keep counting the query's own objects, by
/// wrapping the query before anything is joined that multiplies its rows.
pub(crate) fn wrap_if_counted(
    select: Select,
    table: &'static Table,
    undeferred: &ColumnSet,
    nodes: &[LoadNode],
) -> Select {
    let counted = select.limit.is_some()
        || select.offset.is_some()
        || select.distinct
        || !select.group_by.is_empty();
    if !counted || !multiplies(nodes) {
        return select;
    }
    let mut inner = select;
    inner.columns.clear();
    let selected = |column| table.selected(undeferred).any(|other| other == column);
    inner.select_columns(table, Source::Scope, table.selected(undeferred));
    let mut outer_order = Vec::new();
    for (at, term) in inner.order_by.iter().enumerate() {
        if matches!(&term.expr, Expr::Column(it)
            if it.table == table && it.source == Source::Scope && selected(it.column))
        {
            outer_order.push(term.clone());
            continue;
        }
        let name = format!("order {at}");
        inner.columns.push((term.expr.clone(), Some(name.clone())));
        let expr = Expr::Derived { table, column: name, shows: None };
        outer_order.push(OrderTerm { expr, ..term.clone() });
    }
    let mut outer = Select::new(From::derived(inner, table));
    outer.order_by = outer_order;
    outer
}

/// Joins every joined relationship below the table's objects, selects its columns and orders its
/// members.
pub(crate) fn join_loads<'n>(
    select: &mut Select,
    table: &'static Table,
    nodes: &'n [LoadNode],
) -> Result<Vec<JoinedLoad<'n>>> {
    let mut loads = Vec::new();
    let mut place = Place { select, order: Vec::new() };
    place.join_below(Source::Scope, None, nodes, &mut loads)?;
    let order = place.order;
    if !order.is_empty() {
        // Objects that the query's own order leaves equal must not mix their members.
        select.order_by.extend(key_order(table, Source::Scope));
        select.order_by.extend(order);
    }
    Ok(loads)
}

struct Place<'s> {
    select: &'s mut Select,
    order: Vec<OrderTerm>,
}

impl Place<'_> {
    fn join_below<'n>(
        &mut self,
        owner_source: Source,
        owner: Option<usize>,
        nodes: &'n [LoadNode],
        loads: &mut Vec<JoinedLoad<'n>>,
    ) -> Result<()> {
        for node in nodes.iter().filter(|node| node.is_joined()) {
            let target = node.relationship.target();
            let association = self.select.next_alias();
            let alias = match node.relationship.link()? {
                Link::Direct { .. } => association,
                Link::Through(_) => Alias(association.0 + 1),
            };
            let source = Source::Alias(alias);
            let mut joins =
                joins(node.relationship, JoinKind::Left, owner_source, source, association)?;
            if let (Some(filter), Some(join)) = (&node.filter, joins.last_mut()) {
                let mut filter = filter.clone();
                filter.rescope(target, source);
                join.on = std::mem::replace(&mut join.on, Expr::Integer(1)).and(filter);
            }
            self.select.joins.extend(joins);
            let layout = RowLayout::new(target, self.select.columns.len(), &node.undeferred);
            self.select.select_columns(target, source, target.selected(&node.undeferred));
            if node.leads_to_several() {
                let mut order = member_order(node.relationship, node.order.clone());
                for term in &mut order {
                    term.expr.rescope(target, source);
                }
                self.order.extend(order);
            }
            loads.push(JoinedLoad { node, owner, layout });
            let index = loads.len() - 1;
            self.join_below(source, Some(index), &node.children, loads)?;
        }
        Ok(())
    }
}
