//! Two cookies, both out of any script's reach: the token, so that a reload works without it in the address, and the
//! mark of the browser that pressed Pay, so that it alone sees the receipt.

use axum::http::HeaderMap;
use axum::http::header::{self, HeaderValue};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::request::is_token;
use crate::Settings;

const LINK: &str = "pay_link";
const PAYER: &str = "pay_payer";
/// A receipt is looked at again within months, if at all.
const PAYER_MAX_AGE_S: u32 = 180 * 24 * 3_600;

/// The token of the page this browser was on last.
pub(super) fn link(headers: &HeaderMap) -> Option<&str> {
    read(headers, LINK).filter(|token| is_token(token))
}

/// Keeps the token for reloads and for the way back from a bank.
pub(super) fn keep_link(settings: &Settings, token: &str) -> Option<HeaderValue> {
    HeaderValue::try_from(format!("{LINK}={token}; {}", attributes(settings))).ok()
}

/// The mark of a browser that pressed Pay.
pub(super) fn payer(headers: &HeaderMap) -> Option<&str> {
    // 32 bytes in base64url have the shape of a token.
    read(headers, PAYER).filter(|mark| is_token(mark))
}

/// A mark nobody can guess.
pub(super) fn fresh_payer() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// Marks the browser.
pub(super) fn keep_payer(settings: &Settings, mark: &str) -> Option<HeaderValue> {
    let text = format!("{PAYER}={mark}; {}; Max-Age={PAYER_MAX_AGE_S}", attributes(settings));
    HeaderValue::try_from(text).ok()
}

fn attributes(settings: &Settings) -> &'static str {
    if settings.public_url.starts_with("https://") {
        return "Path=/p; HttpOnly; SameSite=Lax; Secure";
    }
    "Path=/p; HttpOnly; SameSite=Lax"
}

fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}
