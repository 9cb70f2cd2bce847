//! Values as few bytes, for what travels outside of a database: cursors.
//!
//! The type isn't written; whoever reads knows it. What is read is checked as if somebody had made
//! it up: it is a value that a column of the type may hold, or none at all.

use chrono::{DateTime, NaiveDate, NaiveTime, Timelike};

use super::{SqlType, Value};

const NULL: u8 = 0;
const PRESENT: u8 = 1;

/// Appends a scalar. Documents and arrays, which have no order, are left out.
pub(crate) fn pack(value: &Value, into: &mut Vec<u8>) {
    into.push(if value.is_null() { NULL } else { PRESENT });
    match value {
        Value::Bool(value) => into.push((*value).into()),
        Value::Int(value) => pack_number(zigzag(*value), into),
        Value::Float(value) => into.extend(value.to_le_bytes()),
        Value::Double(value) => into.extend(value.to_le_bytes()),
        Value::Text(text) => pack_bytes(text.as_bytes(), into),
        Value::Label(label) => pack_bytes(label.as_bytes(), into),
        Value::Bytes(bytes) => pack_bytes(bytes, into),
        Value::Date(date) => pack_date(*date, into),
        Value::Time(time) => pack_time(*time, into),
        Value::DateTime(time) => {
            pack_date(time.date(), into);
            pack_time(time.time(), into);
        }
        Value::Timestamp(time) => {
            pack_date(time.date_naive(), into);
            pack_time(time.time(), into);
        }
        #[cfg(feature = "uuid")]
        Value::Uuid(uuid) => into.extend(uuid.as_bytes()),
        #[cfg(feature = "decimal")]
        Value::Decimal(decimal) => pack_bytes(decimal.to_string().as_bytes(), into),
        Value::Null | Value::Json(_) | Value::Array(_) => {}
        Value::Refused(_) | Value::NotLoaded => {}
    }
}

/// Takes a value of the type from the front; `None` if there is none.
pub(crate) fn unpack(bytes: &mut &[u8], sql_type: &SqlType) -> Option<Value> {
    if take::<1>(bytes)? == [NULL] {
        return Some(Value::Null);
    }
    let integer = |bytes: &mut &[u8], least: i64, greatest: i64| {
        let number = unzigzag(unpack_number(bytes)?);
        (least..=greatest).contains(&number).then_some(Value::Int(number))
    };
    match sql_type {
        SqlType::Bool => match take::<1>(bytes)? {
            [0] => Some(Value::Bool(false)),
            [1] => Some(Value::Bool(true)),
            _ => None,
        },
        SqlType::I16 => integer(bytes, i16::MIN.into(), i16::MAX.into()),
        SqlType::I32 => integer(bytes, i32::MIN.into(), i32::MAX.into()),
        SqlType::I64 => integer(bytes, i64::MIN, i64::MAX),
        SqlType::U8 => integer(bytes, 0, u8::MAX.into()),
        SqlType::U16 => integer(bytes, 0, u16::MAX.into()),
        SqlType::U32 => integer(bytes, 0, u32::MAX.into()),
        SqlType::F32 => take(bytes).map(f32::from_le_bytes).map(Value::Float),
        SqlType::F64 => take(bytes).map(f64::from_le_bytes).map(Value::Double),
        SqlType::Text => unpack_text(bytes).map(|text| Value::Text(text.to_owned())),
        SqlType::Enum(of) => {
            let text = unpack_text(bytes)?;
            of.labels.iter().find(|label| **label == text).map(|label| Value::Label(label))
        }
        SqlType::Bytes => unpack_bytes(bytes).map(|bytes| Value::Bytes(bytes.to_vec())),
        SqlType::Date => unpack_date(bytes).map(Value::Date),
        SqlType::Time => unpack_time(bytes).map(Value::Time),
        SqlType::DateTime => {
            Some(Value::DateTime(unpack_date(bytes)?.and_time(unpack_time(bytes)?)))
        }
        SqlType::Timestamp => {
            let time = unpack_date(bytes)?.and_time(unpack_time(bytes)?);
            Some(Value::Timestamp(DateTime::from_naive_utc_and_offset(time, chrono::Utc)))
        }
        #[cfg(feature = "uuid")]
        SqlType::Uuid => take(bytes).map(uuid::Uuid::from_bytes).map(Value::Uuid),
        #[cfg(feature = "decimal")]
        SqlType::Decimal => {
            let decimal = rust_decimal::Decimal::from_str_exact(unpack_text(bytes)?);
            decimal.ok().map(Value::Decimal)
        }
        SqlType::Json | SqlType::Array(_) => None,
    }
}

/// Small numbers of either sign as small numbers.
fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

