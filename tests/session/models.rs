//! The models of this area, and what its tests share.

use std::panic::{AssertUnwindSafe, catch_unwind};

use orm_core::{BelongsTo, Enum, HasMany, Model, Result, Schema, Session, schema};
use orm_tests::Database;
pub(crate) use orm_tests::{dropped_after, dropped_when};

#[derive(Debug, Model)]
pub struct User {
    #[orm(unique, length = 64)]
    pub username: String,
    #[orm(unique)]
    pub email: String,
    #[orm(default = 0)]
    pub visits: i64,
    #[orm(server_default = "'bronze'")]
    pub level: Level,
    pub nickname: Option<String>,
    #[orm(check = "age >= 0")]
    pub age: Option<i32>,
    #[orm(back_populates = user, cascade = "all, delete-orphan")]
    pub posts: HasMany<Post>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[orm(rename_all = "snake_case")]
pub enum Level {
    Bronze,
    Gold,
}

#[derive(Debug, Model)]
pub struct Post {
    pub title: String,
    #[orm(server_default = "7")]
    pub rank: i64,
    #[orm(foreign_key = User, index)]
    pub user_id: i64,
    #[orm(back_populates = posts)]
    pub user: BelongsTo<User>,
}

/// A key that the user gives.
#[derive(Debug, Model)]
#[orm(base = none, table = "countries")]
pub struct Country {
    #[orm(primary_key)]
    pub code: String,
    pub name: String,
}

/// A key of two columns, one of which leads elsewhere, and another two that are unique together.
#[derive(Debug, Model)]
#[orm(base = none, unique(hall, place))]
pub struct Seat {
    #[orm(primary_key, foreign_key = Country)]
    pub country_code: String,
    #[orm(primary_key)]
    pub number: i64,
    pub hall: String,
    pub place: i64,
}

/// A key that the server gives, in the user's own field.
#[derive(Debug, Model)]
#[orm(base = none)]
pub struct Ticket {
    #[orm(primary_key, autoincrement)]
    pub number: i64,
    pub holder: String,
}

/// No relationship tells the session of the rows that the database changes by itself.
#[derive(Debug, Model)]
#[orm(table = "cities")]
pub struct City {
    pub name: String,
    #[orm(foreign_key(Country, on_delete = "set null"))]
    pub country_code: Option<String>,
}

/// Its members stay when it goes.
#[derive(Debug, Model)]
pub struct Team {
    pub name: String,
    #[orm(back_populates = team)]
    pub players: HasMany<Player>,
}

#[derive(Debug, Model)]
pub struct Player {
    pub name: String,
    #[orm(foreign_key = Team)]
    pub team_id: Option<i64>,
    #[orm(back_populates = players)]
    pub team: BelongsTo<Team>,
}

/// One relationship for each of the cascades that need no row: SEMANTICS 7.9.
#[derive(Debug, Model)]
pub struct Album {
    pub title: String,
    #[orm(back_populates = album, cascade = "save-update, refresh-expire")]
    pub tracks: HasMany<Track>,
    #[orm(back_populates = album, cascade = "save-update, expunge, delete")]
    pub covers: HasMany<Cover>,
    #[orm(back_populates = album)]
    pub reviews: HasMany<Review>,
}

#[derive(Debug, Model)]
pub struct Track {
    pub title: String,
    #[orm(foreign_key = Album)]
    pub album_id: Option<i64>,
    #[orm(back_populates = tracks)]
    pub album: BelongsTo<Album>,
}

#[derive(Debug, Model)]
pub struct Cover {
    pub title: String,
    #[orm(foreign_key = Album)]
    pub album_id: Option<i64>,
    #[orm(back_populates = covers)]
    pub album: BelongsTo<Album>,
}

#[derive(Debug, Model)]
pub struct Review {
    pub title: String,
    #[orm(foreign_key = Album)]
    pub album_id: Option<i64>,
    #[orm(back_populates = reviews)]
    pub album: BelongsTo<Album>,
}

/// Columns of every type that a patch reads, and some that it must not.
#[derive(Debug, Model)]
pub struct Profile {
    #[orm(unique, length = 8)]
    pub nick: String,
    pub age: Option<i32>,
    #[orm(default = 0)]
    pub points: u8,
    #[orm(default = Level::Bronze)]
    pub level: Level,
    #[orm(default)]
    pub flagged: bool,
    pub ratio: Option<f64>,
    pub born: Option<chrono::NaiveDate>,
    pub wakes: Option<chrono::NaiveTime>,
    pub moved: Option<chrono::NaiveDateTime>,
    pub seen: Option<chrono::DateTime<chrono::Utc>>,
    pub tags: Option<Vec<String>>,
    pub notes: Option<serde_json::Value>,
    #[orm(default)]
    pub settings: orm_core::Json<Settings>,
    #[orm(default)]
    pub avatar: Vec<u8>,
    pub budget: Option<rust_decimal::Decimal>,
    pub token: Option<uuid::Uuid>,
    #[orm(default, serialize = "never")]
    pub password: String,
    #[orm(version)]
    pub revision: i64,
    #[orm(foreign_key = Team)]
    pub team_id: Option<i64>,
    pub team: BelongsTo<Team>,
}

#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Settings {
    pub theme: String,
}

