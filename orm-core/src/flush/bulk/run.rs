//! Runs a bulk statement: writes to the database and no memory.

use super::reach::Reach;
use crate::driver::{Connection, RowSink};
use crate::error::{Error, Result};
use crate::flush::read_back::{missing_row, rows_by_key};
use crate::flush::shapes::generated;
use crate::model::Table;
use crate::query::{BulkAction, BulkWrite};
use crate::sql::{
    ColumnRef, DeleteWhere, Dialect, Expr, RowLock, Select, Statement, UpdateWhere,
    render_delete_where, render_update_where,
};
use crate::tracking::{ObjectId, Store};
use crate::value::{Cells, SqlType, Value};

/// What memory has to learn of a bulk statement.
#[derive(Debug, Default)]
pub(crate) struct BulkOutcome {
    /// How many rows were found.
    pub(crate) rows: u64,
    /// The objects among them.
    pub(super) held: Vec<Held>,
    /// What an UPDATE computed: the columns of each object's `values`.
    pub(super) computed: Vec<usize>,
    /// Every row that was deleted, where objects in memory may refer to it: these columns of it,
    /// and its object if there is one.
    pub(super) gone: Vec<(Vec<Value>, Option<ObjectId>)>,
    pub(super) columns: Vec<usize>,
    /// What was to come back of each row.
    pub(crate) returned: Vec<Vec<Value>>,
}

/// An object whose row a bulk statement found.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) object: ObjectId,
    pub(super) values: Vec<Value>,
}

/// Runs a bulk statement without a session: how many rows it found.
///
/// # Errors
/// The database's.
pub(crate) async fn run_alone(connection: &mut Connection, write: BulkWrite) -> Result<u64> {
    let table = write.table;
    let statement = statement_alone(connection.dialect(), write)?;
    Ok(connection.run_on(table, statement, &mut ()).await?.rows)
}

/// The bulk statement that [`run_alone`] runs.
///
/// # Errors
/// If the statement refers to a table that isn't in it.
pub(crate) fn statement_alone(dialect: &dyn Dialect, write: BulkWrite) -> Result<Statement> {
    Ok(shape(dialect, write, &[], false)?.statement)
}

/// Runs a bulk statement inside the session's transaction.
///
/// # Errors
/// The database's.
pub(crate) async fn run(
    connection: &mut Connection,
    store: &Store,
    mut write: BulkWrite,
) -> Result<BulkOutcome> {
    let table = write.table;
    let reach = Reach::of(store, &write);
    let capabilities = connection.dialect().capabilities();
    let comes_back = match write.action {
        BulkAction::Update { .. } => capabilities.returning_on_update,
        BulkAction::Delete => capabilities.returning_on_delete,
    };
    let mut outcome = BulkOutcome::default();
    let wanted = std::mem::take(&mut write.returning);
    if reach.is_nothing() && wanted.is_empty() {
        let Shape { statement, computed, .. } = shape(connection.dialect(), write, &[], false)?;
        outcome.rows = connection.run_on(table, statement, &mut ()).await?.rows;
        outcome.computed = computed;
        return Ok(outcome);
    }
    let Reach { mut columns, needs_every_row, .. } = reach;
    let own = columns.len();
    columns.extend(&wanted);
    let of_row = |row: &[Value]| row[own..own + wanted.len()].to_vec();
    let keep_all = needs_every_row || !wanted.is_empty();
    if comes_back {
        let Shape { statement, computed, returning } =
            shape(connection.dialect(), write, &columns, true)?;
        let mut found = Found::new(store, table, &returning);
        found.keep_all = keep_all;
        connection.run_on(table, statement, &mut found).await?;
        let Found { rows, held, all, .. } = found;
        outcome.rows = rows;
        if !wanted.is_empty() {
            outcome.returned = all.iter().map(|(row, _)| of_row(row)).collect();
        }
        outcome.held = held
            .into_iter()
            .map(|(object, mut row)| Held { object, values: row.split_off(columns.len()) })
            .collect();
        outcome.gone = if needs_every_row { all } else { Vec::new() };
        outcome.computed = computed;
        outcome.columns = columns;
        return Ok(outcome);
    }

    let statement = lock(connection, &write, &columns)?;
    let mut found = Found::new(store, table, &columns);
    found.keep_all = true;
    connection.run_on(table, statement, &mut found).await?;
    let Found { rows, held, all, .. } = found;
    if rows == 0 {
        return Ok(outcome);
    }
    let width = table.primary_key().len();
    // Found by their keys, the rows are exactly those that are locked. So many that one statement
    // doesn't take their keys are found by the condition again.
    if all.len() * width <= connection.dialect().max_binds() / 2 {
        write.filter = Some(Expr::Keys {
            columns: key_of(table),
            keys: all.iter().map(|(row, _)| row[..width].to_vec()).collect(),
        });
    }
    let is_update = matches!(write.action, BulkAction::Update { .. });
    let Shape { statement, computed, .. } = shape(connection.dialect(), write, &[], false)?;
    outcome.rows = connection.run_on(table, statement, &mut ()).await?.rows;
    if is_update && !wanted.is_empty() {
        let keys: Vec<Vec<Value>> = all.iter().map(|(row, _)| row[..width].to_vec()).collect();
        let mut read = rows_by_key(connection, table, &wanted, keys.clone()).await?;
        outcome.returned = keys.iter().filter_map(|key| read.remove(key)).collect();
    } else if !wanted.is_empty() {
        outcome.returned = all.iter().map(|(row, _)| of_row(row)).collect();
    }
    outcome.held = read_computed(connection, table, &computed, held).await?;
    outcome.gone = if needs_every_row { all } else { Vec::new() };
    outcome.computed = computed;
    outcome.columns = columns;
    Ok(outcome)
}

