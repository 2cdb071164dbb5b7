//! What a page's own script and forms send, and how we know it is they.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

use super::headers::origin;
use super::refusal::Refusal;
use crate::Settings;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// 32 bytes in base64url.
const TOKEN_LENGTH: usize = 43;

/// Whether a text can be a token at all.
pub(super) fn is_token(text: &str) -> bool {
    text.len() == TOKEN_LENGTH
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Refuses what another site made the browser send. Browsers of today say so themselves; older ones name the origin,
/// or hide it where a plain form is posted without a referrer: then the token in the body has to do.
pub(super) fn from_our_page(headers: &HeaderMap, settings: &Settings) -> Result<(), Refusal> {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    if let Some(site) = text(FETCH_SITE) {
        return if site == "same-origin" { Ok(()) } else { Err(Refusal::OtherSite) };
    }
    match text(header::ORIGIN) {
        None | Some("null") => Ok(()),
        Some(named) if named == origin(&settings.public_url) => Ok(()),
        Some(_) => Err(Refusal::OtherSite),
    }
}

/// Reads a JSON body.
pub(super) fn json<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<T, Refusal> {
    let declared =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !declared.to_ascii_lowercase().starts_with("application/json") {
        return Err(Refusal::Malformed("send application/json"));
    }
    let bytes = body.map_err(unread)?;
    serde_json::from_slice(&bytes).map_err(|_| Refusal::Malformed("the body is not the JSON this page sends"))
}

fn unread(rejected: BytesRejection) -> Refusal {
    if rejected.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Refusal::TooLarge;
    }
    Refusal::Malformed("the body broke off")
}

/// Reads a form.
pub(super) fn form<T: DeserializeOwned>(body: Result<Bytes, BytesRejection>) -> Result<T, Refusal> {
    let bytes = body.map_err(unread)?;
    serde_urlencoded::from_bytes(&bytes)
        .map_err(|_| Refusal::Malformed("the body is not the form this page sends"))
}

/// Whether who asks wants JSON and not a page.
pub(super) fn wants_json(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|line| line.split(',')).any(|kind| kind.trim().starts_with("application/json"))
}
