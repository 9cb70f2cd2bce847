//! The store: all objects of a session, by arena and slot.

use std::any::TypeId;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};

use super::arena::{Arena, Header, ObjectId, ObjectSet, State};
use super::changes::Changes;
use super::journal::Journal;
use super::pairs::Pairs;
use super::peers::Batch;
use crate::error::{Error, Result};
use crate::model::{
    AnyHandle, ColumnSet, Entity, EntityStorage, Handle, Info, Key, Model, Storage, Table,
};
use crate::value::Value;

/// All objects of a session, or of a read-only graph.
pub(crate) struct Store {
    /// The stamp of this store's handles, unique within the process.
    session: u32,
    /// Former stamps: what they name was expunged with everything else.
    former: Vec<u32>,
    pub(super) arenas: Vec<Arena>,
    by_type: HashMap<TypeId, u32, foldhash::fast::RandomState>,
    /// Objects that have changes, in the order in which they got them.
    pub(crate) touched: Vec<ObjectId>,
    pub(crate) pairs: Pairs,
    pub(crate) journal: Journal,
    /// Objects whose DELETE was flushed and not committed.
    pub(crate) deleted: Vec<ObjectId>,
    detached: Vec<ObjectId>,
    pub(super) batches: Vec<Batch>,
    /// Batches whose objects all met a later one.
    pub(super) free_batches: Vec<u32>,
    /// What the application tells hooks.
    pub(crate) info: Info,
}

static NEXT_SESSION: AtomicU32 = AtomicU32::new(1);

impl Default for Store {
    fn default() -> Self {
        Self {
            session: NEXT_SESSION.fetch_add(1, Ordering::Relaxed),
            former: Vec::new(),
            arenas: Vec::new(),
            by_type: HashMap::default(),
            touched: Vec::new(),
            pairs: Pairs::default(),
            journal: Journal::default(),
            deleted: Vec::new(),
            detached: Vec::new(),
            batches: Vec::new(),
            free_batches: Vec::new(),
            info: Info::default(),
        }
    }
}

// ---------------------------------------------------------------- arenas, slots, handles

impl Store {
    /// The arena of a table's model, made if there is none yet.
    pub(crate) fn arena_of(&mut self, table: &'static Table) -> Result<u32> {
        let unmapped = || Error::misuse(format!("the table `{}` has no model", table.name()));
        let type_id = table.type_id().ok_or_else(unmapped)?;
        if let Some(arena) = self.by_type.get(&type_id) {
            return Ok(*arena);
        }
        let storage = table.new_storage().ok_or_else(unmapped)?;
        Ok(self.add_arena(type_id, Arena::new(table, storage)))
    }

    /// The arena of a model, made if there is none yet.
    pub(crate) fn arena<M: Model>(&mut self) -> u32 {
        match self.find_arena::<M>() {
            Some(arena) => arena,
            None => {
                let storage = Box::new(EntityStorage::<M>::default());
                self.add_arena(TypeId::of::<M>(), Arena::new(M::__table(), storage))
            }
        }
    }

    /// Adds an arena. What foreign keys lead to, if it is not a primary key, is indexed as soon as
    /// both ends have one.
    fn add_arena(&mut self, type_id: TypeId, arena: Arena) -> u32 {
        let (at, table) = (self.arenas.len() as u32, arena.table);
        self.arenas.push(arena);
        self.by_type.insert(type_id, at);
        let others = self.arenas.iter().flat_map(|arena| arena.table.foreign_keys());
        let to_it = others.filter(|key| key.target() == table);
        let keys = to_it.chain(table.foreign_keys()).filter(|key| !key.references_primary_key());
        for foreign_key in keys.collect::<Vec<_>>() {
            if let Some(target) = self.find_arena_of(foreign_key.target()) {
                for &column in foreign_key.referenced() {
                    self.arena_at_mut(target).storage.keep_lookup(column);
                }
            }
        }
        at
    }

    /// The arena of a model, if it has objects here.
    pub(crate) fn find_arena<M: Model>(&self) -> Option<u32> {
        self.by_type.get(&TypeId::of::<M>()).copied()
    }

    /// The arena of a table, if it has objects here.
    pub(crate) fn find_arena_of(&self, table: &Table) -> Option<u32> {
        self.by_type.get(&table.type_id()?).copied()
    }

