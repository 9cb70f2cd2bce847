//! Just enough of SQL to say what a statement does, whatever the dialect.

use std::iter::Peekable;
use std::str::Chars;

/// A piece of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// A keyword, a number, a placeholder or a name without quotes.
    Word(String),
    /// A name in quotes, without them.
    Name(String),
    /// A literal text.
    Literal,
    /// Anything else.
    Symbol(char),
}

impl Token {
    /// Whether it is this keyword.
    pub(crate) fn is(&self, keyword: &str) -> bool {
        matches!(self, Self::Word(word) if word == keyword)
    }

    /// What it names, if it can be a name.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Word(name) | Self::Name(name) => Some(name),
            Self::Literal | Self::Symbol(_) => None,
        }
    }
}

/// A statement in pieces.
pub(crate) fn tokens(sql: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = sql.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' | '`' => tokens.push(Token::Name(quoted(&mut rest, c))),
            '\'' => {
                quoted(&mut rest, c);
                tokens.push(Token::Literal);
            }
            c if is_of_word(c) => {
                let mut word = String::from(c);
                while let Some(c) = rest.next_if(|c| is_of_word(*c)) {
                    word.push(c);
                }
                tokens.push(Token::Word(word));
            }
            c if c.is_whitespace() => {}
            c => tokens.push(Token::Symbol(c)),
        }
    }
    tokens
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$' | '?')
}

/// What stands before the closing quote; a doubled quote stands for itself.
fn quoted(rest: &mut Peekable<Chars<'_>>, quote: char) -> String {
    let mut inner = String::new();
    while let Some(c) = rest.next() {
        if c == quote && rest.next_if_eq(&quote).is_none() {
            break;
        }
        inner.push(c);
    }
    inner
}

/// What a statement does first, by its verb, and to which table.
pub(crate) fn verb_and_table(tokens: &[Token]) -> (Option<&str>, Option<String>) {
    const VERBS: [&str; 10] = [
        "INSERT",
        "UPDATE",
        "DELETE",
        "SELECT",
        "BEGIN",
        "START",
        "COMMIT",
        "ROLLBACK",
        "SAVEPOINT",
        "RELEASE",
    ];
    let verb_among = |verbs: &[&'static str]| {
        tokens.iter().find_map(|token| verbs.iter().find(|verb| token.is(verb)).copied())
    };
    let mut verb = verb_among(&VERBS);
    // A multi-row UPDATE may begin with the rows it is given: its verb comes behind them.
    if verb == Some("SELECT") && tokens.first().is_some_and(|token| token.is("WITH")) {
        verb = verb_among(&["UPDATE", "DELETE"]).or(verb);
    }
    let table = match verb {
        Some("INSERT") => table_behind("INTO", tokens),
        Some("UPDATE") => table_behind("UPDATE", tokens),
        Some("DELETE" | "SELECT") => table_behind("FROM", tokens),
        _ => None,
    };
    (verb, table)
}

/// The table behind the first keyword that is followed by one and not by a query in brackets: of
/// `FROM (SELECT … FROM users)` the inner one counts.
fn table_behind(keyword: &str, tokens: &[Token]) -> Option<String> {
    let places = (0..tokens.len()).filter(|at| tokens[*at].is(keyword));
    places.filter_map(|at| path(&tokens[at + 1..]).map(|(name, _)| name)).next()
}

/// The last part of a name such as `schema.table` at the beginning of these tokens, and what
/// follows it. Where there are no schemas they are a part of the name itself.
pub(crate) fn path(tokens: &[Token]) -> Option<(String, &[Token])> {
    let mut name = tokens.first()?.name()?;
    let mut rest = &tokens[1..];
    while let [Token::Symbol('.'), next, behind @ ..] = rest {
        name = next.name()?;
        rest = behind;
    }
    let last = name.rsplit('.').next().unwrap_or(name);
    Some((last.to_owned(), rest))
}

/// `INSERT INTO "users" …` as `INSERT users`, whatever the dialect.
///
/// ```
/// use orm_tests::summary;
///
/// assert_eq!(summary("INSERT INTO `users` (`name`) VALUES (?)"), "INSERT users");
/// assert_eq!(summary("START TRANSACTION"), "BEGIN");
/// ```
pub fn summary(sql: &str) -> String {
    let tokens = tokens(sql);
    match verb_and_table(&tokens) {
        (Some(verb), Some(table)) => format!("{verb} {table}"),
        (Some("START"), None) => "BEGIN".to_owned(),
        (Some("SAVEPOINT" | "RELEASE" | "ROLLBACK"), None) => {
            tokens.iter().filter_map(Token::name).collect::<Vec<_>>().join(" ")
        }
        (Some(verb), None) => verb.to_owned(),
        (None, _) => sql.to_owned(),
    }
}

/// A statement's text without what only looks different: without quotes around names, and with
/// `?` for every placeholder, whatever its number and its cast, and for a limit that is written out.
///
/// ```
/// use orm_tests::plain;
///
/// assert_eq!(plain(r#"SELECT "a" FROM "t" WHERE "b" = $12::int8"#), "SELECT a FROM t WHERE b = ?");
/// ```
pub fn plain(sql: &str) -> String {
    let mut plain = String::with_capacity(sql.len());
    let mut rest = sql.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' | '`' => {}
            '$' => {
                plain.push('?');
                while rest.next_if(char::is_ascii_digit).is_some() {}
                skip_cast(&mut rest);
            }
            c => plain.push(c),
        }
    }
    let mut parts = plain.split(" LIMIT ");
    let mut limited = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
        limited.push_str(if rest.len() < part.len() { " LIMIT ?" } else { " LIMIT " });
        limited.push_str(rest);
    }
    limited
}

/// Skips `::int8`, `::"mood"` and `::text[]`.
fn skip_cast(rest: &mut Peekable<Chars<'_>>) {
    if rest.next_if_eq(&':').is_none() {
        return;
    }
    rest.next_if_eq(&':');
    if rest.next_if_eq(&'"').is_some() {
        quoted(rest, '"');
    }
    while rest.next_if(|c| c.is_alphanumeric() || matches!(c, '_' | '[' | ']')).is_some() {}
}

#[cfg(test)]
mod tests {
    use super::{plain, summary};

    #[test]
    fn statements_of_every_dialect_are_summed_up_alike() {
        for (sql, expected) in [
            (r#"INSERT INTO "users" ("a") VALUES (?)"#, "INSERT users"),
            ("INSERT INTO `users` () VALUES (),()", "INSERT users"),
            (
                r#"INSERT INTO "users" ("a") SELECT i."c0" FROM unnest($1::text[]) WITH ORDINALITY AS i("c0", n) ORDER BY i.n RETURNING "id""#,
                "INSERT users",
            ),
            (
                "INSERT INTO `pairs` (`a`) SELECT `a` FROM (SELECT ? AS `a`) AS g WHERE NOT EXISTS (SELECT 1 FROM `pairs`)",
                "INSERT pairs",
            ),
            (
                "INSERT INTO `pairs` (`a`) VALUES (?) ON DUPLICATE KEY UPDATE `a` = `a`",
                "INSERT pairs",
            ),
            (
                r#"WITH "orm_given" ("k0", "s0") AS (VALUES (?, ?)) UPDATE "users" SET "a" = "s0" FROM "orm_given""#,
                "UPDATE users",
            ),
            (
                "UPDATE `users` JOIN (SELECT ? AS `k0`, ? AS `s0` UNION ALL SELECT ?, ?) AS `orm_given` ON `users`.`id` = `orm_given`.`k0` SET `users`.`a` = `orm_given`.`s0`",
                "UPDATE users",
            ),
            (
                r#"UPDATE "users" SET "a" = g."s0" FROM unnest($1::int8[], $2::text[]) AS g("k0", "s0") WHERE "users"."id" = g."k0""#,
                "UPDATE users",
            ),
            (
                r#"DELETE FROM "users" USING unnest($1::int8[]) AS g("k0") WHERE "id" = g."k0""#,
                "DELETE users",
            ),
            (r#"DELETE FROM "users" WHERE "id" = ANY($1::int8[])"#, "DELETE users"),
            (r#"SELECT "users"."id" FROM "users" FOR UPDATE"#, "SELECT users"),
            (r#"SELECT count(*) FROM (SELECT 1 FROM "users") AS x"#, "SELECT users"),
            (r#"SELECT 'FROM posts' FROM "shop"."users""#, "SELECT users"),
            (r#"SELECT 1 FROM "shop.users""#, "SELECT users"),
            (r#"SELECT 1 FROM "Order Line""#, "SELECT Order Line"),
            ("BEGIN IMMEDIATE", "BEGIN"),
            ("BEGIN; SET LOCAL statement_timeout = 5", "BEGIN"),
            ("START TRANSACTION", "BEGIN"),
            ("COMMIT", "COMMIT"),
            ("ROLLBACK", "ROLLBACK"),
            ("ROLLBACK TO SAVEPOINT `orm_1`", "ROLLBACK TO SAVEPOINT orm_1"),
            (r#"RELEASE SAVEPOINT "orm_1""#, "RELEASE SAVEPOINT orm_1"),
        ] {
            assert_eq!(summary(sql), expected, "{sql}");
        }
    }

    #[test]
    fn plain_texts_have_neither_quotes_nor_casts() {
        for (sql, expected) in [
            (r#"a."b" = $1::text AND c = ANY($12::int8[])"#, "a.b = ? AND c = ANY(?)"),
            (r#"mood = $1::"my mood" OR x = $2"#, "mood = ? OR x = ?"),
            ("`a` = ? AND b = '?'", "a = ? AND b = '?'"),
        ] {
            assert_eq!(plain(sql), expected);
        }
    }
}
