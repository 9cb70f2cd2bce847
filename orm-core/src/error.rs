//! What can go wrong, as one enum whose messages name the table, the column and the way out.

use std::borrow::Cow;
use std::fmt;

use crate::value::ValueError;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong.
///
/// Messages name the table, the column and the way out, and never contain a bound value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Two rows with the same value in a unique column or group of columns.
    #[error("{0}")]
    UniqueViolation(Box<Violation>),
    /// A foreign key that points to no row, or a row that others still point to.
    #[error("{0}")]
    ForeignKeyViolation(Box<Violation>),
    /// `NULL`, or nothing, in a column that needs a value.
    #[error("{0}")]
    NotNullViolation(Box<Violation>),
    /// A value that a check of the table refuses.
    #[error("{0}")]
    CheckViolation(Box<Violation>),
    /// A row that a flush wanted to change was changed or deleted by someone else.
    #[error("{0}")]
    StaleData(Box<StaleData>),
    /// No row with this key, or no row at all where one was required.
    #[error("no row of `{table}` matches: {reason}")]
    NotFound {
        /// The table.
        table: Cow<'static, str>,
        /// What was looked for, without values.
        reason: Cow<'static, str>,
    },
    /// Several rows where at most one was expected.
    #[error("several rows of `{table}` match where at most one was expected")]
    MultipleFound {
        /// The table.
        table: Cow<'static, str>,
    },
    /// A relationship, a deferred column or an expired object was read before it was loaded.
    #[error("`{model}.{field}` is not loaded: {hint}")]
    NotLoaded {
        /// The model.
        model: &'static str,
        /// The relationship or column, or `*` for a whole expired object.
        field: &'static str,
        /// How to load it.
        hint: &'static str,
    },
    /// A handle whose object is not, or no longer, in this session.
    #[error("this handle of `{model}` is detached: {reason}")]
    Detached {
        /// The model.
        model: &'static str,
        /// Why.
        reason: &'static str,
    },
    /// The transaction, or a savepoint in it, has failed and only its `rollback()` is possible.
    #[error(
        "the session, or the savepoint that it is inside of, must be rolled back before it is used again; the first failure was: {first}"
    )]
    RollbackRequired {
        /// The message of the first failure.
        first: String,
    },
    /// A COMMIT was sent and its outcome has not been awaited yet.
    #[error("a COMMIT is still under way; the session's next call awaits its outcome")]
    CommitPending,
    /// The connection was lost while a COMMIT was under way: it may or may not have happened.
    #[error("the connection was lost during COMMIT, which may have happened or not: {0}")]
    CommitOutcomeUnknown(String),
    /// Rows that depend on each other in a circle that nothing can break.
    #[error("the flush can't be ordered: {0}")]
    Cycle(String),
    /// An object whose required parent was never given.
    #[error(
        "`{table}.{column}` needs a value: set the relationship `{relationship}` or the column before the flush"
    )]
    MissingForeignKey {
        /// The table of the object.
        table: Cow<'static, str>,
        /// Its foreign key column.
        column: Cow<'static, str>,
        /// The relationship that would set it, or how to set it otherwise.
        relationship: Cow<'static, str>,
    },
    /// A value that a column can't hold or that a field can't be read from.
    #[error("{place}: {error}")]
    Type {
        /// The table and column, as far as known.
        place: String,
        /// What is wrong.
        error: ValueError,
    },
    /// A hook of the application refused what it was asked about. Made by [`Error::refused`].
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// A cursor that belongs to another query or order, or was changed on its way.
    #[error("the cursor can't be used: {0}")]
    InvalidCursor(&'static str),
    /// An order, asked for by a request, that isn't one of those that are offered.
    #[error("the rows can't be ordered like that: {0}")]
    InvalidOrder(String),
    /// The session can't do this in the state it is in, or with these arguments.
    #[error("{0}")]
    Misuse(String),
    /// The database can't be reached, or the connection was lost.
    #[error("no connection to the database: {0}")]
    Connection(String),
    /// A deadlock or a serialization failure: the transaction can be tried again.
    #[error("the transaction collided with another and can be tried again: {0}")]
    Serialization(String),
    /// Something took longer than it was allowed to.
    #[error("timed out: {0}")]
    Timeout(String),
    /// Any other error of the database.
    #[error("the database refused the statement{}: {message}", .code.as_ref().map(|code| format!(" (code {code})")).unwrap_or_default())]
    Database {
        /// The database's own code.
        code: Option<String>,
        /// Its message.
        message: String,
    },
}

impl Error {
    /// The error of a hook that refuses: a sentence, or an error of the application's own.
    ///
    /// ```
    /// use orm_core::Error;
    ///
    /// let error = Error::refused("a page needs a title");
    /// assert_eq!(error.to_string(), "a page needs a title");
    /// ```
    pub fn refused(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Error::Refused(Box::new(Refusal { reason: reason.into(), autoflush: false }))
    }

    /// A misuse, with a sentence that names the way out.
    pub(crate) fn misuse(sentence: impl Into<String>) -> Self {
        Error::Misuse(sentence.into())
    }

    /// A value error at a column.
    pub(crate) fn at_column(table: &str, column: &str, error: ValueError) -> Self {
        Error::Type { place: Self::place_of(table, column), error }
    }

    /// How a message names a column.
    pub(crate) fn place_of(table: &str, column: &str) -> String {
        format!("`{table}.{column}`")
    }

