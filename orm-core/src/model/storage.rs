//! Where the entities of one model live, reachable without knowing the model.

use std::any::Any;
use std::collections::HashMap;
use std::hash::BuildHasher;

use hashbrown::HashTable;

use super::chunks::Chunks;
use super::lookup::Lookup;
use super::{Entity, Model, PrimaryKey, RelationField};
use crate::value::{Cells, ColumnField, Value, ValueError};

/// The entities of one model in numbered slots, with an index by primary key: what tracking,
/// loaders and flush see of a model that they don't know statically.
///
/// A slot that is named must be occupied; [`put`](Storage::put) fills one.
pub trait Storage: Any + Send + Sync {
    /// For the typed code that knows which [`EntityStorage`] this is.
    fn as_any(&self) -> &dyn Any;
    /// For the typed code that knows which [`EntityStorage`] this is.
    fn as_any_mut(&mut self) -> &mut dyn Any;
    /// Decodes an entity from consecutive cells into a slot (the next new one, or one that was
    /// vacated) and indexes its key.
    fn put(&mut self, slot: u32, cells: &dyn Cells, at: usize) -> Result<(), ValueError>;
    /// Overwrites the columns of an entity from consecutive cells; relationship fields stay.
    fn overwrite(&mut self, slot: u32, cells: &dyn Cells, at: usize) -> Result<(), ValueError>;
    /// Drops the entity and takes its key out of the index.
    fn vacate(&mut self, slot: u32);
    /// The field of a column.
    fn column(&self, slot: u32, column: usize) -> &dyn ColumnField;
    /// A column as a value.
    fn encode(&self, slot: u32, column: usize) -> Value {
        self.column(slot, column).encode()
    }
    /// Overwrites one column. The key index is not touched.
    fn decode_column(
        &mut self,
        slot: u32,
        column: usize,
        cells: &dyn Cells,
        at: usize,
    ) -> Result<(), ValueError>;
    /// Cuts one column to what every database can hold.
    fn normalize(&mut self, slot: u32, column: usize);
    /// Tells the entity whether its base columns are known.
    fn set_flushed(&mut self, slot: u32, flushed: bool);
    /// The struct, for the hooks of its model.
    fn model_mut(&mut self, slot: u32) -> &mut dyn Any;
    /// A relationship field.
    fn relation(&self, slot: u32, relation: usize) -> &dyn RelationField;
    /// A relationship field.
    fn relation_mut(&mut self, slot: u32, relation: usize) -> &mut dyn RelationField;
    /// The slot of the object whose key is in the cells at `offset` plus these positions.
    fn find(
        &self,
        cells: &dyn Cells,
        offset: usize,
        positions: &[usize],
    ) -> Result<Option<u32>, ValueError>;
    /// Indexes the key that the entity has now; a flush has just written it. Gives the slot of
    /// another entity that is indexed by the same key, whose row it can't be any more.
    fn index(&mut self, slot: u32) -> Option<u32>;
    /// Takes the entity's indexed key out of the index.
    fn unindex(&mut self, slot: u32);
    /// Whether the entity's key is in the index.
    fn is_indexed(&self, slot: u32) -> bool;
    /// Remembers the key that the entity is indexed by, because its fields may now be edited.
    fn pin_key(&mut self, slot: u32);
    /// Keeps an index by a column from now on.
    fn keep_lookup(&mut self, column: usize);
    /// The slots whose row may have a value in a column, if there is an index by it.
    fn candidates(&self, column: usize, value: &Value) -> Option<&[u32]>;
}

/// The entities of the model `M`.
pub struct EntityStorage<M: Model> {
    entities: Chunks<Option<Entity<M>>>,
    /// Slots by the hash of their key. The keys themselves are in the entities (or pinned).
    identity: HashTable<u32>,
    hasher: foldhash::fast::RandomState,
    /// Keys of objects whose key may have been edited since they were indexed.
    pinned: HashMap<u32, M::Id>,
    /// Indexes by columns that foreign keys lead to.
    lookups: Vec<Lookup>,
}

impl<M: Model> Default for EntityStorage<M> {
    fn default() -> Self {
        Self {
            entities: Chunks::default(),
            identity: HashTable::new(),
            hasher: foldhash::fast::RandomState::default(),
            pinned: HashMap::new(),
            lookups: Vec::new(),
        }
    }
}

impl<M: Model> EntityStorage<M> {
    /// The entity in an occupied slot.
    pub(crate) fn entity(&self, slot: u32) -> &Entity<M> {
        self.get(slot).expect("a handle that passed its check names an occupied slot")
    }

    /// The entity in an occupied slot.
    pub(crate) fn entity_mut(&mut self, slot: u32) -> &mut Entity<M> {
        self.entities
            .get_mut(slot)
            .and_then(Option::as_mut)
            .expect("a handle that passed its check names an occupied slot")
    }

    /// Two entities at once; `None` if both slots are the same.
    pub(crate) fn entities_mut(
        &mut self,
        a: u32,
        b: u32,
    ) -> Option<(&mut Entity<M>, &mut Entity<M>)> {
        let (a, b) = self.entities.get_two_mut(a, b)?;
        Some((a.as_mut()?, b.as_mut()?))
    }

    /// The entity in a slot, if there is one.
    pub(crate) fn get(&self, slot: u32) -> Option<&Entity<M>> {
        self.entities.get(slot)?.as_ref()
    }

    /// Puts an entity into a slot, which is the next new one or was vacated. The key index is
    /// not touched.
    pub(crate) fn place(&mut self, slot: u32, entity: Entity<M>) {
        match self.entities.get_mut(slot) {
            Some(place) => *place = Some(entity),
            None => self.entities.push(Some(entity)),
        }
    }

