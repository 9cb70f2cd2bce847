//! Structs, columns, keys and bases.

use quote::quote;

use super::{assert_has, check, check_fields};
use crate::expand;

#[test]
fn a_model_of_the_guide_expands() {
    let expansion = check(
        expand::derive_model,
        quote! {
            pub struct BlogPost {
                #[orm(unique, length = 64)]
                pub title: String,
                #[orm(default)]
                pub body: String,
                #[orm(default = 1 + 1, server_default = "2", column = "n")]
                pub number: i64,
                #[orm(foreign_key(User, on_delete = "cascade"), index)]
                pub user_id: i64,
                #[orm(back_populates = posts)]
                pub user: BelongsTo<User>,
                #[orm(version)]
                lock: i32,
                #[orm(skip)]
                cache: Vec<u8>,
            }
        },
        &[],
    );
    assert_has(&expansion, quote!(__orm::TableBuilder::new::<BlogPost>("blogposts", "BlogPost")));
    let facts = quote!(<String as __orm::FieldType>::FACTS);
    assert_has(&expansion, quote!(("title", "title", #facts).unique().length(64u32)));
    let facts = quote!(<i64 as __orm::FieldType>::FACTS);
    assert_has(&expansion, quote!(("number", "n", #facts).with_default().server_default("2")));
    assert_has(&expansion, quote!(__orm::Path::Via(&["user_id"])));
    assert_has(&expansion, quote!(__orm::Action::Cascade, __orm::Action::NoAction));
    // Of all columns only the title may have to be set.
    assert_has(
        &expansion,
        quote!(
            mod __required {
                pub enum title_of_BlogPost {}
            }
        ),
    );
}

#[test]
fn hooks_are_two_lines() {
    let expansion = check(
        expand::derive_model,
        quote! {
            #[orm(hooks)]
            struct User { name: String }
        },
        &[],
    );
    assert_has(&expansion, quote!(impl __orm::Hooked for User {}));
    assert_has(&expansion, quote!(.hooks::<User>().build()));
    assert!(!check_fields(quote!(name: String), &[]).contains("ook"), "no hooks, no tokens");
    check(
        expand::derive_model,
        quote! {
            #[orm(hooks, hooks)]
            struct User { name: String }
        },
        &["`hooks` is given twice"],
    );
}

#[test]
fn no_columns_is_fine() {
    check_fields(quote!(), &[]);
}

#[test]
fn only_plain_structs_are_models() {
    for (input, expected) in [
        (
            quote!(
                struct User(i64);
            ),
            "a model must be a struct with named fields",
        ),
        (
            quote!(
                struct User;
            ),
            "a model must be a struct with named fields",
        ),
        (
            quote!(
                enum User {
                    A,
                }
            ),
            "a model must be a struct with named fields",
        ),
        (quote!(union User { a: i64 }), "a model must be a struct with named fields"),
        (
            quote!(
                struct User<T> {
                    a: T,
                }
            ),
            "a model can't be generic",
        ),
        (
            quote!(
                struct User
                where
                    i64: Copy,
                {
                    a: i64,
                }
            ),
            "a model can't be generic",
        ),
    ] {
        check(expand::derive_model, input, &[expected]);
    }
}

#[test]
fn names_of_our_own_are_taken() {
    check_fields(
        quote! {
            select: String,
            r#delete: String,
            created_at: String,
            #[orm(column = "id")]
            number: i64,
        },
        &[
            "keep the column's with `#[orm(column = \"select\")]`",
            "keep the column's with `#[orm(column = \"delete\")]`",
            "`created_at` is a column of the default base",
            "the column is named \"id\", as that of the `id` of the base is",
        ],
    );
}

#[test]
fn column_names_are_unique() {
    check(
        expand::derive_model,
        quote! {
            #[orm(rename_all = "camelCase")]
            struct User { first_name: String, #[orm(column = "firstName")] other: String }
        },
        &["the column is named \"firstName\", as that of `first_name` is"],
    );
}

#[test]
fn a_key_is_in_the_base_or_in_the_struct() {
    check_fields(
        quote!(#[orm(primary_key)] code: String),
        &["add `#[orm(base = none)]` to the struct"],
    );
    check(
        expand::derive_model,
        quote!(
            #[orm(base = none)]
            struct User {
                name: String,
            }
        ),
        &["`User` has no primary key: mark a field `#[orm(primary_key)]`"],
    );
    let expansion = check(
        expand::derive_model,
        quote! {
            #[orm(base = none)]
            struct Line { #[orm(primary_key)] order: i64, #[orm(primary_key)] no: i32 }
        },
        &[],
    );
    assert_has(
        &expansion,
        quote!(
            type Id = (i64, i32);
        ),
    );
    let expansion = check(
        expand::derive_model,
        quote!(
            #[orm(base = Audited)]
            struct User {
                #[orm(primary_key)]
                code: String,
            }
        ),
        &[],
    );
    assert_has(&expansion, quote!(!<Audited as __orm::BaseColumns>::HAS_KEY));
}

#[test]
fn groups_are_of_columns() {
    check(
        expand::derive_model,
        quote! {
            #[orm(unique(name, emial), index(id, name, name, name = "by_name"), unique())]
            struct User { name: String, email: String }
        },
        &[
            "`unique` names no field",
            "`User` has no column `emial`: did you mean `email`?",
            "`name` is named twice",
        ],
    );
    // What a custom base has is known to the runtime only.
    check(
        expand::derive_model,
        quote!(
            #[orm(base = Tenant, unique(tenant_id, name))]
            struct User {
                name: String,
            }
        ),
        &[],
    );
}

#[test]
fn deferrable_foreign_keys() {
    let expansion = check(
        expand::derive_model,
        quote! {
            #[orm(foreign_key(a => Line::order_id, b => Line::no, deferrable, on_delete = "cascade"))]
            struct Part {
                a: i64,
                b: i32,
                #[orm(foreign_key(User, on_update = "no action", deferrable))]
                user_id: i64,
                #[orm(foreign_key = User)]
                other_id: i64,
            }
        },
        &[],
    );
    assert_has(&expansion, quote!(__orm::Action::Cascade, __orm::Action::NoAction));
    assert_eq!(expansion.matches(". deferrable ()").count(), 2);
    check_fields(
        quote! {
            #[orm(foreign_key(User, deferrable, deferrable))] a: i64,
            #[orm(foreign_key(User, deferrable = true))] b: i64,
            #[orm(foreign_key(User, deferable))] c: i64,
            #[orm(foreign_key = User, deferrable)] d: i64,
        },
        &[
            "`deferrable` is given twice",
            "`deferrable` takes no value: write `deferrable` alone",
            "unknown key `deferable`: did you mean `deferrable`?",
            "unknown key `deferrable`: it stands in the foreign key, as in `foreign_key(User, deferrable)`",
        ],
    );
}

#[test]
fn composite_foreign_keys() {
    let expansion = check(
        expand::derive_model,
        quote! {
            #[orm(foreign_key(a => Line::order_id, b => Line::no, on_delete = "set null"))]
            struct Part { a: Option<i64>, b: Option<i32>, #[orm(via = (a, b))] line: BelongsTo<Line> }
        },
        &[],
    );
    assert_has(
        &expansion,
        quote!(__orm::Target::Fields(<Line as __orm::Model>::__table, &["order_id", "no"])),
    );
    check(
        expand::derive_model,
        quote! {
            #[orm(
                foreign_key(a => Line::order_id, b => Other::no),
                foreign_key(a => Line),
                foreign_key(a, b),
                foreign_key(c => Line::no)
            )]
            struct Part { a: i64, b: i32 }
        },
        &[
            "expected a column of `Line`, as the first is",
            "expected a column, as in `Line::column`",
            "expected pairs of a field and what it references",
            "`Part` has no column `c`",
        ],
    );
}

#[test]
fn self_means_the_model() {
    let expansion = check_fields(
        quote! {
            #[orm(foreign_key = Self)] parent_id: Option<i64>,
            parent: BelongsTo<Self>,
            #[orm(default = Self::initial())] number: i64,
        },
        &[],
    );
    assert_has(&expansion, quote!(__orm::Relation < User, BelongsTo<User>,));
    assert_has(&expansion, quote!(__orm::default_for::<i64>(User::initial())));
}

#[test]
fn the_crate_can_be_elsewhere() {
    for krate in [quote!(orm), quote!("orm")] {
        let expansion = check(
            expand::derive_model,
            quote!(
                #[orm(crate = #krate)]
                struct User {
                    name: String,
                }
            ),
            &[],
        );
        assert_has(
            &expansion,
            quote!(
                use orm::codegen_support as __orm;
            ),
        );
    }
}

#[test]
fn bases() {
    let expansion = check(
        expand::derive_base_columns,
        quote! {
            pub struct Audited {
                #[orm(primary_key, autoincrement)]
                pub id: i64,
                pub deleted_at: Option<Time>,
                #[orm(default = 1)]
                pub tenant: i64,
            }
        },
        &[],
    );
    assert_has(
        &expansion,
        quote!(
            type Id = i64;
        ),
    );
    assert_has(&expansion, quote!(pub trait AuditedColumns));
    check(
        expand::derive_base_columns,
        quote! {
            struct Audited {
                #[orm(foreign_key = User)] user_id: i64,
                user: BelongsTo<User>,
                update: i64,
            }
        },
        &[
            "`foreign_key` belongs on a column of a model, and this is a base column",
            "a base has columns only: move the `BelongsTo` to a model",
            "`update` is a function of every model",
        ],
    );
    check(
        expand::derive_base_columns,
        quote!(
            struct Audited;
        ),
        &["a base must be a struct"],
    );
}
