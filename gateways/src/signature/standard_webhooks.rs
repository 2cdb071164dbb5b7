//! Standard Webhooks (standardwebhooks.com), symmetric: what we sign, and what voice platforms sign for us.
//!
//! HMAC-SHA256 over `id.timestamp.body` with the bytes behind `whsec_`; several signatures and several secrets may be
//! live at once, for rotation.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};

use super::{SignatureError, hmac_sha256, is_fresh, plain_seconds, same, usable};

pub const ID_HEADER: &str = "webhook-id";
pub const TIMESTAMP_HEADER: &str = "webhook-timestamp";
pub const SIGNATURE_HEADER: &str = "webhook-signature";
pub const TOLERANCE_S: i64 = 300;

const SECRET_PREFIX: &str = "whsec_";
const VERSION: &str = "v1";

/// The three headers as they came.
#[derive(Debug, Clone, Copy)]
pub struct Headers<'a> {
    pub id: &'a str,
    pub timestamp: &'a str,
    pub signature: &'a str,
}

/// The value of `webhook-signature` for a message of ours.
///
/// # Errors
/// When the secret is no base64, or empty.
pub fn sign(
    secret: &SecretString,
    id: &str,
    timestamp_s: i64,
    body: &[u8],
) -> Result<String, SignatureError> {
    let key = key_of(secret.expose_secret().trim())?;
    let digest = digest(&key, id, &timestamp_s.to_string(), body);
    Ok(format!("{VERSION},{}", STANDARD.encode(digest)))
}

/// Checks a message against every live secret.
///
/// # Errors
/// Says why the message is not to be believed.
pub fn verify(
    secrets: &[SecretString],
    headers: Headers<'_>,
    body: &[u8],
    now_ms: i64,
) -> Result<(), SignatureError> {
    if headers.id.is_empty() || headers.timestamp.is_empty() || headers.signature.trim().is_empty() {
        return Err(SignatureError::Missing);
    }
    let signed_at_s = plain_seconds(headers.timestamp).ok_or(SignatureError::Malformed)?;
    let claimed = claimed_digests(headers.signature);
    if claimed.is_empty() {
        return Err(SignatureError::Malformed);
    }
    if !is_fresh(signed_at_s, now_ms, TOLERANCE_S) {
        return Err(SignatureError::Stale);
    }
    let keys: Vec<Vec<u8>> = usable(secrets).filter_map(|secret| key_of(secret).ok()).collect();
    if keys.is_empty() {
        return Err(SignatureError::BadSecret);
    }
    let matches = keys.iter().any(|key| {
        let expected = digest(key, headers.id, headers.timestamp, body);
        claimed.iter().any(|claim| same(claim, &expected))
    });
    if matches { Ok(()) } else { Err(SignatureError::Mismatch) }
}

fn key_of(secret: &str) -> Result<Vec<u8>, SignatureError> {
    let encoded = secret.strip_prefix(SECRET_PREFIX).unwrap_or(secret);
    match STANDARD.decode(encoded) {
        Ok(key) if !key.is_empty() => Ok(key),
        Ok(_) | Err(_) => Err(SignatureError::BadSecret),
    }
}

/// The digests of our version; signatures of other versions beside them are for other readers.
fn claimed_digests(header: &str) -> Vec<Vec<u8>> {
    header
        .split(' ')
        .filter_map(|part| part.strip_prefix(VERSION)?.strip_prefix(','))
        .filter_map(|encoded| STANDARD.decode(encoded).ok())
        .collect()
}

fn digest(key: &[u8], id: &str, timestamp: &str, body: &[u8]) -> [u8; 32] {
    hmac_sha256(key, &[id.as_bytes(), b".", timestamp.as_bytes(), b".", body])
}

#[cfg(test)]
mod tests;
