//! From validated types to tokens: one file per generated item.
//!
//! Everything generated stands in one `const _` block, in which `__orm` is
//! `orm_core::codegen_support`: it can't collide with names of the user, and it needs no prelude.
//! Only the trait of a base's columns stands beside its struct. The tokens of a field's type carry
//! the obligations that concern it, so that the compiler's errors point there.

mod accessors;
mod base;
mod base_trait;
mod column_def;
mod constants;
mod draft;
mod enumeration;
mod model;
mod newtype;
mod obligations;
mod row;
mod rows;
mod stub;
mod table;
mod view;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Path};

use crate::errors::Errors;
use crate::model::{BaseModel, Model};
use crate::{input, rules};

/// Runs a derive: its expansion, and every mistake that it found.
pub(crate) fn run(
    tokens: TokenStream,
    derive: fn(&DeriveInput, &Errors) -> TokenStream,
) -> TokenStream {
    let parsed = syn::parse2::<DeriveInput>(tokens.clone())
        .and_then(|parsed| syn::parse2::<DeriveInput>(input::replace_self(tokens, &parsed.ident)));
    match parsed {
        Ok(input) => {
            let errors = Errors::default();
            let expansion = derive(&input, &errors);
            let mistakes = errors.report();
            quote!(#mistakes #expansion)
        }
        Err(error) => error.to_compile_error(),
    }
}

/// `derive(Model)`.
pub(crate) fn derive_model(input: &DeriveInput, errors: &Errors) -> TokenStream {
    let Some(model) = Model::build(input, errors) else {
        return stub::model(input);
    };
    rules::check(&model, errors);
    let items = [
        constants::expand(&model),
        model::expand(&model),
        accessors::expand(&model),
        draft::expand(&model),
        // What is wrong already needs no second opinion.
        if errors.is_empty() { obligations::expand(&model) } else { TokenStream::new() },
    ];
    block(&model.item.krate, &quote!(#(#items)*))
}

/// `derive(BaseColumns)`.
pub(crate) fn derive_base_columns(input: &DeriveInput, errors: &Errors) -> TokenStream {
    let Some(base) = BaseModel::build(input, errors) else {
        return stub::base(input);
    };
    rules::check_base(&base, errors);
    let columns = block(&base.item.krate, &base::expand(&base));
    let columns_trait = base_trait::expand(&base);
    quote!(#columns #columns_trait)
}

/// `derive(Enum)`.
pub(crate) fn derive_enum(input: &DeriveInput, errors: &Errors) -> TokenStream {
    enumeration::expand(input, errors)
}

/// `derive(ColumnType)`.
pub(crate) fn derive_column_type(input: &DeriveInput, errors: &Errors) -> TokenStream {
    newtype::expand(input, errors)
}

/// `derive(View)`.
pub(crate) fn derive_view(input: &DeriveInput, errors: &Errors) -> TokenStream {
    view::expand(input, errors)
}

/// `derive(Row)`.
pub(crate) fn derive_row(input: &DeriveInput, errors: &Errors) -> TokenStream {
    row::expand(input, errors)
}

/// The block that generated items stand in.
fn block(krate: &Path, items: &TokenStream) -> TokenStream {
    quote! {
        #[allow(
            clippy::all, clippy::nursery, clippy::pedantic, dead_code, deprecated,
            missing_copy_implementations, missing_debug_implementations, non_camel_case_types,
            non_snake_case, non_upper_case_globals, single_use_lifetimes, unreachable_code,
            unreachable_pub, unused_lifetimes, unused_qualifications
        )]
        const _: () = {
            use #krate::codegen_support as __orm;
            #items
        };
    }
}
