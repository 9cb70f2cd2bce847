//! What handles of the model dereference to: one method per relationship.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::Ident;
use syn::spanned::Spanned;

use super::constants;
use crate::input::plain;
use crate::model::{Model, Relationship};
use crate::rules::can_have_constant;

/// The name of the accessors' type.
pub(super) fn name(model: &Model) -> Ident {
    format_ident!("__{}Accessors", plain(&model.item.name))
}

pub(super) fn expand(model: &Model) -> TokenStream {
    let name = name(model);
    let methods = model
        .relationships
        .iter()
        .filter(|relationship| can_have_constant(model, &relationship.field))
        .map(|relationship| accessor(&model.item.name, relationship));
    quote! {
        #[derive(::core::clone::Clone, ::core::marker::Copy)]
        pub struct #name(__orm::Key);

        #[automatically_derived]
        impl __orm::Accessors for #name {
            fn __from_key(key: __orm::Key) -> Self {
                Self(key)
            }
            fn __to_key(self) -> __orm::Key {
                self.0
            }
        }

        #[automatically_derived]
        impl #name {
            #(#methods)*
        }
    }
}

fn accessor(model: &Ident, relationship: &Relationship) -> TokenStream {
    let Relationship { field, vis, ty, .. } = relationship;
    let name = plain(field);
    let (result, doc) = if relationship.kind.is_to_many() {
        let doc = format!("The collection `{name}`: edits it, awaits to its members, queries it.");
        (quote_spanned!(ty.span()=> __orm::Collection<'_, #model, #ty>), doc)
    } else {
        let nullability = constants::nullability(relationship);
        let doc = format!("The reference `{name}`: edits it, awaits to where it leads.");
        (quote_spanned!(ty.span()=> __orm::Reference<'_, #model, #ty, #nullability>), doc)
    };
    let constructor =
        if relationship.kind.is_to_many() { quote!(Collection) } else { quote!(Reference) };
    quote! {
        #[doc = #doc]
        #vis fn #field(self, session: &mut __orm::Session) -> #result {
            __orm::#constructor::__new(session, self.0, <#model>::#field)
        }
    }
}
