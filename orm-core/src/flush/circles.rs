//! Circles of rows, broken where a column can be NULL for a moment or a foreign key can follow
//! later.

use std::collections::{BTreeMap, HashMap};

use super::defer::{Deferred, defer, defer_update};
use super::order::{Operation, OrderedStep, column_names, columns_of};
use super::row_graph::{Edge, Node, RowGraph, Why};
use super::work::{PlanValue, Update, Work};
use crate::error::{Error, Result};
use crate::model::{ForeignKey, Table};
use crate::tracking::Store;
use crate::value::Value;

/// Breaks every circle: takes the edges that are none any more out of the graph, and gives the
/// UPDATEs that go before all of its rows. Those that follow at the end join the deferred ones.
pub(super) fn break_circles(
    store: &Store,
    work: &mut Work,
    graph: &mut RowGraph,
    deferred: &mut Vec<Deferred>,
) -> Result<Vec<OrderedStep>> {
    let breaks = find_breaks(store, work, graph)?;
    for edges in &mut graph.waits {
        edges.retain(|edge| !breaks.free(edge));
    }
    for (&place, foreign_keys) in &breaks.deferred {
        let Node { row, .. } = graph.rows[place];
        for foreign_key in foreign_keys {
            deferred.extend(match row.operation {
                Operation::Insert => {
                    defer(&mut work.inserts[row.at], foreign_key, "breaks a circle of new rows")
                }
                _ => defer_update(&mut work.updates[row.at], foreign_key),
            });
        }
    }
    Ok(write_early(store, work, graph, &breaks))
}

/// Where circles are broken.
#[derive(Default)]
struct Breaks {
    /// Columns that become NULL before anything else, by the place of their row, and why.
    early: BTreeMap<usize, Vec<(usize, Early)>>,
    /// Foreign keys that are written at the end.
    deferred: BTreeMap<usize, Vec<&'static ForeignKey>>,
}

/// Why a column is NULL for a moment.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Early {
    /// Its row leads to one that is deleted.
    Cut,
    /// Its row gives up the value of a unique key.
    Parked,
}

/// One way of breaking a circle.
#[derive(Clone)]
enum Break {
    Early(usize, Vec<usize>, Early),
    Defer(usize, &'static ForeignKey),
}

impl Breaks {
    fn add(&mut self, found: Break) {
        match found {
            Break::Early(place, columns, why) => {
                let early = self.early.entry(place).or_default();
                for column in columns {
                    if !early.iter().any(|(other, _)| *other == column) {
                        early.push((column, why));
                    }
                }
            }
            Break::Defer(place, foreign_key) => {
                self.deferred.entry(place).or_default().push(foreign_key);
            }
        }
    }

