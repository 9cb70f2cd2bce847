//! Tables in a circle, row by row: one batch per level, and circles of rows broken where a key
//! can be NULL for a moment.

use std::collections::{HashMap, HashSet};

use super::defer::{Deferred, defer};
use super::order::{Operation, OrderedStep, column_names};
use super::work::{PlanValue, Update, Work};
use crate::error::{Error, Result};
use crate::model::{ForeignKey, Table};
use crate::tracking::ObjectId;
use crate::value::Value;

/// Inserts of tables in a circle, one level after the other, roots first.
pub(super) fn level_inserts(
    work: &mut Work,
    members: &[(&'static Table, Operation)],
    steps: &mut Vec<OrderedStep>,
    deferred: &mut Vec<Deferred>,
) -> Result<()> {
    let rows: Vec<usize> = (0..work.inserts.len())
        .filter(|&at| members.iter().any(|(table, _)| *table == work.inserts[at].table))
        .collect();
    break_circles(work, &rows, deferred)?;
    let mut left = rows;
    let mut level = 0;
    while !left.is_empty() {
        let waiting: HashSet<ObjectId> = left.iter().map(|&at| work.inserts[at].object).collect();
        let (ready, blocked): (Vec<usize>, Vec<usize>) = left.iter().partition(|&&at| {
            work.inserts[at].parents.iter().all(|(_, parent)| !waiting.contains(parent))
        });
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

/// Leaves foreign keys of new rows open for a moment, so that the rows form no circle.
fn break_circles(work: &mut Work, rows: &[usize], deferred: &mut Vec<Deferred>) -> Result<()> {
    let place: HashMap<ObjectId, usize> =
        rows.iter().map(|&at| (work.inserts[at].object, at)).collect();
    let edges = |row: usize| {
        let parents = work.inserts[row].parents.iter();
        let edges = parents.filter_map(|&(foreign_key, parent)| {
            Some(Edge { row, foreign_key, parent: *place.get(&parent)? })
        });
        edges.collect()
    };
    let open = open_edges(rows, edges, |row| work.inserts[row].table);
    let open = open.map_err(|circle| {
        let edges = circle.iter().map(|&Edge { row, foreign_key, .. }| {
            let table = work.inserts[row].table;
            let target = foreign_key.target().name();
            format!("{} leads to {target}", column_names(table, foreign_key))
        });
        Error::Cycle(format!(
            "new rows need each other's keys first ({}), and none of these columns can be NULL for a moment",
            edges.collect::<Vec<_>>().join(", "),
        ))
    })?;
    for Edge { row, foreign_key, .. } in open {
        deferred.extend(defer(&mut work.inserts[row], foreign_key, "breaks a circle of new rows"));
    }
    Ok(())
}

/// Deletes of tables in a circle, leaves first. `checks_each_row` says that not even a row that
/// leads to itself can be deleted as it is.
pub(super) fn level_deletes(
    work: &mut Work,
    members: &[(&'static Table, Operation)],
    checks_each_row: bool,
    steps: &mut Vec<OrderedStep>,
) -> Result<()> {
    let mut left: Vec<usize> = (0..work.deletes.len())
        .filter(|&at| members.iter().any(|(table, _)| *table == work.deletes[at].table))
        .collect();
    let mut cuts = cut_circles(work, &left, checks_each_row)?;
    let mut levels: Vec<Vec<usize>> = Vec::new();
    while !left.is_empty() {
        // A row is a leaf if no row that is left leads to it; leading to itself doesn't count.
        let referenced: HashSet<ObjectId> = left
            .iter()
            .flat_map(|&at| {
                let delete = &work.deletes[at];
                let parents = delete.parents.iter().map(|(_, parent)| *parent);
                parents.filter(|parent| *parent != delete.object)
            })
            .collect();
        let (leaves, blocked): (Vec<usize>, Vec<usize>) =
            left.iter().partition(|&&at| !referenced.contains(&work.deletes[at].object));
        levels.push(leaves);
        left = blocked;
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

/// Cuts rows that are to be deleted loose from each other, so that they form no circle.
fn cut_circles(work: &mut Work, rows: &[usize], checks_each_row: bool) -> Result<Vec<Update>> {
    let place: HashMap<ObjectId, usize> =
        rows.iter().map(|&at| (work.deletes[at].object, at)).collect();
    let edges = |row: usize| {
        let parents = work.deletes[row].parents.iter();
        let edges = parents.filter_map(|&(foreign_key, parent)| {
            Some(Edge { row, foreign_key, parent: *place.get(&parent)? })
        });
        // A row that leads to itself can be deleted as it is where keys are checked afterwards.
        edges.filter(|edge| edge.parent != row || checks_each_row).collect()
    };
    let open = open_edges(rows, edges, |row| work.deletes[row].table);
    let open = open.map_err(|circle| {
        let edges = circle
            .iter()
            .map(|edge| column_names(work.deletes[edge.row].table, edge.foreign_key));
        Error::Cycle(format!(
            "rows to delete refer to each other ({}), and none of these columns can be NULL for a moment",
            edges.collect::<Vec<_>>().join(", "),
        ))
    })?;
    let cut = |Edge { row, foreign_key, .. }| {
        let delete = &mut work.deletes[row];
        delete.parents.retain(|(key, _)| *key != foreign_key);
        Update {
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
        }
    };
    Ok(open.into_iter().map(cut).collect())
}

/// A foreign key of a row that leads to another row of the same circle of tables.
#[derive(Clone, Copy)]
struct Edge {
    row: usize,
    foreign_key: &'static ForeignKey,
    parent: usize,
}

/// The edges without which the rows form no circle, each of a nullable foreign key; or a circle
/// in which none is.
fn open_edges(
    rows: &[usize],
    edges: impl Fn(usize) -> Vec<Edge>,
    table: impl Fn(usize) -> &'static Table,
) -> Result<Vec<Edge>, Vec<Edge>> {
    let mut open = Vec::new();
    let mut left: HashMap<usize, Vec<Edge>> = rows.iter().map(|&row| (row, edges(row))).collect();
    for &start in rows {
        // A walk along the edges that goes back where a row has none left. It closes a circle
        // where it comes to a row that it has passed.
        let mut path: Vec<Edge> = Vec::new();
        let mut passed: HashMap<usize, usize> = HashMap::new();
        let mut at = start;
        loop {
            if let Some(&first) = passed.get(&at) {
                let circle = &path[first..];
                // The same key in circles of the same kind, so that one UPDATE closes them all.
                let weakest = (0..circle.len())
                    .filter(|&at| circle[at].foreign_key.is_nullable(table(circle[at].row)))
                    .min_by_key(|&at| (table(circle[at].row).name(), circle[at].foreign_key.index));
                let Some(weakest) = weakest else { return Err(circle.to_vec()) };
                open.push(circle[weakest]);
                at = circle[weakest].row;
                // The rest of the circle may be part of others: it is to be walked again.
                for (behind, edge) in path.drain(first + weakest..).enumerate() {
                    passed.remove(&edge.row);
                    if behind > 0 {
                        left.entry(edge.row).or_default().push(edge);
                    }
                }
            } else if let Some(edge) = left.get_mut(&at).and_then(Vec::pop) {
                passed.insert(at, path.len());
                path.push(edge);
                at = edge.parent;
            } else if let Some(edge) = path.pop() {
                passed.remove(&edge.row);
                at = edge.row;
            } else {
                break;
            }
        }
    }
    Ok(open)
}
