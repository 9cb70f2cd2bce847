//! The keys of a struct of rows and its fields.

use syn::{Attribute, LitStr, Path};

use super::table::krate;
use super::{Vocabulary, parse, value};
use crate::errors::Errors;

pub(crate) const ROW: Vocabulary = Vocabulary {
    place: "a struct of rows",
    keys: &["crate"],
    repeatable: &[],
    elsewhere: &[("a field of the struct", &["column"])],
};

pub(crate) const ROW_FIELD: Vocabulary = Vocabulary {
    place: "a field of a struct of rows",
    keys: &["column"],
    repeatable: &[],
    elsewhere: &[("the struct", &["crate"])],
};

/// The path to the library that a struct of rows names.
pub(crate) fn row_krate(attributes: &[Attribute], errors: &Errors) -> Option<Path> {
    let mut found = None;
    parse(attributes, &ROW, errors, |key, input| {
        found = Some(krate(key, input)?);
        Ok(())
    });
    found
}

/// The column that a field of a struct of rows names.
pub(crate) fn row_column(attributes: &[Attribute], errors: &Errors) -> Option<LitStr> {
    let mut column = None;
    parse(attributes, &ROW_FIELD, errors, |key, input| {
        column = Some(value::string(key, input)?);
        Ok(())
    });
    column
}
