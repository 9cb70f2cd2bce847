//! Views: what they show, and what can't be one.

use quote::quote;

use super::{assert_has, check};
use crate::expand;

#[test]
fn fields_show_what_they_say() {
    let expansion = check(
        expand::derive_view,
        quote! {
            #[orm(of = blog::User, crate = orm)]
            struct UserOut {
                id: i64,
                #[orm(from = username)]
                name: String,
                #[orm(from = type)]
                kind: String,
            }
        },
        &[],
    );
    assert_has(
        &expansion,
        quote!(
            use orm::codegen_support as __orm;
        ),
    );
    assert_has(
        &expansion,
        quote!(
            type Of = blog::User;
        ),
    );
    assert_has(&expansion, quote!((<blog::User>::username, shape)));
    assert_has(&expansion, quote!((<blog::User>::r#type, row)?));
}

#[test]
fn a_view_needs_a_model_and_fields() {
    let cases = [
        (
            quote!(
                struct UserOut {
                    id: i64,
                }
            ),
            &["`UserOut` doesn't say which model it shows: add `#[orm(of = …)]`"][..],
        ),
        (
            quote!(
                #[orm(of = User)]
                struct UserOut(i64);
            ),
            &["a view must be a struct with named fields"],
        ),
        (
            quote!(
                #[orm(of = User)]
                enum UserOut {
                    A,
                }
            ),
            &["a view must be a struct with named fields"],
        ),
        (
            quote!(
                #[orm(of = User)]
                struct UserOut<T> {
                    id: T,
                }
            ),
            &["a view can't be generic"],
        ),
        (
            quote!(
                #[orm(of, table = "users")]
                struct UserOut {
                    #[orm(from = "username", column = "n")]
                    name: String,
                }
            ),
            &[
                "`of` needs a value: `of = User`",
                "unknown key `table`",
                "write the name without quotes: `from = username`",
                "unknown key `column`: a field of a view takes `from`",
            ],
        ),
    ];
    for (input, expected) in cases {
        check(expand::derive_view, input, expected);
    }
}