    pub(crate) fn arenas(&self) -> impl Iterator<Item = u32> + use<> {
        0..self.arenas.len() as u32
    }

    pub(crate) fn arena_at(&self, arena: u32) -> &Arena {
        &self.arenas[arena as usize]
    }

    pub(crate) fn arena_at_mut(&mut self, arena: u32) -> &mut Arena {
        &mut self.arenas[arena as usize]
    }

    pub(crate) fn table(&self, object: ObjectId) -> &'static Table {
        self.arena_at(object.arena).table
    }

    pub(crate) fn header(&self, object: ObjectId) -> &Header {
        self.arena_at(object.arena).header(object.slot)
    }

    pub(crate) fn header_mut(&mut self, object: ObjectId) -> &mut Header {
        self.arena_at_mut(object.arena).header_mut(object.slot)
    }

    pub(crate) fn storage(&self, object: ObjectId) -> &dyn Storage {
        &*self.arena_at(object.arena).storage
    }

    pub(crate) fn storage_mut(&mut self, object: ObjectId) -> &mut dyn Storage {
        &mut *self.arena_at_mut(object.arena).storage
    }

    /// The typed storage of a model, if it has objects here.
    pub(crate) fn entities<M: Model>(&self) -> Option<&EntityStorage<M>> {
        self.entities_at(self.find_arena::<M>()?)
    }

    /// The entity of an object that is known to be of this model.
    pub(crate) fn entity<M: Model>(&self, object: ObjectId) -> Option<&Entity<M>> {
        self.entities_at(object.arena)?.get(object.slot)
    }

    fn entities_at<M: Model>(&self, arena: u32) -> Option<&EntityStorage<M>> {
        self.arena_at(arena).storage.as_any().downcast_ref()
    }

    /// The typed storage of a model.
    pub(crate) fn entities_mut<M: Model>(&mut self) -> &mut EntityStorage<M> {
        let arena = self.arena::<M>();
        self.arena_at_mut(arena)
            .storage
            .as_any_mut()
            .downcast_mut()
            .expect("an arena is found by the type of its entities")
    }

    /// The stamp of this store's handles.
    pub(crate) fn session(&self) -> u32 {
        self.session
    }

    /// The untyped handle of an object.
    pub(crate) fn key_of(&self, object: ObjectId) -> Key {
        Key { session: self.session, slot: object.slot, generation: self.header(object).generation }
    }

    /// The handle of an object whose model isn't known statically.
    pub(crate) fn any_handle(&self, object: ObjectId) -> AnyHandle {
        AnyHandle::new(self.table(object), self.key_of(object))
    }

    /// An object's name in messages: as its handle prints.
    pub(crate) fn name_of(&self, object: ObjectId) -> String {
        self.key_of(object).name(self.table(object).model())
    }

    pub(crate) fn handle<M: Model>(&self, object: ObjectId) -> Handle<M> {
        Handle::from_key(self.key_of(object))
    }

    /// The object that a handle names, whatever state it is in.
    pub(crate) fn locate<M: Model>(&self, handle: Handle<M>) -> Result<ObjectId> {
        let key = Handle::to_key(handle);
        let detached = |reason| Error::Detached { model: M::__table().model(), reason };
        if key.session != self.session {
            return Err(detached(self.whose(key)));
        }
        let header = self.find_arena::<M>().and_then(|arena| {
            let header = self.arena_at(arena).header_of(key)?;
            (header.generation == key.generation).then_some((arena, header))
        });
        match header {
            Some((arena, header)) if header.state != State::Vacant => {
                Ok(ObjectId { arena, slot: key.slot })
            }
            _ => Err(detached("its object has left the session")),
        }
    }

    /// The object that a handle names, if it is in the session.
    pub(crate) fn object<M: Model>(&self, handle: Handle<M>) -> Result<ObjectId> {
        let object = self.locate(handle)?;
        let reason = match self.header(object).state {
            State::Pending | State::Persistent => return Ok(object),
            State::Deleted => "its row was deleted by a flush",
            State::Detached => "it was rolled back, deleted or expunged before it was committed",
            State::Vacant => "its object has left the session",
        };
        Err(Error::Detached { model: M::__table().model(), reason })
    }

    /// The object that a handle names, if it is in the session and its memory may be read.
    pub(crate) fn readable<M: Model>(&self, handle: Handle<M>) -> Result<ObjectId> {
        let object = self.object(handle)?;
        self.expect_loaded(object)?;
        Ok(object)
    }

    /// An expired object's memory is neither to be read nor to be edited: its keys may be others
    /// than they were.
    pub(crate) fn expect_loaded(&self, object: ObjectId) -> Result<()> {
        if self.header(object).expired {
            return Err(Error::NotLoaded {
                model: self.table(object).model(),
                field: "*",
                hint: "the object is expired; `session.refresh(handle)`, `get` or a query that meets it loads it again",
            });
        }
        Ok(())
    }

    /// Why a key with another stamp names nothing here.
    fn whose(&self, key: Key) -> &'static str {
        match self.former.contains(&key.session) {
            true => "`expunge_all` took its object out of the session",
            false => "it belongs to another session",
        }
    }

    /// The untyped key as an object of the given arena, if it is in the session.
    pub(crate) fn member(&self, table: &'static Table, key: Key) -> Result<ObjectId> {
        let detached = |reason| Error::Detached { model: table.model(), reason };
        if key.session != self.session {
            return Err(detached(self.whose(key)));
        }
        let arena = self.find_arena_of(table).ok_or(detached("its object has left the session"))?;
        match self.arena_at(arena).header_of(key) {
            Some(header)
                if header.generation == key.generation
                    && matches!(header.state, State::Pending | State::Persistent) =>
            {
                Ok(ObjectId { arena, slot: key.slot })
            }
            _ => Err(detached("its object has left the session")),
        }
    }
}

