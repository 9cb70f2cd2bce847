//! SQL that a user wrote by hand, with places for values and names.

use super::dialect::Dialect;
use super::statement::{Bind, Statement};
use super::writer::Writer;
use crate::error::{Error, Result};
use crate::model::Table;

/// A hand-written statement. Its text is part of the program, and what it is given at run time is
/// a value, which travels as a bind, or a name of a model.
#[derive(Clone, Debug)]
pub(crate) struct RawSql {
    pub(crate) text: &'static str,
    /// What stands at each `{}`, in order.
    pub(crate) arguments: Vec<RawArgument>,
}

/// What stands at a `{}`.
#[derive(Clone, Debug)]
pub(crate) enum RawArgument {
    Bind(Bind),
    /// The name of a table, as it stands behind FROM.
    Table(&'static Table),
    /// The unqualified name of a column.
    Column(&'static Table, usize),
}

/// How a database's SQL is split into what is quoted and what isn't.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lexicon {
    /// A backslash in a string keeps the quote behind it from ending the string.
    pub(crate) backslashes: bool,
    /// `$tag$ … $tag$` is a string.
    pub(crate) dollar_quotes: bool,
    /// `#` begins a comment.
    pub(crate) hash_comments: bool,
    /// Comments nest.
    pub(crate) nested_comments: bool,
    /// What begins a placeholder of the database's own, if what follows says so.
    pub(crate) is_placeholder: fn(&str) -> bool,
}

/// A piece of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece<'t> {
    /// A string, a quoted name or a comment.
    Quoted(&'t str),
    Plain(&'t str),
    Hole,
}

impl RawSql {
    /// Whether the statement only reads, so that it needs no transaction: a SELECT that locks
    /// nothing. What isn't known to be one may write.
    pub(crate) fn is_read(&self, dialect: &dyn Dialect) -> bool {
        let pieces = pieces(self.text, &dialect.lexicon());
        let plain = pieces.iter().filter_map(|piece| match piece {
            Piece::Plain(text) => Some(*text),
            _ => None,
        });
        let is_part_of_word = |c: char| c.is_alphanumeric() || c == '_';
        let mut words = plain.flat_map(|text| text.split(|c| !is_part_of_word(c)));
        let mut words = words.by_ref().filter(|word| !word.is_empty());
        let is_select = words.next().is_some_and(|word| word.eq_ignore_ascii_case("SELECT"));
        let writes = ["FOR", "INTO", "LOCK"];
        is_select && !words.any(|word| writes.iter().any(|it| word.eq_ignore_ascii_case(it)))
    }
}

/// A hand-written statement.
///
/// # Errors
/// `Misuse` if there isn't one argument for each `{}`, or the text has placeholders of the
/// database's own.
pub(crate) fn render_raw(dialect: &dyn Dialect, raw: RawSql) -> Result<Statement> {
    let RawSql { text, arguments } = raw;
    let lexicon = dialect.lexicon();
    let pieces = pieces(text, &lexicon);
    let holes = pieces.iter().filter(|piece| **piece == Piece::Hole).count();
    if holes != arguments.len() {
        return Err(Error::misuse(format!(
            "the hand-written statement has {holes} `{{}}` and was given {} values or names",
            arguments.len(),
        )));
    }
    let mut arguments = arguments.into_iter();
    let mut w = Writer::new(dialect);
    for piece in pieces {
        match piece {
            Piece::Quoted(text) => w.push(text),
            Piece::Plain(text) => {
                let mut places = text.char_indices().map(|(at, _)| &text[at..]);
                if places.any(lexicon.is_placeholder) {
                    return Err(Error::misuse(
                        "values of a hand-written statement stand at `{}`, on every database: it \
                         has a placeholder of another form",
                    ));
                }
                w.push(text);
            }
            Piece::Hole => match arguments.next() {
                Some(RawArgument::Bind(bind)) => w.push_bind(bind),
                Some(RawArgument::Table(table)) => w.table_path(table),
                Some(RawArgument::Column(table, column)) => {
                    w.column_name(&table.columns()[column]);
                }
                None => {}
            },
        }
    }
    Ok(w.finish())
}

/// Splits a text. What isn't closed ends with it.
fn pieces<'t>(text: &'t str, lexicon: &Lexicon) -> Vec<Piece<'t>> {
    let mut pieces = Vec::new();
    let (mut rest, mut plain) = (text, 0);
    while plain < rest.len() {
        let here = &rest[plain..];
        let (length, is_hole) = match here.strip_prefix("{}") {
            Some(_) => (2, true),
            None => (length_of_quoted(here, &rest[..plain], lexicon), false),
        };
        if length == 0 {
            plain += here.chars().next().map_or(1, char::len_utf8);
            continue;
        }
        if plain > 0 {
            pieces.push(Piece::Plain(&rest[..plain]));
        }
        let quoted = &here[..length];
        pieces.push(if is_hole { Piece::Hole } else { Piece::Quoted(quoted) });
        (rest, plain) = (&here[length..], 0);
    }
    if !rest.is_empty() {
        pieces.push(Piece::Plain(rest));
    }
    pieces
}

