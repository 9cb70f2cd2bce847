//! Structs of rows: their columns, and what can't be one.

use quote::quote;

use super::{assert_has, check};
use crate::expand;

#[test]
fn fields_are_columns() {
    let expansion = check(
        expand::derive_row,
        quote! {
            #[orm(crate = orm)]
            struct PostCount {
                #[orm(column = "user")]
                user_id: i64,
                r#type: Option<String>,
            }
        },
        &[],
    );
    assert_has(&expansion, quote!("post_count", "PostCount",));
    assert_has(&expansion, quote!((i64, Option<String>,)));
    assert_has(&expansion, quote!(("user_id", "user")));
    assert_has(&expansion, quote!(const r#type: __orm::Column<PostCount, Option<String> >));
    assert_has(&expansion, quote!(cells.field(1usize, "type")?));
}

#[test]
fn mistakes_are_told() {
    let cases = [
        (
            quote!(
                struct A(i64);
            ),
            &["a struct of rows must be a struct with named fields"][..],
        ),
        (
            quote!(
                enum A {
                    B,
                }
            ),
            &["a struct of rows must be a struct with named fields"],
        ),
        (
            quote!(
                struct A<T> {
                    a: T,
                }
            ),
            &["a struct of rows can't be generic"],
        ),
        (
            quote!(
                struct A {}
            ),
            &["a struct of rows has at least one field"],
        ),
        (
            quote!(
                struct A {
                    a: i64,
                    #[orm(column = "a")]
                    b: i64,
                }
            ),
            &["two fields are the column `a`"],
        ),
        (
            quote!(
                #[orm(table = "a")]
                struct A {
                    #[orm(colum = "b")]
                    a: i64,
                    #[orm(unique)]
                    b: i64,
                }
            ),
            &[
                "unknown key `table`",
                "unknown key `colum`: did you mean `column`?",
                "unknown key `unique`: a field of a struct of rows takes `column`",
            ],
        ),
    ];
    for (input, expected) in cases {
        check(expand::derive_row, input, expected);
    }
}
