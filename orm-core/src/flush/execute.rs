//! Runs a planned flush: the only step that writes to the database. Touches no memory but its own.

use std::collections::{HashMap, HashSet};

use super::batch::{Batch, BatchRows, Batched};
use super::order::Operation;
use super::work::PlanValue;
use crate::driver::{Connection, RowSink};
use crate::error::{Error, Result, StaleData};
use crate::model::Table;
use crate::sql::{DeleteRows, InsertRows, UpdateRows, render_delete, render_insert, render_update};
use crate::tracking::ObjectId;
use crate::value::{Cells, SqlType, Value};

/// What the database answered, for [`settle`](super::settle()).
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) inserted: Vec<ObjectId>,
    pub(crate) updated: Vec<ObjectId>,
    pub(crate) deleted: Vec<ObjectId>,
    /// Columns that memory has to learn: generated, computed, or decided by a link.
    pub(crate) written: Vec<(ObjectId, usize, Value)>,
}

/// A failed flush: the error, and the objects concerned where they are known.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: Error,
    pub(crate) stale: Vec<ObjectId>,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, stale: Vec::new() }
    }
}

/// Runs every statement, in order.
pub(crate) async fn execute(
    connection: &mut Connection,
    batched: &mut Batched,
) -> Result<Outcome, Failure> {
    let refers_to_keys = batched.batches.iter().any(|batch| batch.rows.refers_to_keys());
    let mut run =
        Run { outcome: Outcome::default(), refers_to_keys, generated: HashMap::default() };
    for batch in &mut batched.batches {
        run.batch(connection, batch).await?;
    }
    Ok(run.outcome)
}

struct Run {
    outcome: Outcome,
    /// Whether any row waits for a generated key.
    refers_to_keys: bool,
    /// Generated columns of rows that this flush has inserted.
    generated: HashMap<(ObjectId, usize), Value, foldhash::fast::RandomState>,
}

impl Run {
    async fn batch(
        &mut self,
        connection: &mut Connection,
        batch: &mut Batch,
    ) -> Result<(), Failure> {
        let table = batch.table;
        match &mut batch.rows {
            BatchRows::Insert { objects, columns, values, linked, returning } => {
                let values = self.resolve(std::mem::take(values))?;
                self.learn_links(objects, columns, &values, 0, columns.len(), linked);
                let given_keys = given_keys(table, columns, &values, returning);
                let mut read_back = returning.clone();
                if given_keys.is_some() {
                    read_back.extend(table.primary_key());
                }
                let statement = render_insert(
                    connection.dialect(),
                    InsertRows {
                        table,
                        columns: columns.clone(),
                        rows: objects.len(),
                        values,
                        returning: read_back.clone(),
                        skip_existing: Vec::new(),
                    },
                )?;
                let mut rows = Returned::new(table, &read_back);
                connection.run_on(table, statement, &mut rows).await?;
                self.learn_generated(table, objects, returning, given_keys, rows.values)?;
                self.outcome.inserted.extend(objects.iter());
            }
            BatchRows::Update {
                objects,
                key_columns,
                columns,
                values,
                linked,
                expressions,
                returning,
            } => {
                let values = self.resolve(std::mem::take(values))?;
                let per_row = key_columns.len() + columns.len();
                self.learn_links(objects, columns, &values, key_columns.len(), per_row, linked);
                let keys = keys_after(&values, key_columns, columns, table);
                let primary_key = table.primary_key();
                let mut read_back = primary_key.to_vec();
                read_back.extend(returning.iter());
                let statement = render_update(
                    connection.dialect(),
                    UpdateRows {
                        table,
                        key: key_columns.clone(),
                        set: columns.clone(),
                        expressions: std::mem::take(expressions),
                        rows: objects.len(),
                        values,
                        returning: read_back.clone(),
                    },
                )?;
                let mut rows = Returned::new(table, &read_back);
                connection.run_on(table, statement, &mut rows).await?;
                self.match_updates(table, objects, &keys, returning, rows.values)?;
            }
            BatchRows::Delete { objects, key_columns, values } => {
                let primary_key = table.primary_key();
                let keys: Vec<Vec<Value>> = values
                    .chunks(key_columns.len())
                    .map(|key| key[..primary_key.len()].to_vec())
                    .collect();
                let statement = render_delete(
                    connection.dialect(),
                    DeleteRows {
                        table,
                        key: key_columns.clone(),
                        rows: objects.len(),
                        values: std::mem::take(values),
                        returning: primary_key.to_vec(),
                    },
                )?;
                let mut rows = Returned::new(table, primary_key);
                connection.run_on(table, statement, &mut rows).await?;
                let found: HashSet<&[Value]> = rows.values.chunks(primary_key.len()).collect();
                expect_all("DELETE", table, objects, |at| found.contains(keys[at].as_slice()))?;
                self.outcome.deleted.extend(objects.iter());
            }
            BatchRows::Pair { columns, rows, values } => {
                let statement = render_insert(
                    connection.dialect(),
                    InsertRows {
                        table,
                        columns: columns.clone(),
                        rows: *rows,
                        values: self.resolve(std::mem::take(values))?,
                        returning: Vec::new(),
                        skip_existing: unique_key_over(table, columns),
                    },
                )?;
                connection.run_on(table, statement, &mut ()).await?;
            }
            BatchRows::Unpair { columns, rows, values } => {
                debug_assert_eq!(batch.operation, Operation::Unpair);
                let statement = render_delete(
                    connection.dialect(),
                    DeleteRows {
                        table,
                        key: columns.clone(),
                        rows: *rows,
                        values: self.resolve(std::mem::take(values))?,
                        returning: Vec::new(),
                    },
                )?;
                connection.run_on(table, statement, &mut ()).await?;
            }
        }
        Ok(())
    }

