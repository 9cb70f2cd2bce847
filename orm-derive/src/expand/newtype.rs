//! `derive(ColumnType)`: a newtype as a reusable description of a column.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Fields, Ident, Type};

use super::{block, draft, stub};
use crate::attr::{DefaultAttr, NewtypeAttrs};
use crate::errors::Errors;
use crate::input::{no_generics, spelled};
use crate::model::runtime;
use crate::rules;

pub(super) fn expand(input: &DeriveInput, errors: &Errors) -> TokenStream {
    let attrs = NewtypeAttrs::parse(&input.attrs, errors);
    rules::check_decimal(&attrs.given, attrs.precision, attrs.scale, errors);
    let Some(inner) = inner(input, errors) else {
        return stub::column_type(input, attrs.krate);
    };
    let name = &input.ident;
    let items = [column_type(name, inner, &attrs), others(name, inner), not_nullable(name, inner)];
    block(&runtime(attrs.krate), &quote!(#(#items)*))
}

/// The type of the only field.
fn inner<'a>(input: &'a DeriveInput, errors: &Errors) -> Option<&'a Type> {
    let inner = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => fields.unnamed.first(),
            _ => None,
        },
        _ => None,
    };
    if inner.is_none() {
        errors.at(
            &input.ident,
            "a column type must be a struct around one value, as in `struct Username(String);`",
        );
    }
    if !no_generics(input, "a column type", errors) {
        return None;
    }
    inner.map(|field| &field.ty)
}

fn column_type(name: &Ident, inner: &Type, attrs: &NewtypeAttrs) -> TokenStream {
    let facts = facts(inner, attrs);
    let unset = when_unset(inner, attrs);
    let state = if unset.is_some() { quote!(__orm::Set) } else { quote!(__Name) };
    let when_unset = unset.map(|blank| {
        quote! {
            fn when_unset() -> ::core::option::Option<__orm::Blank<Self>> {
                ::core::option::Option::Some(#blank)
            }
        }
    });
    quote! {
        #[automatically_derived]
        impl __orm::ColumnType for #name {
            const FACTS: __orm::Facts = #facts;
            type Nullability = __orm::NotNull;
            type Present = Self;
            type Unset<__Name> = #state;

            fn encode(&self) -> __orm::Value {
                __orm::ColumnType::encode(&self.0)
            }
            fn decode(
                cells: &dyn __orm::Cells,
                at: usize,
            ) -> ::core::result::Result<Self, __orm::ValueError> {
                ::core::result::Result::Ok(Self(__orm::ColumnType::decode(cells, at)?))
            }
            #when_unset
            fn normalize(&mut self) {
                __orm::ColumnType::normalize(&mut self.0);
            }
        }
    }
}

/// The facts of the inner type, and what the attributes add.
fn facts(inner: &Type, attrs: &NewtypeAttrs) -> TokenStream {
    let inner = quote_spanned!(inner.span()=> <#inner as __orm::ColumnType>::FACTS);
    let mut facts = inner.clone();
    for flag in ["unique", "index"] {
        if attrs.given.has(flag) {
            let method = Ident::new(flag, Span::call_site());
            facts.extend(quote!(.#method()));
        }
    }
    if let Some(length) = attrs.length {
        facts.extend(quote!(.length(#length)));
    }
    if attrs.precision.is_some() || attrs.scale.is_some() {
        let digits = |digits: Option<u32>, inherited: TokenStream| match digits {
            Some(digits) => quote!(::core::option::Option::Some(#digits)),
            None => inherited,
        };
        let precision = digits(attrs.precision, quote!(#inner.precision));
        let scale = digits(attrs.scale, quote!(#inner.scale));
        facts.extend(quote!(.decimal(#precision, #scale)));
    }
    let texts = [
        ("check", &attrs.check),
        ("server_default", &attrs.server_default),
        ("comment", &attrs.comment),
    ];
    for (method, text) in texts {
        if let Some(text) = text {
            let method = Ident::new(method, Span::call_site());
            facts.extend(quote!(.#method(#text)));
        }
    }
    facts
}

/// What a draft that leaves the column out writes, if it may.
fn when_unset(inner: &Type, attrs: &NewtypeAttrs) -> Option<TokenStream> {
    match (&attrs.default, &attrs.server_default) {
        (Some(default), _) => {
            let value = match default {
                DefaultAttr::OfType => {
                    let value = quote_spanned! {inner.span()=>
                        <#inner as ::core::default::Default>::default()
                    };
                    quote!(Self(#value))
                }
                DefaultAttr::Expr(value) => value.to_token_stream(),
            };
            Some(quote!(__orm::default_for::<Self>(#value)))
        }
        (None, Some(default)) => {
            let default = draft::option(Some(default));
            Some(quote!(__orm::left_to_server::<Self>(#default)))
        }
        (None, None) => None,
    }
}

/// What the newtype can do where its inner type can. The bounds are written so that they matter
/// where they are used, not here.
fn others(name: &Ident, inner: &Type) -> TokenStream {
    quote! {
        #[automatically_derived]
        impl __orm::Placeholder for #name
        where
            for<'__a> #inner: __orm::Placeholder,
        {
            fn placeholder(server_default: ::core::option::Option<&str>) -> Self {
                Self(<#inner as __orm::Placeholder>::placeholder(server_default))
            }
        }

        #[automatically_derived]
        impl __orm::ArrayElement for #name
        where
            for<'__a> #inner: __orm::ArrayElement,
        {
            const ELEMENT: &'static __orm::SqlType = <#inner as __orm::ArrayElement>::ELEMENT;
        }

        #[automatically_derived]
        impl __orm::Operand<#name> for #inner {
            fn into_operand(self) -> #name {
                #name(self)
            }
        }

        #[automatically_derived]
        impl<'__a> __orm::Operand<#name> for &'__a str
        where
            #inner: ::core::convert::From<&'__a str>,
        {
            fn into_operand(self) -> #name {
                #name(::core::convert::From::from(self))
            }
        }
    }
}

/// The `Option` belongs around the newtype, where a field decides.
fn not_nullable(name: &Ident, inner: &Type) -> TokenStream {
    let message = format!(
        "`{name}` can't hold an `Option`: make it `struct {name}(T);` and use `Option<{name}>` in \
         the model (its inner type is `{}`)",
        spelled(inner)
    );
    quote_spanned! {inner.span()=>
        const _: () =
            ::core::assert!(!<#inner as __orm::ColumnType>::FACTS.nullable, #message);
    }
}
