//! Which operation on which table comes before which: what foreign keys and unique values demand,
//! and, where these say nothing, habits.

use std::collections::HashSet;

use super::found::Found;
use super::order::{Operation, column_names, columns_of};
use super::uniques::Conflict;
use super::work::{Update, Work};
use crate::error::{Error, Result};
use crate::model::{ForeignKey, Table};
use crate::tracking::ObjectId;

/// What foreign keys and unique values demand of tables and operations.
pub(super) struct TableGraph {
    pub(super) nodes: Vec<(&'static Table, Operation)>,
    /// `edges[a]` holds what comes after `a`.
    edges: Vec<Vec<usize>>,
    handovers: Vec<Handover>,
}

/// That rows of one operation give values of a unique key up which those of another take.
#[derive(PartialEq)]
struct Handover {
    table: &'static Table,
    key: &'static [usize],
    freer: Operation,
    taker: Operation,
}

impl TableGraph {
    /// The graph of what there is to write, and the positions of each node's rows.
    pub(super) fn new(
        work: &Work,
        conflicts: &[Conflict],
        found: &[Found],
    ) -> (Self, Vec<Vec<usize>>) {
        let mut graph = Self { nodes: Vec::new(), edges: Vec::new(), handovers: Vec::new() };
        let mut rows: Vec<Vec<usize>> = Vec::new();
        let mut add = |operation: Operation, tables: &mut dyn Iterator<Item = &'static Table>| {
            for (at, table) in tables.enumerate() {
                let node = graph.node(table, operation);
                rows.resize_with(graph.nodes.len(), Vec::new);
                rows[node].push(at);
            }
        };
        add(Operation::Insert, &mut work.inserts.iter().map(|row| row.table));
        add(Operation::Update, &mut work.updates.iter().map(|row| row.table));
        add(Operation::Delete, &mut work.deletes.iter().map(|row| row.table));
        add(Operation::Pair, &mut work.pair_inserts.iter().map(|row| row.pair.table));
        add(Operation::Unpair, &mut work.pair_deletes.iter().map(|row| row.pair.table));
        for clear in &work.clears {
            graph.node(clear.table, Operation::Unpair);
        }
        rows.resize_with(graph.nodes.len(), Vec::new);
        graph.edges = vec![Vec::new(); graph.nodes.len()];
        graph.require_keys(work);
        graph.require_unique_keys(conflicts);
        for found in found {
            let update = graph.find(found.by, Operation::Update);
            graph.prefer(update, graph.find(found.table, found.operation));
        }
        graph.prefer_changed_keys(work);
        graph.prefer_habits();
        (graph, rows)
    }

    fn node(&mut self, table: &'static Table, operation: Operation) -> usize {
        self.find(table, operation).unwrap_or_else(|| {
            self.nodes.push((table, operation));
            self.nodes.len() - 1
        })
    }

    fn find(&self, table: &'static Table, operation: Operation) -> Option<usize> {
        self.nodes.iter().position(|node| *node == (table, operation))
    }

    fn edge(&mut self, first: Option<usize>, then: Option<usize>) {
        if let (Some(first), Some(then)) = (first, then)
            && first != then
            && !self.edges[first].contains(&then)
        {
            self.edges[first].push(then);
        }
    }