    /// The keys of rows that earlier statements inserted take the place of their names.
    fn resolve(&self, values: Vec<PlanValue>) -> Result<Vec<Value>> {
        values
            .into_iter()
            .map(|value| match value {
                PlanValue::Known(value) => Ok(value),
                PlanValue::KeyOf(object, column) => {
                    self.generated.get(&(object, column)).cloned().ok_or_else(|| {
                        Error::Cycle("a row refers to one that is not inserted before it".into())
                    })
                }
            })
            .collect()
    }

    /// Remembers the values of columns that links decided.
    fn learn_links(
        &mut self,
        objects: &[ObjectId],
        columns: &[usize],
        values: &[Value],
        first: usize,
        per_row: usize,
        linked: &[Vec<usize>],
    ) {
        for (row, (object, linked)) in objects.iter().zip(linked).enumerate() {
            for column in linked {
                if let Some(at) = columns.iter().position(|other| other == column) {
                    let value = values[row * per_row + first + at].clone();
                    self.outcome.written.push((*object, *column, value));
                }
            }
        }
    }

    /// Gives generated values to the right objects. Keys that the objects had already came back
    /// with them. Otherwise rows were inserted in the order of their increasing keys, so sorted by
    /// key they are in the order of the objects again.
    fn learn_generated(
        &mut self,
        table: &'static Table,
        objects: &[ObjectId],
        returning: &[usize],
        given_keys: Option<Vec<Vec<Value>>>,
        values: Vec<Value>,
    ) -> Result<()> {
        if returning.is_empty() {
            return Ok(());
        }
        let key_width = given_keys.as_ref().map_or(0, |_| table.primary_key().len());
        let width = returning.len() + key_width;
        let incomplete = || Error::Database {
            code: None,
            message: format!(
                "an INSERT of {} rows into `{}` didn't give every row back",
                objects.len(),
                table.name(),
            ),
        };
        if values.len() != objects.len() * width {
            return Err(incomplete());
        }
        let mut rows: Vec<usize> = (0..objects.len()).collect();
        let key = returning.iter().position(|&column| table.columns()[column].autoincrement);
        if let Some(keys) = given_keys {
            let place: HashMap<&[Value], usize, foldhash::fast::RandomState> = values
                .chunks(width)
                .enumerate()
                .map(|(row, values)| (&values[returning.len()..], row))
                .collect();
            let found: Option<Vec<usize>> =
                keys.iter().map(|key| place.get(key.as_slice()).copied()).collect();
            rows = found.ok_or_else(incomplete)?;
        } else if let Some(key) = key {
            rows.sort_by_key(|row| match values[row * width + key] {
                Value::Int(id) => id,
                _ => 0,
            });
        }
        let mut values: Vec<Option<Value>> = values.into_iter().map(Some).collect();
        for (object, row) in objects.iter().zip(rows) {
            for (at, &column) in returning.iter().enumerate() {
                let Some(value) = values[row * width + at].take() else { continue };
                if self.refers_to_keys
                    && (table.primary_key().contains(&column) || is_referenced(table, column))
                {
                    self.generated.insert((*object, column), value.clone());
                }
                self.outcome.written.push((*object, column, value));
            }
        }
        Ok(())
    }

