//! Objects in a session: adding, reading, writing, leaving.

use std::ops::{Index, IndexMut};

use super::draft::DraftLink;
use super::{New, Session};
use crate::error::{Error, Result};
use crate::model::{
    BaseColumns, Column, ColumnDef, ColumnSet, Entity, Handle, Model, RelationshipKind,
};
use crate::query::{Assign, Assigned};
use crate::tracking::{ObjectId, Parent, State};
use crate::value::{ColumnType, Value, ValueCells};

/// Where an object is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ObjectState {
    /// Added, and not flushed yet.
    Pending,
    /// A row of the database.
    Persistent,
    /// To be deleted by the next flush, or deleted by one that is not committed.
    Deleted,
    /// Not in the session any more.
    Detached,
}

// ---------------------------------------------------------------- adding

impl Session {
    /// Adds a new object with everything that its draft was given, which is added along. It can
    /// be read and edited at once; the next flush inserts it.
    ///
    /// # Panics
    /// If the draft was given a handle of another session, or of an object that is gone.
    #[track_caller]
    pub fn add<M: Model>(&mut self, new: impl Into<New<M>>) -> Handle<M> {
        if let Err(error) = self.expect_no_commit() {
            panic!("{error}");
        }
        let New { model, unset, links, .. } = new.into();
        let object = self.insert_pending(model, unset);
        self.put_all(object, links);
        self.store.handle(object)
    }

    /// Puts the members that a draft was given into its relationships.
    #[track_caller]
    pub(super) fn put_all(&mut self, owner: ObjectId, links: Vec<DraftLink>) {
        for DraftLink { relationship, members } in links {
            for member in members {
                let member = member.bring_in(self);
                let put = self.store.put(owner, relationship, member);
                self.note(put);
            }
        }
    }

    /// Adds several objects, in order.
    ///
    /// # Panics
    /// As [`add`](Self::add).
    #[track_caller]
    pub fn add_all<M: Model, I>(&mut self, new: I) -> Vec<Handle<M>>
    where
        I: IntoIterator,
        I::Item: Into<New<M>>,
    {
        new.into_iter().map(|new| self.add(new)).collect()
    }

    pub(super) fn insert_pending<M: Model>(&mut self, model: M, unset: ColumnSet) -> ObjectId {
        self.enter(Entity::pending(model), with_base_columns::<M>(&unset))
    }

    /// Puts an entity into the session as a pending object without these columns.
    pub(super) fn enter<M: Model>(&mut self, entity: Entity<M>, unset: ColumnSet) -> ObjectId {
        let object = self.store.add_pending(entity, unset);
        let key = self.store.key_of(object);
        let mut assigned = false;
        for relationship in M::__table().relationships() {
            let slot = object.slot;
            let field = self.store.storage_mut(object).relation_mut(slot, relationship.index());
            if field.is_loaded() {
                assigned = true;
            } else if relationship.kind() != RelationshipKind::BelongsTo {
                // A new object has no members but those it is given.
                field.load(key, &[]);
            }
        }
        if assigned && let Err(error) = self.store.adopt_fields(object, true) {
            self.mistake.get_or_insert(error);
        }
        object
    }
}

/// The columns that a new row leaves out, given those of the model's own.
pub(super) fn with_base_columns<M: Model>(unset: &ColumnSet) -> ColumnSet {
    let own = unset.iter().map(|column| M::Base::COUNT + column);
    let base = M::__table().columns()[..M::Base::COUNT].iter().enumerate();
    let is_left_out = |column: &ColumnDef| {
        column.is_generated() || !(column.has_default || column.facts.nullable)
    };
    let left_out = base.filter(|(_, column)| is_left_out(column)).map(|(at, _)| at);
    own.chain(left_out).collect()
}

// ---------------------------------------------------------------- reading and writing

impl Session {
    /// The object that a handle names.
    ///
    /// # Errors
    /// [`Error::Detached`] if it is not in this session, [`Error::NotLoaded`] if it is expired,
    /// [`Error::CommitPending`] while the outcome of a COMMIT is not known.
    pub fn try_get<M: Model>(&self, handle: Handle<M>) -> Result<&Entity<M>> {
        self.expect_no_commit()?;
        let object = self.store.readable(handle)?;
        self.store.entity(object).ok_or(Error::Detached {
            model: M::__table().model(),
            reason: "its object has left the session",
        })
    }

