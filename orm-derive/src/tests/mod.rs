//! What a derive says to mistakes, and that what it generates is Rust.
//!
//! Every test goes through [`check`]. What the generated code does is tested where there is a
//! runtime, outside this crate.

mod column_type;
mod enumeration;
mod expansion;
mod keys;
mod model;
mod relationship;
mod row;
mod view;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Expr, ExprLit, Item, Lit};

use crate::errors::Errors;
use crate::expand;

type Derive = fn(&DeriveInput, &Errors) -> TokenStream;

/// Expands the input and compares the mistakes that it reports, in order. Each expected one is a
/// part of the message. Whatever the mistakes are, the expansion must parse.
#[track_caller]
fn check(derive: Derive, input: TokenStream, expected: &[&str]) -> String {
    let expansion = expand::run(input, derive);
    let file: syn::File = match syn::parse2(expansion.clone()) {
        Ok(file) => file,
        Err(error) => panic!("the expansion doesn't parse: {error}\n{expansion}"),
    };
    let found: Vec<String> = file.items.iter().filter_map(mistake).collect();
    assert_eq!(found.len(), expected.len(), "expected {expected:#?}, found {found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.contains(expected), "expected {expected:?} in {found:?}");
    }
    expansion.to_string()
}

/// The message of a `compile_error!`.
fn mistake(item: &Item) -> Option<String> {
    let Item::Macro(item) = item else { return None };
    match item.mac.parse_body() {
        Ok(Expr::Lit(ExprLit { lit: Lit::Str(message), .. })) => Some(message.value()),
        _ => None,
    }
}

/// Checks a model whose only fields are these.
#[track_caller]
fn check_fields(fields: TokenStream, expected: &[&str]) -> String {
    check(expand::derive_model, quote!(struct User { #fields }), expected)
}

/// Checks that an expansion has these tokens, in whatever spacing.
#[track_caller]
fn assert_has(expansion: &str, tokens: TokenStream) {
    assert!(expansion.contains(&tokens.to_string()), "expected {tokens} in {expansion}");
}
