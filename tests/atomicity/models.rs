//! The models of this area, by the scenarios that they are there for.

use orm_core::{BelongsTo, HasMany, HasOne, ManyToMany, Model};

// ---------------------------------------------------------------- owned, linked, and left alone

#[derive(Model)]
pub struct User {
    #[orm(unique, length = 64)]
    pub name: String,
    #[orm(default = 0)]
    pub visits: i64,
    pub nickname: Option<String>,
    #[orm(back_populates = user, cascade = "all, delete-orphan")]
    pub posts: HasMany<Post>,
    #[orm(back_populates = user, cascade = "all, delete-orphan")]
    pub profile: HasOne<Profile>,
    #[orm(back_populates = user)]
    pub pictures: HasMany<Picture>,
}

#[derive(Model)]
pub struct Profile {
    pub motto: String,
    #[orm(foreign_key = User)]
    pub user_id: i64,
    #[orm(back_populates = profile)]
    pub user: BelongsTo<User>,
}

#[derive(Model)]
pub struct Picture {
    pub file: String,
    #[orm(foreign_key = User)]
    pub user_id: Option<i64>,
    #[orm(back_populates = pictures)]
    pub user: BelongsTo<User>,
}

#[derive(Model)]
pub struct Post {
    pub title: String,
    #[orm(server_default = "7")]
    pub rank: i64,
    #[orm(foreign_key = User)]
    pub user_id: i64,
    #[orm(back_populates = posts)]
    pub user: BelongsTo<User>,
    #[orm(back_populates = post, cascade = "all, delete-orphan")]
    pub comments: HasMany<Comment>,
    #[orm(secondary = PostTag, back_populates = posts)]
    pub tags: ManyToMany<Tag>,
}

#[derive(Model)]
pub struct Comment {
    pub text: String,
    #[orm(foreign_key = Post)]
    pub post_id: i64,
    #[orm(back_populates = comments)]
    pub post: BelongsTo<Post>,
}

#[derive(Model)]
pub struct Tag {
    pub name: String,
    #[orm(secondary = PostTag, back_populates = tags)]
    pub posts: ManyToMany<Post>,
}

#[derive(Model)]
#[orm(table = "post_tags", base = none)]
pub struct PostTag {
    #[orm(primary_key, foreign_key = Post)]
    pub post_id: i64,
    #[orm(primary_key, foreign_key = Tag)]
    pub tag_id: i64,
}

// ---------------------------------------------------------------- trees and circles

#[derive(Model)]
pub struct Folder {
    pub name: String,
    #[orm(foreign_key = Folder)]
    pub parent_id: Option<i64>,
    #[orm(back_populates = children)]
    pub parent: BelongsTo<Folder>,
    #[orm(back_populates = parent, cascade = "all, delete-orphan")]
    pub children: HasMany<Folder>,
}

/// Companies have a chief, who is an employee of a company.
#[derive(Model)]
#[orm(table = "companies")]
pub struct Company {
    pub name: String,
    #[orm(foreign_key = Employee)]
    pub chief_id: Option<i64>,
    pub chief: BelongsTo<Employee>,
    #[orm(back_populates = company, cascade = "all")]
    pub employees: HasMany<Employee>,
}

#[derive(Model)]
pub struct Employee {
    pub name: String,
    #[orm(foreign_key = Company)]
    pub company_id: i64,
    #[orm(back_populates = employees)]
    pub company: BelongsTo<Company>,
}

/// Its cover is always set behind the photos.
#[derive(Model)]
pub struct Album {
    pub title: String,
    #[orm(foreign_key = Photo)]
    pub cover_id: Option<i64>,
    #[orm(post_update)]
    pub cover: BelongsTo<Photo>,
    #[orm(back_populates = album, cascade = "all, delete-orphan")]
    pub photos: HasMany<Photo>,
}

#[derive(Model)]
pub struct Photo {
    pub file: String,
    #[orm(foreign_key = Album)]
    pub album_id: i64,
    #[orm(back_populates = photos)]
    pub album: BelongsTo<Album>,
}

// ---------------------------------------------------------------- keys

#[derive(Model)]
#[orm(base = none, table = "countries")]
pub struct Country {
    #[orm(primary_key)]
    pub code: String,
    pub name: String,
    #[orm(back_populates = country, cascade = "all, delete-orphan")]
    pub harbours: HasMany<Harbour>,
}

#[derive(Model)]
#[orm(base = none)]
pub struct Harbour {
    #[orm(primary_key)]
    pub name: String,
    #[orm(foreign_key = Country)]
    pub country_code: String,
    #[orm(via = country_code, back_populates = harbours)]
    pub country: BelongsTo<Country>,
}

