//! Newtypes.

use quote::quote;

use super::{assert_has, check};
use crate::expand;

#[test]
fn facts_add_to_those_of_the_inner_type() {
    let expansion = check(
        expand::derive_column_type,
        quote!(
            #[orm(unique, length = 64, check = "x")]
            pub struct Username(String);
        ),
        &[],
    );
    assert_has(
        &expansion,
        quote!(<String as __orm::ColumnType>::FACTS.unique().length(64u32).check("x")),
    );
    assert_has(
        &expansion,
        quote!(
            type Unset<__Name> = __Name;
        ),
    );
}

#[test]
fn a_default_makes_it_optional() {
    for attribute in [quote!(default), quote!(default = 3), quote!(server_default = "3")] {
        let expansion = check(
            expand::derive_column_type,
            quote!(
                #[orm(#attribute)]
                struct Rank(i64);
            ),
            &[],
        );
        assert_has(
            &expansion,
            quote!(
                type Unset<__Name> = __orm::Set;
            ),
        );
    }
}

#[test]
fn only_newtypes() {
    for input in [
        quote!(
            struct Username {
                name: String,
            }
        ),
        quote!(
            struct Username(String, i64);
        ),
        quote!(
            struct Username;
        ),
        quote!(
            enum Username {
                A,
            }
        ),
    ] {
        check(
            expand::derive_column_type,
            input,
            &["a column type must be a struct around one value"],
        );
    }
    check(
        expand::derive_column_type,
        quote!(
            #[orm(primary_key, precision = 1, scale = 2)]
            struct Username<T>(T);
        ),
        &[
            "`primary_key` belongs on a column of a model, and this is a column type",
            "`scale` counts digits",
            "a column type can't be generic",
        ],
    );
}