    /// Takes the entity out of its slot and its key out of the index.
    pub(crate) fn take(&mut self, slot: u32) -> Option<Entity<M>> {
        self.unindex(slot);
        let entity = self.entities.get_mut(slot)?.take()?;
        for lookup in &mut self.lookups {
            lookup.remove(&entity.encode(lookup.column), slot);
        }
        Some(entity)
    }

    /// Adds what an entity has now to the indexes by its columns.
    fn look_up(&mut self, slot: u32) {
        let Self { entities, lookups, .. } = self;
        if let Some(entity) = entities.get(slot).and_then(Option::as_ref) {
            for lookup in lookups {
                lookup.add(&entity.encode(lookup.column), slot);
            }
        }
    }

    /// The slot of the object with this key.
    pub(crate) fn find_key(&self, key: &M::Id) -> Option<u32> {
        self.identity.find(self.hasher.hash_one(key), |&slot| self.has_key(slot, key)).copied()
    }

    fn has_key(&self, slot: u32, key: &M::Id) -> bool {
        match self.pinned.get(&slot) {
            Some(pinned) => pinned == key,
            None => self.entity(slot).key() == *key,
        }
    }
}

impl<M: Model> Storage for EntityStorage<M> {
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
    fn put(&mut self, slot: u32, cells: &dyn Cells, at: usize) -> Result<(), ValueError> {
        let entity = Entity::<M>::decode(cells, at)?;
        self.place(slot, entity);
        self.index(slot);
        Ok(())
    }
    fn overwrite(&mut self, slot: u32, cells: &dyn Cells, at: usize) -> Result<(), ValueError> {
        for column in 0..M::__table().columns().len() {
            self.entity_mut(slot).column_mut(column).overwrite(cells, at + column)?;
        }
        self.look_up(slot);
        Ok(())
    }
    fn vacate(&mut self, slot: u32) {
        self.take(slot);
    }
    fn column(&self, slot: u32, column: usize) -> &dyn ColumnField {
        self.entity(slot).column(column)
    }
    fn decode_column(
        &mut self,
        slot: u32,
        column: usize,
        cells: &dyn Cells,
        at: usize,
    ) -> Result<(), ValueError> {
        self.entity_mut(slot).column_mut(column).overwrite(cells, at)?;
        if self.lookups.iter().any(|lookup| lookup.column == column) {
            self.look_up(slot);
        }
        Ok(())
    }
    fn normalize(&mut self, slot: u32, column: usize) {
        self.entity_mut(slot).column_mut(column).normalize();
    }
    fn set_flushed(&mut self, slot: u32, flushed: bool) {
        self.entity_mut(slot).set_flushed(flushed);
    }
    fn model_mut(&mut self, slot: u32) -> &mut dyn Any {
        &mut **self.entity_mut(slot)
    }
    fn relation(&self, slot: u32, relation: usize) -> &dyn RelationField {
        (**self.entity(slot)).__relation(relation)
    }
    fn relation_mut(&mut self, slot: u32, relation: usize) -> &mut dyn RelationField {
        (**self.entity_mut(slot)).__relation_mut(relation)
    }
    fn find(
        &self,
        cells: &dyn Cells,
        offset: usize,
        positions: &[usize],
    ) -> Result<Option<u32>, ValueError> {
        Ok(self.find_key(&M::Id::__decode(cells, offset, positions)?))
    }
    fn index(&mut self, slot: u32) -> Option<u32> {
        self.pinned.remove(&slot);
        let key = self.entity(slot).key();
        let hashed = self.hasher.hash_one(&key);
        let former = self.identity.find(hashed, |&other| self.has_key(other, &key)).copied();
        let Self { entities, identity, hasher, pinned, .. } = self;
        identity.insert_unique(hashed, slot, |&slot| hash_of(entities, hasher, pinned, slot));
        self.look_up(slot);
        former.filter(|former| *former != slot)
    }
    fn unindex(&mut self, slot: u32) {
        if self.get(slot).is_some() {
            let hash = hash_of(&self.entities, &self.hasher, &self.pinned, slot);
            if let Ok(entry) = self.identity.find_entry(hash, |&other| other == slot) {
                entry.remove();
            }
        }
        self.pinned.remove(&slot);
    }
    fn is_indexed(&self, slot: u32) -> bool {
        self.get(slot).is_some() && {
            let hash = hash_of(&self.entities, &self.hasher, &self.pinned, slot);
            self.identity.find(hash, |&other| other == slot).is_some()
        }
    }
    fn pin_key(&mut self, slot: u32) {
        if self.is_indexed(slot) {
            let key = self.entity(slot).key();
            self.pinned.entry(slot).or_insert(key);
        }
    }
    fn keep_lookup(&mut self, column: usize) {
        if self.lookups.iter().any(|lookup| lookup.column == column) {
            return;
        }
        self.lookups.push(Lookup::new(column));
        (0..self.entities.len()).for_each(|slot| self.look_up(slot));
    }
    fn candidates(&self, column: usize, value: &Value) -> Option<&[u32]> {
        let lookup = self.lookups.iter().find(|lookup| lookup.column == column)?;
        Some(lookup.candidates(value))
    }
}

/// The hash of the key that a slot is, or would be, indexed by.
fn hash_of<M: Model>(
    entities: &Chunks<Option<Entity<M>>>,
    hasher: &foldhash::fast::RandomState,
    pinned: &HashMap<u32, M::Id>,
    slot: u32,
) -> u64 {
    match pinned.get(&slot) {
        Some(key) => hasher.hash_one(key),
        None => {
            let entity = entities.get(slot).and_then(Option::as_ref);
            hasher.hash_one(entity.expect("indexed slots are occupied").key())
        }
    }
}