#[derive(Model)]
#[orm(base = none)]
pub struct Seat {
    #[orm(primary_key)]
    pub hall: i64,
    #[orm(primary_key)]
    pub number: String,
    #[orm(server_default = "'plain'")]
    pub comfort: String,
    #[orm(back_populates = seat, cascade = "all, delete-orphan")]
    pub tickets: HasMany<Ticket>,
}

#[derive(Model)]
#[orm(foreign_key(hall => Seat::hall, number => Seat::number))]
pub struct Ticket {
    pub holder: String,
    pub hall: i64,
    pub number: String,
    #[orm(via = (hall, number), back_populates = tickets)]
    pub seat: BelongsTo<Seat>,
}

/// Its key is its person's.
#[derive(Model)]
#[orm(base = none)]
pub struct Passport {
    #[orm(primary_key, foreign_key = Person)]
    pub person_id: i64,
    pub number: String,
    #[orm(back_populates = passport)]
    pub person: BelongsTo<Person>,
}

#[derive(Model)]
#[orm(table = "people")]
pub struct Person {
    pub name: String,
    #[orm(back_populates = person, cascade = "all, delete-orphan")]
    pub passport: HasOne<Passport>,
}

/// Its key is made by the server, in no order.
#[derive(Model)]
#[orm(base = none)]
pub struct Voucher {
    #[orm(primary_key, server_default = "'random'")]
    pub code: String,
    pub worth: i64,
}

/// Referred to by a column that the server fills in.
#[derive(Model)]
pub struct Shop {
    pub name: String,
    #[orm(unique, server_default = "'random'")]
    pub slug: String,
    #[orm(back_populates = shop, cascade = "all, delete-orphan")]
    pub shelves: HasMany<Shelf>,
}

#[derive(Model)]
#[orm(table = "shelves")]
pub struct Shelf {
    pub name: String,
    #[orm(foreign_key = Shop::slug)]
    pub shop_slug: String,
    #[orm(via = shop_slug, back_populates = shelves)]
    pub shop: BelongsTo<Shop>,
}

// ---------------------------------------------------------------- unique values

#[derive(Model)]
pub struct Badge {
    pub label: String,
    #[orm(unique)]
    pub number: Option<i64>,
}

#[derive(Model)]
#[orm(base = none)]
pub struct Locker {
    #[orm(primary_key)]
    pub code: String,
    #[orm(server_default = "'grey'")]
    pub colour: String,
    #[orm(back_populates = locker, cascade = "all, delete-orphan")]
    pub things: HasMany<Thing>,
    #[orm(back_populates = locker, cascade = "all, delete-orphan")]
    pub key: HasOne<Key>,
}

#[derive(Model)]
pub struct Thing {
    pub name: String,
    #[orm(foreign_key = Locker)]
    pub locker_code: String,
    #[orm(via = locker_code, back_populates = things)]
    pub locker: BelongsTo<Locker>,
}

#[derive(Model)]
pub struct Key {
    pub teeth: String,
    #[orm(foreign_key = Locker, unique)]
    pub locker_code: String,
    #[orm(via = locker_code, back_populates = key)]
    pub locker: BelongsTo<Locker>,
}

// ---------------------------------------------------------------- columns

#[derive(Model)]
pub struct Document {
    pub title: String,
    #[orm(version)]
    pub revision: i64,
    #[orm(back_populates = document)]
    pub pages: HasMany<Page>,
}

#[derive(Model)]
pub struct Page {
    pub text: String,
    #[orm(foreign_key = Document)]
    pub document_id: Option<i64>,
    #[orm(back_populates = pages)]
    pub document: BelongsTo<Document>,
}

/// Every way of leaving a column out.
#[derive(Model)]
pub struct Setting {
    pub name: String,
    #[orm(default = 10)]
    pub by_application: i64,
    #[orm(server_default = "20")]
    pub by_server: i64,
    #[orm(server_default = "50")]
    pub nullable_by_server: Option<i64>,
    pub nullable: Option<i64>,
}

#[derive(Model)]
pub struct Counter {
    pub name: String,
    pub left: i64,
    pub right: i64,
}

// ---------------------------------------------------------------- many rows

#[derive(Model)]
pub struct Ledger {
    pub name: String,
    #[orm(back_populates = ledger, cascade = "all, delete-orphan")]
    pub entries: HasMany<Entry>,
}

#[derive(Model)]
#[orm(table = "entries")]
pub struct Entry {
    pub amount: i64,
    #[orm(foreign_key = Ledger)]
    pub ledger_id: i64,
    #[orm(back_populates = entries)]
    pub ledger: BelongsTo<Ledger>,
}
