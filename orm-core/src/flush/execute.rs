//! Runs a planned flush: the only step that writes to the database. Touches no memory but its own.

use std::collections::{HashMap, HashSet};

use super::batch::{Batch, BatchRows, Batched, SkipExisting};
use super::order::Operation;
use super::read_back::{ReadBack, rows_by_key};
use super::returned::Returned;
use super::row_keys::{
    as_stored, finding, given_keys, keys_after, keys_to_make, make_keys, primary_keys, with_column,
};
use super::work::PlanValue;
use crate::driver::{Connection, StopFlag};
use crate::error::{Error, Result, StaleData};
use crate::model::Table;
use crate::sql::{
    DeleteRows, Dialect, InsertRows, OnConflict, UpdateRows, render_delete, render_insert,
    render_update,
};
use crate::tracking::ObjectId;
use crate::value::Value;

/// What the database answered, for [`settle`](super::settle()).
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) inserted: Vec<ObjectId>,
    pub(crate) updated: Vec<ObjectId>,
    pub(crate) deleted: Vec<ObjectId>,
    /// Columns that memory has to learn: generated, computed, or decided by a link.
    pub(crate) written: Vec<(ObjectId, usize, Value)>,
    /// New objects whose row exists already, where that was no error.
    pub(crate) skipped: Vec<ObjectId>,
    /// Why a whole INSERT was skipped, where the database says of no row alone that it exists.
    pub(crate) refusal: Option<Error>,
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

/// Runs every statement, in order, unless it is told to stop in between.
pub(crate) async fn execute(
    connection: &mut Connection,
    batched: &mut Batched,
    stop: &StopFlag,
) -> Result<Outcome, Failure> {
    let refers_to_keys =
        batched.batches.iter().any(|batch| batch.rows.keys_referred_to().next().is_some());
    let mut run = Run {
        outcome: Outcome::default(),
        refers_to_keys,
        generated: HashMap::default(),
        read_back: ReadBack::default(),
        skip_existing: batched.skip_existing.take(),
    };
    for batch in &mut batched.batches {
        if stop.is_set() {
            return Err(Error::misuse("the flush was interrupted").into());
        }
        if let Err(mut failure) = run.batch(connection, batch).await {
            // Who knows the row is the object that it was.
            for object in &mut failure.stale {
                let switched = batched.switched.iter().find(|(_, new)| new == object);
                *object = switched.map_or(*object, |(gone, _)| *gone);
            }
            return Err(failure);
        }
    }
    run.read_back(connection).await?;
    Ok(run.outcome)
}

pub(super) struct Run {
    pub(super) outcome: Outcome,
    /// Whether any row waits for a generated key.
    pub(super) refers_to_keys: bool,
    /// Generated columns of rows that this flush has inserted.
    pub(super) generated: HashMap<(ObjectId, usize), Value, foldhash::fast::RandomState>,
    /// What statements didn't give back.
    read_back: ReadBack,
    /// Which new rows are left out if they exist already.
    pub(super) skip_existing: Option<SkipExisting>,
}