/// Seven bits a byte, the lowest first; the last has its highest bit clear.
fn pack_number(mut number: u64, into: &mut Vec<u8>) {
    while number > 0x7f {
        into.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    into.push(number as u8);
}

fn unpack_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let [byte] = take(bytes)?;
        let part = u64::from(byte & 0x7f);
        number |= part << shift;
        if (part << shift) >> shift != part {
            return None;
        }
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn pack_bytes(bytes: &[u8], into: &mut Vec<u8>) {
    pack_number(bytes.len() as u64, into);
    into.extend(bytes);
}

fn unpack_bytes<'b>(bytes: &mut &'b [u8]) -> Option<&'b [u8]> {
    let length = usize::try_from(unpack_number(bytes)?).ok()?;
    bytes.split_off(..length)
}

fn unpack_text<'b>(bytes: &mut &'b [u8]) -> Option<&'b str> {
    std::str::from_utf8(unpack_bytes(bytes)?).ok()
}

fn pack_date(date: NaiveDate, into: &mut Vec<u8>) {
    let days = date.signed_duration_since(NaiveDate::default()).num_days();
    pack_number(zigzag(days), into);
}

fn unpack_date(bytes: &mut &[u8]) -> Option<NaiveDate> {
    let days = chrono::Duration::try_days(unzigzag(unpack_number(bytes)?))?;
    NaiveDate::default().checked_add_signed(days)
}

fn pack_time(time: NaiveTime, into: &mut Vec<u8>) {
    pack_number(time.num_seconds_from_midnight().into(), into);
    pack_number(time.nanosecond().into(), into);
}

fn unpack_time(bytes: &mut &[u8]) -> Option<NaiveTime> {
    let seconds = u32::try_from(unpack_number(bytes)?).ok()?;
    let nanoseconds = u32::try_from(unpack_number(bytes)?).ok()?;
    NaiveTime::from_num_seconds_from_midnight_opt(seconds, nanoseconds)
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    bytes.split_off(..N)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use chrono::{NaiveDateTime, Utc};

    use super::super::EnumType;
    use super::*;

    static MOOD: EnumType = EnumType { name: "mood", labels: &["calm", "it's"] };

    fn samples() -> Vec<(SqlType, Value)> {
        let last = NaiveDateTime::MAX;
        vec![
            (SqlType::Bool, Value::Bool(true)),
            (SqlType::I16, Value::Int(i16::MIN.into())),
            (SqlType::I64, Value::Int(i64::MIN)),
            (SqlType::I64, Value::Int(i64::MAX)),
            (SqlType::U32, Value::Int(u32::MAX.into())),
            (SqlType::F32, Value::Float(-0.1)),
            (SqlType::F64, Value::Double(f64::MAX)),
            (SqlType::Text, Value::Text("'; -- \0 😀".into())),
            (SqlType::Text, Value::Text(String::new())),
            (SqlType::Enum(&MOOD), Value::Label("it's")),
            (SqlType::Bytes, Value::Bytes(vec![0; 300])),
            (SqlType::Date, Value::Date(NaiveDate::MIN)),
            (SqlType::Time, Value::Time(last.time())),
            (SqlType::DateTime, Value::DateTime(last)),
            (SqlType::Timestamp, Value::Timestamp(DateTime::<Utc>::MIN_UTC)),
            (SqlType::I32, Value::Null),
        ]
    }

    #[test]
    fn what_is_packed_is_unpacked_and_nothing_is_left() {
        for (sql_type, value) in samples() {
            let mut packed = Vec::new();
            pack(&value, &mut packed);
            let mut rest = &packed[..];
            assert_eq!(unpack(&mut rest, &sql_type), Some(value));
            assert!(rest.is_empty());
        }
    }

    #[test]
    fn what_is_cut_off_is_no_value() {
        for (sql_type, value) in samples() {
            let mut packed = Vec::new();
            pack(&value, &mut packed);
            for length in 0..packed.len() {
                let unpacked = unpack(&mut &packed[..length], &sql_type);
                assert_eq!(unpacked, None, "{value:?} cut to {length} bytes");
            }
        }
    }

    #[test]
    fn what_a_column_of_the_type_never_holds_is_no_value() {
        let packed = |value: Value| {
            let mut packed = Vec::new();
            pack(&value, &mut packed);
            packed
        };
        let cases = [
            (SqlType::I16, packed(Value::Int(40_000))),
            (SqlType::U8, packed(Value::Int(-1))),
            (SqlType::Bool, vec![PRESENT, 2]),
            (SqlType::Enum(&MOOD), packed(Value::Text("2".into()))),
            (SqlType::Text, packed(Value::Bytes(vec![0xff]))),
            (SqlType::Text, vec![PRESENT, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 9]),
            (SqlType::Date, packed(Value::Int(i64::MAX))),
            (SqlType::Time, vec![PRESENT, 0xff, 0xff, 0xff, 0x7f, 0]),
            (SqlType::Json, vec![PRESENT]),
        ];
        for (sql_type, bytes) in cases {
            assert_eq!(unpack(&mut &bytes[..], &sql_type), None, "{sql_type:?}");
        }
    }
}
