//! Parsing `#[orm(…)]` into raw structs, one file per place where it may stand.
//!
//! A mistake in one key doesn't hide the mistakes of the others: the parser remembers it, skips to
//! the next comma and goes on. Nothing here looks at two keys at once; that is for
//! [`rules`](crate::rules).

mod column;
mod enumeration;
mod newtype;
mod reference;
mod relationship;
mod row;
mod suggest;
mod table;
mod value;
mod view;

pub(crate) use column::{BASE_COLUMN, COLUMN, ColumnAttrs, DefaultAttr, ForeignKeyAttr};
pub(crate) use enumeration::{EnumAttrs, VariantAttrs};
pub(crate) use newtype::NewtypeAttrs;
pub(crate) use reference::{ColumnRef, Referenced};
pub(crate) use relationship::{Cascades, RelationshipAttrs, Secondary};
pub(crate) use row::{row_column, row_krate};
pub(crate) use suggest::closest;
pub(crate) use table::{BaseAttr, BaseStructAttrs, CompositeKey, Group, TableAttrs};
pub(crate) use value::Actions;
pub(crate) use view::{ViewAttrs, ViewFieldAttrs};

use proc_macro2::TokenTree;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Attribute, Ident, Token};

use crate::errors::Errors;

/// The keys that one place takes.
pub(crate) struct Vocabulary {
    /// The place, with its article.
    pub(crate) place: &'static str,
    /// Its keys.
    pub(crate) keys: &'static [&'static str],
    /// Those of them that may be repeated.
    pub(crate) repeatable: &'static [&'static str],
    /// Other places and their keys, for keys that went astray.
    pub(crate) elsewhere: &'static [(&'static str, &'static [&'static str])],
}

/// The keys that were given, in order and with their spans.
#[derive(Default)]
pub(crate) struct Given(Vec<Ident>);

impl Given {
    /// The key of this name.
    pub(crate) fn find(&self, key: &str) -> Option<&Ident> {
        self.0.iter().find(|given| *given == key)
    }

    /// Whether the key of this name was given.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    /// The first key that isn't this one.
    pub(crate) fn other_than(&self, key: &str) -> Option<&Ident> {
        self.0.iter().find(|given| *given != key)
    }
}

/// Parses every `#[orm(…)]` among the attributes, and calls `take` behind each key that the
/// vocabulary has.
fn parse(
    attributes: &[Attribute],
    vocabulary: &Vocabulary,
    errors: &Errors,
    mut take: impl FnMut(&Ident, ParseStream) -> syn::Result<()>,
) -> Given {
    let mut given = Given::default();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("orm")) {
        if !matches!(attribute.meta, syn::Meta::List(_)) {
            errors.at(attribute, "write the keys in parentheses: `#[orm(…)]`");
            continue;
        }
        let parsed = attribute.parse_args_with(|input: ParseStream| {
            while !input.is_empty() {
                errors.ok(entry(input, vocabulary, &mut given, &mut take));
                if !input.is_empty() && !input.peek(Token![,]) {
                    skip_to_comma(input);
                }
                let _: Option<Token![,]> = input.parse()?;
            }
            Ok(())
        });
        errors.ok(parsed);
    }
    given
}

fn entry(
    input: ParseStream,
    vocabulary: &Vocabulary,
    given: &mut Given,
    take: &mut impl FnMut(&Ident, ParseStream) -> syn::Result<()>,
) -> syn::Result<()> {
    if !input.peek(Ident::peek_any) {
        return Err(input.error("expected a key"));
    }
    let key = Ident::parse_any(input)?;
    let name = key.to_string();
    if !vocabulary.keys.contains(&name.as_str()) {
        skip_to_comma(input);
        let (meant, why) = suggest::unknown_key(&name, vocabulary);
        // What was meant counts as given: that it is missing would be a second error.
        given.0.extend(meant.map(|meant| Ident::new(meant, key.span())));
        return Err(syn::Error::new(key.span(), why));
    }
    if given.has(&name) && !vocabulary.repeatable.contains(&name.as_str()) {
        skip_to_comma(input);
        return Err(syn::Error::new(key.span(), format!("`{name}` is given twice")));
    }
    given.0.push(key.clone());
    take(&key, input)?;
    if input.is_empty() || input.peek(Token![,]) {
        Ok(())
    } else {
        Err(input.error(format!("expected a comma after the value of `{name}`")))
    }
}

fn skip_to_comma(input: ParseStream) {
    while !input.is_empty() && !input.peek(Token![,]) {
        // Any token tree parses.
        let _ = input.parse::<TokenTree>();
    }
}

#[cfg(test)]
pub(crate) mod vocabularies {
    //! For the test that every key has an arm.
    pub(crate) use super::column::{BASE_COLUMN, COLUMN};
    pub(crate) use super::enumeration::{ENUM, VARIANT};
    pub(crate) use super::newtype::NEWTYPE;
    pub(crate) use super::relationship::RELATIONSHIP;
    pub(crate) use super::row::{ROW, ROW_FIELD};
    pub(crate) use super::table::{BASE_STRUCT, TABLE};
    pub(crate) use super::view::{VIEW, VIEW_FIELD};
}
