//! An audit trail and soft deletion by hooks: what the `hooks` program tells about.

use chrono::{DateTime, Utc};
use orm_core::session::Written;
use orm_core::{
    BelongsTo, Engine, Error, HasMany, HookContext, Hooks, Model, Result, Schema, Session,
    SessionFactory, schema,
};

/// The table `customers`. Its hooks keep its own columns in order.
#[derive(Model)]
#[orm(hooks)]
pub struct Customer {
    /// What they are called.
    pub name: String,
    /// Where to write to, in small letters.
    #[orm(unique)]
    pub email: String,
    /// What nobody is to see, not even in the trail.
    #[orm(serialize = "never")]
    pub password: String,
    /// Since when they count as deleted.
    pub deleted_at: Option<DateTime<Utc>>,

    /// What they have bought.
    #[orm(back_populates = customer, cascade = "all, delete-orphan")]
    pub invoices: HasMany<Invoice>,
}

impl Hooks for Customer {
    fn before_insert(&mut self, _: &HookContext<'_>) -> Result<()> {
        self.email = self.email.to_lowercase();
        match self.email.contains('@') {
            true => Ok(()),
            false => Err(Error::refused("that is no address to write to")),
        }
    }

    fn before_update(&mut self, context: &HookContext<'_>) -> Result<()> {
        match context.is_changed(Customer::email) {
            true => self.before_insert(context),
            false => Ok(()),
        }
    }
}

/// The table `invoices`.
#[derive(Model)]
pub struct Invoice {
    /// How much, in cents.
    pub total: i64,
    /// Since when it counts as deleted.
    pub deleted_at: Option<DateTime<Utc>>,
    /// Whose it is.
    #[orm(foreign_key = Customer)]
    pub customer_id: i64,

    /// Whose it is.
    #[orm(back_populates = invoices)]
    pub customer: BelongsTo<Customer>,
}

/// The table `audit`: a row per object that a flush has written.
#[derive(Model)]
#[orm(table = "audit")]
pub struct AuditEntry {
    /// The user, if the session was told.
    pub who: Option<i64>,
    /// What was done.
    pub operation: Operation,
    /// The model and the key.
    pub object: String,
    /// The old and the new value of every column that changed.
    pub change: serde_json::Value,
}

/// What was done with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, orm_core::Enum)]
#[orm(rename_all = "snake_case")]
pub enum Operation {
    /// It is new.
    Insert,
    /// It was changed.
    Update,
    /// It is gone.
    Delete,
}

// ---------------------------------------------------------------- hooks of sessions

/// Who works: what the application tells each session.
#[derive(Debug)]
pub struct CurrentUser(pub i64);

/// The tables.
pub fn schema() -> Schema {
    schema![Customer, Invoice, AuditEntry]
}

/// Sessions that keep what is deleted, and write down what is changed.
pub fn sessions(engine: Engine) -> SessionFactory {
    SessionFactory::new(engine).before_flush(keep_what_is_deleted).after_flush(write_it_down)
}

/// Turns deletions into dates. It runs before cascades are followed, so an invoice goes with its
/// customer because the hook says so, and if it is loaded: hooks run no statements.
fn keep_what_is_deleted(session: &mut Session) -> Result<()> {
    let now = Some(Utc::now());
    let deleted = session.deleted();
    for customer in deleted.of::<Customer>() {
        session.undelete(customer);
        session.try_get_mut(customer)?.deleted_at = now;
        let invoices = session[customer].invoices.loaded().unwrap_or_default().to_vec();
        for invoice in invoices {
            session.try_get_mut(invoice)?.deleted_at = now;
        }
    }
    for invoice in deleted.of::<Invoice>() {
        session.undelete(invoice);
        session.try_get_mut(invoice)?.deleted_at = now;
    }
    Ok(())
}

/// Adds an entry for every object that a flush has written; the commit flushes them too.
fn write_it_down(session: &mut Session, written: &Written) -> Result<()> {
    let who = session.info().get::<CurrentUser>().map(|user| user.0);
    for (operation, objects) in [
        (Operation::Insert, written.inserted()),
        (Operation::Update, written.updated()),
        (Operation::Delete, written.deleted()),
    ] {
        // Entries about entries would never end.
        for object in objects.iter().filter(|object| !object.is::<AuditEntry>()) {
            let changes = written.changes(session, object)?;
            let key = changes.key().map(ToString::to_string).unwrap_or_default();
            let entry = AuditEntry::draft()
                .who(who)
                .operation(operation)
                .object(format!("{} {key}", object.model()))
                .change(changes.to_json());
            session.add(entry);
        }
    }
    Ok(())
}
