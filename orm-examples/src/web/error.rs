//! From errors to answers: the one place that knows status codes.

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use orm_core::Error;
use serde_json::json;

use super::{Json, Post, User};

/// Why a request failed, as the client is told: `{"error": "…", "field": "email"}`.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    message: String,
    field: Option<&'static str>,
}

impl ApiError {
    /// An error with a sentence for the client.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), field: None }
    }

    /// What the client sent was built on what is no longer so.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }

    /// What the client sent can be read, but not done.
    pub fn invalid(field: &'static str, message: impl Into<String>) -> Self {
        Self { field: Some(field), ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, message) }
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let status = match error {
            Error::NotFound { .. } => StatusCode::NOT_FOUND,
            Error::UniqueViolation(_)
            | Error::ForeignKeyViolation(_)
            | Error::StaleData(_)
            | Error::Serialization(_) => StatusCode::CONFLICT,
            Error::CheckViolation(_) | Error::NotNullViolation(_) | Error::Type { .. } => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Error::Connection(_) | Error::Timeout(_) => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        if status.is_server_error() {
            // The client can't mend it and need not know our insides.
            tracing::error!(%error, "a request failed");
            return Self::new(status, status.canonical_reason().unwrap_or_default());
        }
        // The others concern what the client sent. Their messages never contain a value.
        Self { field: field(&error), ..Self::new(status, error.to_string()) }
    }
}

/// The field of the request that a violated constraint is about.
fn field(error: &Error) -> Option<&'static str> {
    if error.violates(User::username) {
        Some("username")
    } else if error.violates(User::email) {
        Some("email")
    } else if error.violates(Post::title) {
        Some("title")
    } else {
        None
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = match self.field {
            Some(field) => json!({ "error": self.message, "field": field }),
            None => json!({ "error": self.message }),
        };
        (self.status, Json(body)).into_response()
    }
}

// What axum itself refuses: a body that is no JSON, an id that is no number.

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        Self::new(rejection.status(), rejection.body_text())
    }
}

impl From<PathRejection> for ApiError {
    fn from(rejection: PathRejection) -> Self {
        Self::new(rejection.status(), rejection.body_text())
    }
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> Self {
        Self::new(rejection.status(), rejection.body_text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_client_can_not_mend_is_not_told() {
        let secret = || "a secret".to_owned();
        for (error, status) in [
            (Error::Connection(secret()), 503),
            (Error::Timeout(secret()), 503),
            (Error::CommitOutcomeUnknown(secret()), 500),
            (Error::Misuse(secret()), 500),
            (Error::Database { code: None, message: secret() }, 500),
        ] {
            let answer = ApiError::from(error);
            assert_eq!(answer.status.as_u16(), status);
            assert!(!answer.message.contains("secret"), "{}", answer.message);
        }
    }

    #[test]
    fn what_the_client_can_mend_is_told() {
        let missing = Error::NotFound { table: "users".into(), reason: "the reason".into() };
        for (error, status) in [(missing, 404), (Error::Serialization("the reason".into()), 409)] {
            let answer = ApiError::from(error);
            assert_eq!(answer.status.as_u16(), status);
            assert!(answer.message.contains("the reason"), "{}", answer.message);
        }
    }
}