// ---------------------------------------------------------------- adding, leaving

impl Store {
    /// Adds a pending object.
    pub(crate) fn add_pending<M: Model>(
        &mut self,
        entity: Entity<M>,
        unset: ColumnSet,
    ) -> ObjectId {
        let arena = self.arena::<M>();
        let slot = self.arena_at(arena).next_slot();
        self.entities_mut::<M>().place(slot, entity);
        self.arena_at_mut(arena).occupy(State::Pending);
        let object = ObjectId { arena, slot };
        self.changes_mut(object).unset = unset;
        self.journal.created(object, self.header(object).generation);
        object
    }

    /// The object's changes, begun if there are none.
    pub(crate) fn changes_mut(&mut self, object: ObjectId) -> &mut Changes {
        if self.header(object).changes.is_none() {
            self.touched.push(object);
        }
        self.header_mut(object).changes.get_or_insert_default()
    }

    /// The write barrier: keeps a snapshot before the first mutable access.
    pub(crate) fn touch(&mut self, object: ObjectId) {
        let header = self.header(object);
        if header.changes.as_ref().is_some_and(|changes| changes.snapshot.is_some()) {
            return;
        }
        let snapshot = self.encode_all(object);
        if header.state == State::Persistent {
            let table = self.table(object);
            if table.primary_key().iter().any(|key| *key >= table.base_columns()) {
                self.storage_mut(object).pin_key(object.slot);
            }
            // A mutable access can overwrite relationship fields as well.
            for relationship in self.table(object).relationships() {
                if self.storage(object).relation(object.slot, relationship.index()).is_loaded() {
                    self.keep_view(object, relationship);
                }
            }
        }
        self.changes_mut(object).snapshot = Some(snapshot);
        self.header_mut(object).admitted = false;
    }

    /// Every column as a value.
    pub(crate) fn encode_all(&self, object: ObjectId) -> Box<[Value]> {
        let storage = self.storage(object);
        (0..self.table(object).columns().len())
            .map(|column| storage.encode(object.slot, column))
            .collect()
    }

    /// A column's database value: as it was before unflushed edits.
    pub(crate) fn database_value(&self, object: ObjectId, column: usize) -> Value {
        self.database_value_at(object, column).into_owned()
    }

