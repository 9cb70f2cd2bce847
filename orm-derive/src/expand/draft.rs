//! The draft: a builder whose type says which required columns are set.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Ident;
use syn::spanned::Spanned;

use super::rows::{content, method};
use crate::input::plain;
use crate::model::{Column, Fill, Model, Relationship};
use crate::rules::can_have_constant;

/// The name of the draft's type.
pub(super) fn name(model: &Model) -> Ident {
    format_ident!("__{}Draft", plain(&model.item.name))
}

/// The name of the type that holds what was set so far.
fn columns_name(model: &Model) -> Ident {
    format_ident!("__{}Columns", plain(&model.item.name))
}

/// The type of a draft in which nothing is set.
pub(super) fn empty_type(model: &Model) -> TokenStream {
    let draft = name(model);
    let states = stateful(model).map(|column| {
        let (ty, marker) = (&column.ty, marker(model, column));
        quote_spanned!(ty.span()=> <#ty as __orm::FieldType>::Unset<__required::#marker>)
    });
    quote!(#draft<#(#states),*>)
}

/// The expression of a draft in which nothing is set.
pub(super) fn empty(model: &Model) -> TokenStream {
    let (draft, columns) = (name(model), columns_name(model));
    let fields = settable(model).map(|column| &column.field);
    quote! {
        #draft {
            columns: #columns { #(#fields: ::core::option::Option::None,)* },
            links: ::core::default::Default::default(),
            state: ::core::marker::PhantomData,
        }
    }
}

/// Columns that can be set.
fn settable(model: &Model) -> impl Iterator<Item = &Column> {
    model.columns.iter().filter(|column| !matches!(column.fill, Fill::Version))
}

/// Columns whose type decides whether they must be set. Each has a type parameter.
fn stateful(model: &Model) -> impl Iterator<Item = &Column> {
    model.columns.iter().filter(|column| matches!(column.fill, Fill::Type))
}

pub(super) fn expand(model: &Model) -> TokenStream {
    let draft = name(model);
    let columns_type = columns_name(model);
    let states: Vec<Ident> =
        (0..stateful(model).count()).map(|index| format_ident!("__S{index}")).collect();
    let markers = stateful(model).map(|column| marker(model, column));
    let fields: Vec<&Ident> = settable(model).map(|column| &column.field).collect();
    let types = settable(model).map(|column| &column.ty);
    let setters = column_setters(model, &draft, &states);
    let relationships = model
        .relationships
        .iter()
        .filter(|it| !it.given.has("viewonly") && can_have_constant(model, &it.field))
        .map(|it| relationship_setter(&model.item.name, it));
    let finish = finish(model, &columns_type);
    let conversions = conversions(model, &draft, &states);
    let model = &model.item.name;
    quote! {
        mod __required {
            #(pub enum #markers {})*
        }

        struct #columns_type {
            #(#fields: ::core::option::Option<#types>,)*
        }

        #finish

        #[must_use = "a draft is nothing until it is added to a session"]
        pub struct #draft<#(#states),*> {
            columns: #columns_type,
            links: __orm::Links<#model>,
            state: ::core::marker::PhantomData<fn() -> (#(#states,)*)>,
        }

        #[automatically_derived]
        impl<#(#states),*> #draft<#(#states),*> {
            #(#setters)*
            #(#relationships)*
        }

        #conversions
    }
}

/// The state of a column that must be set and isn't. The compiler prints it, and without a path as
/// long as the name is the only one of its kind in the crate.
fn marker(model: &Model, column: &Column) -> Ident {
    format_ident!("{}_of_{}", plain(&column.field), plain(&model.item.name))
}

fn column_setters(model: &Model, draft: &Ident, states: &[Ident]) -> Vec<TokenStream> {
    let mut at = 0;
    settable(model)
        .map(|column| {
            let Column { field, vis, ty, .. } = column;
            let doc = format!("Sets `{}`.", plain(field));
            if !matches!(column.fill, Fill::Type) {
                return quote! {
                    #[doc = #doc]
                    #vis fn #field(mut self, value: impl __orm::FieldOperand<#ty>) -> Self {
                        self.columns.#field =
                            ::core::option::Option::Some(__orm::FieldOperand::into_field(value));
                        self
                    }
                };
            }
            let after = states.iter().enumerate().map(|(index, state)| {
                if index == at { quote!(__orm::Set) } else { quote!(#state) }
            });
            let setter = quote! {
                #[doc = #doc]
                #vis fn #field(
                    mut self,
                    value: impl __orm::FieldOperand<#ty>,
                ) -> #draft<#(#after),*> {
                    self.columns.#field =
                        ::core::option::Option::Some(__orm::FieldOperand::into_field(value));
                    #draft {
                        columns: self.columns,
                        links: self.links,
                        state: ::core::marker::PhantomData,
                    }
                }
            };
            at += 1;
            setter
        })
        .collect()
}

