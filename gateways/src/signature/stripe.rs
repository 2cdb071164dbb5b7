//! Stripe's webhook signature: `t=…,v1=…`, HMAC-SHA256 over `t.body`. While a secret is rolled the header carries one
//! `v1` for each.

use secrecy::SecretString;

use super::{SignatureError, hmac_sha256, is_fresh, plain_seconds, same, usable};

pub const HEADER: &str = "stripe-signature";
pub const TOLERANCE_S: i64 = 300;

/// Checks the raw body against every live secret of the endpoint.
///
/// # Errors
/// Says why the event is not to be believed.
pub fn verify(
    header: &str,
    raw_body: &[u8],
    secrets: &[SecretString],
    now_ms: i64,
    tolerance_s: i64,
) -> Result<(), SignatureError> {
    if header.trim().is_empty() {
        return Err(SignatureError::Missing);
    }
    let (timestamp, claimed) = parts(header)?;
    let signed_at_s = plain_seconds(timestamp).ok_or(SignatureError::Malformed)?;
    if !is_fresh(signed_at_s, now_ms, tolerance_s) {
        return Err(SignatureError::Stale);
    }
    let mut secrets = usable(secrets).peekable();
    if secrets.peek().is_none() {
        return Err(SignatureError::BadSecret);
    }
    let matches = secrets.any(|secret| {
        let expected = hmac_sha256(secret.as_bytes(), &[timestamp.as_bytes(), b".", raw_body]);
        claimed.iter().any(|claim| same(claim, &expected))
    });
    if matches { Ok(()) } else { Err(SignatureError::Mismatch) }
}

/// The timestamp and the readable `v1` digests. Other schemes (`v0`) are for Stripe's own tests.
fn parts(header: &str) -> Result<(&str, Vec<Vec<u8>>), SignatureError> {
    let mut timestamp = None;
    let mut claimed = Vec::new();
    for part in header.split(',') {
        match part.trim().split_once('=') {
            Some(("t", value)) if timestamp.is_none() => timestamp = Some(value),
            Some(("t", _)) => return Err(SignatureError::Malformed),
            Some(("v1", value)) => claimed.extend(hex::decode(value)),
            Some(_) | None => {}
        }
    }
    match timestamp {
        Some(timestamp) if !claimed.is_empty() => Ok((timestamp, claimed)),
        Some(_) | None => Err(SignatureError::Malformed),
    }
}

#[cfg(test)]
mod tests;
