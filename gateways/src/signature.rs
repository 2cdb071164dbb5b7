//! Who says so: signatures over raw bytes, compared in constant time, with every live secret tried.

pub mod standard_webhooks;
pub mod stripe;
pub mod twilio;

use hmac::{Hmac, Mac as _};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// Why a signature does not count. Says nothing that helps to forge one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("the signature is missing")]
    Missing,
    #[error("the signature cannot be read")]
    Malformed,
    #[error("the signature is too old, or from the future")]
    Stale,
    #[error("the signature does not match")]
    Mismatch,
    /// On our side: no secret is set, or none that can be used.
    #[error("no usable secret")]
    BadSecret,
}

/// Constant time for texts of one length; a length is no secret.
fn same(a: &[u8], b: &[u8]) -> bool {
    bool::from(subtle::ConstantTimeEq::ct_eq(a, b))
}

/// The secrets that can sign at all: an empty one would accept what anybody can compute.
fn usable(secrets: &[SecretString]) -> impl Iterator<Item = &str> {
    secrets.iter().map(|secret| secret.expose_secret().trim()).filter(|secret| !secret.is_empty())
}

/// Whether a moment in seconds is within `tolerance_s` of now, on either side.
fn is_fresh(signed_at_s: i64, now_ms: i64, tolerance_s: i64) -> bool {
    let now_s = now_ms.div_euclid(1_000);
    now_s.saturating_sub(signed_at_s).saturating_abs() <= tolerance_s
}

/// Seconds since 1970 in plain digits: a sign, a space or a leading plus is refused.
fn plain_seconds(text: &str) -> Option<i64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

/// HMAC-SHA256 over the parts as if they were one text.
fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}
