//! Bulk INSERTs: many new rows by as few statements as they need, of which some may exist already.

use std::fmt;
use std::marker::PhantomData;

use super::objects::with_base_columns;
use super::{New, OnEngine, QueryTarget, Session, SessionFactory};
use crate::error::{Error, Result};
use crate::flush::{self, HooksRun, bulk};
use crate::model::{Column, ColumnSet, Entity, Model, RowLayout, Table};
use crate::query::{Assign, Assigned, ColumnList, Condition, Criteria};
use crate::sql::{ColumnRef, Expr, UpdateExisting};
use crate::tracking::{ObjectId, State, Store};
use crate::value::{ColumnType, Value};

/// Rows that exist already are an error, or left out.
#[derive(Debug)]
pub struct Plain;

/// Rows that exist already are updated.
#[derive(Debug)]
pub struct Updating;

/// An INSERT of many rows of the model `M`, made by `User::insert(…)` of drafts or whole structs.
///
/// It takes as few statements as [`add_all`](Session::add_all) and a flush, and leaves no objects
/// behind unless [`returning`](Self::returning) asks for them. Defaults and the model's
/// `before_insert` hook are those of `add`. Relationships of the drafts are refused: set the foreign
/// keys. Collections in memory that the rows may have entered are unloaded.
///
/// [`on_conflict`](Self::on_conflict) says what becomes of rows that exist already ("upsert").
///
/// ```
/// # use orm_core::{Engine, Model, SessionFactory, schema};
/// # #[derive(Model)] struct User { #[orm(unique, length = 80)] email: String, name: String }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let engine = Engine::connect("sqlite::memory:").await?;
/// # engine.create_all(&schema![User]).await?;
/// # let mut session = SessionFactory::new(engine).session();
/// let drafts = ["ada", "bob"].map(|name| User::draft().email(format!("{name}@x.org")).name(name));
/// let users = User::insert(drafts)
///     .on_conflict(User::email)
///     .update(User::name)
///     .returning()
///     .all(&mut session)
///     .await?;
/// assert_eq!(session[users[1]].name, "bob");
/// # Ok::<(), orm_core::Error>(()) }).unwrap();
/// ```
///
/// The concept is SQLAlchemy's ORM-enabled `insert()` and its `on_conflict_do_update`.
#[must_use = "a statement does nothing until `execute` runs it"]
pub struct Insert<M: Model, Existing = Plain> {
    rows: Vec<New<M>>,
    key: ColumnSet,
    /// What updates a row that exists.
    assignments: Vec<(usize, Expr)>,
    filter: Option<Expr>,
    of: PhantomData<fn() -> Existing>,
}

/// An INSERT that knows by which unique key rows may exist, and not yet what becomes of them.
#[must_use = "say what becomes of rows that exist: `.nothing()`, `.update(…)` or `.update_with(…)`"]
pub struct OnConflict<M: Model>(Insert<M>);

impl<M: Model> Insert<M> {
    #[doc(hidden)]
    pub fn __new<I>(rows: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<New<M>>,
    {
        Self {
            rows: rows.into_iter().map(Into::into).collect(),
            key: ColumnSet::default(),
            assignments: Vec::new(),
            filter: None,
            of: PhantomData,
        }
    }

    /// The unique key by which rows may exist already: a column, or a tuple of columns that are
    /// unique together. A row that collides with another key is an error.
    ///
    /// Every row must give the key a value. Of several rows with one key the first counts where
    /// existing ones are left alone; where they are updated, that is [`Error::Misuse`].
    pub fn on_conflict(mut self, key: impl ColumnList<M>) -> OnConflict<M> {
        key.__insert_into(&mut self.key);
        OnConflict(self)
    }

    fn updating(self) -> Insert<M, Updating> {
        let Self { rows, key, assignments, filter, .. } = self;
        Insert { rows, key, assignments, filter, of: PhantomData }
    }
}

impl<M: Model> OnConflict<M> {
    /// Leaves rows that exist as they are. [`returning`](Insert::returning) gives nothing for those.
    pub fn nothing(self) -> Insert<M> {
        self.0
    }

    /// Gives rows that exist the values of the new ones in these columns. `on_update` columns and
    /// the version are set as by any UPDATE.
    ///
    /// MySQL and MariaDB name no key: a table where another unique key than this one may have a
    /// duplicate is [`Error::Misuse`] there.
    pub fn update(self, columns: impl ColumnList<M>) -> Insert<M, Updating> {
        self.0.updating().update(columns)
    }

    /// Sets a column of rows that exist to a value, or to what an expression makes of the row that
    /// exists and the new one, which is [`excluded`](crate::query::excluded).
    pub fn update_with<T: ColumnType, By>(
        self,
        column: Column<M, T>,
        value: impl Assign<M, T, By>,
    ) -> Insert<M, Updating> {
        self.0.updating().update_with(column, value)
    }
}

impl<M: Model> Insert<M, Updating> {
    /// Gives rows that exist the values of the new ones in these columns too.
    pub fn update(mut self, columns: impl ColumnList<M>) -> Self {
        let mut set = ColumnSet::default();
        columns.__insert_into(&mut set);
        let table = M::__table();
        for column in set.iter() {
            self.assign(column, Expr::Excluded(ColumnRef::scoped(table, column)));
        }
        self
    }

