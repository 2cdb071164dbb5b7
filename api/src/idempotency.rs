//! `Idempotency-Key`: the same key with the same request gets the same answer, whatever happens in between and however
//! many ask at once. The key is claimed by an insert in the transaction that does the work, so either both exist or
//! neither: a refused request leaves its key free.

use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::id::MerchantId;
use domain::job::Outbox;
use domain::time::Timestamp;
use entities::idempotency_key;
use queue::Ledger;
use sea_orm::{DatabaseTransaction, DbErr};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::problem::Problem;
use crate::state::Api;

pub(crate) const HEADER: &str = "idempotency-key";
pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const KEY_MAX: usize = 255;

/// An answer that was committed together with what it tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    status: StatusCode,
    body: String,
    replayed: bool,
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response =
            (self.status, [(header::CONTENT_TYPE, "application/json")], self.body).into_response();
        if self.replayed {
            response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}

/// Why a handler ends before its work is done.
#[derive(Debug)]
pub(crate) enum Stop {
    Refused(Problem),
    /// It was done before under the same key.
    Answered(Answer),
}

impl Stop {
    /// The same, where no key was claimed and nothing can have been answered before.
    pub(crate) fn into_problem(self) -> Problem {
        match self {
            Self::Refused(problem) => problem,
            Self::Answered(_) => Problem::internal(&"an answer was found for a request without a key"),
        }
    }
}

impl<E: Into<Problem>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

impl IntoResponse for Stop {
    fn into_response(self) -> Response {
        match self {
            Self::Refused(problem) => problem.into_response(),
            Self::Answered(answer) => answer.into_response(),
        }
    }
}

/// A key and the fingerprint of the request that carries it.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    pub(crate) merchant_id: MerchantId,
    pub(crate) key: String,
    pub(crate) fingerprint: String,
}

impl Claim {
    /// The claim of a request; `None` when it carries no key.
    pub(crate) fn of(parts: &Parts, merchant_id: &MerchantId, body: &[u8]) -> Result<Option<Self>, Problem> {
        let Some(key) = key_of(parts)? else {
            return Ok(None);
        };
        let mut digest = fingerprint_begun(parts);
        digest.update(body);
        Ok(Some(Self { merchant_id: merchant_id.clone(), key, fingerprint: hex::encode(digest.finalize()) }))
    }

    /// What was answered under this key before, if anything was.
    pub(crate) async fn answered(&self, api: &Api) -> Result<Option<Answer>, Problem> {
        let found = idempotency_key::find(&api.db.read, &self.merchant_id, &self.key).await?;
        found.map(|row| self.replay(row)).transpose()
    }

    /// Whether anything was answered under this key.
    pub(crate) async fn is_known(&self, api: &Api) -> Result<bool, Problem> {
        Ok(idempotency_key::find(&api.db.read, &self.merchant_id, &self.key).await?.is_some())
    }

    fn replay(&self, row: idempotency_key::Model) -> Result<Answer, Problem> {
        if row.fingerprint != self.fingerprint {
            let detail = "This Idempotency-Key was used for another request.";
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", detail));
        }
        let status = u16::try_from(row.status).ok().and_then(|status| StatusCode::from_u16(status).ok());
        let status = status.ok_or_else(|| Problem::internal(&"a kept answer has no status"))?;
        Ok(Answer { status, body: row.body, replayed: true })
    }
}

/// The key a request carries.
pub(crate) fn key_of(parts: &Parts) -> Result<Option<String>, Problem> {
    let Some(value) = parts.headers.get(HEADER) else {
        return Ok(None);
    };
    let visible =
        |text: &&str| (1..=KEY_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    let key = value.to_str().ok().filter(visible);
    let message = "must be 1 to 255 visible ASCII characters";
    key.map(|key| Some(key.to_owned())).ok_or_else(|| Problem::field("Idempotency-Key", message))
}

/// Method and address, so that one key is not two requests; the body follows.
pub(crate) fn fingerprint_begun(parts: &Parts) -> Sha256 {
    Sha256::new()
        .chain_update(parts.method.as_str())
        .chain_update(b" ")
        .chain_update(parts.uri.path())
        .chain_update(b"\n")
}

/// One request's transaction: what it writes, the jobs it causes, the answer it gives.
pub(crate) struct Work {
    pub(crate) tx: DatabaseTransaction,
    pub(crate) outbox: Outbox,
    pub(crate) now: Timestamp,
    ledger: Ledger,
    claim: Option<Claim>,
}

impl Work {
    /// Begins. Ends the handler at once when the same request was answered before.
    pub(crate) async fn begin(api: &Api, claim: Option<Claim>) -> Result<Self, Stop> {
        let tx = api.db.begin().await?;
        let now = api.now();
        if let Some(claim) = &claim {
            let is_new =
                idempotency_key::claim(&tx, &claim.merchant_id, &claim.key, &claim.fingerprint, now).await?;
            if !is_new {
                let row = idempotency_key::find(&tx, &claim.merchant_id, &claim.key).await?;
                let row = row.ok_or_else(|| DbErr::RecordNotFound("an idempotency key".to_owned()))?;
                return Err(Stop::Answered(claim.replay(row)?));
            }
        }
        Ok(Self { tx, outbox: Outbox::default(), now, ledger: api.ledger.clone(), claim })
    }

    /// Commits work that has no answer of its own.
    pub(crate) async fn commit(self) -> Result<(), Problem> {
        self.ledger.commit(self.tx, self.outbox).await.map_err(Problem::from)
    }

    /// Commits the work together with its answer.
    pub(crate) async fn finish<T: Serialize>(self, status: StatusCode, body: &T) -> Result<Answer, Stop> {
        let body = serde_json::to_string(body)?;
        if let Some(claim) = &self.claim {
            idempotency_key::keep_answer(&self.tx, &claim.merchant_id, &claim.key, status.as_u16(), &body)
                .await?;
        }
        self.ledger.commit(self.tx, self.outbox).await?;
        Ok(Answer { status, body, replayed: false })
    }
}
