//! Hooks of a session: what its factory registered to run around flushes and at the end of units
//! of work, and what every hook is told.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use super::changes::ObjectChanges;
use super::{Objects, Session, SessionFactory};
use crate::error::{Error, Result};
use crate::flush::{self, Batched, Cascaded, HooksRun, Outcome};
use crate::model::{AnyHandle, Info};
use crate::tracking::{ObjectId, State};
use crate::value::Value;

type BeforeFlush = dyn Fn(&mut Session) -> Result<()> + Send + Sync;
type AfterFlush = dyn Fn(&mut Session, &Written) -> Result<()> + Send + Sync;
type AtEnd = dyn Fn(&mut Session) + Send + Sync;

/// How often a commit flushes what `after_flush` hooks have changed: as often as SQLAlchemy's.
const MOST_FLUSHES: usize = 100;

/// The hooks of a factory's sessions, in the order in which they were registered.
#[derive(Clone, Default)]
pub(super) struct SessionHooks {
    before_flush: Vec<Arc<BeforeFlush>>,
    after_flush: Vec<Arc<AfterFlush>>,
    after_commit: Vec<Arc<AtEnd>>,
    after_rollback: Vec<Arc<AtEnd>>,
}

impl fmt::Debug for SessionHooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionHooks")
            .field("before_flush", &self.before_flush.len())
            .field("after_flush", &self.after_flush.len())
            .field("after_commit", &self.after_commit.len())
            .field("after_rollback", &self.after_rollback.len())
            .finish()
    }
}

// ---------------------------------------------------------------- registering

/// # Hooks
///
/// Several hooks of a kind run in the order in which they were registered. They are plain
/// functions: they use the verbs of the session that return at once, and a statement in one is
/// [`Error::Misuse`]. Models have [hooks](crate::model::Hooks) of their own.
impl SessionFactory {
    /// Runs a hook before each flush that has something to write, autoflushes included. It may
    /// add, edit and delete objects, and [take deletions back](Session::undelete); all of that is
    /// part of this flush. An error stops the flush before any SQL, and leaves everything to be
    /// edited and flushed again. The hooks run again then, so what they do should be the same
    /// when it is done twice. `session.plan()` doesn't run them.
    ///
    /// Deleted objects that are expired are loaded again before, so that a hook can read and edit
    /// them; one whose row is gone stays expired, which `try_get_mut` tells.
    ///
    /// SQLAlchemy's `before_flush` event.
    ///
    /// ```
    /// # use orm_core::{Engine, Model, SessionFactory, schema};
    /// # #[derive(Model)] struct Note { text: String, #[orm(default = false)] deleted: bool }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::connect("sqlite::memory:").await?;
    /// # engine.create_all(&schema![Note]).await?;
    /// let sessions = SessionFactory::new(engine).before_flush(|session| {
    ///     for note in session.deleted().of::<Note>() {
    ///         session.undelete(note);
    ///         session.try_get_mut(note)?.deleted = true;
    ///     }
    ///     Ok(())
    /// });
    /// # let mut session = sessions.session();
    /// # let note = session.add(Note::draft().text("kept"));
    /// # session.commit().await?;
    /// session.delete(note);
    /// session.commit().await?;
    /// assert!(session[note].deleted);
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    pub fn before_flush(
        self,
        hook: impl Fn(&mut Session) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.with_hook(|hooks| hooks.before_flush.push(Arc::new(hook)))
    }

