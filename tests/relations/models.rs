//! The models that the tests of relationships share: one small group per kind of relationship.

use orm_core::{BelongsTo, HasMany, HasOne, ManyToMany, Model, Schema, schema};

// ---------------------------------------------------------------- owned, with orphans deleted

#[derive(Model)]
pub struct User {
    pub name: String,
    #[orm(back_populates = user, cascade = "all, delete-orphan")]
    pub posts: HasMany<Post>,
}

#[derive(Model)]
pub struct Post {
    pub title: String,
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

// ---------------------------------------------------------------- loosely linked

#[derive(Model)]
pub struct Author {
    pub name: String,
    #[orm(back_populates = author)]
    pub books: HasMany<Book>,
    #[orm(foreign_key = Book::author_id, viewonly, order_by = Book::title.desc())]
    pub shelf: HasMany<Book>,
}

#[derive(Model)]
pub struct Book {
    pub title: String,
    #[orm(foreign_key = Author)]
    pub author_id: Option<i64>,
    #[orm(back_populates = books)]
    pub author: BelongsTo<Author>,
}

#[derive(Model)]
pub struct Club {
    pub name: String,
    #[orm(back_populates = club)]
    pub members: HasMany<Member>,
}

#[derive(Model)]
pub struct Member {
    pub name: String,
    #[orm(foreign_key = Club)]
    pub club_id: i64,
    #[orm(back_populates = members)]
    pub club: BelongsTo<Club>,
}

/// Its tracks go by the database's ON DELETE.
#[derive(Model)]
pub struct Album {
    pub title: String,
    #[orm(back_populates = album, cascade = "all, delete-orphan", passive_deletes)]
    pub tracks: HasMany<Track>,
}

#[derive(Model)]
pub struct Track {
    pub title: String,
    #[orm(foreign_key(Album, on_delete = "cascade"))]
    pub album_id: i64,
    #[orm(back_populates = tracks)]
    pub album: BelongsTo<Album>,
}

/// Its notes are never touched: the database clears their keys.
#[derive(Model)]
pub struct Topic {
    pub title: String,
    #[orm(back_populates = topic, passive_deletes = "all")]
    pub notes: HasMany<Note>,
}

#[derive(Model)]
pub struct Note {
    pub text: String,
    #[orm(foreign_key(Topic, on_delete = "set null"))]
    pub topic_id: Option<i64>,
    #[orm(back_populates = notes)]
    pub topic: BelongsTo<Topic>,
}

/// Its songs' places in it go by the database's ON DELETE.
#[derive(Model)]
pub struct Playlist {
    pub title: String,
    #[orm(secondary = "playlist_songs", back_populates = playlists, passive_deletes)]
    pub songs: ManyToMany<Song>,
}

#[derive(Model)]
pub struct Song {
    pub title: String,
    #[orm(secondary = "playlist_songs", back_populates = songs, passive_deletes = "all")]
    pub playlists: ManyToMany<Playlist>,
}

/// Three levels that the database deletes, without relationships downwards, and what it clears.
#[derive(Model)]
pub struct Estate {
    pub name: String,
}

#[derive(Model)]
pub struct Building {
    pub name: String,
    #[orm(foreign_key(Estate, on_delete = "cascade"))]
    pub estate_id: i64,
}

#[derive(Model)]
pub struct Flat {
    pub name: String,
    #[orm(foreign_key(Building, on_delete = "cascade"))]
    pub building_id: i64,
}

#[derive(Model)]
pub struct Tenant {
    pub name: String,
    #[orm(foreign_key(Flat, on_delete = "set null"))]
    pub flat_id: Option<i64>,
    pub flat: BelongsTo<Flat>,
}

/// Two relationships to the same model.
#[derive(Model)]
pub struct Team {
    pub name: String,
    #[orm(back_populates = home)]
    pub home_games: HasMany<Game>,
    #[orm(back_populates = away)]
    pub away_games: HasMany<Game>,
}

#[derive(Model)]
pub struct Game {
    pub place: String,
    #[orm(foreign_key = Team)]
    pub home_id: i64,
    #[orm(foreign_key = Team)]
    pub away_id: Option<i64>,
    #[orm(back_populates = home_games)]
    pub home: BelongsTo<Team>,
    #[orm(back_populates = away_games)]
    pub away: BelongsTo<Team>,
}

/// Has two delete-orphan parents.
#[derive(Model)]
pub struct Ticket {
    pub seat: String,
    #[orm(foreign_key = Show)]
    pub show_id: Option<i64>,
    #[orm(foreign_key = Guest)]
    pub guest_id: Option<i64>,
    #[orm(back_populates = tickets)]
    pub show: BelongsTo<Show>,
    #[orm(back_populates = tickets)]
    pub guest: BelongsTo<Guest>,
}

#[derive(Model)]
pub struct Show {
    pub title: String,
    #[orm(back_populates = show, cascade = "all, delete-orphan")]
    pub tickets: HasMany<Ticket>,
}

#[derive(Model)]
pub struct Guest {
    pub name: String,
    #[orm(back_populates = guest, cascade = "all, delete-orphan")]
    pub tickets: HasMany<Ticket>,
}

// ---------------------------------------------------------------- one-to-one

#[derive(Model)]
#[orm(table = "countries")]
pub struct Country {
    pub name: String,
    #[orm(back_populates = country)]
    pub capital: HasOne<Capital>,
}

#[derive(Model)]
pub struct Capital {
    pub name: String,
    #[orm(foreign_key = Country)]
    pub country_id: Option<i64>,
    #[orm(back_populates = capital)]
    pub country: BelongsTo<Country>,
}

#[derive(Model)]
#[orm(table = "people")]
pub struct Person {
    pub name: String,
    #[orm(back_populates = person, cascade = "all, delete-orphan")]
    pub passport: HasOne<Passport>,
    #[orm(secondary(Friendship::person_id, Friendship::friend_id), back_populates = friend_of)]
    pub friends: ManyToMany<Person>,
    #[orm(secondary(Friendship::friend_id, Friendship::person_id), back_populates = friends)]
    pub friend_of: ManyToMany<Person>,
}

#[derive(Model)]
pub struct Passport {
    pub number: String,
    #[orm(foreign_key = Person)]
    pub person_id: i64,
    #[orm(back_populates = passport)]
    pub person: BelongsTo<Person>,
}

#[derive(Model)]
#[orm(base = none)]
pub struct Friendship {
    #[orm(primary_key, foreign_key = Person)]
    pub person_id: i64,
    #[orm(primary_key, foreign_key = Person)]
    pub friend_id: i64,
}

/// Owns what it refers to.
#[derive(Model)]
pub struct Car {
    pub plate: String,
    #[orm(foreign_key = Motor)]
    pub motor_id: Option<i64>,
    #[orm(cascade = "all, delete-orphan", single_parent)]
    pub motor: BelongsTo<Motor>,
}

#[derive(Model)]
pub struct Motor {
    pub number: String,
}

// ---------------------------------------------------------------- many-to-many

/// Through a pair table without a struct, which both sides name.
#[derive(Model)]
pub struct Student {
    pub name: String,
    #[orm(secondary = "enrolments", back_populates = students)]
    pub courses: ManyToMany<Course>,
    #[orm(secondary = "mentorships", back_populates = mentored)]
    pub mentors: ManyToMany<Student>,
    #[orm(secondary = "mentorships", back_populates = mentors)]
    pub mentored: ManyToMany<Student>,
}

#[derive(Model)]
pub struct Course {
    pub title: String,
    #[orm(secondary = "enrolments", back_populates = courses)]
    pub students: ManyToMany<Student>,
}

/// Through a model that has a column more.
#[derive(Model)]
pub struct Basket {
    pub owner: String,
    #[orm(secondary = Line)]
    pub products: ManyToMany<Product>,
    #[orm(back_populates = basket, cascade = "all, delete-orphan")]
    pub lines: HasMany<Line>,
}

#[derive(Model)]
pub struct Product {
    pub name: String,
}

#[derive(Model)]
#[orm(base = none)]
pub struct Line {
    #[orm(primary_key, foreign_key = Basket)]
    pub basket_id: i64,
    #[orm(primary_key, foreign_key = Product)]
    pub product_id: i64,
    #[orm(server_default = "1")]
    pub quantity: i64,
    #[orm(back_populates = lines)]
    pub basket: BelongsTo<Basket>,
    pub product: BelongsTo<Product>,
}

/// Its labels belong to it alone.
#[derive(Model)]
#[orm(table = "boxes")]
pub struct Carton {
    pub name: String,
    #[orm(secondary = "box_labels", cascade = "all, delete-orphan", single_parent)]
    pub labels: ManyToMany<Label>,
}

#[derive(Model)]
pub struct Label {
    pub text: String,
}

// ---------------------------------------------------------------- trees, keys

#[derive(Model)]
pub struct Node {
    pub name: String,
    #[orm(foreign_key = Node)]
    pub parent_id: Option<i64>,
    #[orm(back_populates = children)]
    pub parent: BelongsTo<Node>,
    #[orm(back_populates = parent, cascade = "all, delete-orphan")]
    pub children: HasMany<Node>,
}

#[derive(Model)]
#[orm(base = none)]
pub struct Invoice {
    #[orm(primary_key)]
    pub year: i32,
    #[orm(primary_key)]
    pub number: String,
    #[orm(back_populates = invoice)]
    pub items: HasMany<Item>,
}

#[derive(Model)]
#[orm(foreign_key(year => Invoice::year, number => Invoice::number))]
pub struct Item {
    pub what: String,
    pub year: Option<i32>,
    pub number: Option<String>,
    #[orm(via = (year, number), back_populates = items)]
    pub invoice: BelongsTo<Invoice>,
}

/// Referenced by a unique column that is not its primary key.
#[derive(Model)]
#[orm(table = "currencies")]
pub struct Currency {
    #[orm(unique)]
    pub code: String,
    #[orm(back_populates = currency)]
    pub accounts: HasMany<Account>,
}

#[derive(Model)]
pub struct Account {
    pub name: String,
    #[orm(foreign_key = Currency::code)]
    pub currency_code: Option<String>,
    #[orm(via = currency_code, back_populates = accounts)]
    pub currency: BelongsTo<Currency>,
}

// ---------------------------------------------------------------- strategies of the model

/// Loads its racks eagerly, which load it eagerly: a cycle that has to end.
#[derive(Model)]
pub struct Shop {
    pub name: String,
    #[orm(back_populates = shop, lazy = "selectin", order_by = (Rack::place.desc(), Rack::id.asc()))]
    pub racks: HasMany<Rack>,
    #[orm(foreign_key = Rack::shop_id, lazy = "raise", viewonly)]
    pub guarded: HasMany<Rack>,
}

#[derive(Model)]
pub struct Rack {
    pub place: i64,
    #[orm(foreign_key = Shop)]
    pub shop_id: Option<i64>,
    #[orm(back_populates = racks, lazy = "joined")]
    pub shop: BelongsTo<Shop>,
    #[orm(foreign_key = Ware::rack_id, lazy = "write_only")]
    pub wares: HasMany<Ware>,
}

#[derive(Model)]
pub struct Ware {
    pub name: String,
    #[orm(foreign_key = Rack)]
    pub rack_id: Option<i64>,
}

// ---------------------------------------------------------------- the tables of each group
//
// A test creates those that it needs: servers take their time for each.

/// Users, their posts, and what hangs on them.
pub(crate) fn blog_tables() -> Schema {
    schema![User, Post, Comment, Tag, PostTag]
}

/// Authors and their books.
pub(crate) fn book_tables() -> Schema {
    schema![Author, Book]
}

/// Clubs and their members.
pub(crate) fn club_tables() -> Schema {
    schema![Club, Member]
}

/// Albums and their tracks.
pub(crate) fn album_tables() -> Schema {
    schema![Album, Track]
}

/// Topics and their notes.
pub(crate) fn topic_tables() -> Schema {
    schema![Topic, Note]
}

/// Playlists and their songs.
pub(crate) fn playlist_tables() -> Schema {
    schema![Playlist, Song]
}

/// Estates, their buildings, flats and tenants.
pub(crate) fn estate_tables() -> Schema {
    schema![Estate, Building, Flat, Tenant]
}

/// Teams and their games.
pub(crate) fn game_tables() -> Schema {
    schema![Team, Game]
}

/// Shows, guests and their tickets.
pub(crate) fn theatre_tables() -> Schema {
    schema![Ticket, Show, Guest]
}

/// Countries and their capitals.
pub(crate) fn country_tables() -> Schema {
    schema![Country, Capital]
}

/// People, their passports and friends.
pub(crate) fn person_tables() -> Schema {
    schema![Person, Passport, Friendship]
}

/// Cars and their motors.
pub(crate) fn car_tables() -> Schema {
    schema![Car, Motor]
}

/// Students and courses, with the pair tables between them.
pub(crate) fn school_tables() -> Schema {
    schema![Student, Course]
}

/// Baskets, products, and the lines between them.
pub(crate) fn basket_tables() -> Schema {
    schema![Basket, Product, Line]
}

/// Cartons and their labels.
pub(crate) fn carton_tables() -> Schema {
    schema![Carton, Label]
}

/// Trees.
pub(crate) fn node_tables() -> Schema {
    schema![Node]
}

/// Invoices, by keys of two columns, and their items.
pub(crate) fn invoice_tables() -> Schema {
    schema![Invoice, Item]
}

/// Currencies and the accounts in them.
pub(crate) fn account_tables() -> Schema {
    schema![Currency, Account]
}

/// Shops, racks and wares.
pub(crate) fn rack_tables() -> Schema {
    schema![Shop, Rack, Ware]
}