    /// The same error, saying that an autoflush before a query raised it.
    pub(crate) fn in_autoflush(self) -> Self {
        const NOTE: &str = " (raised by an autoflush before a query)";
        match self {
            Error::UniqueViolation(mut violation) => {
                violation.autoflush = true;
                Error::UniqueViolation(violation)
            }
            Error::ForeignKeyViolation(mut violation) => {
                violation.autoflush = true;
                Error::ForeignKeyViolation(violation)
            }
            Error::NotNullViolation(mut violation) => {
                violation.autoflush = true;
                Error::NotNullViolation(violation)
            }
            Error::CheckViolation(mut violation) => {
                violation.autoflush = true;
                Error::CheckViolation(violation)
            }
            Error::StaleData(mut stale) => {
                stale.autoflush = true;
                Error::StaleData(stale)
            }
            Error::Refused(mut refusal) => {
                refusal.autoflush = true;
                Error::Refused(refusal)
            }
            Error::Cycle(sentence) => Error::Cycle(sentence + NOTE),
            Error::Misuse(sentence) => Error::Misuse(sentence + NOTE),
            Error::Connection(sentence) => Error::Connection(sentence + NOTE),
            Error::Serialization(sentence) => Error::Serialization(sentence + NOTE),
            Error::Timeout(sentence) => Error::Timeout(sentence + NOTE),
            Error::Database { code, message } => Error::Database { code, message: message + NOTE },
            Error::Type { place, error } => {
                Error::Type { place, error: ValueError::new(format!("{}{NOTE}", error.reason())) }
            }
            Error::MissingForeignKey { table, column, relationship } => {
                let relationship = format!("{relationship}{NOTE}").into();
                Error::MissingForeignKey { table, column, relationship }
            }
            other => other,
        }
    }

    /// Whether running the whole transaction again may succeed.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Error::Serialization(_))
    }

    /// The violated constraint, if this is one of the four constraint violations.
    pub fn violation(&self) -> Option<&Violation> {
        match self {
            Error::UniqueViolation(violation)
            | Error::ForeignKeyViolation(violation)
            | Error::NotNullViolation(violation)
            | Error::CheckViolation(violation) => Some(violation),
            _ => None,
        }
    }
}

/// Which constraint was violated, as far as the database tells and the schema can resolve.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// What kind of constraint, for the message.
    pub(crate) kind: ViolationKind,
    /// The table.
    pub table: Option<String>,
    /// The constraint's name.
    pub constraint: Option<String>,
    /// The columns, by their names in the database.
    pub columns: Vec<String>,
    /// Whether a flush that a query started (an autoflush) raised it.
    pub autoflush: bool,
}

/// The kinds of constraints that tell themselves apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ViolationKind {
    #[default]
    Unique,
    ForeignKey,
    NotNull,
    Check,
}

impl Violation {
    pub(crate) fn into_error(self) -> Error {
        match self.kind {
            ViolationKind::Unique => Error::UniqueViolation(Box::new(self)),
            ViolationKind::ForeignKey => Error::ForeignKeyViolation(Box::new(self)),
            ViolationKind::NotNull => Error::NotNullViolation(Box::new(self)),
            ViolationKind::Check => Error::CheckViolation(Box::new(self)),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            ViolationKind::Unique => "a row with the same value exists already",
            ViolationKind::ForeignKey => {
                "a row points to one that doesn't exist, or is still pointed to"
            }
            ViolationKind::NotNull => "a column that needs a value has none",
            ViolationKind::Check => "a value is refused by a check",
        };
        f.write_str(what)?;
        match (&self.table, self.columns.is_empty()) {
            (Some(table), false) => write!(f, ": `{table}` ({})", self.columns.join(", "))?,
            (Some(table), true) => write!(f, ": `{table}`")?,
            (None, false) => write!(f, ": ({})", self.columns.join(", "))?,
            (None, true) => {}
        }
        if let Some(constraint) = &self.constraint {
            write!(f, ", constraint `{constraint}`")?;
        }
        if self.autoflush {
            f.write_str(" (raised by an autoflush before a query)")?;
        }
        Ok(())
    }
}

/// What a hook of the application refused, and why.
#[derive(Debug)]
#[non_exhaustive]
pub struct Refusal {
    /// The application's own reason.
    pub reason: Box<dyn std::error::Error + Send + Sync>,
    /// Whether a flush that a query started (an autoflush) raised it.
    pub autoflush: bool,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)?;
        match self.autoflush {
            true => f.write_str(" (raised by an autoflush before a query)"),
            false => Ok(()),
        }
    }
}

/// Rows that a flush planned to change and did not find.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StaleData {
    /// The table.
    pub table: String,
    /// `UPDATE` or `DELETE`.
    pub operation: &'static str,
    /// How many rows were to be matched.
    pub expected: u64,
    /// How many were.
    pub matched: u64,
    /// The objects that were not found, as their handles print.
    pub objects: Vec<String>,
    /// Whether a flush that a query started (an autoflush) raised it.
    pub autoflush: bool,
}

impl fmt::Display for StaleData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} of `{}` matched {} of {} rows: the others were changed or deleted by someone else",
            self.operation, self.table, self.matched, self.expected
        )?;
        if self.autoflush {
            f.write_str(" (raised by an autoflush before a query)")?;
        }
        Ok(())
    }
}