    /// Sets another column of rows that exist. The last assignment to a column counts.
    pub fn update_with<T: ColumnType, By>(
        mut self,
        column: Column<M, T>,
        value: impl Assign<M, T, By>,
    ) -> Self {
        let value = match value.__assign().into_assigned() {
            Assigned::Value(mut value) => {
                value.normalize();
                Expr::bind(value.encode(), T::FACTS.sql_type)
            }
            Assigned::Expression(expr) => expr,
        };
        self.assign(column.__index(), value);
        self
    }

    /// Updates only those of the rows that exist for which this holds; the others are left as they
    /// are, and [`returning`](Insert::returning) gives nothing for them. The condition may be about
    /// the row that exists and, by [`excluded`](crate::query::excluded), the new one.
    ///
    /// MySQL and MariaDB can't do that: [`Error::Misuse`].
    pub fn filter(mut self, condition: Condition<M>) -> Self {
        let condition = condition.into_expr();
        self.filter = Some(match self.filter.take() {
            Some(filter) => filter.and(condition),
            None => condition,
        });
        self
    }

    fn assign(&mut self, column: usize, value: Expr) {
        self.assignments.retain(|(other, _)| *other != column);
        self.assignments.push((column, value));
    }
}

impl<M: Model, Existing> Insert<M, Existing> {
    /// Runs the statements, after a flush, and gives the number of rows that were inserted or
    /// updated. Objects of the session whose rows were updated show that.
    ///
    /// # Errors
    /// Before any SQL: [`Error::Misuse`] if the key of `on_conflict` is none of the table, a row
    /// gives it no value, two rows are to update one, or the database can't do what is asked for;
    /// [`Error::Type`] for a value that its column can't hold. Those of the flush, and the
    /// database's, which roll back as those of a flush do.
    pub async fn execute(self, session: &mut Session) -> Result<u64> {
        Ok(session.insert_rows(self, Wanted::Number).await?.rows)
    }

    /// The same statement without a session, in a transaction of its own.
    pub fn on(self, target: &(impl QueryTarget + ?Sized)) -> OnEngine<'_, Self> {
        OnEngine { query: self, engine: target.__target().engine }
    }

    /// The same, whatever a factory's criteria hide: they don't concern new rows.
    pub(super) fn under(self, _criteria: &Criteria) -> Self {
        self
    }
}

impl<M: Model, Existing> OnEngine<'_, Insert<M, Existing>> {
    /// Runs the statements and commits; gives the number of rows that were inserted or updated.
    ///
    /// # Errors
    /// As [`Insert::execute`], without a flush.
    pub async fn execute(self) -> Result<u64> {
        let mut session = SessionFactory::new(self.engine.clone()).session();
        let rows = self.query.execute(&mut session).await?;
        session.commit().await?;
        Ok(rows)
    }
}

/// What is to be known of the rows of a write.
pub(super) enum Wanted {
    Number,
    Objects,
    /// These columns.
    Columns(Vec<usize>),
}

impl Wanted {
    /// The columns that were asked for.
    fn columns(&self) -> &[usize] {
        match self {
            Wanted::Columns(columns) => columns,
            Wanted::Number | Wanted::Objects => &[],
        }
    }
}

/// What is known of the rows of a write.
#[derive(Default)]
pub(super) struct Written {
    pub(super) rows: u64,
    pub(super) objects: Vec<ObjectId>,
    /// Per row, the columns that were asked for.
    pub(super) values: Vec<Vec<Value>>,
}

impl Session {
    pub(super) async fn insert_rows<M: Model, Existing>(
        &mut self,
        insert: Insert<M, Existing>,
        wanted: Wanted,
    ) -> Result<Written> {
        expect_no_relationships(&insert.rows)?;
        self.ready().await?;
        if insert.rows.is_empty() {
            return Ok(Written::default());
        }
        if insert.key.is_empty() && !matches!(wanted, Wanted::Number) {
            return self.add_rows(insert.rows, wanted).await;
        }
        let table = M::__table();
        let mut write = self.plan_insert(insert)?;
        write.check(self.engine.dialect())?;
        // What is pending becomes rows, which the statement may update.
        self.autoflush_changes().await?;
        let refreshes = write.updates() && bulk::holds(&self.store, table);
        let is_whole = refreshes || matches!(wanted, Wanted::Objects);
        let undeferred = wanted.columns().iter().copied().collect();
        let layout = RowLayout::new(table, 0, &undeferred);
        write.return_columns(match is_whole {
            true => table.selected(&undeferred).collect(),
            false => wanted.columns().to_vec(),
        });
        self.begin().await?;
        let Some(connection) = &mut self.connection else { return Ok(Written::default()) };
        let inserted = match bulk::run_insert(connection, &write).await {
            Ok(inserted) => inserted,
            Err(error) => return self.fail_flush(error).await,
        };
        let known = if is_whole { &inserted.returned[..] } else { &[] };
        let wants_objects = matches!(wanted, Wanted::Objects);
        let settled = bulk::settle_insert(&mut self.store, &write, known, &layout, wants_objects);
        let objects = match settled {
            Ok(objects) => objects,
            Err(error) => return self.fail_flush(error).await,
        };
        let picked = |row: Vec<Value>| match &wanted {
            Wanted::Columns(columns) if is_whole => {
                columns.iter().map(|&column| row[layout.place(column)].clone()).collect()
            }
            _ => row,
        };
        let values = inserted.returned.into_iter().map(picked).collect();
        Ok(Written { rows: inserted.rows, objects, values })
    }

