//! The keys of the struct that is a model, or a base.

use proc_macro2::Ident;
use syn::parse::ParseStream;
use syn::{Attribute, LitStr, Path, Result, Token, Type};

use super::value::{self, Actions};
use super::{ColumnRef, Given, Vocabulary, column, parse, relationship};
use crate::case::Case;
use crate::errors::Errors;

pub(super) const KEYS: &[&str] = &[
    "table",
    "schema",
    "base",
    "rename_all",
    "foreign_key",
    "unique",
    "index",
    "check",
    "comment",
    "hooks",
    "crate",
];

pub(crate) const TABLE: Vocabulary = Vocabulary {
    place: "the struct",
    keys: KEYS,
    repeatable: &["foreign_key", "unique", "index", "check"],
    elsewhere: &[("a column", column::KEYS), ("a relationship", relationship::KEYS)],
};

pub(crate) const BASE_STRUCT: Vocabulary = Vocabulary {
    place: "the struct of a base",
    keys: &["rename_all", "crate"],
    repeatable: &[],
    elsewhere: &[("a model", KEYS), ("a column", column::KEYS)],
};

/// The attributes of a model's struct.
#[derive(Default)]
pub(crate) struct TableAttrs {
    pub(crate) given: Given,
    pub(crate) table: Option<LitStr>,
    pub(crate) schema: Option<LitStr>,
    pub(crate) base: Option<BaseAttr>,
    pub(crate) rename_all: Option<Case>,
    pub(crate) foreign_keys: Vec<CompositeKey>,
    pub(crate) uniques: Vec<Group>,
    pub(crate) indexes: Vec<Group>,
    pub(crate) checks: Vec<LitStr>,
    pub(crate) comment: Option<LitStr>,
    pub(crate) krate: Option<Path>,
}

/// `base = …`.
pub(crate) enum BaseAttr {
    /// `base = none`.
    None,
    /// A struct that derives `BaseColumns`.
    Type(Box<Type>),
}

/// `foreign_key(a => Line::order_id, b => Line::no)`.
pub(crate) struct CompositeKey {
    pub(crate) fields: Vec<Ident>,
    pub(crate) references: Vec<ColumnRef>,
    pub(crate) actions: Actions,
}

/// `unique(a, b, name = "…")`, `index(a, b, name = "…")`.
pub(crate) struct Group {
    pub(crate) fields: Vec<Ident>,
    pub(crate) name: Option<LitStr>,
}

impl TableAttrs {
    /// Parses the attributes of a model's struct.
    pub(crate) fn parse(attributes: &[Attribute], errors: &Errors) -> Self {
        let mut attrs = Self::default();
        attrs.given = parse(attributes, &TABLE, errors, |key, input| attrs.take(key, input));
        attrs
    }

    fn take(&mut self, key: &Ident, input: ParseStream) -> Result<()> {
        match key.to_string().as_str() {
            "table" => self.table = Some(value::string(key, input)?),
            "schema" => self.schema = Some(value::string(key, input)?),
            "base" => self.base = Some(BaseAttr::parse(key, input)?),
            "rename_all" => self.rename_all = Some(value::word(key, input, Case::WORDS)?),
            "foreign_key" => self.foreign_keys.push(CompositeKey::parse(key, input)?),
            "unique" => self.uniques.push(Group::parse(key, input)?),
            "index" => self.indexes.push(Group::parse(key, input)?),
            "check" => self.checks.push(value::string(key, input)?),
            "comment" => self.comment = Some(value::string(key, input)?),
            // That it was given says it all.
            "hooks" => {}
            "crate" => self.krate = Some(krate(key, input)?),
            _ => unreachable!("the vocabulary has no other key"),
        }
        Ok(())
    }
}

/// The attributes of a base's struct.
#[derive(Default)]
pub(crate) struct BaseStructAttrs {
    pub(crate) rename_all: Option<Case>,
    pub(crate) krate: Option<Path>,
}

impl BaseStructAttrs {
    /// Parses the attributes of a base's struct.
    pub(crate) fn parse(attributes: &[Attribute], errors: &Errors) -> Self {
        let mut attrs = Self::default();
        parse(attributes, &BASE_STRUCT, errors, |key, input| {
            match key.to_string().as_str() {
                "rename_all" => attrs.rename_all = Some(value::word(key, input, Case::WORDS)?),
                "crate" => attrs.krate = Some(krate(key, input)?),
                _ => unreachable!("the vocabulary has no other key"),
            }
            Ok(())
        });
        attrs
    }
}

/// `crate = name`, `crate = "name"`.
pub(super) fn krate(key: &Ident, input: ParseStream) -> Result<Path> {
    value::equals(key, input, "name")?;
    if input.peek(LitStr) {
        return input.parse::<LitStr>()?.parse_with(Path::parse_mod_style);
    }
    input.call(Path::parse_mod_style)
}

impl BaseAttr {
    fn parse(key: &Ident, input: ParseStream) -> Result<Self> {
        value::equals(key, input, "none")?;
        if input.peek(LitStr) {
            return Err(input.error("write the base without quotes: `base = none`"));
        }
        match input.parse()? {
            Type::Path(path) if path.path.is_ident("none") => Ok(Self::None),
            other => Ok(Self::Type(Box::new(other))),
        }
    }
}

impl CompositeKey {
    fn parse(key: &Ident, input: ParseStream) -> Result<Self> {
        const EXAMPLE: &str = "order_id => Line::order_id, line_no => Line::no";
        value::expect_list(key, input, EXAMPLE)?;
        value::list(input, |content| {
            let (mut fields, mut references) = (Vec::new(), Vec::new());
            let mut actions = Actions::default();
            while !content.is_empty() {
                if content.peek2(Token![=>]) {
                    fields.push(value::field(content)?);
                    content.parse::<Token![=>]>()?;
                    references.push(ColumnRef::parse(content)?);
                } else if Actions::follows(content) {
                    actions.take(content)?;
                } else {
                    return Err(content.error(format!(
                        "expected pairs of a field and what it references: `{EXAMPLE}`"
                    )));
                }
                if content.parse::<Option<Token![,]>>()?.is_none() {
                    break;
                }
            }
            if references.is_empty() {
                let why = format!("a composite foreign key needs columns: `{key}({EXAMPLE})`");
                return Err(syn::Error::new(key.span(), why));
            }
            ColumnRef::common_model(&references)?;
            Ok(Self { fields, references, actions })
        })
    }
}

impl Group {
    fn parse(key: &Ident, input: ParseStream) -> Result<Self> {
        value::expect_list(key, input, "first_name, last_name")?;
        value::list(input, |content| {
            let mut group = Self { fields: Vec::new(), name: None };
            while !content.is_empty() {
                let word = value::field(content)?;
                if content.peek(Token![=]) && word == "name" {
                    group.name = Some(value::string(&word, content)?);
                } else {
                    group.fields.push(word);
                }
                if content.parse::<Option<Token![,]>>()?.is_none() {
                    break;
                }
            }
            match group.fields.is_empty() {
                true => Err(syn::Error::new(key.span(), format!("`{key}` names no field"))),
                false => Ok(group),
            }
        })
    }
}
