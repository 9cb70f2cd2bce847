//! The models of this area, and what its tests share.

use std::sync::Mutex;

use orm_core::model::HookOperation;
use orm_core::{
    BelongsTo, Error, HasMany, HasOne, HookContext, Hooks, ManyToMany, Model, Result, Schema,
    Session, schema,
};
use orm_tests::Database;

/// A key that the database makes, a secret, a lock, and one relationship of each kind.
#[derive(Debug, Model)]
pub struct Author {
    #[orm(unique, length = 64)]
    pub name: String,
    #[orm(default = 0)]
    pub visits: i64,
    pub nickname: Option<String>,
    #[orm(serialize = "never", default)]
    pub password: String,
    #[orm(server_default = "7")]
    pub rank: i64,
    #[orm(back_populates = author, cascade = "all, delete-orphan")]
    pub books: HasMany<Book>,
    #[orm(back_populates = author)]
    pub desk: HasOne<Desk>,
}

#[derive(Debug, Model)]
pub struct Book {
    pub title: String,
    #[orm(version)]
    pub revision: i32,
    #[orm(foreign_key = Author)]
    pub author_id: i64,
    #[orm(back_populates = books)]
    pub author: BelongsTo<Author>,
    #[orm(secondary = "book_tags", back_populates = books)]
    pub tags: ManyToMany<Tag>,
}

#[derive(Debug, Model)]
pub struct Tag {
    pub name: String,
    #[orm(secondary = "book_tags", back_populates = tags)]
    pub books: ManyToMany<Book>,
}

/// Its author may go and leave it.
#[derive(Debug, Model)]
pub struct Desk {
    pub room: String,
    #[orm(foreign_key = Author)]
    pub author_id: Option<i64>,
    #[orm(back_populates = desk)]
    pub author: BelongsTo<Author>,
}

/// A key of two columns that the user gives.
#[derive(Debug, Model)]
#[orm(base = none, table = "seats")]
pub struct Seat {
    #[orm(primary_key)]
    pub hall: String,
    #[orm(primary_key)]
    pub number: i64,
    pub taken_by: Option<String>,
}

pub(crate) fn library() -> Schema {
    schema![Author, Book, Tag, Desk]
}

/// The tables of the library, with Ada, who has written two books, the first of which is tagged.
pub(crate) async fn committed(db: &Database) -> Result<()> {
    db.create(&library()).await?;
    let mut session = db.session();
    let tag = session.add(Tag::draft().name("math"));
    let ada = session.add(Author::draft().name("ada"));
    let notes = session.add(Book::draft().title("Notes").author(ada));
    session.add(Book::draft().title("Letters").author(ada));
    session.add(Desk::draft().room("attic").author(ada));
    session.link(notes, Book::tags, tag);
    session.commit().await
}

/// What a flush that has nothing to do emits: nothing.
pub(crate) async fn assert_clean(db: &Database, session: &mut Session) -> Result<()> {
    let log = db.log();
    session.flush().await?;
    assert_eq!(log.emitted(), [""; 0], "a second flush has nothing to do");
    Ok(())
}

// ---------------------------------------------------------------- models with hooks

/// Who works: what the hooks of accounts sign changes with.
pub(crate) struct CurrentUser(pub(crate) i64);

/// The account of notes that are given none.
pub(crate) struct DefaultAccount(pub(crate) i64);

/// What the hooks of models were called for, while a session carries one.
#[derive(Default)]
pub(crate) struct Calls(Mutex<Vec<String>>);

impl Calls {
    fn note(context: &HookContext<'_>, name: &str) {
        let Some(calls) = context.info().get::<Self>() else { return };
        let operation = format!("{:?}", context.operation()).to_lowercase();
        let mut call = format!("{operation} {name}");
        if context.operation() == HookOperation::Update {
            call = format!("{call}: {}", context.changed().collect::<Vec<_>>().join(" "));
        }
        calls.0.lock().expect("nobody panics with the lock").push(call);
    }

    /// The calls since the last time.
    pub(crate) fn of(session: &mut Session) -> Vec<String> {
        let calls = session.info().get::<Self>().expect("the session carries it");
        std::mem::take(&mut *calls.0.lock().expect("nobody panics with the lock"))
    }
}

/// A session that remembers what hooks are called for.
pub(crate) fn recorded(db: &Database) -> Session {
    recording(db.session())
}

pub(crate) fn recording(mut session: Session) -> Session {
    session.info_mut().insert(Calls::default());
    session
}

/// An error of the application's own.
#[derive(Debug, PartialEq)]
pub(crate) struct Forbidden(pub(crate) &'static str);

impl std::fmt::Display for Forbidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} is forbidden", self.0)
    }
}

impl std::error::Error for Forbidden {}