/// A rendered bulk statement.
struct Shape {
    statement: Statement,
    /// The columns whose values the database computes.
    computed: Vec<usize>,
    /// What comes back, row by row.
    returning: Vec<usize>,
}

/// The statement, with `on_update` columns and the version. `columns` come back, and if wanted
/// what it computes.
fn shape(
    dialect: &dyn Dialect,
    write: BulkWrite,
    columns: &[usize],
    returns_computed: bool,
) -> Result<Shape> {
    let BulkWrite { table, action, filter, .. } = write;
    let mut returning = columns.to_vec();
    let mut computed = Vec::new();
    let statement = match action {
        BulkAction::Update { values, mut expressions } => {
            let is_set = |at: usize| {
                let mut set = values.iter().map(|(column, _)| column);
                set.any(|column| *column == at) || expressions.iter().any(|(other, _)| *other == at)
            };
            let generated = generated(table, is_set);
            expressions.extend(generated.iter().cloned());
            computed.extend(expressions.iter().map(|(column, _)| *column));
            if returns_computed {
                returning.extend(&computed);
            }
            let returning = returning.clone();
            let update = UpdateWhere { table, values, expressions, filter, returning };
            render_update_where(dialect, update)?
        }
        BulkAction::Delete => {
            let returning = returning.clone();
            render_delete_where(dialect, DeleteWhere { table, filter, returning })?
        }
    };
    Ok(Shape { statement, computed, returning })
}

/// Reads which rows the statement is going to find, and locks them.
fn lock(connection: &Connection, write: &BulkWrite, columns: &[usize]) -> Result<Statement> {
    let mut select = Select::from(write.table);
    let scoped = |column: &usize| ColumnRef::scoped(write.table, *column);
    select.columns = columns.iter().map(|at| (Expr::Column(scoped(at)), None)).collect();
    select.filter.clone_from(&write.filter);
    select.lock = Some(RowLock::Wait);
    connection.render(&select)
}

/// The values that an UPDATE computed for the objects whose rows these are, the key first in each.
async fn read_computed(
    connection: &mut Connection,
    table: &'static Table,
    computed: &[usize],
    held: Vec<(ObjectId, Vec<Value>)>,
) -> Result<Vec<Held>> {
    if computed.is_empty() || held.is_empty() {
        let held = held.into_iter().map(|(object, _)| Held { object, values: Vec::new() });
        return Ok(held.collect());
    }
    let width = table.primary_key().len();
    let keys = held.iter().map(|(_, row)| row[..width].to_vec()).collect();
    let mut values = rows_by_key(connection, table, computed, keys).await?;
    let values_of = |(object, row): (ObjectId, Vec<Value>)| match values.remove(&row[..width]) {
        Some(values) => Ok(Held { object, values }),
        None => Err(missing_row(table)),
    };
    held.into_iter().map(values_of).collect()
}

fn key_of(table: &'static Table) -> Vec<ColumnRef> {
    table.primary_key().iter().map(|&column| ColumnRef::scoped(table, column)).collect()
}

/// Takes the rows that a bulk statement found: keeps those of objects in the store, and all of
/// them only where that is needed. The key comes first in each.
struct Found<'s> {
    store: &'s Store,
    table: &'static Table,
    arena: Option<u32>,
    types: Vec<(usize, SqlType)>,
    /// The places of the key's cells.
    key: Vec<usize>,
    keep_all: bool,
    rows: u64,
    held: Vec<(ObjectId, Vec<Value>)>,
    all: Vec<(Vec<Value>, Option<ObjectId>)>,
}

impl<'s> Found<'s> {
    fn new(store: &'s Store, table: &'static Table, columns: &[usize]) -> Self {
        let types = columns.iter().map(|&at| (at, table.columns()[at].logical_type())).collect();
        Self {
            store,
            table,
            arena: store.find_arena_of(table),
            types,
            key: (0..table.primary_key().len()).collect(),
            keep_all: false,
            rows: 0,
            held: Vec::new(),
            all: Vec::new(),
        }
    }
}

impl RowSink for Found<'_> {
    fn row(&mut self, cells: &dyn Cells) -> Result<()> {
        self.rows += 1;
        let slot = match self.arena {
            Some(arena) => {
                let storage = &self.store.arena_at(arena).storage;
                let slot = storage.find(cells, 0, &self.key).map_err(|error| {
                    let key = self.table.columns()[self.table.primary_key()[0]].name;
                    Error::at_column(self.table.name(), key, error)
                })?;
                slot.map(|slot| ObjectId { arena, slot })
            }
            None => None,
        };
        if slot.is_none() && !self.keep_all {
            return Ok(());
        }
        let row: Result<Vec<Value>> = self
            .types
            .iter()
            .enumerate()
            .map(|(at, (column, sql_type))| {
                Value::read(cells, at, sql_type).map_err(|error| {
                    Error::at_column(self.table.name(), self.table.columns()[*column].name, error)
                })
            })
            .collect();
        let row = row?;
        match slot {
            Some(object) if self.keep_all => {
                self.held.push((object, row.clone()));
                self.all.push((row, slot));
            }
            Some(object) => self.held.push((object, row)),
            None => self.all.push((row, None)),
        }
        Ok(())
    }
}
