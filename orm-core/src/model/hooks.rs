//! Hooks of a model: code of the user's that runs as objects of it are loaded and written.

use std::any::Any;
use std::fmt;

use super::{AnyHandle, Column, Info, Model, Table};
use crate::error::Result;

/// What runs as a model's objects are loaded, inserted, updated and deleted by a session.
///
/// `#[orm(hooks)]` on the struct says that the model has hooks; those that it doesn't need have
/// nothing to do. Each may change the object's own fields, and what it changes is part of the
/// flush; an error of one that runs before a write stops the flush before any SQL, and leaves
/// everything to be edited and flushed again. One of [`after_load`](Self::after_load) is that of
/// the query.
///
/// ```
/// # use orm_core::{Engine, SessionFactory, schema};
/// use orm_core::{Error, HookContext, Hooks, Model, Result};
///
/// struct CurrentUser(i64);
///
/// #[derive(Model)]
/// #[orm(hooks)]
/// struct Page {
///     title: String,
///     #[orm(default)]
///     slug: String,
///     changed_by: Option<i64>,
/// }
///
/// impl Hooks for Page {
///     fn before_insert(&mut self, context: &HookContext<'_>) -> Result<()> {
///         if self.title.is_empty() {
///             return Err(Error::refused("a page needs a title"));
///         }
///         self.slug = self.title.to_lowercase().replace(' ', "-");
///         self.before_update(context)
///     }
///
///     fn before_update(&mut self, context: &HookContext<'_>) -> Result<()> {
///         self.changed_by = context.info().get::<CurrentUser>().map(|user| user.0);
///         Ok(())
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let engine = Engine::connect("sqlite::memory:").await?;
/// # engine.create_all(&schema![Page]).await?;
/// # let mut session = SessionFactory::new(engine).session();
/// session.info_mut().insert(CurrentUser(7));
/// let page = session.add(Page::draft().title("Hello World"));
/// session.commit().await?;
/// assert_eq!((&*session[page].slug, session[page].changed_by), ("hello-world", Some(7)));
/// # Ok::<(), orm_core::Error>(()) }).unwrap();
/// ```
///
/// # When they run
///
/// In a flush, once per object, after its cascades are known and before anything is planned: what
/// a deleted parent takes along is deleted by then, and what is an orphan. First those of the
/// objects that are inserted and updated, in the order in which they were added or first edited,
/// then those of the deleted ones. A flush that stops before any SQL, by an error of a hook or of
/// the plan, is as if it had not begun but for what hooks have changed, and they run again in the
/// next one: a hook should give the same when it runs twice. `session.plan()` runs none.
///
/// Bulk statements load no objects and run no hooks of models. The concept is SQLAlchemy's mapper
/// events, JPA's entity listeners.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is marked `#[orm(hooks)]` and has no hooks",
    label = "`Hooks` is not implemented",
    note = "write `impl orm_core::Hooks for {Self} {{ … }}`, or remove `hooks`"
)]
pub trait Hooks: Hooked {
    /// Before the object is inserted. A column that the draft left out and that the hook changes
    /// counts as given.
    ///
    /// # Errors
    /// What the hook refuses; the flush stops with it.
    fn before_insert(&mut self, context: &HookContext<'_>) -> Result<()> {
        let _ = context;
        Ok(())
    }

    /// Before the object's row is updated, which is when one of its columns really differs, be it
    /// because a deleted parent lets it go. `on_update` columns and the version come later. A
    /// hook that takes every change back leaves nothing to update.
    ///
    /// # Errors
    /// What the hook refuses; the flush stops with it.
    fn before_update(&mut self, context: &HookContext<'_>) -> Result<()> {
        let _ = context;
        Ok(())
    }

    /// Before the object's row is deleted: by `session.delete`, by a cascade that the session
    /// follows, or as an orphan. What it changes of the object is not written any more. To keep
    /// the row, let a `before_flush` hook of the session take the mark back.
    ///
    /// # Errors
    /// What the hook refuses; the flush stops with it.
    fn before_delete(&mut self, context: &HookContext<'_>) -> Result<()> {
        let _ = context;
        Ok(())
    }

