//! The session: the unit of work that users hold, and the verbs that run queries.
//!
//! Layer 6. Ties the layers below together and contains as little logic as that takes: objects
//! and edits live in `tracking`, rows come through `load`, writes go through `flush`,
//! transactions are the `Connection`'s.

mod accessors;
mod batches;
mod bulk;
mod changes;
mod columns;
mod criteria;
mod draft;
mod engine_queries;
mod factory;
mod find_or_add;
mod graph;
mod hooks;
mod insert;
mod inspect;
mod joined;
mod leaving;
mod listing;
mod merge;
mod objects;
mod paging;
mod patch;
mod queries;
mod raw;
mod relations;
mod returning;
mod savepoint;
mod streams;
mod target;
mod to_sql;
mod underway;
mod unit_of_work;
mod verbs;
mod view_queries;
mod walk;

pub use accessors::{Collection, Reference, RelatedQuery};
pub use batches::Batches;
pub use changes::{ColumnChange, ObjectChanges};
pub use columns::LoadColumn;
pub use draft::{Draft, Given, Links, Member, New, Partial, Unset, default_for, left_to_server};
pub use engine_queries::OnEngine;
pub use factory::{Lent, Retries, SessionFactory};
pub use graph::{Graph, Members};
pub use hooks::Written;
pub use insert::{Insert, OnConflict, Plain, Updating};
pub use inspect::{Attribute, History, Inspected, MemberHistory, Objects};
pub use merge::{Merge, MergedMember, merge_draft};
pub use objects::ObjectState;
pub use patch::{Patch, Permitted};
pub use returning::{Returning, ReturningColumns};
pub use savepoint::Savepoint;
pub use streams::RowStream;
pub use target::QueryTarget;

pub use crate::flush::{Plan, PlannedOperation, PlannedStep};
pub use crate::sql::Isolation;

use std::sync::Arc;

use crate::driver::{Connection, Engine};
use crate::error::Error;
use crate::query::Criteria;
use crate::tracking::Store;
use hooks::SessionHooks;
use underway::Underway;

/// A unit of work: objects, their edits, and the transaction that will write them.
///
/// Made by a [`SessionFactory`]. A session takes a connection from the pool at its first
/// statement and gives it back at `commit`, `rollback` or when it is dropped. Reads run without a
/// transaction, each statement with a snapshot of its own; the transaction begins with the first
/// write. What is read before it may have changed meanwhile, as at read committed anywhere.
///
/// `session[handle]` reads and writes an object; the first mutable access keeps a snapshot, and a
/// flush writes what differs from it. Dropping a session with unsaved changes rolls back and says
/// so in the log.
///
/// ```
/// # use orm_core::{Engine, Model, SessionFactory, schema};
/// # #[derive(Model)] struct User { name: String }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let engine = Engine::connect("sqlite::memory:").await?;
/// # engine.create_all(&schema![User]).await?;
/// let sessions = SessionFactory::new(engine);
/// let mut session = sessions.session();
/// let ada = session.add(User::draft().name("Ada"));
/// session.commit().await?;
/// session[ada].name = "Augusta Ada".into();
/// session.commit().await?;
/// # Ok::<(), orm_core::Error>(()) }).unwrap();
/// ```
///
/// The concept is SQLAlchemy's `Session`, Hibernate's persistence context.
pub struct Session {
    engine: Engine,
    store: Store,
    connection: Option<Connection>,
    autoflush: bool,
    isolation: Isolation,
    phase: Phase,
    underway: Option<Underway>,
    /// A mistake of a verb that can't return it: the next flush does.
    mistake: Option<Error>,
    hooks: Arc<SessionHooks>,
    /// What every load is restricted to.
    criteria: Arc<Criteria>,
    /// Whether lazy loads are errors.
    strict_loading: bool,
    /// Whether a hook runs, in which the session runs no statements.
    in_hook: bool,
}

/// What the session may do next.
#[derive(Debug)]
enum Phase {
    /// Anything.
    Active,
    /// Nothing but `rollback`.
    Failed {
        /// The message of the first failure.
        first: String,
        /// The savepoint that is lost by it, with those inside it. 0 if the whole transaction is.
        savepoint: usize,
    },
}

impl Session {
    pub(crate) fn new(engine: Engine, autoflush: bool, isolation: Isolation) -> Self {
        Self {
            engine,
            store: Store::default(),
            connection: None,
            autoflush,
            isolation,
            phase: Phase::Active,
            underway: None,
            mistake: None,
            hooks: Arc::default(),
            criteria: Arc::default(),
            strict_loading: false,
            in_hook: false,
        }
    }

    /// Whether queries flush first, which they do unless this turns it off.
    pub fn autoflush(&mut self, on: bool) {
        self.autoflush = on;
    }

    /// Whether lazy loads are errors: see [`SessionFactory::strict_loading`].
    pub fn strict_loading(&mut self, on: bool) {
        self.strict_loading = on;
    }

    /// The engine that the session works on.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("phase", &self.phase)
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let in_transaction = self.connection.as_ref().is_some_and(Connection::in_transaction);
        let writes = in_transaction && (self.store.has_written() || !self.begins_with_reads());
        // What failed was told by an error.
        let is_told = matches!(self.phase, Phase::Failed { .. });
        if !is_told && (writes || self.store.has_changes()) {
            tracing::warn!(target: "orm::session", "a session was dropped with unsaved changes: rolled back");
        }
    }
}
