//! From PostgreSQL's error codes to our errors.

use sqlx::postgres::{PgDatabaseError, PgSeverity};

use crate::error::{Error, Violation, ViolationKind};

/// Error codes, <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
mod code {
    pub(super) const NOT_NULL: &str = "23502";
    pub(super) const FOREIGN_KEY: &str = "23503";
    pub(super) const UNIQUE: &str = "23505";
    pub(super) const CHECK: &str = "23514";
    pub(super) const SERIALIZATION_FAILURE: &str = "40001";
    pub(super) const DEADLOCK: &str = "40P01";
    pub(super) const LOCK_NOT_AVAILABLE: &str = "55P03";
    pub(super) const QUERY_CANCELED: &str = "57014";
    pub(super) const TOO_MANY_CONNECTIONS: &str = "53300";
    pub(super) const FEATURE_NOT_SUPPORTED: &str = "0A000";
    pub(super) const NO_SUCH_PREPARED_STATEMENT: &str = "26000";
    pub(super) const PREPARED_STATEMENT_EXISTS: &str = "42P05";
}

/// What the server calls the place where it finds that a prepared statement would return other
/// columns than it did. The message may be in any language.
const RESULT_CHANGED: &str = "RevalidateCachedQuery";

/// Whether the error says that what was prepared on this connection can't be trusted any more.
pub(super) fn is_outdated(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(error) = error else { return false };
    let Some(error) = error.try_downcast_ref::<PgDatabaseError>() else { return false };
    match error.code() {
        code::FEATURE_NOT_SUPPORTED => error.routine() == Some(RESULT_CHANGED),
        // Somebody discarded it, or a pooler gave us another connection of the server's.
        code::NO_SUCH_PREPARED_STATEMENT | code::PREPARED_STATEMENT_EXISTS => true,
        _ => false,
    }
}

/// Translates an error of sqlx.
pub(super) fn from_sqlx(error: sqlx::Error) -> Error {
    match error {
        sqlx::Error::Database(error) => match error.try_downcast::<PgDatabaseError>() {
            Ok(error) => from_server(&error),
            Err(error) => {
                let code = error.code().map(|code| code.into_owned());
                Error::Database { code, message: "an unknown error".to_owned() }
            }
        },
        sqlx::Error::PoolTimedOut => {
            Error::Timeout("no connection became free, or could be opened, in time".to_owned())
        }
        sqlx::Error::PoolClosed => Error::Connection("the engine is closed".to_owned()),
        sqlx::Error::Tls(error) => Error::Connection(with_feature(&error.to_string())),
        error @ (sqlx::Error::Io(_)
        | sqlx::Error::Configuration(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::WorkerCrashed) => Error::Connection(error.to_string()),
        error => Error::Database { code: None, message: error.to_string() },
    }
}

/// A failure of encryption; where this build can't encrypt, with the way out.
fn with_feature(message: &str) -> String {
    if cfg!(feature = "tls") {
        message.to_owned()
    } else {
        format!("{message}: encrypted connections need the feature `tls` of orm-core")
    }
}

fn from_server(error: &PgDatabaseError) -> Error {
    let message = || error.message().to_owned();
    let code = error.code();
    match code {
        code::UNIQUE => violation(ViolationKind::Unique, error),
        code::FOREIGN_KEY => violation(ViolationKind::ForeignKey, error),
        code::NOT_NULL => violation(ViolationKind::NotNull, error),
        code::CHECK => violation(ViolationKind::Check, error),
        code::SERIALIZATION_FAILURE | code::DEADLOCK | code::LOCK_NOT_AVAILABLE => {
            Error::Serialization(message())
        }
        code::QUERY_CANCELED => Error::Timeout(message()),
        code::TOO_MANY_CONNECTIONS => Error::Connection(message()),
        // The server ends the connection, whatever the reason.
        _ if matches!(error.severity(), PgSeverity::Fatal | PgSeverity::Panic) => {
            Error::Connection(message())
        }
        _ if code.starts_with("08") || code.starts_with("57P") => Error::Connection(message()),
        _ => Error::Database {
            code: Some(code.to_owned()),
            message: about_value(code).map_or_else(message, str::to_owned),
        },
    }
}

/// What is wrong with a value. The server's own messages of this class can quote it.
fn about_value(code: &str) -> Option<&'static str> {
    Some(match code {
        "22001" => "a text is longer than its column",
        "22003" => "a number is out of range",
        "22004" => "NULL stands where it must not",
        "22007" | "22008" => "a date or time is not valid, or out of range",
        "22012" => "division by zero",
        "22021" | "22P05" => "a text holds a character that the database can't store",
        "22023" => "an argument is not valid",
        "22P02" | "22P03" => "a value is not in the form that its type has",
        code if code.starts_with("22") => "a value is not valid",
        _ => return None,
    })
}

fn violation(kind: ViolationKind, error: &PgDatabaseError) -> Error {
    let mut columns: Vec<String> = error.column().map(str::to_owned).into_iter().collect();
    let names_key = matches!(kind, ViolationKind::Unique | ViolationKind::ForeignKey);
    if names_key && columns.is_empty() {
        columns = error.detail().map(columns_of_key).unwrap_or_default();
    }
    Violation {
        kind,
        table: error.table().map(str::to_owned),
        constraint: error.constraint().map(str::to_owned),
        columns,
        ..Violation::default()
    }
    .into_error()
}

/// The columns in `Key (email, name)=(…) already exists.`, in any language. None, if one of them
/// is an expression.
fn columns_of_key(detail: &str) -> Vec<String> {
    let key = detail.split_once('(').and_then(|(_, rest)| rest.split_once(")=("));
    let Some((key, _)) = key else { return Vec::new() };
    let columns: Option<Vec<String>> = key
        .split(", ")
        .map(|column| {
            let unquoted = column.strip_prefix('"').and_then(|column| column.strip_suffix('"'));
            let name = unquoted.unwrap_or(column);
            let is_name = |character: char| character.is_alphanumeric() || character == '_';
            name.chars().all(is_name).then(|| name.to_owned())
        })
        .collect();
    columns.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_name_their_columns() {
        for (detail, columns) in [
            ("Key (email)=(secret) already exists.", vec!["email"]),
            ("Schlüssel »(a, \"B\")=(1, 2)« existiert bereits.", vec!["a", "B"]),
            ("Key (lower(email))=(x) already exists.", vec![]),
            ("nothing of that kind", vec![]),
        ] {
            assert_eq!(columns_of_key(detail), columns, "{detail}");
        }
    }

    #[test]
    fn messages_about_values_are_our_own() {
        assert_eq!(about_value("22P02"), Some("a value is not in the form that its type has"));
        assert_eq!(about_value("42P01"), None);
    }
}
