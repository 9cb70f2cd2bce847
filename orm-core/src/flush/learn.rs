//! What a flush learns from its statements: for memory, and for rows that wait for keys.

use std::collections::HashMap;

use super::execute::{Failure, Run};
use super::stale::expect_all;
use super::written::LearntRows;
use crate::error::{Error, Result};
use crate::model::{ColumnSet, Table};
use crate::sql::Dialect;
use crate::tracking::ObjectId;
use crate::value::Value;

impl Run {
    /// Whether rows of this flush may wait for what the database generates in a column.
    pub(super) fn may_be_waited_for(&self, table: &'static Table, column: usize) -> bool {
        let is_key = table.primary_key().contains(&column) || is_referenced(table, column);
        is_key && self.referred.contains(&table)
    }

    /// Remembers the values that read back otherwise than they were written.
    pub(super) fn learn_stored(
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
                    self.outcome.written.push(*object, column, stored);
                }
            }
        }
    }

    /// Remembers the values of columns that links decided.
    pub(super) fn learn_links(
        &mut self,
        objects: &[ObjectId],
        columns: &[usize],
        values: &[Value],
        first: usize,
        per_row: usize,
        linked: &[ColumnSet],
    ) {
        for (row, (object, linked)) in objects.iter().zip(linked).enumerate() {
            for column in linked.iter() {
                if let Some(at) = columns.iter().position(|other| *other == column) {
                    let value = values[row * per_row + first + at].clone();
                    self.outcome.written.push(*object, column, value);
                }
            }
        }
    }

    /// Gives generated values to the right objects. Keys that the objects had already came back
    /// with them. Otherwise rows were inserted in the order of their increasing keys, so sorted by
    /// key they are in the order of the objects again.
    pub(super) fn learn_generated(
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
        let objects = objects.iter().copied().zip(rows).collect();
        let columns = returning.to_vec();
        let rows = LearntRows { objects, columns, first: 0, width, values };
        for (at, &column) in returning.iter().enumerate() {
            if self.may_be_waited_for(table, column) {
                let values = rows.iter().map(|(object, row)| ((object, column), row[at].clone()));
                self.generated.extend(values);
            }
        }
        self.outcome.written.push_rows(rows);
        Ok(())
    }

    /// Gives keys that were made before the INSERT to their objects.
    pub(super) fn learn_made(&mut self, objects: &[ObjectId], column: usize, keys: &[Value]) {
        for (object, key) in objects.iter().zip(keys) {
            self.generated.insert((*object, column), key.clone());
            self.outcome.written.push(*object, column, key.clone());
        }
    }

    /// Counts generated keys on from the first, and has what else was generated read later.
    pub(super) fn want_generated(
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
                self.outcome.written.push(*object, counted, Value::Int(key));
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
    pub(super) fn match_updates(
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
        self.outcome.updated.extend(objects);
        self.outcome.written.push_rows(LearntRows {
            objects: objects.iter().copied().zip(rows.into_iter().flatten()).collect(),
            columns: returning.to_vec(),
            first: key_width,
            width,
            values,
        });
        Ok(())
    }
}

/// Whether a foreign key of any table may reference the column: unique ones can be.
fn is_referenced(table: &Table, column: usize) -> bool {
    table.uniques().iter().any(|unique| unique.columns.contains(&column))
}
