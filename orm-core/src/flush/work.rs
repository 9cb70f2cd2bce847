//! What a flush has to write, row by row: the values that its steps pass on.

use std::sync::Arc;

use smallvec::SmallVec;

use super::rekey::Follower;
use crate::model::{ColumnSet, ForeignKey, Table};
use crate::sql::Expr;
use crate::tracking::{ObjectId, Pair};
use crate::value::Value;

/// A value that is known while planning, or the generated column of an object that an earlier
/// statement of the same flush inserts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum PlanValue {
    Known(Value),
    KeyOf(ObjectId, usize),
}

/// The objects of a flush that a row leads to. Most lead to one at most.
pub(crate) type Parents = SmallVec<[(&'static ForeignKey, ObjectId); 1]>;

/// A row to insert.
#[derive(Debug)]
pub(crate) struct Insert {
    pub(crate) object: ObjectId,
    pub(crate) table: &'static Table,
    /// The columns that are given, in the table's order: the row's shape, shared by those that
    /// have it.
    pub(crate) columns: Arc<[usize]>,
    pub(crate) values: Vec<PlanValue>,
    /// The columns that links decide: memory learns them when the flush settles.
    pub(crate) linked: ColumnSet,
    /// The objects of this flush's inserts that it leads to.
    pub(crate) parents: Parents,
}

/// A row to update.
#[derive(Debug)]
pub(crate) struct Update {
    pub(crate) object: ObjectId,
    pub(crate) table: &'static Table,
    /// What finds the row: the primary key, then the version if there is one.
    pub(crate) key_columns: Arc<[usize]>,
    pub(crate) key: Vec<PlanValue>,
    /// The columns that change, in the table's order.
    pub(crate) columns: Arc<[usize]>,
    pub(crate) values: Vec<PlanValue>,
    /// The columns that links decide: memory learns them when the flush settles.
    pub(crate) linked: ColumnSet,
    /// Columns that the database computes: `on_update`, the version.
    pub(crate) generated: Arc<[(usize, Expr)]>,
    /// Columns to which the user assigned an expression.
    pub(crate) assigned: Vec<(usize, Expr)>,
    /// The objects of this flush's inserts that it leads to.
    pub(crate) parents: Parents,
    /// Why, where it isn't a change of the user's.
    pub(crate) reason: Option<String>,
    /// The deleted object whose row it is, where a new object takes its place.
    pub(crate) replaces: Option<ObjectId>,
    /// Columns that keep what the row has, which the new object has to learn.
    pub(crate) kept: Vec<usize>,
}

impl Update {
    /// An UPDATE that changes nothing yet, and finds no row.
    pub(crate) fn nothing(object: ObjectId, table: &'static Table) -> Self {
        Self {
            object,
            table,
            key_columns: Arc::default(),
            key: Vec::new(),
            columns: Arc::default(),
            values: Vec::new(),
            linked: ColumnSet::default(),
            generated: Arc::default(),
            assigned: Vec::new(),
            parents: Parents::new(),
            reason: None,
            replaces: None,
            kept: Vec::new(),
        }
    }

    /// The columns that the database computes, by an expression of the user's or by itself.
    pub(crate) fn computed(&self) -> impl Iterator<Item = usize> {
        self.assigned.iter().chain(self.generated.iter()).map(|(column, _)| *column)
    }

    /// The object whose memory holds what the row has before.
    pub(crate) fn row(&self) -> ObjectId {
        self.replaces.unwrap_or(self.object)
    }
}

/// A row to delete.
#[derive(Debug)]
pub(crate) struct Delete {
    pub(crate) object: ObjectId,
    pub(crate) table: &'static Table,
    pub(crate) key_columns: Arc<[usize]>,
    pub(crate) key: Vec<Value>,
    /// The objects of this flush's deletes that it leads to.
    pub(crate) parents: Parents,
}

/// Association rows to delete because a side of theirs is deleted.
#[derive(Debug)]
pub(crate) struct Clear {
    pub(crate) table: &'static Table,
    pub(crate) foreign_key: &'static ForeignKey,
    pub(crate) objects: Vec<ObjectId>,
    /// The values of `foreign_key`, per object.
    pub(crate) keys: Vec<Vec<Value>>,
}

/// An association row with the values of its two foreign keys.
#[derive(Debug)]
pub(crate) struct PairRow {
    pub(crate) pair: Pair,
    pub(crate) columns: Vec<usize>,
    pub(crate) values: Vec<PlanValue>,
}

/// Everything that a flush has to write.
#[derive(Debug, Default)]
pub(crate) struct Work {
    pub(crate) inserts: Vec<Insert>,
    pub(crate) updates: Vec<Update>,
    pub(crate) deletes: Vec<Delete>,
    pub(crate) pair_inserts: Vec<PairRow>,
    pub(crate) pair_deletes: Vec<PairRow>,
    pub(crate) clears: Vec<Clear>,
    /// Pending objects that leave the session without ever being a row.
    pub(crate) expunged: Vec<ObjectId>,
    /// Children whose link the flush cuts because their parent is deleted.
    pub(crate) unlinked: Vec<(ObjectId, &'static ForeignKey)>,
    /// Deleted objects whose row is updated to be that of a new object, and that object.
    pub(crate) switched: Vec<(ObjectId, ObjectId)>,
    /// Objects that refer to keys which the flush changes.
    pub(crate) followers: Vec<Follower>,
}
