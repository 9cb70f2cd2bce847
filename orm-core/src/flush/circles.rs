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
    let breaks = Search::new(store, work, graph).run()?;
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

/// A change that breaks a circle.
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

/// How welcome a break is: the least work first; then the same column in circles of the same kind,
/// so that one UPDATE breaks them all.
type Rank = (Welcome, &'static str, usize, usize);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Welcome {
    /// A reference of a row that comes follows, or one of a row that goes is NULL before.
    Reference,
    /// One row gives a unique value up before.
    Parking,
    /// A reference of a row that changes follows: one of perhaps many that lead there.
    Following,
    /// A reference of a row that changes is NULL before: one of perhaps many that lead there.
    Leaving,
}

/// The search for circles, and what breaks them.
struct Search<'a> {
    store: &'a Store,
    work: &'a Work,
    graph: &'a RowGraph,
    waiters: Vec<Vec<Edge>>,
    /// The edges that may still be part of a circle, by row.
    left: Vec<Vec<Edge>>,
    referenced: ReferencedColumns,
    breaks: Breaks,
}

impl<'a> Search<'a> {
    fn new(store: &'a Store, work: &'a Work, graph: &'a RowGraph) -> Self {
        Self {
            store,
            work,
            graph,
            waiters: graph.waiters(),
            left: graph.waits.clone(),
            referenced: ReferencedColumns::default(),
            breaks: Breaks::default(),
        }
    }

    fn run(mut self) -> Result<Breaks> {
        for start in 0..self.graph.rows.len() {
            self.walk(start)?;
        }
        Ok(self.breaks)
    }

    /// Walks along the edges and goes back where a row has none left. It closes a circle where it
    /// comes to a row that it has passed; that is broken at its weakest edge.
    fn walk(&mut self, start: usize) -> Result<()> {
        let mut path: Vec<Edge> = Vec::new();
        let mut passed: HashMap<usize, usize> = HashMap::new();
        let mut at = start;
        loop {
            if let Some(&first) = passed.get(&at) {
                let weakest = first + self.weakest(&path[first..])?;
                at = path[weakest].row;
                // The rest of the circle may be part of others: it is to be walked again.
                for (behind, edge) in path.drain(weakest..).enumerate() {
                    passed.remove(&edge.row);
                    if behind > 0 {
                        self.left[edge.row].push(edge);
                    }
                }
            } else if let Some(edge) = self.left[at].pop() {
                if !self.breaks.free(&edge) {
                    passed.insert(at, path.len());
                    path.push(edge);
                    at = edge.after;
                }
            } else if let Some(edge) = path.pop() {
                passed.remove(&edge.row);
                at = edge.row;
            } else {
                return Ok(());
            }
        }
    }

    /// The edge at which a circle is broken. It may have been by what broke another.
    fn weakest(&mut self, circle: &[Edge]) -> Result<usize> {
        if let Some(free) = circle.iter().position(|edge| self.breaks.free(edge)) {
            return Ok(free);
        }
        let ways = circle.iter().enumerate();
        let ways = ways.filter_map(|(at, edge)| self.way(edge).map(|(rank, way)| (rank, at, way)));
        match ways.min_by_key(|(rank, ..)| *rank) {
            Some((_, at, way)) => {
                self.breaks.add(way);
                Ok(at)
            }
            None => Err(unbreakable(self.store, self.work, self.graph, circle)),
        }
    }

    /// How an edge can be taken out of a circle, if it can.
    fn way(&mut self, edge: &Edge) -> Option<(Rank, Break)> {
        let (row, after) = (self.graph.rows[edge.row], self.graph.rows[edge.after]);
        match edge.why {
            Why::Enters(foreign_key) => {
                let is_new = row.row.operation == Operation::Insert;
                let can_wait = match is_new {
                    true => foreign_key.is_nullable(row.table),
                    false => {
                        let update = &self.work.updates[row.row.at];
                        can_follow(&self.waiters[edge.row], update, foreign_key)
                    }
                };
                let welcome = if is_new { Welcome::Reference } else { Welcome::Following };
                let rank = (welcome, row.table.name(), foreign_key.index, row.row.at);
                can_wait.then_some((rank, Break::Defer(edge.row, foreign_key)))
            }
            Why::IsLeft(foreign_key) => {
                let goes = after.row.operation == Operation::Delete;
                let welcome = if goes { Welcome::Reference } else { Welcome::Leaving };
                let rank = (welcome, after.table.name(), foreign_key.index, after.row.at);
                let columns = foreign_key.columns().to_vec();
                let can_leave =
                    foreign_key.is_nullable(after.table) && !computes(self.work, &after);
                can_leave.then_some((rank, Break::Early(edge.after, columns, Early::Cut)))
            }
            Why::Takes(key) => {
                let column = self.parked_column(&after, key)?;
                let rank = (Welcome::Parking, after.table.name(), column, after.row.at);
                Some((rank, Break::Early(edge.after, vec![column], Early::Parked)))
            }
            Why::Pairs => None,
        }
    }

    /// The column of a unique key that can be NULL for a moment: one that changes, if there is any.
    fn parked_column(&mut self, freer: &Node, key: &[usize]) -> Option<usize> {
        if computes(self.work, freer) {
            return None;
        }
        let changes = |column: &usize| match freer.row.operation {
            Operation::Update => self.work.updates[freer.row.at].columns.contains(column),
            _ => true,
        };
        let mut nullable: Vec<usize> = key.to_vec();
        nullable.retain(|column| {
            freer.table.columns()[*column].facts.nullable
                && !self.referenced.contains(self.store, freer.table, *column)
        });
        nullable.iter().copied().find(changes).or(nullable.first().copied())
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

/// The columns that foreign keys of the known tables reference: rows may lead to them that the flush
/// doesn't know, and would follow a value that is NULL for a moment.
#[derive(Default)]
struct ReferencedColumns(Vec<(&'static Table, Vec<usize>)>);

impl ReferencedColumns {
    fn contains(&mut self, store: &Store, table: &'static Table, column: usize) -> bool {
        let place = self.0.iter().position(|(other, _)| *other == table).unwrap_or_else(|| {
            let tables = store.known_tables();
            let foreign_keys = tables.into_iter().flat_map(Table::foreign_keys);
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
            columns: columns.into(),
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
            let mut columns = update.columns.to_vec();
            columns.insert(place, column);
            update.columns = columns.into();
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
