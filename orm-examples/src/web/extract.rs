//! What the handlers take.

use std::convert::Infallible;
use std::num::NonZeroU32;

use axum::extract::{FromRequest, FromRequestParts};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use orm_core::{Session, SessionFactory};
use serde::{Deserialize, Serialize};

use super::ApiError;

/// A session of the request's own, for handlers that write.
///
/// A handler ends with `session.commit()` when all is well. However else it ends, the session is
/// dropped and nothing is written: by an error and a `?`, or because the client hung up, whereupon
/// the server drops the handler in the middle of what it awaits. A COMMIT that is under way at that
/// moment is finished. So a request is written as a whole or not at all.
///
/// It takes a connection at its first statement and gives it back when it ends.
#[derive(Debug)]
pub struct Db(pub Session);

impl FromRequestParts<SessionFactory> for Db {
    type Rejection = Infallible;

    async fn from_request_parts(
        _: &mut Parts,
        sessions: &SessionFactory,
    ) -> Result<Self, Infallible> {
        Ok(Self(sessions.session()))
    }
}

/// A body, in either direction. One that can't be read is answered in the form of other errors.
#[derive(Clone, Copy, Debug, FromRequest)]
#[from_request(via(axum::Json), rejection(ApiError))]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// What stands in the path, with errors in the form of others.
#[derive(Clone, Copy, Debug, FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(ApiError))]
pub struct Path<T>(pub T);

/// What stands behind the `?`, with errors in the form of others.
#[derive(Clone, Copy, Debug, FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(ApiError))]
pub struct Query<T>(pub T);

/// `?page=2&size=50`: which page of a list. A page of 20 is the default, of 100 the largest.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Paging {
    page: Option<NonZeroU32>,
    size: Option<NonZeroU32>,
}

impl Paging {
    /// The number of the page, from 1.
    pub fn number(self) -> u64 {
        self.page.map_or(1, |page| page.get().into())
    }

    /// How many items it has.
    pub fn size(self) -> u64 {
        self.size.map_or(20, |size| size.get().min(100).into())
    }
}
