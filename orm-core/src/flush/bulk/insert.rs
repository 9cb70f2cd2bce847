//! Bulk INSERTs: many new rows, of which some may exist already.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::Conflict;
use crate::driver::Connection;
use crate::error::{Error, Result};
use crate::flush::batch::{BatchRows, Batched};
use crate::flush::read_back::rows_by;
use crate::flush::returned::Returned;
use crate::flush::work::PlanValue;
use crate::model::Table;
use crate::sql::{Dialect, InsertRows, OnConflict, RowLock, Statement, render_insert};
use crate::tracking::ObjectId;
use crate::value::Value;

/// How often rows are inserted anew that others insert, and take away again, at the same time.
const ROUNDS: usize = 5;

/// Rows to insert, in as many statements as their shapes and number ask for.
#[derive(Debug)]
pub(crate) struct InsertWrite {
    table: &'static Table,
    parts: Vec<Part>,
    conflict: Conflict,
    /// What is to come back of each row that was inserted or updated.
    returning: Vec<usize>,
}

/// The rows of one statement.
#[derive(Debug)]
struct Part {
    columns: Vec<usize>,
    rows: Vec<GivenRow>,
}

/// A row as it was given.
#[derive(Clone, Debug)]
struct GivenRow {
    /// Its place among all that were given.
    number: usize,
    /// Its values in the columns of the key by which it may exist, as they are stored.
    key: Vec<Value>,
    values: Vec<Value>,
}

/// What a bulk INSERT did.
#[derive(Debug, Default)]
pub(crate) struct Inserted {
    /// How many rows it inserted or updated.
    pub(crate) rows: u64,
    /// What came back of them, in the order in which they were given.
    pub(crate) returned: Vec<Vec<Value>>,
}

impl InsertWrite {
    /// The rows of a planned flush of nothing but new objects, these, in the order in which they
    /// were given.
    ///
    /// # Errors
    /// `Misuse` if rows have no value to be found by, or the same one, where they may exist already.
    pub(crate) fn new(
        table: &'static Table,
        batched: Batched,
        objects: &[ObjectId],
        conflict: Conflict,
        returning: Vec<usize>,
        dialect: &dyn Dialect,
    ) -> Result<Self> {
        expect_unique_key(table, conflict.key())?;
        let numbers: HashMap<ObjectId, usize> =
            objects.iter().enumerate().map(|(number, object)| (*object, number)).collect();
        let mut write = Self { table, parts: Vec::new(), conflict, returning };
        for batch in batched.batches {
            let BatchRows::Insert { objects, columns, values, .. } = batch.rows else {
                return Err(Error::misuse(format!(
                    "rows of `{}` that refer to each other in a circle are not inserted in bulk: add \
                     them to a session",
                    table.name(),
                )));
            };
            let width = columns.len();
            let mut values = values.into_iter().map(|value| match value {
                PlanValue::Known(value) => Ok(value),
                PlanValue::KeyOf(..) => Err(Error::misuse("a bulk INSERT links no rows")),
            });
            let mut rows = Vec::with_capacity(objects.len());
            for object in objects {
                let values: Vec<Value> = values.by_ref().take(width).collect::<Result<_>>()?;
                let key = write.key_of(&columns, &values, dialect)?;
                let number = numbers.get(&object).copied().unwrap_or_default();
                rows.push(GivenRow { number, key, values });
            }
            write.parts.push(Part { columns, rows });
        }
        write.fold_duplicates()?;
        Ok(write)
    }

    /// The values by which a row may exist already.
    fn key_of(
        &self,
        columns: &[usize],
        row: &[Value],
        dialect: &dyn Dialect,
    ) -> Result<Vec<Value>> {
        let value_of = |column: &usize| {
            let definition = &self.table.columns()[*column];
            let at = columns.iter().position(|other| other == column).ok_or_else(|| {
                Error::misuse(format!(
                    "a row leaves `{}.{}` to the database, so that nobody can tell by it whether \
                     the row exists already",
                    self.table.name(),
                    definition.name,
                ))
            })?;
            Ok(dialect.stored(definition, &row[at]).unwrap_or_else(|| row[at].clone()))
        };
        self.conflict.key().iter().map(value_of).collect()
    }

