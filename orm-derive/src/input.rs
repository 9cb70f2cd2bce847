//! What a derive needs to know of its input apart from attributes.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Fields, GenericArgument, PathArguments, Type};

use crate::errors::Errors;
use crate::model::Kind;

/// Replaces `Self` by the type's name: the tokens of fields and attributes end up in `impl`s of
/// other types, where `Self` would be another.
pub(crate) fn replace_self(tokens: TokenStream, name: &Ident) -> TokenStream {
    tokens
        .into_iter()
        .map(|tree| match tree {
            TokenTree::Ident(ident) if ident == "Self" => {
                TokenTree::Ident(Ident::new(&name.to_string(), ident.span()))
            }
            TokenTree::Group(group) => {
                let inner = replace_self(group.stream(), name);
                let mut replaced = Group::new(group.delimiter(), inner);
                replaced.set_span(group.span());
                TokenTree::Group(replaced)
            }
            other => other,
        })
        .collect()
}

/// A name as it is outside Rust: `type` for `r#type`.
pub(crate) fn plain(ident: &Ident) -> String {
    ident.unraw().to_string()
}

/// Tokens as one would write them in a sentence.
pub(crate) fn spelled(tokens: impl quote::ToTokens) -> String {
    tokens.to_token_stream().to_string().replace(' ', "")
}

/// The fields of a struct with named fields and no generics; anything else is a mistake.
pub(crate) fn named_fields<'a>(
    input: &'a DeriveInput,
    what: &str,
    errors: &Errors,
) -> Option<impl Iterator<Item = (&'a syn::Field, &'a Ident)>> {
    let fields = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => Some(&fields.named),
            _ => None,
        },
        _ => None,
    };
    if fields.is_none() {
        errors.at(&input.ident, format!("{what} must be a struct with named fields"));
    }
    if !no_generics(input, what, errors) {
        return None;
    }
    Some(fields?.iter().filter_map(|field| Some((field, field.ident.as_ref()?))))
}

/// Checks that a type has no generic parameters.
pub(crate) fn no_generics(input: &DeriveInput, what: &str, errors: &Errors) -> bool {
    let generics = &input.generics;
    if generics.params.is_empty() && generics.where_clause.is_none() {
        return true;
    }
    let tokens: TokenStream = if generics.params.is_empty() {
        quote::ToTokens::to_token_stream(&generics.where_clause)
    } else {
        quote::ToTokens::to_token_stream(generics)
    };
    errors.at(tokens, format!("{what} can't be generic: a table has one fixed set of columns"));
    false
}

/// The kind of relationship that a field's type is, and the model that it leads to (if it has the
/// one type argument that it needs). The only question that is answered by spelling.
pub(crate) fn relationship(ty: &Type) -> Option<(Kind, Option<&Type>)> {
    match ty {
        Type::Group(group) => relationship(&group.elem),
        Type::Paren(paren) => relationship(&paren.elem),
        Type::Path(path) if path.qself.is_none() => {
            let last = path.path.segments.last()?;
            let kind = Kind::named(&last.ident.to_string())?;
            let target = match &last.arguments {
                PathArguments::AngleBracketed(arguments) if arguments.args.len() == 1 => {
                    arguments.args.first().and_then(|argument| match argument {
                        GenericArgument::Type(target) => Some(target),
                        _ => None,
                    })
                }
                _ => None,
            };
            Some((kind, target))
        }
        _ => None,
    }
}
