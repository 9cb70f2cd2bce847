//! In how many statements: rows of one shape together, in chunks that the database accepts.

use super::order::{Operation, OrderedStep};
use super::work::{Clear, Insert, PlanValue, Update, Work};
use crate::model::{ForeignKey, Table};
use crate::sql::{Dialect, Expr, max_rows};
use crate::tracking::ObjectId;
use crate::value::Value;

/// The statements of a flush, in order, not rendered yet.
#[derive(Debug, Default)]
pub(crate) struct Batched {
    pub(crate) batches: Vec<Batch>,
    /// Pending objects that leave the session without ever being a row.
    pub(crate) expunged: Vec<ObjectId>,
    /// Children whose link the flush cuts because their parent is deleted.
    pub(crate) unlinked: Vec<(ObjectId, &'static ForeignKey)>,
}

/// One statement.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) table: &'static Table,
    pub(crate) operation: Operation,
    /// Why it stands where it stands.
    pub(crate) reason: String,
    pub(crate) rows: BatchRows,
}

/// The rows of one statement.
#[derive(Debug)]
pub(crate) enum BatchRows {
    Insert {
        objects: Vec<ObjectId>,
        columns: Vec<usize>,
        /// Row after row.
        values: Vec<PlanValue>,
        /// Per row, the columns that links decided.
        linked: Vec<Vec<usize>>,
        returning: Vec<usize>,
    },
    Update {
        objects: Vec<ObjectId>,
        key_columns: Vec<usize>,
        columns: Vec<usize>,
        /// Row after row: the key, then the columns.
        values: Vec<PlanValue>,
        linked: Vec<Vec<usize>>,
        expressions: Vec<(usize, Expr)>,
        /// What the database computed, to be read back.
        returning: Vec<usize>,
    },
    Delete {
        objects: Vec<ObjectId>,
        key_columns: Vec<usize>,
        values: Vec<Value>,
    },
    /// Association rows to insert.
    Pair {
        columns: Vec<usize>,
        rows: usize,
        values: Vec<PlanValue>,
    },
    /// Association rows to delete; of all rows with a key where only one side's is given.
    Unpair {
        columns: Vec<usize>,
        rows: usize,
        values: Vec<PlanValue>,
    },
}

impl BatchRows {
    /// The generated columns of new objects that rows refer to.
    pub(crate) fn keys_referred_to(&self) -> impl Iterator<Item = (ObjectId, usize)> {
        let values: &[PlanValue] = match self {
            Self::Insert { values, .. }
            | Self::Update { values, .. }
            | Self::Pair { values, .. }
            | Self::Unpair { values, .. } => values,
            Self::Delete { .. } => &[],
        };
        values.iter().filter_map(|value| match value {
            PlanValue::KeyOf(object, column) => Some((*object, *column)),
            PlanValue::Known(_) => None,
        })
    }

    /// How many rows the statement is given.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Insert { objects, .. }
            | Self::Update { objects, .. }
            | Self::Delete { objects, .. } => objects.len(),
            Self::Pair { rows, .. } | Self::Unpair { rows, .. } => *rows,
        }
    }
}

/// Groups ordered rows into statements.
pub(crate) fn batch(mut work: Work, steps: Vec<OrderedStep>, dialect: &dyn Dialect) -> Batched {
    let mut inserts: Vec<Option<Insert>> = work.inserts.drain(..).map(Some).collect();
    let mut updates: Vec<Option<Update>> = work.updates.drain(..).map(Some).collect();
    let mut batched = Batched {
        batches: Vec::with_capacity(steps.len()),
        expunged: work.expunged,
        unlinked: work.unlinked,
    };
    for OrderedStep { table, operation, rows, reason } in steps {
        let mut push = |rows: BatchRows, reason: &str| {
            batched.batches.push(Batch { table, operation, reason: reason.to_owned(), rows });
        };
        match operation {
            Operation::Insert => {
                let rows = rows.into_iter().filter_map(|row| inserts[row].take());
                insert_batches(table, rows, dialect, |rows| push(rows, &reason));
            }
            Operation::Update => {
                let rows = rows.into_iter().filter_map(|row| updates[row].take());
                update_batches(rows, dialect, &reason, &mut push);
            }
            Operation::Delete => {
                let Some(key_columns) =
                    rows.first().map(|&row| work.deletes[row].key_columns.clone())
                else {
                    continue;
                };
                for chunk in rows.chunks(max_rows(dialect, key_columns.len())) {
                    let rows = BatchRows::Delete {
                        objects: chunk.iter().map(|&row| work.deletes[row].object).collect(),
                        key_columns: key_columns.clone(),
                        values: chunk
                            .iter()
                            .flat_map(|&row| std::mem::take(&mut work.deletes[row].key))
                            .collect(),
                    };
                    push(rows, &reason);
                }
            }
            Operation::Pair | Operation::Unpair => {
                let pairs = match operation {
                    Operation::Pair => &work.pair_inserts,
                    _ => &work.pair_deletes,
                };
                // One association may serve several relationships, by different keys of it.
                let same = |a: &usize, b: &usize| pairs[*a].columns == pairs[*b].columns;
                for rows in group(rows.into_iter(), same) {
                    let columns = &pairs[rows[0]].columns;
                    for chunk in rows.chunks(max_rows(dialect, columns.len())) {
                        let values = chunk.iter().flat_map(|&row| pairs[row].values.clone());
                        let (columns, rows, values) =
                            (columns.clone(), chunk.len(), values.collect());
                        push(
                            match operation {
                                Operation::Pair => BatchRows::Pair { columns, rows, values },
                                _ => BatchRows::Unpair { columns, rows, values },
                            },
                            &reason,
                        );
                    }
                }
                if operation == Operation::Unpair {
                    for clear in work.clears.iter().filter(|clear| clear.table == table) {
                        clear_batches(clear, dialect, &mut push);
                    }
                }
            }
        }
    }
    batched
}