fn relationship_setter(model: &Ident, relationship: &Relationship) -> TokenStream {
    let Relationship { field, vis, target, .. } = relationship;
    let name = plain(field);
    let member = quote_spanned! {target.span()=>
        ::core::convert::Into<__orm::Member<#target>>
    };
    if relationship.kind.is_to_many() {
        let doc = format!("Adds to `{name}`: drafts, structs or handles.");
        quote! {
            #[doc = #doc]
            #vis fn #field<__I>(mut self, members: __I) -> Self
            where
                __I: ::core::iter::IntoIterator,
                __I::Item: #member,
            {
                self.links.many(<#model>::#field, members);
                self
            }
        }
    } else {
        let doc = format!("Sets `{name}`: a draft, a struct or a handle.");
        quote! {
            #[doc = #doc]
            #vis fn #field(mut self, member: impl #member) -> Self {
                self.links.one(<#model>::#field, member);
                self
            }
        }
    }
}

/// What was set, as a struct if all that is required was, and as values: the same for every state of
/// the draft.
fn finish(model: &Model, columns_type: &Ident) -> TokenStream {
    // Names that the expressions of `default = …` can't see.
    let [columns, unset] = ["columns", "unset"].map(|name| Ident::new(name, Span::mixed_site()));
    let fields = model.columns.iter().enumerate().map(|(index, column)| {
        let field = &column.field;
        let given = match column.fill {
            Fill::Version => quote!(::core::option::Option::None),
            _ => quote!(#columns.#field),
        };
        let blank = blank(column);
        quote!(#field: #unset.column(#index, #given, #blank)?,)
    });
    let others = model.relationships.iter().map(|relationship| &relationship.field);
    let others = others.chain(&model.skipped);
    let given = model.columns.iter().enumerate().filter_map(|(index, column)| {
        let field = &column.field;
        let encode = method(&column.ty, "encode");
        (!matches!(column.fill, Fill::Version))
            .then(|| quote!(given.column(#index, self.#field.as_ref().map(#encode));))
    });
    let name = &model.item.name;
    quote! {
        impl #columns_type {
            fn finish(self, #unset: &mut __orm::Unset) -> ::core::option::Option<#name> {
                let #columns = self;
                ::core::option::Option::Some(#name {
                    #(#fields)*
                    #(#others: ::core::default::Default::default(),)*
                })
            }
            fn given(&self) -> __orm::Given {
                let mut given = __orm::Given::new();
                #(#given)*
                given
            }
        }
    }
}

fn conversions(model: &Model, draft: &Ident, states: &[Ident]) -> TokenStream {
    let name = &model.item.name;
    quote! {
        #[automatically_derived]
        impl<#(#states: __orm::IsSet),*> ::core::convert::From<#draft<#(#states),*>>
            for __orm::New<#name>
        {
            fn from(draft: #draft<#(#states),*>) -> Self {
                let mut unset = __orm::Unset::new();
                let model = draft.columns.finish(&mut unset);
                __orm::New::__from_draft(model, unset, draft.links)
            }
        }

        #[automatically_derived]
        impl<#(#states: __orm::IsSet),*> ::core::convert::From<#draft<#(#states),*>>
            for __orm::Member<#name>
        {
            fn from(draft: #draft<#(#states),*>) -> Self {
                let new: __orm::New<#name> = ::core::convert::From::from(draft);
                ::core::convert::From::from(new)
            }
        }

        #[automatically_derived]
        impl<#(#states),*> __orm::Draft<#name> for #draft<#(#states),*> {
            fn __into_partial(self) -> __orm::Partial<#name> {
                let given = self.columns.given();
                let mut unset = __orm::Unset::new();
                let model = self.columns.finish(&mut unset);
                __orm::Partial::__from_draft(model, given, unset, self.links)
            }
        }

        #[automatically_derived]
        impl<#(#states),*> __orm::Merge<#name> for #draft<#(#states),*> {
            fn __into_merged(self, _: &__orm::Session) -> __orm::MergedMember {
                __orm::merge_draft(self)
            }
        }

        // Not for every model at once: a draft with a column missing must not fail to be a model.
        #[automatically_derived]
        impl ::core::convert::From<#name> for __orm::New<#name> {
            fn from(model: #name) -> Self {
                __orm::New::__from_struct(model)
            }
        }

        #[automatically_derived]
        impl ::core::convert::From<#name> for __orm::Member<#name> {
            fn from(model: #name) -> Self {
                let new: __orm::New<#name> = ::core::convert::From::from(model);
                ::core::convert::From::from(new)
            }
        }
    }
}

/// What gives the value of a column that the draft left out, if it may be.
fn blank(column: &Column) -> TokenStream {
    let ty = &column.ty;
    let blank = match &column.fill {
        Fill::Type => {
            return method(ty, "when_unset");
        }
        Fill::Default => {
            let content = content(ty);
            let default =
                quote_spanned!(ty.span()=> <#content as ::core::default::Default>::default());
            quote!(__orm::default_for::<#ty>(#default))
        }
        Fill::Value(value) => quote!(__orm::default_for::<#ty>(#value)),
        Fill::Version => quote!(__orm::default_for::<#ty>(1)),
        Fill::Server(default) => {
            let default = option(default.as_ref());
            quote_spanned!(ty.span()=> __orm::left_to_server::<#ty>(#default))
        }
    };
    quote!(|| ::core::option::Option::Some(#blank))
}

/// An `Option` of a string.
pub(super) fn option(text: Option<&syn::LitStr>) -> TokenStream {
    match text {
        Some(text) => quote!(::core::option::Option::Some(#text)),
        None => quote!(::core::option::Option::None),
    }
}
