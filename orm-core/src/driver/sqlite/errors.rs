//! From SQLite's result codes and messages to our errors.

use crate::error::{Error, Violation, ViolationKind};

/// Result codes, <https://www.sqlite.org/rescode.html>. The low byte is the primary code.
mod code {
    pub(super) const BUSY: i32 = 5;
    pub(super) const LOCKED: i32 = 6;
    pub(super) const INTERRUPT: i32 = 9;
    pub(super) const IO_ERROR: i32 = 10;
    pub(super) const CAN_NOT_OPEN: i32 = 14;
    pub(super) const CHECK: i32 = 275;
    pub(super) const BUSY_SNAPSHOT: i32 = 517;
    pub(super) const FOREIGN_KEY: i32 = 787;
    pub(super) const NOT_NULL: i32 = 1299;
    pub(super) const PRIMARY_KEY: i32 = 1555;
    /// Also what ON DELETE RESTRICT reports.
    pub(super) const TRIGGER: i32 = 1811;
    pub(super) const UNIQUE: i32 = 2067;
    pub(super) const ROWID: i32 = 2579;
}

/// Translates an error of rusqlite.
pub(super) fn from_rusqlite(error: rusqlite::Error) -> Error {
    match error {
        rusqlite::Error::SqliteFailure(error, message) => {
            let message = message.unwrap_or_else(|| error.to_string());
            from_code(error.extended_code, &message)
        }
        rusqlite::Error::SqlInputError { error, msg, .. } => from_code(error.extended_code, &msg),
        rusqlite::Error::MultipleStatement => Error::misuse("the text is more than one statement"),
        error => Error::Database { code: None, message: error.to_string() },
    }
}

/// Whether somebody else's lock stands in the way, so that waiting helps. It doesn't where what was
/// read before is outdated by now.
pub(super) fn is_busy(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|error| {
        error.extended_code & 0xff == code::BUSY && error.extended_code != code::BUSY_SNAPSHOT
    })
}

/// Whether the statement was interrupted.
pub(super) fn is_interrupted(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code & 0xff == code::INTERRUPT)
}

/// Translates an error of sqlx.
#[cfg(feature = "sqlx-sqlite")]
pub(super) fn from_sqlx(error: sqlx::Error) -> Error {
    match error {
        sqlx::Error::Database(error) => {
            let code = error.code().and_then(|code| code.parse().ok()).unwrap_or(0);
            from_code(code, error.message())
        }
        sqlx::Error::PoolTimedOut => super::pool::timed_out(),
        sqlx::Error::PoolClosed => Error::Connection("the engine is closed".to_owned()),
        sqlx::Error::WorkerCrashed => Error::Connection("the connection's thread ended".to_owned()),
        error @ (sqlx::Error::Io(_) | sqlx::Error::Configuration(_)) => {
            Error::Connection(error.to_string())
        }
        error => Error::Database { code: None, message: error.to_string() },
    }
}

fn from_code(code: i32, message: &str) -> Error {
    match code {
        code::UNIQUE | code::PRIMARY_KEY | code::ROWID => violation(ViolationKind::Unique, message),
        code::NOT_NULL => violation(ViolationKind::NotNull, message),
        code::CHECK => violation(ViolationKind::Check, message),
        code::FOREIGN_KEY => violation(ViolationKind::ForeignKey, message),
        code::TRIGGER if message.starts_with("FOREIGN KEY") => {
            violation(ViolationKind::ForeignKey, message)
        }
        _ => match code & 0xff {
            code::BUSY | code::LOCKED => Error::Serialization(message.to_owned()),
            code::IO_ERROR | code::CAN_NOT_OPEN => {
                Error::Connection(format!("{message} (code {code})"))
            }
            _ => Error::Database { code: Some(code.to_string()), message: without_values(message) },
        },
    }
}

/// Reads `UNIQUE constraint failed: users.email, users.name`, `NOT NULL constraint failed:
/// users.name`, `CHECK constraint failed: ck_users_age` and `FOREIGN KEY constraint failed`.
fn violation(kind: ViolationKind, message: &str) -> Error {
    let mut violation = Violation { kind, ..Violation::default() };
    let what = message.split_once("constraint failed: ").map(|(_, what)| what);
    match (kind, what) {
        (ViolationKind::Unique | ViolationKind::NotNull, Some(columns)) => {
            for column in columns.split(", ") {
                let (table, column) = column.rsplit_once('.').unwrap_or(("", column));
                // What stands before a further point is the schema, which is part of the name.
                let table = table.rsplit_once('.').map_or(table, |(_, table)| table);
                if !table.is_empty() {
                    violation.table = Some(table.to_owned());
                }
                violation.columns.push(column.to_owned());
            }
        }
        (ViolationKind::Check, Some(constraint)) => {
            violation.constraint = Some(constraint.to_owned());
        }
        _ => {}
    }
    violation.into_error()
}

/// Leaves out the quotation of a value from the messages that have one.
fn without_values(message: &str) -> String {
    const QUOTING: [&str; 3] = ["bad JSON path", "malformed MATCH expression", "fts5"];
    let start = QUOTING.iter().find(|start| message.starts_with(**start));
    start.map_or(message, |start| *start).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(code: i32, message: &str, table: Option<&str>, columns: &[&str]) {
        let error = from_code(code, message);
        let violation = error.violation().expect("a violation");
        assert_eq!(violation.table.as_deref(), table);
        assert_eq!(violation.columns, columns);
    }

    #[test]
    fn messages_name_table_and_columns() {
        let several = "UNIQUE constraint failed: users.email, users.name";
        check(2067, several, Some("users"), &["email", "name"]);
        check(1555, "UNIQUE constraint failed: billing.users.id", Some("users"), &["id"]);
        check(1299, "NOT NULL constraint failed: users.name", Some("users"), &["name"]);
        check(787, "FOREIGN KEY constraint failed", None, &[]);
        check(1811, "FOREIGN KEY constraint failed", None, &[]);
    }

    #[test]
    fn locks_can_be_tried_again_and_values_stay_out() {
        for code in [5, 261, 517, 6, 262] {
            assert!(from_code(code, "database is locked").is_retryable());
        }
        let error = from_code(1, "bad JSON path: 'secret'");
        assert!(!error.to_string().contains("secret"));
    }
}
