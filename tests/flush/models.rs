//! The models of these tests, by what they are there for.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use orm_core::{
    BaseColumns, BelongsTo, Enum, HasMany, HasOne, Json, ManyToMany, Model, Result, Schema,
};
use orm_tests::Database;
use rust_decimal::Decimal;
use uuid::Uuid;

/// Creates tables whose columns with the default `'random'` get another text in each row instead,
/// which no two databases have the same words for.
pub(crate) async fn with_random_texts(db: &Database, schema: &Schema) -> Result<()> {
    let random = format!("({})", db.capabilities.random_text);
    db.create_edited(schema, |sql| sql.replace("'random'", &random)).await
}

// ---------------------------------------------------------------- tables in a chain, unlinked

#[derive(Model)]
pub struct Region {
    #[orm(unique)]
    pub name: String,
}

#[derive(Model)]
#[orm(table = "cities")]
pub struct City {
    pub name: String,
    #[orm(foreign_key(Region, on_delete = "cascade"))]
    pub region_id: i64,
}

#[derive(Model)]
pub struct Street {
    pub name: String,
    #[orm(foreign_key = City)]
    pub city_id: i64,
}

// ---------------------------------------------------------------- keys made by people

#[derive(Model)]
#[orm(base = none, table = "countries")]
pub struct Country {
    #[orm(primary_key)]
    pub code: String,
    pub name: String,
    #[orm(back_populates = country)]
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

/// Referred to by a column that is not its primary key, and that the server may fill in: see
/// [`with_random_texts`].
#[derive(Model)]
pub struct Shop {
    pub name: String,
    #[orm(unique, server_default = "'random'")]
    pub slug: String,
    #[orm(back_populates = shop)]
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

/// Leads to itself by a key that people make.
#[derive(Model)]
#[orm(base = none)]
pub struct Part {
    #[orm(primary_key)]
    pub code: String,
    #[orm(server_default = "1")]
    pub weight: i64,
    #[orm(foreign_key = Part)]
    pub whole_code: Option<String>,
}

/// A composite key, to which another table refers.
#[derive(Model)]
#[orm(base = none)]
pub struct Seat {
    #[orm(primary_key)]
    pub hall: i64,
    #[orm(primary_key)]
    pub number: String,
    #[orm(server_default = "'plain'")]
    pub comfort: String,
    #[orm(back_populates = seat)]
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

/// A base whose key the application makes.
#[derive(BaseColumns)]
pub struct Identified {
    #[orm(primary_key, default = Uuid::now_v7())]
    pub id: Uuid,
    #[orm(server_default = "7")]
    pub shelf: i64,
}

#[derive(Model)]
#[orm(base = Identified)]
pub struct Parcel {
    pub content: String,
    #[orm(back_populates = parcel)]
    pub stickers: HasMany<Sticker>,
}

#[derive(Model)]
#[orm(base = Identified)]
pub struct Sticker {
    pub text: String,
    #[orm(foreign_key(Parcel, on_update = "cascade"))]
    pub parcel_id: Uuid,
    #[orm(back_populates = stickers)]
    pub parcel: BelongsTo<Parcel>,
}

/// A key that the server makes in no order: see [`with_random_texts`].
#[derive(Model)]
#[orm(base = none)]
pub struct Voucher {
    #[orm(primary_key, server_default = "'random'")]
    pub code: String,
    pub worth: i64,
}

// ---------------------------------------------------------------- keys that change

/// What refers to its key follows it, by the database.
#[derive(Model)]
#[orm(base = none)]
pub struct Land {
    #[orm(primary_key)]
    pub code: String,
    #[orm(back_populates = land)]
    pub towns: HasMany<Town>,
    #[orm(secondary = LandTongue, back_populates = lands)]
    pub tongues: ManyToMany<Tongue>,
}

/// Its key is in part that of its land.
#[derive(Model)]
#[orm(base = none)]
pub struct Town {
    #[orm(primary_key, foreign_key(Land, on_update = "cascade"))]
    pub land_code: String,
    #[orm(primary_key)]
    pub name: String,
    #[orm(default = 0)]
    pub people: i64,
    #[orm(version)]
    pub revision: i64,
    #[orm(via = land_code, back_populates = towns)]
    pub land: BelongsTo<Land>,
    #[orm(back_populates = town)]
    pub squares: HasMany<Square>,
}

#[derive(Model)]
#[orm(foreign_key(land_code => Town::land_code, town_name => Town::name, on_update = "cascade"))]
pub struct Square {
    pub name: String,
    pub land_code: Option<String>,
    pub town_name: Option<String>,
    #[orm(via = (land_code, town_name), back_populates = squares)]
    pub town: BelongsTo<Town>,
}

#[derive(Model)]
pub struct Tongue {
    pub name: String,
    #[orm(secondary = LandTongue, back_populates = tongues)]
    pub lands: ManyToMany<Land>,
}

#[derive(Model)]
#[orm(base = none, table = "land_tongues")]
pub struct LandTongue {
    #[orm(primary_key, foreign_key(Land, on_update = "cascade"))]
    pub land_code: String,
    #[orm(primary_key, foreign_key = Tongue)]
    pub tongue_id: i64,
}

/// Loses its land when that changes its key.
#[derive(Model)]
pub struct Flag {
    #[orm(foreign_key(Land, on_update = "set null"))]
    pub land_code: Option<String>,
    #[orm(via = land_code)]
    pub land: BelongsTo<Land>,
}

/// Follows itself by the database, where that goes back into the same table.
#[derive(Model)]
#[orm(base = none)]
pub struct Rank {
    #[orm(primary_key)]
    pub code: String,
    #[orm(foreign_key(Rank, on_update = "cascade"))]
    pub above_code: Option<String>,
    #[orm(via = above_code, back_populates = below)]
    pub above: BelongsTo<Rank>,
    #[orm(back_populates = above)]
    pub below: HasMany<Rank>,
}

/// What refers to its key follows it, by the flush: the foreign keys are deferrable.
#[derive(Model)]
#[orm(base = none)]
pub struct Guild {
    #[orm(primary_key)]
    pub code: String,
    #[orm(back_populates = guild)]
    pub masters: HasMany<Master>,
}

#[derive(Model)]
#[orm(base = none)]
pub struct Master {
    #[orm(primary_key, foreign_key(Guild, deferrable))]
    pub guild_code: String,
    #[orm(primary_key)]
    pub name: String,
    #[orm(via = guild_code, back_populates = masters)]
    pub guild: BelongsTo<Guild>,
    #[orm(back_populates = master)]
    pub pupils: HasMany<Pupil>,
}

#[derive(Model)]
#[orm(foreign_key(guild_code => Master::guild_code, master_name => Master::name, deferrable))]
pub struct Pupil {
    pub name: String,
    pub guild_code: String,
    pub master_name: String,
    #[orm(via = (guild_code, master_name), back_populates = pupils)]
    pub master: BelongsTo<Master>,
}

// ---------------------------------------------------------------- keys that are foreign keys

#[derive(Model)]
#[orm(table = "people")]
pub struct Person {
    pub name: String,
    #[orm(back_populates = person)]
    pub passport: HasOne<Passport>,
}

#[derive(Model)]
#[orm(base = none)]
pub struct Passport {
    #[orm(primary_key, foreign_key = Person)]
    pub person_id: i64,
    pub number: String,
    #[orm(back_populates = passport)]
    pub person: BelongsTo<Person>,
    #[orm(back_populates = passport)]
    pub visas: HasMany<Visa>,
}

#[derive(Model)]
pub struct Visa {
    pub country: String,
    #[orm(foreign_key = Passport)]
    pub passport_id: i64,
    #[orm(back_populates = visas)]
    pub passport: BelongsTo<Passport>,
}

// ---------------------------------------------------------------- trees and circles

#[derive(Model)]
pub struct Folder {
    pub name: String,
    #[orm(foreign_key = Folder)]
    pub parent_id: Option<i64>,
    #[orm(back_populates = children)]
    pub parent: BelongsTo<Folder>,
    #[orm(back_populates = parent, cascade = "all", lazy = "raise")]
    pub children: HasMany<Folder>,
}

/// Tables in a circle: companies have a chief, who is an employee of a company.
#[derive(Model)]
#[orm(table = "companies")]
pub struct Company {
    pub name: String,
    #[orm(foreign_key = Employee)]
    pub chief_id: Option<i64>,
    pub chief: BelongsTo<Employee>,
    #[orm(back_populates = company)]
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

#[derive(Model)]
pub struct Album {
    pub title: String,
    #[orm(foreign_key = Photo)]
    pub cover_id: Option<i64>,
    #[orm(post_update)]
    pub cover: BelongsTo<Photo>,
}

#[derive(Model)]
pub struct Photo {
    pub file: String,
}

/// Two tables that need each other's keys, neither of which can be NULL.
#[derive(Model)]
pub struct Lock {
    pub name: String,
    #[orm(foreign_key = Key)]
    pub key_id: i64,
    pub key: BelongsTo<Key>,
}

#[derive(Model)]
pub struct Key {
    pub name: String,
    #[orm(foreign_key = Lock)]
    pub lock_id: i64,
    pub lock: BelongsTo<Lock>,
}

/// Two tables whose primary keys are each other's.
#[derive(Model)]
#[orm(base = none)]
pub struct Body {
    #[orm(primary_key, foreign_key = Soul)]
    pub soul_id: i64,
    #[orm(via = soul_id)]
    pub soul: BelongsTo<Soul>,
}

#[derive(Model)]
#[orm(base = none)]
pub struct Soul {
    #[orm(primary_key, foreign_key = Body)]
    pub body_id: i64,
    #[orm(via = body_id)]
    pub body: BelongsTo<Body>,
}

// ---------------------------------------------------------------- many-to-many, collections

#[derive(Model)]
pub struct Article {
    pub title: String,
    #[orm(secondary = ArticleLabel, back_populates = articles)]
    pub labels: ManyToMany<Label>,
    #[orm(back_populates = article, cascade = "all, delete-orphan", lazy = "raise")]
    pub comments: HasMany<Comment>,
    #[orm(back_populates = article, cascade = "all")]
    pub pictures: HasMany<Picture>,
}

#[derive(Model)]
pub struct Label {
    #[orm(unique)]
    pub name: String,
    #[orm(secondary = ArticleLabel, back_populates = labels)]
    pub articles: ManyToMany<Article>,
}

#[derive(Model)]
#[orm(table = "article_labels", base = none)]
pub struct ArticleLabel {
    #[orm(primary_key, foreign_key = Article)]
    pub article_id: i64,
    #[orm(primary_key, foreign_key = Label)]
    pub label_id: i64,
}

#[derive(Model)]
pub struct Comment {
    pub text: String,
    #[orm(foreign_key = Article)]
    pub article_id: i64,
    #[orm(back_populates = comments)]
    pub article: BelongsTo<Article>,
    #[orm(back_populates = comment, cascade = "all")]
    pub votes: HasMany<Vote>,
}

#[derive(Model)]
pub struct Vote {
    #[orm(foreign_key = Comment)]
    pub comment_id: i64,
    #[orm(back_populates = votes)]
    pub comment: BelongsTo<Comment>,
}

#[derive(Model)]
pub struct Picture {
    pub file: String,
    #[orm(foreign_key = Article)]
    pub article_id: Option<i64>,
    #[orm(back_populates = pictures)]
    pub article: BelongsTo<Article>,
}

// ---------------------------------------------------------------- columns

/// Every way of leaving a column out.
#[derive(Model)]
pub struct Setting {
    pub name: String,
    #[orm(default = 10)]
    pub by_application: i64,
    #[orm(server_default = "20")]
    pub by_server: i64,
    #[orm(default = 30, server_default = "31")]
    pub by_both: i64,
    pub nullable: Option<i64>,
    #[orm(default = 40)]
    pub nullable_by_application: Option<i64>,
    #[orm(server_default = "50")]
    pub nullable_by_server: Option<i64>,
}

/// Nothing but what others fill in.
#[derive(Model)]
pub struct Pulse {
    #[orm(server_default = "1")]
    pub strength: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[orm(rename_all = "snake_case")]
pub enum Grade {
    Raw,
    WellDone,
}

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Recipe {
    pub steps: Vec<String>,
    pub minutes: u32,
}

/// Every column type.
#[derive(Model)]
pub struct Specimen {
    pub truth: bool,
    pub tiny: i16,
    pub small: i32,
    pub large: i64,
    pub byte: u8,
    pub word: u16,
    pub double_word: u32,
    pub single: f32,
    pub double: f64,
    pub text: String,
    pub bytes: Vec<u8>,
    pub date: NaiveDate,
    pub time: NaiveTime,
    pub date_time: NaiveDateTime,
    pub instant: DateTime<Utc>,
    pub json: serde_json::Value,
    pub recipe: Json<Recipe>,
    pub words: Vec<String>,
    pub instants: Vec<DateTime<Utc>>,
    pub grade: Grade,
    pub uuid: Uuid,
    #[orm(precision = 12, scale = 4)]
    pub decimal: Decimal,
    pub maybe: Option<String>,
    pub maybe_json: Option<serde_json::Value>,
}

/// What can be changed in place, or by bits alone.
#[derive(Model)]
pub struct Sample {
    pub single: f32,
    pub double: f64,
    pub json: serde_json::Value,
    pub recipe: Json<Recipe>,
    pub words: Vec<String>,
    pub grade: Grade,
    pub decimal: Decimal,
    pub maybe: Option<Vec<i64>>,
}

/// What is calculated with.
#[derive(Model)]
pub struct Counter {
    pub name: String,
    pub left: i64,
    pub right: i64,
    #[orm(default = 0)]
    pub spare: Option<i64>,
}

/// A foreign key to be calculated with.
#[derive(Model)]
pub struct Share {
    #[orm(foreign_key = Counter)]
    pub counter_id: Option<i64>,
    pub counter: BelongsTo<Counter>,
}

/// An optimistic lock.
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

// ---------------------------------------------------------------- random forests

#[derive(Model)]
pub struct Team {
    pub name: String,
    #[orm(foreign_key = Team)]
    pub parent_id: Option<i64>,
    #[orm(foreign_key = Member)]
    pub lead_id: Option<i64>,
    #[orm(back_populates = parts)]
    pub parent: BelongsTo<Team>,
    #[orm(back_populates = parent)]
    pub parts: HasMany<Team>,
    pub lead: BelongsTo<Member>,
    #[orm(back_populates = team)]
    pub members: HasMany<Member>,
}

#[derive(Model)]
pub struct Member {
    pub name: String,
    #[orm(foreign_key = Team)]
    pub team_id: i64,
    #[orm(foreign_key = Member)]
    pub mentor_id: Option<i64>,
    #[orm(back_populates = members)]
    pub team: BelongsTo<Team>,
    pub mentor: BelongsTo<Member>,
    #[orm(back_populates = member)]
    pub tasks: HasMany<Task>,
}

#[derive(Model)]
pub struct Task {
    pub name: String,
    #[orm(foreign_key = Member)]
    pub member_id: Option<i64>,
    #[orm(foreign_key = Team)]
    pub team_id: Option<i64>,
    #[orm(back_populates = tasks)]
    pub member: BelongsTo<Member>,
    pub team: BelongsTo<Team>,
}
