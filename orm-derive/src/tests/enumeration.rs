//! Enums.

use quote::quote;

use super::{assert_has, check};
use crate::expand;

#[test]
fn labels_come_from_variants() {
    let expansion = check(
        expand::derive_enum,
        quote! {
            #[orm(rename_all = "snake_case", name = "job")]
            enum Profession { SoftwareDeveloper, #[orm(rename = "it's")] Other }
        },
        &[],
    );
    assert_has(&expansion, quote!(name: "job", labels: &["software_developer", "it's"],));
    // A server default is SQL, in which a quote is doubled.
    assert_has(&expansion, quote!(Some("'it''s'") => Self::Other));
    let expansion = check(
        expand::derive_enum,
        quote!(
            enum JobTitle {
                Boss,
            }
        ),
        &[],
    );
    assert_has(&expansion, quote!(name: "job_title", labels: &["Boss"],));
}

#[test]
fn what_is_no_label() {
    check(
        expand::derive_enum,
        quote! {
            enum Level {
                #[orm(rename = "1")] One,
                #[orm(rename = "")] Empty,
                Data(i64),
                Same,
                #[orm(rename = "Same")] Other,
                #[orm(name = "x")] Astray,
            }
        },
        &[
            "a label of digits alone, \"1\"",
            "`rename` can't be empty",
            "`Data` can't have fields",
            "the label \"Same\" is that of `Same`, too",
            "`name` belongs on the enum, and this is a variant",
        ],
    );
    check(
        expand::derive_enum,
        quote!(
            enum Level {}
        ),
        &["needs at least one variant"],
    );
    check(
        expand::derive_enum,
        quote!(
            struct Level;
        ),
        &["`Enum` is for enums"],
    );
    check(
        expand::derive_enum,
        quote!(
            enum Level<T> {
                A,
            }
        ),
        &["an enum column can't be generic"],
    );
}
