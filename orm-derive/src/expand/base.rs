//! `impl BaseColumns`, and `impl HasKey` where the base has the key.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::{column_def, draft, obligations, rows};
use crate::input::plain;
use crate::model::{BaseModel, Column, Fill};

pub(super) fn expand(base: &BaseModel) -> TokenStream {
    let name = &base.item.name;
    let key = base.key();
    let others = &base.others;
    let has_key = !key.is_empty();
    let (fields, names): (Vec<String>, Vec<&String>) =
        base.columns.iter().map(|column| (plain(&column.field), &column.name)).unzip();
    let columns = base.columns.iter().map(column_def::expand);
    let blanks = base.columns.iter().map(|column| {
        let field = &column.field;
        let blank = blank(column);
        quote!(#field: #blank,)
    });
    let decode = rows::decode_fields(&base.columns);
    let column = rows::field(&base.columns);
    let column_mut = rows::field_mut(&base.columns);
    let obligations = base.columns.iter().map(|column| {
        let name = plain(&column.field);
        let why = format!(
            "`{name}` is a base column, which every row has at hand: it can't be `Deferred`"
        );
        obligations::not_deferred(column, column.ty.span(), &why)
    });
    let key = has_key.then(|| {
        let (id, key) = rows::key(&key, &quote!(self));
        quote! {
            #[automatically_derived]
            impl __orm::HasKey for #name {
                type Id = #id;
                fn key(&self) -> Self::Id {
                    #key
                }
            }
        }
    });
    quote! {
        #[automatically_derived]
        impl __orm::BaseColumns for #name {
            const NAMES: &'static [(&'static str, &'static str)] = &[#((#fields, #names)),*];
            const HAS_KEY: bool = #has_key;

            fn columns() -> ::std::vec::Vec<__orm::ColumnDef> {
                <::std::vec::Vec<__orm::ColumnDef> as ::core::convert::From<_>>::from([
                    #(#columns),*
                ])
            }
            fn blank() -> Self {
                Self {
                    #(#blanks)*
                    #(#others: ::core::default::Default::default(),)*
                }
            }
            fn decode(
                cells: &dyn __orm::Cells,
                at: usize,
            ) -> ::core::result::Result<Self, __orm::ValueError> {
                ::core::result::Result::Ok(Self {
                    #decode
                    #(#others: ::core::default::Default::default(),)*
                })
            }
            fn column(&self, column: usize) -> &dyn __orm::ColumnField {
                #column
            }
            fn column_mut(&mut self, column: usize) -> &mut dyn __orm::ColumnField {
                #column_mut
            }
        }

        #(#obligations)*

        #key
    }
}

/// What a column of a pending base holds.
fn blank(column: &Column) -> TokenStream {
    let ty = &column.ty;
    match &column.fill {
        Fill::Default => {
            quote_spanned!(ty.span()=> <#ty as ::core::default::Default>::default())
        }
        Fill::Value(value) => quote!(<_ as __orm::Operand<#ty>>::into_operand(#value)),
        Fill::Version => quote!(<_ as __orm::Operand<#ty>>::into_operand(1)),
        Fill::Server(default) => {
            let default = draft::option(default.as_ref());
            quote_spanned! {ty.span()=>
                __orm::base_value(<#ty as __orm::FieldType>::when_unset(), #default)
            }
        }
        Fill::Type => quote_spanned! {ty.span()=>
            __orm::base_value(
                <#ty as __orm::FieldType>::when_unset(),
                ::core::option::Option::None,
            )
        },
    }
}
