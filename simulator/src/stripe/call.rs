//! One request to Stripe's API: who asks, for which account, and what the journal keeps of it.

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, Uri, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::Value;
use subtle::ConstantTimeEq;

use super::errors::StripeError;
use super::form::Form;
use crate::config::StripeConfig;

/// The API version the stand-in speaks.
pub const API_VERSION: &str = "2026-09-30.endive";

/// Whose key came with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Caller {
    /// The platform's server.
    Server,
    /// A browser with the publishable key; a client secret says what it may touch.
    Browser,
}

/// A request as the journal keeps it, for tests and for validators outside.
#[derive(Clone, Debug, Serialize)]
pub struct StripeRequest {
    /// Business time.
    pub at_ms: i64,
    /// `GET` or `POST`.
    pub method: String,
    /// `/v1/payment_intents`
    pub path: String,
    /// The `Stripe-Account` header.
    pub account: Option<String>,
    /// The `Idempotency-Key` header.
    pub idempotency_key: Option<String>,
    /// The `Stripe-Version` header.
    pub api_version: Option<String>,
    /// Whose key it was; `None` when it was nobody's.
    pub caller: Option<Caller>,
    /// Query and form as sent; card and account numbers are masked.
    pub params: Vec<(String, String)>,
    /// The same as a tree.
    pub tree: Value,
    /// The status answered; `None` while the request is open or when the connection was cut.
    pub status: Option<u16>,
    /// Whether the answer was a saved one.
    pub replayed: bool,
    /// The kind of fault that struck.
    pub fault: Option<String>,
}

/// A request, read but not yet judged.
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) account: Option<String>,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) api_version: Option<String>,
    key: Option<String>,
    pub(crate) form: Result<Form, StripeError>,
}

impl Call {
    pub(crate) fn read(method: Method, uri: &Uri, headers: &HeaderMap, body: &Bytes) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let encoded = match uri.query() {
            Some(query) if method == Method::GET => query.as_bytes(),
            Some(_) | None => body.as_ref(),
        };
        Self {
            path: uri.path().to_owned(),
            account: text("stripe-account"),
            idempotency_key: text("idempotency-key"),
            api_version: text("stripe-version"),
            key: text(header::AUTHORIZATION.as_str()).and_then(|value| key_in(&value)),
            form: Form::parse(encoded),
            method,
        }
    }

    /// Whose key this is.
    pub(crate) fn caller(&self, config: &StripeConfig) -> Result<Caller, StripeError> {
        let Some(key) = &self.key else {
            let message = "You did not provide an API key. You need to provide your API key in the \
                           Authorization header, using Bearer auth.";
            return Err(StripeError::request(401, message));
        };
        let is = |expected: &str| bool::from(key.as_bytes().ct_eq(expected.as_bytes()));
        if is(&config.secret_key) {
            Ok(Caller::Server)
        } else if is(&config.publishable_key) {
            Ok(Caller::Browser)
        } else {
            let shown: String = key.chars().take(7).collect();
            Err(StripeError::request(401, &format!("Invalid API Key provided: {shown}****")))
        }
    }

    /// Refuses what is not this version of the API.
    pub(crate) fn check_version(&self) -> Result<(), StripeError> {
        match self.api_version.as_deref() {
            None | Some(API_VERSION) => Ok(()),
            Some(other) => Err(StripeError::request(400, &format!("Invalid Stripe API version: {other}"))),
        }
    }

    pub(crate) fn for_the_journal(&self, at_ms: i64, config: &StripeConfig) -> StripeRequest {
        let masked = |name: &str, value: &str| {
            let secret = name.contains("number") || name.contains("[cvc]");
            if secret { "*".repeat(value.chars().count()) } else { value.to_owned() }
        };
        let pairs = self.form.as_ref().map(|form| form.pairs.clone()).unwrap_or_default();
        let params: Vec<(String, String)> =
            pairs.into_iter().map(|(name, value)| (name.clone(), masked(&name, &value))).collect();
        let encoded = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&params).finish();
        StripeRequest {
            at_ms,
            method: self.method.to_string(),
            path: self.path.clone(),
            account: self.account.clone(),
            idempotency_key: self.idempotency_key.clone(),
            api_version: self.api_version.clone(),
            caller: self.caller(config).ok(),
            tree: Form::parse(encoded.as_bytes()).map(|form| form.tree()).unwrap_or_default(),
            params,
            status: None,
            replayed: false,
            fault: None,
        }
    }
}

/// `Bearer sk_…`, or Basic with the key as the user name.
fn key_in(authorization: &str) -> Option<String> {
    if let Some(key) = authorization.strip_prefix("Bearer ") {
        return Some(key.trim().to_owned());
    }
    let decoded = STANDARD.decode(authorization.strip_prefix("Basic ")?.trim()).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    Some(text.split(':').next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::key_in;

    #[test]
    fn a_key_may_come_as_bearer_or_as_basic_user_name() {
        assert_eq!(key_in("Bearer sk_test_1").as_deref(), Some("sk_test_1"));
        assert_eq!(key_in("Basic c2tfdGVzdF8xOg==").as_deref(), Some("sk_test_1"));
        assert_eq!(key_in("Digest x"), None);
    }
}
