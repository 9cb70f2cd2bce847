//! The keys of a view and its fields.

use proc_macro2::Ident;
use syn::{Attribute, Path};

use super::table::krate;
use super::{Vocabulary, parse, value};
use crate::errors::Errors;

pub(crate) const VIEW: Vocabulary = Vocabulary {
    place: "a view",
    keys: &["of", "crate"],
    repeatable: &[],
    elsewhere: &[("a field of the view", &["from"])],
};

pub(crate) const VIEW_FIELD: Vocabulary = Vocabulary {
    place: "a field of a view",
    keys: &["from"],
    repeatable: &[],
    elsewhere: &[("the view", &["of", "crate"])],
};

/// The attributes of a view.
#[derive(Default)]
pub(crate) struct ViewAttrs {
    /// The model that it shows.
    pub(crate) of: Option<Path>,
    pub(crate) krate: Option<Path>,
    /// Whether `of` was given, if only by mistake.
    pub(crate) says_of: bool,
}

impl ViewAttrs {
    /// Parses the attributes of a view.
    pub(crate) fn parse(attributes: &[Attribute], errors: &Errors) -> Self {
        let mut attrs = Self::default();
        let given = parse(attributes, &VIEW, errors, |key, input| {
            match key.to_string().as_str() {
                "of" => {
                    value::equals(key, input, "User")?;
                    attrs.of = Some(input.call(Path::parse_mod_style)?);
                }
                "crate" => attrs.krate = Some(krate(key, input)?),
                _ => unreachable!("the vocabulary has no other key"),
            }
            Ok(())
        });
        attrs.says_of = given.has("of");
        attrs
    }
}

/// The attributes of a view's field.
#[derive(Default)]
pub(crate) struct ViewFieldAttrs {
    /// The column or relationship that it shows, where its name is another.
    pub(crate) from: Option<Ident>,
}

impl ViewFieldAttrs {
    /// Parses the attributes of a view's field.
    pub(crate) fn parse(attributes: &[Attribute], errors: &Errors) -> Self {
        let mut attrs = Self::default();
        parse(attributes, &VIEW_FIELD, errors, |key, input| {
            attrs.from = Some(value::name(key, input)?);
            Ok(())
        });
        attrs
    }
}
