//! Edits of many-to-many relationships, as pairs of an association table.

use std::collections::{HashMap, HashSet};

use super::arena::ObjectId;
use crate::model::{Association, Table};

/// A row of an association table: the objects that its two foreign keys lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Pair {
    pub(crate) table: &'static Table,
    /// Where the foreign key with the lower position leads.
    pub(crate) first: ObjectId,
    /// Where the other one leads.
    pub(crate) second: ObjectId,
    /// The positions of the two foreign keys.
    keys: (usize, usize),
}

impl Pair {
    /// The same pair, whichever side it is seen from.
    pub(crate) fn new(association: &Association, source: ObjectId, target: ObjectId) -> Self {
        let (a, b) = (association.source.index, association.target.index);
        let table = association.table;
        if a < b {
            Self { table, first: source, second: target, keys: (a, b) }
        } else {
            Self { table, first: target, second: source, keys: (b, a) }
        }
    }

    /// The foreign keys to the first and to the second object.
    pub(crate) fn foreign_keys(&self) -> [(&'static crate::model::ForeignKey, ObjectId); 2] {
        let keys = self.table.foreign_keys();
        [(&keys[self.keys.0], self.first), (&keys[self.keys.1], self.second)]
    }

    /// Whom the pair links to an owner, if it is one of this association and the owner's.
    pub(crate) fn other_side(
        &self,
        association: &Association,
        owner: ObjectId,
    ) -> Option<ObjectId> {
        [self.first, self.second]
            .into_iter()
            .find(|other| Self::new(association, owner, *other) == *self)
    }

    /// Whether the object is on either side.
    pub(crate) fn concerns(&self, object: ObjectId) -> bool {
        self.first == object || self.second == object
    }
}

/// What is to happen to a pair at the next flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PairEdit {
    Insert,
    Delete,
    /// It was removed without being known to be a row, and put back: to be inserted unless it is
    /// a row, which the flush has to read.
    Restore,
}

/// The edits of pairs, and the pairs that are known to be rows.
#[derive(Debug, Default)]
pub(crate) struct Pairs {
    edits: HashMap<Pair, PairEdit>,
    /// The edits in the order in which they were made; may name pairs whose edit was undone.
    order: Vec<Pair>,
    /// Pairs that this session wrote itself.
    known: HashSet<Pair>,
    /// Removed pairs of which nobody knows whether they are rows.
    unsure: HashSet<Pair>,
}

impl Pairs {
    /// Wants the pair to be a row. False if it is to be one already.
    pub(crate) fn insert(&mut self, pair: Pair) -> bool {
        match self.edits.get(&pair) {
            Some(PairEdit::Insert | PairEdit::Restore) => false,
            Some(PairEdit::Delete) if self.unsure.contains(&pair) => {
                self.edits.insert(pair, PairEdit::Restore);
                true
            }
            Some(PairEdit::Delete) => {
                self.edits.remove(&pair);
                true
            }
            None if self.known.contains(&pair) => false,
            None => {
                self.edits.insert(pair, PairEdit::Insert);
                self.order.push(pair);
                true
            }
        }
    }

    /// Wants the pair not to be a row. `is_row` says whether it is known to be one.
    pub(crate) fn remove(&mut self, pair: Pair, is_row: bool) {
        match self.edits.get(&pair) {
            Some(PairEdit::Delete) => {}
            Some(PairEdit::Insert) => {
                self.edits.remove(&pair);
            }
            Some(PairEdit::Restore) => {
                self.edits.insert(pair, PairEdit::Delete);
            }
            None => {
                if !is_row && !self.known.contains(&pair) {
                    self.unsure.insert(pair);
                }
                self.edits.insert(pair, PairEdit::Delete);
                self.order.push(pair);
            }
        }
    }

    /// A pair that is wanted was looked up: it needs no edit if it is a row, else an INSERT.
    pub(crate) fn resolve(&mut self, pair: Pair, is_row: bool) {
        if is_row {
            self.edits.remove(&pair);
        } else {
            self.edits.insert(pair, PairEdit::Insert);
        }
    }

    /// The pair may have ceased to be a row.
    pub(crate) fn forget_known(&mut self, pair: &Pair) {
        self.known.remove(pair);
    }

    /// The unit of work ended: others may change its rows from now on.
    pub(crate) fn forget_all_known(&mut self) {
        self.known.clear();
    }

    pub(crate) fn edit(&self, pair: &Pair) -> Option<PairEdit> {
        self.edits.get(pair).copied()
    }

    /// The edits in the order in which they were made.
    pub(crate) fn edits(&self) -> impl Iterator<Item = (Pair, PairEdit)> + '_ {
        let mut seen = HashSet::new();
        self.order
            .iter()
            .filter_map(|pair| Some((*pair, *self.edits.get(pair)?)))
            .filter(move |(pair, _)| seen.insert(*pair))
    }

    pub(crate) fn has_edits(&self) -> bool {
        !self.edits.is_empty()
    }

    /// The edits became rows, or ceased to be rows.
    pub(crate) fn settle(&mut self) {
        for (pair, edit) in self.edits.drain() {
            match edit {
                PairEdit::Insert | PairEdit::Restore => self.known.insert(pair),
                PairEdit::Delete => self.known.remove(&pair),
            };
        }
        self.order.clear();
        self.unsure.clear();
    }

    /// Forgets every edit, and what was written in a unit of work that is undone.
    pub(crate) fn discard(&mut self) {
        self.edits.clear();
        self.order.clear();
        self.known.clear();
        self.unsure.clear();
    }

    /// Forgets the edits that concern an object, and what is known of it.
    pub(crate) fn forget(&mut self, object: ObjectId) {
        self.edits.retain(|pair, _| !pair.concerns(object));
        self.known.retain(|pair| !pair.concerns(object));
        self.unsure.retain(|pair| !pair.concerns(object));
    }
}