/// Inserts of one table by shape, shapes by their first object.
fn insert_batches(
    table: &'static Table,
    rows: impl Iterator<Item = Insert>,
    dialect: &dyn Dialect,
    mut push: impl FnMut(BatchRows),
) {
    for rows in group(rows, |a, b| a.columns == b.columns) {
        let columns = rows[0].columns.clone();
        let returning: Vec<usize> = (0..table.columns().len())
            .filter(|at| table.columns()[*at].is_generated() && !columns.contains(at))
            .collect();
        // A key that the database makes in no order can only be told apart row by row.
        let unordered_key = returning.iter().any(|&at| {
            let is_ordered =
                table.columns()[at].autoincrement && dialect.capabilities().ordered_keys;
            table.primary_key().contains(&at) && !is_ordered
        });
        let most = if unordered_key { 1 } else { max_rows(dialect, columns.len()) };
        let size = |insert: &Insert| size(&insert.values);
        for chunk in chunks(rows, most, dialect.max_bytes(), size) {
            let objects = chunk.iter().map(|insert| insert.object).collect();
            let mut values = Vec::with_capacity(chunk.len() * columns.len());
            let mut linked = Vec::with_capacity(chunk.len());
            for insert in chunk {
                values.extend(insert.values);
                linked.push(insert.linked);
            }
            let (columns, returning) = (columns.clone(), returning.clone());
            push(BatchRows::Insert { objects, columns, values, linked, returning });
        }
    }
}

/// Updates of one table by the set of changed columns. A row with an expression of the user's
/// goes alone.
fn update_batches(
    rows: impl Iterator<Item = Update>,
    dialect: &dyn Dialect,
    reason: &str,
    push: &mut impl FnMut(BatchRows, &str),
) {
    let same = |a: &Update, b: &Update| {
        let generated = |update: &Update| {
            update.generated.iter().map(|(column, _)| *column).collect::<Vec<_>>()
        };
        a.columns == b.columns
            && a.assigned.is_empty()
            && b.assigned.is_empty()
            && generated(a) == generated(b)
    };
    for rows in group(rows, same) {
        let columns = rows[0].columns.clone();
        let per_row = columns.len() + rows[0].key_columns.len();
        let size = |update: &Update| size(&update.values);
        for chunk in chunks(rows, max_rows(dialect, per_row), dialect.max_bytes(), size) {
            let first = &chunk[0];
            let expressions: Vec<(usize, Expr)> =
                first.assigned.iter().chain(&first.generated).cloned().collect();
            let returning = expressions.iter().map(|(column, _)| *column).collect();
            let reason = first.reason.clone().unwrap_or_else(|| reason.to_owned());
            let key_columns = first.key_columns.clone();
            let objects = chunk.iter().map(|update| update.object).collect();
            let mut values = Vec::with_capacity(chunk.len() * per_row);
            let mut linked = Vec::with_capacity(chunk.len());
            for update in chunk {
                values.extend(update.key);
                values.extend(update.values);
                linked.push(update.linked);
            }
            let columns = columns.clone();
            push(
                BatchRows::Update {
                    objects,
                    key_columns,
                    columns,
                    values,
                    linked,
                    expressions,
                    returning,
                },
                &reason,
            );
        }
    }
}

/// All association rows of deleted objects.
fn clear_batches(clear: &Clear, dialect: &dyn Dialect, push: &mut impl FnMut(BatchRows, &str)) {
    let columns = clear.foreign_key.columns();
    for chunk in clear.keys.chunks(max_rows(dialect, columns.len())) {
        push(
            BatchRows::Unpair {
                columns: columns.to_vec(),
                rows: chunk.len(),
                values: chunk.iter().flatten().cloned().map(PlanValue::Known).collect(),
            },
            &format!("before {}", clear.foreign_key.target().name()),
        );
    }
}

/// Groups rows of the same shape, in the order of each shape's first row.
fn group<T>(rows: impl Iterator<Item = T>, same: impl Fn(&T, &T) -> bool) -> Vec<Vec<T>> {
    let mut groups: Vec<Vec<T>> = Vec::new();
    let mut last = 0;
    for row in rows {
        // Rows of one shape mostly follow each other.
        if groups.get(last).is_none_or(|group| !same(&group[0], &row)) {
            last = groups.iter().position(|group| same(&group[0], &row)).unwrap_or_else(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
        }
        groups[last].push(row);
    }
    groups
}

/// About how many bytes the values of a row take.
fn size(values: &[PlanValue]) -> usize {
    let known = values.iter().filter_map(|value| match value {
        PlanValue::Known(value) => Some(value.size()),
        PlanValue::KeyOf(..) => None,
    });
    known.sum()
}

/// Rows in chunks of at most so many, and of so many bytes, unless one row alone is larger.
fn chunks<T>(
    rows: Vec<T>,
    most_rows: usize,
    most_bytes: usize,
    size: impl Fn(&T) -> usize,
) -> impl Iterator<Item = Vec<T>> {
    let mut rows = rows.into_iter().peekable();
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let mut chunk = Vec::with_capacity(rows.len().min(most_rows));
        while chunk.len() < most_rows {
            let fits = |row: &T| bytes == 0 || bytes + size(row) <= most_bytes;
            let Some(row) = rows.next_if(fits) else { break };
            bytes += size(&row);
            chunk.push(row);
        }
        (!chunk.is_empty()).then_some(chunk)
    })
}
