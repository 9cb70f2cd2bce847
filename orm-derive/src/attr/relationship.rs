//! The keys of a relationship.

use proc_macro2::Ident;
use syn::parse::ParseStream;
use syn::{Attribute, Expr, LitStr, Path, Result, Token, token};

use super::value;
use super::{ColumnRef, Given, Referenced, Vocabulary, column, parse, table};
use crate::errors::Errors;

pub(super) const KEYS: &[&str] = &[
    "via",
    "foreign_key",
    "secondary",
    "back_populates",
    "lazy",
    "cascade",
    "passive_deletes",
    "single_parent",
    "post_update",
    "order_by",
    "viewonly",
];

pub(crate) const RELATIONSHIP: Vocabulary = Vocabulary {
    place: "a relationship",
    keys: KEYS,
    repeatable: &[],
    elsewhere: &[("a column", column::KEYS), ("the struct", table::KEYS)],
};

/// The attributes of a relationship.
#[derive(Default)]
pub(crate) struct RelationshipAttrs {
    pub(crate) given: Given,
    pub(crate) via: Option<Vec<Ident>>,
    pub(crate) foreign_key: Option<Vec<ColumnRef>>,
    pub(crate) secondary: Option<Secondary>,
    pub(crate) back_populates: Option<Ident>,
    /// The name of a variant of `Strategy`.
    pub(crate) lazy: Option<&'static str>,
    pub(crate) cascade: Option<Cascades>,
    /// `passive_deletes = "all"`, rather than `passive_deletes` alone.
    pub(crate) never_deletes: bool,
    pub(crate) order_by: Option<Expr>,
}

/// The association table of a many-to-many relationship.
pub(crate) enum Secondary {
    /// A model.
    Model(Path),
    /// A model, by its columns that reference this side and the other.
    Columns(Vec<ColumnRef>, Vec<ColumnRef>),
    /// A table that has no struct.
    PairTable(LitStr),
}

/// What follows a relationship: `all`, and the fields of `Cascade` that are named.
#[derive(Clone, Copy, Default)]
pub(crate) struct Cascades {
    pub(crate) all: bool,
    pub(crate) save_update: bool,
    pub(crate) merge: bool,
    pub(crate) delete: bool,
    pub(crate) delete_orphan: bool,
    pub(crate) refresh_expire: bool,
    pub(crate) expunge: bool,
}

/// A word of `cascade`, and what it sets.
type CascadeWord = (&'static str, fn(&mut Cascades));

const STRATEGIES: &[(&str, &str)] = &[
    ("select", "Select"),
    ("joined", "Joined"),
    ("selectin", "SelectIn"),
    ("subquery", "Subquery"),
    ("raise", "Raise"),
    ("write_only", "WriteOnly"),
];

impl RelationshipAttrs {
    /// Parses the attributes of a field.
    pub(crate) fn parse(attributes: &[Attribute], errors: &Errors) -> Self {
        let mut attrs = Self::default();
        attrs.given = parse(attributes, &RELATIONSHIP, errors, |key, input| attrs.take(key, input));
        attrs
    }

    fn take(&mut self, key: &Ident, input: ParseStream) -> Result<()> {
        match key.to_string().as_str() {
            // What these say is that they were given.
            "single_parent" | "post_update" | "viewonly" => {
                value::flag(key, input)?;
            }
            "passive_deletes" if input.peek(Token![=]) => {
                self.never_deletes = value::word(key, input, &[("all", true)])?;
            }
            "passive_deletes" => {
                value::flag(key, input)?;
            }
            "via" => {
                value::equals(key, input, "profile_id")?;
                let fields = value::one_or_several(input, value::field)?;
                self.via = Some(fields);
            }
            "foreign_key" => {
                value::equals(key, input, "Post::user_id")?;
                let columns = value::one_or_several(input, ColumnRef::parse)?;
                ColumnRef::common_model(&columns)?;
                self.foreign_key = Some(columns);
            }
            "secondary" => self.secondary = Some(Secondary::parse(key, input)?),
            "back_populates" => self.back_populates = Some(value::name(key, input)?),
            "lazy" => self.lazy = Some(value::word(key, input, STRATEGIES)?),
            "cascade" => self.cascade = Some(Cascades::parse(key, input)?),
            "order_by" => {
                self.order_by = Some(value::assigned(key, input, "Post::created_at.desc()")?);
            }
            _ => unreachable!("the vocabulary has no other key"),
        }
        Ok(())
    }
}

impl Secondary {
    fn parse(key: &Ident, input: ParseStream) -> Result<Self> {
        if input.peek(token::Paren) {
            return value::list(input, |content| {
                let here = value::one_or_several(content, ColumnRef::parse)?;
                content.parse::<Token![,]>()?;
                let there = value::one_or_several(content, ColumnRef::parse)?;
                content.parse::<Option<Token![,]>>()?;
                let all: Vec<ColumnRef> = here.iter().chain(&there).cloned().collect();
                ColumnRef::common_model(&all)?;
                Ok(Self::Columns(here, there))
            });
        }
        if input.peek(Token![=]) && input.peek2(LitStr) {
            return value::string(key, input).map(Self::PairTable);
        }
        value::equals(key, input, "RolePermission")?;
        match Referenced::parse(input)? {
            Referenced::Model(path) => Ok(Self::Model(path)),
            Referenced::Column(column) => Err(syn::Error::new(
                column.field.span(),
                "name both columns, the one that references this side first: \
                 `secondary(RolePermission::role_id, RolePermission::permission_id)`",
            )),
        }
    }
}

impl Cascades {
    fn parse(key: &Ident, input: ParseStream) -> Result<Self> {
        value::equals(key, input, "\"all, delete-orphan\"")?;
        let text: LitStr = input.parse()?;
        let mut cascades = Self::default();
        for word in text.value().split(',').map(str::trim).filter(|word| !word.is_empty()) {
            let set: fn(&mut Self) = value::find_word(key, &text, word, Self::WORDS)?;
            set(&mut cascades);
        }
        Ok(cascades)
    }

    const WORDS: &[CascadeWord] = &[
        ("all", |cascades| cascades.all = true),
        ("save-update", |cascades| cascades.save_update = true),
        ("merge", |cascades| cascades.merge = true),
        ("delete", |cascades| cascades.delete = true),
        ("delete-orphan", |cascades| cascades.delete_orphan = true),
        ("refresh-expire", |cascades| cascades.refresh_expire = true),
        ("expunge", |cascades| cascades.expunge = true),
        ("none", |_| {}),
    ];
}
