//! The totals by which two databases are compared.

use std::fmt;

use orm_core::{Engine, Result};
use rust_decimal::Decimal;

use super::{
    Album, Artist, Customer, Employee, Genre, Invoice, InvoiceLine, MediaType, Playlist,
    PlaylistTrack, Track,
};

/// How many rows each table has, and what was sold for how much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Totals {
    /// The tables, by their names, and the numbers of their rows.
    pub rows: Vec<(&'static str, u64)>,
    /// The sum of all invoices.
    pub revenue: Decimal,
}

impl Totals {
    /// Counts.
    ///
    /// # Errors
    /// The database's.
    pub async fn read(engine: &Engine) -> Result<Self> {
        let mut rows = Vec::new();
        for (table, count) in counts(engine).await {
            rows.push((table, count?));
        }
        // SQLite would add floats; decimals are added exactly here.
        let invoices: Vec<Decimal> =
            Invoice::select().columns(Invoice::total).on(engine).all().await?;
        Ok(Self { rows, revenue: invoices.into_iter().sum() })
    }

    /// Whether any of the tables is there and has rows.
    pub(super) async fn any_rows(engine: &Engine) -> bool {
        counts(engine).await.iter().any(|(_, count)| matches!(count, Ok(1..)))
    }

    /// The rows of all tables together.
    pub fn all_rows(&self) -> u64 {
        self.rows.iter().map(|(_, rows)| rows).sum()
    }
}

/// The numbers of rows, each by a query of its own: a table that is missing is an error of its own.
async fn counts(engine: &Engine) -> [(&'static str, Result<u64>); 11] {
    [
        ("Album", Album::select().on(engine).count().await),
        ("Artist", Artist::select().on(engine).count().await),
        ("Customer", Customer::select().on(engine).count().await),
        ("Employee", Employee::select().on(engine).count().await),
        ("Genre", Genre::select().on(engine).count().await),
        ("Invoice", Invoice::select().on(engine).count().await),
        ("InvoiceLine", InvoiceLine::select().on(engine).count().await),
        ("MediaType", MediaType::select().on(engine).count().await),
        ("Playlist", Playlist::select().on(engine).count().await),
        ("PlaylistTrack", PlaylistTrack::select().on(engine).count().await),
        ("Track", Track::select().on(engine).count().await),
    ]
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (table, rows) in &self.rows {
            writeln!(f, "{rows:>8}  {table}")?;
        }
        write!(f, "{:>8.2}  sum of all invoices", self.revenue)
    }
}
