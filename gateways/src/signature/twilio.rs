//! Twilio's `X-Twilio-Signature`: base64 HMAC-SHA1 over the full public URL and the sorted form fields.
//!
//! There is no timestamp in it and so no replay window: whoever acts on a callback must be safe to hear it twice.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use secrecy::SecretString;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::{SignatureError, same, usable};

pub const HEADER: &str = "x-twilio-signature";
const BODY_HASH_FIELD: &str = "bodySHA256";

/// Checks a callback. `public_url` is the address Twilio was given, path and query as it called them, built from
/// configuration and never from the request's own `Host`. The body is the raw bytes: a form, or, where the URL carries
/// `bodySHA256`, anything.
///
/// # Errors
/// Says why the callback is not to be believed.
pub fn verify(
    auth_tokens: &[SecretString],
    public_url: &str,
    raw_body: &[u8],
    header: &str,
) -> Result<(), SignatureError> {
    if header.trim().is_empty() {
        return Err(SignatureError::Missing);
    }
    let claimed = STANDARD.decode(header.trim()).map_err(|_| SignatureError::Malformed)?;
    let url = Url::parse(public_url).map_err(|_| SignatureError::Malformed)?;
    let fields = signed_fields(&url, raw_body)?;
    let mut tokens = usable(auth_tokens).peekable();
    if tokens.peek().is_none() {
        return Err(SignatureError::BadSecret);
    }
    // Twilio is not consistent about naming a standard port, so both spellings count.
    let spellings = spellings(public_url, &url);
    let matches = tokens
        .any(|token| spellings.iter().any(|spelling| same(&claimed, &digest(token, spelling, &fields))));
    if matches { Ok(()) } else { Err(SignatureError::Mismatch) }
}

/// The text that is signed after the URL: names and values run together, sorted, repeats dropped.
fn signed_fields(url: &Url, raw_body: &[u8]) -> Result<String, SignatureError> {
    if let Some((_, hash)) = url.query_pairs().find(|(name, _)| name == BODY_HASH_FIELD) {
        let claimed = hex::decode(hash.as_bytes()).map_err(|_| SignatureError::Malformed)?;
        let body_is_whole = same(&claimed, &Sha256::digest(raw_body));
        return if body_is_whole { Ok(String::new()) } else { Err(SignatureError::Mismatch) };
    }
    let mut fields: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(raw_body) {
        fields.entry(name.into_owned()).or_default().insert(value.into_owned());
    }
    let run_together = |(name, values): (&String, &BTreeSet<String>)| -> String {
        values.iter().map(|value| format!("{name}{value}")).collect()
    };
    Ok(fields.iter().map(run_together).collect())
}

/// The URL as given, with its port, and without.
fn spellings(public_url: &str, url: &Url) -> Vec<String> {
    let mut spellings = vec![public_url.to_owned()];
    let Some((scheme, rest)) = public_url.split_once("://") else {
        return spellings;
    };
    let authority_len = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(authority_len);
    let port_at = authority.rfind(':').filter(|at| authority[at + 1..].bytes().all(|b| b.is_ascii_digit()));
    match (port_at, url.port_or_known_default()) {
        (Some(at), _) => spellings.push(format!("{scheme}://{}{tail}", &authority[..at])),
        (None, Some(port)) => spellings.push(format!("{scheme}://{authority}:{port}{tail}")),
        (None, None) => {}
    }
    spellings
}

fn digest(token: &str, url: &str, fields: &str) -> [u8; 20] {
    let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(url.as_bytes());
    mac.update(fields.as_bytes());
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests;
