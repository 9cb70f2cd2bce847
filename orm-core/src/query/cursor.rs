//! A place in a list, as a text that a request can carry.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::error::{Error, Result};
use crate::value::{SqlType, Value, pack, unpack};

/// The first byte of every cursor: how the others are to be read.
const VERSION: u8 = 1;

/// The bytes before the values: the version, the order that it is a place in, and a checksum.
const HEAD: usize = 1 + 4 + 4;

/// A place in a list of rows: that of the row at the edge of a [`Slice`](super::Slice), where
/// `after` or `before` go on.
///
/// As a text, which serde and `Display` write and read, it may travel in a URL or in a response. It
/// is opaque, but holds no secret: it says which values that row has in the columns of the order,
/// and clients can read them. It is bound to the query's models and order, not to its filters; with
/// another order, or damaged, it is [`Error::InvalidCursor`]. Whoever makes one up gets no further
/// than to rows that the query gives anyway: its values are checked against the types of the
/// order's columns, and travel as binds.
///
/// ```
/// # use orm_core::{Engine, Model, schema, query::Cursor};
/// # #[derive(Model)] struct User { name: String }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let engine = Engine::connect("sqlite::memory:").await?;
/// # engine.create_all(&schema![User]).await?;
/// # let mut session = orm_core::SessionFactory::new(engine.clone()).session();
/// # session.add_all(["ada", "bob", "cyd"].map(|name| User::draft().name(name)));
/// # session.commit().await?;
/// let users = || User::select().order_by(User::name.asc()).on(&engine);
/// let first = users().slice(2).await?;
/// let link = first.next.expect("there is one more").to_string();
///
/// let cursor: Cursor = link.parse()?;
/// let second = users().after(&cursor, 2).await?;
/// assert_eq!(second.items[0].name, "cyd");
/// # Ok::<(), orm_core::Error>(()) }).unwrap();
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// Stands for the models and the order.
    order: u32,
    /// The values of the order's terms, packed.
    values: Box<[u8]>,
}

impl Cursor {
    /// The place of a row with these values.
    pub(super) fn new(order: u32, values: &[Value]) -> Self {
        let mut packed = Vec::new();
        values.iter().for_each(|value| pack(value, &mut packed));
        Self { order, values: packed.into() }
    }

    /// The values, of these types, if it is a place in this order.
    ///
    /// # Errors
    /// `InvalidCursor` if it isn't.
    pub(super) fn values(
        &self,
        order: u32,
        types: impl Iterator<Item = SqlType>,
    ) -> Result<Vec<Value>> {
        if self.order != order {
            return Err(Error::InvalidCursor("it belongs to another query, or to another order"));
        }
        let mut rest = &self.values[..];
        let values: Option<Vec<Value>> =
            types.map(|sql_type| unpack(&mut rest, &sql_type)).collect();
        values.filter(|_| rest.is_empty()).ok_or(DAMAGED)
    }

    fn checksum(&self) -> u32 {
        digest(&[&self.order.to_le_bytes(), &self.values])
    }
}

const DAMAGED: Error = Error::InvalidCursor("it was cut or changed on its way");

/// A number that stands for these bytes, the same in every process: FNV-1a, folded.
pub(super) fn digest(parts: &[&[u8]]) -> u32 {
    let hash = parts.iter().copied().flatten().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    (hash >> 32) as u32 ^ hash as u32
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = Vec::with_capacity(HEAD + self.values.len());
        bytes.push(VERSION);
        bytes.extend(self.order.to_le_bytes());
        bytes.extend(self.checksum().to_le_bytes());
        bytes.extend(&self.values);
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl fmt::Debug for Cursor {
    /// Without the values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cursor").field("order", &self.order).finish_non_exhaustive()
    }
}

impl FromStr for Cursor {
    type Err = Error;

    /// Reads the text of a cursor.
    ///
    /// # Errors
    /// [`Error::InvalidCursor`] if it is none.
    fn from_str(text: &str) -> Result<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| DAMAGED)?;
        let mut rest = &bytes[..];
        let version = rest.split_off_first().ok_or(DAMAGED)?;
        if *version != VERSION {
            return Err(Error::InvalidCursor("it was made by another version of this program"));
        }
        let mut number = || {
            let bytes = rest.split_off(..4)?.try_into().ok()?;
            Some(u32::from_le_bytes(bytes))
        };
        let order = number().ok_or(DAMAGED)?;
        let checksum = number().ok_or(DAMAGED)?;
        let cursor = Self { order, values: rest.into() };
        if cursor.checksum() != checksum {
            return Err(DAMAGED);
        }
        Ok(cursor)
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor() -> Cursor {
        Cursor::new(7, &[Value::Text("a/b?c".into()), Value::Null, Value::Int(-3)])
    }

    const TYPES: [SqlType; 3] = [SqlType::Text, SqlType::I64, SqlType::I64];

    #[test]
    fn a_cursor_reads_back_from_its_text_and_its_json() {
        let text = cursor().to_string();
        assert!(
            text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'),
            "{text}"
        );
        assert_eq!(text.parse::<Cursor>().ok(), Some(cursor()));
        let json = serde_json::to_string(&cursor()).expect("serializes");
        assert_eq!(serde_json::from_str::<Cursor>(&json).ok(), Some(cursor()));
        let values = cursor().values(7, TYPES.into_iter()).expect("they fit");
        assert_eq!(values, [Value::Text("a/b?c".into()), Value::Null, Value::Int(-3)]);
    }

    #[test]
    fn a_text_that_was_changed_anywhere_is_refused() {
        let text = cursor().to_string();
        for at in 0..text.len() {
            for with in ["A", "B", "_", "=", "", "AA", "é", "'"] {
                let changed = format!("{}{with}{}", &text[..at], &text[at + 1..]);
                let read = changed.parse::<Cursor>();
                assert!(changed == text || read.is_err(), "{changed} reads as {read:?}");
            }
        }
        assert!(matches!("".parse::<Cursor>(), Err(Error::InvalidCursor(_))));
        assert!(serde_json::from_str::<Cursor>("\"x\"").is_err());
    }

    #[test]
    fn a_cursor_of_another_order_is_refused() {
        let error = cursor().values(8, TYPES.into_iter()).expect_err("it is another order");
        assert_eq!(
            error.to_string(),
            "the cursor can't be used: it belongs to another query, or to another order",
        );
        // Made up: the same order, other types.
        let other = [SqlType::Text, SqlType::I64, SqlType::Text];
        assert!(cursor().values(7, other.into_iter()).is_err());
        assert!(cursor().values(7, TYPES.into_iter().take(2)).is_err());
    }
}
