//! Slots by the value of a column that is not the primary key: for foreign keys that lead there.

use std::hash::BuildHasher;

use hashbrown::HashTable;
use smallvec::SmallVec;

use crate::value::Value;

/// The slots whose row may have a value in a column. A slot is added with every value that is
/// written to its field, and stays with those that it had: whoever asks has to look.
pub(super) struct Lookup {
    pub(super) column: usize,
    /// By the values' hashes.
    slots: HashTable<(u64, Slots)>,
    hasher: foldhash::fast::RandomState,
}

/// Mostly one: foreign keys lead to what is unique.
type Slots = SmallVec<[u32; 2]>;

impl Lookup {
    pub(super) fn new(column: usize) -> Self {
        Self { column, slots: HashTable::new(), hasher: foldhash::fast::RandomState::default() }
    }

    pub(super) fn add(&mut self, value: &Value, slot: u32) {
        let hash = self.hasher.hash_one(value);
        let entry = self.slots.entry(hash, |(other, _)| *other == hash, |(hash, _)| *hash);
        let (_, slots) = entry.or_insert_with(|| (hash, Slots::new())).into_mut();
        if !slots.contains(&slot) {
            slots.push(slot);
        }
    }

    pub(super) fn remove(&mut self, value: &Value, slot: u32) {
        let hash = self.hasher.hash_one(value);
        if let Some((_, slots)) = self.slots.find_mut(hash, |(other, _)| *other == hash) {
            slots.retain(|other| *other != slot);
        }
    }

    /// The slots that may have this value.
    pub(super) fn candidates(&self, value: &Value) -> &[u32] {
        let hash = self.hasher.hash_one(value);
        let found = self.slots.find(hash, |(other, _)| *other == hash);
        found.map_or(&[], |(_, slots)| slots.as_slice())
    }
}
