//! From the servers' error numbers and messages to our errors.

use sqlx::mysql::MySqlDatabaseError;

use crate::error::{Error, Violation, ViolationKind};
use crate::value::ValueError;

/// Translates an error of sqlx.
pub(super) fn from_sqlx(error: sqlx::Error) -> Error {
    match error {
        sqlx::Error::Database(error) => match error.try_downcast_ref::<MySqlDatabaseError>() {
            Some(error) => from_number(error.number(), error.code(), error.message()),
            None => Error::Database { code: None, message: masked(error.message()) },
        },
        sqlx::Error::PoolTimedOut => {
            Error::Timeout("every connection of the pool stayed in use".to_owned())
        }
        sqlx::Error::PoolClosed => Error::Connection("the engine is closed".to_owned()),
        error @ (sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::Configuration(_)) => Error::Connection(error.to_string()),
        error => Error::Database { code: None, message: masked(&error.to_string()) },
    }
}

/// The number of a server's error.
pub(super) fn number(error: &sqlx::Error) -> Option<u16> {
    let error = error.as_database_error()?;
    error.try_downcast_ref::<MySqlDatabaseError>().map(MySqlDatabaseError::number)
}

/// Whether a statement can't be run because the server doesn't know it, or not any more: unknown
/// handler, too many prepared ones, a table that changes all the time.
pub(super) fn is_of_preparation(number: u16) -> bool {
    matches!(number, 1243 | 1461 | 1615)
}

/// Whether the user, the password or the database that a connection asks for is at fault.
pub(super) fn is_of_the_url(number: u16) -> bool {
    matches!(number, 1044 | 1045 | 1049 | 1251 | 1524 | 1698)
}

/// Numbers: <https://mariadb.com/kb/en/mariadb-error-code-reference/> and
/// <https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html>.
fn from_number(number: u16, state: Option<&str>, message: &str) -> Error {
    match number {
        1022 | 1062 | 1169 | 1586 | 1761 | 1762 | 1859 => unique(message),
        1048 | 1263 | 1364 => not_null(message),
        1216 | 1217 | 1451 | 1452 => foreign_key(message),
        3819 => check(message),
        // MySQL means something else by this number.
        4025 if state == Some("23000") => check(message),
        // A deadlock; a row that changed since the snapshot; a lock that was waited for too long,
        // or not at all.
        1020 | 1205 | 1213 | 3572 => Error::Serialization(masked(message)),
        1969 | 3024 => Error::Timeout("the statement ran for longer than it may".to_owned()),
        // Too many connections, hosts and users that aren't let in, packets that don't get
        // through, connections and servers that are being shut down.
        1040
        | 1045
        | 1047
        | 1053
        | 1080
        | 1129
        | 1130
        | 1152..=1161
        | 1184
        | 1203
        | 1226
        | 1698
        | 1927
        | 2006
        | 2013
        | 4031 => Error::Connection(format!("{} (code {number})", masked(message))),
        1264 => unfit(message, "the number is out of the column's range"),
        1265 | 1292 | 1366 | 1411 | 1525 => unfit(message, "the value is not one of its type"),
        1406 => unfit(message, "the value is too long for the column"),
        1690 => Error::Database {
            code: Some(number.to_string()),
            message: "a number is out of the range of its type".to_owned(),
        },
        _ => Error::Database {
            code: Some(number.to_string()),
            message: if names_no_value(number) { message.to_owned() } else { masked(message) },
        },
    }
}

/// Whether what a message quotes are names of the schema or the statement itself.
fn names_no_value(number: u16) -> bool {
    matches!(
        number,
        1005 | 1007 | 1008 | 1044 | 1045 | 1046 | 1049..=1052 | 1054 | 1055 | 1060 | 1061 | 1064
        | 1066 | 1068..=1072 | 1075 | 1090 | 1091 | 1093 | 1101 | 1109 | 1118 | 1136 | 1142 | 1143
        | 1146 | 1170 | 1176 | 1193 | 1215 | 1235 | 1267 | 1305 | 1442 | 1553 | 1822 | 1824..=1834
        | 3780 | 4080
    )
}

/// The message with `…` in place of what stands between single quotes, which may be a value.
fn masked(message: &str) -> String {
    let mut parts = message.split('\'');
    let mut masked = parts.next().unwrap_or_default().to_owned();
    if let Some(rest) = parts.next_back() {
        masked.push_str("'…'");
        masked.push_str(rest);
    }
    masked
}

