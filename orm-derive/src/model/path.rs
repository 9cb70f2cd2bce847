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
    // A key that went astray means to say what is asked for below.
    let is_astray = reject_foreign_keys(kind, attrs, scope.errors);
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
                    if !is_astray
                        && !attrs.given.has("back_populates")
                        && !attrs.given.has("foreign_key")
                    {
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
                if !is_astray && !attrs.given.has("back_populates") && !attrs.given.has("secondary")
                {
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

/// Keys that say where the foreign key is, on a kind that has it elsewhere. Returns whether there
/// is one.
fn reject_foreign_keys(kind: Kind, attrs: &RelationshipAttrs, errors: &Errors) -> bool {
    let name = kind.name();
    let via = attrs.given.find("via").filter(|_| kind != Kind::BelongsTo);
    if let Some(key) = via {
        errors.at(key, format!(
            "`via` is for `BelongsTo`, whose foreign key is in this struct; that of a `{name}` is \
             in another: use `{}`",
            if kind == Kind::ManyToMany { "secondary" } else { "foreign_key" }
        ));
    }
    let secondary = attrs.given.find("secondary").filter(|_| kind != Kind::ManyToMany);
    if let Some(key) = secondary {
        errors.at(key, format!("`secondary` is for `ManyToMany`, and this is a `{name}`"));
    }
    let elsewhere = match kind {
        Kind::BelongsTo => Some(
            "the foreign key of a `BelongsTo` is in this struct: name its field with `via = …`",
        ),
        Kind::ManyToMany => Some(
            "a `ManyToMany` has two foreign keys: name them with `secondary(Link::here, \
             Link::there)`",
        ),
        Kind::HasOne | Kind::HasMany => None,
    };
    let foreign_key = attrs.given.find("foreign_key").zip(elsewhere);
    if let Some((key, why)) = foreign_key {
        errors.at(key, why);
    }
    via.is_some() || secondary.is_some() || foreign_key.is_some()
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
    // The fields of a foreign key are checked with it.
    if !scope.foreign_keys.iter().any(|key| key.fields == fields) {
        reject_via(field, target, &fields, is_default, scope);
    }
    let decides = fields
        .iter()
        .find_map(|name| scope.columns.iter().find(|column| column.field == *name))
        .map(|column| column.ty.clone());
    RelationshipPath::Via(fields, decides)
}

/// Says what a `BelongsTo` lacks whose fields are no foreign key.
fn reject_via(field: &Ident, target: &Type, fields: &[Ident], is_default: bool, scope: &Scope<'_>) {
    if let [name] = fields
        && let Some(column) = scope.columns.iter().find(|column| column.field == *name)
        && column.given.has("foreign_key")
    {
        return; // It says that it is one, with a mistake that is reported.
    }
    let target = spelled(target);
    let is_column = |name: &Ident| scope.columns.iter().any(|column| column.field == *name);
    // Several fields may be columns of the base, which isn't known here: then only the key lacks.
    let may_be_in_base = fields.len() > 1 && matches!(scope.base, Base::Custom(_));
    let mut all_known = true;
    for name in fields.iter().filter(|name| !is_column(name)) {
        if scope.skipped.contains(name) {
            all_known = false;
            scope.errors.at(name, format!("`{name}` is no column: remove its `#[orm(skip)]`"));
        } else if !may_be_in_base {
            all_known = false;
            let way_out = if is_default { ", or name another field with `via = …`" } else { "" };
            scope.errors.at(
                if is_default { field } else { name },
                format!(
                    "`{field}` needs a key column: add the field `{name}` with \
                     `#[orm(foreign_key = {target})]`{way_out}"
                ),
            );
        }
    }
    if !all_known {
        return;
    }
    let at = if is_default { field } else { &fields[0] };
    let why = match fields {
        [name] => {
            format!("`{name}` is no foreign key: add `#[orm(foreign_key = {target})]` to it")
        }
        several => {
            let pairs: Vec<String> =
                several.iter().map(|name| format!("{name} => {target}::…")).collect();
            format!(
                "no foreign key is over these fields: add `#[orm(foreign_key({}))]` to the struct",
                pairs.join(", ")
            )
        }
    };
    scope.errors.at(at, why);
}