/// Its name says what its hooks do with it.
#[derive(Debug, Model)]
#[orm(hooks)]
pub struct Account {
    #[orm(length = 64)]
    pub name: String,
    #[orm(default)]
    pub slug: String,
    #[orm(server_default = "'basic'")]
    pub plan: String,
    pub changed_by: Option<i64>,
    #[orm(skip)]
    pub shout: String,
    #[orm(back_populates = account, cascade = "all, delete-orphan")]
    pub notes: HasMany<Note>,
    #[orm(back_populates = account)]
    pub guests: HasMany<Guest>,
}

impl Hooks for Account {
    fn before_insert(&mut self, context: &HookContext<'_>) -> Result<()> {
        Calls::note(context, &self.name);
        match &*self.name {
            "refused" => return Err(Error::refused(Forbidden("inserting"))),
            "panicking" => panic!("a hook panics"),
            "golden" => self.plan = "gold".to_owned(),
            _ => {}
        }
        self.slug = self.name.to_lowercase();
        Ok(())
    }

    fn before_update(&mut self, context: &HookContext<'_>) -> Result<()> {
        Calls::note(context, &self.name);
        match &*self.name {
            "refused" => return Err(Error::refused(Forbidden("updating"))),
            "unwilling" => self.name = self.slug.clone(),
            _ if context.is_changed(Account::name) => self.slug = self.name.to_lowercase(),
            _ => {}
        }
        if let Some(CurrentUser(user)) = context.info().get() {
            self.changed_by = Some(*user);
        }
        Ok(())
    }

    fn before_delete(&mut self, context: &HookContext<'_>) -> Result<()> {
        Calls::note(context, &self.name);
        match &*self.name {
            "kept" => Err(Error::refused(Forbidden("deleting"))),
            _ => Ok(()),
        }
    }

    fn after_load(&mut self, context: &HookContext<'_>) -> Result<()> {
        Calls::note(context, &self.name);
        match &*self.name {
            "unreadable" => return Err(Error::refused(Forbidden("reading"))),
            "unbearable" => panic!("a hook panics"),
            "old" => self.plan = "upgraded".to_owned(),
            _ => {}
        }
        self.shout = self.name.to_uppercase();
        Ok(())
    }
}

#[derive(Debug, Model)]
#[orm(hooks)]
pub struct Note {
    pub text: String,
    #[orm(version)]
    pub revision: i32,
    #[orm(foreign_key = Account)]
    pub account_id: i64,
    #[orm(back_populates = notes)]
    pub account: BelongsTo<Account>,
}

impl Hooks for Note {
    fn before_insert(&mut self, context: &HookContext<'_>) -> Result<()> {
        Calls::note(context, &self.text);
        if let Some(DefaultAccount(account)) = context.info().get() {
            self.account_id = *account;
        }
        Ok(())
    }
    fn before_update(&mut self, context: &HookContext<'_>) -> Result<()> {
        Calls::note(context, &self.text);
        Ok(())
    }
    fn before_delete(&mut self, context: &HookContext<'_>) -> Result<()> {
        Calls::note(context, &self.text);
        Ok(())
    }
}

/// It stays when its account goes.
#[derive(Debug, Model)]
#[orm(hooks)]
pub struct Guest {
    pub name: String,
    #[orm(foreign_key = Account)]
    pub account_id: Option<i64>,
    #[orm(back_populates = guests)]
    pub account: BelongsTo<Account>,
}

impl Hooks for Guest {
    fn before_update(&mut self, context: &HookContext<'_>) -> Result<()> {
        Calls::note(context, &self.name);
        Ok(())
    }
}

/// A key that the user gives, and may change.
#[derive(Debug, Model)]
#[orm(base = none, table = "shelves")]
pub struct Shelf {
    #[orm(primary_key, length = 8)]
    pub code: String,
    #[orm(back_populates = shelf)]
    pub volumes: HasMany<Volume>,
}

/// The flush gives it the new key.
#[derive(Debug, Model)]
#[orm(table = "volumes", hooks)]
pub struct Volume {
    pub title: String,
    #[orm(foreign_key(Shelf, deferrable))]
    pub shelf_code: String,
    #[orm(via = shelf_code, back_populates = volumes)]
    pub shelf: BelongsTo<Shelf>,
}

impl Hooks for Volume {
    fn before_update(&mut self, context: &HookContext<'_>) -> Result<()> {
        Calls::note(context, &self.title);
        Ok(())
    }
}

pub(crate) fn accounts() -> Schema {
    schema![Account, Note, Guest]
}

/// The tables of accounts, with one of this name and two notes.
pub(crate) async fn committed_account(db: &Database, name: &str) -> Result<()> {
    db.create(&accounts()).await?;
    let mut session = db.session();
    let notes = ["first", "second"].map(|text| Note::draft().text(text));
    session.add(Account::draft().name(name).notes(notes));
    session.commit().await
}
