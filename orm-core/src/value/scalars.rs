//! The scalar column types.

use chrono::{
    DateTime, NaiveDate, NaiveDateTime, NaiveTime, SubsecRound, TimeDelta, Timelike, Utc,
};

use super::{
    Blank, Cells, ColumnType, Facts, NotNull, Nullable, Placeholder, Set, SqlType, Value,
    ValueError,
};

/// A scalar column type: its logical type, its value, its reading, its placeholder.
macro_rules! scalar {
    ($type:ty, $sql_type:ident, |$field:ident| $encode:expr, |$cells:ident, $at:ident| $decode:expr,
     placeholder = $placeholder:expr $(, normalize = |$n:ident| $normalize:expr)?) => {
        impl ColumnType for $type {
            const FACTS: Facts = Facts::new(SqlType::$sql_type);
            type Nullability = NotNull;
            type Present = Self;
            type Unset<Name> = Name;
            fn encode(&self) -> Value {
                let $field = self;
                $encode
            }
            fn decode($cells: &dyn Cells, $at: usize) -> Result<Self, ValueError> {
                $decode
            }
            $(fn normalize(&mut self) {
                let $n = self;
                *$n = $normalize;
            })?
        }
        impl Placeholder for $type {
            fn placeholder(_server_default: Option<&str>) -> Self {
                $placeholder
            }
        }
    };
}

macro_rules! integer {
    ($($type:ty = $sql_type:ident),+ $(,)?) => {$(
        scalar!($type, $sql_type, |v| Value::Int(i64::from(*v)), |cells, at| {
            <$type>::try_from(cells.int(at)?).map_err(|_| {
                ValueError::new(concat!("the integer is out of range for `", stringify!($type), "`"))
            })
        }, placeholder = 0);
    )+};
}

integer!(i16 = I16, i32 = I32, i64 = I64, u8 = U8, u16 = U16, u32 = U32);

scalar!(bool, Bool, |v| Value::Bool(*v), |cells, at| cells.bool(at), placeholder = false);
// Adding zero makes -0.0 the zero that every database can hold: SQLite keeps no sign of zero.
scalar!(
    f32,
    F32,
    |v| Value::Float(*v + 0.0),
    |cells, at| cells.float(at),
    placeholder = 0.0,
    normalize = |v| *v + 0.0
);
scalar!(
    f64,
    F64,
    |v| Value::Double(*v + 0.0),
    |cells, at| cells.double(at),
    placeholder = 0.0,
    normalize = |v| *v + 0.0
);
scalar!(
    String,
    Text,
    |v| Value::Text(v.clone()),
    |cells, at| cells.text(at).map(str::to_owned),
    placeholder = String::new()
);
scalar!(
    Vec<u8>,
    Bytes,
    |v| Value::Bytes(v.clone()),
    |cells, at| cells.bytes(at).map(<[u8]>::to_vec),
    placeholder = Vec::new()
);
scalar!(
    NaiveDate,
    Date,
    |v| Value::Date(*v),
    |cells, at| cells.date(at),
    placeholder = DateTime::UNIX_EPOCH.date_naive()
);
scalar!(
    NaiveTime,
    Time,
    |v| Value::Time(v.trunc_subsecs(MICROSECONDS)),
    |cells, at| cells.time(at),
    placeholder = NaiveTime::MIN,
    normalize = |v| v.trunc_subsecs(MICROSECONDS)
);
scalar!(
    NaiveDateTime,
    DateTime,
    |v| Value::DateTime(to_microseconds(*v)),
    |cells, at| cells.date_time(at),
    placeholder = DateTime::UNIX_EPOCH.naive_utc(),
    normalize = |v| to_microseconds(*v)
);
scalar!(
    DateTime<Utc>,
    Timestamp,
    |v| Value::Timestamp(to_microseconds(v.naive_utc()).and_utc()),
    |cells, at| cells.timestamp(at),
    placeholder = DateTime::UNIX_EPOCH,
    normalize = |v| to_microseconds(v.naive_utc()).and_utc()
);
scalar!(
    serde_json::Value,
    Json,
    |v| Value::Json(Box::new(v.clone())),
    |cells, at| cells.json(at),
    placeholder = serde_json::Value::Null
);
#[cfg(feature = "uuid")]
scalar!(
    uuid::Uuid,
    Uuid,
    |v| Value::Uuid(*v),
    |cells, at| cells.uuid(at),
    placeholder = uuid::Uuid::nil()
);
#[cfg(feature = "decimal")]
scalar!(
    rust_decimal::Decimal,
    Decimal,
    |v| Value::Decimal(*v),
    |cells, at| cells.decimal(at),
    placeholder = rust_decimal::Decimal::ZERO
);

/// Digits of a second that every backend keeps.
const MICROSECONDS: u16 = 6;

/// Cuts to microseconds. A leap second, which no database here can hold, becomes the first
/// moment after it.
fn to_microseconds(time: NaiveDateTime) -> NaiveDateTime {
    let cut = time.trunc_subsecs(MICROSECONDS);
    let Some(past_the_minute) = cut.nanosecond().checked_sub(1_000_000_000) else {
        return cut;
    };
    let next = cut.with_nanosecond(past_the_minute).map(|cut| cut + TimeDelta::seconds(1));
    next.unwrap_or(cut)
}

impl<T: ColumnType<Present = T>> ColumnType for Option<T> {
    const FACTS: Facts = T::FACTS.nullable();
    type Nullability = Nullable;
    type Present = T;
    type Unset<Name> = Set;
    fn encode(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::encode)
    }
    fn decode(cells: &dyn Cells, at: usize) -> Result<Self, ValueError> {
        if cells.is_null(at) { Ok(None) } else { T::decode(cells, at).map(Some) }
    }
    fn when_unset() -> Option<Blank<Self>> {
        Some(match T::when_unset() {
            Some(Blank::Written(value)) => Blank::Written(Some(value)),
            // NULL, but not one that anybody asked for.
            Some(Blank::LeftToServer(_)) | None => Blank::LeftToServer(None),
        })
    }
    fn normalize(&mut self) {
        if let Some(value) = self {
            value.normalize();
        }
    }
}

impl<T> Placeholder for Option<T> {
    fn placeholder(_server_default: Option<&str>) -> Self {
        None
    }
}
