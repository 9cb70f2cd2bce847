//! `merge`: the state of an object from elsewhere copied onto the session's own.
//!
//! What is merged becomes a tree without types: columns that are set, and members by relationship.
//! Then its keys are looked up together, everything is checked, and only then is anything edited.

use std::collections::HashMap;

use super::draft::DraftLink;
use super::patch::expect_fitting;
use super::{Draft, New, Partial, Session};
use crate::error::{Error, Result, StaleData};
use crate::model::{
    BaseColumns, ColumnSet, Entity, Handle, Key, Link, Model, PrimaryKey, Relationship,
    RelationshipKind, Table,
};
use crate::tracking::{ObjectId, State};
use crate::value::Value;

/// What [`Session::merge`] takes: an [`Entity`] from elsewhere, a draft that sets its own key, or a
/// pair of a key and a draft.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be merged",
    label = "expected an `Entity`, a draft, or a pair of a key and a draft",
    note = "a draft of a model with a base key goes with it: `(7, User::draft().email(\"ada@example.org\"))`"
)]
pub trait Merge<M: Model> {
    #[doc(hidden)]
    fn __into_merged(self, session: &Session) -> MergedMember;
}

/// What a draft without a key beside it is merged as.
#[doc(hidden)]
pub fn merge_draft<M: Model>(draft: impl Draft<M>) -> MergedMember {
    MergedMember::New(Merged::of_partial(draft.__into_partial(), None))
}

impl<M: Model<Id = I>, I: PrimaryKey, D: Draft<M>> Merge<M> for (I, D) {
    fn __into_merged(self, _: &Session) -> MergedMember {
        MergedMember::New(Merged::of_partial(self.1.__into_partial(), Some(self.0)))
    }
}

impl<M: Model> Merge<M> for Entity<M> {
    fn __into_merged(self, session: &Session) -> MergedMember {
        MergedMember::New(Merged::of_entity(self, session))
    }
}

/// An object of the session is itself.
impl<M: Model> Merge<M> for Handle<M> {
    fn __into_merged(self, _: &Session) -> MergedMember {
        MergedMember::Known(M::__table(), Handle::to_key(self))
    }
}

// ---------------------------------------------------------------- what is merged

/// An object to be merged, or one that is in the session.
#[doc(hidden)]
pub enum MergedMember {
    /// In the session.
    Known(&'static Table, Key),
    /// From elsewhere.
    New(Merged),
}

/// The state of an object from elsewhere.
#[doc(hidden)]
pub struct Merged {
    table: &'static Table,
    /// The primary key. Without one the object is new.
    key: Option<Vec<Value>>,
    /// The columns that are set, key and version apart.
    given: Vec<(usize, Value)>,
    version: Option<Value>,
    /// Adds the object without its members, if it is no row yet; or the column that is missing.
    add: Result<Add, usize>,
    links: Vec<(&'static Relationship, Vec<MergedMember>)>,
}

type Add = Box<dyn FnOnce(&mut Session) -> ObjectId + Send + Sync>;

impl Merged {
    /// A finished draft or a whole struct, with its key where that is not one of its columns.
    pub(super) fn of_new<M: Model>(mut new: New<M>, id: Option<M::Id>) -> Self {
        let links = std::mem::take(&mut new.links);
        let columns = new.given.iter().map(|at| (at, new.model.__column(at).encode()));
        let columns = columns.filter_map(|(at, value)| Some((at, value.if_loaded()?)));
        let given = columns.map(|(at, value)| (M::Base::COUNT + at, value)).collect();
        let id = id.map(|id| id.__encode());
        let key = id.clone();
        let add: Add = Box::new(move |session| {
            let object = session.insert_pending(new.model, new.unset);
            for (value, &column) in key.into_iter().flatten().zip(M::__table().primary_key()) {
                session.assign(object, column, value);
            }
            object
        });
        Self::new(M::__table(), id, given, Ok(add), links)
    }

    fn of_partial<M: Model>(partial: Partial<M>, id: Option<M::Id>) -> Self {
        let Partial { given, new } = partial;
        match new {
            Ok(new) => Self::of_new(new, id),
            Err((missing, links)) => {
                let given =
                    given.into_iter().map(|(at, value)| (M::Base::COUNT + at, value)).collect();
                let id = id.map(|id| id.__encode());
                Self::new(M::__table(), id, given, Err(M::Base::COUNT + missing), links)
            }
        }
    }