    /// The object that a handle names, to be edited. Keeps a snapshot first.
    ///
    /// # Errors
    /// As [`try_get`](Self::try_get).
    pub fn try_get_mut<M: Model>(&mut self, handle: Handle<M>) -> Result<&mut Entity<M>> {
        self.expect_no_commit()?;
        let object = self.store.readable(handle)?;
        self.store.touch(object);
        Ok(self.store.entities_mut::<M>().entity_mut(object.slot))
    }

    /// Two objects at once, to be edited.
    ///
    /// # Panics
    /// If both handles name the same object, or as `session[handle]` does.
    #[track_caller]
    pub fn get_disjoint_mut<M: Model>(&mut self, [a, b]: [Handle<M>; 2]) -> [&mut Entity<M>; 2] {
        let a = self.expect_readable(a);
        let b = self.expect_readable(b);
        self.store.touch(a);
        self.store.touch(b);
        match self.store.entities_mut::<M>().entities_mut(a.slot, b.slot) {
            Some((a, b)) => [a, b],
            None => panic!("`get_disjoint_mut` was given the same object twice"),
        }
    }

    /// Assigns a value, or an SQL expression that the next flush evaluates and reads back. An
    /// assigned column of a pending object counts as given, whatever the value.
    ///
    /// An expression sees the row as it is when the UPDATE runs, not what else is assigned by it.
    /// Until the flush the field shows the row's last known value; the last assignment to a column
    /// wins, be it an expression, a value, or one to the field: `session[post].views = 7`. (The
    /// field's own last known value can't be told from no assignment: `set` it.)
    ///
    /// What can't be assigned (a value that can't be written as JSON, an expression for a row that
    /// doesn't exist yet or for what finds the row) is the error of the next flush, after which only
    /// a rollback goes on.
    ///
    /// ```
    /// # use orm_core::{Engine, Model, SessionFactory, schema};
    /// # #[derive(Model)] struct Post { title: String, #[orm(default = 0)] views: i64 }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::connect("sqlite::memory:").await?;
    /// # engine.create_all(&schema![Post]).await?;
    /// # let mut session = SessionFactory::new(engine).session();
    /// # let post = session.add(Post::draft().title("Notes"));
    /// # session.commit().await?;
    /// session.set(post, Post::views, Post::views + 1);
    /// session.commit().await?;
    /// assert_eq!(session[post].views, 1);
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Panics
    /// As `session[handle]` does.
    #[track_caller]
    pub fn set<M: Model, T: ColumnType, By>(
        &mut self,
        handle: Handle<M>,
        column: Column<M, T>,
        value: impl Assign<M, T, By>,
    ) {
        let object = self.expect_readable(handle);
        let at = column.__index();
        self.store.touch(object);
        match value.__assign().into_assigned() {
            Assigned::Value(mut value) => {
                value.normalize();
                self.assign(object, at, value.encode());
            }
            Assigned::Expression(expression) => {
                if let Err(error) = self.expect_computable(object, at) {
                    self.mistake.get_or_insert(error);
                    return;
                }
                // What is assigned to the field after this differs from the row, and wins.
                self.store.undo_assignment(object, &[at]);
                self.store.changes_mut(object).expressions.push((at, expression));
            }
        }
    }

    /// A column that the database may be left to compute: of a row, and nothing that finds it.
    fn expect_computable(&self, object: ObjectId, column: usize) -> Result<()> {
        let table = self.store.table(object);
        let why = if self.store.header(object).state == State::Pending {
            "before its row exists: flush first"
        } else if table.primary_key().contains(&column) {
            "and is part of the primary key, by which the session finds the row: assign a value"
        } else if table.version() == Some(column) {
            "and is the version, which every UPDATE counts up"
        } else {
            return Ok(());
        };
        let (table, column) = (table.name(), table.columns()[column].name);
        Err(Error::misuse(format!("`{table}.{column}` was assigned an SQL expression {why}")))
    }