    /// Runs a hook after each flush that has written something, when keys and defaults are known,
    /// and before the commit. What it adds or edits is written by the next flush; a commit goes
    /// on flushing until nothing is left, at most a hundred times. An error rolls the transaction
    /// back, as that of a statement does.
    ///
    /// SQLAlchemy's `after_flush_postexec` event, with what `after_flush` knows of the changes.
    ///
    /// ```
    /// # use orm_core::{Engine, Model, SessionFactory, schema};
    /// # #[derive(Model)] struct Note { text: String }
    /// #[derive(Model)]
    /// struct Audit {
    ///     what: String,
    ///     change: serde_json::Value,
    /// }
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::connect("sqlite::memory:").await?;
    /// # engine.create_all(&schema![Note, Audit]).await?;
    /// let sessions = SessionFactory::new(engine).after_flush(|session, written| {
    ///     for object in written.iter().filter(|object| !object.is::<Audit>()) {
    ///         let change = written.changes(session, object)?.to_json();
    ///         session.add(Audit::draft().what(object.table()).change(change));
    ///     }
    ///     Ok(())
    /// });
    /// # let mut session = sessions.session();
    /// # session.add(Note::draft().text("kept"));
    /// session.commit().await?;
    /// assert_eq!(Audit::select().count(&mut session).await?, 1);
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    pub fn after_flush(
        self,
        hook: impl Fn(&mut Session, &Written) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.with_hook(|hooks| hooks.after_flush.push(Arc::new(hook)))
    }

    /// Runs a hook after each commit of a session that has succeeded, also of one that had
    /// nothing to write; not after that of a savepoint. Where a future is dropped while its
    /// COMMIT is under way, it runs when the session's next call has awaited the outcome; if the
    /// session is dropped too, it never runs, although the COMMIT is finished. What it edits belongs
    /// to the next unit of work.
    ///
    /// SQLAlchemy's `after_commit` event.
    ///
    /// ```
    /// # use orm_core::{Engine, SessionFactory};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::connect("sqlite::memory:").await?;
    /// struct Mails(Vec<String>);
    ///
    /// let sessions = SessionFactory::new(engine).after_commit(|session| {
    ///     for mail in session.info_mut().remove::<Mails>().into_iter().flat_map(|mails| mails.0) {
    ///         println!("sent: {mail}");
    ///     }
    /// });
    /// # sessions.session().commit().await?;
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    pub fn after_commit(self, hook: impl Fn(&mut Session) + Send + Sync + 'static) -> Self {
        self.with_hook(|hooks| hooks.after_commit.push(Arc::new(hook)))
    }

    /// Runs a hook after each rollback of a session, when memory is what it was: once per unit of
    /// work, however it failed before; not after that of a savepoint. A session that is closed
    /// rolls back; one that is dropped does too, but runs no hooks. What a hook edits belongs to
    /// the next unit of work.
    ///
    /// SQLAlchemy's `after_rollback` event.
    ///
    /// ```
    /// # use orm_core::{Engine, SessionFactory};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::connect("sqlite::memory:").await?;
    /// struct Mails(Vec<String>);
    ///
    /// let sessions = SessionFactory::new(engine).after_rollback(|session| {
    ///     session.info_mut().remove::<Mails>();
    /// });
    /// # sessions.session().rollback().await?;
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    pub fn after_rollback(self, hook: impl Fn(&mut Session) + Send + Sync + 'static) -> Self {
        self.with_hook(|hooks| hooks.after_rollback.push(Arc::new(hook)))
    }

    fn with_hook(mut self, register: impl FnOnce(&mut SessionHooks)) -> Self {
        register(Arc::make_mut(&mut self.hooks));
        self
    }
}

// ---------------------------------------------------------------- what hooks are told

impl Session {
    /// What the application told the session, for its hooks.
    pub fn info(&self) -> &Info {
        &self.store.info
    }

    /// What the application told the session, for its hooks. It outlives commits and rollbacks.
    ///
    /// ```
    /// # use orm_core::{Engine, SessionFactory};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let mut session = SessionFactory::new(Engine::connect("sqlite::memory:").await?).session();
    /// struct CurrentUser(i64);
    ///
    /// session.info_mut().insert(CurrentUser(7));
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    pub fn info_mut(&mut self) -> &mut Info {
        &mut self.store.info
    }
}

/// What a flush has written: what `after_flush` hooks are given.
#[derive(Clone, Debug, Default)]
pub struct Written {
    inserted: Objects,
    updated: Objects,
    deleted: Objects,
    /// The rows of those that were updated or deleted, as they were before.
    before: HashMap<AnyHandle, Box<[Value]>>,
}

