//! API keys: `pck_<id>_<secret>`. The store keeps a hash of the secret; the key is shown once, when it is made.

mod holders;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::id::{ApiKeyId, MerchantId};
use domain::scope::{Scope, Scopes};
use domain::time::Timestamp;
use entities::api_key;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::problem::Problem;
use crate::state::Api;

pub(crate) use holders::Holders;

const KEY_PREFIX: &str = "pck_";
const ID_PREFIX: &str = "key_";
const ID_LENGTH: usize = 26;
const SECRET_BYTES: usize = 32;
const SECRET_LENGTH: usize = 43;

/// Who asks: the merchant, through one of its keys.
#[derive(Debug, Clone)]
pub struct Caller {
    pub merchant_id: MerchantId,
    pub key_id: ApiKeyId,
    pub scopes: Scopes,
    /// The merchant's country: how a number without `+` is read.
    pub country: String,
}

impl Caller {
    /// # Errors
    /// 403 when the key does not have the scope.
    pub fn require(&self, scope: Scope) -> Result<(), Problem> {
        if self.scopes.allow(scope) {
            return Ok(());
        }
        let detail = format!("This API key needs the scope {scope}.");
        Err(Problem::new(StatusCode::FORBIDDEN, "scope_missing", detail))
    }

    /// Who did it, on a timeline.
    pub(crate) fn actor(&self) -> String {
        self.key_id.to_string()
    }
}

impl FromRequestParts<Api> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let caller = Self::authenticated(parts, api).await?;
        api.limits.key(&caller.key_id)?;
        Ok(caller)
    }
}

impl Caller {
    /// Who asks, however often.
    pub(crate) async fn authenticated(parts: &Parts, api: &Api) -> Result<Self, Problem> {
        Self::of(parts, api).await.map_err(|problem| api.limits.unauthorized(parts, problem))
    }

    async fn of(parts: &Parts, api: &Api) -> Result<Self, Problem> {
        let value = parts.headers.get(header::AUTHORIZATION).ok_or_else(missing)?;
        let (id, secret) = value.to_str().ok().and_then(bearer).ok_or_else(unknown)?;
        let found = api.holders.of(&api.db, id).await;
        let holder = found.map_err(|error| Problem::internal(&error))?.ok_or_else(unknown)?;
        if !is_secret_of(secret, &holder.secret_hash) || holder.has_ended(api.now()) {
            return Err(unknown());
        }
        let scopes = holder.scopes.parse().map_err(|error| Problem::internal(&error))?;
        Ok(Self { merchant_id: holder.merchant_id.0, key_id: holder.id.0, scopes, country: holder.country })
    }
}

fn missing() -> Problem {
    Problem::unauthorized("credentials_missing", "Send an API key as `Authorization: Bearer pck_…`.")
}

/// One answer for a key that is unknown, wrong, expired or revoked.
fn unknown() -> Problem {
    Problem::unauthorized("credentials_invalid", "This API key is not valid.")
}

/// The id and the secret of a bearer key.
fn bearer(header: &str) -> Option<(ApiKeyId, &str)> {
    let (scheme, key) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") || !key.is_ascii() {
        return None;
    }
    let body = key.trim().strip_prefix(KEY_PREFIX)?;
    let (id, secret) = body.split_at_checked(ID_LENGTH)?;
    let secret = secret.strip_prefix('_').filter(|secret| secret.len() == SECRET_LENGTH)?;
    Some((format!("{ID_PREFIX}{id}").parse().ok()?, secret))
}

fn is_secret_of(secret: &str, stored_hash: &str) -> bool {
    let hash = secret_hash(secret);
    bool::from(hash.as_bytes().ct_eq(stored_hash.as_bytes()))
}

fn secret_hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

/// Makes a key: the row to be stored, and the key as it is shown this once.
#[must_use]
pub fn mint_key(
    now: Timestamp,
    merchant_id: &MerchantId,
    name: &str,
    scopes: &Scopes,
) -> (api_key::Model, SecretString) {
    let id: ApiKeyId = entities::fresh::id(now);
    let secret = URL_SAFE_NO_PAD.encode(rand::random::<[u8; SECRET_BYTES]>());
    let row = api_key::Model {
        id: id.clone().into(),
        merchant_id: merchant_id.clone().into(),
        name: name.to_owned(),
        secret_hash: secret_hash(&secret),
        scopes: scopes.to_string(),
        created_at_ms: now.millis(),
        expires_at_ms: None,
        revoked_at_ms: None,
    };
    let shown = format!("{KEY_PREFIX}{}_{secret}", &id.as_str()[ID_PREFIX.len()..]);
    (row, SecretString::from(shown))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use secrecy::ExposeSecret;

    fn minted() -> (api_key::Model, String) {
        let merchant = MerchantId::random([1; 16]);
        let (row, shown) =
            mint_key(Timestamp::from_millis(1_700_000_000_000), &merchant, "laptop", &Scopes::all());
        (row, shown.expose_secret().to_owned())
    }

    #[test]
    fn a_minted_key_is_read_back_from_a_bearer_header() {
        let (row, shown) = minted();
        let header = format!("bearer {shown}");
        let (id, secret) = bearer(&header).unwrap();
        assert_eq!(id, row.id.0);
        assert!(is_secret_of(secret, &row.secret_hash));
        assert!(!row.secret_hash.contains(secret));
    }

    #[test]
    fn another_secret_and_a_torn_key_are_refused() {
        let (row, shown) = minted();
        let (_, other) = minted();
        let other_secret = &other[other.len() - SECRET_LENGTH..];
        assert!(!is_secret_of(other_secret, &row.secret_hash));
        assert!(bearer(&format!("Basic {shown}")).is_none());
        for length in 0..shown.len() {
            assert!(bearer(&format!("Bearer {}", &shown[..length])).is_none(), "{length}");
        }
        assert!(bearer("Bearer pck_éééééééééééééééééééééééééé_x").is_none());
    }
}
