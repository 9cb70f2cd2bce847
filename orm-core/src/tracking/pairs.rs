//! Edits of many-to-many relationships, as pairs of an association table.

use std::collections::{HashMap, HashSet};

use super::arena::{ObjectId, ObjectMap, ObjectSet};
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

    /// Whether one of the objects is on either side.
    fn concerns_any(&self, objects: &ObjectSet) -> bool {
        objects.contains(&self.first) || objects.contains(&self.second)
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

type PairMap<V> = HashMap<Pair, V, foldhash::fast::RandomState>;
type PairSet = HashSet<Pair, foldhash::fast::RandomState>;

/// The edits of pairs, and the pairs that are known to be rows.
#[derive(Debug, Default)]
pub(crate) struct Pairs {
    edits: PairMap<PairEdit>,
    /// The edits in the order in which they were made; may name pairs whose edit was undone.
    order: Vec<Pair>,
    /// The same by the objects on either side.
    by_object: ObjectMap<Vec<Pair>>,
    /// Pairs that this session wrote itself.
    known: PairSet,
    /// Edited pairs of which nobody knows whether they are rows.
    unsure: PairSet,
    /// For each open savepoint, what was changed of `known` since: the pair, and whether it was
    /// known before.
    undo: Vec<Vec<(Pair, bool)>>,
}

impl Pairs {
    /// Wants the pair to be a row. `is_absent` says whether it is known to be none. False if it is
    /// to be one already.
    pub(crate) fn insert(&mut self, pair: Pair, is_absent: bool) -> bool {
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
                if !is_absent {
                    self.unsure.insert(pair);
                }
                self.begin(pair, PairEdit::Insert);
                true
            }
        }
    }

    /// Wants the pair not to be a row. `is_row` says whether it is known to be one.
    pub(crate) fn remove(&mut self, pair: Pair, is_row: bool) {
        match self.edits.get(&pair) {
            Some(PairEdit::Delete) => {}
            Some(PairEdit::Insert) if !self.unsure.contains(&pair) => {
                self.edits.remove(&pair);
            }
            Some(PairEdit::Insert | PairEdit::Restore) => {
                self.edits.insert(pair, PairEdit::Delete);
            }
            None => {
                if !is_row && !self.known.contains(&pair) {
                    self.unsure.insert(pair);
                }
                self.begin(pair, PairEdit::Delete);
            }
        }
    }

    /// The first edit of a pair that has none.
    fn begin(&mut self, pair: Pair, edit: PairEdit) {
        self.edits.insert(pair, edit);
        self.order.push(pair);
        self.by_object.entry(pair.first).or_default().push(pair);
        if pair.second != pair.first {
            self.by_object.entry(pair.second).or_default().push(pair);
        }
    }

    /// Forgets every edit, and the room that they took: what walks over a map pays for that.
    fn take_edits(&mut self) -> PairMap<PairEdit> {
        self.order = Vec::new();
        self.by_object = ObjectMap::default();
        self.unsure = PairSet::default();
        std::mem::take(&mut self.edits)
    }

    /// A pair that is wanted was looked up: it needs no edit if it is a row, else an INSERT.
    pub(crate) fn resolve(&mut self, pair: Pair, is_row: bool) {
        self.unsure.remove(&pair);
        if is_row {
            self.edits.remove(&pair);
        } else {
            self.edits.insert(pair, PairEdit::Insert);
        }
    }

    /// The pair may have ceased to be a row.
    pub(crate) fn forget_known(&mut self, pair: &Pair) {
        self.set_known(*pair, false);
    }

    /// The unit of work ended: others may change its rows from now on.
    pub(crate) fn forget_all_known(&mut self) {
        self.known = PairSet::default();
        self.undo.clear();
    }

    /// Remembers whether the pair is a row, and how that was, for a rollback to a savepoint.
    fn set_known(&mut self, pair: Pair, is_row: bool) {
        let changed = if is_row { self.known.insert(pair) } else { self.known.remove(&pair) };
        if changed && let Some(undo) = self.undo.last_mut() {
            undo.push((pair, !is_row));
        }
    }

    /// What is known from now on can be undone up to here.
    pub(crate) fn set_savepoint(&mut self) {
        self.undo.push(Vec::new());
    }

    /// What was learnt since the innermost savepoint belongs to what is around it.
    pub(crate) fn release_savepoint(&mut self) {
        let released = self.undo.pop().unwrap_or_default();
        if let Some(outer) = self.undo.last_mut() {
            outer.extend(released);
        }
    }

    /// Forgets every edit, and what was written since the innermost savepoint; without one, all
    /// that was written in the unit of work.
    pub(crate) fn undo_savepoint(&mut self) {
        self.take_edits();
        let Some(undo) = self.undo.pop() else { return self.forget_all_known() };
        for (pair, was_row) in undo.into_iter().rev() {
            if was_row {
                self.known.insert(pair);
            } else {
                self.known.remove(&pair);
            }
        }
    }

    /// Rows of an association may have come or gone: nobody knows any more which pairs are rows.
    pub(crate) fn doubt(&mut self, table: &Table) {
        let known: Vec<Pair> =
            self.known.iter().filter(|pair| pair.table == table).copied().collect();
        for pair in known {
            self.set_known(pair, false);
        }
        let removed = self.edits.iter().filter(|(_, edit)| **edit == PairEdit::Delete);
        let removed = removed.map(|(pair, _)| *pair).filter(|pair| pair.table == table);
        self.unsure.extend(removed);
    }

    pub(crate) fn edit(&self, pair: &Pair) -> Option<PairEdit> {
        self.edits.get(pair).copied()
    }

    /// The edits in the order in which they were made.
    pub(crate) fn edits(&self) -> impl Iterator<Item = (Pair, PairEdit)> + '_ {
        self.edits_among(&self.order)
    }

    /// The edits that concern an object, in the order in which they were made.
    pub(crate) fn edits_of(&self, object: ObjectId) -> impl Iterator<Item = (Pair, PairEdit)> + '_ {
        self.edits_among(self.by_object.get(&object).map_or(&[][..], Vec::as_slice))
    }

    /// The edits of these pairs that were not undone, each once.
    fn edits_among<'p>(&'p self, pairs: &'p [Pair]) -> impl Iterator<Item = (Pair, PairEdit)> + 'p {
        let mut seen = PairSet::default();
        pairs
            .iter()
            .filter_map(|pair| Some((*pair, *self.edits.get(pair)?)))
            .filter(move |(pair, _)| seen.insert(*pair))
    }

    pub(crate) fn has_edits(&self) -> bool {
        !self.edits.is_empty()
    }

    /// The edits became rows, or ceased to be rows.
    pub(crate) fn settle(&mut self) {
        for (pair, edit) in self.take_edits() {
            self.set_known(pair, edit != PairEdit::Delete);
        }
    }

    /// Forgets the edits that concern one of these objects, and what is known of them, until a
    /// rollback.
    pub(crate) fn forget_all(&mut self, objects: &ObjectSet) {
        if self.edits.is_empty() && self.known.is_empty() {
            return;
        }
        for object in objects {
            for pair in self.by_object.remove(object).unwrap_or_default() {
                self.edits.remove(&pair);
                self.unsure.remove(&pair);
            }
        }
        let concerned = self.known.extract_if(|pair| pair.concerns_any(objects));
        let forgotten = concerned.map(|pair| (pair, true));
        match self.undo.last_mut() {
            Some(undo) => undo.extend(forgotten),
            None => forgotten.for_each(drop),
        }
    }

    /// The objects' slots are free for others, of which nothing must be known.
    pub(crate) fn forget_for_good(&mut self, objects: &ObjectSet) {
        self.forget_all(objects);
        for undo in &mut self.undo {
            undo.retain(|(pair, _)| !pair.concerns_any(objects));
        }
    }
}