impl Written {
    /// The objects that were inserted.
    pub fn inserted(&self) -> &Objects {
        &self.inserted
    }

    /// The objects whose row was updated.
    pub fn updated(&self) -> &Objects {
        &self.updated
    }

    /// The objects whose row was deleted. They have left the session:
    /// [`changes`](Self::changes) tells what they were.
    pub fn deleted(&self) -> &Objects {
        &self.deleted
    }

    /// All of them: inserted, updated, deleted.
    pub fn iter(&self) -> impl Iterator<Item = AnyHandle> + '_ {
        self.inserted.iter().chain(self.updated.iter()).chain(self.deleted.iter())
    }

    /// What the flush has changed of one of the objects: every column of one that was inserted or
    /// deleted, and of an updated one those that differ, `on_update` columns and the version
    /// included. What is `serialize = "never"` is named but never shown.
    ///
    /// # Errors
    /// [`Error::Misuse`] if the flush has not written the object, [`Error::Detached`] if it has
    /// left the session since.
    pub fn changes(
        &self,
        session: &Session,
        object: impl Into<AnyHandle>,
    ) -> Result<ObjectChanges> {
        let handle = object.into();
        let before = self.before.get(&handle);
        if before.is_none() && !self.inserted.contains(handle) {
            return Err(Error::misuse(format!("this flush has not written {handle:?}")));
        }
        let after = match self.deleted.contains(handle) {
            true => None,
            false => Some(session.store.member(handle.description(), handle.key())?),
        };
        let values = (0..handle.description().columns().len()).map(|column| {
            let old = before.map(|values| values[column].clone());
            let new = after.map(|object| session.store.database_value(object, column));
            (old.and_then(Value::if_loaded), new.and_then(Value::if_loaded))
        });
        Ok(ObjectChanges::of_row(handle, values))
    }
}

// ---------------------------------------------------------------- running

impl Session {
    /// Runs the `before_flush` hooks, if there is something to write.
    pub(super) async fn run_before_flush(&mut self) -> Result<()> {
        if self.hooks.before_flush.is_empty() || !self.store.has_changes() {
            return Ok(());
        }
        self.store.adopt_assignments()?;
        let is_marked = |object: &ObjectId| self.store.header(*object).marked_deleted;
        let marked = self.store.touched.iter().copied().filter(is_marked).collect();
        self.load_expired(marked).await?;
        let hooks = Arc::clone(&self.hooks);
        hooks.before_flush.iter().try_for_each(|hook| self.in_hook(|session| hook(session)))
    }

    /// Follows the cascade of a flush to its end and runs the hooks of models on whom it reaches,
    /// until what they changed reaches nobody else.
    pub(super) async fn follow_cascade(&mut self) -> Result<Cascaded> {
        let mut run = HooksRun::default();
        loop {
            self.store.adopt_assignments()?;
            let mut cascaded = flush::cascade(&self.store, self.engine.dialect().capabilities())?;
            if flush::needs_reading(&self.store, &cascaded) {
                self.begin().await?;
                if let Some(connection) = &mut self.connection {
                    let prepared =
                        flush::prepare(connection, &mut self.store, &self.criteria).await;
                    cascaded = self.check(prepared)?;
                }
            }
            let due = flush::due_hooks(&self.store, &cascaded, &mut run)?;
            if due.is_empty() {
                return Ok(cascaded);
            }
            self.load_expired(due.iter().map(|hook| hook.object).collect()).await?;
            self.in_hook(|session| flush::run_hooks(&mut session.store, &due))?;
        }
    }

    /// Loads those of the objects again that are expired: hooks would see memory that is not to be
    /// believed.
    async fn load_expired(&mut self, mut objects: Vec<ObjectId>) -> Result<()> {
        objects.retain(|object| self.store.header(*object).expired);
        if objects.is_empty() {
            return Ok(());
        }
        self.begin().await?;
        if let Some(connection) = &mut self.connection {
            let loaded = flush::load_expired(connection, &mut self.store, &objects).await;
            self.check(loaded)?;
        }
        Ok(())
    }

