//! What the compiler says to mistakes in models and in their use, and that odd names are none.
//!
//! Each file in `fail/<subject>/` is mistakes that a user makes, beside what the compiler says to
//! them. After a change, or with another compiler, `TRYBUILD=overwrite cargo test -p orm-tests
//! --test compile` writes it anew: read it before you commit it. The error has to stand at the
//! user's own tokens, name the way out, and come alone.

mod names;

/// One run for all cases: trybuild checks the library and its dependencies once for each.
#[test]
fn mistakes_are_explained() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("compile/fail/*/*.rs");
}
