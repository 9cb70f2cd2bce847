//! `impl Model`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::{accessors, constants, rows, table};
use crate::model::{Base, Model};

pub(super) fn expand(model: &Model) -> TokenStream {
    let name = &model.item.name;
    let base = constants::base_type(model);
    let accessors = accessors::name(model);
    let (id, key) = key(model, &base);
    let table = table::expand(model);
    let decode = rows::decode_fields(&model.columns);
    let others = model.relationships.iter().map(|relationship| &relationship.field);
    let others = others.chain(&model.skipped);
    let column = rows::field(&model.columns);
    let column_mut = rows::field_mut(&model.columns);
    let shared = relation(model, &quote!(&));
    let exclusive = relation(model, &quote!(&mut));
    let hooked = model.hooks.as_ref().map(|_| {
        quote! {
            #[automatically_derived]
            impl __orm::Hooked for #name {}
        }
    });
    quote! {
        #hooked
        #[automatically_derived]
        impl __orm::Model for #name {
            type Base = #base;
            type Id = #id;
            type Accessors = #accessors;

            fn __table() -> &'static __orm::Table {
                static TABLE: ::std::sync::OnceLock<__orm::Table> =
                    ::std::sync::OnceLock::new();
                TABLE.get_or_init(|| #table)
            }
            #key
            fn __decode(
                cells: &dyn __orm::Cells,
                at: usize,
            ) -> ::core::result::Result<Self, __orm::ValueError> {
                ::core::result::Result::Ok(Self {
                    #decode
                    #(#others: ::core::default::Default::default(),)*
                })
            }
            fn __column(&self, column: usize) -> &dyn __orm::ColumnField {
                #column
            }
            fn __column_mut(&mut self, column: usize) -> &mut dyn __orm::ColumnField {
                #column_mut
            }
            fn __relation(&self, relation: usize) -> &dyn __orm::RelationField {
                #shared
            }
            fn __relation_mut(&mut self, relation: usize) -> &mut dyn __orm::RelationField {
                #exclusive
            }
        }
    }
}

/// The type of the primary key, and the function that takes it from the base or the model.
fn key(model: &Model, base: &TokenStream) -> (TokenStream, TokenStream) {
    let own = model.own_key();
    let (id, key) = match &model.base {
        // A missing key is a mistake that is reported; any key will do.
        Base::None if own.is_empty() => {
            (quote!(i64), quote!(::core::unreachable!("there is no primary key")))
        }
        _ if !own.is_empty() => rows::key(&own, &quote!(model)),
        // All of it stands at the base, whose mistake it is if it has no key.
        Base::Custom(ty) => {
            return (
                quote_spanned!(ty.span()=> <#base as __orm::HasKey>::Id),
                quote_spanned! {ty.span()=>
                    fn __key(base: &#base, _: &Self) -> <#base as __orm::HasKey>::Id {
                        <#base as __orm::HasKey>::key(base)
                    }
                },
            );
        }
        _ => (quote!(<#base as __orm::HasKey>::Id), quote!(__orm::HasKey::key(base))),
    };
    let function = quote! {
        fn __key(base: &#base, model: &Self) -> #id {
            #key
        }
    };
    (id, function)
}

fn relation(model: &Model, reference: &TokenStream) -> TokenStream {
    let arms = model.relationships.iter().enumerate().map(|(index, relationship)| {
        let field = &relationship.field;
        quote!(#index => #reference self.#field,)
    });
    quote!(match relation { #(#arms)* _ => ::core::unreachable!("there is no such relationship") })
}