    /// What a flush has written, for the `after_flush` hooks. Memory must not have settled yet:
    /// it is to be told how rows were.
    pub(super) fn witness(&self, batched: &Batched, outcome: &Outcome) -> Written {
        let mut written = Written::default();
        if self.hooks.after_flush.is_empty() {
            return written;
        }
        let handle = |object: &ObjectId| self.store.any_handle(*object);
        // An object that gave its row to another is gone, and the other is new.
        let gone = batched.switched.iter().map(|(gone, _)| gone);
        let new = batched.switched.iter().map(|(_, new)| new);
        let deleted: Vec<&ObjectId> = outcome.deleted.iter().chain(gone).collect();
        // A row that is new or gone counts as that, whatever UPDATE it needed, and one that was
        // updated twice counts once.
        let mut seen: HashSet<&ObjectId> = deleted.iter().copied().collect();
        let is_row = |object: &&ObjectId| self.store.header(**object).state == State::Persistent;
        let updated = outcome.updated.iter().filter(is_row);
        let updated: Vec<&ObjectId> = updated.filter(|object| seen.insert(object)).collect();
        for &object in deleted.iter().chain(&updated) {
            let columns = 0..self.store.table(*object).columns().len();
            let row = columns.map(|column| self.store.database_value(*object, column));
            written.before.insert(handle(object), row.collect());
        }
        written.inserted = outcome.inserted.iter().chain(new).map(handle).collect();
        written.updated = updated.into_iter().map(handle).collect();
        written.deleted = deleted.into_iter().map(handle).collect();
        written
    }

    /// Runs the `after_flush` hooks.
    pub(super) fn run_after_flush(&mut self, written: &Written) -> Result<()> {
        let hooks = Arc::clone(&self.hooks);
        hooks.after_flush.iter().try_for_each(|hook| self.in_hook(|session| hook(session, written)))
    }

    /// Flushes until `after_flush` hooks leave nothing to be written.
    pub(super) async fn flush_everything(&mut self) -> Result<()> {
        self.flush_changes().await?;
        if self.hooks.after_flush.is_empty() {
            return Ok(());
        }
        let mut flushes = 1;
        while self.store.has_changes() {
            if flushes == MOST_FLUSHES {
                return self
                    .fail_flush(Error::misuse(format!(
                        "after {MOST_FLUSHES} flushes there is still something to write: an \
                         `after_flush` hook adds or edits objects each time it runs"
                    )))
                    .await;
            }
            self.flush_changes().await?;
            flushes += 1;
        }
        Ok(())
    }

    /// Runs the `after_commit` hooks: the unit of work has been committed.
    pub(super) fn run_after_commit(&mut self) {
        let hooks = Arc::clone(&self.hooks);
        hooks.after_commit.iter().for_each(|hook| self.in_hook(|session| hook(session)));
    }

    /// Runs the `after_rollback` hooks: the unit of work has been undone.
    pub(super) fn run_after_rollback(&mut self) {
        let hooks = Arc::clone(&self.hooks);
        hooks.after_rollback.iter().for_each(|hook| self.in_hook(|session| hook(session)));
    }

    /// Runs a hook, in which the session runs no statements. A panic of it passes through.
    fn in_hook<T>(&mut self, hook: impl FnOnce(&mut Self) -> T) -> T {
        self.in_hook = true;
        let outcome = catch_unwind(AssertUnwindSafe(|| hook(self)));
        self.in_hook = false;
        outcome.unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// A hook that blocks on a statement would be in the middle of the call that runs it.
    pub(super) fn expect_no_hook(&self) -> Result<()> {
        match self.in_hook {
            false => Ok(()),
            true => Err(Error::misuse(
                "a hook can't run statements: it runs in the middle of a flush, a commit or a \
                 rollback. Load what it needs before, and let it edit what is loaded",
            )),
        }
    }
}