    /// Each table once.
    fn tables(&self) -> Vec<&'static Table> {
        let mut tables = Vec::new();
        for (table, _) in &self.nodes {
            if !tables.contains(table) {
                tables.push(*table);
            }
        }
        tables
    }

    /// What the foreign keys demand, also through tables that take no part: parents are inserted
    /// before children, children deleted before parents.
    fn require_keys(&mut self, work: &Work) {
        let tables = self.tables();
        for &child in &tables {
            for parent in referenced_tables(child) {
                let insert = self.find(parent, Operation::Insert);
                let delete = self.find(parent, Operation::Delete);
                for operation in [Operation::Insert, Operation::Pair] {
                    self.edge(insert, self.find(child, operation));
                }
                let waits = work.updates.iter().any(|update| {
                    update.table == child
                        && update.parents.iter().any(|(key, _)| key.target() == parent)
                });
                if waits {
                    self.edge(insert, self.find(child, Operation::Update));
                }
                // Of rows that leave a deleted parent, in its own table too, and of association
                // rows of a table that refers to itself.
                for operation in [Operation::Delete, Operation::Unpair] {
                    self.edge(self.find(child, operation), delete);
                }
                let mut updates = work.updates.iter().filter(|update| update.table == child);
                if updates.any(|update| may_leave(update, parent)) {
                    self.edge(self.find(child, Operation::Update), delete);
                }
            }
        }
        for &table in &tables {
            let unpair = self.find(table, Operation::Unpair);
            self.edge(unpair, self.find(table, Operation::Pair));
            self.edge(unpair, self.find(table, Operation::Insert));
            // Association rows that are objects too are deleted, and counted, as objects.
            let delete = self.find(table, Operation::Delete);
            self.edge(delete, unpair);
            self.edge(delete, self.find(table, Operation::Pair));
        }
    }

    /// What unique keys demand: a row that gives a value up comes before the one that takes it.
    fn require_unique_keys(&mut self, conflicts: &[Conflict]) {
        for &Conflict { table, key, freer, taker } in conflicts {
            let (freer, taker) = (freer.operation, taker.operation);
            let handover = Handover { table, key, freer, taker };
            if !self.handovers.contains(&handover) {
                self.edge(self.find(table, freer), self.find(table, taker));
                self.handovers.push(handover);
            }
        }
    }

    /// Rows that are found by a changed key must not have to be written before it changes: nothing
    /// would be found by it, or another row.
    pub(super) fn expect_findable(&self, found: &[Found]) -> Result<()> {
        for &Found { table, operation, by } in found {
            let update = self.find(by, Operation::Update);
            let (Some(update), Some(node)) = (update, self.find(table, operation)) else {
                continue;
            };
            let takes_over = self.handovers.iter().any(|it| {
                let takes = (it.freer, it.taker) == (Operation::Delete, Operation::Update);
                it.table == by && takes
            });
            let is_before = node != update && self.leads_to(node, update);
            if is_before && (takes_over || !self.leads_to(update, node)) {
                return Err(Error::misuse(format!(
                    "a row of `{by}` whose key changes takes a value over from a row that is deleted, before which rows of `{table}` are to be written that are found by the changed key: flush the deletion first",
                    by = by.name(),
                    table = table.name(),
                )));
            }
        }
        Ok(())
    }

    /// Rows that lead to a changed key come after the UPDATE that changes it.
    fn prefer_changed_keys(&mut self, work: &Work) {
        for child in self.tables() {
            for foreign_key in child.foreign_keys() {
                let parent = foreign_key.target();
                let changes = work.updates.iter().any(|update| {
                    let mut columns = update.columns.iter();
                    update.table == parent
                        && columns.any(|column| foreign_key.referenced().contains(column))
                });
                if changes {
                    // All of them find, or write, rows by the key that they have then.
                    for operation in [
                        Operation::Update,
                        Operation::Insert,
                        Operation::Pair,
                        Operation::Unpair,
                        Operation::Delete,
                    ] {
                        let update = self.find(parent, Operation::Update);
                        self.prefer(update, self.find(child, operation));
                    }
                }
            }
        }
    }

    /// Within a table UPDATE, then INSERT, then DELETE, unless a key demands otherwise. Parents are
    /// updated before rows that lead to them are written: those lock the parent, and two
    /// transactions that both hold such a lock could never update it.
    fn prefer_habits(&mut self) {
        for child in self.tables() {
            for parent in child.foreign_keys().iter().map(ForeignKey::target) {
                let update = self.find(parent, Operation::Update);
                for operation in [Operation::Insert, Operation::Update, Operation::Pair] {
                    self.prefer(update, self.find(child, operation));
                }
            }
            // The database may delete children with their parents.
            for parent in referenced_tables(child) {
                let update = self.find(child, Operation::Update);
                self.prefer(update, self.find(parent, Operation::Delete));
            }
        }
        for node in 0..self.nodes.len() {
            let (table, operation) = self.nodes[node];
            let next: &[Operation] = match operation {
                Operation::Update => &[Operation::Insert, Operation::Delete],
                Operation::Insert => &[Operation::Delete],
                _ => &[],
            };
            for &operation in next {
                self.prefer(Some(node), self.find(table, operation));
            }
        }
    }

    /// An edge that gives way to those that are there already.
    fn prefer(&mut self, first: Option<usize>, then: Option<usize>) {
        if let (Some(from), Some(to)) = (first, then)
            && !self.leads_to(to, from)
        {
            self.edge(first, then);
        }
    }

    fn leads_to(&self, from: usize, to: usize) -> bool {
        let mut seen = HashSet::new();
        let mut stack = vec![from];
        while let Some(node) = stack.pop() {
            if node == to {
                return true;
            }
            if seen.insert(node) {
                stack.extend(&self.edges[node]);
            }
        }
        false
    }

    /// Whether rows of the node may depend on each other: through a key to their own table, or by
    /// a value that changes hands.
    pub(super) fn waits_for_itself(&self, work: &Work, node: usize) -> bool {
        let (table, operation) = self.nodes[node];
        let depends = |parents: &[(&'static ForeignKey, ObjectId)]| {
            parents.iter().any(|(key, _)| key.target() == table)
        };
        match operation {
            Operation::Insert => {
                work.inserts.iter().any(|row| row.table == table && depends(&row.parents))
            }
            Operation::Delete => {
                work.deletes.iter().any(|row| row.table == table && depends(&row.parents))
            }
            Operation::Update => {
                let takes_over = self.handovers.iter().any(|handover| {
                    handover.table == table
                        && handover.freer == operation
                        && handover.taker == operation
                });
                takes_over || changes_own_keys(work, table)
            }
            Operation::Pair | Operation::Unpair => false,
        }
    }

    /// Of these nodes, by their positions, those of which the first should go before the second
    /// because of tables between them that take no part: no row tells.
    pub(super) fn over_others(&self, nodes: &[usize]) -> Vec<(usize, usize)> {
        let leads = |child: &'static Table, parent: &'static Table| {
            child.foreign_keys().iter().any(|key| key.target() == parent)
        };
        let mut over_others = Vec::new();
        for (a, &before) in nodes.iter().enumerate() {
            for (b, node) in nodes.iter().enumerate() {
                let (first, then) = (self.nodes[before].0, self.nodes[*node].0);
                if first != then
                    && self.edges[before].contains(node)
                    && !leads(first, then)
                    && !leads(then, first)
                {
                    over_others.push((a, b));
                }
            }
        }
        over_others
    }

    /// The nodes in order; nodes that depend on each other in a circle together. Among those that
    /// are ready, writes come before deletes and otherwise what was touched first.
    pub(super) fn components(&self) -> Vec<Vec<usize>> {
        let reaches: Vec<HashSet<usize>> = (0..self.nodes.len())
            .map(|from| {
                (0..self.nodes.len()).filter(|&to| from != to && self.leads_to(from, to)).collect()
            })
            .collect();
        let mut left: Vec<usize> = (0..self.nodes.len()).collect();
        let rank = |node: usize| {
            (self.nodes[node].1 == Operation::Delete, self.nodes[node].1 == Operation::Pair, node)
        };
        let mut components = Vec::new();
        while !left.is_empty() {
            // Ready is whoever is reached only from its own circle.
            let ready = left
                .iter()
                .copied()
                .filter(|&node| {
                    left.iter().all(|&other| {
                        !reaches[other].contains(&node) || reaches[node].contains(&other)
                    })
                })
                .min_by_key(|&node| rank(node));
            let Some(first) = ready else { break };
            let component: Vec<usize> = left
                .iter()
                .copied()
                .filter(|&node| {
                    node == first
                        || (reaches[first].contains(&node) && reaches[node].contains(&first))
                })
                .collect();
            left.retain(|node| !component.contains(node));
            components.push(component);
        }
        components
    }

    /// What the step waited for, and what its table's other steps wait for, in words.
    pub(super) fn reason(&self, node: usize) -> String {
        let (table, operation) = self.nodes[node];
        let mut reasons = Vec::new();
        for &Handover { table: other, key, freer, taker } in &self.handovers {
            if other == table && freer == operation {
                let (verb, columns) = (taker.verb(), columns_of(table, key));
                reasons.push(format!("before {verb} {}: {columns} is taken over", table.name()));
            }
        }
        for (before, edges) in self.edges.iter().enumerate() {
            let (other, _) = self.nodes[before];
            if !edges.contains(&node) || other == table {
                continue;
            }
            let (child, parent) = match operation {
                Operation::Delete => (other, table),
                _ => (table, other),
            };
            let columns: Vec<String> = child
                .foreign_keys()
                .iter()
                .filter(|key| key.target() == parent)
                .map(|key| column_names(child, key))
                .collect();
            // What only follows from another step's reasons goes without saying.
            let is_implied = || {
                self.edges[before]
                    .iter()
                    .any(|&between| between != node && self.leads_to(between, node))
            };
            if columns.is_empty() && is_implied() {
                continue;
            }
            let reason = match columns.is_empty() {
                true => format!("after {}", other.name()),
                false => format!("after {}: {}", other.name(), columns.join(", ")),
            };
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        reasons.join("; ")
    }
}

/// Whether an UPDATE may make its row lead elsewhere than to a row of this table, directly or over
/// others.
fn may_leave(update: &Update, parent: &'static Table) -> bool {
    let is_written = |column: &usize| {
        update.columns.contains(column) || update.computed().any(|other| other == *column)
    };
    update.table.foreign_keys().iter().any(|key| {
        let is_written = key.columns().iter().any(is_written);
        let target = key.target();
        is_written && (target == parent || referenced_tables(target).contains(&parent))
    })
}

/// Whether rows change a key that rows of the same table lead to.
fn changes_own_keys(work: &Work, table: &'static Table) -> bool {
    let own = table.foreign_keys().iter().filter(|key| key.target() == table);
    let mut referenced = own.flat_map(ForeignKey::referenced);
    referenced.any(|column| {
        let mut updates = work.updates.iter().filter(|update| update.table == table);
        updates.any(|update| update.columns.contains(column))
    })
}

/// Every table that a table's foreign keys lead to, also over others.
fn referenced_tables(table: &'static Table) -> Vec<&'static Table> {
    let mut found: Vec<&'static Table> = Vec::new();
    let mut stack = vec![table];
    while let Some(next) = stack.pop() {
        for foreign_key in next.foreign_keys() {
            let target = foreign_key.target();
            if !found.contains(&target) {
                found.push(target);
                stack.push(target);
            }
        }
    }
    // Over a circle of tables a table leads to itself; only a key of its own makes that count.
    if !table.foreign_keys().iter().any(|key| key.target() == table) {
        found.retain(|other| *other != table);
    }
    found
}