    fn new(
        table: &'static Table,
        id: Option<Vec<Value>>,
        mut given: Vec<(usize, Value)>,
        add: Result<Add, usize>,
        links: Vec<DraftLink>,
    ) -> Self {
        let own_key = || {
            let value_of = |column: &usize| {
                given.iter().find(|(at, _)| at == column).map(|(_, value)| value.clone())
            };
            table.primary_key().iter().map(value_of).collect::<Option<Vec<Value>>>()
        };
        let key = id.or_else(own_key).filter(|key| is_key(table, key));
        given.retain(|(column, _)| !table.primary_key().contains(column));
        let mut merged = Self { table, key, given, version: None, add, links: Vec::new() };
        for DraftLink { relationship, members } in links {
            let members = members.into_iter().map(|member| member.into_merged());
            match merged.links.iter_mut().find(|(other, _)| std::ptr::eq(*other, relationship)) {
                Some((_, others)) if relationship.kind().is_to_many() => others.extend(members),
                Some((_, others)) => *others = members.collect(),
                None => merged.links.push((relationship, members.collect())),
            }
        }
        merged
    }

    /// An entity with every column that is loaded. Its relationships are those that are loaded and whose members
    /// are in this session: handles of another one lead nowhere here.
    fn of_entity<M: Model>(mut entity: Entity<M>, session: &Session) -> Self {
        let table = M::__table();
        let mut links = Vec::new();
        for relationship in table.relationships() {
            let field = entity.relation_mut(relationship.index());
            let members = field.keys();
            field.unload();
            let target = relationship.target();
            let is_here = |key: &Key| session.store.member(target, *key).is_ok();
            if let Some(members) = members.filter(|members| members.iter().all(is_here)) {
                let known = members.into_iter().map(|key| MergedMember::Known(target, key));
                links.push((relationship, known.collect()));
            }
        }
        if !entity.is_flushed() {
            let mut merged = Self::of_new(New::__from_struct(entity.into_inner()), None);
            merged.links = links;
            return merged;
        }
        let is_maintained = |column: &usize| table.columns()[*column].on_update.is_some();
        let own = M::Base::COUNT..table.columns().len();
        let copied = own.filter(|column| {
            !is_maintained(column)
                && !table.primary_key().contains(column)
                && table.version() != Some(*column)
        });
        // What was never loaded is not set.
        let loaded = |column| Some((column, entity.encode(column).if_loaded()?));
        let given = copied.filter_map(loaded).collect();
        let version = table.version().map(|column| entity.encode(column));
        let key = table.primary_key().iter().map(|column| entity.encode(*column)).collect();
        let add: Add = Box::new(move |session| {
            let generated = |column: &usize| table.columns()[*column].is_generated();
            let columns = 0..table.columns().len();
            let left_out: ColumnSet =
                columns.filter(|column| is_maintained(column) && generated(column)).collect();
            entity.set_flushed(false);
            let object = session.enter(entity, left_out);
            if let Some(version) = table.version() {
                // A row that is inserted starts anew.
                session.assign(object, version, Value::Int(1));
            }
            object
        });
        Self { table, key: Some(key), given, version, add: Ok(add), links }
    }

