//! Stripe's error objects: the shapes and codes the product has to tell apart.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

/// An error as Stripe writes it.
#[derive(Clone, Debug)]
pub(crate) struct StripeError {
    status: u16,
    kind: &'static str,
    code: Option<&'static str>,
    message: String,
    extra: Map<String, Value>,
    /// Refused before anything was carried out, so that the idempotency key stays free.
    pub(crate) before_execution: bool,
}

impl StripeError {
    fn new(status: u16, kind: &'static str, message: &str) -> Self {
        Self {
            status,
            kind,
            code: None,
            message: message.to_owned(),
            extra: Map::new(),
            before_execution: true,
        }
    }

    pub(crate) fn invalid(param: &str, message: &str) -> Self {
        Self::new(400, "invalid_request_error", message).with("param", json!(param))
    }

    pub(crate) fn request(status: u16, message: &str) -> Self {
        Self::new(status, "invalid_request_error", message)
    }

    pub(crate) fn missing(param: &str) -> Self {
        Self::invalid(param, &format!("Missing required param: {param}.")).coded("parameter_missing")
    }

    pub(crate) fn unknown_parameter(name: &str) -> Self {
        Self::invalid(name, &format!("Received unknown parameter: {name}")).coded("parameter_unknown")
    }

    pub(crate) fn no_such(object: &str, id: &str) -> Self {
        let message = format!("No such {object}: '{id}'");
        Self::new(404, "invalid_request_error", &message)
            .coded("resource_missing")
            .with("param", json!(if object == "payment_intent" { "intent" } else { "id" }))
    }

    pub(crate) fn idempotency(status: u16, message: &str) -> Self {
        Self::new(status, "idempotency_error", message)
    }

    /// A declined card: an outcome of execution, with the intent as it now is.
    pub(crate) fn card(
        code: &'static str,
        decline: Option<&str>,
        message: &str,
        charge: &str,
        intent: Value,
    ) -> Self {
        let mut error = Self::new(402, "card_error", message).coded(code).executed();
        error.extra.insert("charge".into(), json!(charge));
        if let Some(decline) = decline {
            error.extra.insert("decline_code".into(), json!(decline));
        }
        error.with("payment_intent", intent)
    }

    /// A card number, date or code that cannot be one.
    pub(crate) fn malformed_card(code: &'static str, param: &str, message: &str) -> Self {
        Self::new(402, "card_error", message).coded(code).with("param", json!(param))
    }

    pub(crate) fn unexpected_state(verb: &str, intent: Value) -> Self {
        let status = intent["status"].as_str().unwrap_or_default().to_owned();
        let message = format!("You cannot {verb} this PaymentIntent because it has a status of {status}.");
        Self::new(400, "invalid_request_error", &message)
            .coded("payment_intent_unexpected_state")
            .executed()
            .with("payment_intent", intent)
    }

    pub(crate) fn coded(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    pub(crate) fn executed(mut self) -> Self {
        self.before_execution = false;
        self
    }

    fn with(mut self, key: &str, value: Value) -> Self {
        self.extra.insert(key.into(), value);
        self
    }

    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    pub(crate) fn body(&self) -> Value {
        let mut error = self.extra.clone();
        error.insert("type".into(), json!(self.kind));
        error.insert("message".into(), json!(self.message));
        if let Some(code) = self.code {
            error.insert("code".into(), json!(code));
            error.insert("doc_url".into(), json!(format!("https://stripe.com/docs/error-codes/{code}")));
        }
        json!({ "error": error })
    }
}

/// What Stripe says when it fails on its own side.
pub(crate) fn refusal(status: StatusCode) -> Response {
    let (kind, code, message) = if status == StatusCode::TOO_MANY_REQUESTS {
        ("invalid_request_error", Some("rate_limit"), "Request rate limit exceeded.")
    } else {
        ("api_error", None, "An unknown error occurred.")
    };
    let mut error = json!({ "type": kind, "message": message });
    if let Some(code) = code {
        error["code"] = json!(code);
    }
    (status, Json(json!({ "error": error }))).into_response()
}
