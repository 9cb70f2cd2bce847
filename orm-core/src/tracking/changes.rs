//! What is known of an object that was edited, linked or added since the last flush.

use smallvec::SmallVec;

use super::arena::{ObjectId, ObjectSet, State};
use super::store::Store;
use crate::model::{ColumnSet, ForeignKey};
use crate::sql::Expr;
use crate::value::Value;

/// The unflushed changes of one object. Objects that were only read have none.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// Every column as it was at the first mutable access since the last flush: for a persistent
    /// object its database values. What differs at the flush was changed.
    pub(crate) snapshot: Option<Box<[Value]>>,
    /// Columns of a pending object that nobody gave a value.
    pub(crate) unset: ColumnSet,
    /// Base columns that were assigned; others can't change by hand.
    pub(crate) assigned_base: ColumnSet,
    /// SQL expressions assigned to columns, which had their database values at that moment: a column
    /// that differs from its snapshot was assigned a value later, which wins.
    pub(crate) expressions: Vec<(usize, Expr)>,
    /// Where the object's foreign keys are to lead. Most have one.
    pub(crate) links: SmallVec<[LinkEdit; 1]>,
    /// Collections that are to become exactly these members and were not loaded when they were
    /// replaced: the flush reads them once.
    pub(crate) replaced: Vec<(usize, ObjectSet)>,
    /// Members of such collections, by primary key, whose objects have left the session since:
    /// their rows stay members.
    pub(super) spared: Vec<(usize, Vec<Value>)>,
}

/// Where a foreign key is to lead after the next flush.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LinkEdit {
    pub(crate) foreign_key: &'static ForeignKey,
    /// `None` leads nowhere.
    pub(crate) parent: Option<ObjectId>,
    /// Whether the object led somewhere before: leaving makes an orphan only then.
    pub(crate) had_parent: bool,
    /// Whether the edit waits in the parent's unloaded collection, which forgets it when the
    /// parent is expired.
    pub(crate) queued: bool,
}

impl Changes {
    pub(crate) fn link(&self, foreign_key: &ForeignKey) -> Option<&LinkEdit> {
        self.links.iter().find(|edit| edit.foreign_key == foreign_key)
    }
}

impl Store {
    /// The SQL expressions that the next flush assigns to columns of a row.
    pub(crate) fn expressions(&self, object: ObjectId) -> impl Iterator<Item = &(usize, Expr)> {
        let changes = self.header(object).changes.as_deref();
        let snapshot = changes.and_then(|changes| changes.snapshot.as_deref());
        let expressions = changes.map(|changes| changes.expressions.as_slice()).unwrap_or_default();
        expressions.iter().filter(move |(column, _)| {
            snapshot.is_none_or(|snapshot| {
                !self.storage(object).encode(object.slot, *column).is_edit_of(&snapshot[*column])
            })
        })
    }

    /// Whether nobody gave a pending object's column a value: neither its draft nor an assignment.
    pub(crate) fn is_unset(&self, object: ObjectId, column: usize) -> bool {
        let Some(changes) = &self.header(object).changes else { return false };
        changes.unset.contains(column)
            && changes.snapshot.as_ref().is_none_or(|snapshot| {
                self.storage(object).encode(object.slot, column) == snapshot[column]
            })
    }

    /// Whether a flush would find something to write. Mutable access alone is no change.
    pub(crate) fn has_changes(&self) -> bool {
        self.pairs.has_edits() || self.touched.iter().any(|object| self.is_changed(*object))
    }

    /// What an unflushed edit gave a column of a row.
    pub(crate) fn edit_of(&self, object: ObjectId, column: usize) -> Option<Value> {
        let snapshot = self.header(object).changes.as_ref()?.snapshot.as_ref()?;
        let now = self.storage(object).encode(object.slot, column);
        now.is_edit_of(&snapshot[column]).then_some(now)
    }

    /// Whether a flush would find something to write for the object.
    pub(crate) fn is_changed(&self, object: ObjectId) -> bool {
        let header = self.header(object);
        header.state == State::Pending || header.marked_deleted || self.is_edited(object)
    }

    /// Whether an object differs from its row: by value, by where its foreign keys lead, or by
    /// what was assigned to its relationship fields.
    pub(super) fn is_edited(&self, object: ObjectId) -> bool {
        let Some(changes) = &self.header(object).changes else { return false };
        let edited = || {
            let storage = self.storage(object);
            let columns = changes.snapshot.iter().flatten().enumerate();
            let mut values = columns.map(|(at, value)| (storage.encode(object.slot, at), value));
            values.any(|(now, before)| now.is_edit_of(before))
        };
        let assigned = || {
            let own_key = self.key_of(object);
            let relations = 0..self.table(object).relationships().len();
            let mut fields = relations.map(|at| self.storage(object).relation(object.slot, at));
            fields.any(|field| field.is_loaded() && field.stamp() != Some(own_key))
        };
        self.expressions(object).next().is_some()
            || !changes.links.is_empty()
            || !changes.replaced.is_empty()
            || edited()
            || assigned()
    }
}
