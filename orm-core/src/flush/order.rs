//! In which order: an explicit graph over (table, operation), and rows only where tables form a
//! circle.

use std::collections::{HashMap, HashSet};

use super::work::{Insert, PlanValue, Update, Work};
use crate::error::{Error, Result};
use crate::model::{ForeignKey, RelationshipKind, Table};
use crate::tracking::{ObjectId, views_of_child, views_of_parent};
use crate::value::Value;

/// What a step does to its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Operation {
    /// Takes association rows apart.
    Unpair,
    Update,
    Insert,
    /// Adds association rows.
    Pair,
    Delete,
}

/// Rows of one table and operation that nothing in this flush puts in an order among themselves.
#[derive(Debug)]
pub(crate) struct OrderedStep {
    pub(crate) table: &'static Table,
    pub(crate) operation: Operation,
    /// Positions among the work's rows of the operation.
    pub(crate) rows: Vec<usize>,
    /// Why it stands where it stands.
    pub(crate) reason: String,
}

/// Orders the work. Breaks circles of rows at a nullable foreign key, which adds updates to it.
pub(crate) fn order(work: &mut Work) -> Result<Vec<OrderedStep>> {
    let mut deferred = defer_post_updates(work);
    let planned_updates = work.updates.len();
    let graph = Graph::new(work);
    let mut steps = Vec::new();
    for component in graph.components() {
        match component.as_slice() {
            [only] if !graph.refers_to_itself(work, *only) => {
                let (table, operation) = graph.nodes[*only];
                let mut rows = rows_of(work, table, operation);
                if operation == Operation::Update {
                    // Updates that break circles have steps of their own.
                    rows.retain(|&row| row < planned_updates);
                }
                let reason = graph.reason(*only);
                steps.push(OrderedStep { table, operation, rows, reason });
            }
            nodes => {
                let members: Vec<_> = nodes.iter().map(|&node| graph.nodes[node]).collect();
                match members[0].1 {
                    Operation::Insert => level_inserts(work, &members, &mut steps, &mut deferred)?,
                    _ => level_deletes(work, &members, &mut steps)?,
                }
            }
        }
    }
    insert_deferred(work, deferred, &mut steps);
    Ok(steps)
}

/// The positions of the rows of one table and operation.
fn rows_of(work: &Work, table: &'static Table, operation: Operation) -> Vec<usize> {
    fn positions<T>(rows: &[T], is_of_table: impl Fn(&T) -> bool) -> Vec<usize> {
        rows.iter().enumerate().filter(|(_, row)| is_of_table(row)).map(|(at, _)| at).collect()
    }
    match operation {
        Operation::Insert => positions(&work.inserts, |row| row.table == table),
        Operation::Update => positions(&work.updates, |row| row.table == table),
        Operation::Delete => positions(&work.deletes, |row| row.table == table),
        Operation::Pair => positions(&work.pair_inserts, |row| row.pair.table == table),
        Operation::Unpair => positions(&work.pair_deletes, |row| row.pair.table == table),
    }
}

// ---------------------------------------------------------------- the graph of tables

struct Graph {
    nodes: Vec<(&'static Table, Operation)>,
    /// `edges[a]` holds what comes after `a`.
    edges: Vec<Vec<usize>>,
}

impl Graph {
    fn new(work: &Work) -> Self {
        let mut graph = Self { nodes: Vec::new(), edges: Vec::new() };
        work.inserts.iter().for_each(|row| graph.node(row.table, Operation::Insert));
        work.updates.iter().for_each(|row| graph.node(row.table, Operation::Update));
        work.deletes.iter().for_each(|row| graph.node(row.table, Operation::Delete));
        work.pair_inserts.iter().for_each(|row| graph.node(row.pair.table, Operation::Pair));
        work.pair_deletes.iter().for_each(|row| graph.node(row.pair.table, Operation::Unpair));
        work.clears.iter().for_each(|clear| graph.node(clear.table, Operation::Unpair));
        graph.edges = vec![Vec::new(); graph.nodes.len()];
        graph.require_keys(work);
        graph.prefer_habits();
        graph
    }

