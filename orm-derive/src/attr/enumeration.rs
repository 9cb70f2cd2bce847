//! The keys of an enum and its variants.

use syn::{Attribute, LitStr, Path};

use super::table::krate;
use super::{Vocabulary, parse, value};
use crate::case::Case;
use crate::errors::Errors;

pub(crate) const ENUM: Vocabulary = Vocabulary {
    place: "an enum",
    keys: &["name", "rename_all", "crate"],
    repeatable: &[],
    elsewhere: &[("a variant", &["rename"])],
};

pub(crate) const VARIANT: Vocabulary = Vocabulary {
    place: "a variant",
    keys: &["rename"],
    repeatable: &[],
    elsewhere: &[("the enum", &["name", "rename_all", "crate"])],
};

/// The attributes of an enum.
#[derive(Default)]
pub(crate) struct EnumAttrs {
    pub(crate) name: Option<LitStr>,
    pub(crate) rename_all: Option<Case>,
    pub(crate) krate: Option<Path>,
}

impl EnumAttrs {
    /// Parses the attributes of an enum.
    pub(crate) fn parse(attributes: &[Attribute], errors: &Errors) -> Self {
        let mut attrs = Self::default();
        parse(attributes, &ENUM, errors, |key, input| {
            match key.to_string().as_str() {
                "name" => attrs.name = Some(value::string(key, input)?),
                "rename_all" => attrs.rename_all = Some(value::word(key, input, Case::WORDS)?),
                "crate" => attrs.krate = Some(krate(key, input)?),
                _ => unreachable!("the vocabulary has no other key"),
            }
            Ok(())
        });
        attrs
    }
}

/// The attributes of a variant.
#[derive(Default)]
pub(crate) struct VariantAttrs {
    pub(crate) rename: Option<LitStr>,
}

impl VariantAttrs {
    /// Parses the attributes of a variant.
    pub(crate) fn parse(attributes: &[Attribute], errors: &Errors) -> Self {
        let mut attrs = Self::default();
        parse(attributes, &VARIANT, errors, |key, input| {
            attrs.rename = Some(value::string(key, input)?);
            Ok(())
        });
        attrs
    }
}
