//! The eleven tables of Chinook, a shop for digital music.
//!
//! Each struct is three things at once: a table of the ready-made databases (singular names,
//! columns in PascalCase; all in snake_case in the PostgreSQL form, which is an option of the
//! engine), an object of the JSON file, and the value that a program works with. The JSON file
//! writes an empty text where the databases have NULL.
#![expect(missing_docs, reason = "the fields are columns of a well-known schema")]

use chrono::NaiveDateTime;
use orm_core::{BelongsTo, HasMany, ManyToMany, Model};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer};

#[derive(Debug, Model, Deserialize)]
#[orm(table = "Artist", base = none, rename_all = "PascalCase")]
#[serde(rename_all = "PascalCase")]
pub struct Artist {
    #[orm(primary_key, autoincrement)]
    pub artist_id: i64,
    #[orm(length = 120)]
    pub name: Option<String>,

    #[orm(back_populates = artist)]
    #[serde(skip)]
    pub albums: HasMany<Album>,
}

#[derive(Debug, Model, Deserialize)]
#[orm(table = "Album", base = none, rename_all = "PascalCase")]
#[serde(rename_all = "PascalCase")]
pub struct Album {
    #[orm(primary_key, autoincrement)]
    pub album_id: i64,
    #[orm(length = 160)]
    pub title: String,
    #[orm(foreign_key = Artist, index)]
    pub artist_id: i64,

    #[orm(back_populates = albums)]
    #[serde(skip)]
    pub artist: BelongsTo<Artist>,
    #[orm(back_populates = album)]
    #[serde(skip)]
    pub tracks: HasMany<Track>,
}

#[derive(Debug, Model, Deserialize)]
#[orm(table = "Genre", base = none, rename_all = "PascalCase")]
#[serde(rename_all = "PascalCase")]
pub struct Genre {
    #[orm(primary_key, autoincrement)]
    pub genre_id: i64,
    #[orm(length = 120)]
    pub name: Option<String>,

    #[orm(back_populates = genre)]
    #[serde(skip)]
    pub tracks: HasMany<Track>,
}

#[derive(Debug, Model, Deserialize)]
#[orm(table = "MediaType", base = none, rename_all = "PascalCase")]
#[serde(rename_all = "PascalCase")]
pub struct MediaType {
    #[orm(primary_key, autoincrement)]
    pub media_type_id: i64,
    #[orm(length = 120)]
    pub name: Option<String>,

    #[orm(back_populates = media_type)]
    #[serde(skip)]
    pub tracks: HasMany<Track>,
}

#[derive(Debug, Model, Deserialize)]
#[orm(table = "Track", base = none, rename_all = "PascalCase")]
#[serde(rename_all = "PascalCase")]
pub struct Track {
    #[orm(primary_key, autoincrement)]
    pub track_id: i64,
    #[orm(length = 200)]
    pub name: String,
    #[orm(foreign_key = Album, index)]
    pub album_id: Option<i64>,
    #[orm(foreign_key = MediaType, index)]
    pub media_type_id: i64,
    #[orm(foreign_key = Genre, index)]
    pub genre_id: Option<i64>,
    #[orm(length = 220)]
    #[serde(deserialize_with = "empty_as_none")]
    pub composer: Option<String>,
    pub milliseconds: i64,
    pub bytes: Option<i64>,
    #[orm(precision = 10, scale = 2)]
    pub unit_price: Decimal,

    #[orm(back_populates = tracks)]
    #[serde(skip)]
    pub album: BelongsTo<Album>,
    #[orm(back_populates = tracks)]
    #[serde(skip)]
    pub media_type: BelongsTo<MediaType>,
    #[orm(back_populates = tracks)]
    #[serde(skip)]
    pub genre: BelongsTo<Genre>,
    #[orm(back_populates = track)]
    #[serde(skip)]
    pub invoice_lines: HasMany<InvoiceLine>,
    #[orm(secondary = PlaylistTrack, back_populates = tracks)]
    #[serde(skip)]
    pub playlists: ManyToMany<Playlist>,
}

#[derive(Debug, Model, Deserialize)]
#[orm(table = "Playlist", base = none, rename_all = "PascalCase")]
#[serde(rename_all = "PascalCase")]
pub struct Playlist {
    #[orm(primary_key, autoincrement)]
    pub playlist_id: i64,
    #[orm(length = 120)]
    pub name: Option<String>,

    #[orm(secondary = PlaylistTrack, back_populates = playlists)]
    #[serde(skip)]
    pub tracks: ManyToMany<Track>,
}

/// Which track is in which playlist. The pairs are seldom looked at as objects of their own: they
/// are what `Playlist::tracks` and `Track::playlists` are made of.
#[derive(Debug, Model, Deserialize)]
#[orm(table = "PlaylistTrack", base = none, rename_all = "PascalCase")]
#[serde(rename_all = "PascalCase")]
pub struct PlaylistTrack {
    #[orm(primary_key, foreign_key = Playlist)]
    pub playlist_id: i64,
    #[orm(primary_key, foreign_key = Track, index)]
    pub track_id: i64,
}

