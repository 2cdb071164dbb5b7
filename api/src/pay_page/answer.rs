//! Answers of a page: HTML with a status, and cookies.

use axum::http::StatusCode;
use axum::http::header::{self, HeaderValue};
use axum::response::{Html, IntoResponse, Response};

pub(super) fn html(status: StatusCode, text: String) -> Response {
    (status, Html(text)).into_response()
}

/// Adds a cookie to an answer.
pub(super) fn with_cookie(mut answer: Response, cookie: Option<HeaderValue>) -> Response {
    if let Some(cookie) = cookie {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    answer
}
