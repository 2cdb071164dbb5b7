//! Stripe's HTTP surface: one door through which every call is journaled, struck by faults, and carried out.

use axum::body::Bytes;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::Value;

use super::call::{API_VERSION, Call, Caller, StripeRequest};
use super::errors::{StripeError, refusal};
use super::idempotency::{Hold, Saved, Verdict};
use super::{SCRIPT_PATH, Stripe, calls};
use crate::faults::carry_out;
use crate::server::Wire;

const SCRIPT: &str = include_str!("stripe.js");

/// An answer, and whether it is one given before.
struct Answer {
    status: u16,
    body: Value,
    replayed: bool,
}

pub(crate) fn routes(stripe: Stripe) -> Router {
    Router::new()
        .route(SCRIPT_PATH, get(script))
        .fallback(call)
        .layer(axum::extract::DefaultBodyLimit::max(1024 * 1024))
        .with_state(stripe)
}

async fn script() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    (headers, SCRIPT).into_response()
}

async fn call(
    State(stripe): State<Stripe>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if method == Method::OPTIONS {
        return with_cors(StatusCode::NO_CONTENT.into_response());
    }
    let call = Call::read(method, &uri, &headers, &body);
    let mut entry = call.for_the_journal(stripe.clock().now_ms(), stripe.config());
    let fault = stripe.faults().strike(&format!("{} {}", entry.method, entry.path));
    entry.fault = fault.as_ref().map(|fault| format!("{fault:?}"));
    // Held until this request is over, even when that is because the caller gave up.
    let mut hold = None;
    let place = stripe.requests().append(entry);
    let answered =
        carry_out(fault, &wire, refusal, async { respond(&stripe, &call, &mut hold, place) }).await;
    stripe
        .requests()
        .amend(place, |entry: &mut StripeRequest| entry.status = Some(answered.status().as_u16()));
    drop(hold);
    with_cors(answered)
}

fn respond(stripe: &Stripe, call: &Call, hold: &mut Option<Hold>, place: usize) -> Response {
    let request_id = stripe.ids().prefixed("req_");
    let answer = answer(stripe, call, hold, &request_id).unwrap_or_else(|error| Answer {
        status: error.status(),
        body: error.body(),
        replayed: false,
    });
    stripe.requests().amend(place, |entry| entry.replayed = answer.replayed);
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, Json(answer.body)).into_response();
    let headers = response.headers_mut();
    headers.insert("stripe-version", HeaderValue::from_static(API_VERSION));
    set(headers, "request-id", Some(&request_id));
    set(headers, "idempotency-key", call.idempotency_key.as_deref());
    set(headers, "stripe-account", call.account.as_deref());
    set(headers, "idempotent-replayed", answer.replayed.then_some("true"));
    response
}

fn answer(
    stripe: &Stripe,
    call: &Call,
    hold: &mut Option<Hold>,
    request_id: &str,
) -> Result<Answer, StripeError> {
    let caller = call.caller(stripe.config())?;
    call.check_version()?;
    let form = call.form.as_ref().map_err(Clone::clone)?;
    let key = call.idempotency_key.as_deref().filter(|_| call.method == Method::POST);
    if let Some(key) = key {
        let mut pairs = form.pairs.clone();
        pairs.sort();
        let fingerprint = format!("{} {pairs:?}", call.path);
        match stripe.keys().begin(call.account.as_deref(), key, fingerprint, stripe.clock().now_ms())? {
            Verdict::Replay(Saved { status, body }) => {
                return Ok(Answer { status, body, replayed: true });
            }
            Verdict::Fresh(fresh) => *hold = Some(fresh),
        }
    }
    let result = calls::dispatch(stripe, call, caller, form, request_id);
    let saved = match &result {
        Ok(body) => Some(Saved { status: 200, body: body.clone() }),
        Err(error) if error.before_execution => None,
        Err(error) => Some(Saved { status: error.status(), body: error.body() }),
    };
    if let (Some(hold), Some(saved)) = (hold, saved) {
        hold.save(saved);
    }
    result.map(|body| Answer { status: 200, body, replayed: false })
}

fn set(headers: &mut HeaderMap, name: &'static str, value: Option<&str>) {
    if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

fn with_cors(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
    let allowed = "authorization, content-type, stripe-account, stripe-version, idempotency-key";
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(allowed));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("300"));
    response
}

/// Only servers may do this.
pub(crate) fn server_only(caller: Caller) -> Result<(), StripeError> {
    match caller {
        Caller::Server => Ok(()),
        Caller::Browser => {
            let message =
                "This API call cannot be made with a publishable API key. Please use a secret API key.";
            Err(StripeError::request(403, message).coded("secret_key_required"))
        }
    }
}
