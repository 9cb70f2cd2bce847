//! What many rows have in common: which columns are written, and what the database computes.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::model::Table;
use crate::sql::{BinaryOp, ColumnRef, Expr};

/// The lists of columns of a flush's rows, each once: most rows of a table have the same.
#[derive(Debug, Default)]
pub(super) struct Shapes {
    lists: HashSet<Arc<[usize]>, foldhash::fast::RandomState>,
    generated: HashMap<(&'static Table, Arc<[usize]>), Generated, foldhash::fast::RandomState>,
}

/// Columns that an UPDATE computes.
type Generated = Arc<[(usize, Expr)]>;

impl Shapes {
    /// The list that all rows with these columns share.
    pub(super) fn list(&mut self, columns: &[usize]) -> Arc<[usize]> {
        if let Some(known) = self.lists.get(columns) {
            return Arc::clone(known);
        }
        let list: Arc<[usize]> = columns.into();
        self.lists.insert(Arc::clone(&list));
        list
    }

    /// What every UPDATE computes that sets these columns.
    pub(super) fn generated(&mut self, table: &'static Table, set: Arc<[usize]>) -> Generated {
        let found = self.generated.entry((table, set));
        let found =
            found.or_insert_with_key(|(table, set)| generated(table, |at| set.contains(&at)));
        Arc::clone(found)
    }
}

/// What every UPDATE of a table's rows computes: `on_update` columns that aren't set, and the version.
pub(super) fn generated(table: &'static Table, is_set: impl Fn(usize) -> bool) -> Generated {
    let columns = table.columns().iter().enumerate().filter(|(at, _)| !is_set(*at));
    let computed = columns.filter_map(|(at, column)| Some((at, Expr::Authored(column.on_update?))));
    let version = table.version().map(|version| {
        let old = Expr::Column(ColumnRef::scoped(table, version));
        (version, Expr::binary(old, BinaryOp::Add, Expr::Integer(1)))
    });
    computed.chain(version).collect()
}
