//! `POST /p/result`: the page wants to know what became of the payment. Our server asks Stripe; what the browser believes
//! does not count.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::HeaderMap;
use domain::payment::{IntentStatus, PayableStatus};
use entities::payable;
use serde::Deserialize;
use serde_json::{Value, json};

use super::refusal::Refusal;
use super::{cookies, fetched, intent, request, visit};
use crate::Api;

#[derive(Deserialize)]
struct Asked {
    token: String,
}

pub(super) async fn result(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Refusal> {
    request::from_our_page(&headers, &api.settings)?;
    let asked: Asked = request::json(&headers, body)?;
    let visit = visit::find(&api, &asked.token).await?.ok_or(Refusal::Unknown)?;
    let Some(payable) = payable::foremost(&api.db.read, &visit.invoice.id).await? else {
        return Ok(state(IntentStatus::RequiresPaymentMethod, None));
    };
    if payable.status.0 == PayableStatus::Succeeded {
        return Ok(state(IntentStatus::Succeeded, None));
    }
    let Some(intent_id) = &payable.payment_intent_id else {
        return Ok(state(IntentStatus::RequiresPaymentMethod, None));
    };
    let intent = intent::fetch(&api, &payable, intent_id).await?;
    fetched::advance(&api, &payable, &intent).await?;
    let payer_hash = cookies::payer(&headers).map(domain::keyring::payer_hash);
    let pays_here = payer_hash.is_some() && payer_hash == payable.payer_hash;
    let message = intent.last_error.and_then(|error| error.message).filter(|_| pays_here);
    Ok(state(intent.status, message))
}

fn state(status: IntentStatus, message: Option<String>) -> Json<Value> {
    let word = match status {
        IntentStatus::Succeeded => "succeeded",
        IntentStatus::Processing | IntentStatus::RequiresCapture | IntentStatus::Unknown => "processing",
        IntentStatus::RequiresAction | IntentStatus::RequiresConfirmation => "requires_action",
        IntentStatus::RequiresPaymentMethod => "requires_payment_method",
        IntentStatus::Canceled => "canceled",
    };
    Json(json!({"state": word, "message": message}))
}
