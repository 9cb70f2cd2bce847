//! The values of keys.

use proc_macro2::{Ident, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, LitInt, LitStr, Result, Token, parenthesized, token};

use super::suggest;

/// A key that has no value.
pub(super) fn flag(key: &Ident, input: ParseStream) -> Result<bool> {
    if input.peek(Token![=]) || input.peek(token::Paren) {
        return Err(input.error(format!("`{key}` takes no value: write `{key}` alone")));
    }
    Ok(true)
}

/// The `=` behind a key. `example` is a value that the key could have.
pub(super) fn equals(key: &Ident, input: ParseStream, example: &str) -> Result<()> {
    if input.peek(Token![=]) && !input.peek(Token![=>]) {
        input.parse::<Token![=]>()?;
        return Ok(());
    }
    Err(Error::new(key.span(), format!("`{key}` needs a value: `{key} = {example}`")))
}

/// `key = "…"`, and not empty.
pub(super) fn string(key: &Ident, input: ParseStream) -> Result<LitStr> {
    equals(key, input, "\"…\"")?;
    let span = input.span();
    let Ok(text) = input.parse::<LitStr>() else {
        return Err(Error::new(span, format!("expected a string in quotes: `{key} = \"…\"`")));
    };
    if text.value().trim().is_empty() {
        return Err(Error::new(text.span(), format!("`{key}` can't be empty")));
    }
    Ok(text)
}

/// `key = 64`, and not zero.
pub(super) fn positive(key: &Ident, input: ParseStream) -> Result<u32> {
    let literal = literal(key, input)?;
    match literal.base10_parse()? {
        0 => Err(Error::new(literal.span(), format!("`{key}` must be at least 1"))),
        number => Ok(number),
    }
}

/// `key = 2`.
pub(super) fn number(key: &Ident, input: ParseStream) -> Result<u32> {
    literal(key, input)?.base10_parse()
}

fn literal(key: &Ident, input: ParseStream) -> Result<LitInt> {
    equals(key, input, "64")?;
    let span = input.span();
    let why = || format!("expected a whole number: `{key} = 64`");
    input.parse().map_err(|_| Error::new(span, why()))
}

/// `key = "word"`, one of a few.
pub(super) fn word<T: Copy>(key: &Ident, input: ParseStream, words: &[(&str, T)]) -> Result<T> {
    let text = string(key, input)?;
    find_word(key, &text, &text.value(), words)
}

/// One of a few words in a string.
pub(super) fn find_word<T: Copy>(
    key: &Ident,
    text: &LitStr,
    word: &str,
    words: &[(&str, T)],
) -> Result<T> {
    match words.iter().find(|(candidate, _)| *candidate == word) {
        Some((_, value)) => Ok(*value),
        None => {
            let words = words.iter().map(|(word, _)| *word);
            Err(Error::new(text.span(), suggest::unknown_word(&key.to_string(), word, words)))
        }
    }
}

/// `key = field`: a name of Rust, without quotes.
pub(super) fn name(key: &Ident, input: ParseStream) -> Result<Ident> {
    equals(key, input, "name")?;
    if let Ok(text) = input.fork().parse::<LitStr>() {
        let why = format!("write the name without quotes: `{key} = {}`", text.value());
        return Err(Error::new(text.span(), why));
    }
    let name = field(input)?;
    if input.peek(Token![::]) {
        let why = format!("write the field's name alone, without its model: `{key} = field`");
        return Err(Error::new(name.span(), why));
    }
    Ok(name)
}

/// A field's name. A keyword becomes a raw identifier, as the field itself must be one: `type` and
/// `r#type` name the same field.
pub(super) fn field(input: ParseStream) -> Result<Ident> {
    let name = input.call(Ident::parse_any)?;
    let is_keyword = syn::parse_str::<Ident>(&name.to_string()).is_err();
    let cannot_be_raw = ["self", "Self", "super", "crate", "_"].iter().any(|word| name == word);
    match is_keyword && !cannot_be_raw {
        true => Ok(Ident::new_raw(&name.to_string(), name.span())),
        false => Ok(name),
    }
}

