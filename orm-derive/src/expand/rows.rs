//! Reading and writing columns by position: what models and bases have in common.
//!
//! All of it carries the span of the field's type, so that a type that is none of a column's is
//! one error there and not several elsewhere.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use crate::model::Column;

/// `field: <T as ColumnType>::decode(cells, at + 0)?, …`
pub(super) fn decode_fields(columns: &[Column]) -> TokenStream {
    columns
        .iter()
        .enumerate()
        .map(|(index, column)| {
            let (field, ty) = (&column.field, &column.ty);
            let at = if index == 0 { quote!(at) } else { quote!(at + #index) };
            let decode = method(ty, "decode");
            quote!(#field: #decode(cells, #at)?,)
        })
        .collect()
}

/// The body of the method that encodes a column.
pub(super) fn encode(columns: &[Column]) -> TokenStream {
    by_index(columns, |column| {
        let (field, ty) = (&column.field, &column.ty);
        let encode = method(ty, "encode");
        quote!(#encode(&self.#field))
    })
}

/// The body of the method that overwrites a column.
pub(super) fn decode_column(columns: &[Column]) -> TokenStream {
    let body = by_index(columns, |column| {
        let (field, ty) = (&column.field, &column.ty);
        let decode = method(ty, "decode");
        quote!(self.#field = #decode(cells, at)?)
    });
    quote!(#body ::core::result::Result::Ok(()))
}

/// The body of the method that normalizes a column.
pub(super) fn normalize(columns: &[Column]) -> TokenStream {
    by_index(columns, |column| {
        let (field, ty) = (&column.field, &column.ty);
        let normalize = method(ty, "normalize");
        quote!(#normalize(&mut self.#field))
    })
}

/// A function of a column's type.
pub(super) fn method(ty: &Type, name: &str) -> TokenStream {
    let name = Ident::new(name, Span::call_site());
    quote_spanned!(ty.span()=> <#ty as __orm::ColumnType>::#name)
}

fn by_index(columns: &[Column], arm: impl Fn(&Column) -> TokenStream) -> TokenStream {
    let arms = columns.iter().enumerate().map(|(index, column)| {
        let body = arm(column);
        quote!(#index => #body,)
    });
    quote!(match column { #(#arms)* _ => ::core::unreachable!("there is no such column") })
}

/// The type of a key, and the expression that clones it out of `owner`.
pub(super) fn key(columns: &[&Column], owner: &TokenStream) -> (TokenStream, TokenStream) {
    let types: Vec<_> = columns.iter().map(|column| &column.ty).collect();
    let values = columns.iter().map(|column| {
        let field = &column.field;
        quote!(::core::clone::Clone::clone(&#owner.#field))
    });
    match types.as_slice() {
        [ty] => (quote!(#ty), quote!(#(#values)*)),
        types => (quote!((#(#types),*)), quote!((#(#values),*))),
    }
}