    /// Gives computed values to the objects whose key came back with them.
    fn match_updates(
        &mut self,
        table: &'static Table,
        objects: &[ObjectId],
        keys: &[Vec<Value>],
        returning: &[usize],
        values: Vec<Value>,
    ) -> Result<(), Failure> {
        let key_width = table.primary_key().len();
        let width = key_width + returning.len();
        let place: HashMap<&[Value], usize, foldhash::fast::RandomState> = values
            .chunks(width)
            .enumerate()
            .map(|(row, values)| (&values[..key_width], row))
            .collect();
        let rows: Vec<Option<usize>> =
            keys.iter().map(|key| place.get(key.as_slice()).copied()).collect();
        expect_all("UPDATE", table, objects, |at| rows[at].is_some())?;
        let mut values: Vec<Option<Value>> = values.into_iter().map(Some).collect();
        for (object, row) in objects.iter().zip(rows.into_iter().flatten()) {
            for (at, &column) in returning.iter().enumerate() {
                if let Some(value) = values[row * width + key_width + at].take() {
                    self.outcome.written.push((*object, column, value));
                }
            }
            self.outcome.updated.push(*object);
        }
        Ok(())
    }
}

/// The primary keys of new rows, where only they tell the rows apart that come back.
fn given_keys(
    table: &Table,
    columns: &[usize],
    values: &[Value],
    returning: &[usize],
) -> Option<Vec<Vec<Value>>> {
    let is_one_row = values.len() <= columns.len();
    if returning.is_empty() || is_one_row {
        return None;
    }
    let places: Option<Vec<usize>> = table
        .primary_key()
        .iter()
        .map(|key| columns.iter().position(|column| column == key))
        .collect();
    let places = places?;
    let rows = values.chunks(columns.len());
    Some(rows.map(|row| places.iter().map(|&at| row[at].clone()).collect()).collect())
}

/// The primary key, or a unique one, that consists of just these columns of an association: a pair
/// is one row, however often and by whomever it was added.
fn unique_key_over(table: &Table, columns: &[usize]) -> Vec<usize> {
    let is_it = |key: &&[usize]| {
        key.len() == columns.len() && key.iter().all(|column| columns.contains(column))
    };
    let uniques = table.uniques().iter().map(|unique| unique.columns.as_slice());
    let mut keys = std::iter::once(table.primary_key()).chain(uniques);
    keys.find(is_it).unwrap_or_default().to_vec()
}

/// Whether a foreign key of any table may reference the column: unique ones can be.
fn is_referenced(table: &Table, column: usize) -> bool {
    table.uniques().iter().any(|unique| unique.columns.contains(&column))
}

/// The primary keys that rows have after an UPDATE.
fn keys_after(
    values: &[Value],
    key_columns: &[usize],
    columns: &[usize],
    table: &Table,
) -> Vec<Vec<Value>> {
    values
        .chunks(key_columns.len() + columns.len())
        .map(|row| {
            let primary_key = table.primary_key().iter().enumerate();
            primary_key
                .map(|(at, column)| match columns.iter().position(|other| other == column) {
                    Some(changed) => row[key_columns.len() + changed].clone(),
                    None => row[at].clone(),
                })
                .collect()
        })
        .collect()
}

/// Every row that was to be changed must have been found.
fn expect_all(
    operation: &'static str,
    table: &'static Table,
    objects: &[ObjectId],
    was_found: impl Fn(usize) -> bool,
) -> Result<(), Failure> {
    let stale: Vec<ObjectId> =
        (0..objects.len()).filter(|&at| !was_found(at)).map(|at| objects[at]).collect();
    if stale.is_empty() {
        return Ok(());
    }
    let error = Error::StaleData(Box::new(StaleData {
        table: table.name().to_owned(),
        operation,
        expected: objects.len() as u64,
        matched: (objects.len() - stale.len()) as u64,
        objects: Vec::new(),
        autoflush: false,
    }));
    Err(Failure { error, stale })
}

/// Keeps the columns that a statement returns.
struct Returned {
    table: &'static Table,
    columns: Vec<(usize, SqlType)>,
    values: Vec<Value>,
}

impl Returned {
    fn new(table: &'static Table, columns: &[usize]) -> Self {
        let columns = columns
            .iter()
            .map(|&column| (column, table.columns()[column].logical_type()))
            .collect();
        Self { table, columns, values: Vec::new() }
    }
}

impl RowSink for Returned {
    fn row(&mut self, cells: &dyn Cells) -> Result<()> {
        for (at, (column, sql_type)) in self.columns.iter().enumerate() {
            let value = Value::read(cells, at, sql_type).map_err(|error| {
                Error::at_column(self.table.name(), self.table.columns()[*column].name, error)
            })?;
            self.values.push(value);
        }
        Ok(())
    }
}
