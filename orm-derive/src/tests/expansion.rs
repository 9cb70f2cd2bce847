//! What the derives write, in full: three models, a base, an enum and a view as they are in a
//! program, so that every change of the expansion is read in a review.

use proc_macro2::TokenStream;
use quote::quote;

use super::Derive;
use crate::expand;

/// Compares the expansion, as one would have written it, with the snapshot of this name.
fn check(name: &str, derive: Derive, input: TokenStream) {
    let expansion = expand::run(input, derive);
    let file = syn::parse2(expansion).expect("the expansion is Rust");
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, prettyplease::unparse(&file));
    });
}

#[test]
fn a_model_with_relationships() {
    check(
        "user",
        expand::derive_model,
        quote! {
            pub struct User {
                #[orm(unique, length = 64)]
                pub username: String,
                #[orm(default = 0)]
                pub visits: i64,
                #[orm(back_populates = user, cascade = "all, delete-orphan")]
                pub posts: HasMany<Post>,
            }
        },
    );
}

#[test]
fn a_model_with_a_foreign_key_and_a_custom_base() {
    check(
        "post",
        expand::derive_model,
        quote! {
            #[orm(base = Audited, unique(tenant_id, title))]
            pub struct Post {
                pub title: String,
                #[orm(foreign_key(User, on_delete = "cascade"), index)]
                pub user_id: i64,
                #[orm(back_populates = posts)]
                pub user: BelongsTo<User>,
                #[orm(skip)]
                cache: Vec<u8>,
            }
        },
    );
}

#[test]
fn an_association_model() {
    check(
        "role_permission",
        expand::derive_model,
        quote! {
            #[orm(table = "rbac_role_permission", base = none)]
            pub struct RolePermission {
                #[orm(primary_key, foreign_key(Role, on_delete = "cascade"))]
                pub role_id: i64,
                #[orm(primary_key, foreign_key(Permission, on_delete = "cascade"))]
                pub permission_id: i64,
            }
        },
    );
}

#[test]
fn a_base() {
    check(
        "audited",
        expand::derive_base_columns,
        quote! {
            pub struct Audited {
                #[orm(primary_key, autoincrement)]
                pub id: i64,
                pub tenant_id: i64,
                #[orm(column = "deleted")]
                pub deleted_at: Option<DateTime<Utc>>,
            }
        },
    );
}

#[test]
fn an_enum() {
    check(
        "profession",
        expand::derive_enum,
        quote! {
            #[orm(rename_all = "snake_case")]
            pub enum Profession {
                Developer,
                #[orm(rename = "boss")]
                Manager,
            }
        },
    );
}

#[test]
fn a_view() {
    check(
        "post_out",
        expand::derive_view,
        quote! {
            #[orm(of = Post)]
            struct PostOut {
                id: i64,
                #[orm(from = user)]
                author: AuthorOut,
            }
        },
    );
}

#[test]
fn a_row() {
    check(
        "post_count",
        expand::derive_row,
        quote! {
            pub struct PostCount {
                pub user_id: i64,
                #[orm(column = "n")]
                posts: Option<i64>,
            }
        },
    );
}
