//! The keys of a newtype that describes a column.

use proc_macro2::Ident;
use syn::parse::ParseStream;
use syn::{Attribute, LitStr, Path, Result};

use super::table::krate;
use super::{DefaultAttr, Given, Vocabulary, column, parse, value};
use crate::errors::Errors;

pub(crate) const NEWTYPE: Vocabulary = Vocabulary {
    place: "a column type",
    keys: &[
        "unique",
        "index",
        "length",
        "precision",
        "scale",
        "check",
        "default",
        "server_default",
        "comment",
        "crate",
    ],
    repeatable: &[],
    elsewhere: &[("a column of a model", column::KEYS)],
};

/// The attributes of a newtype.
#[derive(Default)]
pub(crate) struct NewtypeAttrs {
    pub(crate) given: Given,
    pub(crate) length: Option<u32>,
    pub(crate) precision: Option<u32>,
    pub(crate) scale: Option<u32>,
    pub(crate) check: Option<LitStr>,
    pub(crate) default: Option<DefaultAttr>,
    pub(crate) server_default: Option<LitStr>,
    pub(crate) comment: Option<LitStr>,
    pub(crate) krate: Option<Path>,
}

impl NewtypeAttrs {
    /// Parses the attributes of a newtype.
    pub(crate) fn parse(attributes: &[Attribute], errors: &Errors) -> Self {
        let mut attrs = Self::default();
        attrs.given = parse(attributes, &NEWTYPE, errors, |key, input| attrs.take(key, input));
        attrs
    }

    fn take(&mut self, key: &Ident, input: ParseStream) -> Result<()> {
        match key.to_string().as_str() {
            // What these say is that they were given.
            "unique" | "index" => {
                value::flag(key, input)?;
            }
            "length" => self.length = Some(value::positive(key, input)?),
            "precision" => self.precision = Some(value::positive(key, input)?),
            "scale" => self.scale = Some(value::number(key, input)?),
            "check" => self.check = Some(value::string(key, input)?),
            "default" => self.default = Some(DefaultAttr::parse(key, input)?),
            "server_default" => self.server_default = Some(value::string(key, input)?),
            "comment" => self.comment = Some(value::string(key, input)?),
            "crate" => self.krate = Some(krate(key, input)?),
            _ => unreachable!("the vocabulary has no other key"),
        }
        Ok(())
    }
}
