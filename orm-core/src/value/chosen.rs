//! A row's cells in another order.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};

use super::{Cells, SqlType, Value, ValueError};

/// The place of a cell that the row doesn't have.
pub(crate) const LEFT_OUT: usize = usize::MAX;

/// Some cells of a row, in an order of our own.
pub(crate) struct ChosenCells<'r> {
    pub(crate) cells: &'r dyn Cells,
    /// The place of each in the row, or [`LEFT_OUT`].
    pub(crate) places: &'r [usize],
}

impl ChosenCells<'_> {
    fn place(&self, at: usize) -> Result<usize, ValueError> {
        let place = self.places.get(at).copied();
        place.ok_or_else(|| {
            ValueError::new(format!("only {} cells of the row were chosen", self.places.len()))
        })
    }
}

macro_rules! read {
    ($($(#[$meta:meta])* $method:ident -> $type:ty),+ $(,)?) => {$(
        $(#[$meta])*
        fn $method(&self, at: usize) -> Result<$type, ValueError> {
            self.cells.$method(self.place(at)?)
        }
    )+};
}

impl Cells for ChosenCells<'_> {
    fn width(&self) -> Option<usize> {
        Some(self.places.len())
    }
    fn is_left_out(&self, at: usize) -> bool {
        self.places.get(at) == Some(&LEFT_OUT)
    }
    fn is_null(&self, at: usize) -> bool {
        self.place(at).is_ok_and(|place| self.cells.is_null(place))
    }
    read! {
        bool -> bool,
        int -> i64,
        float -> f32,
        double -> f64,
        text -> &str,
        bytes -> &[u8],
        date -> NaiveDate,
        time -> NaiveTime,
        date_time -> NaiveDateTime,
        timestamp -> DateTime<Utc>,
        json -> serde_json::Value,
        #[cfg(feature = "uuid")]
        uuid -> uuid::Uuid,
        #[cfg(feature = "decimal")]
        decimal -> rust_decimal::Decimal,
    }
    fn array(&self, at: usize, element: &SqlType) -> Result<Vec<Value>, ValueError> {
        self.cells.array(self.place(at)?, element)
    }
}
