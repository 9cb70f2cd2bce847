//! Stand-ins for types that can't be expanded, so that what uses them reports nothing more.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{DeriveInput, Path};

use super::block;
use crate::attr::{BaseStructAttrs, TableAttrs};
use crate::errors::Errors;
use crate::input::plain;
use crate::model::runtime;

/// An `impl Model` that compiles.
pub(super) fn model(input: &DeriveInput) -> TokenStream {
    let name = &input.ident;
    let accessors = format_ident!("__{}Accessors", plain(name));
    if !input.generics.params.is_empty() {
        return TokenStream::new(); // Its parameters would need bounds that nobody knows.
    }
    let krate = runtime(quietly(|errors| TableAttrs::parse(&input.attrs, errors).krate));
    block(
        &krate,
        &quote! {
            #[derive(::core::clone::Clone, ::core::marker::Copy)]
            pub struct #accessors(__orm::Key);

            impl __orm::Accessors for #accessors {
                fn __from_key(key: __orm::Key) -> Self {
                    Self(key)
                }
                fn __to_key(self) -> __orm::Key {
                    self.0
                }
            }

            impl __orm::Model for #name {
                type Base = __orm::NoBase;
                type Id = i64;
                type Accessors = #accessors;

                fn __table() -> &'static __orm::Table {
                    ::core::unreachable!()
                }
                fn __key(_: &__orm::NoBase, _: &Self) -> i64 {
                    ::core::unreachable!()
                }
                fn __decode(
                    _: &dyn __orm::Cells,
                    _: usize,
                ) -> ::core::result::Result<Self, __orm::ValueError> {
                    ::core::unreachable!()
                }
                fn __column(&self, _: usize) -> &dyn __orm::ColumnField {
                    ::core::unreachable!()
                }
                fn __column_mut(&mut self, _: usize) -> &mut dyn __orm::ColumnField {
                    ::core::unreachable!()
                }
                fn __relation(&self, _: usize) -> &dyn __orm::RelationField {
                    ::core::unreachable!()
                }
                fn __relation_mut(&mut self, _: usize) -> &mut dyn __orm::RelationField {
                    ::core::unreachable!()
                }
            }
        },
    )
}

/// An `impl BaseColumns` that compiles.
pub(super) fn base(input: &DeriveInput) -> TokenStream {
    let name = &input.ident;
    if !input.generics.params.is_empty() {
        return TokenStream::new();
    }
    let krate = runtime(quietly(|errors| BaseStructAttrs::parse(&input.attrs, errors).krate));
    block(
        &krate,
        &quote! {
            impl __orm::BaseColumns for #name {
                const NAMES: &'static [(&'static str, &'static str)] = &[];
                const HAS_KEY: bool = true;
                fn columns() -> ::std::vec::Vec<__orm::ColumnDef> {
                    ::core::unreachable!()
                }
                fn blank() -> Self {
                    ::core::unreachable!()
                }
                fn decode(
                    _: &dyn __orm::Cells,
                    _: usize,
                ) -> ::core::result::Result<Self, __orm::ValueError> {
                    ::core::unreachable!()
                }
                fn column(&self, _: usize) -> &dyn __orm::ColumnField {
                    ::core::unreachable!()
                }
                fn column_mut(&mut self, _: usize) -> &mut dyn __orm::ColumnField {
                    ::core::unreachable!()
                }
            }

            impl __orm::HasKey for #name {
                type Id = i64;
                fn key(&self) -> i64 {
                    ::core::unreachable!()
                }
            }
        },
    )
}

/// An `impl ColumnType` that compiles.
pub(super) fn column_type(input: &DeriveInput, krate: Option<Path>) -> TokenStream {
    let name = &input.ident;
    if !input.generics.params.is_empty() {
        return TokenStream::new();
    }
    block(
        &runtime(krate),
        &quote! {
            impl __orm::ColumnType for #name {
                const FACTS: __orm::Facts = __orm::Facts::new(__orm::SqlType::Text);
                type Nullability = __orm::NotNull;
                type Present = Self;
                type Unset<__Name> = __orm::Set;

                fn encode(&self) -> __orm::Value {
                    ::core::unreachable!()
                }
                fn decode(
                    _: &dyn __orm::Cells,
                    _: usize,
                ) -> ::core::result::Result<Self, __orm::ValueError> {
                    ::core::unreachable!()
                }
            }

            impl __orm::Placeholder for #name {
                fn placeholder(_: ::core::option::Option<&str>) -> Self {
                    ::core::unreachable!()
                }
            }
        },
    )
}

/// Reads attributes again whose mistakes are remembered already.
fn quietly<T>(read: impl FnOnce(&Errors) -> T) -> T {
    let errors = Errors::default();
    let value = read(&errors);
    errors.report();
    value
}
