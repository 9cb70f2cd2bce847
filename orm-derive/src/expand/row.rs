//! `derive(Row)`: a plain struct of the rows of a query.

use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{DeriveInput, Ident, Type, Visibility};

use super::block;
use crate::attr::{row_column, row_krate};
use crate::case::Case;
use crate::errors::Errors;
use crate::input::{named_fields, plain};
use crate::model::runtime;

pub(super) fn expand(input: &DeriveInput, errors: &Errors) -> TokenStream {
    let krate = row_krate(&input.attrs, errors);
    let fields: Option<Vec<RowField>> = named_fields(input, "a struct of rows", errors)
        .map(|fields| fields.map(|(field, ident)| RowField::parse(field, ident, errors)).collect());
    if !input.generics.params.is_empty() {
        return TokenStream::new();
    }
    // Not a struct that could be one is a mistake that is reported; its stand-in has no fields.
    let is_built = fields.is_some();
    let fields = fields.unwrap_or_default();
    check(input, &fields, is_built, errors);
    let name = &input.ident;
    let plain_name = plain(name);
    let table = Case::Snake.apply(&plain_name);
    let constants = fields.iter().enumerate().map(|(index, field)| field.constant(name, index));
    let types = fields.iter().map(|field| field.ty);
    let columns = fields.iter().map(RowField::column_def);
    let read = if is_built {
        let reads = fields.iter().enumerate().map(|(index, field)| field.read(index));
        quote!(::core::result::Result::Ok(Self { #(#reads)* }))
    } else {
        quote!(::core::unreachable!())
    };
    let width = fields.len();
    let names = fields.iter().map(|field| field.field);
    let items = quote! {
        #[automatically_derived]
        impl #name {
            #(#constants)*
        }

        // A field that only its constant is used of is used all the same.
        const _: fn(&#name) = |row| {
            #(let _ = &row.#names;)*
        };

        #[automatically_derived]
        impl __orm::Origin for #name {
            fn __source() -> __orm::SourceOf {
                __orm::SourceOf::row::<Self>()
            }
        }

        #[automatically_derived]
        impl __orm::Row for #name {
            type Fields = (#(#types,)*);
            fn __table() -> &'static __orm::Table {
                static TABLE: ::std::sync::OnceLock<__orm::Table> = ::std::sync::OnceLock::new();
                TABLE.get_or_init(|| {
                    __orm::Table::of_rows(#table, #plain_name, [#(#columns),*])
                })
            }
            fn __read(
                cells: &__orm::RowCells<'_>,
            ) -> ::core::result::Result<Self, __orm::ValueError> {
                #read
            }
        }

        #[automatically_derived]
        impl __orm::RawRow for #name {
            const __WIDTH: usize = #width;
            fn __decode(
                cells: &dyn __orm::Cells,
                _: usize,
            ) -> ::core::result::Result<Self, __orm::ValueError> {
                __orm::read_by_name(cells)
            }
        }
    };
    block(&runtime(krate), &items)
}

fn check(input: &DeriveInput, fields: &[RowField], is_built: bool, errors: &Errors) {
    if is_built && fields.is_empty() {
        errors.at(&input.ident, "a struct of rows has at least one field");
    }
    let mut names = HashSet::new();
    for field in fields {
        if !names.insert(&field.column) {
            errors.at(field.field, format!("two fields are the column `{}`", field.column));
        }
    }
}

/// A field and its column.
struct RowField<'a> {
    vis: &'a Visibility,
    field: &'a Ident,
    ty: &'a Type,
    column: String,
}

impl<'a> RowField<'a> {
    fn parse(field: &'a syn::Field, ident: &'a Ident, errors: &Errors) -> Self {
        let column = row_column(&field.attrs, errors);
        let column = column.map_or_else(|| plain(ident), |column| column.value());
        Self { vis: &field.vis, field: ident, ty: &field.ty, column }
    }

    fn constant(&self, name: &Ident, index: usize) -> TokenStream {
        let Self { vis, field, ty, column } = self;
        let doc = format!("The column `{column}`.");
        quote! {
            #[doc = #doc]
            #vis const #field: __orm::Column<#name, #ty> = __orm::Column::__new(#index);
        }
    }

    fn column_def(&self) -> TokenStream {
        let (ty, column, field) = (self.ty, &self.column, plain(self.field));
        // The obligation points to the type.
        let new = quote_spanned!(ty.span()=> __orm::ColumnDef::new::<#ty>);
        quote!(#new(#field, #column))
    }

    fn read(&self, index: usize) -> TokenStream {
        let (field, column) = (self.field, &self.column);
        quote!(#field: cells.field(#index, #column)?,)
    }
}
