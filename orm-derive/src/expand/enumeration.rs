//! `derive(Enum)`: a column type with a fixed set of labels.

use heck::ToSnakeCase;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Fields, Ident};

use super::block;
use crate::attr::{EnumAttrs, VariantAttrs};
use crate::errors::Errors;
use crate::input::{no_generics, plain};
use crate::model::runtime;

pub(super) fn expand(input: &DeriveInput, errors: &Errors) -> TokenStream {
    let attrs = EnumAttrs::parse(&input.attrs, errors);
    let variants = variants(input, &attrs, errors);
    if !input.generics.params.is_empty() {
        return TokenStream::new();
    }
    let name = match &attrs.name {
        Some(name) => name.value(),
        None => plain(&input.ident).to_snake_case(),
    };
    block(&runtime(attrs.krate), &impls(&input.ident, &name, &variants, errors.is_empty()))
}

/// The variants with their labels, as far as they can be labels.
fn variants<'a>(
    input: &'a DeriveInput,
    attrs: &EnumAttrs,
    errors: &Errors,
) -> Vec<(&'a Ident, String)> {
    no_generics(input, "an enum column", errors);
    let Data::Enum(data) = &input.data else {
        errors.at(
            &input.ident,
            "`Enum` is for enums; for a struct with one field derive `ColumnType`",
        );
        return Vec::new();
    };
    if data.variants.is_empty() {
        errors.at(&input.ident, "an enum column needs at least one variant");
    }
    let mut variants: Vec<(&Ident, String)> = Vec::new();
    for variant in &data.variants {
        let name = plain(&variant.ident);
        let renamed = VariantAttrs::parse(&variant.attrs, errors).rename;
        let label = match (&renamed, attrs.rename_all) {
            (Some(renamed), _) => renamed.value(),
            (None, Some(case)) => case.apply(&name),
            (None, None) => name.clone(),
        };
        let mistake = |message: String| match &renamed {
            Some(renamed) => errors.at(renamed, message),
            None => errors.at(&variant.ident, message),
        };
        if !matches!(variant.fields, Fields::Unit) {
            errors
                .at(&variant.fields, format!("`{name}` can't have fields: a label holds no data"));
            continue;
        }
        if label.chars().all(|c| c.is_ascii_digit()) {
            mistake(format!(
                "a label of digits alone, \"{label}\", would be taken for the position of a label"
            ));
        }
        if let Some((other, _)) = variants.iter().find(|(_, other)| *other == label) {
            mistake(format!("the label \"{label}\" is that of `{other}`, too"));
        }
        variants.push((&variant.ident, label));
    }
    variants
}

fn impls(ty: &Ident, name: &str, variants: &[(&Ident, String)], is_complete: bool) -> TokenStream {
    let (idents, labels): (Vec<&Ident>, Vec<&String>) =
        variants.iter().map(|(ident, label)| (*ident, label)).unzip();
    // A variant that can't be a label is a mistake that is reported.
    let rest = (!is_complete).then(|| quote!(_ => ::core::unreachable!(),));
    let unknown = format!("the text is no label of the enum `{name}`");
    let literals = labels.iter().map(|label| format!("'{}'", label.replace('\'', "''")));
    let arms =
        idents.iter().zip(literals).skip(1).map(
            |(ident, literal)| quote!(::core::option::Option::Some(#literal) => Self::#ident,),
        );
    let first = match idents.first() {
        Some(first) => quote!(Self::#first),
        None => quote!(::core::unreachable!()),
    };
    quote! {
        #[automatically_derived]
        impl __orm::ColumnType for #ty {
            const FACTS: __orm::Facts =
                __orm::Facts::new(__orm::SqlType::Enum(&__orm::EnumType {
                    name: #name,
                    labels: &[#(#labels),*],
                }));
            type Nullability = __orm::NotNull;
            type Present = Self;
            type Unset<__Name> = __Name;

            fn encode(&self) -> __orm::Value {
                __orm::Value::Label(match self { #(Self::#idents => #labels,)* #rest })
            }
            fn decode(
                cells: &dyn __orm::Cells,
                at: usize,
            ) -> ::core::result::Result<Self, __orm::ValueError> {
                match __orm::Cells::text(cells, at)? {
                    #(#labels => ::core::result::Result::Ok(Self::#idents),)*
                    _ => ::core::result::Result::Err(__orm::ValueError::new(#unknown)),
                }
            }
        }

        #[automatically_derived]
        impl __orm::ArrayElement for #ty {
            const ELEMENT: &'static __orm::SqlType =
                &<#ty as __orm::ColumnType>::FACTS.sql_type;
        }

        #[automatically_derived]
        impl __orm::Placeholder for #ty {
            fn placeholder(server_default: ::core::option::Option<&str>) -> Self {
                match server_default {
                    #(#arms)*
                    _ => #first,
                }
            }
        }
    }
}
