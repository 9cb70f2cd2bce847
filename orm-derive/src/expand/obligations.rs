//! What only the compiler can check, each at the user's own tokens.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use crate::attr::ColumnRef;
use crate::input::{plain, spelled};
use crate::model::{Base, Column, ForeignKey, Model, Relationship, RelationshipPath};

pub(super) fn expand(model: &Model) -> TokenStream {
    let mut obligations = TokenStream::new();
    for key in &model.foreign_keys {
        obligations.extend(foreign_key(model, key));
    }
    obligations.extend(loaded_columns(model));
    for relationship in &model.relationships {
        obligations.extend(path(model, relationship));
        obligations.extend(back_populates(model, relationship));
    }
    if let Base::Custom(base) = &model.base {
        obligations.extend(keyless_base(model, base));
        obligations.extend(fields_of_base(model, base));
        obligations.extend(distinct_names(model, base));
    }
    obligations
}

/// The types of the columns are those of what they reference; what `SET NULL` hits is nullable.
fn foreign_key(model: &Model, key: &ForeignKey) -> TokenStream {
    let referenced = &key.model;
    let columns: Vec<Option<&Column>> =
        key.fields.iter().map(|field| model.column(field)).collect();
    let mut obligations = TokenStream::new();
    if key.references.is_empty() {
        for column in columns.iter().flatten() {
            let ty = &column.ty;
            obligations.extend(quote_spanned! {ty.span()=>
                const _: () =
                    __orm::assert_references::<#ty, <#referenced as __orm::Model>::Id>();
            });
        }
    }
    for (column, field) in columns.iter().zip(&key.references) {
        match column {
            Some(column) => {
                let ty = &column.ty;
                let by = quote_spanned!(ty.span()=> by::<#ty>);
                obligations.extend(quote_spanned! {field.span()=>
                    const _: () = __orm::referenced(<#referenced>::#field).#by();
                });
            }
            None => {
                let column = ColumnRef { model: referenced.clone(), field: field.clone() };
                obligations.extend(is_column_of(&quote!(#referenced), &column));
            }
        }
    }
    for (action, _) in [&key.actions.on_delete, &key.actions.on_update]
        .into_iter()
        .flatten()
        .filter(|(_, variant)| *variant == "SetNull")
    {
        for column in columns.iter().flatten() {
            let ty = &column.ty;
            let message = format!(
                "`{action} = \"set null\"` needs a column that accepts NULL: make `{}` an \
                 `Option<…>`",
                plain(&column.field)
            );
            obligations.extend(quote_spanned! {action.span()=>
                const _: () = ::core::assert!(
                    <#ty as __orm::FieldType>::FACTS.nullable,
                    #message
                );
            });
        }
    }
    obligations
}

/// What the session has to know of each row is part of every query. (Keys are checked as what they
/// are.)
fn loaded_columns(model: &Model) -> TokenStream {
    let mut obligations = TokenStream::new();
    for column in &model.columns {
        let name = plain(&column.field);
        if let Some(key) = column.given.find("version") {
            let why = format!(
                "`{name}` is the version, which every UPDATE goes by: it can't be `Deferred`"
            );
            obligations.extend(not_deferred(column, key.span(), &why));
        }
        if let Some(key) = column.given.find("unique") {
            let why = format!(
                "`{name}` is unique, and a flush goes by its values: it can't be `Deferred`"
            );
            obligations.extend(not_deferred(column, key.span(), &why));
        }
    }
    for field in model.uniques.iter().flat_map(|group| &group.fields) {
        if let Some(column) = model.column(field) {
            let why = format!(
                "`{}` is part of a unique group, and a flush goes by its values: it can't be \
                 `Deferred`",
                plain(field)
            );
            obligations.extend(not_deferred(column, field.span(), &why));
        }
    }
    obligations
}

/// A column that queries never leave out.
pub(super) fn not_deferred(column: &Column, at: Span, why: &str) -> TokenStream {
    let ty = &column.ty;
    quote_spanned! {at=>
        const _: () = ::core::assert!(!<#ty as __orm::FieldType>::FACTS.deferred, #why);
    }
}

/// The columns that a relationship names exist, and belong to the model that it says.
fn path(model: &Model, relationship: &Relationship) -> TokenStream {
    let target = &relationship.target;
    match &relationship.path {
        RelationshipPath::Via(fields, _) => model
            .foreign_keys
            .iter()
            .find(|key| key.fields == *fields)
            .filter(|key| spelled(&key.model) != spelled(target))
            .map(|key| same_model(target, key))
            .unwrap_or_default(),
        RelationshipPath::ForeignKey(columns) => {
            columns.iter().map(|column| is_column_of(&quote!(#target), column)).collect()
        }
        RelationshipPath::Secondary(association, here, there) => here
            .iter()
            .chain(there)
            .map(|column| is_column_of(&quote!(#association), column))
            .collect(),
        RelationshipPath::Inverse | RelationshipPath::PairTable(_) => TokenStream::new(),
    }
}

/// The foreign key of a `BelongsTo` references the model that its type names. They are spelled
/// differently; the compiler knows whether they are the same.
fn same_model(target: &Type, key: &ForeignKey) -> TokenStream {
    let referenced = &key.model;
    quote_spanned! {target.span()=>
        const _: () = __orm::assert_same_model::<#referenced, #target>();
    }
}

fn is_column_of(model: &TokenStream, column: &ColumnRef) -> TokenStream {
    let ColumnRef { model: named, field } = column;
    quote_spanned! {field.span()=>
        const _: () = {
            let _: __orm::Column<#model, _> = <#named>::#field;
        };
    }
}

/// The relationship that `back_populates` names leads back, and says so.
fn back_populates(model: &Model, relationship: &Relationship) -> Option<TokenStream> {
    let inverse = relationship.back_populates.as_ref()?;
    let (name, target, ty) = (&model.item.name, &relationship.target, &relationship.ty);
    let field = plain(&relationship.field);
    let there = format!("{}::{}", spelled(target), plain(inverse));
    let message = format!(
        "`{}::{field}` says `back_populates = {}`, so `{there}` must name it back: add \
         `back_populates = {field}` to it",
        plain(name),
        plain(inverse),
    );
    Some(quote_spanned! {inverse.span()=>
        const _: () = ::core::assert!(
            __orm::assert_back_populates::<#ty, #name, _, _>(<#target>::#inverse).__names(#field),
            #message
        );
    })
}

/// A model with a key of its own has none in its base.
fn keyless_base(model: &Model, base: &Type) -> Option<TokenStream> {
    let key = model.own_key().first()?.given.find("primary_key")?.span();
    let message = format!(
        "the base `{}` has the primary key already: remove `primary_key` here, or choose a base \
         without",
        spelled(base)
    );
    Some(quote_spanned! {key=>
        const _: () = ::core::assert!(!<#base as __orm::BaseColumns>::HAS_KEY, #message);
    })
}

/// The fields that a key, a unique constraint or an index names are the model's or its base's.
fn fields_of_base(model: &Model, base: &Type) -> TokenStream {
    let in_keys = model.foreign_keys.iter().flat_map(|key| &key.fields);
    let in_groups = model.uniques.iter().chain(&model.indexes).flat_map(|group| &group.fields);
    in_keys
        .chain(in_groups)
        .filter(|field| model.column(field).is_none())
        .map(|field| {
            let name = plain(field);
            let message = format!(
                "neither `{}` nor its base `{}` has a column `{name}`",
                plain(&model.item.name),
                spelled(base)
            );
            quote_spanned! {field.span()=>
                const _: () = ::core::assert!(
                    __orm::has_field(<#base as __orm::BaseColumns>::NAMES, #name),
                    #message
                );
            }
        })
        .collect()
}

/// No column of the model is named like one of its base.
fn distinct_names(model: &Model, base: &Type) -> TokenStream {
    model
        .columns
        .iter()
        .map(|column| {
            let name = &column.name;
            let at = column.given.find("column").unwrap_or(&column.field).span();
            let message = format!(
                "the base `{}` has a column named \"{name}\", too: name this one with \
                 `#[orm(column = \"…\")]`",
                spelled(base)
            );
            quote_spanned! {at=>
                const _: () = ::core::assert!(
                    !__orm::has_column(<#base as __orm::BaseColumns>::NAMES, #name),
                    #message
                );
            }
        })
        .collect()
}