    /// The keys of all objects in the tree, by table.
    fn keys(&self, keys: &mut Vec<(&'static Table, Vec<Value>)>) {
        keys.extend(self.key.iter().map(|key| (self.table, key.clone())));
        for member in self.members() {
            if let MergedMember::New(member) = member {
                member.keys(keys);
            }
        }
    }

    fn members(&self) -> impl Iterator<Item = &MergedMember> {
        self.links.iter().flat_map(|(_, members)| members)
    }
}

/// Whether the values can be those of a row. A key that is `NULL`, or that the database generates
/// and is zero, has not been given yet.
fn is_key(table: &Table, key: &[Value]) -> bool {
    !key.iter().zip(table.primary_key()).any(|(value, &column)| {
        value.is_null() || table.columns()[column].autoincrement && *value == Value::Int(0)
    })
}

// ---------------------------------------------------------------- merging

impl Session {
    /// Copies the state of an object from elsewhere onto the session's object of the same key, and
    /// gives that one's handle.
    ///
    /// `x` is an [`Entity`] (read without a session, or [taken](Self::take) out of one), whose
    /// columns are all set but for those of its base, which the database maintains, and deferred ones
    /// that are not loaded; a draft that
    /// sets its key; or, where the key is a base column, a pair of a key and a draft. A draft may
    /// leave out what an insertion requires: what is not set stays as it is.
    ///
    /// ```
    /// # use orm_core::{Engine, Model, SessionFactory, schema};
    /// # #[derive(Model)] struct User { name: String, #[orm(default = 0)] visits: i64 }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::connect("sqlite::memory:").await?;
    /// # engine.create_all(&schema![User]).await?;
    /// # let mut session = SessionFactory::new(engine.clone()).session();
    /// # let ada = session.add(User::draft().name("Ada").visits(7));
    /// # session.commit().await?;
    /// let mut detached = User::select().on(&engine).one().await?;
    /// detached.name = "Augusta Ada".into();
    /// let merged = session.merge(detached).await?;
    /// assert_eq!(merged, ada);
    ///
    /// session.merge((1, User::draft().visits(8))).await?;
    /// session.commit().await?;      // one UPDATE of both columns
    /// assert_eq!((session[ada].name.as_str(), session[ada].visits), ("Augusta Ada", 8));
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    ///
    /// The session is flushed first. The object is looked up in the identity map, then by a SELECT:
    /// one per table, whatever the number of objects, which also loads expired members that come or
    /// go. If there is no such row, it is added with that key, if all that an insertion requires is
    /// set; without a key, or with a generated one that is zero, it is new. Merging a handle of this
    /// session is nothing.
    ///
    /// Members that a draft was given are merged too, along relationships that cascade `merge` (as
    /// they do by default): drafts with keys of their own onto their rows, others as new ones. The
    /// collection becomes what was given, by a net difference, and what leaves it follows the rules
    /// of orphans. Relationships that don't cascade `merge` are left alone where the row exists. An
    /// entity's handles belong to where it was loaded; only of relationships that are loaded and
    /// whose members are all in *this* session (it was taken out of it) is anything merged.
    ///
    /// SQLAlchemy's `Session.merge`, JPA's `EntityManager.merge`.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such row and a required column is not set;
    /// [`Error::StaleData`] if the entity's `version` is not the row's; [`Error::Type`] if a column
    /// can't hold its value; [`Error::Detached`] for a member that is not in this session: nothing
    /// has been edited then. The database's, and those of the flush.
    pub async fn merge<M: Model>(&mut self, x: impl Merge<M>) -> Result<Handle<M>> {
        let merged = x.__into_merged(self);
        self.ready().await?;
        let merged = match merged {
            MergedMember::Known(table, key) => {
                let object = self.store.member(table, key)?;
                return Ok(self.store.handle(object));
            }
            MergedMember::New(merged) => merged,
        };
        self.autoflush_changes().await?;
        self.load_merged(&merged).await?;
        self.expect_mergeable(&merged)?;
        let object = self.merge_tree(merged, &mut HashMap::new())?;
        Ok(self.store.handle(object))
    }

