//! Where a derive collects its mistakes.

use std::cell::{Cell, RefCell};
use std::fmt::Display;

use proc_macro2::TokenStream;
use quote::ToTokens;

/// The mistakes found so far. They must be reported: dropping them unreported panics.
#[derive(Default)]
pub(crate) struct Errors {
    found: RefCell<Vec<syn::Error>>,
    reported: Cell<bool>,
}

impl Errors {
    /// Remembers a mistake in these tokens.
    pub(crate) fn at(&self, tokens: impl ToTokens, message: impl Display) {
        self.push(syn::Error::new_spanned(tokens, message));
    }

    /// Remembers an error of the parser.
    pub(crate) fn push(&self, error: syn::Error) {
        self.found.borrow_mut().push(error);
    }

    /// The result, or nothing after remembering its error.
    pub(crate) fn ok<T>(&self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// Whether there is no mistake so far.
    pub(crate) fn is_empty(&self) -> bool {
        self.found.borrow().is_empty()
    }

    /// Every mistake as a `compile_error!`.
    pub(crate) fn report(&self) -> TokenStream {
        self.reported.set(true);
        self.found.take().iter().map(syn::Error::to_compile_error).collect()
    }
}

impl Drop for Errors {
    fn drop(&mut self) {
        if !self.reported.get() && !std::thread::panicking() {
            panic!("a derive dropped its errors without reporting them");
        }
    }
}
