//! Runs a planned flush: the only step that writes to the database. Touches no memory but its own.

use std::collections::{HashMap, HashSet};

use super::batch::{Batch, BatchRows, Batched, SkipExisting};
use super::order::Operation;
use super::read_back::ReadBack;
use super::returned::Returned;
use super::row_keys::{
    as_stored, finding, given_keys, keys_after, keys_to_make, make_keys, primary_keys, with_column,
};
use super::stale::{expect_all, stale};
use super::work::PlanValue;
use super::written::Written;
use crate::driver::{Connection, StopFlag};
use crate::error::{Error, Result};
use crate::model::{ForeignKey, Table};
use crate::sql::{
    DeleteRows, InsertRows, OnConflict, UpdateRows, render_delete, render_insert, render_update,
};
use crate::tracking::ObjectId;
use crate::value::Value;

/// What the database answered, for [`settle`](super::settle()).
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) inserted: Vec<ObjectId>,
    pub(crate) updated: Vec<ObjectId>,
    pub(crate) deleted: Vec<ObjectId>,
    /// What memory has to learn: generated, computed, or decided by a link.
    pub(crate) written: Written,
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
    let mut run = Run {
        outcome: Outcome::default(),
        referred: tables_referred_to(&batched.batches),
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
    /// The tables of whose new rows others may wait for generated columns.
    pub(super) referred: Vec<&'static Table>,
    /// The generated columns, of rows that this flush has inserted, that others may wait for.
    pub(super) generated: HashMap<(ObjectId, usize), Value, foldhash::fast::RandomState>,
    /// What statements didn't give back.
    pub(super) read_back: ReadBack,
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
            if !self.referred.is_empty() {
                self.generated.insert((object, column), value.clone());
            }
            self.outcome.written.push(object, column, value);
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

/// The tables of whose new rows others may wait for what the database generates: foreign keys lead
/// to them, or an UPDATE of the same flush finds them.
fn tables_referred_to(batches: &[Batch]) -> Vec<&'static Table> {
    let mut referred: Vec<&'static Table> = Vec::new();
    let mut last: Option<(&'static Table, Operation)> = None;
    for batch in batches {
        // Statements of one table mostly follow each other.
        if last.replace((batch.table, batch.operation)) == Some((batch.table, batch.operation)) {
            continue;
        }
        let targets = batch.table.foreign_keys().iter().map(ForeignKey::target);
        let found = Some(batch.table).filter(|_| batch.operation == Operation::Update);
        for table in targets.chain(found) {
            if !referred.contains(&table) {
                referred.push(table);
            }
        }
    }
    referred
}
