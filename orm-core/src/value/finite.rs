//! Whether a value can be JSON: serde_json turns NaN and infinity into `null` without a word.

use std::fmt;

use serde::ser::{self, Serialize, Serializer};

/// Whether every float in a value is finite. A value that refuses to be serialized counts as
/// finite: its own error says more.
pub(super) fn is_finite(value: &impl Serialize) -> bool {
    !matches!(value.serialize(Finite), Err(Stop::NotFinite))
}

/// Serializes to nothing and stops at the first float that isn't finite.
#[derive(Clone, Copy)]
struct Finite;

/// Why the walk through a value ended early.
#[derive(Debug)]
enum Stop {
    NotFinite,
    Refused,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl std::error::Error for Stop {}

impl ser::Error for Stop {
    fn custom<T: fmt::Display>(_message: T) -> Self {
        Stop::Refused
    }
}

type Walk = Result<(), Stop>;

macro_rules! leaves {
    ($($method:ident($($type:ty),*));+ $(;)?) => {$(
        fn $method(self, $(_: $type),*) -> Walk {
            Ok(())
        }
    )+};
}

macro_rules! branches {
    ($($method:ident($($type:ty),*));+ $(;)?) => {$(
        fn $method(self, $(_: $type),*) -> Result<Self, Stop> {
            Ok(self)
        }
    )+};
}

impl Serializer for Finite {
    type Ok = ();
    type Error = Stop;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    fn serialize_f32(self, value: f32) -> Walk {
        self.serialize_f64(value.into())
    }
    fn serialize_f64(self, value: f64) -> Walk {
        if value.is_finite() { Ok(()) } else { Err(Stop::NotFinite) }
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Walk {
        value.serialize(self)
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Walk {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Walk {
        value.serialize(self)
    }

    leaves! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_i128(i128);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_u128(u128);
        serialize_char(char);
        serialize_str(&str);
        serialize_bytes(&[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(&'static str);
        serialize_unit_variant(&'static str, u32, &'static str);
    }

    branches! {
        serialize_seq(Option<usize>);
        serialize_tuple(usize);
        serialize_tuple_struct(&'static str, usize);
        serialize_tuple_variant(&'static str, u32, &'static str, usize);
        serialize_map(Option<usize>);
        serialize_struct(&'static str, usize);
        serialize_struct_variant(&'static str, u32, &'static str, usize);
    }
}

/// What has parts: each is walked through.
macro_rules! parts {
    ($($trait:ident: $($method:ident $(($name:ty))?),+;)+) => {$(
        impl ser::$trait for Finite {
            type Ok = ();
            type Error = Stop;
            $(fn $method<T: Serialize + ?Sized>(&mut self, $(_: $name,)? part: &T) -> Walk {
                part.serialize(*self)
            })+
            fn end(self) -> Walk {
                Ok(())
            }
        }
    )+};
}

parts! {
    SerializeSeq: serialize_element;
    SerializeTuple: serialize_element;
    SerializeTupleStruct: serialize_field;
    SerializeTupleVariant: serialize_field;
    SerializeMap: serialize_key, serialize_value;
    SerializeStruct: serialize_field(&'static str);
    SerializeStructVariant: serialize_field(&'static str);
}
