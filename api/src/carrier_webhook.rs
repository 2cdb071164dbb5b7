//! `POST /webhooks/carrier/…`: what the SMS carrier posts. Verified over the raw bytes, stored once, answered; a job
//! applies what it says. Only an opt-out is honoured on the spot.

mod inbound;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{OriginalUri, Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::routing::post;
use domain::id::AttemptId;
use domain::job::{JobKind, NewJob, Outbox};
use entities::carrier_callback::{self, NewCallback};
use entities::send_attempt;
use gateways::signature::twilio as signature;
use gateways::sms::{FormError, StatusCallback, parse_status_callback};
use sha2::{Digest, Sha256};

use crate::Api;
use crate::json;
use crate::metrics::{Arrival, Source};
use crate::problem::Problem;

const BODY_BYTES_MAX: usize = 64 * 1024;

pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/webhooks/carrier/status/{attempt_id}", post(status))
        .route("/webhooks/carrier/inbound", post(inbound::receive))
}

/// An authentic report is always answered 2xx: the carrier would only repeat what we cannot use.
async fn status(
    State(api): State<Api>,
    Path(attempt_id): Path<String>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let taken = take(&api, &attempt_id, &uri, &headers, body).await;
    api.metrics.webhook(Source::CarrierStatus, arrival(&taken), api.ledger.clock().machine_now());
    taken.map(|_| StatusCode::NO_CONTENT)
}

/// What became of a carrier's webhook, for the metrics.
fn arrival(taken: &Result<Arrival, Problem>) -> Arrival {
    taken.as_ref().map_or_else(Arrival::refused, |arrival| *arrival)
}

async fn take(
    api: &Api,
    attempt_id: &str,
    uri: &Uri,
    headers: &HeaderMap,
    body: Body,
) -> Result<Arrival, Problem> {
    let raw = verified(api, uri, headers, body).await?;
    let callback = parse_status_callback(&raw).map_err(malformed)?;
    let known = send_attempt::by_ids(&api.db.read, &[attempt_id.to_owned()]).await?;
    let Some(attempt) = known.first() else {
        tracing::warn!("the carrier reports about an attempt that is not ours");
        return Ok(Arrival::Ignored);
    };
    let id = id_of(&attempt.id, &callback);
    let tx = api.db.begin().await?;
    let report = NewCallback {
        id: &id,
        attempt_id: &attempt.id,
        provider_id: &callback.provider_id,
        status: callback.status,
        code: callback.error_code,
    };
    let mut outbox = Outbox::default();
    let is_new = carrier_callback::store(&tx, &report, api.now()).await?;
    if is_new {
        let job = NewJob::once(JobKind::RecordDelivery, attempt.id.as_str(), &attempt.merchant_id);
        outbox.enqueue(job.keyed(&id));
    }
    api.ledger.commit(tx, outbox).await?;
    Ok(if is_new { Arrival::Accepted } else { Arrival::Duplicate })
}

/// The same for the same report. The carrier gives its callbacks no id; word, time and code together are one.
fn id_of(attempt_id: &AttemptId, callback: &StatusCallback) -> String {
    let code = callback.error_code.map(|code| code.to_string()).unwrap_or_default();
    let parts = [
        attempt_id.as_str(),
        &callback.provider_id,
        &callback.raw_status,
        callback.raw_done_at.as_deref().unwrap_or_default(),
        &code,
    ];
    format!("cbk_{}", hex::encode(Sha256::digest(parts.join("\n"))))
}

/// The raw form, once its signature over our public address holds.
async fn verified(api: &Api, uri: &Uri, headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    let raw = json::bytes(headers, body, BODY_BYTES_MAX).await?;
    let signed = headers.get(signature::HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // The address the carrier was given, not the one a proxy made of it.
    let path = uri.path_and_query().map_or(uri.path(), |path| path.as_str());
    let url = format!("{}{path}", api.settings.public_url);
    signature::verify(&api.settings.twilio_auth_tokens, &url, &raw, signed).map_err(|why| {
        Problem::new(StatusCode::FORBIDDEN, "invalid_signature", format!("X-Twilio-Signature: {why}."))
    })?;
    Ok(raw)
}

fn malformed(fault: FormError) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "malformed_request", format!("{fault}."))
}

#[cfg(test)]
mod tests;
