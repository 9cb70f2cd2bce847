//! The description of the table.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Ident;
use syn::spanned::Spanned;

use super::column_def;
use crate::attr::{Cascades, ColumnRef};
use crate::input::plain;
use crate::model::{ColumnGroup, ForeignKey, Model, Relationship, RelationshipPath};

/// The expression that builds the table.
pub(super) fn expand(model: &Model) -> TokenStream {
    let (ty, table, name) = (&model.item.name, &model.table, plain(&model.item.name));
    let schema = model.schema.iter();
    let comment = model.comment.iter();
    let columns = model.columns.iter().map(column_def::expand);
    let foreign_keys = model.foreign_keys.iter().map(foreign_key);
    let uniques = model.uniques.iter().map(group);
    let indexes = model.indexes.iter().map(group);
    let checks = &model.checks;
    let relationships = model.relationships.iter().map(|it| relationship(ty, it));
    // What is missing if it has none is told at the key that asks for them.
    let hooks = model.hooks.iter().map(|key| {
        let mut model = ty.clone();
        model.set_span(key.span());
        model
    });
    quote! {
        __orm::TableBuilder::new::<#ty>(#table, #name)
            #(.schema(#schema))*
            #(.comment(#comment))*
            #(.column(#columns))*
            #(#foreign_keys)*
            #(.unique(#uniques))*
            #(.index(#indexes))*
            #(.check(#checks))*
            #(.relationship(#relationships))*
            #(.hooks::<#hooks>())*
            .build()
    }
}

fn foreign_key(key: &ForeignKey) -> TokenStream {
    let fields = names(&key.fields);
    let model = &key.model;
    let table = quote_spanned!(model.span()=> <#model as __orm::Model>::__table);
    let target = if key.references.is_empty() {
        quote!(__orm::Target::PrimaryKey(#table))
    } else {
        let references = names(&key.references);
        quote!(__orm::Target::Fields(#table, #references))
    };
    let [on_delete, on_update] = [&key.actions.on_delete, &key.actions.on_update].map(|action| {
        let variant = action.as_ref().map_or("NoAction", |(_, variant)| variant);
        Ident::new(variant, Span::call_site())
    });
    let deferrable = key.actions.deferrable.iter().map(|_| quote!(.deferrable()));
    quote! {
        .foreign_key(#fields, #target, __orm::Action::#on_delete, __orm::Action::#on_update)
        #(#deferrable)*
    }
}

fn group(group: &ColumnGroup) -> TokenStream {
    let fields = names(&group.fields);
    match &group.name {
        Some(name) => quote!(#fields, ::core::option::Option::Some(#name)),
        None => quote!(#fields, ::core::option::Option::None),
    }
}

fn relationship(model: &Ident, relationship: &Relationship) -> TokenStream {
    let name = plain(&relationship.field);
    let kind = Ident::new(relationship.kind.name(), Span::call_site());
    let target = &relationship.target;
    let target_table = quote_spanned!(target.span()=> <#target as __orm::Model>::__table);
    let path = path(&relationship.path);
    let back_populates = relationship.back_populates.as_ref().map(plain).into_iter();
    let strategy = relationship.strategy.map(|it| Ident::new(it, Span::call_site())).into_iter();
    let cascades = relationship.cascades.map(cascades).into_iter();
    let order = relationship.order_by.iter();
    let passive_deletes = match relationship.never_deletes {
        true => "never_deletes",
        false => "passive_deletes",
    };
    let flags = [
        ("passive_deletes", passive_deletes),
        ("single_parent", "single_parent"),
        ("post_update", "post_update"),
        ("viewonly", "view_only"),
    ];
    let flags = flags
        .iter()
        .filter(|(key, _)| relationship.given.has(key))
        .map(|(_, method)| Ident::new(method, Span::call_site()));
    quote! {
        __orm::Relationship::new(
            #name,
            __orm::RelationshipKind::#kind,
            <#model as __orm::Model>::__table,
            #target_table,
            #path,
        )
        #(.back_populates(#back_populates))*
        #(.strategy(__orm::Strategy::#strategy))*
        #(.cascade(#cascades))*
        #(.order_by(|| __orm::order::<#target>(#order)))*
        #(.#flags())*
    }
}

fn path(path: &RelationshipPath) -> TokenStream {
    match path {
        RelationshipPath::Via(fields, _) => {
            let fields = names(fields);
            quote!(__orm::Path::Via(#fields))
        }
        RelationshipPath::ForeignKey(columns) => {
            let fields = field_names(columns);
            quote!(__orm::Path::ForeignKey(#fields))
        }
        RelationshipPath::Inverse => quote!(__orm::Path::Inverse),
        RelationshipPath::Secondary(model, here, there) => {
            let table = quote_spanned!(model.span()=> <#model as __orm::Model>::__table);
            let (here, there) = (field_names(here), field_names(there));
            quote!(__orm::Path::Secondary(#table, #here, #there))
        }
        RelationshipPath::PairTable(name) => quote!(__orm::Path::PairTable(#name)),
    }
}

fn cascades(cascades: Cascades) -> TokenStream {
    let Cascades { all, save_update, merge, delete, delete_orphan, refresh_expire, expunge } =
        cascades;
    let fields = [
        ("save_update", save_update && !all),
        ("merge", merge && !all),
        ("delete", delete && !all),
        ("delete_orphan", delete_orphan),
        ("refresh_expire", refresh_expire && !all),
        ("expunge", expunge && !all),
    ];
    let fields = fields
        .iter()
        .filter(|(_, set)| *set)
        .map(|(field, _)| Ident::new(field, Span::call_site()));
    let rest = if all { quote!(ALL) } else { quote!(NONE) };
    quote!(__orm::Cascade { #(#fields: true,)* ..__orm::Cascade::#rest })
}

fn names(fields: &[Ident]) -> TokenStream {
    let names = fields.iter().map(plain);
    quote!(&[#(#names),*])
}

fn field_names(columns: &[ColumnRef]) -> TokenStream {
    let names = columns.iter().map(|column| plain(&column.field));
    quote!(&[#(#names),*])
}
