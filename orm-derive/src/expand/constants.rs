//! `User::email`, `User::posts`, `User::select()`, `User::draft()` and their like.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::Ident;
use syn::spanned::Spanned;

use super::{draft, rows};
use crate::input::plain;
use crate::model::{Base, Column, Kind, Model, Relationship, RelationshipPath};
use crate::rules::can_have_constant;

pub(super) fn expand(model: &Model) -> TokenStream {
    let name = &model.item.name;
    let vis = &model.item.vis;
    let base = base_type(model);
    let in_base = match model.base {
        Base::Default => base_columns(model),
        Base::None | Base::Custom(_) => TokenStream::new(),
    };
    let columns = model
        .columns
        .iter()
        .enumerate()
        .filter(|(_, column)| can_have_constant(model, &column.field))
        .map(|(index, column)| column_constant(name, index, column));
    let relationships = model
        .relationships
        .iter()
        .enumerate()
        .filter(|(_, relationship)| can_have_constant(model, &relationship.field))
        .map(|(index, relationship)| relation_constant(name, index, relationship));
    let (draft, empty) = (draft::empty_type(model), draft::empty(model));
    let select_doc = format!("A query of `{}` rows.", plain(name));
    let update_doc = format!("An UPDATE of the `{}` rows that a filter finds.", plain(name));
    let delete_doc = format!("A DELETE of the `{}` rows that a filter finds.", plain(name));
    let insert_doc =
        format!("An INSERT of many `{}` rows, given as drafts or whole structs.", plain(name));
    let order_doc = format!(
        "The order of `{}` rows that a request asks for, as in `-created_at`, among those that are \
         offered.",
        plain(name)
    );
    let draft_doc = format!(
        "A new `{}` in the making: set what it needs, then `session.add(…)` it.",
        plain(name)
    );
    quote! {
        const __BASE: usize = <#base as __orm::BaseColumns>::COUNT;

        #[automatically_derived]
        impl #name {
            #in_base
            #(#columns)*
            #(#relationships)*

            #[doc = #select_doc]
            #[must_use]
            #vis fn select() -> __orm::Select<#name> {
                __orm::Select::<#name>::__new()
            }

            #[doc = #insert_doc]
            #vis fn insert<I>(rows: I) -> __orm::Insert<#name>
            where
                I: ::core::iter::IntoIterator<
                    Item: ::core::convert::Into<__orm::New<#name>>,
                >,
            {
                __orm::Insert::__new(rows)
            }

            #[doc = #update_doc]
            #vis fn update() -> __orm::Update<#name, __orm::Unfiltered> {
                __orm::Update::__new()
            }

            #[doc = #delete_doc]
            #vis fn delete() -> __orm::Delete<#name, __orm::Unfiltered> {
                __orm::Delete::__new()
            }

            #[doc = #order_doc]
            #vis fn order_from(
                text: &str,
                offered: &[__orm::Sortable<#name>],
            ) -> __orm::Result<::std::vec::Vec<__orm::Order<#name>>> {
                __orm::order_from(text, offered)
            }

            #[doc = #draft_doc]
            #[must_use]
            #vis fn draft() -> #draft {
                #empty
            }
        }
    }
}

/// The type of the base columns.
pub(super) fn base_type(model: &Model) -> TokenStream {
    match &model.base {
        Base::Default => quote!(__orm::Base),
        Base::None => quote!(__orm::NoBase),
        Base::Custom(ty) => quote!(#ty),
    }
}

fn base_columns(model: &Model) -> TokenStream {
    let (name, vis) = (&model.item.name, &model.item.vis);
    Base::DEFAULT_FIELDS
        .iter()
        .zip([quote!(i64), quote!(__orm::Timestamp), quote!(__orm::Timestamp)])
        .enumerate()
        .map(|(index, (field, ty))| {
            let doc = format!("The base column `{field}`.");
            let field = format_ident!("{field}");
            quote! {
                #[doc = #doc]
                #vis const #field: __orm::Column<#name, #ty> = __orm::Column::__new(#index);
            }
        })
        .collect()
}

fn column_constant(model: &Ident, index: usize, column: &Column) -> TokenStream {
    let Column { field, vis, ty, .. } = column;
    let doc = format!("The column `{}`.", column.name);
    let content = rows::content(ty);
    let facts = rows::method(ty, "FACTS");
    quote! {
        #[doc = #doc]
        #vis const #field: __orm::Column<#model, #content> =
            __orm::Column::__of(__BASE + #index, #facts);
    }
}

fn relation_constant(model: &Ident, index: usize, relationship: &Relationship) -> TokenStream {
    let Relationship { field, vis, ty, .. } = relationship;
    let nullability = nullability(relationship);
    let name = plain(field);
    let doc = format!("The relationship `{name}`.");
    let back_populates = match &relationship.back_populates {
        Some(inverse) => {
            let inverse = plain(inverse);
            quote!(::core::option::Option::Some(#inverse))
        }
        None => quote!(::core::option::Option::None),
    };
    let relation = quote_spanned!(ty.span()=> __orm::Relation<#model, #ty, #nullability>);
    quote! {
        #[doc = #doc]
        #vis const #field: #relation = __orm::Relation::__new(#index, #name, #back_populates);
    }
}

/// Whether a scalar relationship may lead nowhere: its key column's type decides.
pub(super) fn nullability(relationship: &Relationship) -> TokenStream {
    match &relationship.path {
        RelationshipPath::Via(_, Some(decides)) if relationship.kind == Kind::BelongsTo => {
            let content = rows::content(decides);
            quote_spanned!(decides.span()=> <#content as __orm::ColumnType>::Nullability)
        }
        _ => quote!(__orm::Nullable),
    }
}
