//! Rows in the order in which they may be written: those that are ready together, in few steps.

use super::order::{Member, Operation, OrderedStep, columns_of};
use super::row_graph::{Edge, RowGraph, Why};
use crate::error::{Error, Result};
use crate::model::Table;

/// Gives steps of rows that wait for nobody any more. A table and operation all of whose rows are
/// ready comes before one that would have to come again; otherwise they come in the order of the
/// members. `before` says of two members that the first should go before the second as a whole,
/// unless that is impossible.
pub(super) fn schedule(
    members: &[Member],
    graph: &RowGraph,
    before: &[(usize, usize)],
) -> Result<Vec<OrderedStep>> {
    let waiters = graph.waiters();
    let mut waits: Vec<usize> = graph.waits.iter().map(Vec::len).collect();
    let mut levels = vec![0; graph.rows.len()];
    let mut groups: Vec<Group> = members.iter().map(|_| Group::default()).collect();
    for (place, node) in graph.rows.iter().enumerate() {
        let group = &mut groups[node.member];
        group.left += 1;
        if waits[place] == 0 {
            group.ready.push(place);
        }
    }
    let mut steps = Vec::new();
    let mut left = graph.rows.len();
    while left > 0 {
        let waits_for_another =
            |member: usize| before.iter().any(|&(a, b)| b == member && groups[a].left > 0);
        let next = (0..groups.len()).filter(|&member| !groups[member].ready.is_empty()).min_by_key(
            |&member| {
                let group = &groups[member];
                (
                    waits_for_another(member),
                    group.ready.len() < group.left,
                    rank(members[member].operation),
                )
            },
        );
        let Some(next) = next else {
            return Err(Error::Cycle("rows wait for each other in a circle".into()));
        };
        let mut ready = std::mem::take(&mut groups[next].ready);
        // In the work's order: by `add`, or by key.
        ready.sort_unstable();
        groups[next].left -= ready.len();
        left -= ready.len();
        for &place in &ready {
            for edge in &waiters[place] {
                waits[edge.row] -= 1;
                levels[edge.row] = levels[edge.row].max(levels[place] + 1);
                if waits[edge.row] == 0 {
                    groups[graph.rows[edge.row].member].ready.push(edge.row);
                }
            }
        }
        let Member { table, operation, rows } = &members[next];
        let (table, operation) = (*table, *operation);
        let level = ready.iter().map(|&place| levels[place]).max().unwrap_or(0);
        let waited = ready.iter().flat_map(|&place| &graph.waits[place]);
        let reason = reason(table, operation, level, waited);
        let rows = match operation {
            Operation::Unpair => rows.clone(),
            _ => ready.iter().map(|&place| graph.rows[place].row.at).collect(),
        };
        steps.push(OrderedStep { table, operation, rows, reason });
    }
    Ok(steps)
}

/// The rows of one table and operation.
#[derive(Default)]
struct Group {
    ready: Vec<usize>,
    /// How many are not written yet.
    left: usize,
}

/// Within a table UPDATE, then INSERT, then DELETE.
fn rank(operation: Operation) -> u8 {
    match operation {
        Operation::Unpair => 0,
        Operation::Update => 1,
        Operation::Insert => 2,
        Operation::Pair => 3,
        Operation::Delete => 4,
    }
}

/// What the rows of a step waited for, in words.
fn reason<'e>(
    table: &Table,
    operation: Operation,
    level: usize,
    waited: impl Iterator<Item = &'e Edge>,
) -> String {
    let (mut enters, mut is_left, mut taken) = (false, false, Vec::new());
    for edge in waited {
        match edge.why {
            Why::Enters(_) => enters = true,
            Why::IsLeft(_) => is_left = true,
            Why::Takes(key) if !taken.contains(&key) => taken.push(key),
            Why::Takes(_) | Why::Pairs => {}
        }
    }
    let mut reasons = Vec::new();
    if enters && operation == Operation::Insert {
        reasons.push(format!("level {level} below the rows that they refer to"));
    } else if enters {
        reasons.push("after the rows that they refer to".to_owned());
    }
    if is_left {
        reasons.push("after the rows that refer to them".to_owned());
    }
    for key in taken {
        reasons.push(format!("level {level}, after {} is given up", columns_of(table, key)));
    }
    reasons.join("; ")
}
