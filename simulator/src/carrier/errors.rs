//! Twilio's error bodies and the codes the product has to tell apart.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// A refusal with Twilio's number for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) status: u16,
    pub(crate) code: u32,
    pub(crate) message: String,
}

impl Refused {
    pub(crate) fn new(code: u32, message: &str) -> Self {
        Self { status: 400, code, message: message.to_owned() }
    }

    pub(crate) fn unauthorized() -> Self {
        Self { status: 401, code: 20003, message: "Authenticate".to_owned() }
    }

    pub(crate) fn not_found(path: &str) -> Self {
        Self { status: 404, code: 20404, message: format!("The requested resource {path} was not found") }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let body = json!({
            "code": self.code,
            "message": self.message,
            "more_info": format!("https://www.twilio.com/docs/errors/{}", self.code),
            "status": self.status,
        });
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(body)).into_response()
    }
}

/// What Twilio says when it fails or is asked too often.
pub(crate) fn refusal(status: StatusCode) -> Response {
    let (code, message) = match status {
        StatusCode::TOO_MANY_REQUESTS => (20429, "Too Many Requests"),
        StatusCode::SERVICE_UNAVAILABLE => (20503, "Service unavailable"),
        StatusCode::UNAUTHORIZED => (20003, "Authenticate"),
        _ => (20500, "An internal server error has occurred"),
    };
    Refused { status: status.as_u16(), code, message: message.to_owned() }.into_response()
}