    /// Databases differ in what a second row of the same key in one statement does: where rows are
    /// skipped, the first is taken; where they are updated, it is an error.
    fn fold_duplicates(&mut self) -> Result<()> {
        if self.conflict.key().is_empty() {
            return Ok(());
        }
        let mut first: HashMap<&[Value], usize> = HashMap::new();
        for row in self.parts.iter().flat_map(|part| &part.rows) {
            if row.key.iter().any(Value::is_null) {
                continue;
            }
            match first.entry(&row.key) {
                Entry::Vacant(place) => {
                    place.insert(row.number);
                }
                Entry::Occupied(mut place) if matches!(self.conflict, Conflict::Skip { .. }) => {
                    let number = *place.get();
                    place.insert(number.min(row.number));
                }
                Entry::Occupied(_) => {
                    return Err(Error::misuse(format!(
                        "two of the rows for `{}` have the same value in ({}), and each would \
                         update the other: give one of them only",
                        self.table.name(),
                        self.key_names().join(", "),
                    )));
                }
            }
        }
        let kept: std::collections::HashSet<usize> = first.into_values().collect();
        for part in &mut self.parts {
            let is_kept =
                |row: &GivenRow| kept.contains(&row.number) || row.key.iter().any(Value::is_null);
            part.rows.retain(is_kept);
        }
        self.parts.retain(|part| !part.rows.is_empty());
        Ok(())
    }

    fn key_names(&self) -> Vec<&'static str> {
        self.conflict.key().iter().map(|&column| self.table.columns()[column].name).collect()
    }

    /// The columns that come back of each row, followed by those of the key.
    fn returning_with_key(&self) -> Vec<usize> {
        match self.returning.is_empty() {
            true => Vec::new(),
            false => self.returning.iter().chain(self.conflict.key()).copied().collect(),
        }
    }

    fn render(
        &self,
        part: &Part,
        on_conflict: OnConflict,
        dialect: &dyn Dialect,
    ) -> Result<Statement> {
        let returns = dialect.capabilities().returning_on_insert;
        let rows = InsertRows {
            table: self.table,
            columns: part.columns.clone(),
            rows: part.rows.len(),
            values: part.rows.iter().flat_map(|row| row.values.iter().cloned()).collect(),
            returning: if returns { self.returning_with_key() } else { Vec::new() },
            on_conflict,
        };
        render_insert(dialect, rows)
    }

    /// Whether the rows that exist have to be found first, because the database can't leave out
    /// those, and those only, and say which they were.
    fn looks_first(&self, dialect: &dyn Dialect) -> bool {
        matches!(self.conflict, Conflict::Skip { .. }) && !dialect.capabilities().tells_skipped_rows
    }

    /// Fails, before any SQL, if the database can't do what is asked for.
    pub(crate) fn check(&self, dialect: &dyn Dialect) -> Result<()> {
        if self.looks_first(dialect) {
            return Ok(());
        }
        let on_conflict = |part: &Part| {
            let one = Part { columns: part.columns.clone(), rows: part.rows[..1].to_vec() };
            self.render(&one, self.conflict.clause(), dialect).map(drop)
        };
        self.parts.iter().try_for_each(on_conflict)
    }

    /// The foreign keys' and other values of the rows, to tell what of memory they concern: these
    /// columns of each row that gives them all.
    pub(crate) fn values_of(&self, columns: &[usize]) -> Vec<Vec<Value>> {
        let mut values = Vec::new();
        for part in &self.parts {
            let places: Option<Vec<usize>> = columns
                .iter()
                .map(|column| part.columns.iter().position(|other| other == column))
                .collect();
            let Some(places) = places else { continue };
            let of_row = |row: &GivenRow| places.iter().map(|&at| row.values[at].clone()).collect();
            values.extend(part.rows.iter().map(of_row));
        }
        values
    }

    /// Whether rows that exist are updated.
    pub(crate) fn updates(&self) -> bool {
        matches!(self.conflict, Conflict::Update(_))
    }

    /// The table.
    pub(crate) fn table(&self) -> &'static Table {
        self.table
    }

    /// Lets these columns come back of each row.
    pub(crate) fn return_columns(&mut self, columns: Vec<usize>) {
        self.returning = columns;
    }
}

/// Runs the statements inside a transaction.
///
/// # Errors
/// The database's.
pub(crate) async fn run_insert(
    connection: &mut Connection,
    write: &InsertWrite,
) -> Result<Inserted> {
    let looks_first = write.looks_first(connection.dialect());
    let mut inserted = Inserted::default();
    let mut returned: Vec<(usize, Vec<Value>)> = Vec::new();
    for part in &write.parts {
        match looks_first {
            true => insert_missing(connection, write, part, &mut inserted, &mut returned).await?,
            false => insert(connection, write, part, &mut inserted, &mut returned).await?,
        }
    }
    returned.sort_by_key(|(number, _)| *number);
    inserted.returned = returned.into_iter().map(|(_, row)| row).collect();
    Ok(inserted)
}

