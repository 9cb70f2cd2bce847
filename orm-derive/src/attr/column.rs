//! The keys of a column.

use proc_macro2::Ident;
use syn::parse::ParseStream;
use syn::{Attribute, Expr, LitStr, Result, Token, token};

use super::value::{self, Actions};
use super::{Given, Referenced, Vocabulary, parse, relationship, table};
use crate::errors::Errors;

pub(super) const KEYS: &[&str] = &[
    "column",
    "primary_key",
    "autoincrement",
    "unique",
    "index",
    "length",
    "precision",
    "scale",
    "sql_type",
    "default",
    "server_default",
    "on_update",
    "foreign_key",
    "check",
    "comment",
    "version",
    "skip",
    "serialize",
];

pub(crate) const COLUMN: Vocabulary = Vocabulary {
    place: "a column",
    keys: KEYS,
    repeatable: &[],
    elsewhere: &[("a relationship", relationship::KEYS), ("the struct", table::KEYS)],
};

pub(crate) const BASE_COLUMN: Vocabulary = Vocabulary {
    place: "a base column",
    keys: &[
        "column",
        "primary_key",
        "autoincrement",
        "unique",
        "index",
        "length",
        "precision",
        "scale",
        "sql_type",
        "default",
        "server_default",
        "on_update",
        "check",
        "comment",
        "version",
        "serialize",
    ],
    repeatable: &[],
    elsewhere: &[("a column of a model", KEYS), ("a relationship", relationship::KEYS)],
};

/// The attributes of a column.
#[derive(Default)]
pub(crate) struct ColumnAttrs {
    pub(crate) given: Given,
    pub(crate) column: Option<LitStr>,
    pub(crate) length: Option<u32>,
    pub(crate) precision: Option<u32>,
    pub(crate) scale: Option<u32>,
    pub(crate) sql_type: Option<LitStr>,
    pub(crate) default: Option<DefaultAttr>,
    pub(crate) server_default: Option<LitStr>,
    pub(crate) on_update: Option<LitStr>,
    pub(crate) foreign_key: Option<ForeignKeyAttr>,
    pub(crate) check: Option<LitStr>,
    pub(crate) comment: Option<LitStr>,
}

/// The value that the application fills in.
pub(crate) enum DefaultAttr {
    /// `default`: that of the type.
    OfType,
    /// `default = expr`.
    Expr(Box<Expr>),
}

/// `foreign_key = Profile` or `foreign_key(Profile, …)`.
pub(crate) struct ForeignKeyAttr {
    pub(crate) referenced: Referenced,
    pub(crate) actions: Actions,
}

impl ColumnAttrs {
    /// Parses the attributes of a field.
    pub(crate) fn parse(
        attributes: &[Attribute],
        vocabulary: &Vocabulary,
        errors: &Errors,
    ) -> Self {
        let mut attrs = Self::default();
        attrs.given = parse(attributes, vocabulary, errors, |key, input| attrs.take(key, input));
        attrs
    }

    fn take(&mut self, key: &Ident, input: ParseStream) -> Result<()> {
        match key.to_string().as_str() {
            // What these say is that they were given.
            "primary_key" | "autoincrement" | "unique" | "index" | "version" | "skip" => {
                value::flag(key, input)?;
            }
            "serialize" => value::word(key, input, &[("never", ())])?,
            "column" => self.column = Some(value::string(key, input)?),
            "length" => self.length = Some(value::positive(key, input)?),
            "precision" => self.precision = Some(value::positive(key, input)?),
            "scale" => self.scale = Some(value::number(key, input)?),
            "sql_type" => self.sql_type = Some(value::string(key, input)?),
            "default" => self.default = Some(DefaultAttr::parse(key, input)?),
            "server_default" => self.server_default = Some(value::string(key, input)?),
            "on_update" => self.on_update = Some(value::string(key, input)?),
            "foreign_key" => self.foreign_key = Some(ForeignKeyAttr::parse(key, input)?),
            "check" => self.check = Some(value::string(key, input)?),
            "comment" => self.comment = Some(value::string(key, input)?),
            _ => unreachable!("the vocabulary has no other key"),
        }
        Ok(())
    }
}

impl DefaultAttr {
    pub(super) fn parse(key: &Ident, input: ParseStream) -> Result<Self> {
        if input.is_empty() || input.peek(Token![,]) {
            return Ok(Self::OfType);
        }
        value::assigned(key, input, "value").map(Self::Expr)
    }
}

impl ForeignKeyAttr {
    fn parse(key: &Ident, input: ParseStream) -> Result<Self> {
        let mut actions = Actions::default();
        if !input.peek(token::Paren) {
            value::equals(key, input, "Profile")?;
            return Ok(Self { referenced: Referenced::parse(input)?, actions });
        }
        value::list(input, |content| {
            let referenced = Referenced::parse(content)?;
            while content.parse::<Option<Token![,]>>()?.is_some() && !content.is_empty() {
                actions.take(content)?;
            }
            Ok(Self { referenced, actions })
        })
    }
}