    fn node(&mut self, table: &'static Table, operation: Operation) {
        if !self.nodes.contains(&(table, operation)) {
            self.nodes.push((table, operation));
        }
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

    /// What the foreign keys demand, also through tables that take no part: parents are inserted
    /// before children, children deleted before parents.
    fn require_keys(&mut self, work: &Work) {
        let tables: HashSet<&'static Table> = self.nodes.iter().map(|(table, _)| *table).collect();
        let mut tables: Vec<_> = tables.into_iter().collect();
        tables.sort_by_key(|table| self.nodes.iter().position(|(other, _)| other == table));
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
                if child != parent {
                    for operation in [Operation::Update, Operation::Delete, Operation::Unpair] {
                        self.edge(self.find(child, operation), delete);
                    }
                }
            }
        }
        for &table in &tables {
            let unpair = self.find(table, Operation::Unpair);
            self.edge(unpair, self.find(table, Operation::Pair));
            self.edge(unpair, self.find(table, Operation::Insert));
            // A row that leaves a deleted parent does so before it is deleted.
            let delete = self.find(table, Operation::Delete);
            let cuts = work.updates.iter().any(|update| update.table == table);
            if cuts {
                self.edge(self.find(table, Operation::Update), delete);
            }
        }
    }

    /// Within a table UPDATE, then INSERT, then DELETE, unless a key demands otherwise.
    fn prefer_habits(&mut self) {
        for node in 0..self.nodes.len() {
            let (table, operation) = self.nodes[node];
            let next: &[Operation] = match operation {
                Operation::Update => &[Operation::Insert, Operation::Delete],
                Operation::Insert => &[Operation::Delete],
                _ => &[],
            };
            for &operation in next {
                if let Some(then) = self.find(table, operation)
                    && !self.leads_to(then, node)
                {
                    self.edge(Some(node), Some(then));
                }
            }
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

    /// Whether rows of the node may depend on each other through a key to their own table.
    fn refers_to_itself(&self, work: &Work, node: usize) -> bool {
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
            _ => false,
        }
    }

    /// The nodes in order; nodes that depend on each other in a circle together. Among those that
    /// are ready, writes come before deletes and otherwise what was touched first.
    fn components(&self) -> Vec<Vec<usize>> {
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

    /// What the step waited for, in words.
    fn reason(&self, node: usize) -> String {
        let (table, operation) = self.nodes[node];
        let mut reasons = Vec::new();
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
            reasons.push(match columns.is_empty() {
                true => format!("after {}", other.name()),
                false => format!("after {}: {}", other.name(), columns.join(", ")),
            });
        }
        reasons.join("; ")
    }
}

/// `posts.user_id`, for messages.
fn column_names(child: &'static Table, foreign_key: &ForeignKey) -> String {
    let names: Vec<&str> =
        foreign_key.columns().iter().map(|&column| child.columns()[column].name).collect();
    format!("{}.{}", child.name(), names.join("+"))
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

// ---------------------------------------------------------------- circles, row by row

/// Inserts of tables in a circle, one level after the other, roots first.
fn level_inserts(
    work: &mut Work,
    members: &[(&'static Table, Operation)],
    steps: &mut Vec<OrderedStep>,
    deferred: &mut Vec<Deferred>,
) -> Result<()> {
    let rows: Vec<usize> = (0..work.inserts.len())
        .filter(|&at| members.iter().any(|(table, _)| *table == work.inserts[at].table))
        .collect();
    let place: HashMap<ObjectId, usize> =
        rows.iter().map(|&at| (work.inserts[at].object, at)).collect();
    let mut left = rows;
    let mut level = 0;
    while !left.is_empty() {
        let waiting: HashSet<ObjectId> = left.iter().map(|&at| work.inserts[at].object).collect();
        let (ready, blocked): (Vec<usize>, Vec<usize>) = left.iter().partition(|&&at| {
            work.inserts[at].parents.iter().all(|(_, parent)| !waiting.contains(parent))
        });
        if ready.is_empty() {
            break_circle(work, &blocked, &place, deferred)?;
            continue;
        }
        for (table, operation) in members {
            let rows: Vec<usize> =
                ready.iter().copied().filter(|&at| work.inserts[at].table == *table).collect();
            if !rows.is_empty() {
                let reason = match level {
                    0 => String::new(),
                    _ => format!("level {level} below the rows that they refer to"),
                };
                steps.push(OrderedStep { table, operation: *operation, rows, reason });
            }
        }
        left = blocked;
        level += 1;
    }
    Ok(())
}

/// Finds a circle among blocked inserts and breaks it at a nullable foreign key.
fn break_circle(
    work: &mut Work,
    blocked: &[usize],
    place: &HashMap<ObjectId, usize>,
    deferred: &mut Vec<Deferred>,
) -> Result<()> {
    let waiting: HashSet<ObjectId> = blocked.iter().map(|&at| work.inserts[at].object).collect();
    // Following any parent that waits from any row that waits must come round.
    let mut path: Vec<(usize, &'static ForeignKey)> = Vec::new();
    let mut at = blocked[0];
    let circle = loop {
        let next = work.inserts[at].parents.iter().find(|(_, parent)| waiting.contains(parent));
        let Some((foreign_key, parent)) = next else { break path };
        if let Some(start) = path.iter().position(|(row, _)| *row == at) {
            break path.split_off(start);
        }
        path.push((at, foreign_key));
        at = place[parent];
    };
    let weak =
        circle.iter().find(|(row, foreign_key)| foreign_key.is_nullable(work.inserts[*row].table));
    let Some(&(row, foreign_key)) = weak else {
        let edges: Vec<String> = circle
            .iter()
            .map(|(row, foreign_key)| {
                let table = work.inserts[*row].table;
                format!(
                    "{} leads to {}",
                    column_names(table, foreign_key),
                    foreign_key.target().name()
                )
            })
            .collect();
        return Err(Error::Cycle(format!(
            "new rows need each other's keys first ({}), and none of these columns can be NULL for a moment",
            edges.join(", "),
        )));
    };
    deferred.extend(defer(&mut work.inserts[row], foreign_key, "breaks a circle of new rows"));
    Ok(())
}

/// Deletes of tables in a circle, leaves first.
fn level_deletes(
    work: &mut Work,
    members: &[(&'static Table, Operation)],
    steps: &mut Vec<OrderedStep>,
) -> Result<()> {
    let mut left: Vec<usize> = (0..work.deletes.len())
        .filter(|&at| members.iter().any(|(table, _)| *table == work.deletes[at].table))
        .collect();
    let mut cuts = Vec::new();
    let mut levels: Vec<Vec<usize>> = Vec::new();
    while !left.is_empty() {
        // A row is a leaf if no row that is left leads to it; leading to itself doesn't count.
        let referenced: HashSet<ObjectId> = left
            .iter()
            .flat_map(|&at| {
                let delete = &work.deletes[at];
                delete
                    .parents
                    .iter()
                    .map(|(_, parent)| *parent)
                    .filter(|parent| *parent != delete.object)
            })
            .collect();
        let (leaves, blocked): (Vec<usize>, Vec<usize>) =
            left.iter().partition(|&&at| !referenced.contains(&work.deletes[at].object));
        if !leaves.is_empty() {
            levels.push(leaves);
            left = blocked;
            continue;
        }
        let weak = blocked.iter().find_map(|&at| {
            let delete = &work.deletes[at];
            let key = delete.parents.iter().find(|(key, _)| key.is_nullable(delete.table))?.0;
            Some((at, key))
        });
        let Some((at, foreign_key)) = weak else {
            let edges: Vec<String> = blocked
                .iter()
                .flat_map(|&at| {
                    let delete = &work.deletes[at];
                    delete.parents.iter().map(|(key, _)| column_names(delete.table, key))
                })
                .collect();
            return Err(Error::Cycle(format!(
                "rows to delete refer to each other ({}), and none of these columns can be NULL for a moment",
                edges.join(", "),
            )));
        };
        let delete = &mut work.deletes[at];
        delete.parents.retain(|(key, _)| *key != foreign_key);
        cuts.push(Update {
            object: delete.object,
            table: delete.table,
            key_columns: delete.key_columns.clone(),
            key: delete.key.iter().cloned().map(PlanValue::Known).collect(),
            columns: foreign_key.columns().to_vec(),
            values: vec![PlanValue::Known(Value::Null); foreign_key.columns().len()],
            linked: Vec::new(),
            generated: Vec::new(),
            assigned: Vec::new(),
            parents: Vec::new(),
            reason: Some("breaks a circle of rows to delete".into()),
        });
    }
    for (table, _) in members {
        let of_table: Vec<Update> = cuts.extract_if(.., |cut| cut.table == *table).collect();
        if !of_table.is_empty() {
            let rows = (work.updates.len()..work.updates.len() + of_table.len()).collect();
            work.updates.extend(of_table);
            let reason = "breaks a circle of rows to delete".to_owned();
            steps.push(OrderedStep { table, operation: Operation::Update, rows, reason });
        }
    }
    for (level, leaves) in levels.into_iter().enumerate() {
        for (table, operation) in members {
            let rows: Vec<usize> =
                leaves.iter().copied().filter(|&at| work.deletes[at].table == *table).collect();
            if !rows.is_empty() {
                let reason = match level {
                    0 => String::new(),
                    _ => "after the rows that refer to them".to_owned(),
                };
                steps.push(OrderedStep { table, operation: *operation, rows, reason });
            }
        }
    }
    Ok(())
}

// ---------------------------------------------------------------- updates after inserts

/// A foreign key that is written by an UPDATE after its row's INSERT.
struct Deferred(Update);

/// Takes a foreign key out of an insert; the update that writes it later.
fn defer(insert: &mut Insert, foreign_key: &'static ForeignKey, reason: &str) -> Option<Deferred> {
    insert.parents.retain(|(key, _)| *key != foreign_key);
    insert.linked.retain(|column| !foreign_key.columns().contains(column));
    let mut columns = Vec::new();
    let mut values = Vec::new();
    for (column, value) in insert.columns.iter().zip(&mut insert.values) {
        if foreign_key.columns().contains(column) {
            columns.push(*column);
            values.push(std::mem::replace(value, PlanValue::Known(Value::Null)));
        }
    }
    if columns.is_empty() {
        return None;
    }
    let key_columns = insert.table.primary_key().to_vec();
    let key = key_columns
        .iter()
        .map(|column| {
            let given = insert.columns.iter().position(|other| other == column);
            given.map_or(PlanValue::KeyOf(insert.object, *column), |at| insert.values[at].clone())
        })
        .collect();
    Some(Deferred(Update {
        object: insert.object,
        table: insert.table,
        key_columns,
        key,
        linked: columns.clone(),
        columns,
        values,
        generated: Vec::new(),
        assigned: Vec::new(),
        parents: Vec::new(),
        reason: Some(reason.to_owned()),
    }))
}

/// Relationships that ask for it are always written by an UPDATE of their own.
fn defer_post_updates(work: &mut Work) -> Vec<Deferred> {
    let mut deferred = Vec::new();
    for insert in &mut work.inserts {
        let table = insert.table;
        let asks = |key: &'static ForeignKey| {
            views_of_child(table, key)
                .chain(
                    views_of_parent(table, key)
                        .filter(|view| view.kind() != RelationshipKind::ManyToMany),
                )
                .any(|view| view.is_post_update())
        };
        let keys: Vec<&'static ForeignKey> =
            insert.parents.iter().map(|(key, _)| *key).filter(|key| asks(key)).collect();
        for key in keys {
            deferred.extend(defer(insert, key, "`post_update`"));
        }
    }
    deferred
}

/// Puts the deferred updates right after the last insert of the flush.
fn insert_deferred(work: &mut Work, deferred: Vec<Deferred>, steps: &mut Vec<OrderedStep>) {
    let place = steps
        .iter()
        .rposition(|step| step.operation == Operation::Insert)
        .map_or(0, |last| last + 1);
    let mut by_table: Vec<OrderedStep> = Vec::new();
    for Deferred(update) in deferred {
        let (table, row) = (update.table, work.updates.len());
        let reason = update.reason.clone().unwrap_or_default();
        work.updates.push(update);
        match by_table.iter_mut().find(|step| step.table == table) {
            Some(step) => step.rows.push(row),
            None => by_table.push(OrderedStep {
                table,
                operation: Operation::Update,
                rows: vec![row],
                reason,
            }),
        }
    }
    steps.splice(place..place, by_table);
}