    /// After a row was read into the object: when it is new to the session and when it was
    /// expired or is refreshed; also of queries on an engine.
    ///
    /// Loading makes no object dirty: this is the place to fill `#[orm(skip)]` fields. A column
    /// that is changed here is an edit like any other, and the next flush writes it, since memory
    /// would differ from the row otherwise; so it is with JPA's `@PostLoad`.
    ///
    /// # Errors
    /// What the hook refuses; the query stops with it, and the object doesn't enter the session.
    /// Inside a transaction that, or the innermost savepoint, is lost then, as after any read that
    /// fails: only a rollback goes on.
    fn after_load(&mut self, context: &HookContext<'_>) -> Result<()> {
        let _ = context;
        Ok(())
    }
}

/// A model that is marked `#[orm(hooks)]`, so that its hooks are run. Implemented by the derive.
#[diagnostic::on_unimplemented(
    message = "nothing would run the hooks of `{Self}`",
    label = "not marked `#[orm(hooks)]`",
    note = "add `#[orm(hooks)]` to the struct `{Self}`"
)]
pub trait Hooked: Model {}

/// What a hook of a model is told.
#[derive(Clone, Copy)]
pub struct HookContext<'c> {
    operation: HookOperation,
    object: Option<AnyHandle>,
    table: &'static Table,
    /// The columns that change.
    columns: &'c [usize],
    info: &'c Info,
}

/// What a hook runs for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HookOperation {
    /// `before_insert`.
    Insert,
    /// `before_update`.
    Update,
    /// `before_delete`.
    Delete,
    /// `after_load`.
    Load,
}

impl<'c> HookContext<'c> {
    pub(crate) fn new(
        operation: HookOperation,
        object: Option<AnyHandle>,
        table: &'static Table,
        columns: &'c [usize],
        info: &'c Info,
    ) -> Self {
        Self { operation, object, table, columns, info }
    }

    /// What it runs for: useful to a function that serves several hooks.
    pub fn operation(&self) -> HookOperation {
        self.operation
    }

    /// The object; `None` for a row that a query on an engine gives away.
    pub fn object(&self) -> Option<AnyHandle> {
        self.object
    }

    /// What the application told the session: [`Session::info_mut`](crate::Session::info_mut).
    /// Empty where there is no session.
    pub fn info(&self) -> &'c Info {
        self.info
    }

    /// Whether a column changes: of an update, whether its value differs from the row's, or will;
    /// of an insert, whether it was given a value.
    pub fn is_changed<M: Model, T>(&self, column: Column<M, T>) -> bool {
        self.table == M::__table() && self.columns.contains(&column.__index())
    }

    /// The fields whose columns change, in the order of the table.
    pub fn changed(&self) -> impl Iterator<Item = &'static str> + use<'c> {
        let table = self.table;
        self.columns.iter().map(move |column| table.columns()[*column].field)
    }
}

impl fmt::Debug for HookContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HookContext")
            .field("operation", &self.operation)
            .field("object", &self.object)
            .field("changed", &self.changed().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// The hooks of one model, reachable without knowing the model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ModelHooks {
    run: fn(&mut dyn Any, &HookContext<'_>) -> Result<()>,
}

impl ModelHooks {
    pub(crate) fn of<M: Hooks>() -> Self {
        Self {
            run: |model, context| match model.downcast_mut::<M>() {
                Some(model) => match context.operation {
                    HookOperation::Insert => model.before_insert(context),
                    HookOperation::Update => model.before_update(context),
                    HookOperation::Delete => model.before_delete(context),
                    HookOperation::Load => model.after_load(context),
                },
                None => Ok(()),
            },
        }
    }

    /// Runs the hook of the context's operation on a struct of the model.
    pub(crate) fn run(self, model: &mut dyn Any, context: &HookContext<'_>) -> Result<()> {
        (self.run)(model, context)
    }
}
