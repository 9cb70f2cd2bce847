//! Columns and their own foreign keys.

use syn::{Field, Ident};

use super::{Column, Fill, ForeignKey, Overrides};
use crate::attr::{ColumnAttrs, DefaultAttr, ForeignKeyAttr, Referenced};
use crate::case::Case;
use crate::input::plain;

/// The column of a field, and its foreign key. `in_composite_key` is whether a foreign key of the
/// struct is over it, too.
pub(super) fn column(
    field: &Field,
    ident: &Ident,
    attrs: ColumnAttrs,
    rename_all: Option<Case>,
    in_composite_key: bool,
) -> (Column, Option<ForeignKey>) {
    let name = match (&attrs.column, rename_all) {
        (Some(name), _) => name.value(),
        (None, Some(case)) => case.apply(&plain(ident)),
        (None, None) => plain(ident),
    };
    let left_to_others = in_composite_key
        || attrs.server_default.is_some()
        || attrs.foreign_key.is_some()
        || attrs.given.has("autoincrement");
    let fill = match attrs.default {
        _ if attrs.given.has("version") => Fill::Version,
        Some(DefaultAttr::OfType) => Fill::Default,
        Some(DefaultAttr::Expr(value)) => Fill::Value(value),
        None if left_to_others => Fill::Server(attrs.server_default.clone()),
        None => Fill::Type,
    };
    let foreign_key = attrs.foreign_key.map(|attr| foreign_key(ident, attr));
    let column = Column {
        field: ident.clone(),
        vis: field.vis.clone(),
        ty: field.ty.clone(),
        name,
        fill,
        overrides: Overrides {
            length: attrs.length,
            precision: attrs.precision,
            scale: attrs.scale,
            sql_type: attrs.sql_type,
            server_default: attrs.server_default,
            on_update: attrs.on_update,
            check: attrs.check,
            comment: attrs.comment,
        },
        given: attrs.given,
    };
    (column, foreign_key)
}

fn foreign_key(field: &Ident, attr: ForeignKeyAttr) -> ForeignKey {
    let (model, references) = match attr.referenced {
        Referenced::Model(model) => (model, Vec::new()),
        Referenced::Column(column) => (column.model, vec![column.field]),
    };
    ForeignKey { fields: vec![field.clone()], model, references, actions: attr.actions }
}
