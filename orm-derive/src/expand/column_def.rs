//! The description of a column.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use super::rows;
use crate::input::plain;
use crate::model::{Column, Fill};

/// `ColumnDef::with_facts("field", "name", …)` with what the attributes say.
pub(super) fn expand(column: &Column) -> TokenStream {
    let (ty, name, field) = (&column.ty, &column.name, plain(&column.field));
    let facts = rows::method(ty, "FACTS");
    let mut modifiers = TokenStream::new();
    let given = |key: &str| column.given.has(key);
    flag(&mut modifiers, "primary_key", given("primary_key"));
    flag(&mut modifiers, "autoincrement", given("autoincrement"));
    flag(&mut modifiers, "unique", given("unique"));
    flag(&mut modifiers, "index", given("index"));
    flag(&mut modifiers, "version", given("version"));
    flag(&mut modifiers, "hidden", given("serialize"));
    let written = matches!(column.fill, Fill::Default | Fill::Value(_) | Fill::Version);
    flag(&mut modifiers, "with_default", written);
    let overrides = &column.overrides;
    value(&mut modifiers, "length", overrides.length.as_ref());
    value(&mut modifiers, "precision", overrides.precision.as_ref());
    value(&mut modifiers, "scale", overrides.scale.as_ref());
    value(&mut modifiers, "sql_type", overrides.sql_type.as_ref());
    value(&mut modifiers, "server_default", overrides.server_default.as_ref());
    value(&mut modifiers, "on_update", overrides.on_update.as_ref());
    value(&mut modifiers, "check", overrides.check.as_ref());
    value(&mut modifiers, "comment", overrides.comment.as_ref());
    quote!(__orm::ColumnDef::with_facts(#field, #name, #facts) #modifiers)
}

fn flag(modifiers: &mut TokenStream, method: &str, set: bool) {
    if set {
        let method = syn::Ident::new(method, proc_macro2::Span::call_site());
        modifiers.extend(quote!(.#method()));
    }
}

fn value(modifiers: &mut TokenStream, method: &str, value: Option<&impl ToTokens>) {
    if let Some(value) = value {
        let method = syn::Ident::new(method, proc_macro2::Span::call_site());
        modifiers.extend(quote!(.#method(#value)));
    }
}