/// A value that doesn't fit its column, where the message names it: `for column 'age' at row 1`,
/// or with the table.
fn unfit(message: &str, reason: &str) -> Error {
    let column = message.rsplit_once(" for column ").map(|(_, rest)| rest);
    let column = column.and_then(|rest| rest.rsplit_once(" at row")).map(|(name, _)| name);
    let mut names = column.map(names).unwrap_or_default();
    // What comes first is the database.
    let place = match (names.pop(), names.pop()) {
        (Some(column), Some(table)) => format!("`{table}.{column}`"),
        (Some(column), None) => format!("`{column}`"),
        (None, _) => "a value of the statement".to_owned(),
    };
    Error::Type { place, error: ValueError::new(reason) }
}

/// Reads `Duplicate entry '…' for key 'uq_users_email'`, on MySQL `'users.uq_users_email'`. The
/// value comes first and may contain anything.
fn unique(message: &str) -> Error {
    let mut violation = Violation { kind: ViolationKind::Unique, ..Violation::default() };
    let key = message.rsplit_once("key '").and_then(|(_, key)| key.strip_suffix('\''));
    match key.map(|key| key.rsplit_once('.').ok_or(key)) {
        Some(Ok((table, key))) => {
            violation.table = Some(table.to_owned());
            violation.constraint = Some(key.to_owned());
        }
        Some(Err(key)) => violation.constraint = Some(key.to_owned()),
        None => {}
    }
    violation.into_error()
}

/// Reads `Column 'email' cannot be null` and `Field 'email' doesn't have a default value`.
fn not_null(message: &str) -> Error {
    let mut violation = Violation { kind: ViolationKind::NotNull, ..Violation::default() };
    let name = message.split_once('\'').and_then(|(_, rest)| rest.split_once('\''));
    violation.columns.extend(name.map(|(name, _)| name.to_owned()));
    violation.into_error()
}

/// Reads ``… a foreign key constraint fails (`shop`.`posts`, CONSTRAINT `fk_posts_user_id`
/// FOREIGN KEY (`user_id`) REFERENCES `users` (`id`))``: the table is the one with the key, also
/// where a row that is pointed to was to go.
fn foreign_key(message: &str) -> Error {
    let mut violation = Violation { kind: ViolationKind::ForeignKey, ..Violation::default() };
    if let Some((_, rest)) = message.split_once("constraint fails (") {
        let (table, rest) = rest.split_once(", CONSTRAINT ").unwrap_or((rest, ""));
        violation.table = names(table).pop();
        let (constraint, rest) = rest.split_once(" FOREIGN KEY (").unwrap_or((rest, ""));
        violation.constraint = names(constraint).pop();
        let (columns, _) = rest.split_once(") REFERENCES").unwrap_or((rest, ""));
        violation.columns = names(columns);
    }
    violation.into_error()
}

/// Reads ``CONSTRAINT `ck_users_age` failed for `shop`.`users` `` and `Check constraint
/// 'ck_users_age' is violated.`; MariaDB's checks of its own types are named `users.settings`.
fn check(message: &str) -> Error {
    let mut violation = Violation { kind: ViolationKind::Check, ..Violation::default() };
    let (constraint, table) = message.split_once(" failed for ").unwrap_or((message, ""));
    violation.table = names(table).pop();
    let constraint = names(constraint).pop();
    match constraint.as_deref().and_then(|name| name.split_once('.')) {
        Some((_, column)) => violation.columns.push(column.to_owned()),
        None => violation.constraint = constraint,
    }
    violation.into_error()
}

