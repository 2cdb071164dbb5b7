//! The signing schemes of the outside world, written from their descriptions and held to published vectors.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::error::Error;

/// How old a Standard Webhooks message may be, in either direction.
pub const TOLERANCE_S: i64 = 300;

/// The `Stripe-Signature` header for `body` at `at_s`.
#[must_use]
pub fn stripe(secret: &str, at_s: i64, body: &str) -> String {
    let digest = sha256(secret.as_bytes(), &[at_s.to_string().as_bytes(), b".", body.as_bytes()]);
    format!("t={at_s},v1={}", hex::encode(digest))
}

/// The `X-Twilio-Signature` header of a form post; `params` in any order.
#[must_use]
pub fn twilio(auth_token: &str, url: &str, params: &[(String, String)]) -> String {
    let mut sorted: Vec<&(String, String)> = params.iter().collect();
    sorted.sort();
    sorted.dedup();
    let mut signed = url.to_owned();
    for (name, value) in sorted {
        signed.push_str(name);
        signed.push_str(value);
    }
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(auth_token.as_bytes()) else {
        return String::new();
    };
    mac.update(signed.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// The `webhook-signature` header of Standard Webhooks.
///
/// # Errors
/// [`Error::BadSecret`] when the secret is not `whsec_` and base64.
pub fn standard_webhook(secret: &str, id: &str, at_s: i64, body: &[u8]) -> Result<String, Error> {
    let encoded = secret.strip_prefix("whsec_").ok_or(Error::BadSecret)?;
    let key = STANDARD.decode(encoded).map_err(|_| Error::BadSecret)?;
    let at = at_s.to_string();
    let digest = sha256(&key, &[id.as_bytes(), b".", at.as_bytes(), b".", body]);
    Ok(format!("v1,{}", STANDARD.encode(digest)))
}

/// Why a signed message was turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A header is absent or unreadable.
    #[error("a webhook-id, webhook-timestamp or webhook-signature header is missing or malformed")]
    Malformed,
    /// Too old, or from the future.
    #[error("the timestamp is more than five minutes away")]
    Stale,
    /// No signature in the list is ours.
    #[error("no signature matches")]
    Mismatch,
}

/// Checks a Standard Webhooks message; any one of several signatures may match.
///
/// # Errors
/// The [`Refusal`].
pub fn verify_standard_webhook(
    secret: &str,
    id: Option<&str>,
    timestamp: Option<&str>,
    signatures: Option<&str>,
    body: &[u8],
    now_s: i64,
) -> Result<(), Refusal> {
    let (Some(id), Some(timestamp), Some(signatures)) = (id, timestamp, signatures) else {
        return Err(Refusal::Malformed);
    };
    let at_s: i64 = timestamp.parse().map_err(|_| Refusal::Malformed)?;
    if id.is_empty() || at_s.to_string() != timestamp {
        return Err(Refusal::Malformed);
    }
    if now_s.abs_diff(at_s) > TOLERANCE_S.unsigned_abs() {
        return Err(Refusal::Stale);
    }
    let expected = standard_webhook(secret, id, at_s, body).map_err(|_| Refusal::Mismatch)?;
    let matches = |given: &str| bool::from(given.as_bytes().ct_eq(expected.as_bytes()));
    if signatures.split(' ').any(matches) { Ok(()) } else { Err(Refusal::Mismatch) }
}

fn sha256(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    // HMAC takes keys of any length, so this cannot fail; an empty digest would verify nowhere.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return Vec::new();
    };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    const AT: i64 = 1_614_265_330;

    fn params(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    }

    fn verify(signatures: &str, body: &[u8], now_s: i64) -> Result<(), Refusal> {
        verify_standard_webhook(SECRET, Some(ID), Some("1614265330"), Some(signatures), body, now_s)
    }

    #[test]
    fn stripe_signs_as_the_known_vector() {
        assert_eq!(
            stripe("whsec_test", 1_700_000_000, r#"{"id":"evt_1","object":"event"}"#),
            "t=1700000000,v1=4c15fb2a43f93ef61eaa3e0893866d57cad9cad4223242cfb96f362480cb4021"
        );
    }

    #[test]
    fn twilio_signs_as_the_vendors_vectors() {
        let call = params(&[
            ("To", "+18005551212"),
            ("CallSid", "CA1234567890ABCDE"),
            ("Digits", "1234"),
            ("From", "+14158675309"),
            ("Caller", "+14158675309"),
        ]);
        let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
        assert_eq!(twilio("12345", url, &call), "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
        let with_port = "https://mycompany.com:443/myapp.php?foo=1&bar=2";
        assert_eq!(twilio("12345", with_port, &call), "kvajT1Ptam85bY51eRf/AJRuM3w=");
        let plain = "http://mycompany.com:80/myapp.php?foo=1&bar=2";
        assert_eq!(twilio("12345", plain, &call), "0ZXoZLH/DfblKGATFgpif+LLRf4=");
    }

    #[test]
    fn twilio_sorts_repeated_parameters_and_counts_each_value_once() {
        let call = params(&[
            ("Sid", "CA123"),
            ("SidAccount", "AC123"),
            ("Digits", "5678"),
            ("Digits", "1234"),
            ("Digits", "1234"),
        ]);
        let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
        assert_eq!(twilio("12345", url, &call), "IK+Dwps556ElfBT0I3Rgjkr1wJU=");
    }

    #[test]
    fn standard_webhooks_sign_as_the_published_vector() {
        assert_eq!(standard_webhook(SECRET, ID, AT, BODY).unwrap(), SIGNATURE);
        assert!(standard_webhook("plain", ID, AT, BODY).is_err());
    }

    #[test]
    fn the_reference_library_accepts_our_signature() {
        let signed = standard_webhook(SECRET, ID, AT, BODY).unwrap();
        let reference = standardwebhooks::Webhook::new(SECRET).unwrap();
        assert_eq!(reference.sign(ID, AT, BODY).unwrap(), signed);
    }

    #[test]
    fn one_valid_signature_among_several_is_enough() {
        let list = format!("v1,AAAA v1a,BBBB {SIGNATURE}");
        assert_eq!(verify(&list, BODY, AT), Ok(()));
    }

    #[test]
    fn a_changed_body_or_a_cut_signature_is_refused() {
        assert_eq!(verify(SIGNATURE, br#"{"test": 2432232314} "#, AT), Err(Refusal::Mismatch));
        assert_eq!(verify(&SIGNATURE[..20], BODY, AT), Err(Refusal::Mismatch));
        assert_eq!(verify("", BODY, AT), Err(Refusal::Mismatch));
    }

    #[test]
    fn five_minutes_are_the_limit_both_ways() {
        assert_eq!(verify(SIGNATURE, BODY, AT + 300), Ok(()));
        assert_eq!(verify(SIGNATURE, BODY, AT + 301), Err(Refusal::Stale));
        assert_eq!(verify(SIGNATURE, BODY, AT - 301), Err(Refusal::Stale));
    }

    #[test]
    fn absent_and_odd_headers_are_malformed() {
        let check = |id, at| verify_standard_webhook(SECRET, id, at, Some(SIGNATURE), BODY, AT);
        assert_eq!(check(None, Some("1614265330")), Err(Refusal::Malformed));
        assert_eq!(check(Some(ID), None), Err(Refusal::Malformed));
        assert_eq!(check(Some(ID), Some("+1614265330")), Err(Refusal::Malformed));
        assert_eq!(check(Some(ID), Some("99999999999999999999")), Err(Refusal::Malformed));
    }
}
