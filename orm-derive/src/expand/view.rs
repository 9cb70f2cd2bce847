//! `derive(View)`: a plain struct that a query fills.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{DeriveInput, Ident, Path, Type};

use super::block;
use crate::attr::{ViewAttrs, ViewFieldAttrs};
use crate::errors::Errors;
use crate::input::{named_fields, plain};
use crate::model::runtime;

pub(super) fn expand(input: &DeriveInput, errors: &Errors) -> TokenStream {
    let attrs = ViewAttrs::parse(&input.attrs, errors);
    let name = &input.ident;
    if attrs.of.is_none() && !attrs.says_of {
        let why = format!(
            "`{}` doesn't say which model it shows: add `#[orm(of = …)]` to the struct",
            plain(name)
        );
        errors.at(name, why);
    }
    let fields: Option<Vec<Shown>> = named_fields(input, "a view", errors)
        .map(|fields| fields.map(|(field, ident)| Shown::parse(field, ident, errors)).collect());
    let Some(of) = attrs.of else {
        return TokenStream::new(); // What it shows is anyone's guess.
    };
    if !input.generics.params.is_empty() {
        return TokenStream::new();
    }
    let (shape, build) = match fields {
        Some(fields) => (shape(&of, &fields), build(&of, &fields)),
        // Not a struct that could be one, which is a mistake that is reported.
        None => (TokenStream::new(), quote!(::core::unreachable!())),
    };
    let items = quote! {
        #[automatically_derived]
        impl __orm::View for #name {
            type Of = #of;
            fn __shape(shape: &mut __orm::ViewShape) {
                #shape
            }
            fn __build(row: &mut __orm::ViewRow<'_>) -> __orm::Result<Self> {
                #build
            }
        }
    };
    block(&runtime(attrs.krate), &items)
}

/// A field, and the column or relationship that it shows.
struct Shown<'a> {
    field: &'a Ident,
    ty: &'a Type,
    from: Ident,
}

impl<'a> Shown<'a> {
    fn parse(field: &'a syn::Field, ident: &'a Ident, errors: &Errors) -> Self {
        let from = ViewFieldAttrs::parse(&field.attrs, errors).from;
        Self { field: ident, ty: &field.ty, from: from.unwrap_or_else(|| ident.clone()) }
    }

    /// The constant of the model. All of it but the name is placed at the field's type, so that
    /// a type that doesn't fit is an error there.
    fn constant(&self, of: &Path) -> TokenStream {
        let from = &self.from;
        let of = placed(of, self.ty.span());
        quote_spanned!(self.ty.span()=> <#of>::#from)
    }
}

/// The tokens at another place, meaning what they meant.
fn placed(tokens: &impl ToTokens, span: Span) -> TokenStream {
    tokens
        .to_token_stream()
        .into_iter()
        .map(|mut token| {
            token.set_span(span.resolved_at(token.span()));
            token
        })
        .collect()
}

fn shape(of: &Path, fields: &[Shown]) -> TokenStream {
    fields
        .iter()
        .map(|shown| {
            let (ty, constant) = (shown.ty, shown.constant(of));
            let field = quote_spanned!(ty.span()=> <_ as __orm::ViewField<#ty>>);
            quote!(#field::__describe(#constant, shape);)
        })
        .collect()
}

fn build(of: &Path, fields: &[Shown]) -> TokenStream {
    let fields = fields.iter().map(|shown| {
        let (field, ty, constant) = (shown.field, shown.ty, shown.constant(of));
        let read = quote_spanned!(ty.span()=> <_ as __orm::ViewField<#ty>>);
        quote!(#field: #read::__take(#constant, row)?,)
    });
    quote!(::core::result::Result::Ok(Self { #(#fields)* }))
}
