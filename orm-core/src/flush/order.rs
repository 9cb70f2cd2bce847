//! In which order: an explicit graph over (table, operation), and rows only where these form a
//! circle.

use super::by_key::find_parents;
use super::circles::break_circles;
use super::defer::{append_deferred, defer_post_updates};
use super::found::find_found;
use super::row_graph::RowGraph;
use super::schedule::schedule;
use super::table_graph::TableGraph;
use super::uniques::find_conflicts;
use super::work::Work;
use crate::error::Result;
use crate::model::{ForeignKey, Table};
use crate::sql::Dialect;
use crate::tracking::Store;

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

impl Operation {
    /// The statement's first word.
    pub(super) fn verb(self) -> &'static str {
        match self {
            Self::Insert | Self::Pair => "INSERT",
            Self::Update => "UPDATE",
            Self::Delete | Self::Unpair => "DELETE",
        }
    }
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

/// A row of the work: its position among those of its operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Row {
    pub(super) operation: Operation,
    pub(super) at: usize,
}

impl Row {
    pub(super) fn new(operation: Operation, at: usize) -> Self {
        Self { operation, at }
    }
}

/// Orders the work. Breaks circles of rows where a column can be NULL for a moment, which adds
/// updates to it.
pub(crate) fn order(
    store: &Store,
    work: &mut Work,
    dialect: &dyn Dialect,
) -> Result<Vec<OrderedStep>> {
    let checks_each_row = dialect.capabilities().checks_each_row;
    find_parents(work);
    let mut deferred = defer_post_updates(work);
    let conflicts = find_conflicts(store, work);
    let found = find_found(work);
    // Updates that break circles, which join the work, have steps of their own.
    let (graph, mut rows) = TableGraph::new(work, &conflicts, &found);
    graph.expect_findable(&found)?;
    let mut steps = Vec::new();
    for nodes in graph.components() {
        let members = nodes.iter().map(|&node| {
            let (table, operation) = graph.nodes[node];
            Member { table, operation, rows: std::mem::take(&mut rows[node]) }
        });
        if let [only] = nodes.as_slice()
            && !graph.waits_for_itself(work, *only)
        {
            let reason = graph.reason(*only);
            steps.extend(members.map(|Member { table, operation, rows }| OrderedStep {
                table,
                operation,
                rows,
                reason: reason.clone(),
            }));
            continue;
        }
        let members: Vec<Member> = members.collect();
        let mut rows = RowGraph::new(store, work, &members, &conflicts, checks_each_row);
        steps.extend(break_circles(store, work, &mut rows, &mut deferred)?);
        steps.extend(schedule(&members, &rows, &graph.over_others(&nodes))?);
    }
    append_deferred(work, deferred, &mut steps);
    Ok(steps)
}

/// A table and operation in a circle of such, with its rows.
pub(super) struct Member {
    pub(super) table: &'static Table,
    pub(super) operation: Operation,
    pub(super) rows: Vec<usize>,
}

/// `posts.user_id`, for messages.
pub(super) fn column_names(child: &'static Table, foreign_key: &ForeignKey) -> String {
    columns_of(child, foreign_key.columns())
}

/// `users.first_name+last_name`, for messages.
pub(super) fn columns_of(table: &Table, columns: &[usize]) -> String {
    let names: Vec<&str> = columns.iter().map(|&column| table.columns()[column].name).collect();
    format!("{}.{}", table.name(), names.join("+"))
}