impl Run {
    async fn batch(
        &mut self,
        connection: &mut Connection,
        batch: &mut Batch,
    ) -> Result<(), Failure> {
        let table = batch.table;
        let dialect = connection.dialect();
        let capabilities = dialect.capabilities();
        if self.waits_for_reading(&batch.rows) {
            self.read_back(connection).await?;
        }
        match &mut batch.rows {
            BatchRows::Insert { objects, columns, values, linked, returning } => {
                let mut values = self.resolve(std::mem::take(values))?;
                if !capabilities.returning_on_insert {
                    let made = keys_to_make(table, returning);
                    for &column in &made {
                        let keys = make_keys(connection, table, column, objects.len()).await?;
                        self.learn_made(objects, column, &keys);
                        values = with_column(values, columns.len(), keys);
                        columns.push(column);
                    }
                    returning.retain(|column| !made.contains(column));
                }
                self.learn_links(objects, columns, &values, 0, columns.len(), linked);
                self.learn_stored(dialect, table, objects, columns, &values, 0);
                let comes_back = capabilities.returning_on_insert;
                let given_keys = match comes_back {
                    true => given_keys(table, columns, &values, returning),
                    false => primary_keys(table, columns, &values, returning),
                };
                let given_keys = given_keys.map(|keys| as_stored(dialect, table, keys));
                let mut read_back = if comes_back { returning.clone() } else { Vec::new() };
                if comes_back && given_keys.is_some() {
                    read_back.extend(table.primary_key());
                }
                let rows = InsertRows {
                    table,
                    columns: columns.clone(),
                    rows: objects.len(),
                    values,
                    returning: read_back.clone(),
                    on_conflict: OnConflict::Fail,
                };
                if let Some(unique) = self.may_exist(table).map(<[usize]>::to_vec)
                    && capabilities.tells_skipped_rows
                {
                    return self
                        .insert_missing(connection, rows, objects, returning, &unique)
                        .await;
                }
                let statement = render_insert(connection.dialect(), rows)?;
                let mut rows = Returned::new(table, &read_back);
                let done = match self.may_exist(table) {
                    None => connection.run_on(table, statement, &mut rows).await?,
                    Some(_) => match connection.attempt_on(table, statement, &mut rows).await? {
                        Ok(done) => done,
                        Err(refusal) => {
                            self.outcome.skipped.extend(objects.iter());
                            self.outcome.refusal = Some(refusal);
                            return Ok(());
                        }
                    },
                };
                if comes_back {
                    self.learn_generated(table, objects, returning, given_keys, rows.values)?;
                } else {
                    self.want_generated(table, objects, returning, given_keys, done.first_key)?;
                }
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
                // A new object that takes a row over may have its key by a link.
                self.learn_links(objects, key_columns, &values, 0, per_row, linked);
                self.learn_links(objects, columns, &values, key_columns.len(), per_row, linked);
                self.learn_stored(dialect, table, objects, columns, &values, key_columns.len());
                let keys = keys_after(&values, key_columns, columns, table);
                let keys = as_stored(dialect, table, keys);
                let comes_back = capabilities.returning_on_update;
                let before = (!comes_back).then(|| finding(&values, key_columns.len(), per_row));
                let mut read_back = Vec::new();
                if comes_back {
                    read_back.extend(table.primary_key());
                    read_back.extend(returning.iter());
                }
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
                let done = connection.run_on(table, statement, &mut rows).await?;
                let Some(before) = before else {
                    return self.match_updates(table, objects, &keys, returning, rows.values);
                };
                if done.rows < objects.len() as u64 {
                    return Err(
                        stale(connection, "UPDATE", table, objects, key_columns, &before).await
                    );
                }
                for (object, key) in objects.iter().zip(keys) {
                    if !returning.is_empty() {
                        self.read_back.want(table, *object, key, returning);
                    }
                    self.outcome.updated.push(*object);
                }
            }
            BatchRows::Delete { objects, key_columns, values } => {
                let primary_key = table.primary_key();
                let keys = finding(values, key_columns.len(), key_columns.len());
                let comes_back = capabilities.returning_on_delete;
                let returning: &[usize] = if comes_back { primary_key } else { &[] };
                let statement = render_delete(
                    connection.dialect(),
                    DeleteRows {
                        table,
                        key: key_columns.clone(),
                        rows: objects.len(),
                        values: std::mem::take(values),
                        returning: returning.to_vec(),
                    },
                )?;
                let mut rows = Returned::new(table, returning);
                let done = connection.run_on(table, statement, &mut rows).await?;
                if comes_back {
                    let found: HashSet<&[Value]> = rows.values.chunks(primary_key.len()).collect();
                    let is_found = |at: usize| found.contains(&keys[at][..primary_key.len()]);
                    expect_all("DELETE", table, objects, is_found)?;
                } else if done.rows < objects.len() as u64 {
                    return Err(
                        stale(connection, "DELETE", table, objects, key_columns, &keys).await
                    );
                }
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
                        on_conflict: OnConflict::skip(unique_key_over(table, columns)),
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

    /// Whether a row refers to what an earlier statement generated without giving it back.
    fn waits_for_reading(&self, rows: &BatchRows) -> bool {
        let is_missing =
            |(object, column): (ObjectId, usize)| !self.generated.contains_key(&(object, column));
        !self.read_back.is_empty() && rows.keys_referred_to().any(is_missing)
    }

    /// Reads what statements didn't give back.
    async fn read_back(&mut self, connection: &mut Connection) -> Result<()> {
        for (object, column, value) in
            self.read_back.read(connection, &self.outcome.deleted).await?
        {
            if self.refers_to_keys {
                self.generated.insert((object, column), value.clone());
            }
            self.outcome.written.push((object, column, value));
        }
        Ok(())
    }

    /// Remembers the values that read back otherwise than they were written.
    fn learn_stored(
        &mut self,
        dialect: &dyn Dialect,
        table: &'static Table,
        objects: &[ObjectId],
        columns: &[usize],
        values: &[Value],
        first: usize,
    ) {
        for (at, &column) in columns.iter().enumerate() {
            let rows = values.chunks(first + columns.len());
            for (object, row) in objects.iter().zip(rows) {
                if let Some(stored) = dialect.stored(&table.columns()[column], &row[first + at]) {
                    self.outcome.written.push((*object, column, stored));
                }
            }
        }
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

    /// Gives keys that were made before the INSERT to their objects.
    fn learn_made(&mut self, objects: &[ObjectId], column: usize, keys: &[Value]) {
        for (object, key) in objects.iter().zip(keys) {
            self.generated.insert((*object, column), key.clone());
            self.outcome.written.push((*object, column, key.clone()));
        }
    }

    /// Counts generated keys on from the first, and has what else was generated read later.
    fn want_generated(
        &mut self,
        table: &'static Table,
        objects: &[ObjectId],
        returning: &[usize],
        given_keys: Option<Vec<Vec<Value>>>,
        first_key: Option<i64>,
    ) -> Result<()> {
        let counted = returning.iter().find(|&&column| table.columns()[column].autoincrement);
        let mut others = returning.to_vec();
        if let Some(&counted) = counted {
            let first = first_key.ok_or_else(|| Error::Database {
                code: None,
                message: format!("an INSERT into `{}` didn't tell its first key", table.name()),
            })?;
            for (key, object) in (first..).zip(objects) {
                self.generated.insert((*object, counted), Value::Int(key));
                self.outcome.written.push((*object, counted, Value::Int(key)));
            }
            others.retain(|column| *column != counted);
        }
        if others.is_empty() {
            return Ok(());
        }
        for (row, object) in objects.iter().enumerate() {
            let counted = counted.and_then(|&column| self.generated.get(&(*object, column)));
            let key = match (&given_keys, counted) {
                (Some(keys), _) => keys[row].clone(),
                (None, Some(key)) if table.primary_key().len() == 1 => vec![key.clone()],
                _ => {
                    return Err(Error::misuse(format!(
                        "the key of a new row of `{}` can't be told: this database gives back no \
                         part of a key",
                        table.name(),
                    )));
                }
            };
            self.read_back.want(table, *object, key, &others);
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
pub(super) fn is_referenced(table: &Table, column: usize) -> bool {
    table.uniques().iter().any(|unique| unique.columns.contains(&column))
}

/// Which rows were not found, where the statement doesn't tell. What it did is rolled back first:
/// afterwards the rows are as they were, but those that someone else changed or deleted.
async fn stale(
    connection: &mut Connection,
    operation: &'static str,
    table: &'static Table,
    objects: &[ObjectId],
    key_columns: &[usize],
    keys: &[Vec<Value>],
) -> Failure {
    if let Err(error) = connection.undo().await {
        return error.into();
    }
    let width = table.primary_key().len();
    let primary_keys = keys.iter().map(|key| key[..width].to_vec()).collect();
    let rows = match rows_by_key(connection, table, &key_columns[width..], primary_keys).await {
        Ok(rows) => rows,
        Err(error) => return error.into(),
    };
    let is_as_it_was = |key: &Vec<Value>| {
        let (key, others) = key.split_at(width);
        rows.get(key).is_some_and(|row| row == others)
    };
    let failed = expect_all(operation, table, objects, |at| is_as_it_was(&keys[at]));
    // What has come back meanwhile can't be told apart.
    let failed = failed.and_then(|()| expect_all(operation, table, objects, |_| false));
    failed.err().unwrap_or_else(|| Error::misuse("nothing was to be changed").into())
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
