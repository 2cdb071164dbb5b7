//! `POST /webhooks/stripe`: verified over the raw bytes, stored once under Stripe's own id, answered. What it says is a
//! hint; a job asks Stripe for the truth.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use domain::job::{JobKind, NewJob, Outbox};
use entities::stripe_event::{self, NewStripeEvent};
use entities::{merchant, payable};
use gateways::signature::stripe as signature;
use gateways::stripe::StripeEnvelope;
use queue::failpoint;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};

use crate::Api;
use crate::json;
use crate::metrics::{Arrival, Source};
use crate::problem::Problem;

const BODY_BYTES_MAX: usize = 1024 * 1024;
const PRIVATE_FIELDS: [&str; 4] = ["client_secret", "billing_details", "receipt_email", "shipping"];

/// What became of an event. Every authentic one is answered 2xx: a refusal would have it sent again for days.
#[derive(Clone, Copy)]
enum Disposition {
    Accepted,
    Duplicate,
    /// Of no merchant's account, of the other mode, or about nothing of ours.
    Ignored,
}

impl Disposition {
    const fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Duplicate => "duplicate",
            Self::Ignored => "ignored",
        }
    }

    const fn arrival(self) -> Arrival {
        match self {
            Self::Accepted => Arrival::Accepted,
            Self::Duplicate => Arrival::Duplicate,
            Self::Ignored => Arrival::Ignored,
        }
    }
}

pub(crate) fn routes() -> Router<Api> {
    Router::new().route("/webhooks/stripe", post(receive))
}

async fn receive(State(api): State<Api>, headers: HeaderMap, body: Body) -> Result<Json<Value>, Problem> {
    let taken = take(&api, &headers, body).await;
    let arrival = taken.as_ref().map_or_else(Arrival::refused, |disposition| disposition.arrival());
    api.metrics.webhook(Source::Stripe, arrival, api.ledger.clock().machine_now());
    Ok(Json(json!({"disposition": taken?.word()})))
}

async fn take(api: &Api, headers: &HeaderMap, body: Body) -> Result<Disposition, Problem> {
    let raw = json::bytes(headers, body, BODY_BYTES_MAX).await?;
    let envelope = verified(api, headers, &raw)?;
    if let Some(created_at_s) = envelope.created_at_s {
        api.metrics.stripe_lag(created_at_s, api.now());
    }
    let body = without_private_fields(&raw)?;
    let disposition = store(api, envelope, body).await?;
    failpoint::reached("stripe_event_committed");
    Ok(disposition)
}

fn verified(api: &Api, headers: &HeaderMap, raw: &Bytes) -> Result<StripeEnvelope, Problem> {
    let signed = headers.get(signature::HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let secrets = &api.settings.stripe_webhook_secrets;
    let checked = signature::verify(signed, raw, secrets, api.now().millis(), signature::TOLERANCE_S);
    checked.map_err(|why| {
        Problem::new(StatusCode::BAD_REQUEST, "invalid_signature", format!("Stripe-Signature: {why}."))
    })?;
    StripeEnvelope::parse(raw).map_err(|why| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "malformed_request",
            format!("The event cannot be read: {why}."),
        )
    })
}

/// The event as it is kept: what lets somebody pay, or says who paid, is not.
fn without_private_fields(raw: &Bytes) -> Result<String, Problem> {
    let mut event: Value = serde_json::from_slice(raw).map_err(|_| {
        Problem::new(StatusCode::BAD_REQUEST, "malformed_request", "The body is not JSON in UTF-8.")
    })?;
    forget_private_fields(&mut event);
    Ok(event.to_string())
}

fn forget_private_fields(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !PRIVATE_FIELDS.contains(&name.as_str()));
            fields.values_mut().for_each(forget_private_fields);
        }
        Value::Array(values) => values.iter_mut().for_each(forget_private_fields),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

async fn store(api: &Api, envelope: StripeEnvelope, body: String) -> Result<Disposition, Problem> {
    let livemode = envelope.livemode.unwrap_or(api.settings.stripe_livemode);
    let tx = api.db.begin().await?;
    let event = NewStripeEvent {
        id: envelope.id.clone(),
        account: envelope.account.clone(),
        kind: envelope.event_type,
        object_id: envelope.object_id,
        payment_intent_id: envelope.payment_intent.clone(),
        livemode,
        body,
    };
    if !stripe_event::store(&tx, event, api.now()).await? {
        return Ok(Disposition::Duplicate);
    }
    let mut outbox = Outbox::default();
    let is_ours = livemode == api.settings.stripe_livemode;
    if let (true, Some(account), Some(intent_id)) = (is_ours, envelope.account, envelope.payment_intent) {
        let payable = payable_of(&tx, &account, &intent_id).await?;
        outbox.jobs.extend(payable.map(|payable| {
            let job = NewJob::once(JobKind::AdvancePayment, payable.id.as_str(), &payable.merchant_id);
            job.keyed(&envelope.id)
        }));
    }
    let disposition = if outbox.jobs.is_empty() { Disposition::Ignored } else { Disposition::Accepted };
    api.ledger.commit(tx, outbox).await?;
    Ok(disposition)
}

/// The payable of a PaymentIntent on an account that belongs to a merchant.
async fn payable_of<C: ConnectionTrait>(
    tx: &C,
    account: &str,
    intent_id: &str,
) -> Result<Option<payable::Model>, DbErr> {
    let owners =
        merchant::Entity::find().filter(merchant::Column::StripeAccount.eq(account)).count(tx).await?;
    if owners == 0 {
        return Ok(None);
    }
    payable::by_intent(tx, account, intent_id).await
}

#[cfg(test)]
mod tests;
