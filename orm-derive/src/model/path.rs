//! What connects the two sides of a relationship.

use quote::format_ident;
use syn::{Ident, Type};

use super::{Base, Column, ForeignKey, Kind, RelationshipPath};
use crate::attr::{RelationshipAttrs, Secondary};
use crate::errors::Errors;
use crate::input::spelled;

/// What a path is resolved against.
pub(super) struct Scope<'a> {
    pub(super) base: &'a Base,
    pub(super) columns: &'a [Column],
    pub(super) foreign_keys: &'a [ForeignKey],
    pub(super) skipped: &'a [Ident],
    pub(super) errors: &'a Errors,
}

/// The path of a relationship. A mistake's stand-in is the inverse's.
pub(super) fn resolve(
    field: &Ident,
    kind: Kind,
    target: &Type,
    attrs: &mut RelationshipAttrs,
    scope: &Scope<'_>,
) -> RelationshipPath {
    reject_foreign_keys(kind, attrs, scope.errors);
    match kind {
        Kind::BelongsTo => via(field, target, attrs, scope),
        Kind::HasOne | Kind::HasMany => {
            match attrs.foreign_key.take() {
                Some(columns) => {
                    if let Some(key) = attrs.given.find("back_populates") {
                        let why = "`back_populates` already says which foreign key this is: remove \
                               `foreign_key` or `back_populates`";
                        scope.errors.at(key, why);
                    }
                    RelationshipPath::ForeignKey(columns)
                }
                None => {
                    if !attrs.given.has("back_populates") && !attrs.given.has("foreign_key") {
                        let target = spelled(target);
                        scope.errors.at(field, format!(
                        "`{field}` doesn't say which foreign key of `{target}` it follows: add \
                         `back_populates = …`, which names the `BelongsTo` field of `{target}`, or \
                         `foreign_key = {target}::…`"
                    ));
                    }
                    RelationshipPath::Inverse
                }
            }
        }
        Kind::ManyToMany => match attrs.secondary.take() {
            Some(Secondary::Model(model)) => {
                RelationshipPath::Secondary(model, Vec::new(), Vec::new())
            }
            Some(Secondary::Columns(here, there)) => {
                RelationshipPath::Secondary(here[0].model.clone(), here, there)
            }
            Some(Secondary::PairTable(name)) => RelationshipPath::PairTable(name),
            None => {
                if !attrs.given.has("back_populates") && !attrs.given.has("secondary") {
                    scope.errors.at(field, format!(
                        "`{field}` doesn't say which table is between: add `secondary = …` (the \
                         association model, or the name of a plain pair table in quotes), or \
                         `back_populates = …` if the other side says it"
                    ));
                }
                RelationshipPath::Inverse
            }
        },
    }
}

/// Keys that say where the foreign key is, on a kind that has it elsewhere.
fn reject_foreign_keys(kind: Kind, attrs: &RelationshipAttrs, errors: &Errors) {
    let name = kind.name();
    if let Some(key) = attrs.given.find("via").filter(|_| kind != Kind::BelongsTo) {
        errors.at(key, format!(
            "`via` is for `BelongsTo`, whose foreign key is in this struct; that of a `{name}` is \
             in another: use `{}`",
            if kind == Kind::ManyToMany { "secondary" } else { "foreign_key" }
        ));
    }
    if let Some(key) = attrs.given.find("secondary").filter(|_| kind != Kind::ManyToMany) {
        errors.at(key, format!("`secondary` is for `ManyToMany`, and this is a `{name}`"));
    }
    if let Some(key) = attrs.given.find("foreign_key") {
        match kind {
            Kind::BelongsTo => errors.at(
                key,
                "the foreign key of a `BelongsTo` is in this struct: name its field with `via = …`",
            ),
            Kind::ManyToMany => errors.at(
                key,
                "a `ManyToMany` has two foreign keys: name them with `secondary(Link::here, \
                 Link::there)`",
            ),
            Kind::HasOne | Kind::HasMany => {}
        }
    }
}

fn via(
    field: &Ident,
    target: &Type,
    attrs: &mut RelationshipAttrs,
    scope: &Scope<'_>,
) -> RelationshipPath {
    let given = attrs.via.take();
    if given.is_none() && attrs.given.has("via") {
        return RelationshipPath::Inverse; // Its value is a mistake that is reported already.
    }
    let is_default = given.is_none();
    let fields = given.unwrap_or_else(|| vec![format_ident!("{field}_id")]);
    let mut known = true;
    for name in &fields {
        if scope.columns.iter().any(|column| column.field == *name) {
            continue;
        }
        known = false;
        if !is_default && matches!(scope.base, Base::Custom(_)) && fields.len() > 1 {
            known = true; // It may be a column of the base: the table's description checks it.
        } else if scope.skipped.contains(name) {
            scope.errors.at(name, format!("`{name}` is no column: remove its `#[orm(skip)]`"));
        } else {
            let way_out = if is_default { ", or name another field with `via = …`" } else { "" };
            scope.errors.at(
                if is_default { field } else { name },
                format!(
                    "`{field}` needs a key column: add the field `{name}` with \
                 `#[orm(foreign_key = {})]`{way_out}",
                    spelled(target)
                ),
            );
        }
    }
    let covered = scope.foreign_keys.iter().any(|key| key.fields == fields);
    if known && !covered {
        let target = spelled(target);
        let at = if is_default { field } else { &fields[0] };
        match fields.as_slice() {
            [name] => scope.errors.at(
                at,
                format!("`{name}` is no foreign key: add `#[orm(foreign_key = {target})]` to it"),
            ),
            several => {
                let pairs = several.iter().map(|name| format!("{name} => {target}::…"));
                scope.errors.at(
                    at,
                    format!(
                        "no foreign key is over these fields: add `#[orm(foreign_key({}))]` to the \
                     struct",
                        pairs.collect::<Vec<_>>().join(", ")
                    ),
                );
            }
        }
    }
    let decides = fields
        .iter()
        .find_map(|name| scope.columns.iter().find(|column| column.field == *name))
        .map(|column| column.ty.clone());
    RelationshipPath::Via(fields, decides)
}