/// Runs one INSERT that says by itself what becomes of rows that exist.
async fn insert(
    connection: &mut Connection,
    write: &InsertWrite,
    part: &Part,
    inserted: &mut Inserted,
    returned: &mut Vec<(usize, Vec<Value>)>,
) -> Result<()> {
    let statement = write.render(part, write.conflict.clause(), connection.dialect())?;
    let mut rows = Returned::new(write.table, &write.returning_with_key());
    let done = connection.run_on(write.table, statement, &mut rows).await?;
    let comes_back = connection.dialect().capabilities().returning_on_insert;
    inserted.rows += match (&write.conflict, comes_back && !write.returning.is_empty()) {
        (_, true) => (rows.values.len() / write.returning_with_key().len()) as u64,
        // Some databases count a row that is updated twice, or not at all if it stays the same.
        (Conflict::Update(_), false) if !connection.dialect().capabilities().tells_skipped_rows => {
            part.rows.len() as u64
        }
        _ => done.rows,
    };
    collect(connection, write, part, rows.values, returned).await
}

/// Inserts the rows that don't exist, which are found before: those that do are locked by that, and
/// whoever inserts one of the others meanwhile makes it a further round.
async fn insert_missing(
    connection: &mut Connection,
    write: &InsertWrite,
    part: &Part,
    inserted: &mut Inserted,
    returned: &mut Vec<(usize, Vec<Value>)>,
) -> Result<()> {
    let (table, key) = (write.table, write.conflict.key());
    let mut refusal = None;
    for _ in 0..ROUNDS {
        let keys = part.rows.iter().map(|row| row.key.clone()).collect();
        let existing = rows_by(connection, table, key, &[], keys, Some(RowLock::Wait)).await?;
        let is_missing = |row: &&GivenRow| !existing.contains_key(&row.key);
        let missing: Vec<GivenRow> = part.rows.iter().filter(is_missing).cloned().collect();
        if missing.is_empty() {
            return Ok(());
        }
        let missing = Part { columns: part.columns.clone(), rows: missing };
        let statement = write.render(&missing, OnConflict::Fail, connection.dialect())?;
        let mut rows = Returned::new(table, &write.returning_with_key());
        match connection.attempt_on(table, statement, &mut rows).await? {
            Ok(_) => {
                inserted.rows += missing.rows.len() as u64;
                return collect(connection, write, &missing, rows.values, returned).await;
            }
            Err(error) if is_about(&error, &write.key_names()) => refusal = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(refusal.unwrap_or_else(|| {
        Error::Serialization(format!("others insert the same rows into `{}`", table.name()))
    }))
}

/// Sorts out what came back, or reads it where nothing does.
async fn collect(
    connection: &mut Connection,
    write: &InsertWrite,
    part: &Part,
    values: Vec<Value>,
    returned: &mut Vec<(usize, Vec<Value>)>,
) -> Result<()> {
    if write.returning.is_empty() {
        return Ok(());
    }
    let numbers = part.rows.iter().map(|row| (&row.key[..], row.number));
    let numbers: HashMap<&[Value], usize> = numbers.collect();
    if connection.dialect().capabilities().returning_on_insert {
        for row in values.chunks(write.returning_with_key().len()) {
            let (row, key) = row.split_at(write.returning.len());
            returned.extend(numbers.get(key).map(|number| (*number, row.to_vec())));
        }
        return Ok(());
    }
    let key = write.conflict.key();
    let keys = part.rows.iter().map(|row| row.key.clone()).collect();
    let read = rows_by(connection, write.table, key, &write.returning, keys, None).await?;
    for (key, row) in read {
        returned.extend(numbers.get(&key[..]).map(|number| (*number, row)));
    }
    Ok(())
}

/// Whether rows can be told apart by these columns, if there are any.
fn expect_unique_key(table: &Table, key: &[usize]) -> Result<()> {
    let is_key = |columns: &[usize]| {
        columns.len() == key.len() && columns.iter().all(|column| key.contains(column))
    };
    let mut uniques = table.uniques().iter().map(|unique| unique.columns.as_slice());
    if key.is_empty() || is_key(table.primary_key()) || uniques.any(is_key) {
        return Ok(());
    }
    let names: Vec<&str> = key.iter().map(|&column| table.columns()[column].name).collect();
    Err(Error::misuse(format!(
        "`on_conflict` needs the columns of a unique key of `{}`, and ({}) is none: mark it \
         `#[orm(unique)]`",
        table.name(),
        names.join(", "),
    )))
}

/// Whether the database refused a row because of this key, as far as it tells.
fn is_about(error: &Error, key: &[&str]) -> bool {
    error.violation().is_some_and(|violation| {
        violation.columns.is_empty()
            || (violation.columns.len() == key.len()
                && violation.columns.iter().all(|column| key.contains(&column.as_str())))
    })
}