/// An employee reports to another one, but for the general manager.
#[derive(Debug, Model, Deserialize)]
#[orm(table = "Employee", base = none, rename_all = "PascalCase")]
#[serde(rename_all = "PascalCase")]
pub struct Employee {
    #[orm(primary_key, autoincrement)]
    pub employee_id: i64,
    #[orm(length = 20)]
    pub last_name: String,
    #[orm(length = 20)]
    pub first_name: String,
    #[orm(length = 30)]
    pub title: Option<String>,
    #[orm(foreign_key = Employee, index)]
    pub reports_to: Option<i64>,
    pub birth_date: Option<NaiveDateTime>,
    pub hire_date: Option<NaiveDateTime>,
    #[orm(length = 70)]
    pub address: Option<String>,
    #[orm(length = 40)]
    pub city: Option<String>,
    #[orm(length = 40)]
    pub state: Option<String>,
    #[orm(length = 40)]
    pub country: Option<String>,
    #[orm(length = 10)]
    pub postal_code: Option<String>,
    #[orm(length = 24)]
    pub phone: Option<String>,
    #[orm(length = 24)]
    pub fax: Option<String>,
    #[orm(length = 60)]
    pub email: Option<String>,

    #[orm(via = reports_to, back_populates = reports)]
    #[serde(skip)]
    pub manager: BelongsTo<Employee>,
    #[orm(back_populates = manager)]
    #[serde(skip)]
    pub reports: HasMany<Employee>,
    #[orm(back_populates = support_rep)]
    #[serde(skip)]
    pub customers: HasMany<Customer>,
}

#[derive(Debug, Model, Deserialize)]
#[orm(table = "Customer", base = none, rename_all = "PascalCase")]
#[serde(rename_all = "PascalCase")]
pub struct Customer {
    #[orm(primary_key, autoincrement)]
    pub customer_id: i64,
    #[orm(length = 40)]
    pub first_name: String,
    #[orm(length = 20)]
    pub last_name: String,
    #[orm(length = 80)]
    #[serde(deserialize_with = "empty_as_none")]
    pub company: Option<String>,
    #[orm(length = 70)]
    pub address: Option<String>,
    #[orm(length = 40)]
    pub city: Option<String>,
    #[orm(length = 40)]
    #[serde(deserialize_with = "empty_as_none")]
    pub state: Option<String>,
    #[orm(length = 40)]
    pub country: Option<String>,
    #[orm(length = 10)]
    #[serde(deserialize_with = "empty_as_none")]
    pub postal_code: Option<String>,
    #[orm(length = 24)]
    #[serde(deserialize_with = "empty_as_none")]
    pub phone: Option<String>,
    #[orm(length = 24)]
    #[serde(deserialize_with = "empty_as_none")]
    pub fax: Option<String>,
    #[orm(length = 60)]
    pub email: String,
    #[orm(foreign_key = Employee, index)]
    pub support_rep_id: Option<i64>,

    #[orm(back_populates = customers)]
    #[serde(skip)]
    pub support_rep: BelongsTo<Employee>,
    #[orm(back_populates = customer)]
    #[serde(skip)]
    pub invoices: HasMany<Invoice>,
}

#[derive(Debug, Model, Deserialize)]
#[orm(table = "Invoice", base = none, rename_all = "PascalCase")]
#[serde(rename_all = "PascalCase")]
pub struct Invoice {
    #[orm(primary_key, autoincrement)]
    pub invoice_id: i64,
    #[orm(foreign_key = Customer, index)]
    pub customer_id: i64,
    pub invoice_date: NaiveDateTime,
    #[orm(length = 70)]
    pub billing_address: Option<String>,
    #[orm(length = 40)]
    pub billing_city: Option<String>,
    #[orm(length = 40)]
    #[serde(deserialize_with = "empty_as_none")]
    pub billing_state: Option<String>,
    #[orm(length = 40)]
    pub billing_country: Option<String>,
    #[orm(length = 10)]
    #[serde(deserialize_with = "empty_as_none")]
    pub billing_postal_code: Option<String>,
    #[orm(precision = 10, scale = 2)]
    pub total: Decimal,

    #[orm(back_populates = invoices)]
    #[serde(skip)]
    pub customer: BelongsTo<Customer>,
    #[orm(back_populates = invoice)]
    #[serde(skip)]
    pub lines: HasMany<InvoiceLine>,
}

#[derive(Debug, Model, Deserialize)]
#[orm(table = "InvoiceLine", base = none, rename_all = "PascalCase")]
#[serde(rename_all = "PascalCase")]
pub struct InvoiceLine {
    #[orm(primary_key, autoincrement)]
    pub invoice_line_id: i64,
    #[orm(foreign_key = Invoice, index)]
    pub invoice_id: i64,
    #[orm(foreign_key = Track, index)]
    pub track_id: i64,
    #[orm(precision = 10, scale = 2)]
    pub unit_price: Decimal,
    pub quantity: i64,

    #[orm(back_populates = lines)]
    #[serde(skip)]
    pub invoice: BelongsTo<Invoice>,
    #[orm(back_populates = invoice_lines)]
    #[serde(skip)]
    pub track: BelongsTo<Track>,
}

fn empty_as_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.filter(|text| !text.is_empty()))
}