/// Keys of one's own on both sides.
#[derive(Debug, Model)]
#[orm(base = none, table = "shelves")]
pub struct Shelf {
    #[orm(primary_key, length = 8)]
    pub code: String,
    #[orm(back_populates = shelf, cascade = "all, delete-orphan")]
    pub books: HasMany<Book>,
}

#[derive(Debug, Model)]
#[orm(base = none)]
pub struct Book {
    #[orm(primary_key)]
    pub isbn: i64,
    pub title: String,
    #[orm(foreign_key = Shelf)]
    pub shelf_code: String,
    #[orm(via = shelf_code, back_populates = books)]
    pub shelf: BelongsTo<Shelf>,
}

/// Each takes the next along, and those before: circles are walked once.
#[derive(Debug, Model)]
pub struct Page {
    pub name: String,
    #[orm(foreign_key = Page)]
    pub next_id: Option<i64>,
    #[orm(via = next_id, back_populates = before, cascade = "all")]
    pub next: BelongsTo<Page>,
    #[orm(back_populates = next, cascade = "all")]
    pub before: HasMany<Page>,
}

// A test creates the tables that it needs: servers take their time for each.

pub(crate) fn user_tables() -> Schema {
    schema![User, Post]
}

pub(crate) fn country_tables() -> Schema {
    schema![Country, Seat, City]
}

pub(crate) fn ticket_tables() -> Schema {
    schema![Ticket]
}

pub(crate) fn team_tables() -> Schema {
    schema![Team, Player]
}

pub(crate) fn album_tables() -> Schema {
    schema![Album, Track, Cover, Review]
}

pub(crate) fn shelf_tables() -> Schema {
    schema![Shelf, Book]
}

pub(crate) fn profile_tables() -> Schema {
    schema![Profile, Team, Player]
}

/// A draft of a user; the address follows from the name.
pub(crate) fn user(name: &str) -> impl Into<orm_core::session::New<User>> + use<> {
    User::draft().username(name).email(format!("{name}@example.org"))
}

/// The tables of users, and users of these names with ids from 1, each committed with two posts, by a
/// session that is gone.
pub(crate) async fn committed(db: &Database, names: &[&str]) -> Result<()> {
    db.create(&user_tables()).await?;
    let mut session = db.session();
    for name in names {
        let user = session.add(user(name));
        for title in ["First", "Second"] {
            session.push(user, User::posts, Post::draft().title(format!("{title} of {name}")));
        }
    }
    session.commit().await
}

/// What another session sees: the usernames, in the order of their keys.
pub(crate) async fn usernames(db: &Database) -> Result<Vec<String>> {
    usernames_in(&mut db.session()).await
}

/// What the session's database has, unflushed changes of the session included.
pub(crate) async fn usernames_in(session: &mut Session) -> Result<Vec<String>> {
    User::select().order_by(User::id.asc()).columns(User::username).all(session).await
}

/// The message of the panic that this ends in.
#[track_caller]
pub(crate) fn panic_message<T>(call: impl FnOnce() -> T) -> String {
    let Err(panic) = catch_unwind(AssertUnwindSafe(call)) else { panic!("it did not panic") };
    match panic.downcast::<String>() {
        Ok(message) => *message,
        Err(panic) => (*panic.downcast::<&str>().expect("a message")).to_owned(),
    }
}