    /// Loads the rows of a tree that are not in the session, and expired members whose foreign key
    /// it changes, by one statement per table.
    async fn load_merged(&mut self, merged: &Merged) -> Result<()> {
        let mut keys = Vec::new();
        merged.keys(&mut keys);
        self.expired_members(merged, &mut keys);
        let mut wanted: Vec<(&'static Table, Vec<Vec<Value>>)> = Vec::new();
        for (table, key) in keys {
            let known = self.store.find(table, &key);
            if known.is_some_and(|object| !self.store.header(object).expired)
                || self.pending_with(table, &key).is_some()
            {
                continue;
            }
            match wanted.iter_mut().find(|(other, _)| *other == table) {
                Some((_, keys)) if keys.contains(&key) => {}
                Some((_, keys)) => keys.push(key),
                None => wanted.push((table, vec![key])),
            }
        }
        for (table, keys) in wanted {
            self.load_keys(table, keys.clone(), false).await?;
            for key in keys {
                // One that is still expired has no row any more.
                if let Some(object) = self.store.find(table, &key)
                    && self.store.header(object).expired
                {
                    self.store.release(&[object]);
                }
            }
        }
        Ok(())
    }

    /// Expired objects that a tree puts into collections or takes out of them, by table and key.
    fn expired_members(&self, merged: &Merged, keys: &mut Vec<(&'static Table, Vec<Value>)>) {
        let target = self.merge_target(merged);
        for (relationship, members) in &merged.links {
            let mut concerned = Vec::new();
            for member in members {
                match member {
                    MergedMember::Known(table, key) => {
                        concerned.extend(self.store.member(table, *key));
                    }
                    MergedMember::New(member) => self.expired_members(member, keys),
                }
            }
            let is_in_members = relationship.kind() != RelationshipKind::BelongsTo
                && matches!(relationship.link(), Ok(Link::Direct { .. }));
            if !is_in_members || target.is_some() && !relationship.cascades().merge {
                continue;
            }
            let leaving = target.and_then(|target| self.store.members(target, relationship));
            concerned.extend(leaving.into_iter().flatten());
            let expired = concerned.into_iter().filter(|it| self.store.header(*it).expired);
            keys.extend(expired.map(|object| {
                let table = self.store.table(object);
                (table, self.store.database_values(object, table.primary_key()))
            }));
        }
    }

    /// The session's object of this key: a row, or one that was added with it.
    fn merge_target(&self, merged: &Merged) -> Option<ObjectId> {
        let key = merged.key.as_ref()?;
        self.store.find(merged.table, key).or_else(|| self.pending_with(merged.table, key))
    }

    /// A pending object that was given this key. With autoflush there is none.
    fn pending_with(&self, table: &'static Table, key: &[Value]) -> Option<ObjectId> {
        let has_key = |object: &ObjectId| {
            self.store.header(*object).state == State::Pending
                && self.store.table(*object) == table
                && table.primary_key().iter().zip(key).all(|(&column, value)| {
                    !self.store.is_unset(*object, column)
                        && self.store.storage(*object).encode(object.slot, column) == *value
                })
        };
        self.store.touched.iter().copied().find(has_key)
    }

    /// Whether a whole tree can be merged: asked before anything is edited.
    fn expect_mergeable(&self, merged: &Merged) -> Result<()> {
        let table = merged.table;
        match (self.merge_target(merged), &merged.add) {
            (Some(object), _) => self.expect_version(object, merged)?,
            (None, Ok(_)) => {}
            (None, Err(missing)) => {
                let missing = table.columns()[*missing].field;
                let why = match merged.key {
                    Some(_) => "there is no row with this key, and the draft can't be added",
                    None => "the draft has no key, so that it is new, and can't be added",
                };
                let reason = format!("{why}: `{missing}` is not set");
                return Err(Error::NotFound { table: table.name().into(), reason: reason.into() });
            }
        }
        for (column, value) in &merged.given {
            expect_fitting(table, *column, value, self.engine.dialect())?;
        }
        for member in merged.members() {
            match member {
                MergedMember::Known(table, key) => {
                    self.store.member(table, *key)?;
                }
                MergedMember::New(member) => self.expect_mergeable(member)?,
            }
        }
        Ok(())
    }

    /// What is merged onto a row must have been read from it as it is now.
    fn expect_version(&self, object: ObjectId, merged: &Merged) -> Result<()> {
        let Some((version, column)) = merged.version.as_ref().zip(merged.table.version()) else {
            return Ok(());
        };
        if *version == self.store.database_value(object, column) {
            return Ok(());
        }
        Err(Error::StaleData(Box::new(StaleData {
            table: merged.table.name().to_owned(),
            operation: "merge",
            expected: 1,
            matched: 0,
            objects: vec![self.store.name_of(object)],
            autoflush: false,
        })))
    }

    /// Merges a tree that can be. An object that comes twice is merged twice, onto one.
    fn merge_tree(
        &mut self,
        merged: Merged,
        added: &mut HashMap<(&'static Table, Vec<Value>), ObjectId>,
    ) -> Result<ObjectId> {
        let again = merged.key.as_ref().and_then(|key| added.get(&(merged.table, key.clone())));
        let target = again.copied().or_else(|| self.merge_target(&merged));
        let Merged { table, key, given, add, links, .. } = merged;
        let object = match (target, add) {
            (Some(object), _) => {
                self.assign_all(object, given)?;
                object
            }
            (None, Ok(add)) => {
                let object = add(self);
                added.extend(key.map(|key| ((table, key), object)));
                object
            }
            (None, Err(_)) => {
                return Err(Error::misuse("a draft that is not finished can't be added"));
            }
        };
        for (relationship, members) in links {
            if target.is_some() && !relationship.cascades().merge {
                continue;
            }
            let mut objects = Vec::with_capacity(members.len());
            for member in members {
                objects.push(match member {
                    MergedMember::Known(table, key) => self.store.member(table, key)?,
                    MergedMember::New(member) => self.merge_tree(member, added)?,
                });
            }
            match self.store.replace(object, relationship, objects) {
                Err(error @ Error::NotLoaded { .. }) => return Err(error),
                replaced => self.note(replaced),
            }
        }
        Ok(object)
    }
}
