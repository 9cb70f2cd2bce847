//! Tables in a circle as a graph of rows: which row waits for which, and why.

use std::collections::HashMap;

use super::by_key::{KeyIndex, known};
use super::order::{Member, Operation, Row};
use super::uniques::Conflict;
use super::work::{Update, Work};
use crate::model::{ForeignKey, Table};
use crate::tracking::{ObjectId, ObjectMap, Store};
use crate::value::Value;

/// The rows of some tables and operations. Rows of one table and operation follow each other, in
/// the work's order.
pub(super) struct RowGraph {
    pub(super) rows: Vec<Node>,
    /// What each row waits for.
    pub(super) waits: Vec<Vec<Edge>>,
}

/// A row; of association rows to delete all of the table together.
#[derive(Clone, Copy)]
pub(super) struct Node {
    /// The position of its table and operation among the members.
    pub(super) member: usize,
    pub(super) table: &'static Table,
    pub(super) row: Row,
}

/// One row waits for another.
#[derive(Clone, Copy)]
pub(super) struct Edge {
    pub(super) row: usize,
    pub(super) after: usize,
    pub(super) why: Why,
}

/// Why a row waits for another.
#[derive(Clone, Copy)]
pub(super) enum Why {
    /// It leads to a row that is inserted, or whose key changes.
    Enters(&'static ForeignKey),
    /// It is deleted, and the other leads to it until it is written.
    IsLeft(&'static ForeignKey),
    /// It takes the value of a unique key that the other gives up.
    Takes(&'static [usize]),
    /// One of them stands for association rows.
    Pairs,
}

impl RowGraph {
    /// The graph of the members' rows. `checks_each_row` says that not even a row that leads to
    /// itself can be deleted as it is.
    pub(super) fn new(
        store: &Store,
        work: &Work,
        members: &[Member],
        conflicts: &[Conflict],
        checks_each_row: bool,
    ) -> Self {
        let mut rows = Vec::new();
        for (position, member) in members.iter().enumerate() {
            let (table, operation) = (member.table, member.operation);
            let node = |at| Node { member: position, table, row: Row::new(operation, at) };
            match operation {
                Operation::Unpair => rows.push(node(0)),
                _ => rows.extend(member.rows.iter().copied().map(node)),
            }
        }
        let waits = rows.iter().map(|_| Vec::new()).collect();
        let mut graph = Self { rows, waits };
        let places = Places::new(work, &graph.rows);
        graph.enter(work, &places);
        graph.leave(store, work, &places, checks_each_row);
        for conflict in conflicts {
            let place = |row| places.of_row.get(&row).copied();
            graph.wait(place(conflict.taker), place(conflict.freer), Why::Takes(conflict.key));
        }
        graph.unpair(work, &places);
        graph
    }

    /// Who waits for each row.
    pub(super) fn waiters(&self) -> Vec<Vec<Edge>> {
        let mut waiters: Vec<Vec<Edge>> = self.rows.iter().map(|_| Vec::new()).collect();
        for edge in self.waits.iter().flatten() {
            waiters[edge.after].push(*edge);
        }
        waiters
    }

    fn wait(&mut self, row: Option<usize>, after: Option<usize>, why: Why) {
        if let (Some(row), Some(after)) = (row, after) {
            self.waits[row].push(Edge { row, after, why });
        }
    }

    /// Rows wait for the rows that they lead to: new ones, and ones whose key changes.
    fn enter(&mut self, work: &Work, places: &Places) {
        let mut changed_keys = KeyIndex::default();
        for place in 0..self.rows.len() {
            let Node { table, row, .. } = self.rows[place];
            let (parents, columns, values) = match row.operation {
                Operation::Insert => {
                    let insert = &work.inserts[row.at];
                    (&insert.parents, &insert.columns, &insert.values)
                }
                Operation::Update => {
                    let update = &work.updates[row.at];
                    (&update.parents, &update.columns, &update.values)
                }
                _ => continue,
            };
            for &(foreign_key, parent) in parents {
                let after = places.inserted.get(&parent).copied();
                self.wait(Some(place), after, Why::Enters(foreign_key));
            }
            for foreign_key in table.foreign_keys() {
                let changed = changed_keys.rows(foreign_key, || keys_changed_to(work, foreign_key));
                if !changed.is_empty()
                    && let Some(key) = known(columns, values, foreign_key.columns())
                    && let Some(parent) = changed.get(&key)
                {
                    let after = places.of_row.get(parent).copied().filter(|&after| after != place);
                    self.wait(Some(place), after, Why::Enters(foreign_key));
                }
            }
        }
    }

    /// Deleted rows wait for those that lead to them: until these are deleted, or lead elsewhere.
    fn leave(&mut self, store: &Store, work: &Work, places: &Places, checks_each_row: bool) {
        let mut deleted_keys = KeyIndex::default();
        for place in 0..self.rows.len() {
            let Node { table, row, .. } = self.rows[place];
            match row.operation {
                Operation::Delete => {
                    for &(foreign_key, parent) in &work.deletes[row.at].parents {
                        let parent = places.deleted.get(&parent).copied();
                        if parent != Some(place) || checks_each_row {
                            self.wait(parent, Some(place), Why::IsLeft(foreign_key));
                        }
                    }
                }
                Operation::Update => {
                    let update = &work.updates[row.at];
                    for foreign_key in table.foreign_keys() {
                        if !foreign_key.columns().iter().any(|column| writes(update, *column)) {
                            continue;
                        }
                        let deleted = deleted_keys
                            .rows(foreign_key, || keys_deleted(store, work, foreign_key));
                        if !deleted.is_empty() {
                            let key = database_key(store, update.row(), foreign_key.columns());
                            let parent = deleted.get(&key).and_then(|row| places.of_row.get(row));
                            self.wait(parent.copied(), Some(place), Why::IsLeft(foreign_key));
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// Association rows go before the rows that they belong to, and before new ones that are
    /// objects; after those that are deleted as objects.
    fn unpair(&mut self, work: &Work, places: &Places) {
        for unpair in 0..self.rows.len() {
            let Node { table, row, .. } = self.rows[unpair];
            if row.operation != Operation::Unpair {
                continue;
            }
            let clears = work.clears.iter().filter(|clear| clear.table == table);
            let pairs = work.pair_deletes.iter().map(|row| &row.pair);
            let pairs = pairs.filter(|pair| pair.table == table);
            let sides = pairs.flat_map(|pair| [pair.first, pair.second]);
            for side in clears.flat_map(|clear| clear.objects.iter().copied()).chain(sides) {
                self.wait(places.deleted.get(&side).copied(), Some(unpair), Why::Pairs);
            }
            for other in 0..self.rows.len() {
                match (self.rows[other].table == table, self.rows[other].row.operation) {
                    (true, Operation::Insert) => self.wait(Some(other), Some(unpair), Why::Pairs),
                    (true, Operation::Delete) => self.wait(Some(unpair), Some(other), Why::Pairs),
                    _ => {}
                }
            }
        }
    }
}

/// Where in the graph rows and objects are.
struct Places {
    of_row: HashMap<Row, usize, foldhash::fast::RandomState>,
    inserted: ObjectMap<usize>,
    deleted: ObjectMap<usize>,
}

impl Places {
    fn new(work: &Work, rows: &[Node]) -> Self {
        let mut places = Self {
            of_row: HashMap::default(),
            inserted: HashMap::default(),
            deleted: HashMap::default(),
        };
        for (place, node) in rows.iter().enumerate() {
            match node.row.operation {
                Operation::Insert => {
                    places.inserted.insert(work.inserts[node.row.at].object, place);
                }
                Operation::Delete => {
                    places.deleted.insert(work.deletes[node.row.at].object, place);
                }
                // Names no row.
                Operation::Unpair => continue,
                _ => {}
            }
            places.of_row.insert(node.row, place);
        }
        places
    }
}

type RowsByKey = HashMap<Vec<Value>, Row>;

/// The updates of the table that a foreign key leads to which change what it references, by what
/// they change it to.
fn keys_changed_to(work: &Work, foreign_key: &ForeignKey) -> RowsByKey {
    let updates = work.updates.iter().enumerate();
    let updates = updates.filter(|(_, update)| update.table == foreign_key.target());
    let changed = updates.filter_map(|(at, update)| {
        let key = known(&update.columns, &update.values, foreign_key.referenced())?;
        Some((key, Row::new(Operation::Update, at)))
    });
    changed.collect()
}

/// The rows to delete that a foreign key may lead to, by what it references.
fn keys_deleted(store: &Store, work: &Work, foreign_key: &ForeignKey) -> RowsByKey {
    let deletes = work.deletes.iter().enumerate();
    let deletes = deletes.filter(|(_, delete)| delete.table == foreign_key.target());
    let deleted = deletes.filter_map(|(at, delete)| {
        let key = database_key(store, delete.object, foreign_key.referenced());
        let is_led_to = !key.iter().any(Value::is_null);
        is_led_to.then_some((key, Row::new(Operation::Delete, at)))
    });
    deleted.collect()
}

fn database_key(store: &Store, object: ObjectId, columns: &[usize]) -> Vec<Value> {
    columns.iter().map(|&column| store.database_value(object, column)).collect()
}

/// Whether an UPDATE writes a column, be it by an expression.
fn writes(update: &Update, column: usize) -> bool {
    update.columns.contains(&column) || update.assigned.iter().any(|(other, _)| *other == column)
}
