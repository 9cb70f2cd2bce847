//! What memory has to learn from a flush: what the database generated, computed, or stores
//! otherwise, and what links decided.

use crate::tracking::ObjectId;
use crate::value::Value;

/// Columns of objects and their values, in the order in which they became known: of two values of
/// one column the later one counts.
#[derive(Debug, Default)]
pub(crate) struct Written(Vec<Learnt>);

#[derive(Debug)]
enum Learnt {
    Values(Vec<(ObjectId, usize, Value)>),
    Rows(LearntRows),
}

/// Rows as a statement gave them back.
#[derive(Debug)]
pub(super) struct LearntRows {
    /// Each object, and which row is its.
    pub(super) objects: Vec<(ObjectId, usize)>,
    /// The columns that objects learn, of which the first is at `first` in each row.
    pub(super) columns: Vec<usize>,
    pub(super) first: usize,
    /// How many values a row has.
    pub(super) width: usize,
    /// Row after row.
    pub(super) values: Vec<Value>,
}

impl LearntRows {
    /// Each object with the values that it learns.
    pub(super) fn iter(&self) -> impl Iterator<Item = (ObjectId, &[Value])> {
        self.objects.iter().map(|&(object, row)| {
            let start = row * self.width + self.first;
            (object, &self.values[start..start + self.columns.len()])
        })
    }
}

impl Written {
    /// Adds one value.
    pub(super) fn push(&mut self, object: ObjectId, column: usize, value: Value) {
        match self.0.last_mut() {
            Some(Learnt::Values(values)) => values.push((object, column, value)),
            _ => self.0.push(Learnt::Values(vec![(object, column, value)])),
        }
    }

    /// Adds the values of whole rows, which stay where they are.
    pub(super) fn push_rows(&mut self, rows: LearntRows) {
        if !rows.columns.is_empty() {
            self.0.push(Learnt::Rows(rows));
        }
    }

    /// Gives every value to `learn`, in order.
    pub(super) fn try_for_each<E>(
        &self,
        mut learn: impl FnMut(ObjectId, usize, &Value) -> Result<(), E>,
    ) -> Result<(), E> {
        for learnt in &self.0 {
            match learnt {
                Learnt::Values(values) => values
                    .iter()
                    .try_for_each(|(object, column, value)| learn(*object, *column, value))?,
                Learnt::Rows(rows) => {
                    for (object, values) in rows.iter() {
                        let mut columns = rows.columns.iter().zip(values);
                        columns.try_for_each(|(column, value)| learn(object, *column, value))?;
                    }
                }
            }
        }
        Ok(())
    }
}