    pub(super) fn assign(&mut self, object: ObjectId, column: usize, value: Value) {
        let table = self.store.table(object);
        if table.primary_key().contains(&column) {
            // The identity map knows the row by its key in the database until the flush.
            self.store.storage_mut(object).pin_key(object.slot);
        }
        let written = match &value {
            Value::Refused(reason) => Err(crate::value::ValueError::new(reason.clone())),
            _ => self.store.storage_mut(object).decode_column(
                object.slot,
                column,
                &ValueCells(&[value]),
                0,
            ),
        };
        if let Err(error) = written {
            let name = table.columns()[column].name;
            self.mistake.get_or_insert(Error::at_column(table.name(), name, error));
            return;
        }
        self.count_as_assigned(object, column);
    }

    /// A column that has been written counts as given, and as the last word on it.
    pub(super) fn count_as_assigned(&mut self, object: ObjectId, column: usize) {
        let base_columns = self.store.table(object).base_columns();
        let changes = self.store.changes_mut(object);
        changes.unset.remove(column);
        changes.expressions.retain(|(other, _)| *other != column);
        if column < base_columns {
            changes.assigned_base.insert(column);
        }
    }

    /// The primary key, or `None` for a pending object that has none yet.
    ///
    /// # Panics
    /// If the handle's object is not in this session.
    #[track_caller]
    pub fn key<M: Model>(&self, handle: Handle<M>) -> Option<M::Id> {
        let object = self.expect_object(handle);
        let entity = self.store.entity::<M>(object)?;
        if self.store.header(object).state == State::Pending {
            let is_known = M::__table().primary_key().iter().all(|&column| {
                let is_linked = M::__table().foreign_keys().iter().any(|key| {
                    key.columns().contains(&column)
                        && self.store.parent_of(object, key) == Parent::Nowhere
                });
                !self.store.is_unset(object, column) && !is_linked
            });
            return is_known.then(|| entity.key());
        }
        Some(entity.key())
    }

    /// Where the object is in its life.
    pub fn state<M: Model>(&self, handle: Handle<M>) -> ObjectState {
        let Ok(object) = self.store.locate(handle) else { return ObjectState::Detached };
        let header = self.store.header(object);
        match header.state {
            State::Pending => ObjectState::Pending,
            State::Persistent if header.marked_deleted => ObjectState::Deleted,
            State::Persistent => ObjectState::Persistent,
            State::Deleted => ObjectState::Deleted,
            State::Vacant | State::Detached => ObjectState::Detached,
        }
    }
}

// ---------------------------------------------------------------- checks

impl Session {
    pub(super) fn expect_no_commit(&self) -> Result<()> {
        if self.is_committing() { Err(Error::CommitPending) } else { Ok(()) }
    }

    #[track_caller]
    pub(super) fn expect_object<M: Model>(&self, handle: Handle<M>) -> ObjectId {
        match self.expect_no_commit().and_then(|()| self.store.object(handle)) {
            Ok(object) => object,
            Err(error) => panic!("{error}"),
        }
    }

    #[track_caller]
    pub(super) fn expect_readable<M: Model>(&self, handle: Handle<M>) -> ObjectId {
        match self.expect_no_commit().and_then(|()| self.store.readable(handle)) {
            Ok(object) => object,
            Err(error) => panic!("{error}"),
        }
    }
}

/// # Panics
/// If the object is not in this session, or is expired; [`Session::try_get`] gives the error.
impl<M: Model> Index<Handle<M>> for Session {
    type Output = Entity<M>;
    #[track_caller]
    fn index(&self, handle: Handle<M>) -> &Entity<M> {
        match self.try_get(handle) {
            Ok(entity) => entity,
            Err(error) => panic!("{error}"),
        }
    }
}

/// The write barrier: keeps a snapshot at the first mutable access.
///
/// # Panics
/// If the object is not in this session, or is expired; [`Session::try_get_mut`] gives the error.
impl<M: Model> IndexMut<Handle<M>> for Session {
    #[track_caller]
    fn index_mut(&mut self, handle: Handle<M>) -> &mut Entity<M> {
        match self.try_get_mut(handle) {
            Ok(entity) => entity,
            Err(error) => panic!("{error}"),
        }
    }
}
