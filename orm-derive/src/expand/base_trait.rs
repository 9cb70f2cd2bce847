//! `AuditedColumns`: the columns of the base `Audited` as constants of every model that has it.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::input::plain;
use crate::model::{BaseModel, Column};
use crate::rules::CONSTRUCTORS;

pub(super) fn expand(base: &BaseModel) -> TokenStream {
    let (name, vis, krate) = (&base.item.name, &base.item.vis, &base.item.krate);
    let columns_trait = format_ident!("{}Columns", plain(name));
    let doc = format!("The columns of every model with `#[orm(base = {name})]`.");
    let columns = base
        .columns
        .iter()
        .enumerate()
        .filter(|(_, column)| !CONSTRUCTORS.contains(&plain(&column.field).as_str()))
        .map(|(index, column)| {
            let Column { field, ty, .. } = column;
            let doc = format!("The base column `{}`.", column.name);
            quote! {
                #[doc = #doc]
                const #field: #krate::codegen_support::Column<Self, #ty> =
                    #krate::codegen_support::Column::__new(#index);
            }
        });
    quote! {
        #[doc = #doc]
        #[allow(dead_code, non_upper_case_globals, unreachable_pub)]
        #vis trait #columns_trait: #krate::codegen_support::Model<Base = #name> {
            #(#columns)*
        }

        #[automatically_derived]
        impl<__M: #krate::codegen_support::Model<Base = #name>> #columns_trait for __M {}
    }
}
