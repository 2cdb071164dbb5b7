//! A request that writes: who asks is known first, the scope is checked before the body is read.

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::Method;
use axum::http::request::Parts;
use domain::scope::Scope;
use serde::de::DeserializeOwned;

use crate::auth::Caller;
use crate::idempotency::Claim;
use crate::json;
use crate::problem::Problem;
use crate::state::Api;

/// An authenticated request whose body nobody has read yet.
pub(crate) struct Incoming {
    pub(crate) caller: Caller,
    pub(crate) parts: Parts,
    pub(crate) body: Body,
}

/// A request that was read.
pub(crate) struct Read<T> {
    pub(crate) caller: Caller,
    pub(crate) input: T,
    pub(crate) claim: Option<Claim>,
}

impl FromRequest<Api> for Incoming {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let caller = Caller::from_request_parts(&mut parts, api).await?;
        Ok(Self { caller, parts, body })
    }
}

impl Incoming {
    /// Reads a body that must be there.
    pub(crate) async fn read<T: DeserializeOwned>(self, scope: Scope) -> Result<Read<T>, Problem> {
        self.caller.require(scope)?;
        json::expect(&self.parts.headers)?;
        let body = json::bytes(&self.parts.headers, self.body, json::BODY_MAX).await?;
        let input = json::typed(json::value(&body)?)?;
        let claim = claim(&self.parts, &self.caller, &body)?;
        Ok(Read { caller: self.caller, input, claim })
    }

    /// Reads a body that may be left out.
    pub(crate) async fn read_optional<T: DeserializeOwned + Default>(
        self,
        scope: Scope,
    ) -> Result<Read<T>, Problem> {
        self.caller.require(scope)?;
        let body = json::bytes(&self.parts.headers, self.body, json::BODY_MAX).await?;
        let claim = claim(&self.parts, &self.caller, &body)?;
        if body.is_empty() {
            return Ok(Read { caller: self.caller, input: T::default(), claim });
        }
        json::expect(&self.parts.headers)?;
        let input = json::typed(json::value(&body)?)?;
        Ok(Read { caller: self.caller, input, claim })
    }
}

/// Only a POST needs a key: the other methods say the same thing twice by themselves.
fn claim(parts: &Parts, caller: &Caller, body: &[u8]) -> Result<Option<Claim>, Problem> {
    if parts.method != Method::POST {
        return Ok(None);
    }
    Claim::of(parts, &caller.merchant_id, body)
}