/// The quoted names of a text, in backticks or single quotes.
fn names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if !matches!(character, '`' | '\'') {
            continue;
        }
        let mut name = String::new();
        while let Some(inner) = characters.next() {
            // A doubled quote is one of the name.
            if inner == character && characters.next_if_eq(&character).is_none() {
                break;
            }
            name.push(inner);
        }
        names.push(name);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_violation(
        number: u16,
        message: &str,
        kind: ViolationKind,
        table: Option<&str>,
        constraint: Option<&str>,
        columns: &[&str],
    ) {
        let error = from_number(number, Some("23000"), message);
        let violation = error.violation().expect("a violation");
        assert_eq!(violation.kind, kind);
        assert_eq!(violation.table.as_deref(), table);
        assert_eq!(violation.constraint.as_deref(), constraint);
        assert_eq!(violation.columns, columns);
        assert!(!error.to_string().contains("secret"));
    }

    /// Both servers' messages; MySQL's are those of its documentation.
    #[test]
    fn messages_name_table_constraint_and_columns() {
        let unique = "Duplicate entry 'it's secret' for key 'uq_users_email'";
        check_violation(1062, unique, ViolationKind::Unique, None, Some("uq_users_email"), &[]);
        let unique = "Duplicate entry 'secret' for key 'users.PRIMARY'";
        check_violation(1062, unique, ViolationKind::Unique, Some("users"), Some("PRIMARY"), &[]);
        let unique = "Duplicate entry '' for key 'x' for key 'uq'";
        check_violation(1062, unique, ViolationKind::Unique, None, Some("uq"), &[]);
        let unique = "Can't write; duplicate key in table 'users'";
        check_violation(1022, unique, ViolationKind::Unique, None, None, &[]);
        let unique = "Foreign key constraint for table 'a', record 'secret' would lead to a \
                      duplicate entry in table 'b', key 'uq_b'";
        check_violation(1761, unique, ViolationKind::Unique, None, Some("uq_b"), &[]);
        let null = "Column 'email' cannot be null";
        check_violation(1048, null, ViolationKind::NotNull, None, None, &["email"]);
        let null = "Field 'email' doesn't have a default value";
        check_violation(1364, null, ViolationKind::NotNull, None, None, &["email"]);
        let orphan = "Cannot add or update a child row: a foreign key constraint fails \
                      (`shop`.`my``posts`, CONSTRAINT `fk, x` FOREIGN KEY (`a`, `b)`) REFERENCES \
                      `users` (`a`, `b`) ON DELETE CASCADE)";
        let columns = ["a", "b)"];
        check_violation(
            1452,
            orphan,
            ViolationKind::ForeignKey,
            Some("my`posts"),
            Some("fk, x"),
            &columns,
        );
        let bare = "Cannot delete or update a parent row: a foreign key constraint fails";
        check_violation(1217, bare, ViolationKind::ForeignKey, None, None, &[]);
        let check = "CONSTRAINT `ck_users_age` failed for `shop`.`users`";
        check_violation(
            4025,
            check,
            ViolationKind::Check,
            Some("users"),
            Some("ck_users_age"),
            &[],
        );
        let check = "CONSTRAINT `users.settings` failed for `shop`.`users`";
        check_violation(4025, check, ViolationKind::Check, Some("users"), None, &["settings"]);
        let check = "Check constraint 'ck_users_age' is violated.";
        check_violation(3819, check, ViolationKind::Check, None, Some("ck_users_age"), &[]);
    }

    #[test]
    fn numbers_tell_what_can_be_done() {
        for number in [1020, 1205, 1213, 3572] {
            assert!(from_number(number, None, "Deadlock found").is_retryable());
        }
        for number in [1969, 3024] {
            let error = from_number(number, None, "Query execution was interrupted");
            assert!(matches!(error, Error::Timeout(_)));
        }
        for number in [1040, 1053, 1153, 1927, 2006, 2013, 4031] {
            assert!(matches!(from_number(number, None, "gone"), Error::Connection(_)));
        }
        // MySQL's own 4025.
        let error = from_number(4025, Some("HY000"), "autoextend size");
        assert!(matches!(error, Error::Database { .. }));
    }

    #[test]
    fn values_stay_out() {
        for (number, message, place) in [
            (1406, "Data too long for column 'email' at row 1", "`email`"),
            (1264, "Out of range value for column 'age' at row 12", "`age`"),
            (
                1366,
                "Incorrect integer value: 'secret' for column `shop`.`users`.`age` at row 1",
                "`users.age`",
            ),
            (1292, "Incorrect date value: 'secret' for column 'column x' at row 1", "`column x`"),
            (1292, "Truncated incorrect DOUBLE value: 'secret'", "a value of the statement"),
            (
                1411,
                "Incorrect datetime value: 'secret' for function str_to_date",
                "a value of the statement",
            ),
        ] {
            let error = from_number(number, None, message);
            let Error::Type { place: found, .. } = &error else { panic!("{error:?}") };
            assert_eq!(found, place);
            assert!(!error.to_string().contains("secret"));
        }
        for (number, message) in [
            (1690, "BIGINT value is out of range in '('secret' + 1)'"),
            (1300, "Invalid utf8mb4 character string: 'secret'"),
            (1526, "Table has no partition for value 'secret'"),
            (9999, "It is 'a secret', isn't it"),
            (1205, "'secret'"),
        ] {
            let error = from_number(number, None, message).to_string();
            assert!(!error.contains("secret"), "{error}");
        }
        assert_eq!(masked("It is 'a', or 'b'."), "It is '…'.");
        assert_eq!(masked("It isn't"), "It isn'…'t");
        assert_eq!(masked("plain"), "plain");
    }
}
