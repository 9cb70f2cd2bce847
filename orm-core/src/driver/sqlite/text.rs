//! What a statement's text says that it does.

/// What a statement does, by its verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    /// It reads rows.
    Read,
    /// It writes rows.
    Write,
    /// It begins a transaction that holds the write lock.
    BeginToWrite,
    /// It begins a transaction or a savepoint, or undoes one: none of that takes long.
    Mark,
    /// It does something else: it commits, it changes the schema.
    Other,
}

impl Verb {
    /// The verb of a text. Behind a WITH it may come late.
    pub(super) fn of(text: &str) -> Self {
        let mut words = text.split_ascii_whitespace();
        let first = words.next().unwrap_or("");
        let is = |word: &str, verb: &str| word.eq_ignore_ascii_case(verb);
        let writes = |word: &str| {
            ["INSERT", "UPDATE", "DELETE", "REPLACE"].iter().any(|verb| is(word, verb))
        };
        match first {
            _ if is(first, "SELECT") || is(first, "VALUES") => Self::Read,
            _ if writes(first) => Self::Write,
            _ if is(first, "WITH") => {
                if words.any(writes) {
                    Self::Write
                } else {
                    Self::Read
                }
            }
            _ if text == "BEGIN IMMEDIATE" => Self::BeginToWrite,
            _ if ["BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK"]
                .iter()
                .any(|mark| is(first, mark)) =>
            {
                Self::Mark
            }
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verb_may_come_late() {
        assert_eq!(Verb::of("SELECT 'DELETE'"), Verb::Read);
        assert_eq!(Verb::of("with x AS (SELECT 1) SELECT * FROM x"), Verb::Read);
        assert_eq!(Verb::of("WITH x AS (SELECT 1)\nDELETE FROM t"), Verb::Write);
        assert_eq!(Verb::of(" insert INTO t VALUES (1)"), Verb::Write);
        assert_eq!(Verb::of("BEGIN IMMEDIATE"), Verb::BeginToWrite);
        assert_eq!(Verb::of("BEGIN"), Verb::Mark);
        assert_eq!(Verb::of("COMMIT"), Verb::Other);
        assert_eq!(Verb::of("CREATE TABLE t (v)"), Verb::Other);
    }
}
