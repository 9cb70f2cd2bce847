//! The reads that stand in for RETURNING where a database has none.
//!
//! At the end of a flush, or as soon as something waits for it, one SELECT per table reads what the
//! database filled in. Tests that count statements mean the others; those reads are told apart
//! here, by their columns: none of them is one that every write before gave a value to, but for
//! the key that the rows are found by. Whoever reads an object reads such columns too.

use std::collections::{HashMap, HashSet};

use crate::sql::{Token, path, tokens, verb_and_table};

/// What was written and not read back yet.
#[derive(Debug, Default)]
pub(crate) struct ReadBacks {
    /// By table, for each write, the columns that it gave values to.
    written: HashMap<String, Vec<HashSet<String>>>,
}

impl ReadBacks {
    /// Takes note of a statement, and says whether it does nothing but read back what the ones
    /// before it wrote. Each table is read back once behind its writes: a second time counts as a
    /// read of its own.
    pub(crate) fn is_one(&mut self, sql: &str) -> bool {
        let tokens = tokens(sql);
        match verb_and_table(&tokens) {
            (Some("INSERT"), Some(table)) => {
                self.written.entry(table).or_default().push(inserted(&tokens));
                false
            }
            (Some("UPDATE"), Some(table)) => {
                self.written.entry(table).or_default().push(updated(&tokens));
                false
            }
            (Some("SELECT"), Some(table)) => {
                let is_one = self
                    .written
                    .get(&table)
                    .is_some_and(|writes| reads_what_was_generated(&tokens, writes));
                if is_one {
                    self.written.remove(&table);
                }
                is_one
            }
            (Some("COMMIT" | "ROLLBACK"), _) => {
                self.written.clear();
                false
            }
            _ => false,
        }
    }
}

/// The columns of an INSERT.
fn inserted(tokens: &[Token]) -> HashSet<String> {
    let into = tokens.iter().position(|token| token.is("INTO"));
    let behind = into.and_then(|at| path(&tokens[at + 1..]));
    let Some((_, [Token::Symbol('('), columns @ ..])) = behind else { return HashSet::new() };
    let columns = columns.iter().take_while(|token| **token != Token::Symbol(')'));
    columns.filter_map(Token::name).map(str::to_owned).collect()
}

/// The columns of an UPDATE that get values, not those that get expressions.
fn updated(tokens: &[Token]) -> HashSet<String> {
    let Some(set) = tokens.iter().rposition(|token| token.is("SET")) else {
        return HashSet::new();
    };
    let end = tokens.iter().rposition(|token| token.is("WHERE")).unwrap_or(tokens.len());
    let assignments = at_top_level(&tokens[set + 1..end.max(set + 1)]);
    let given = |assignment: &[Token]| match path(assignment)? {
        (column, [Token::Symbol('='), value]) if value.is("?") => Some(column),
        (column, [Token::Symbol('='), value, ..]) if value.name() == Some("orm_given") => {
            Some(column)
        }
        _ => None,
    };
    assignments.into_iter().filter_map(given).collect()
}

/// Whether the SELECT reads columns by name, and among them none that every write gave.
fn reads_what_was_generated(tokens: &[Token], writes: &[HashSet<String>]) -> bool {
    let (Some(from), Some(condition)) = (
        tokens.iter().position(|token| token.is("FROM")),
        tokens.iter().position(|token| token.is("WHERE")),
    ) else {
        return false;
    };
    let key: HashSet<&str> = tokens[condition..].iter().filter_map(Token::name).collect();
    at_top_level(&tokens[1..from]).into_iter().all(|column| match path(column) {
        Some((name, [])) => {
            key.contains(&*name) || !writes.iter().all(|given| given.contains(&name))
        }
        _ => false,
    })
}

/// What stands between commas that are in no brackets.
fn at_top_level(tokens: &[Token]) -> Vec<&[Token]> {
    let mut depth = 0;
    let is_comma = |token: &Token| {
        match token {
            Token::Symbol('(') => depth += 1,
            Token::Symbol(')') => depth -= 1,
            _ => {}
        }
        depth == 0 && *token == Token::Symbol(',')
    };
    tokens.split(is_comma).collect()
}

#[cfg(test)]
mod tests {
    use super::ReadBacks;

    #[test]
    fn only_the_first_read_of_what_was_generated_is_one() {
        let mut read_backs = ReadBacks::default();
        let read =
            "SELECT `users`.`id`, `users`.`updated_at` FROM `users` WHERE `users`.`id` IN (?)";
        let entity = "SELECT `users`.`id`, `users`.`name` FROM `users` WHERE `users`.`id` = ?";
        assert!(!read_backs.is_one(read), "nothing was written");
        for write in [
            "INSERT INTO `users` (`name`, `age`) VALUES (?, ?)",
            "UPDATE `users` SET `name` = ?, `updated_at` = CURRENT_TIMESTAMP(6) WHERE `id` = ?",
            "UPDATE `users` JOIN (SELECT ? AS `k0`, ? AS `s0` UNION ALL SELECT ?, ?) AS `orm_given` \
             ON `users`.`id` = `orm_given`.`k0` SET `users`.`name` = `orm_given`.`s0`, \
             `users`.`updated_at` = now(6)",
        ] {
            assert!(!read_backs.is_one(write));
            assert!(!read_backs.is_one(entity));
            assert!(!read_backs.is_one("SELECT count(*) FROM `users` WHERE `id` = ?"));
            assert!(!read_backs.is_one("SELECT `posts`.`id` FROM `posts` WHERE `id` = ?"));
            assert!(read_backs.is_one(read));
            assert!(!read_backs.is_one(read), "once is enough");
        }
        assert!(!read_backs.is_one("INSERT INTO `users` (`name`) VALUES (?)"));
        assert!(!read_backs.is_one("COMMIT"));
        assert!(!read_backs.is_one(read), "it is over");
    }

    #[test]
    fn columns_that_some_rows_left_out_are_generated() {
        let mut read_backs = ReadBacks::default();
        read_backs.is_one("INSERT INTO `parts` (`code`, `weight`) VALUES (?, ?)");
        read_backs.is_one("INSERT INTO `parts` (`code`) VALUES (?)");
        assert!(read_backs.is_one("SELECT `code`, `weight` FROM `parts` WHERE `code` IN (?, ?)"));
        read_backs.is_one("INSERT INTO `pulses` () VALUES ()");
        assert!(read_backs.is_one("SELECT `id`, `strength` FROM `pulses` WHERE `id` IN (?)"));
    }
}