/// How long the string, quoted name or comment is with which a text begins; 0 if it is none.
fn length_of_quoted(text: &str, before: &str, lexicon: &Lexicon) -> usize {
    let end_behind = |pattern: &str, from: usize| {
        text[from..].find(pattern).map_or(text.len(), |at| from + at + pattern.len())
    };
    let line_end = || text.find('\n').unwrap_or(text.len());
    match text.as_bytes() {
        [b'-', b'-', ..] => line_end(),
        [b'#', ..] if lexicon.hash_comments => line_end(),
        [b'/', b'*', ..] if lexicon.nested_comments => length_of_nested(text),
        [b'/', b'*', ..] => end_behind("*/", 2),
        [b'$', ..] if lexicon.dollar_quotes && !before.ends_with(is_part_of_name) => {
            let tag = text[1..].find(|c: char| !is_part_of_name(c)).map(|at| &text[..at + 2]);
            match tag {
                Some(tag)
                    if tag.ends_with('$')
                        && !tag[1..].starts_with(|c: char| c.is_ascii_digit()) =>
                {
                    end_behind(tag, tag.len())
                }
                _ => 0,
            }
        }
        [quote @ (b'\'' | b'"' | b'`'), ..] => {
            // PostgreSQL's strings have backslashes only behind an E.
            let is_escaping = before.ends_with(['E', 'e'])
                && !before[..before.len() - 1].ends_with(is_part_of_name);
            let escapes = *quote != b'`' && (lexicon.backslashes || is_escaping);
            length_of_string(text, *quote, escapes)
        }
        _ => 0,
    }
}

/// A doubled quote is one in the string, and as good as the end of one string and the start of
/// another.
fn length_of_string(text: &str, quote: u8, escapes: bool) -> usize {
    let mut bytes = text.bytes().enumerate().skip(1);
    while let Some((at, byte)) = bytes.next() {
        if byte == quote {
            return at + 1;
        }
        if escapes && byte == b'\\' {
            bytes.next();
        }
    }
    text.len()
}

fn length_of_nested(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        match &text.as_bytes()[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => {
                (depth, at) = (depth - 1, at + 2);
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    text.len()
}

fn is_part_of_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Lexicon = Lexicon {
        backslashes: false,
        dollar_quotes: false,
        hash_comments: false,
        nested_comments: false,
        is_placeholder: |text| text.starts_with('?'),
    };
    const POSTGRES: Lexicon = Lexicon { dollar_quotes: true, nested_comments: true, ..PLAIN };
    const MYSQL: Lexicon = Lexicon { backslashes: true, hash_comments: true, ..PLAIN };

    /// The text with each hole as `<>` and what is quoted in parentheses.
    fn split(text: &str, lexicon: Lexicon) -> String {
        let shown = |piece: Piece<'_>| match piece {
            Piece::Quoted(text) => format!("({text})"),
            Piece::Plain(text) => text.to_owned(),
            Piece::Hole => "<>".to_owned(),
        };
        pieces(text, &lexicon).into_iter().map(shown).collect()
    }

    #[test]
    fn holes_are_holes_outside_of_quotes_and_comments_only() {
        for (text, expected) in [
            ("a = {} AND b={}", "a = <> AND b=<>"),
            ("{}", "<>"),
            ("", ""),
            ("'{}' {} 'it''s {}'", "('{}') <> ('it')('s {}')"),
            ("\"{}\" `{}` {}", "(\"{}\") (`{}`) <>"),
            ("{} -- {}\n{}", "<> (-- {})\n<>"),
            ("{} /* {} */ {}", "<> (/* {} */) <>"),
            ("'open {}", "('open {})"),
            ("é'{}'😀{}", "é('{}')😀<>"),
            ("{ } {{}}", "{ } {<>}"),
        ] {
            for lexicon in [PLAIN, POSTGRES, MYSQL] {
                assert_eq!(split(text, lexicon), expected);
            }
        }
    }

    #[test]
    fn each_database_has_quotes_of_its_own() {
        assert_eq!(split(r"'\' {}", PLAIN), r"('\') <>");
        assert_eq!(split(r"'\' {}'{}", MYSQL), r"('\' {}')<>");
        assert_eq!(split(r"'\'{} E'\'{}'{}", POSTGRES), r"('\')<> E('\'{}')<>");
        assert_eq!(split("# {}\n{}", MYSQL), "(# {})\n<>");
        assert_eq!(split("a # {}", POSTGRES), "a # <>");
        assert_eq!(split("$a$ {} $$ $a$ {} a$b$c", POSTGRES), "($a$ {} $$ $a$) <> a$b$c");
        assert_eq!(split("$$ {} $$ {} $1", POSTGRES), "($$ {} $$) <> $1");
        assert_eq!(split("/* /* {} */ {} */ {}", POSTGRES), "(/* /* {} */ {} */) <>");
        assert_eq!(split("/* /* {} */ {}", MYSQL), "(/* /* {} */) <>");
    }
}
