//! In how many statements: rows of one shape together, in chunks that the database accepts.

use super::order::{Operation, OrderedStep};
use super::rekey::Follower;
use super::work::{Clear, Insert, PlanValue, Update, Work};
use crate::model::{ColumnSet, ForeignKey, Table};
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
    /// Deleted objects whose row is updated to be that of a new object, and that object.
    pub(crate) switched: Vec<(ObjectId, ObjectId)>,
    /// Objects that refer to keys which the flush changes.
    pub(crate) followers: Vec<Follower>,
    /// New rows that are left out if they exist already.
    pub(crate) skip_existing: Option<SkipExisting>,
}

/// Which new rows a flush may leave out: those of a table whose values in the columns of a unique
/// key exist already. Their objects leave the session.
#[derive(Clone, Debug)]
pub(crate) struct SkipExisting {
    pub(crate) table: &'static Table,
    pub(crate) columns: Vec<usize>,
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
        linked: Vec<ColumnSet>,
        returning: Vec<usize>,
    },
    Update {
        objects: Vec<ObjectId>,
        key_columns: Vec<usize>,
        columns: Vec<usize>,
        /// Row after row: the key, then the columns.
        values: Vec<PlanValue>,
        linked: Vec<ColumnSet>,
        expressions: Vec<(usize, Expr)>,
        /// What the database computed, and what the row keeps, to be read back.
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
    let mut batches = Vec::with_capacity(steps.len());
    for OrderedStep { table, operation, rows, reason } in steps {
        let mut push = |rows: BatchRows, reason: &str| {
            batches.push(Batch { table, operation, reason: reason.to_owned(), rows });
        };
        match operation {
            Operation::Insert => {
                insert_batches(table, rows, &mut work.inserts, dialect, |rows| push(rows, &reason));
            }
            Operation::Update => {
                update_batches(rows, &mut work.updates, dialect, &reason, &mut push);
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
                        key_columns: key_columns.to_vec(),
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
                let same = |a: usize, b: usize| pairs[a].columns == pairs[b].columns;
                for rows in group(rows, same) {
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
    let Work { expunged, unlinked, switched, followers, .. } = work;
    Batched { batches, expunged, unlinked, switched, followers, skip_existing: None }
}

/// Inserts of one table by shape, shapes by their first object.
fn insert_batches(
    table: &'static Table,
    rows: Vec<usize>,
    inserts: &mut [Insert],
    dialect: &dyn Dialect,
    mut push: impl FnMut(BatchRows),
) {
    for rows in group(rows, |a, b| inserts[a].columns == inserts[b].columns) {
        let columns = inserts[rows[0]].columns.to_vec();
        let returning: Vec<usize> = (0..table.columns().len())
            .filter(|at| table.columns()[*at].is_generated() && !columns.contains(at))
            .collect();
        // A key that the database makes in no order can only be told apart row by row; one that it
        // doesn't give back is made before.
        let capabilities = dialect.capabilities();
        let unordered_key = returning.iter().any(|&at| {
            let is_known = match table.columns()[at].autoincrement {
                true => capabilities.ordered_keys,
                false => !capabilities.returning_on_insert,
            };
            table.primary_key().contains(&at) && !is_known
        });
        let most = if unordered_key { 1 } else { max_rows(dialect, columns.len()) };
        for chunk in chunks(&rows, most, dialect, |row| &inserts[row].values) {
            let mut objects = Vec::with_capacity(chunk.len());
            let mut values = Vec::with_capacity(chunk.len() * columns.len());
            let mut linked = Vec::with_capacity(chunk.len());
            for &row in chunk {
                let insert = &mut inserts[row];
                objects.push(insert.object);
                values.append(&mut insert.values);
                linked.push(std::mem::take(&mut insert.linked));
            }
            let (columns, returning) = (columns.clone(), returning.clone());
            push(BatchRows::Insert { objects, columns, values, linked, returning });
        }
    }
}

/// Updates of one table by the set of changed columns. A row with an expression of the user's
/// goes alone.
fn update_batches(
    rows: Vec<usize>,
    updates: &mut [Update],
    dialect: &dyn Dialect,
    reason: &str,
    push: &mut impl FnMut(BatchRows, &str),
) {
    let same = |a: usize, b: usize| {
        let (a, b) = (&updates[a], &updates[b]);
        a.columns == b.columns
            && a.kept == b.kept
            && a.assigned.is_empty()
            && b.assigned.is_empty()
            && a.computed().eq(b.computed())
    };
    for rows in group(rows, same) {
        let first = &updates[rows[0]];
        let columns = first.columns.to_vec();
        let key_columns = first.key_columns.to_vec();
        let per_row = columns.len() + key_columns.len();
        let expressions: Vec<(usize, Expr)> =
            first.assigned.iter().chain(first.generated.iter()).cloned().collect();
        let computed = expressions.iter().map(|(column, _)| *column);
        let returning: Vec<usize> = computed.chain(first.kept.iter().copied()).collect();
        for chunk in chunks(&rows, max_rows(dialect, per_row), dialect, |row| &updates[row].values)
        {
            let reason = updates[chunk[0]].reason.clone().unwrap_or_else(|| reason.to_owned());
            let mut objects = Vec::with_capacity(chunk.len());
            let mut values = Vec::with_capacity(chunk.len() * per_row);
            let mut linked = Vec::with_capacity(chunk.len());
            for &row in chunk {
                let update = &mut updates[row];
                objects.push(update.object);
                values.append(&mut update.key);
                values.append(&mut update.values);
                linked.push(std::mem::take(&mut update.linked));
            }
            push(
                BatchRows::Update {
                    objects,
                    key_columns: key_columns.clone(),
                    columns: columns.clone(),
                    values,
                    linked,
                    expressions: expressions.clone(),
                    returning: returning.clone(),
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
fn group(rows: Vec<usize>, same: impl Fn(usize, usize) -> bool) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut last = 0;
    for row in rows {
        // Rows of one shape mostly follow each other.
        if groups.get(last).is_none_or(|group| !same(group[0], row)) {
            last = groups.iter().position(|group| same(group[0], row)).unwrap_or_else(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
        }
        groups[last].push(row);
    }
    groups
}

/// Rows in chunks of at most so many, and of no more bytes than a statement should have, unless
/// one row alone has more.
fn chunks<'r, 'v>(
    rows: &'r [usize],
    most_rows: usize,
    dialect: &dyn Dialect,
    values: impl Fn(usize) -> &'v [PlanValue],
) -> Vec<&'r [usize]> {
    let size = |row: usize| -> usize {
        let known = values(row).iter().map(|value| match value {
            PlanValue::Known(value) => value.size(),
            PlanValue::KeyOf(..) => 8,
        });
        known.sum()
    };
    let mut chunks = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (at, &row) in rows.iter().enumerate() {
        let size = size(row);
        let is_full = at - start == most_rows || bytes + size > dialect.max_bytes();
        if is_full && at > start {
            chunks.push(&rows[start..at]);
            (start, bytes) = (at, 0);
        }
        bytes += size;
    }
    if start < rows.len() {
        chunks.push(&rows[start..]);
    }
    chunks
}