/// `item` or `(item, …)`, with at least one item.
pub(super) fn one_or_several<T>(
    input: ParseStream,
    item: fn(ParseStream) -> Result<T>,
) -> Result<Vec<T>> {
    if !input.peek(token::Paren) {
        return Ok(vec![item(input)?]);
    }
    let span = input.span();
    let items =
        list(input, |content| Punctuated::<T, Token![,]>::parse_terminated_with(content, item))?;
    if items.is_empty() {
        return Err(Error::new(span, "expected at least one"));
    }
    Ok(items.into_iter().collect())
}

/// What is in parentheses. After a mistake the rest of it is skipped, so that it counts as read.
pub(super) fn list<T>(
    input: ParseStream,
    parse: impl FnOnce(ParseStream) -> Result<T>,
) -> Result<T> {
    let content;
    parenthesized!(content in input);
    let parsed = parse(&content).and_then(|value| match content.is_empty() {
        true => Ok(value),
        false => Err(content.error("expected a comma")),
    });
    while !content.is_empty() {
        content.parse::<TokenTree>()?;
    }
    parsed
}

/// The `(` behind a key. `example` is what could be in the parentheses.
pub(super) fn expect_list(key: &Ident, input: ParseStream, example: &str) -> Result<()> {
    if input.peek(token::Paren) {
        return Ok(());
    }
    Err(Error::new(key.span(), format!("`{key}` needs a list: `{key}({example})`")))
}

/// Any value behind an `=`.
pub(super) fn assigned<T: Parse>(key: &Ident, input: ParseStream, example: &str) -> Result<T> {
    equals(key, input, example)?;
    input.parse()
}

/// What a foreign key does when the row that it references goes away or changes its key: the name
/// of a variant of `Action`; and when it is checked.
#[derive(Default)]
pub(crate) struct Actions {
    pub(crate) on_delete: Option<(Ident, &'static str)>,
    pub(crate) on_update: Option<(Ident, &'static str)>,
    pub(crate) deferrable: Option<Ident>,
}

impl Actions {
    const WORDS: &[(&str, &'static str)] = &[
        ("cascade", "Cascade"),
        ("restrict", "Restrict"),
        ("set null", "SetNull"),
        ("set default", "SetDefault"),
        ("no action", "NoAction"),
    ];

    /// Whether what follows is one of its keys, rather than a pair of a composite foreign key.
    pub(super) fn follows(input: ParseStream) -> bool {
        let is_flag = |key: Ident| key == "deferrable";
        !input.peek2(Token![=>])
            && (input.peek2(Token![=]) || input.fork().call(Ident::parse_any).is_ok_and(is_flag))
    }

    /// Takes `on_delete = "…"`, `on_update = "…"` or `deferrable`.
    pub(super) fn take(&mut self, input: ParseStream) -> Result<()> {
        let key = input.call(Ident::parse_any)?;
        let twice = || Error::new(key.span(), format!("`{key}` is given twice"));
        let slot = match key.to_string().as_str() {
            "deferrable" => {
                flag(&key, input)?;
                return match self.deferrable.replace(key.clone()) {
                    None => Ok(()),
                    Some(_) => Err(twice()),
                };
            }
            "on_delete" => &mut self.on_delete,
            "on_update" => &mut self.on_update,
            other => {
                let keys = ["on_delete", "on_update", "deferrable"];
                let why = match suggest::closest(other, &keys) {
                    Some(meant) => format!("unknown key `{other}`: did you mean `{meant}`?"),
                    None => format!(
                        "unknown key `{other}`: a foreign key takes `on_delete`, `on_update` and \
                         `deferrable`"
                    ),
                };
                return Err(Error::new(key.span(), why));
            }
        };
        if slot.is_some() {
            return Err(twice());
        }
        let action = word(&key, input, Self::WORDS)?;
        *slot = Some((key, action));
        Ok(())
    }
}
