//! Reading and writing columns by position: what models and bases have in common.
//!
//! All of it carries the span of the field's type, so that a type that is none of a column's is
//! one error there and not several elsewhere.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use crate::model::Column;

/// `field: <T as FieldType>::decode(cells, at + 0)?, …`
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

/// The body of the method that gives the field of a column.
pub(super) fn field(columns: &[Column]) -> TokenStream {
    by_index(columns, "__field", &quote!(&))
}

/// The body of the method that gives the field of a column to be changed.
pub(super) fn field_mut(columns: &[Column]) -> TokenStream {
    by_index(columns, "__field_mut", &quote!(&mut))
}

fn by_index(columns: &[Column], name: &str, reference: &TokenStream) -> TokenStream {
    let arms = columns.iter().enumerate().map(|(index, column)| {
        let (field, method) = (&column.field, method(&column.ty, name));
        quote!(#index => #method(#reference self.#field),)
    });
    quote!(match column { #(#arms)* _ => ::core::unreachable!("there is no such column") })
}

/// A function, or a constant, of a field's type.
pub(super) fn method(ty: &Type, name: &str) -> TokenStream {
    let name = Ident::new(name, Span::call_site());
    quote_spanned!(ty.span()=> <#ty as __orm::FieldType>::#name)
}

/// The type of what a field holds, which is that of the column.
pub(super) fn content(ty: &Type) -> TokenStream {
    quote_spanned!(ty.span()=> <#ty as __orm::FieldType>::Content)
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
