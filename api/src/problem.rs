//! Errors as RFC 9457 `application/problem+json`: a status, a code for programs, and the field at fault.

use std::fmt::Display;
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::strict_json::FieldError;
use sea_orm::DbErr;
use serde::Serialize;

const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// One field of the request and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct FieldFault {
    /// Its path, steps joined by dots: `customer.phone`, `line_items.2.quantity`; `body` for the whole.
    #[schema(example = "customer.phone")]
    pub(crate) field: String,
    /// What is wrong, as the rest of a sentence that begins with the field.
    #[schema(example = "contains letters")]
    pub(crate) message: String,
}

/// An error as it is written down (RFC 9457).
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// Always `about:blank`: the status says what kind of problem it is, `code` which one.
    #[serde(rename = "type")]
    #[schema(example = "about:blank")]
    kind: &'static str,
    /// The status in words.
    #[schema(example = "Unprocessable Entity")]
    title: String,
    /// The status as a number.
    #[schema(example = 422)]
    status: u16,
    /// Which problem it is, for programs. Never renamed.
    #[schema(example = "invalid_field")]
    code: &'static str,
    /// What happened, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// The incident, where the fault is ours: quote it to whoever runs this server.
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    /// The fields at fault.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldFault>,
}

/// An answer that refuses.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: Option<String>,
    instance: Option<String>,
    errors: Vec<FieldFault>,
    retry_after_s: Option<u64>,
}

impl Problem {
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let detail = Some(detail.into());
        Self { status, code, detail, instance: None, errors: Vec::new(), retry_after_s: None }
    }

    /// A well-formed request whose field cannot be accepted.
    #[must_use]
    pub fn field(field: impl Into<String>, message: impl Display) -> Self {
        let fault = FieldFault { field: field.into(), message: message.to_string() };
        let detail = format!("{} {}", fault.field, fault.message);
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_field", detail);
        problem.errors.push(fault);
        problem
    }

    /// A request that cannot even be read.
    #[must_use]
    pub fn malformed(fault: FieldError) -> Self {
        let mut problem = Self::new(StatusCode::BAD_REQUEST, "malformed_request", fault.to_string());
        problem.errors.push(FieldFault { field: fault.field, message: fault.message });
        problem
    }

    /// Nothing of this merchant has this address. The same for what belongs to another.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is nothing of yours at this address.")
    }

    #[must_use]
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    #[must_use]
    pub fn unauthorized(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code, detail)
    }

    /// Something that should not have happened: logged under an incident's name, told without its cause.
    #[must_use]
    pub fn internal(cause: &dyn Display) -> Self {
        let incident = format!("incident:{:016x}", rand::random::<u64>());
        tracing::error!(incident, %cause, "a request failed");
        let detail = "Something went wrong on our side. Nothing was changed.";
        let mut problem = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", detail);
        problem.instance = Some(incident);
        problem
    }

    /// What this request needs is not there right now; saying it again later is right.
    #[must_use]
    pub fn unavailable(code: &'static str, detail: impl Into<String>) -> Self {
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail);
        Self { retry_after_s: Some(1), ..problem }
    }

    /// Somebody asks too often, and is told how long to wait.
    #[must_use]
    pub fn too_many(detail: impl Into<String>, wait: Duration) -> Self {
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", detail);
        // Whole seconds, and never too early.
        Self { retry_after_s: Some(wait.as_secs().saturating_add(1)), ..problem }
    }

    /// The field at fault, for a report of many.
    pub(crate) fn into_fault(self) -> FieldFault {
        let whole = FieldFault { field: "body".to_owned(), message: self.detail.unwrap_or_default() };
        self.errors.into_iter().next().unwrap_or(whole)
    }

    /// Which problem it is, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }
}

impl From<DbErr> for Problem {
    fn from(error: DbErr) -> Self {
        if matches!(error, DbErr::ConnectionAcquire(_) | DbErr::Conn(_)) {
            tracing::error!(%error, "the store cannot be reached");
            return Self::unavailable(
                "store_unavailable",
                "The store cannot be reached. Nothing was changed; try again.",
            );
        }
        Self::internal(&error)
    }
}

impl From<serde_json::Error> for Problem {
    fn from(error: serde_json::Error) -> Self {
        Self::internal(&error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = ProblemBody {
            kind: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error").to_owned(),
            status: self.status.as_u16(),
            code: self.code,
            detail: self.detail,
            instance: self.instance,
            errors: self.errors,
        };
        let text = serde_json::to_string(&body).unwrap_or_default();
        let mut response = (self.status, [(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