    /// Whether the row need not wait any more.
    fn free(&self, edge: &Edge) -> bool {
        let is_early = |columns: &[usize]| {
            let early = self.early.get(&edge.after);
            early.is_some_and(|early| early.iter().any(|(column, _)| columns.contains(column)))
        };
        let deferred = self.deferred.get(&edge.row).map_or(&[][..], Vec::as_slice);
        match edge.why {
            Why::Enters(foreign_key) => deferred.contains(&foreign_key),
            Why::IsLeft(foreign_key) => is_early(foreign_key.columns()),
            Why::Takes(key) => is_early(key) || deferred.iter().any(|late| overlap(late, key)),
            Why::Pairs => false,
        }
    }
}

fn overlap(foreign_key: &ForeignKey, key: &[usize]) -> bool {
    foreign_key.columns().iter().any(|column| key.contains(column))
}

/// Walks along the edges and breaks each circle that it closes, at its weakest edge.
fn find_breaks(store: &Store, work: &Work, graph: &RowGraph) -> Result<Breaks> {
    let mut breaks = Breaks::default();
    let mut left: Vec<Vec<Edge>> = graph.waits.clone();
    let waiters = graph.waiters();
    let mut referenced = ReferencedColumns::default();
    for start in 0..graph.rows.len() {
        // A walk that goes back where a row has no edge left. It closes a circle where it comes to
        // a row that it has passed.
        let mut path: Vec<Edge> = Vec::new();
        let mut passed: HashMap<usize, usize> = HashMap::new();
        let mut at = start;
        loop {
            if let Some(&first) = passed.get(&at) {
                let circle = &path[first..];
                let is_free = |edge: &Edge| breaks.free(edge);
                let weakest = match circle.iter().position(is_free) {
                    Some(free) => free,
                    None => {
                        let ways = circle.iter().enumerate().filter_map(|(at, edge)| {
                            let way = way_of_breaking(
                                store,
                                work,
                                graph,
                                &waiters,
                                edge,
                                &mut referenced,
                            );
                            way.map(|(rank, way)| (rank, at, way))
                        });
                        let Some((_, at, way)) = ways.min_by_key(|(rank, ..)| *rank) else {
                            return Err(unbreakable(store, work, graph, circle));
                        };
                        breaks.add(way);
                        at
                    }
                };
                at = circle[weakest].row;
                // The rest of the circle may be part of others: it is to be walked again.
                for (behind, edge) in path.drain(first + weakest..).enumerate() {
                    passed.remove(&edge.row);
                    if behind > 0 {
                        left[edge.row].push(edge);
                    }
                }
            } else if let Some(edge) = left[at].pop() {
                if !breaks.free(&edge) {
                    passed.insert(at, path.len());
                    path.push(edge);
                    at = edge.after;
                }
            } else if let Some(edge) = path.pop() {
                passed.remove(&edge.row);
                at = edge.row;
            } else {
                break;
            }
        }
    }
    Ok(breaks)
}

/// How welcome a way of breaking a circle is: first those that write the fewest rows once more,
/// then the same column in circles of the same kind, so that one UPDATE breaks them all.
type Rank = (u8, &'static str, usize, usize);

/// How an edge can be taken out of a circle, if it can.
fn way_of_breaking(
    store: &Store,
    work: &Work,
    graph: &RowGraph,
    waiters: &[Vec<Edge>],
    edge: &Edge,
    referenced: &mut ReferencedColumns,
) -> Option<(Rank, Break)> {
    let (entering, left) = (graph.rows[edge.row], graph.rows[edge.after]);
    match edge.why {
        Why::Enters(foreign_key) => {
            let welcome = match entering.row.operation {
                Operation::Insert => foreign_key.is_nullable(entering.table).then_some(0)?,
                _ => {
                    let update = &work.updates[entering.row.at];
                    can_follow(&waiters[edge.row], update, foreign_key).then_some(2)?
                }
            };
            let rank = (welcome, entering.table.name(), foreign_key.index, entering.row.at);
            Some((rank, Break::Defer(edge.row, foreign_key)))
        }
        Why::IsLeft(foreign_key) => {
            if !foreign_key.is_nullable(left.table) || computes(work, &left) {
                return None;
            }
            let welcome = if left.row.operation == Operation::Delete { 0 } else { 3 };
            let rank = (welcome, left.table.name(), foreign_key.index, left.row.at);
            let columns = foreign_key.columns().to_vec();
            Some((rank, Break::Early(edge.after, columns, Early::Cut)))
        }
        Why::Takes(key) => {
            if computes(work, &left) {
                return None;
            }
            let can_be_null = |column: &usize| {
                left.table.columns()[*column].facts.nullable
                    && !referenced.contains(store, left.table, *column)
            };
            let can_be_null: Vec<usize> = key.iter().copied().filter(can_be_null).collect();
            let is_written = |column: &&usize| match left.row.operation {
                Operation::Update => work.updates[left.row.at].columns.contains(column),
                _ => true,
            };
            let parked = *can_be_null.iter().find(is_written).or(can_be_null.first())?;
            let rank = (1, left.table.name(), parked, left.row.at);
            Some((rank, Break::Early(edge.after, vec![parked], Early::Parked)))
        }
        Why::Pairs => None,
    }
}

/// Whether an expression of the user's is to see the row as it is.
fn computes(work: &Work, node: &Node) -> bool {
    node.row.operation == Operation::Update && !work.updates[node.row.at].assigned.is_empty()
}

/// Whether a foreign key of an UPDATE can be written later: nobody waits for what it gives up, and
/// no expression is to see the row as it was.
fn can_follow(waiters: &[Edge], update: &Update, foreign_key: &ForeignKey) -> bool {
    let columns = foreign_key.columns();
    let waits_for_it = |edge: &Edge| match edge.why {
        Why::IsLeft(other) => overlap(other, columns),
        Why::Takes(key) => overlap(foreign_key, key),
        Why::Enters(other) => overlap(foreign_key, other.referenced()),
        Why::Pairs => false,
    };
    columns.iter().all(|column| update.columns.contains(column))
        && !columns.iter().any(|column| update.key_columns.contains(column))
        && !waiters.iter().any(waits_for_it)
}

/// The columns that foreign keys of the session's tables reference: rows may lead to them that the
/// flush doesn't know.
#[derive(Default)]
struct ReferencedColumns(Vec<(&'static Table, Vec<usize>)>);

impl ReferencedColumns {
    fn contains(&mut self, store: &Store, table: &'static Table, column: usize) -> bool {
        let place = self.0.iter().position(|(other, _)| *other == table).unwrap_or_else(|| {
            let tables = store.arenas().map(|arena| store.arena_at(arena).table);
            let foreign_keys = tables.flat_map(Table::foreign_keys);
            let to_table = foreign_keys.filter(|foreign_key| foreign_key.target() == table);
            let columns = to_table.flat_map(|foreign_key| foreign_key.referenced()).copied();
            self.0.push((table, columns.collect()));
            self.0.len() - 1
        });
        self.0[place].1.contains(&column)
    }
}

/// The UPDATEs that set columns to NULL for a moment, before all rows of the circle. The rows'
/// own updates set them again.
fn write_early(
    store: &Store,
    work: &mut Work,
    graph: &RowGraph,
    breaks: &Breaks,
) -> Vec<OrderedStep> {
    let mut steps: Vec<OrderedStep> = Vec::new();
    for (&place, early) in &breaks.early {
        let Node { table, row, .. } = graph.rows[place];
        let mut columns: Vec<usize> = early.iter().map(|(column, _)| *column).collect();
        columns.sort_unstable();
        let (object, key_columns, key) = match row.operation {
            Operation::Delete => {
                let delete = &work.deletes[row.at];
                let key = delete.key.iter().cloned().map(PlanValue::Known).collect();
                (delete.object, delete.key_columns.clone(), key)
            }
            _ => {
                let update = &mut work.updates[row.at];
                write_again(store, update, &columns);
                (update.object, update.key_columns.clone(), update.key.clone())
            }
        };
        let reason = reason(table, row.operation, early);
        let update = Update {
            object,
            table,
            key_columns,
            key,
            values: vec![PlanValue::Known(Value::Null); columns.len()],
            columns,
            reason: Some(reason.clone()),
            ..Update::nothing(object, table)
        };
        let at = work.updates.len();
        work.updates.push(update);
        match steps.iter_mut().find(|step| step.table == table) {
            Some(step) => step.rows.push(at),
            None => {
                let operation = Operation::Update;
                steps.push(OrderedStep { table, operation, rows: vec![at], reason });
            }
        }
    }
    steps
}

/// Has an UPDATE set what was NULL for a moment, also where that is what it was before.
fn write_again(store: &Store, update: &mut Update, columns: &[usize]) {
    for &column in columns {
        let is_computed = update.generated.iter().any(|(other, _)| *other == column);
        if let Err(place) = update.columns.binary_search(&column)
            && !is_computed
        {
            let value = store.database_value(update.row(), column);
            update.columns.insert(place, column);
            update.values.insert(place, PlanValue::Known(value));
        }
    }
}

fn reason(table: &Table, operation: Operation, early: &[(usize, Early)]) -> String {
    let parked = early.iter().filter(|(_, why)| *why == Early::Parked);
    let parked: Vec<usize> = parked.map(|(column, _)| *column).collect();
    let cut = match operation {
        Operation::Delete => "breaks a circle of rows to delete",
        _ => "breaks a circle of rows",
    };
    if parked.is_empty() {
        return cut.to_owned();
    }
    let parks = format!("parks {} until its value is taken over", columns_of(table, &parked));
    if parked.len() < early.len() { format!("{cut}; {parks}") } else { parks }
}

/// The most edges of a circle that a message names.
const MOST_NAMED: usize = 6;

fn unbreakable(store: &Store, work: &Work, graph: &RowGraph, circle: &[Edge]) -> Error {
    let name = |place: usize| {
        let Node { table, row, .. } = graph.rows[place];
        let object = match row.operation {
            Operation::Insert => work.inserts[row.at].object,
            Operation::Update => work.updates[row.at].object,
            Operation::Delete => work.deletes[row.at].object,
            Operation::Pair | Operation::Unpair => {
                return format!("the rows of `{}`", table.name());
            }
        };
        store.name_of(object)
    };
    let waits = circle.iter().take(MOST_NAMED).map(|edge| {
        let (row, after) = (name(edge.row), name(edge.after));
        let (of_row, of_after) = (graph.rows[edge.row].table, graph.rows[edge.after].table);
        match edge.why {
            Why::Enters(key) => {
                format!("{row} needs the key of {after} ({})", column_names(of_row, key))
            }
            Why::IsLeft(key) => {
                format!(
                    "{after} leads to {row}, which is deleted ({})",
                    column_names(of_after, key)
                )
            }
            Why::Takes(key) => {
                format!("{row} takes a value of {after} over ({})", columns_of(of_row, key))
            }
            Why::Pairs => format!("{row} waits for {after}"),
        }
    });
    let mut waits: Vec<String> = waits.collect();
    if circle.len() > MOST_NAMED {
        waits.push(format!("and {} more", circle.len() - MOST_NAMED));
    }
    Error::Cycle(format!(
        "rows wait for each other in a circle ({}), and none of these columns can be NULL for a moment",
        waits.join("; "),
    ))
}