    /// As [`database_value`](Self::database_value), borrowed from the snapshot if there is one.
    pub(crate) fn database_value_at(&self, object: ObjectId, column: usize) -> Cow<'_, Value> {
        let header = self.header(object);
        match header.changes.as_ref().and_then(|changes| changes.snapshot.as_ref()) {
            Some(snapshot) if header.state != State::Pending => Cow::Borrowed(&snapshot[column]),
            _ => Cow::Owned(self.storage(object).encode(object.slot, column)),
        }
    }

    /// The database values of several columns.
    pub(crate) fn database_values(&self, object: ObjectId, columns: &[usize]) -> Vec<Value> {
        columns.iter().map(|&column| self.database_value(object, column)).collect()
    }

    /// Throws unflushed changes away. Views that they reached are restored by the journal.
    pub(crate) fn discard_changes(&mut self, object: ObjectId) {
        let header = self.header_mut(object);
        header.marked_deleted = false;
        let Some(changes) = header.changes.take() else { return };
        if header.state != State::Persistent {
            return;
        }
        if let Some(snapshot) = changes.snapshot {
            self.write_all(object, &snapshot);
            self.storage_mut(object).unindex(object.slot);
            self.storage_mut(object).index(object.slot);
            self.unload_assigned(object);
        }
    }

    /// Forgets members that were assigned to relationship fields and never became edits.
    fn unload_assigned(&mut self, object: ObjectId) {
        let own_key = self.key_of(object);
        for relation in 0..self.table(object).relationships().len() {
            let field = self.storage_mut(object).relation_mut(object.slot, relation);
            if field.stamp() != Some(own_key) {
                field.unload();
            }
        }
    }

    /// Throws the unflushed changes of objects away, links and queued members included.
    pub(crate) fn discard(&mut self, objects: &[ObjectId]) {
        let discarded: ObjectSet = objects.iter().copied().collect();
        self.forget_links(&discarded);
        for &object in objects {
            self.discard_changes(object);
        }
        self.touched.retain(|object| !discarded.contains(object));
        self.keep_single(objects, &ObjectSet::default());
    }

    /// Forgets the changes of an object that leaves the session.
    pub(super) fn untouch(&mut self, object: ObjectId) {
        if self.header_mut(object).changes.take().is_some() {
            self.touched.retain(|other| *other != object);
        }
    }

    /// Forgets that the object has changes.
    pub(crate) fn forget_changes(&mut self, object: ObjectId) -> Option<Box<Changes>> {
        self.header_mut(object).changes.take()
    }

    /// Takes an object that was never committed, and that no edit of a pair concerns, out of the
    /// session; its value can be taken until the next unit of work ends.
    pub(super) fn set_aside(&mut self, object: ObjectId) {
        self.storage_mut(object).unindex(object.slot);
        self.untouch(object);
        let header = self.header_mut(object);
        header.state = State::Detached;
        header.marked_deleted = false;
        self.leave_batch(object);
        self.detached.push(object);
    }

    /// Frees the slots of objects. Nothing that is known of them may reach the next objects there.
    pub(crate) fn free(&mut self, objects: &[ObjectId]) {
        self.pairs.forget_for_good(&objects.iter().copied().collect());
        for &object in objects {
            self.vacate(object);
        }
    }

    /// As [`free`](Self::free), of an object that no edit of a pair concerns.
    pub(super) fn vacate(&mut self, object: ObjectId) {
        self.untouch(object);
        self.journal.forget(object);
        self.leave_batch(object);
        self.arena_at_mut(object.arena).free(object.slot);
    }

    pub(crate) fn free_detached(&mut self) {
        let mut detached = std::mem::take(&mut self.detached);
        detached.retain(|object| self.header(*object).state == State::Detached);
        self.free(&detached);
    }

    /// Lets every object go at once, and frees their memory.
    pub(crate) fn clear(&mut self) {
        let mut former = std::mem::take(&mut self.former);
        former.push(self.session);
        let info = std::mem::take(&mut self.info);
        let mut emptied = Self { former, info, journal: self.journal.emptied(), ..Self::default() };
        for _ in 0..emptied.savepoints() {
            emptied.pairs.set_savepoint();
        }
        *self = emptied;
    }

    /// Every object in the session.
    pub(crate) fn objects(&self) -> impl Iterator<Item = ObjectId> + '_ {
        self.arenas.iter().enumerate().flat_map(|(at, arena)| {
            arena.slots().map(move |slot| ObjectId { arena: at as u32, slot })
        })
    }
}