    /// Inserts rows by a flush, which knows how generated keys come back to the right rows.
    async fn add_rows<M: Model>(&mut self, rows: Vec<New<M>>, wanted: Wanted) -> Result<Written> {
        let pending = |new: New<M>| self.insert_pending(new.model, new.unset);
        let objects: Vec<ObjectId> = rows.into_iter().map(pending).collect();
        if let Err(error) = self.flush_changes().await {
            let is_pending = |object: &ObjectId| self.store.header(*object).state == State::Pending;
            let left: Vec<ObjectId> = objects.iter().copied().filter(is_pending).collect();
            self.store.release(&left);
            return Err(error);
        }
        let value = |object: ObjectId, column| self.store.database_value(object, column);
        let values = match &wanted {
            Wanted::Columns(columns) => objects
                .iter()
                .map(|object| columns.iter().map(|&column| value(*object, column)).collect())
                .collect(),
            _ => Vec::new(),
        };
        Ok(Written { rows: objects.len() as u64, objects, values })
    }

    /// The statements of an INSERT: planned as a flush of a store with nothing else in it.
    fn plan_insert<M: Model, Existing>(
        &mut self,
        insert: Insert<M, Existing>,
    ) -> Result<bulk::InsertWrite> {
        let (table, dialect) = (M::__table(), self.engine.dialect());
        let key: Vec<usize> = insert.key.iter().collect();
        let conflict = match (key.is_empty(), insert.assignments.is_empty()) {
            (true, _) => bulk::Conflict::Fail,
            (false, true) => bulk::Conflict::Skip { key },
            (false, false) => {
                let Insert { assignments, filter, .. } = &insert;
                let (assignments, filter) = (assignments.clone(), filter.clone());
                bulk::Conflict::update(table, UpdateExisting { key, assignments, filter })
            }
        };
        let mut scratch = Scratch::of(&mut self.store);
        let store = &mut scratch.store;
        let pending = |new: New<M>| {
            store.add_pending(Entity::pending(new.model), with_base_columns::<M>(&new.unset))
        };
        let objects: Vec<ObjectId> = insert.rows.into_iter().map(pending).collect();
        let cascaded = flush::cascade(store, dialect.capabilities())?;
        let due = flush::due_hooks(store, &cascaded, &mut HooksRun::default())?;
        flush::run_hooks(store, &due)?;
        let batched = flush::plan(store, cascaded, dialect)?;
        bulk::InsertWrite::new(table, batched, &objects, conflict, Vec::new(), dialect)
    }
}

/// A store for rows that never become objects, whose hooks see what the session's own do.
struct Scratch<'s> {
    store: Store,
    of: &'s mut Store,
}

impl<'s> Scratch<'s> {
    fn of(of: &'s mut Store) -> Self {
        let mut store = Store::default();
        std::mem::swap(&mut store.info, &mut of.info);
        Self { store, of }
    }
}

impl Drop for Scratch<'_> {
    fn drop(&mut self) {
        std::mem::swap(&mut self.store.info, &mut self.of.info);
    }
}

/// Fails if a draft, or a whole struct, has members of a relationship.
fn expect_no_relationships<M: Model>(rows: &[New<M>]) -> Result<()> {
    let table: &'static Table = M::__table();
    let of_draft = rows.iter().flat_map(|new| &new.links).map(|link| link.relationship.name());
    let assigned = rows.iter().flat_map(|new| {
        let relationships = table.relationships().iter();
        relationships.filter(|it| new.model.__relation(it.index()).is_loaded()).map(|it| it.name())
    });
    match of_draft.chain(assigned).next() {
        Some(name) => Err(Error::misuse(format!(
            "`{0}::insert` writes rows without relationships, and one was given `{name}`: set the \
             foreign key, or `add` it to a session",
            table.model(),
        ))),
        None => Ok(()),
    }
}

impl<M: Model, Existing> fmt::Debug for Insert<M, Existing> {
    /// Without any value: it may be a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |column: usize| M::__table().columns()[column].name;
        let key: Vec<&str> = self.key.iter().map(name).collect();
        let updates: Vec<&str> = self.assignments.iter().map(|(column, _)| name(*column)).collect();
        f.debug_struct("Insert")
            .field("table", &M::__table().name())
            .field("rows", &self.rows.len())
            .field("on_conflict", &key)
            .field("updates", &updates)
            .finish()
    }
}

impl<M: Model> fmt::Debug for OnConflict<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OnConflict").field(&self.0).finish()
    }
}
